"""A few held-out windows as MIDI while a model learns: as they are, as they come back, and what lies between two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.explore.interpolate import linear
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.grid import GridNotes, bar_steps
from musicvae_lite.music.midi import write
from musicvae_lite.music.notes import Meter, MeterChange, Song
from musicvae_lite.music.voices import to_tracks
from musicvae_lite.tokens import representation

COUNT = 4
STEPS = 5  # of the interpolation


@torch.no_grad()
def write_examples(model: MusicVAE, groups: Sequence[Windows], folder: Path) -> None:
    """`original.mid`, `reconstruction.mid` and `interpolation.mid` (first window to last), a bar of rest after each."""
    group = groups[0]
    rows = np.linspace(0, len(group) - 1, min(COUNT, len(group))).astype(np.int64)
    tokens = torch.from_numpy(group.tokens[rows].astype(np.int64)).to(next(model.parameters()).device)
    mu = model.encode(tokens, group.meter).mu
    path = linear(mu[0], mu[-1], torch.linspace(0, 1, STEPS))
    folder.mkdir(parents=True, exist_ok=True)
    for name, windows in {
        "original": tokens,
        "reconstruction": model.decode(mu, group.meter, given=tokens),
        "interpolation": model.decode(path, group.meter, given=tokens[:1].expand(len(path), -1, -1)),
    }.items():
        write(_song(windows.cpu().numpy(), group.meter, model), folder / f"{name}.mid")


def _song(windows: NDArray[np.int64], meter: Meter, model: MusicVAE) -> Song:
    """Windows [N, T, V] one behind the other, a bar of rest after each."""
    config = model.config
    form, length = representation(config.representation), windows.shape[1] + bar_steps(meter, config.steps_per_quarter)
    notes = GridNotes.joined([form.decode(window).moved(i * length) for i, window in enumerate(windows)])
    tracks = to_tracks(notes, form.INSTRUMENTS, config.steps_per_quarter)
    return Song(tracks, meters=(MeterChange(0.0, meter),))
