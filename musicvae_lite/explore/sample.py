"""New tunes: z drawn from a latent density, decoded.

meter ─▶ density (fitted, or N(0, I)) ─▶ z [B, Z] ─▶ decode ─▶ tokens [B, T, V] ─▶ one song a row
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.model.checkpoint import Checkpoint
from musicvae_lite.model.density import Density
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.noise import expected
from musicvae_lite.model.threads import one_thread
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


@dataclass(frozen=True, eq=False)
class Samples:
    """New tunes as z [B, Z], as notes on the grid and as songs; which prior they came from, and as for which meter."""

    z: Tensor
    steps: tuple[GridNotes, ...]
    songs: tuple[Song, ...]
    prior: str
    like: Meter  # the meter itself, or the nearest that the density was fitted to


@one_thread()
@torch.no_grad()
def sample(checkpoint: Checkpoint, options: Options | None = None) -> Samples:
    """New tunes of the model's length, a function of the options alone.

    Asking for the fitted density of a model without one is a `MusicVAEError`. Silence is drawn again, a few times.
    """
    options, model = options or Options(), checkpoint.model
    density = choose(checkpoint, options.prior)
    form = representation(model.config.representation)
    generator = torch.Generator(next(model.parameters()).device).manual_seed(options.seed)
    z = draw(checkpoint, density, options.count, options, generator)
    tokens = decode(model, z, options, generator)
    for _ in range(MOST_DRAWS):
        silent = torch.from_numpy(form.content(tokens.cpu().numpy()) == 0).to(z.device)
        if not bool(silent.any()):
            break
        z[silent] = draw(checkpoint, density, int(silent.sum()), options, generator)
        tokens[silent] = decode(model, z[silent], options, generator)
    steps = tuple(form.decode(row) for row in tokens.cpu().numpy())
    songs = tuple(
        Song(
            to_tracks(notes, form.INSTRUMENTS, model.config.steps_per_quarter, f"sample {number}"),
            meters=(MeterChange(0.0, options.meter),),
        )
        for number, notes in enumerate(steps, 1)
    )
    like = density.nearest(options.meter) if density else options.meter
    return Samples(z, steps, songs, FITTED if density else NORMAL, like)


def decode(model: MusicVAE, z: Tensor, options: Options, generator: torch.Generator) -> Tensor:
    """Tokens int64 [B, T, V] of z [B, Z], taken as roughly as `options` say, over their chords."""
    config, form = model.config, representation(model.config.representation)
    bar = bar_steps(options.meter, config.steps_per_quarter)
    given = None
    if options.chords:
        chords = torch.from_numpy(chart(options.chords, config.bars, bar, form)).to(z.device)  # [T, V]
        given = chords.expand(len(z), -1, -1)
    level = torch.full((len(z),), options.level if model.config.noise_conditioning else 0.0, device=z.device)
    return model.decode(expected(z, level), options.meter, options.temperature, generator, level=level, given=given)


def choose(checkpoint: Checkpoint, prior: str | None = None) -> Density | None:
    """The checkpoint's fitted density where `prior` wants it or leaves the choice; None stands for N(0, I)."""
    if prior == NORMAL:
        return None
    density = Density.from_tensors(checkpoint.extra)
    if density is None and prior == FITTED:
        raise MusicVAEError("this model has no fitted density: train it to the end, or draw with --prior normal")
    return density.to(next(checkpoint.model.parameters()).device) if density else None


def draw(
    checkpoint: Checkpoint, density: Density | None, count: int, options: Options, generator: torch.Generator
) -> Tensor:
    """z [count, Z] from the density, or from N(0, I) where it is None."""
    if density:
        return density.sample(count, options.meter, generator, options.spread)
    size = checkpoint.model.config.latent
    return options.spread * torch.randn(count, size, generator=generator, device=generator.device)
