"""Starting, reading MIDI, and what grows with the corpus."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from musicvae_lite.corpus.scan import Settings, find, scan_file
from musicvae_lite.corpus.splits import split
from musicvae_lite.corpus.windows import Windows
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.midi import read, write
from musicvae_lite.music.notes import COMMON_TIME, Notes, Song, Track
from musicvae_lite.tokens import melody, representation
from musicvae_lite.training.batches import Batches
from scripts.benchmarks.figures import ROOT, Figure, Options, Ratio, Rows, random_tokens, timed

EXAMPLES = ROOT / "data" / "examples"


def cold(options: Options) -> Rows:
    """Commands from the shell to their files, each in a process of its own."""
    tunes = [str(EXAMPLES / name) for name in ("ode_to_joy.mid", "ah_vous_dirai_je.mid")]
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "interpolate, 8 files, joined, picture": (["interpolate", *tunes, "--force", "--out", folder], 1.0),
            "check": (["check", str(EXAMPLES)], 0.2),
            "--help": (["--help"], 0.2),
        }
        seconds = timed({name: partial(command, *words) for name, (words, _) in commands.items()}, options)
    return [
        *(Figure("cold", name, "s", tuple(found)) for name, found in seconds.items()),
        *(
            Ratio("cold", f"{name}: {limit:g} s / ours", limit / median(seconds[name]), 1.0)
            for name, (_, limit) in commands.items()
        ),
    ]


def command(*words: str) -> None:
    """Run a command line of ours."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-m", "musicvae_lite", *words], check=True, capture_output=True, env=environment)


def reading(options: Options) -> Rows:
    """Files → windows on one core, beside reading alone with symusic and with pretty_midi."""
    with tempfile.TemporaryDirectory() as made:
        folder = options.midi or generated(Path(made), 300)
        files = [folder / name for name in find(folder).files[:4500]]
        few = files[:: max(1, len(files) // 60)]
        import pretty_midi

        runs = {
            "scan and tokens": (lambda: [scanned(file) for file in files], len(files)),
            "reading alone": (lambda: [read(file) for file in few], len(few)),
            "reading alone, pretty_midi": (lambda: [pretty_midi.PrettyMIDI(str(file)) for file in few], len(few)),
        }
        seconds = timed({name: run for name, (run, _) in runs.items()}, options)
    rates = {name: tuple(runs[name][1] / s for s in found) for name, found in seconds.items()}
    scan, peer = median(rates["scan and tokens"]), median(rates["reading alone, pretty_midi"])
    return [
        *(Figure("reading", name, "files/s", values) for name, values in rates.items()),
        Ratio("reading", f"scan and tokens of {len(files):,} files / 2,000 a second", scan / 2000, 1.0),
        Ratio("reading", "scan and tokens / pretty_midi reading alone", scan / peer),
    ]


def scanned(file: Path) -> object:
    """What one file gives, if anything."""
    try:
        return scan_file(file, Settings())
    except MusicVAEError as error:
        return error


def generated(folder: Path, count: int) -> Path:
    """A folder of `count` tunes of 32 bars."""
    random = np.random.default_rng(0)
    for number in range(count):
        start = np.cumsum(random.choice([0.5, 0.5, 1.0, 1.5], 128)) - 0.5
        pitch = 60 + np.cumsum(random.integers(-2, 3, 128)).clip(-12, 18)
        notes = Notes(pitch, np.full(128, 80), start, np.append(start[1:], start[-1] + 1))
        write(Song((Track(notes, "tune"),)), folder / f"{number}.mid")
    return folder


def growth(options: Options) -> Rows:
    """Cost a window, and memory beyond the corpus's own bytes, from a thousand windows to a million."""
    form, found = representation(melody.NAME), Rows()
    middle: dict[str, list[float]] = {"splitting": [], "drawing a batch": []}
    for count in (10**3, 10**4, 10**5, 10**6):
        group = corpus_of(count)
        held_out = np.arange(len(group.piece)) % 20 == 0
        tracemalloc.start()
        batches, numbers = Batches((group,), form, 64, 6, 0), itertools.count()
        draw(batches, numbers, 20)
        beyond = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        runs: dict[str, Callable[[], object]] = {
            "splitting": partial(split, (group,), held_out, form),
            "drawing a batch": partial(draw, batches, numbers, 200),
        }
        seconds = timed(runs, options)
        for (name, values), (divisor, unit) in zip(seconds.items(), ((count, "µs a window"), (200, "µs")), strict=True):
            scaled = tuple(1e6 * s / divisor for s in values)
            middle[name].append(median(scaled))
            found.append(Figure("growth", f"{name}, {count:,} windows", unit, scaled))
        found.append(Figure("growth", f"memory beyond {group.tokens.nbytes:,} bytes", "bytes", (float(beyond),)))
    return found + [Ratio("growth", f"{name}: 10³ / 10⁶ windows", each[0] / each[-1]) for name, each in middle.items()]


def draw(batches: Batches, numbers: Iterator[int], count: int) -> None:
    """Draw the next `count` batches."""
    for _ in range(count):
        batches[next(numbers)]


def corpus_of(count: int) -> Windows:
    """So many windows, in bytes as in a corpus."""
    some = random_tokens(min(count, 10_000)).astype(np.uint8)
    tokens = np.concatenate([some] * -(-count // len(some)))[:count]
    tokens[:, 0, 0], tokens[:, 1, 0] = np.arange(count) % 128, np.arange(count) // 128 % 128
    return Windows(COMMON_TIME, tokens, np.arange(count, dtype=np.int64), np.zeros(count, np.int64))
