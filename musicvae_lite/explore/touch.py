"""Which tokens are struck is given; how they are played comes from the model.

stiff windows [B, T, V] ─▶ μ ─▶ decode, of the given strokes only ─▶ `Played`: tokens, velocity and offset of each

What the decoder thinks of a stroke is a distribution over all ways to play it. At temperature 0 its mean is taken,
which no single token is bound to: of all answers it has the least expected squared error. Fed back to the decoder is
the token nearest to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musicvae_lite.inference.codec import Codec, Floats, Ints
from musicvae_lite.inference.playing import picker
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import Representation, representation


@dataclass(frozen=True, eq=False)
class Played:
    """Windows as they are played: tokens [B, T, V]; of each its velocity 0 … 1 and its offset in steps, or NaN."""

    tokens: Ints
    velocity: Floats
    offset: Floats


def play(
    codec: Codec,
    tokens: Ints,
    meter: Meter,
    temperature: float = 0.0,
    random: np.random.Generator | None = None,
    mean: bool = True,
) -> Played:
    """The strokes of tokens [B, T, V], and no others, played as the model would.

    How they are played in `tokens` is not heard. At temperature 0 a stroke is played as it is on average over what the
    model thinks likely, or without `mean` as is likeliest; above 0 it is drawn.
    """
    form = representation(codec.config.representation)
    stiff = form.STIFF[tokens]
    touch = _Touch(form, stiff, temperature, random, mean)
    decoded = codec.decode(codec.encode(stiff, meter).mu, meter, picked=touch)
    velocity, offset = np.moveaxis(np.stack(touch.values, 1), -1, 0)  # [B, T, V] each
    return Played(decoded, velocity, offset)


class _Touch:
    """A `Pick` that plays given strokes, and notes down how: `values` holds [B, V, 2] a step."""

    def __init__(
        self, form: Representation, stiff: Ints, temperature: float, random: np.random.Generator | None, mean: bool
    ) -> None:
        self.stiff, self.mean = stiff, mean and temperature == 0
        self.choose = picker(temperature, random, None)
        self.kind = form.STIFF  # [K]
        self.touch = form.TOUCH.astype(np.float32)  # [K, 2]
        self.values: list[Floats] = []

    def __call__(self, logits: Floats, t: int) -> Ints:
        """Tokens [B, V] of step `t`: of those that are the given ones, played in some way."""
        same = self.kind == self.stiff[:, t, :, None]  # [B, V, K]
        allowed = np.where(same, logits, -np.inf)
        tokens = self.choose(allowed, t)
        value = self.touch[tokens]
        if self.mean:
            chances = np.exp(allowed - allowed.max(-1, keepdims=True))
            value = (chances / chances.sum(-1, keepdims=True)) @ np.nan_to_num(self.touch)  # [B, V, 2]
            away = np.square(np.nan_to_num(self.touch) - value[..., None, :]).sum(-1)
            tokens = np.where(same, away, np.inf).argmin(-1)
            value = value + 0 * self.touch[tokens]  # NaN where there is nothing to be played
        self.values.append(value)
        return tokens
