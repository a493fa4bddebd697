"""Which tokens are struck is given; how they are played comes from the model.

stiff windows [B, T, V] ─▶ μ ─▶ decode, of the given strokes only ─▶ `Played`: tokens, velocity and offset of each

What the decoder thinks of a stroke is a distribution over all ways to play it. At temperature 0 its mean is taken,
which no single token is bound to: of all answers it has the least expected squared error. Fed back to the decoder is
the token nearest to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.playing import choose
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import Representation, representation


@dataclass(frozen=True, eq=False)
class Played:
    """Windows as they are played: tokens [B, T, V]; of each its velocity 0 … 1 and its offset in steps, or NaN."""

    tokens: Tensor
    velocity: Tensor
    offset: Tensor


@torch.no_grad()
def play(
    model: MusicVAE,
    tokens: Tensor,
    meter: Meter,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    mean: bool = True,
) -> Played:
    """The strokes of tokens int64 [B, T, V], and no others, played as the model would.

    How they are played in `tokens` is not heard. At temperature 0 a stroke is played as it is on average over what the
    model thinks likely, or without `mean` as is likeliest; above 0 it is drawn.
    """
    form = representation(model.config.representation)
    stiff = stiffened(tokens, form)
    touch = _Touch(form, stiff, temperature, generator, mean)
    decoded = model.decode(model.encode(stiff, meter).mu, meter, picked=touch)
    velocity, offset = torch.stack(touch.values, 1).unbind(-1)  # [B, T, V] each
    return Played(decoded, velocity, offset)


def stiffened(tokens: Tensor, form: Representation) -> Tensor:
    """The same strokes [B, T, V] without expression: what a model is given to play."""
    return torch.from_numpy(form.STIFF).to(tokens.device)[tokens]


class _Touch:
    """A `decoder.Pick` that plays given strokes, and notes down how: `values` holds [B, V, 2] a step."""

    def __init__(
        self, form: Representation, stiff: Tensor, temperature: float, generator: torch.Generator | None, mean: bool
    ) -> None:
        self.stiff, self.temperature, self.generator, self.mean = stiff, temperature, generator, mean
        self.kind = torch.from_numpy(form.STIFF).to(stiff.device)  # [K]
        self.touch = torch.from_numpy(form.TOUCH).to(stiff.device, torch.float32)  # [K, 2]
        self.values: list[Tensor] = []

    def __call__(self, logits: Tensor, t: int) -> Tensor:
        """Tokens [B, V] of step `t`: of those that are the given ones, played in some way."""
        same = self.kind == self.stiff[:, t, :, None]  # [B, V, K]
        allowed = logits.masked_fill(~same, -torch.inf)
        tokens = choose(allowed, self.temperature, self.generator)
        value = self.touch[tokens]
        if self.mean and self.temperature == 0:
            value = torch.softmax(allowed, -1) @ self.touch.nan_to_num()  # [B, V, 2]
            away = (self.touch.nan_to_num() - value[..., None, :]).square().sum(-1)
            tokens = away.masked_fill(~same, torch.inf).argmin(-1)
            value = value + 0 * self.touch[tokens]  # NaN where there is nothing to be played
        self.values.append(value)
        return tokens
