"""A few held-out windows as MIDI while a model learns: as they are, as they come back, and what lies between two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.explore.interpolate import linear, uniform
from musicvae_lite.inference.config import Config
from musicvae_lite.model.codec import codec
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.grid import GridNotes, bar_steps
from musicvae_lite.music.midi import write
from musicvae_lite.music.notes import Meter, MeterChange, Song
from musicvae_lite.music.voices import to_tracks
from musicvae_lite.tokens import representation

COUNT = 4
STEPS = 5  # of the interpolation


def write_examples(model: MusicVAE, groups: Sequence[Windows], folder: Path) -> None:
    """`original.mid`, `reconstruction.mid` and `interpolation.mid` (first window to last), a bar of rest after each."""
    group = groups[0]
    rows = np.linspace(0, len(group) - 1, min(COUNT, len(group))).astype(np.int64)
    tokens, player = group.tokens[rows].astype(np.int64), codec(model)
    mu = player.encode(tokens, group.meter).mu
    path = linear(mu[0], mu[-1], uniform(STEPS))
    folder.mkdir(parents=True, exist_ok=True)
    for name, windows in {
        "original": tokens,
        "reconstruction": player.decode(mu, group.meter, given=tokens),
        "interpolation": player.decode(
            path, group.meter, given=np.broadcast_to(tokens[:1], (len(path), *tokens.shape[1:]))
        ),
    }.items():
        write(_song(windows, group.meter, model.config), folder / f"{name}.mid")


def _song(windows: NDArray[np.int64], meter: Meter, config: Config) -> Song:
    """Windows [N, T, V] one behind the other, a bar of rest after each."""
    form, length = representation(config.representation), windows.shape[1] + bar_steps(meter, config.steps_per_quarter)
    notes = GridNotes.joined([form.decode(window).moved(i * length) for i, window in enumerate(windows)])
    tracks = to_tracks(notes, form.INSTRUMENTS, config.steps_per_quarter)
    return Song(tracks, meters=(MeterChange(0.0, meter),))
