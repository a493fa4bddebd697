"""Where a step stands in the meter, and what of z it sees there: the tables of `model.positions`."""

from __future__ import annotations

import numpy as np

from musicvae_lite.inference.codec import Floats
from musicvae_lite.inference.weights import Weights
from musicvae_lite.music.notes import Meter

NUMERATORS = 33
DENOMINATORS = 7  # 1, 2, 4, … 64


class MetricalPositions:
    """The sum of four embeddings: step in the bar, number of the bar, numerator, denominator."""

    def __init__(self, weights: Weights, bar_positions: int, bars: int, size: int) -> None:
        lengths = {"step": bar_positions, "bar": bars, "numerator": NUMERATORS, "denominator": DENOMINATORS}
        self._step, self._bar, self._numerator, self._denominator = (
            weights.take(f"{name}.weight", (length, size)) for name, length in lengths.items()
        )

    def __call__(self, meter: Meter, bars: int, bar_steps: int) -> Floats:
        """[n, S, D] for n bars of S steps."""
        numerator = self._numerator[min(meter.numerator, NUMERATORS - 1)]
        denominator = self._denominator[min(meter.denominator.bit_length() - 1, DENOMINATORS - 1)]
        in_bar = rows(self._step, bar_steps) + numerator + denominator
        places: Floats = rows(self._bar, bars)[:, None] + in_bar
        return places


class Views:
    """Each position's view of z, A_s C_b z: `by_bar` [bars, Z, R] and `by_step` [steps, R, D]."""

    def __init__(self, weights: Weights, bar_positions: int, bars: int, latent: int, rank: int, size: int) -> None:
        self.by_bar = weights.take("by_bar", (bars, latent, rank))
        self.by_step = weights.take("by_step", (bar_positions, rank, size))


def rows(table: Floats, count: int) -> Floats:
    """The first `count` rows of a table; past its end its last one."""
    found: Floats = table.take(np.arange(count), 0, mode="clip")
    return found
