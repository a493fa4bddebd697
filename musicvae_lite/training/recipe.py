"""How a model is trained: one frozen record, saved with the run, and the presets."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.config import Config

SEEDS = 1 << 32


@dataclass(frozen=True)
class Recipe:
    """Everything of a training run but the files and the network. Rates are bits a window."""

    minutes: float = 60.0  # of training; ignored when steps > 0
    steps: int = 0
    seed: int = 0
    batch: int = 64  # B
    peak_learning_rate: float = 3e-3
    warm_up_steps: int = 200
    clip_norm: float = 5.0
    beta: float = 1.0
    first_free_bits: float = 250.0  # the rate narrows from here …
    free_bits: float = 115.0  # … to here
    narrow_from: float = 0.05  # of the training
    narrow_to: float = 0.6
    noisy_share: float = 0.4  # of the windows reach the decoder through a noisy channel
    token_dropout: float = 0.0  # share of the decoder's input tokens that are hidden
    token_swaps: float = 0.0  # share of them that are another window's (`mistakes`) …
    token_draws: float = 0.0  # … or drawn by the decoder itself: one of the two
    stiff_share: float = 0.0  # of the windows are heard by the encoder without expression, and decoded with it
    mixed_share: float = 0.0  # of the windows have about half of their voices from another window
    transpose: int = 6  # semitones up or down, drawn afresh for each window each time
    ema: float = 0.999
    validations: int = 20  # evenly over the training
    checkpoint_minutes: float = 1.0
    begin: str | None = None  # the model, by name or path, whose weights it starts with (`model.growing`); None: chance
    track: int | str | None = None  # of each file: which one is the tune; None: the most tune-like one

    def __post_init__(self) -> None:
        if self.minutes <= 0 and self.steps <= 0:
            raise MusicVAEError(f"got {self.minutes:g} minutes and {self.steps} steps: expected one above 0")
        if self.batch < 2:
            raise MusicVAEError(f"a batch of {self.batch}: expected at least 2 windows")
        if self.token_swaps and self.token_draws:
            raise MusicVAEError("token_swaps and token_draws: expected one of them to be 0")
        if not 0 <= self.seed < SEEDS:
            raise MusicVAEError(f"a seed of {self.seed}: expected 0 … {SEEDS - 1}")
        if not 0 <= self.narrow_from < self.narrow_to <= 1:
            raise MusicVAEError("narrow_from and narrow_to: expected 0 ≤ narrow_from < narrow_to ≤ 1")

    def to_dict(self) -> dict[str, Any]:
        """A JSON object; `from_dict` is the inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Recipe:
        """A recipe from a JSON object; unknown keys are a `MusicVAEError`."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise MusicVAEError(f"the recipe has unknown keys {', '.join(unknown)}: it needs a newer version")
        return cls(**values)


@dataclass(frozen=True)
class Preset:
    """A network and a recipe that go together."""

    config: Config
    recipe: Recipe


# Sizes with which sixteen bars of it stay below the 16 MiB of a model that comes with the package.
A_PAIR_FOR_EACH_VOICE: dict[str, Any] = {
    "embedding": 96,
    "decoder_hidden": 192,
    "encoder_per_voice": True,
    "decoder_per_voice": True,
    "lookback": 3,
    "view_rank": 48,
}
PRESETS: dict[str, Preset] = {
    "melody-2bar": Preset(Config(), Recipe(minutes=100.0)),
    "melody-4bar": Preset(
        Config(bars=4, latent=256),
        Recipe(
            minutes=60.0,
            peak_learning_rate=1e-3,
            first_free_bits=230.0,
            free_bits=185.0,
            narrow_to=0.3,
            begin="melody-2bar",
        ),
    ),
    "melody-16bar": Preset(
        Config(bars=16, latent=512),
        Recipe(
            minutes=60.0,
            batch=16,
            peak_learning_rate=1e-3,
            first_free_bits=900.0,
            free_bits=380.0,
            validations=10,
            begin="melody-2bar",
        ),
    ),
    "drums-2bar": Preset(
        Config(representation="drums"), Recipe(minutes=60.0, transpose=0, free_bits=160.0, mixed_share=0.5)
    ),
    "groove-2bar": Preset(
        Config(representation="groove", kinship=True),
        Recipe(minutes=30.0, transpose=0, first_free_bits=300.0, free_bits=200.0, stiff_share=0.5, mixed_share=0.5),
    ),
    "trio-2bar": Preset(
        Config("trio", latent=192, **A_PAIR_FOR_EACH_VOICE),
        Recipe(minutes=60.0, first_free_bits=450.0, free_bits=330.0, token_swaps=0.2, mixed_share=0.7),
    ),
    "trio-16bar": Preset(
        Config("trio", bars=16, latent=960, view_bars=2, **A_PAIR_FOR_EACH_VOICE),
        Recipe(
            minutes=60.0,
            batch=16,
            peak_learning_rate=1e-3,
            first_free_bits=2200.0,
            free_bits=1800.0,
            noisy_share=0.2,
            token_swaps=0.2,
            mixed_share=0.9,
            validations=10,
            begin="trio-2bar",
        ),
    ),
    "melody-chords-2bar": Preset(Config("melody-chords"), Recipe(minutes=30.0)),
    "tiny": Preset(
        Config(latent=32, embedding=32, encoder_hidden=32, decoder_hidden=64, view_rank=16),
        Recipe(minutes=1.0, batch=16, ema=0.99),
    ),
}
DEFAULT = "melody-2bar"


def preset(name: str, config: dict[str, Any] | None = None, recipe: dict[str, Any] | None = None) -> Preset:
    """The preset of that name with some values replaced; an unknown name is a `MusicVAEError`."""
    if name not in PRESETS:
        raise MusicVAEError(f"unknown preset {name!r}: expected one of {', '.join(PRESETS)}")
    base = PRESETS[name]
    return Preset(replace(base.config, **(config or {})), replace(base.recipe, **(recipe or {})))
