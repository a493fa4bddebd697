"""The tokens of one piece and its bars → windows of n whole bars, one starting at every bar line.

In: tokens [T, V] of a whole piece and `music.grid.bars` of it. Out: one `Windows` a meter, tokens [N, T, V], and how
many windows were left out and why. A window never crosses a change of meter, and it holds whole bars only. A note that
is held across a window's start sounds from its step 0 (the representation's own `windows` sees to it).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.music.grid import Bar
from musicvae_lite.music.notes import DEFAULT_QPM, Meter, TempoChange
from musicvae_lite.music.tempo import mean_qpm
from musicvae_lite.tokens import Representation, Tokens

SILENT = "silent throughout"
COLUMNS = ("tokens", "piece", "start_bar", "qpm")  # of `Windows`, in order
NOT_WHOLE = "a bar of another meter, or one cut short"


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of one meter and one length: row i starts at bar `start_bar[i]` (from 0) of piece number `piece[i]`."""

    meter: Meter
    tokens: NDArray[np.integer[Any]]  # [N, T, V], the smallest type that holds K
    piece: NDArray[np.int64]  # [N]
    start_bar: NDArray[np.int64]  # [N]
    qpm: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))  # [N], on average; left out: unknown, NaN

    def __post_init__(self) -> None:
        if not len(self.qpm):
            object.__setattr__(self, "qpm", np.full(len(self.tokens), np.nan))

    def __len__(self) -> int:
        return len(self.tokens)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Windows:
        """The windows of a mask or of an index array."""
        return Windows(self.meter, *(getattr(self, name)[rows] for name in COLUMNS))


def token_type(representation: Representation) -> type[np.uint8] | type[np.uint16]:
    """The smallest unsigned type that holds every token of the vocabulary."""
    return np.uint8 if representation.VOCABULARY <= 1 << 8 else np.uint16


def cut(
    tokens: Tokens,
    bars: Sequence[Bar],
    n_bars: int,
    steps_per_quarter: int,
    representation: Representation,
    piece: int = 0,
    tempos: Sequence[TempoChange] = (TempoChange(0.0, DEFAULT_QPM),),
) -> tuple[tuple[Windows, ...], Counter[str]]:
    """One `Windows` for each meter that has any, and the number of windows left out for each reason.

    `tokens` [T, V] are those of the whole piece, `tempos` its tempo map; where the tokens end before the last bar does,
    silence follows. Windows that start at a bar line and are silent throughout are left out; a silent bar inside is
    kept.
    """
    small: Tokens = np.asarray(tokens).astype(token_type(representation))
    starts = np.array([bar.start for bar in bars], np.int64)
    found, left_out = [], Counter[str]()
    whole = 0
    for meter in dict.fromkeys(bar.meter for bar in bars):
        bar_steps = round(meter.bar_quarters * steps_per_quarter)
        first_bars = _first_bars([bar.meter == meter and bar.steps == bar_steps for bar in bars], n_bars)
        whole += len(first_bars)
        all_windows = representation.windows(small, starts[first_bars], n_bars * bar_steps)
        sounding = representation.content(all_windows) > 0
        left_out[SILENT] += int((~sounding).sum())
        if sounding.any():
            rows = first_bars[sounding]
            quarters = starts[rows] / steps_per_quarter
            qpm = mean_qpm(quarters, quarters + n_bars * meter.bar_quarters, tempos)
            found.append(Windows(meter, all_windows[sounding], np.full(len(rows), piece, np.int64), rows, qpm))
    left_out[NOT_WHOLE] += max(len(bars) - n_bars + 1, 0) - whole
    return tuple(found), +left_out


def _first_bars(usable: Sequence[bool], n_bars: int) -> NDArray[np.int64]:
    """The bars from which on `n_bars` in a row are usable."""
    before = np.cumsum([0, *usable])
    return np.flatnonzero(before[n_bars:] - before[: max(len(before) - n_bars, 0)] == n_bars)


def join(parts: Iterable[Windows]) -> tuple[Windows, ...]:
    """The parts of each meter one behind the other, the meter with most windows first; none that is empty."""
    by_meter: dict[Meter, list[Windows]] = {}
    for part in filter(len, parts):
        by_meter.setdefault(part.meter, []).append(part)
    joined = (
        Windows(meter, *(np.concatenate([getattr(part, name) for part in same]) for name in COLUMNS))
        for meter, same in by_meter.items()
    )
    return tuple(sorted(joined, key=lambda windows: (-len(windows), windows.meter)))
