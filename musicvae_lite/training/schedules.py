"""Pure functions of progress, the share 0 … 1 of the training that is done."""

from __future__ import annotations

import math


def ramp(progress: float, start: float, end: float) -> float:
    """0 up to `start`, 1 from `end` on, a straight line between."""
    if progress >= end:
        return 1.0
    return max(0.0, (progress - start) / (end - start))


def learning_rate(step: int, progress: float, peak: float, warm_up_steps: int, floor: float = 0.02) -> float:
    """Linear warm-up over `warm_up_steps`, times a cosine from `peak` to `floor`·peak (Loshchilov & Hutter 2017)."""
    warm = min(1.0, (step + 1) / warm_up_steps) if warm_up_steps else 1.0
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return peak * warm * (floor + (1 - floor) * cosine)


def free_bits(progress: float, first: float, last: float, start: float, end: float) -> float:
    """Bits a window that z may carry unpaid: `first` until `start`, narrowing to `last` at `end`."""
    return first + (last - first) * ramp(progress, start, end)


def ema_decay(step: int, limit: float) -> float:
    """Decay of the weights' moving average: short memory at first, `limit` in the long run."""
    return min(limit, (1 + step) / (10 + step))
