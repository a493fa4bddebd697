"""One tune ↔ the windows it consists of, one behind the other (not overlapping, as for training).

Song ─▶ cut_clip ─▶ Clip(windows [W, T, V], …) ─▶ fill        join ─▶ notes ─▶ clip_song ─▶ Song
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.grid import Bar, GridError, GridNotes, bar_steps, bars, dequantize, off_grid_share, quantize
from musicvae_lite.music.melody_line import melody_line
from musicvae_lite.music.notes import Meter, MeterChange, Song, TempoChange, Track
from musicvae_lite.music.tempo import seconds_at
from musicvae_lite.tokens import Representation, Tokens


@dataclass(frozen=True, eq=False)
class Clip:
    """A tune in one meter: W windows of T steps, and what tokens do not carry. Times in it start at its first bar."""

    windows: NDArray[np.int64]  # [W, T, V], canonical; the last one is filled up with rests
    tied: NDArray[np.bool_]  # [W]: the window's first note goes on from the window before
    velocity: NDArray[np.int64]  # [W·T], 1–127: that of the latest onset at each step
    meter: Meter
    steps_per_quarter: int
    bars: int  # before filling up
    start_bar: int  # in the song, from 1
    qpm: float
    program: int
    track: str  # which track it is, and why
    off_grid: float  # share (0–1) of its onsets

    @property
    def steps(self) -> int:
        """Steps of its bars: W·T without what the last window is filled up with."""
        return self.bars * bar_steps(self.meter, self.steps_per_quarter)


@dataclass(frozen=True)
class Part:
    """Which part of a song is meant: bars count from 1; None leaves the choice to the music."""

    start_bar: int | None = None  # None: the first bar with a note of the tune
    bars: int | None = None  # None: up to the last bar with one
    track: int | str | None = None
    meter: Meter | None = None  # read the song in this meter, whatever it says

    def __post_init__(self) -> None:
        for name, value in (("start_bar", self.start_bar), ("bars", self.bars)):
            if value is not None and value < 1:
                raise MusicVAEError(f"{name} is {value}: expected 1 or more, or nothing")


def cut_clip(
    song: Song, form: Representation, steps_per_quarter: int, window_bars: int, part: Part | None = None
) -> Clip:
    """The tune of a part of a song, as windows of `window_bars` bars; a part ends with the song at the latest.

    Where the tune begins with a bar that is shorter than the next, that is an upbeat: rests before it make it whole. A
    part beyond the song's end, without a note, or across a change of meter is a `MusicVAEError`.
    """
    part = part or Part()
    if part.meter:
        song = replace(song, meters=(MeterChange(0.0, part.meter),))
    line = melody_line(song, part.track)
    notes = quantize(line.notes, steps_per_quarter)
    first, chosen = _choose(_bars(song, steps_per_quarter), notes, part, steps_per_quarter)
    start, bar = chosen[0].start, chosen[0].steps
    tune = _moved(notes, -start)
    tokens = form.encode(tune, len(chosen) * bar)
    if not form.content(tokens[None]).any():
        asked_for = f"bars {first + 1} to {first + len(chosen)}"
        raise MusicVAEError(f"no note in {asked_for}: choose others with --start-bar and --bars")
    windows, tied = _windows(tokens, window_bars * bar, form)
    return Clip(
        windows=windows,
        tied=tied,
        velocity=_velocity(tune, windows.shape[0] * windows.shape[1]),
        meter=chosen[0].meter,
        steps_per_quarter=steps_per_quarter,
        bars=len(chosen),
        start_bar=first + 1,
        qpm=_mean_qpm(song.tempos, max(start, 0) / steps_per_quarter, chosen[-1].end / steps_per_quarter),
        program=line.program,
        track=f"track {line.track} {line.name!r}: {line.why}",
        off_grid=off_grid_share(line.notes, steps_per_quarter),
    )


def join(windows: Tokens, tied: NDArray[np.bool_], form: Representation) -> GridNotes:
    """The notes of windows [W, T, V] one behind the other.

    Where `tied` [W] says so, a window's first note goes on from the one before, if that sounds to the end at the same
    pitch.
    """
    length = windows.shape[1]
    rows: list[tuple[int, int, int, int]] = []
    for index, window in enumerate(windows):
        for pitch, velocity, start, end in _rows(_moved(form.decode(window), index * length)):
            if tied[index] and start == index * length and rows and (rows[-1][0], rows[-1][3]) == (pitch, start):
                rows[-1] = (*rows[-1][:3], end)
            else:
                rows.append((pitch, velocity, start, end))
    return GridNotes(*np.array(rows, np.int64).reshape(-1, 4).T)


def clip_song(notes: GridNotes, clip: Clip, name: str = "melody") -> Song:
    """A one-track song of notes on the grid with a clip's tempo, meter, velocities and instrument."""
    voiced = GridNotes(notes.pitch, clip.velocity[notes.start], notes.start, notes.end)
    track = Track(dequantize(voiced, clip.steps_per_quarter), name, clip.program)
    return Song((track,), (TempoChange(0.0, clip.qpm),), (MeterChange(0.0, clip.meter),))


def fill(clip: Clip, bars: int, loop: bool, form: Representation) -> Clip:
    """The clip with at least `bars` bars: longer by rests, or with `loop` by starting over again at its first bar."""
    if bars <= clip.bars:
        return clip
    longer = replace(clip, bars=bars)
    times = -(-bars // clip.bars) if loop else 1
    tune = join(clip.windows, clip.tied, form)
    again = [_moved(tune, turn * clip.steps) for turn in range(times)]
    notes = GridNotes(*(np.concatenate(column) for column in zip(*map(_columns, again), strict=True)))
    windows, tied = _windows(form.encode(notes, longer.steps), clip.windows.shape[1], form)
    velocity = np.tile(clip.velocity[: clip.steps], times)[: longer.steps]
    missing = windows.shape[0] * windows.shape[1] - len(velocity)
    return replace(longer, windows=windows, tied=tied, velocity=np.pad(velocity, (0, missing), "edge"))


def until(notes: GridNotes, end: int) -> GridNotes:
    """Notes that start before step `end`, cut there."""
    rows = notes.start < end
    return GridNotes(notes.pitch[rows], notes.velocity[rows], notes.start[rows], np.minimum(notes.end[rows], end))


def _bars(song: Song, steps_per_quarter: int) -> tuple[Bar, ...]:
    try:
        return bars(song, steps_per_quarter)
    except GridError as error:
        raise MusicVAEError(
            f"a bar of {error.meter} is not a whole number of steps at {steps_per_quarter} steps a quarter: read the "
            "file in another meter with --meter"
        ) from error


def _choose(measures: Sequence[Bar], notes: GridNotes, part: Part, steps_per_quarter: int) -> tuple[int, list[Bar]]:
    """The bars of a part, all whole and in one meter, and the index of the first."""
    sounding = np.searchsorted([bar.start for bar in measures], [notes.start[0], notes.end.max() - 1], "right") - 1
    begins, ends = sounding.tolist()
    first = begins if part.start_bar is None else part.start_bar - 1
    if first >= len(measures):
        raise MusicVAEError(f"bar {first + 1} is asked for, but the song has bars 1 to {len(measures)}")
    last = max(ends, first) + 1 if part.bars is None else first + part.bars
    chosen = list(measures[first:last])
    if first == begins:
        chosen[:1] = _whole_upbeat(*chosen[:2])
    for number, bar in enumerate(chosen, first + 1):
        if bar.meter != chosen[0].meter or bar.steps != bar_steps(bar.meter, steps_per_quarter):
            changes = f"changes at bar {number} ({chosen[0].meter} to {bar.meter})"
            cut_short = f"changes within bar {number} of {bar.meter}, which it cuts short"
            raise MusicVAEError(
                f"the meter {changes if bar.meter != chosen[0].meter else cut_short}: choose a part before or after it "
                "with --start-bar and --bars, or read all of it in one meter with --meter"
            )
    return first, chosen


def _whole_upbeat(bar: Bar, following: Bar | None = None) -> list[Bar]:
    """The tune's first bar, as long as the one that follows it if it is shorter."""
    if following is None or bar.steps >= following.steps:
        return [bar]
    return [replace(following, start=following.start - following.steps)]


def _windows(tokens: Tokens, length: int, form: Representation) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Tokens [T, V] of a tune → windows [W, length, V] and `Clip.tied` [W]."""
    starts = np.arange(0, len(tokens), length)
    windows = form.windows(tokens, starts, length).astype(np.int64)
    sounds, begins = (form.onsets(first).any(-1) for first in (windows[:, 0], tokens[starts]))
    return windows, np.asarray(sounds & ~begins)


def _velocity(notes: GridNotes, steps: int) -> NDArray[np.int64]:
    """The velocity of the latest onset at each of `steps` steps; before the first, the first one's."""
    latest = np.searchsorted(notes.start, np.arange(steps), side="right") - 1
    return np.asarray(notes.velocity[np.maximum(latest, 0)], np.int64)


def _mean_qpm(tempos: tuple[TempoChange, ...], start: float, end: float) -> float:
    """Quarter notes a minute from `start` to `end`, on average over the tempo changes between."""
    began, ended = seconds_at(np.array([start, end]), tempos)
    return float(60 * (end - start) / (ended - began))


def _moved(notes: GridNotes, steps: int) -> GridNotes:
    return GridNotes(notes.pitch, notes.velocity, notes.start + steps, notes.end + steps)


def _columns(notes: GridNotes) -> tuple[NDArray[np.int64], ...]:
    return notes.pitch, notes.velocity, notes.start, notes.end


def _rows(notes: GridNotes) -> list[tuple[int, int, int, int]]:
    return list(zip(*(column.tolist() for column in _columns(notes)), strict=True))
