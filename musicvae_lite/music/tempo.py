"""Quarter notes → seconds, by a tempo map; and the tempo of a part, on average."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from musicvae_lite.music.notes import TempoChange


def seconds_at(quarters: ArrayLike, tempos: Sequence[TempoChange]) -> NDArray[np.float64]:
    """Seconds from the start of the piece, in the shape of `quarters` (quarter notes ≥ 0).

    `tempos` is a song's map: it starts at 0.0, is sorted, is not empty, and each `qpm` is above 0.
    """
    starts = np.array([change.start for change in tempos], np.float64)
    seconds_per_quarter = 60.0 / np.array([change.qpm for change in tempos], np.float64)
    elapsed = np.concatenate(([0.0], np.cumsum(np.diff(starts) * seconds_per_quarter[:-1])))
    times = np.asarray(quarters, np.float64)
    row = np.searchsorted(starts, times, side="right") - 1
    return np.asarray(elapsed[row] + (times - starts[row]) * seconds_per_quarter[row], np.float64)


def mean_qpm(start: ArrayLike, end: ArrayLike, tempos: Sequence[TempoChange]) -> NDArray[np.float64]:
    """Quarter notes a minute from `start` to `end` (quarter notes), on average over the tempo changes between."""
    began, ended = np.asarray(start, np.float64), np.asarray(end, np.float64)
    seconds = seconds_at(ended, tempos) - seconds_at(began, tempos)
    return np.asarray(60 * (ended - began) / seconds, np.float64)
