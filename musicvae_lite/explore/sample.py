"""New tunes: z drawn from a latent density, decoded.

meter ─▶ density (fitted, or N(0, I)) ─▶ z [B, Z] ─▶ decode ─▶ tokens [B, T, V] ─▶ one song a row
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.codec import Codec, Floats, Ints
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.density import Density
from musicvae_lite.inference.noise import expected
from musicvae_lite.music.grid import GridNotes, bar_steps
from musicvae_lite.music.notes import COMMON_TIME, Meter, MeterChange, Song
from musicvae_lite.music.voices import to_tracks
from musicvae_lite.tokens import representation
from musicvae_lite.tokens.chords import chart

FITTED, NORMAL = "fitted", "normal"
PRIORS = (FITTED, NORMAL)
MOST_DRAWS = 10  # of a sample that would be silence, before it is kept


@dataclass(frozen=True)
class Options:
    """What to draw. A prior of None is the fitted density where the model has one, else N(0, I)."""

    count: int = 8
    meter: Meter = COMMON_TIME
    prior: str | None = None  # or one of PRIORS
    temperature: float = 0.5  # of the decoder's choices; 0: always the likeliest
    level: float = 0.5  # how roughly the decoder takes z, 0 … 1 (`model.noise`): the rest is its own idea of music
    spread: float = 1.0  # of z: below 1 nearer to the middle of the style, above 1 further out
    seed: int = 0
    chords: str = ""  # one a bar, "C G Am F", for a model that knows chords; none: over no chord

    def __post_init__(self) -> None:
        if self.count < 1:
            raise MusicVAEError(f"{self.count} samples: expected at least 1")
        if self.prior not in (None, *PRIORS):
            raise MusicVAEError(f"unknown prior {self.prior!r}: expected one of {', '.join(PRIORS)}")
        if not 0 <= self.level <= 1:
            raise MusicVAEError(f"a level of {self.level:g}: expected 0 (exactly z) to 1 (nothing of it)")
        if self.temperature < 0 or self.spread < 0:
            raise MusicVAEError(
                f"a temperature of {self.temperature:g} and a spread of {self.spread:g}: expected 0 or more of each"
            )
        if self.seed < 0:
            raise MusicVAEError(f"a seed of {self.seed}: expected 0 or more")


@dataclass(frozen=True, eq=False)
class Samples:
    """New tunes as z [B, Z], as notes on the grid and as songs; which prior they came from, and as for which meter."""

    z: Floats
    steps: tuple[GridNotes, ...]
    songs: tuple[Song, ...]
    prior: str
    like: Meter  # the meter itself, or the nearest that the density was fitted to


def sample(model: Codec, fitted: Density | None, options: Options | None = None) -> Samples:
    """New tunes of the model's length, a function of the options alone; `fitted` is the model's density if it has one.

    Asking for the fitted density of a model without one is a `MusicVAEError`. Silence is drawn again, a few times.
    """
    options = options or Options()
    density, form = choose(fitted, options.prior), representation(model.config.representation)
    random = np.random.default_rng(options.seed)
    z = draw(model, density, options.count, options, random)
    tokens = decode(model, z, options, random)
    for _ in range(MOST_DRAWS):
        silent = form.content(tokens) == 0
        if not silent.any():
            break
        z[silent] = draw(model, density, int(silent.sum()), options, random)
        tokens[silent] = decode(model, z[silent], options, random)
    steps = tuple(form.decode(row) for row in tokens)
    songs = tuple(
        Song(
            to_tracks(notes, form.INSTRUMENTS, model.config.steps_per_quarter, f"sample {number}"),
            meters=(MeterChange(0.0, options.meter),),
        )
        for number, notes in enumerate(steps, 1)
    )
    like = density.nearest(options.meter) if density else options.meter
    return Samples(z, steps, songs, FITTED if density else NORMAL, like)


def decode(model: Codec, z: Floats, options: Options, random: np.random.Generator) -> Ints:
    """Tokens int64 [B, T, V] of z [B, Z], taken as roughly as `options` say, over their chords."""
    level = np.full(len(z), options.level if model.config.noise_conditioning else 0.0, z.dtype)
    given = over(options.chords, len(z), options.meter, model.config)
    return model.decode(expected(z, level), options.meter, options.temperature, random, level=level, given=given)


def over(chords: str, count: int, meter: Meter, config: Config) -> Ints | None:
    """What is given of `count` windows over `chords`, one a bar, [count, T, V]; None without chords."""
    if not chords:
        return None
    bar = bar_steps(meter, config.steps_per_quarter)
    told = chart(chords, config.bars, bar, representation(config.representation))
    return np.broadcast_to(told, (count, *told.shape))


def choose(fitted: Density | None, prior: str | None = None) -> Density | None:
    """The fitted density where `prior` wants it or leaves the choice; None stands for N(0, I)."""
    if fitted is None and prior == FITTED:
        raise MusicVAEError("this model has no fitted density: train it to the end, or draw with --prior normal")
    return None if prior == NORMAL else fitted


def draw(model: Codec, density: Density | None, count: int, options: Options, random: np.random.Generator) -> Floats:
    """z [count, Z] from the density, or from N(0, I) where it is None."""
    if density:
        return density.sample(count, options.meter, random, options.spread)
    return options.spread * random.standard_normal((count, model.config.latent), np.float32)
