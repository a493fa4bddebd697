"""Times the original for `benchmark.py --with-magenta`: run by its own environment's Python, prints one JSON line.

Magenta's cat-mel_2bar_small (bidirectional LSTM 512, decoder 2 × 256, z 256) as its own code builds it, on random
windows of 32 steps: training steps of a batch, greedy decoding, and its converter on MIDI files. What only reads audio
or data sets is stood in for.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import numpy as np

STAND_INS = {
    *("tensorflow_datasets", "librosa", "pydub", "bokeh", "IPython", "pandas", "numba", "matplotlib", "scipy"),
    *("soundfile", "resampy"),
}
STEPS, EVENTS = 32, 90
SIZES = {"max_seq_len": STEPS, "z_size": 256, "enc_rnn_size": [512], "dec_rnn_size": [256, 256], "free_bits": 0}
SCHEDULE = {"max_beta": 0.2, "beta_rate": 0.99999, "sampling_schedule": "inverse_sigmoid", "sampling_rate": 1000}


class Anything(ModuleType):
    """A module that has every name."""

    def __getattr__(self, name: str) -> MagicMock:
        return MagicMock()


class StandIn(MetaPathFinder, Loader):
    """Makes importable what is not installed and not timed."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        """Asked last, so only for what is nowhere else."""
        known = fullname.partition(".")[0] in STAND_INS
        return ModuleSpec(fullname, self, is_package=True) if known else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty one that has every name."""
        return Anything(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to do."""


def model(tf: Any, batch: int, training: bool) -> Any:
    """Magenta's model, built for one batch size."""
    from magenta.contrib import training as contrib
    from magenta.models.music_vae import lstm_models
    from magenta.models.music_vae.base_model import MusicVAE

    made = MusicVAE(lstm_models.BidirectionalLstmEncoder(), lstm_models.CategoricalLstmDecoder())
    values = {**lstm_models.get_default_hparams().values(), **SIZES, **SCHEDULE, "batch_size": batch}
    made.build(contrib.HParams(**values), EVENTS, is_training=training)
    return made


def seconds(run: Any, rounds: int) -> list[dict[str, float]]:
    """Wall and processor seconds of each of `rounds` calls, after a first one that is not counted."""
    run()
    found = []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        found.append({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu})
    return found


def session(tf: Any, threads: int) -> Any:
    """A TensorFlow session in so many threads, its variables initialised."""
    config = tf.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1)
    made = tf.Session(config=config)
    made.run(tf.global_variables_initializer())
    return made


def train_times(tf: Any, batch: int, threads: int, rounds: int) -> list[dict[str, float]]:
    """Times of training steps: forward, backward, clipping, Adam, as in Magenta's music_vae_train."""
    with tf.Graph().as_default():
        tokens = np.random.default_rng(0).integers(0, EVENTS, (batch, STEPS))
        windows = tf.constant(np.eye(EVENTS, dtype=np.float32)[tokens])
        made = model(tf, batch, True)
        optimizer = made.train(windows, windows, tf.fill([batch], STEPS))
        gradients, variables = zip(*optimizer.compute_gradients(made.loss), strict=True)
        clipped, _ = tf.clip_by_global_norm(gradients, 1.0)
        step = optimizer.apply_gradients(zip(clipped, variables, strict=True))
        running = session(tf, threads)
        return seconds(lambda: running.run(step), rounds)


def decode_times(tf: Any, count: int, threads: int, rounds: int) -> list[dict[str, float]]:
    """Times of decoding `count` z to 32 steps at a temperature next to zero."""
    with tf.Graph().as_default():
        made = model(tf, count, False)
        z = tf.constant(np.random.default_rng(0).standard_normal((count, 256)).astype(np.float32))
        sampled, _ = made.decoder.sample(count, max_length=STEPS, z=z, temperature=1e-3)
        running = session(tf, threads)
        return seconds(lambda: running.run(sampled), rounds)


def read_times(folder: Path, rounds: int) -> list[dict[str, float]]:
    """Times of reading 64 of the files of a folder and converting them to melodies of two bars, for one file."""
    import note_seq
    from magenta.models.music_vae import data

    files = sorted(map(str, folder.rglob("*.mid")))
    files = files[:: max(1, len(files) // 64)]
    sizes = {"max_bars": 100, "slice_bars": 2, "steps_per_quarter": 4}  # as in cat-mel_2bar_small
    converter = data.OneHotMelodyConverter(valid_programs=data.MEL_PROGRAMS, skip_polyphony=False, **sizes)
    times = seconds(lambda: [converter.to_tensors(note_seq.midi_file_to_note_sequence(f)) for f in files], rounds)
    return [{clock: value / len(files) for clock, value in each.items()} for each in times]


def main() -> None:
    """Print {"train": […], "decode": […], "decode_many": […], "read": […]}, times in seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("batch", "few", "many", "threads", "rounds"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--midi", type=Path, required=True)
    given = parser.parse_args()
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    sys.meta_path.append(StandIn())
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
    tf.logging.set_verbosity(tf.logging.ERROR)
    found = {
        "train": train_times(tf, given.batch, given.threads, given.rounds),
        "decode": decode_times(tf, given.few, given.threads, given.rounds),
        "decode_many": decode_times(tf, given.many, given.threads, given.rounds),
        "read": read_times(given.midi, given.rounds),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
