"""How well is a beat played from its strokes alone? Functions of arrays, one row a stroke, truth first.

`touch` [n, 2] is what tokens say of strokes: velocity 0 … 1 and offset in steps, as `Representation.TOUCH` has it;
`step_ms` [n] is how long a step lasts at each stroke. GrooVAE's measures (Gillick et al. 2019, arXiv 1905.06118, §4.3)
are of this kind: error of timing in milliseconds, of velocity on a scale of 0 … 1. All are NaN without strokes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def velocity_rms(truth: Floats, played: Floats) -> float:
    """Root of the mean squared error of velocity, 0 … 1, of touch [n, 2]."""
    return _rms(played[:, 0] - truth[:, 0])


def timing_rms(truth: Floats, played: Floats, step_ms: Floats) -> float:
    """Root of the mean squared error of timing in milliseconds, of touch [n, 2]."""
    return _rms((played[:, 1] - truth[:, 1]) * step_ms)


def timing_mean(truth: Floats, played: Floats, step_ms: Floats) -> float:
    """Mean absolute error of timing in milliseconds, of touch [n, 2]."""
    errors = np.abs(played[:, 1] - truth[:, 1]) * step_ms
    return float(errors.mean()) if len(errors) else float("nan")


def stiff(truth: Floats) -> Floats:
    """The control that plays all strokes on the grid, and equally loud: the mean velocity of the truth, [n, 2]."""
    return np.tile([truth[:, 0].mean() if len(truth) else np.nan, 0.0], (len(truth), 1))


def by_place(known: Sequence[Floats], bar_steps: int) -> Floats:
    """The mean touch at each place in the bar, [S, V, 2], of windows [N, T, V, 2] (NaN where nothing is struck).

    Where a voice is never struck at a place, it is as in the rest of the bar, and then as on the grid at half strength.
    """
    places = [each.reshape(-1, bar_steps, *each.shape[2:]) for each in known]
    touch = np.concatenate(places)  # [bars, S, V, 2]
    count = (~np.isnan(touch)).sum(0)
    total = np.nansum(touch, 0)
    of_voice = _ratio(total.sum(0), count.sum(0), np.tile([0.5, 0.0], (touch.shape[2], 1)))
    return _ratio(total, count, np.tile(of_voice, (bar_steps, 1, 1)))


def _ratio(total: Floats, count: NDArray[np.int64], otherwise: Floats) -> Floats:
    return np.asarray(np.divide(total, count, out=otherwise, where=count > 0), np.float64)


def _rms(errors: Floats) -> float:
    return float(np.sqrt(np.square(errors).mean())) if len(errors) else float("nan")
