"""What z is used for. Functions of posterior means, and of KL by window and dimension, [N, Z]."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ACTIVE = 0.01

Floats = NDArray[np.floating[Any]]


def active_units(mu: Floats) -> int:
    """Dimensions with Var[μ] > 0.01 over the windows (Burda et al. 2016, §5.1).

    The variance is that of the means: a collapsed unit has a posterior variance of 1 and a Var[μ] of 0.
    """
    return int((mu.var(0) > ACTIVE).sum()) if len(mu) else 0


def kl_by_dimension(kl: Floats) -> NDArray[np.float64]:
    """Mean KL of each dimension over the windows, the largest first, in the unit of `kl`: [Z].

    Its sum is the rate. NaN without windows.
    """
    means = kl.mean(0, dtype=np.float64) if len(kl) else np.full(kl.shape[1], np.nan)
    return np.asarray(np.sort(means)[::-1], np.float64)
