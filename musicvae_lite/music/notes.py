"""What is played: notes in quarter notes, tracks, tempo map, meter map.

Times and lengths here are `float64` **quarter notes** from the start of the piece. Integer steps are another
type (`music.grid.GridNotes`), so that the two cannot be mixed. A `Notes` is a table of columns (that is what makes
thousands of files a second possible); iterating over it yields one `Note` a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DEFAULT_QPM = 120.0
DEFAULT_VELOCITY = 80


class Note(NamedTuple):
    """One note: MIDI pitch 0–127, velocity 1–127, start and end in quarter notes."""

    pitch: int
    velocity: int
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Notes:
    """Columns of equal length n, sorted by (start, pitch); every note has end > start ≥ 0."""

    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]
    start: NDArray[np.float64]  # quarter notes
    end: NDArray[np.float64]  # quarter notes

    @classmethod
    def of(cls, notes: Iterable[Note | tuple[int, int, float, float]]) -> Notes:
        """Notes from rows (pitch, velocity, start, end), sorted."""
        rows = sorted(notes, key=lambda n: (n[2], n[0]))
        pitch, velocity, start, end = zip(*rows, strict=True) if rows else ((), (), (), ())
        return cls(
            np.array(pitch, np.int64),
            np.array(velocity, np.int64),
            np.array(start, np.float64),
            np.array(end, np.float64),
        )

    def __len__(self) -> int:
        return len(self.pitch)

    def __iter__(self) -> Iterator[Note]:
        columns = (self.pitch, self.velocity, self.start, self.end)
        return map(Note._make, zip(*(column.tolist() for column in columns), strict=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Notes) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def select(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Notes:
        """The rows of a mask or of an index array."""
        return Notes(self.pitch[rows], self.velocity[rows], self.start[rows], self.end[rows])


class Meter(NamedTuple):
    """A time signature, e.g. Meter(6, 8)."""

    numerator: int
    denominator: int

    @property
    def bar_quarters(self) -> float:
        """The length of one bar in quarter notes: 4.0 in 4/4, 3.0 in 6/8."""
        return self.numerator * 4 / self.denominator

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


COMMON_TIME = Meter(4, 4)


class MeterChange(NamedTuple):
    """From `start` (quarter notes) on, bars have this meter. A change always starts a new bar."""

    start: float
    meter: Meter


class TempoChange(NamedTuple):
    """From `start` (quarter notes) on, `qpm` quarter notes a minute."""

    start: float
    qpm: float


class Marker(NamedTuple):
    """A text at `start` (quarter notes), such as a part's name or a chord's."""

    start: float
    text: str


@dataclass(frozen=True)
class Track:
    """One instrument: General MIDI program 0–127, or drums."""

    notes: Notes
    name: str = ""
    program: int = 0
    is_drum: bool = False


@dataclass(frozen=True)
class Song:
    """A piece. Both maps start at 0.0, are sorted by start, and are never empty."""

    tracks: tuple[Track, ...]
    tempos: tuple[TempoChange, ...] = (TempoChange(0.0, DEFAULT_QPM),)
    meters: tuple[MeterChange, ...] = (MeterChange(0.0, COMMON_TIME),)
    markers: tuple[Marker, ...] = ()  # sorted by start

    @cached_property
    def end(self) -> float:
        """Where the last note ends, in quarter notes; 0.0 without notes."""
        return max((float(t.notes.end.max()) for t in self.tracks if len(t.notes)), default=0.0)

    def with_tracks(self, tracks: Iterable[Track]) -> Song:
        """The same maps with other tracks."""
        return replace(self, tracks=tuple(tracks))
