"""A tune → variations of it: a part of the way, in music, towards tunes that the model makes up.

clip ─▶ μ ─▶ refine ─▶ z ┐
                         ├─▶ walk, evenly ─▶ tokens at `amount` of the way ─▶ joined, one tune a variation
density ─▶ z of new tunes ┘

How far a variation is from the tune is measured in tokens that differ and not in z, where a little may change nothing
and a little more all. Windows that are the same in the tune are the same in a variation: what comes back, comes back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musicvae_lite.corpus.clip import Clip, clip_song, distinct, join, until
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.explore import sample
from musicvae_lite.explore.refine import STEPS, refine
from musicvae_lite.explore.walk import SPACINGS, walk
from musicvae_lite.inference.codec import Codec, Floats, Ints
from musicvae_lite.inference.density import Density
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.music.notes import Song
from musicvae_lite.tokens import representation

GRADES = 10  # the way to a new tune is split into so many steps
POOL, KEPT = 512, 24  # windows of new music that are drawn, and of these the ones in the tune's key and register


@dataclass(frozen=True)
class Options:
    """What to vary, and how far. A prior of None is the fitted density where the model has one, else N(0, I)."""

    count: int = 8
    amount: float = 0.3  # 0: the tune itself, 1: a new one; in tenths
    prior: str | None = None  # or one of `sample.PRIORS`
    refine: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1:
            raise MusicVAEError(f"{self.count} variations: expected at least 1")
        if not 0 <= self.amount <= 1:
            raise MusicVAEError(f"an amount of {self.amount:g}: expected 0 (the tune itself) to 1 (a new one)")
        if self.prior not in (None, *sample.PRIORS):
            raise MusicVAEError(f"unknown prior {self.prior!r}: expected one of {', '.join(sample.PRIORS)}")
        if self.seed < 0:
            raise MusicVAEError(f"a seed of {self.seed}: expected 0 or more")


@dataclass(frozen=True, eq=False)
class Variations:
    """One tune a variation: on the grid from the first bar, and as songs with the clip's tempo and instruments.

    The tune itself the same way.
    """

    tune: GridNotes
    tune_song: Song
    steps: tuple[GridNotes, ...]
    songs: tuple[Song, ...]
    changed: tuple[float, ...]  # share of the tune's tokens, over steps and predicted voices, that are others


def vary(model: Codec, fitted: Density | None, clip: Clip, options: Options | None = None) -> Variations:
    """Variations of `clip`, a function of the options alone; `fitted` is the model's density if it has one.

    A clip on another grid than the model's, or a density that is asked for and not there, is a `MusicVAEError`.
    """
    options = options or Options()
    if clip.steps_per_quarter != model.config.steps_per_quarter:
        raise MusicVAEError(
            f"a clip of {clip.steps_per_quarter} steps a quarter: the model has {model.config.steps_per_quarter}"
        )
    form = representation(model.config.representation)
    found = _windows(model, fitted, clip, options)
    tune, *steps = (until(join(windows, clip.tied, form), clip.steps) for windows in (clip.windows, *found))
    songs = tuple(clip_song(notes, clip, form, f"variation {number}") for number, notes in enumerate(steps, 1))
    others = (found != clip.windows).reshape(len(found), -1, clip.windows.shape[-1])[:, : clip.steps, ~form.GIVEN]
    changed = tuple(others.mean((1, 2)).tolist())
    return Variations(tune, clip_song(tune, clip, form, "the tune"), tuple(steps), songs, changed)


def _windows(model: Codec, fitted: Density | None, clip: Clip, options: Options) -> Ints:
    """The tokens of every variation, [N, W, T, V]."""
    first, place = distinct(clip.windows)
    windows, count = clip.windows[first], options.count  # [D, T, V]
    mu = model.encode(windows, clip.meter).mu
    z = refine(model, mu, windows, clip.meter, STEPS if options.refine else 0).z
    new = _new(model, fitted, clip, options, count * len(windows))
    given = np.tile(windows, (2, count, 1, 1))
    way = walk(model, np.tile(z, (count, 1)), new, clip.meter, GRADES + 1, SPACINGS["even"], given=given)
    tokens = way.tokens[round(options.amount * GRADES)]  # [N·D, T, V]
    found: Ints = tokens.reshape(count, *windows.shape)[:, place]
    return found


def _new(model: Codec, fitted: Density | None, clip: Clip, options: Options, count: int) -> Floats:
    """z of new music that goes with the clip, [count, Z]: of what is drawn from the model what is most like it."""
    random, drawn = np.random.default_rng(options.seed), sample.Options(meter=clip.meter)
    z = sample.draw(model, sample.choose(fitted, options.prior), POOL, drawn, random)
    given = np.broadcast_to(clip.windows[0], (POOL, *clip.windows.shape[1:]))
    tokens = model.decode(z, clip.meter, given=given)
    form = representation(model.config.representation)
    tune = _profile(join(clip.windows, clip.tied, form), form.VOICES)
    fits = np.array([_likeness(tune, _profile(form.decode(row), form.VOICES)) for row in tokens])
    best = np.argsort(-fits, kind="stable")[:KEPT]
    chosen: Floats = z[random.choice(best, count)]
    return chosen


def _profile(notes: GridNotes, voices: int) -> Floats:
    """How long each voice is on each pitch, as shares, [V, 128]; nothing of a voice that is silent."""
    found = np.zeros((voices, 128))
    np.add.at(found, (notes.voice, notes.pitch), notes.end - notes.start)
    found /= np.maximum(found.sum(1, keepdims=True), 1)
    return found


def _likeness(a: Floats, b: Floats) -> float:
    """What two profiles share of pitch classes, 0 … 1, less the octaves between their middles: the voices' mean."""
    classes = [np.stack([each[:, note::12].sum(1) for note in range(12)]) for each in (a, b)]
    octaves = np.abs((a - b) @ np.arange(128)) / 12
    both = (a.sum(1) > 0) & (b.sum(1) > 0)
    return float(np.where(both, np.minimum(*classes).sum(0) - octaves, 0).mean())
