"""Two tunes → the tunes between them, window by window.

clip a ─▶ μ_a ─▶ refine ─▶ z_a ┐
                               ├─▶ path ─▶ z [M, W, Z] ─▶ decode ─▶ tokens [S, W, T, V] ─▶ joined, one tune a step
clip b ─▶ μ_b ─▶ refine ─▶ z_b ┘
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.corpus.clip import Clip, clip_song, distinct, fill, join, until
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.explore.interpolate import PATHS, levels, uniform
from musicvae_lite.explore.refine import STEPS, refine
from musicvae_lite.explore.walk import SPACINGS, Walk, decode, walk
from musicvae_lite.inference.codec import Codec, Floats
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.music.notes import Song
from musicvae_lite.tokens import representation

MAX_STEPS = 200
COOLEST, HOTTEST = 0.01, 100.0  # below and above, a softmax in single precision has nothing left to draw from


@dataclass(frozen=True)
class Options:
    """How to go from one tune to the other."""

    steps: int = 8  # S, both ends included
    path: str = "linear"  # one of `interpolate.PATHS`
    spacing: str = "even"  # one of `walk.SPACINGS`
    refine: bool = True
    loop: bool = False  # the shorter tune starts over again; else rests follow it
    temperature: float = 0.0
    seed: int = 0
    pull: float | None = None  # nats by which tokens of a and b are preferred; None: what goes with the spacing

    def __post_init__(self) -> None:
        if not 2 <= self.steps <= MAX_STEPS:
            raise MusicVAEError(f"{self.steps} steps: expected 2 (the two tunes themselves) to {MAX_STEPS}")
        if self.path not in PATHS or self.spacing not in SPACINGS:
            raise MusicVAEError(
                f"path {self.path!r}, spacing {self.spacing!r}: expected one of {list(PATHS)} and of {list(SPACINGS)}"
            )
        if self.pull is not None and not 0 <= self.pull < float("inf"):
            raise MusicVAEError(f"a pull of {self.pull:g} nats: expected 0 or more")
        if self.temperature and not COOLEST <= self.temperature <= HOTTEST:
            raise MusicVAEError(
                f"temperature {self.temperature:g}: expected 0 (always the likeliest), or {COOLEST:g} to {HOTTEST:g}"
            )
        if not 0 <= self.seed < 2**63:
            raise MusicVAEError(f"a seed of {self.seed}: expected 0 or more, in 63 bits")


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


def morph(model: Codec, a: Clip, b: Clip, options: Options | None = None) -> Morph:
    """The tunes from `a` to `b`. Both must be in one meter and on the model's grid, else it is a `MusicVAEError`."""
    options = options or Options()
    _check(model, a, b)
    form = representation(model.config.representation)
    bars = max(a.bars, b.bars)
    a, b = (fill(clip, bars, options.loop, form) for clip in (a, b))
    (z_a, *end_a), (z_b, *end_b) = (_latents(model, clip, options) for clip in (a, b))
    way = _walk(model, z_a, z_b, (a, b), options)
    steps, songs = [], []
    for index, share in enumerate(uniform(options.steps)):
        tied = np.where(way.positions[index][:, None] < 0.5, a.tied, b.tied)
        steps.append(until(join(way.tokens[index], tied, form), a.steps))
        songs.append(clip_song(steps[-1], between(a, b, float(share)), form, f"step {index + 1}"))
    ends = (_end(a, way.tokens[0], *end_a), _end(b, way.tokens[-1], *end_b))
    return Morph(tuple(steps), tuple(songs), way.positions, ends, bars)


def between(a: Clip, b: Clip, share: float) -> Clip:
    """The nearer clip, with tempo and velocities `share` of the way from a's to b's."""
    velocity = np.rint((1 - share) * a.velocity + share * b.velocity).astype(np.int64)
    return replace(a if share < 0.5 else b, velocity=velocity, qpm=(1 - share) * a.qpm + share * b.qpm)


def _check(model: Codec, a: Clip, b: Clip) -> None:
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


def _latents(model: Codec, clip: Clip, options: Options) -> tuple[Floats, int, int]:
    """z [W, Z] of a clip's windows, refined if asked for; tokens that differed before, and gradient steps taken."""
    first, place = distinct(clip.windows)
    windows = clip.windows[first]
    found = refine(model, model.encode(windows, clip.meter).mu, windows, clip.meter, STEPS if options.refine else 0)
    return found.z[place], int(found.differed[place].sum()), int(found.steps.max())


def _end(clip: Clip, heard: NDArray[np.int64], differed: int, refinements: int) -> End:
    wrong = (heard != clip.windows).reshape(-1, clip.windows.shape[-1])[: clip.steps]
    return End(differed, int(wrong.sum()), refinements)


def _walk(model: Codec, z_a: Floats, z_b: Floats, clips: tuple[Clip, Clip], options: Options) -> Walk:
    """The way between two tunes' latents; at a temperature, drawn afresh at the same places without leaning."""
    spacing = SPACINGS[options.spacing]
    if options.pull is not None:
        spacing = replace(spacing, pull=options.pull)
    along, clip = PATHS[options.path], clips[0]
    given = np.stack([each.windows for each in clips])  # [2, W, T, V]
    heard = clip.steps - clip.windows.shape[1] * np.arange(len(z_a))  # of each window, and more in all but the last
    first, place = distinct(given[0], given[1], np.minimum(heard, clip.windows.shape[1]))
    ends, told = (z_a[first], z_b[first]), given[:, first]
    one_each = walk(model, *ends, clip.meter, options.steps, spacing, along, heard[first], told)
    way = Walk(one_each.positions[:, place], one_each.tokens[:, place])
    if options.temperature == 0:
        return way
    z = along(z_a, z_b, way.positions)  # [S, W, Z]
    level = levels(z, z_a, z_b, way.positions)
    random = np.random.default_rng(options.seed)
    nearer = given[(way.positions >= 0.5).astype(np.int64), np.arange(len(z_a))]  # [S, W, T, V]
    return Walk(way.positions, decode(model, z, clip.meter, options.temperature, random, level, nearer))
