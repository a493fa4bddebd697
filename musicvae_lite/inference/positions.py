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
    """Each position's view of z, A_s C_b z: `by_bar` [bars, Z, R] and `by_step` [steps, R, D].

    Z is that of z or, with two `parts`, of its mu and width.
    """

    def __init__(
        self, weights: Weights, sizes: tuple[int, int, int, int, int], shares: int = 1, parts: int = 1
    ) -> None:
        bar_positions, bars, latent, rank, size = sizes
        self.by_bar = spread(weights.take("by_bar", (bars, latent // shares, rank)), shares, parts)
        self.by_step = weights.take("by_step", (bar_positions, rank, size))


def spread(by_bar: Floats, shares: int, parts: int) -> Floats:
    """Views of each bar's own share, [n, P·Z/W, R] → the same views of all of it, [n, P·Z, R]: nothing of the rest."""
    if shares == 1:
        return by_bar
    bars, size, rank = by_bar.shape
    whole = np.zeros((bars, parts, shares, size // parts, rank), by_bar.dtype)
    bar = np.arange(bars)
    whole[bar, :, bar * shares // bars] = by_bar.reshape(bars, parts, -1, rank)
    return whole.reshape(bars, -1, rank)


def rows(table: Floats, count: int) -> Floats:
    """The first `count` rows of a table; past its end its last one."""
    found: Floats = table.take(np.arange(count), 0, mode="clip")
    return found
