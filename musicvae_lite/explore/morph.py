"""Two tunes → the tunes between them, window by window.

clip a ─▶ μ_a ─▶ refine ─▶ z_a ┐
                               ├─▶ path ─▶ z [M, W, Z] ─▶ decode ─▶ tokens [S, W, T, V] ─▶ joined, one tune a step
clip b ─▶ μ_b ─▶ refine ─▶ z_b ┘
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicvae_lite.corpus.clip import Clip, clip_song, fill, join
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.explore.interpolate import PATHS, even, uniform
from musicvae_lite.explore.refine import refine
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.music.notes import Song, TempoChange, Track
from musicvae_lite.tokens import representation

CANDIDATES_A_STEP = 8  # points of the path decoded for each one that `even` spacing lets be heard
SPACINGS = ("even", "uniform")


@dataclass(frozen=True)
class Options:
    """How to go from one tune to the other."""

    steps: int = 8  # S, both ends included
    path: str = "linear"  # one of `interpolate.PATHS`
    spacing: str = "even"  # one of SPACINGS
    refine: bool = True
    loop: bool = False  # the shorter tune starts over again; else rests follow it
    temperature: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 2:
            raise MusicVAEError(f"{self.steps} steps: expected at least 2, the two tunes themselves")
        if self.path not in PATHS or self.spacing not in SPACINGS:
            raise MusicVAEError(
                f"path {self.path!r}, spacing {self.spacing!r}: expected one of {list(PATHS)} and of {list(SPACINGS)}"
            )
        if self.temperature < 0:
            raise MusicVAEError(f"a temperature of {self.temperature:g}: expected 0 or more")


@dataclass(frozen=True)
class End:
    """How well one end of a morph is the tune that was given."""

    differed: int  # tokens, decoded from the encoder's mean
    differ: int  # tokens, as heard
    refinements: int  # gradient steps taken


@dataclass(frozen=True, eq=False)
class Morph:
    """One tune a step, from a to b: `steps` on the grid from the first bar, `songs` with tempo and instrument."""

    steps: tuple[GridNotes, ...]
    songs: tuple[Song, ...]
    positions: NDArray[np.float64]  # [S, W]: where on each window's path a step is, 0 … 1
    ends: tuple[End, End]
    bars: int  # of each step


def morph(model: MusicVAE, a: Clip, b: Clip, options: Options | None = None) -> Morph:
    """The tunes from `a` to `b`. Both must be in one meter and on the model's grid, else it is a `MusicVAEError`."""
    options = options or Options()
    _check(model, a, b)
    form = representation(model.config.representation)
    count = max(len(a.windows), len(b.windows))
    bars = max(a.bars, b.bars)
    a, b = (fill(clip, count, options.loop, form) for clip in (a, b))
    z_a, end_a = _latents(model, a, options)
    z_b, end_b = _latents(model, b, options)
    positions = _positions(model, z_a, z_b, a, options)  # [S, W]
    generator = torch.Generator(z_a.device).manual_seed(options.seed)
    z = torch.stack([_at(z_a, z_b, row, options) for row in torch.from_numpy(positions)])  # [S, W, Z]
    tokens = _decode(model, z, a, options.temperature, generator)  # [S, W, T, V]
    steps, songs = [], []
    for index, share in enumerate(uniform(options.steps)):
        tied = np.where(positions[index] < 0.5, a.tied, b.tied)
        steps.append(join(tokens[index], tied, form))
        songs.append(clip_song(steps[-1], between(a, b, float(share)), f"step {index + 1}"))
    return Morph(tuple(steps), tuple(songs), positions, (end_a, end_b), bars)


def between(a: Clip, b: Clip, share: float) -> Clip:
    """The nearer clip, with tempo and velocities `share` of the way from a's to b's."""
    nearer = a if share < 0.5 else b
    velocity = np.rint((1 - share) * a.velocity + share * b.velocity).astype(np.int64)
    values = vars(nearer) | {"velocity": velocity, "qpm": (1 - share) * a.qpm + share * b.qpm}
    return Clip(**values)


def joined(morph: Morph, steps_a_bar: int, steps_per_quarter: int) -> tuple[Song, list[tuple[float, str]]]:
    """All steps one behind the other as one song, a track an instrument; and a marker (quarter note, text) a step."""
    length = morph.bars * steps_a_bar / steps_per_quarter
    tracks: dict[int, list[tuple[int, int, float, float]]] = {}
    tempos, markers = [], []
    for index, song in enumerate(morph.songs):
        start = index * length
        (track,) = song.tracks
        rows = tracks.setdefault(track.program, [])
        rows += [(n.pitch, n.velocity, n.start + start, n.end + start) for n in track.notes]
        tempos.append(TempoChange(start, song.tempos[0].qpm))
        markers.append((start, f"{index + 1} of {len(morph.songs)}"))
    parts = tuple(Track(type(track.notes).of(rows), "morph", program) for program, rows in tracks.items())
    return Song(parts, tuple(tempos), morph.songs[0].meters), markers


def _check(model: MusicVAE, a: Clip, b: Clip) -> None:
    if a.meter != b.meter:
        raise MusicVAEError(
            f"the first tune is in {a.meter}, the second in {b.meter}: choose two in the same meter, or read both in "
            f"one with --meter {a.meter}"
        )
    for clip in (a, b):
        if clip.steps_per_quarter != model.config.steps_per_quarter:
            raise MusicVAEError(
                f"a clip of {clip.steps_per_quarter} steps a quarter: the model has {model.config.steps_per_quarter}"
            )


def _latents(model: MusicVAE, clip: Clip, options: Options) -> tuple[Tensor, End]:
    """z [W, Z] of a clip's windows, refined if asked for, and how well they fit."""
    tokens = torch.from_numpy(clip.windows).to(next(model.parameters()).device)
    with torch.no_grad():
        mu = model.encode(tokens, clip.meter).mu
    result = refine(model, mu, tokens, clip.meter, **({} if options.refine else {"limit": 0}))
    return result.z, End(int(result.differed.sum()), int(result.differ.sum()), int(result.steps.max()))


def _positions(model: MusicVAE, z_a: Tensor, z_b: Tensor, clip: Clip, options: Options) -> NDArray[np.float64]:
    """Where on its path each step of each window is: [S, W]. Every window has an even spacing of its own."""
    if options.spacing == "uniform" or options.steps == 2:
        return np.repeat(uniform(options.steps)[:, None], len(z_a), 1)
    candidates = uniform(CANDIDATES_A_STEP * (options.steps - 1) + 1)
    z = PATHS[options.path](z_a, z_b, torch.from_numpy(candidates))  # [M, W, Z]
    tokens = _decode(model, z, clip, 0.0, None)
    rows = [even(tokens[:, window], options.steps) for window in range(tokens.shape[1])]
    return candidates[np.stack(rows, 1)]


def _at(z_a: Tensor, z_b: Tensor, t: Tensor, options: Options) -> Tensor:
    """The point at t[w] on the path of each window w: [W, Z]."""
    return torch.cat([PATHS[options.path](a[None], b[None], s[None])[0] for a, b, s in zip(z_a, z_b, t, strict=True)])


def _decode(
    model: MusicVAE, z: Tensor, clip: Clip, temperature: float, generator: torch.Generator | None
) -> NDArray[np.int64]:
    """Tokens [S, W, T, V] of z [S, W, Z]."""
    decoded = model.decode(z.flatten(0, 1), clip.meter, temperature, generator)
    return np.asarray(decoded.unflatten(0, z.shape[:2]).cpu().numpy())
