"""Quarter notes ↔ integer steps, and where the bars are.

A grid has `steps_per_quarter` steps (4: sixteenths; 12: sixteenths and triplets together). `GridNotes` holds steps as
`int64` and is another type than `Notes`, so that floats and steps cannot mix. How far an onset lay from its step is
kept beside it, in whole parts of a step, so that a performance survives the grid; what has no use for it drops it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.notes import Meter, Notes, Song

STEPS_PER_QUARTER = 4
OFF_GRID_TOLERANCE = 0.1  # steps. A score, even at 24 ticks a quarter, is within it; a human performance is not.
PARTS = 120  # of a step: the unit of `GridNotes.offset`; on a grid of sixteenths, a MIDI tick of 1/480 quarter note
ROUNDING_SLACK = 1e-6  # steps. Ticks divided by ticks a quarter can land this little below a half step.


class GridError(MusicVAEError):
    """A meter whose bar is not a whole number of steps; the message is the same for every file with that meter."""

    def __init__(self, meter: Meter, steps_per_quarter: int) -> None:
        # Any multiple of the denominator fits, and one of these is a multiple of it.
        candidates = range(steps_per_quarter, steps_per_quarter + meter.denominator)
        fit = next(s for s in candidates if 4 * meter.numerator * s % meter.denominator == 0)
        super().__init__(
            f"a bar of {meter} is not a whole number of steps at {steps_per_quarter} steps a quarter: "
            f"use {fit} steps a quarter"
        )
        self.meter = meter
        self.steps_per_quarter = steps_per_quarter


def beat_steps(meter: Meter, steps_per_quarter: int) -> int:
    """Steps of a beat as it is counted: a quarter in 3/4, three eighths in 6/8; 0 if that is not a whole number."""
    compound = meter.denominator >= 8 and meter.numerator % 3 == 0 and meter.numerator > 3
    steps, rest = divmod(4 * steps_per_quarter * (3 if compound else 1), meter.denominator)
    return 0 if rest else steps


@dataclass(frozen=True, eq=False)
class GridNotes:
    """Columns of equal length n, sorted by (start, pitch), in steps; every note has end > start."""

    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]
    start: NDArray[np.int64]  # steps
    end: NDArray[np.int64]  # steps, exclusive
    voice: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))  # 0 … V-1; left out: all of voice 0
    offset: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    # from its step to the onset, in 1/PARTS of a step, -PARTS/2 … PARTS/2; left out: on the grid

    def __post_init__(self) -> None:
        for name in ("voice", "offset"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.zeros(len(self.pitch), np.int64))
            assert len(getattr(self, name)) == len(self.pitch)

    @classmethod
    def joined(cls, parts: Sequence[GridNotes]) -> GridNotes:
        """The notes of all parts, one behind the other."""
        empty = np.empty(0, np.int64)
        columns = zip(*(part.columns for part in parts), strict=True) if parts else [()] * 6
        return cls(*(np.concatenate([empty, *column]) for column in columns))

    @property
    def columns(self) -> tuple[NDArray[np.int64], ...]:
        """Pitch, velocity, start, end, voice, offset: what a `GridNotes` is made from."""
        return self.pitch, self.velocity, self.start, self.end, self.voice, self.offset

    def __len__(self) -> int:
        return len(self.pitch)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GridNotes) and all(map(np.array_equal, self.columns, other.columns))

    __hash__ = None  # type: ignore[assignment]

    def select(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> GridNotes:
        """The rows of a mask or of an index array."""
        return GridNotes(*(column[rows] for column in self.columns))

    def moved(self, steps: int) -> GridNotes:
        """The same notes so many steps later."""
        return replace(self, start=self.start + steps, end=self.end + steps)

    def on_the_grid(self) -> GridNotes:
        """The same notes, each exactly at its step."""
        return replace(self, offset=np.zeros_like(self.offset))

    def with_voices(self, voice: NDArray[np.int64]) -> GridNotes:
        """The same notes in other voices."""
        return replace(self, voice=voice)


@dataclass(frozen=True)
class Bar:
    """One bar: first step, length in steps, meter. `steps` is shorter than the meter's where a change cuts a bar."""

    start: int
    steps: int
    meter: Meter

    @property
    def end(self) -> int:
        """The step after its last one."""
        return self.start + self.steps


def to_steps(quarters: NDArray[np.float64], steps_per_quarter: int) -> NDArray[np.int64]:
    """The nearest step of each time in quarter notes; a half step goes up."""
    return np.floor(quarters * steps_per_quarter + (0.5 + ROUNDING_SLACK)).astype(np.int64)


def quantize(notes: Notes, steps_per_quarter: int) -> GridNotes:
    """Notes on the grid: starts and ends at the nearest step, half steps up, every note at least one step long.

    `offset` is what that moved each start by, to be put back by `dequantize`.
    """
    start = to_steps(notes.start, steps_per_quarter)
    end = np.maximum(to_steps(notes.end, steps_per_quarter), start + 1)
    offset = np.rint((notes.start * steps_per_quarter - start) * PARTS).astype(np.int64)
    found = GridNotes(notes.pitch, notes.velocity, start, end, offset=offset)
    return found.select(np.lexsort((notes.pitch, start)))


def dequantize(notes: GridNotes, steps_per_quarter: int) -> Notes:
    """The same notes in quarter notes: the inverse of `quantize` for notes that lie on the grid.

    An `offset` moves the whole note, as far as the start of the piece and the next note of its pitch let it.
    """
    start = np.maximum(notes.start + notes.offset / PARTS, 0.0)
    end = np.maximum(notes.end + notes.offset / PARTS, start + 1 / PARTS)
    order = np.lexsort((start, notes.pitch))
    one, following = order[:-1], order[1:]
    apart = (notes.pitch[one] == notes.pitch[following]) & (notes.end[one] <= notes.start[following])
    one, following = one[apart], following[apart]
    end[one] = np.minimum(end[one], np.maximum(start[following], start[one] + 1 / PARTS))
    order = np.lexsort((notes.pitch, start))
    return Notes(notes.pitch, notes.velocity, start / steps_per_quarter, end / steps_per_quarter).select(order)


def off_grid_share(notes: Notes, steps_per_quarter: int) -> float:
    """Share (0–1) of onsets further than `OFF_GRID_TOLERANCE` of a step from the nearest step; NaN without notes."""
    away = off_grid_steps(notes, steps_per_quarter)
    return float(np.mean(away > OFF_GRID_TOLERANCE)) if len(away) else float("nan")


def off_grid_steps(notes: Notes, steps_per_quarter: int) -> NDArray[np.float64]:
    """How far each onset lies from the nearest step, 0 … 0.5 steps: [n]."""
    steps = notes.start * steps_per_quarter
    return np.abs(steps - np.round(steps))


def song_steps(song: Song, steps_per_quarter: int) -> int:
    """The step at which the last note of all tracks ends on the grid; 0 without notes."""
    times = [(t.notes.start.max(), t.notes.end.max()) for t in song.tracks if len(t.notes)]
    start, end = to_steps(np.array(times).reshape(-1, 2), steps_per_quarter).max(0, initial=-1)
    return int(max(start + 1, end))


def bars(song: Song, steps_per_quarter: int) -> tuple[Bar, ...]:
    """Every bar from step 0 until all notes of the song have ended; none without notes.

    A meter change starts a bar at its nearest step and cuts the one before; the last bar is whole, however far it
    reaches past the music. A meter in use whose bar is not a whole number of steps is a `GridError`.
    """
    total = song_steps(song, steps_per_quarter)
    starts = to_steps(np.array([change.start for change in song.meters]), steps_per_quarter).tolist()
    found: list[Bar] = []
    for first, until, (_, meter) in zip(starts, [*starts[1:], sys.maxsize], song.meters, strict=True):
        last = min(until, total)
        if first < last:
            length = bar_steps(meter, steps_per_quarter)
            found += [Bar(start, min(length, until - start), meter) for start in range(first, last, length)]
    return tuple(found)


def bar_steps(meter: Meter, steps_per_quarter: int) -> int:
    """Steps in one bar: 16 in 4/4 and 12 in 6/8 at 4 steps a quarter; `GridError` where that is not a whole number."""
    steps, remainder = divmod(4 * meter.numerator * steps_per_quarter, meter.denominator)
    if remainder:
        raise GridError(meter, steps_per_quarter)
    return steps
