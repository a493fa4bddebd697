"""One flat, frozen record of everything that shapes the weights; saved beside them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.grid import STEPS_PER_QUARTER
from musicvae_lite.tokens import has_touch, representation

LONGEST_BAR_QUARTERS = 8  # position tables end here; later steps of a longer bar share the last row

MAY_BE_NONE = {"conductor_hidden", "view_rank", "view_bars", "lookback"}
# What a config that lacks them means.
BEFORE_THEY_WERE_KEYS = {
    "noise_conditioning": False,
    "kinship": False,
    "encoder_per_voice": False,
    "decoder_per_voice": False,
    "lookback": 0,
    "view_bars": 0,
}


@dataclass(frozen=True)
class Config:
    """Sizes of a `MusicVAE`. Contradictions are refused here and nowhere else."""

    representation: str = "melody"
    steps_per_quarter: int = STEPS_PER_QUARTER
    bars: int = 2
    latent: int = 128  # Z
    embedding: int = 128
    encoder_hidden: int = 192  # H of each direction
    decoder_hidden: int = 256  # H
    decoder_layers: int = 1
    conductor_hidden: int = 0  # H of a conductor over bars, from whose plans each bar is decoded; 0: a flat decoder
    encoder_per_voice: bool = False  # an encoder for each voice, with a share of z for it; False: one for all voices
    decoder_per_voice: bool = False  # a decoder for each voice, all hearing each other; False: one for all voices
    metrical_positions: bool = True  # an embedding of the step's place in the meter, in encoder and decoder
    noise_conditioning: bool = True  # the decoder can be told that z is only roughly known
    kinship: bool = (
        False  # in training, tokens that are the same stroke, as loud or as late, share a part of their vectors
    )
    lookback: int = 0  # at so many of the distances of 1, 2, 4, … bars a step hears what was played at its place
    view_rank: int = 64  # rank of the per-position views of z; 0: z enters every step alike, as in MusicVAE
    view_bars: int = 0  # z is cut into a share for every so many bars, and a bar views its own; 0: all of z

    def __post_init__(self) -> None:
        form = representation(self.representation)
        for field in fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name in MAY_BE_NONE else 1
            if isinstance(value, int) and not isinstance(value, bool) and value < least:
                raise MusicVAEError(f"{field.name} is {value}: expected at least {least}")
        if self.view_rank and not self.metrical_positions:
            raise MusicVAEError("views of z by position need metrical positions: set view_rank to 0 or switch them on")
        if self.encoder_per_voice and self.latent % self.predicted:
            raise MusicVAEError(
                f"latent is {self.latent}: expected a multiple of {self.predicted}, a share for each voice"
            )
        if self.view_bars and (self.bars % self.view_bars or (self.share(0) * self.view_bars) % self.bars):
            raise MusicVAEError(
                f"views of {self.view_bars} of {self.bars} bars and of {self.share(0)} dimensions: expected a whole "
                "number of shares, of as many dimensions each"
            )
        if self.lookback and self.conductor_hidden:
            raise MusicVAEError("under a conductor each bar is decoded afresh: set lookback or conductor_hidden to 0")
        if self.kinship and not has_touch(form):
            raise MusicVAEError(
                f"kinship is for tokens that say how they are played, which those of {form.NAME} do not"
            )

    @property
    def predicted(self) -> int:
        """How many voices are predicted: all that are not given, as chords are."""
        return int((~representation(self.representation).GIVEN).sum())

    def of_a_bar(self) -> Config:
        """The config of what decodes a bar from a conductor's plan for it."""
        alone = replace(self, conductor_hidden=0, noise_conditioning=False, encoder_per_voice=False, view_bars=0)
        return replace(alone, bars=1, latent=self.conductor_hidden)

    @property
    def shares(self) -> int:
        """Into how many parts, one behind the other, the views cut z."""
        return self.bars // self.view_bars if self.view_bars else 1

    def own(self, part: int | None) -> slice:
        """The dimensions of z that are one predicted voice's own: with `encoder_per_voice` its share, else all."""
        if part is None or not self.encoder_per_voice:
            return slice(0, self.latent)
        share = self.latent // self.predicted
        return slice(part * share, (part + 1) * share)

    def share(self, part: int | None) -> int:
        """How many dimensions these are."""
        return len(range(self.latent)[self.own(part)])

    @property
    def bar_positions(self) -> int:
        """Rows of the tables that are indexed by the step in its bar."""
        return LONGEST_BAR_QUARTERS * self.steps_per_quarter

    def to_dict(self) -> dict[str, Any]:
        """A JSON object; `from_dict` is the inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Config:
        """A config from a JSON object; unknown keys are a `MusicVAEError`."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise MusicVAEError(f"the model's config has unknown keys {', '.join(unknown)}: it needs a newer version")
        return cls(**BEFORE_THEY_WERE_KEYS | values)
