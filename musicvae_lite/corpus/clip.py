"""One tune ↔ the windows it consists of, one behind the other (not overlapping, as for training).

Song ─▶ cut_clip ─▶ Clip(windows [W, T, V], …)        join ─▶ tokens ─▶ clip_song ─▶ Song
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.grid import Bar, GridNotes, bar_steps, bars, dequantize, off_grid_share, quantize
from musicvae_lite.music.melody_line import melody_line
from musicvae_lite.music.notes import DEFAULT_VELOCITY, Meter, MeterChange, Song, TempoChange, Track
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


@dataclass(frozen=True)
class Part:
    """Which part of a song is meant: bars count from 1; None leaves the choice to the music."""

    start_bar: int | None = None  # None: the first bar with a note of the tune
    bars: int | None = None  # None: up to the last bar with one
    track: int | str | None = None
    meter: Meter | None = None  # read the song in this meter, whatever it says


def cut_clip(
    song: Song, form: Representation, steps_per_quarter: int, window_bars: int, part: Part | None = None
) -> Clip:
    """The tune of a part of a song, as windows of `window_bars` bars.

    A part beyond the song's end, without a note, or across a change of meter is a `MusicVAEError`.
    """
    part = part or Part()
    if part.meter:
        song = Song(song.tracks, song.tempos, (MeterChange(0.0, part.meter),))
    line = melody_line(song, part.track)
    notes = quantize(line.notes, steps_per_quarter)
    chosen = _choose(bars(song, steps_per_quarter), notes, part)
    start, meter = chosen[0].start, chosen[0].meter
    length = window_bars * bar_steps(meter, steps_per_quarter)
    count = -(-len(chosen) // window_bars)
    end = chosen[-1].end
    tokens = form.encode(_until(notes, end), start + count * length)
    starts = start + length * np.arange(count)
    windows = form.windows(tokens, starts, length).astype(np.int64)
    if not form.content(windows).any():
        raise MusicVAEError(f"no note in bars {_range(chosen, part)}: choose others with --start-bar and --bars")
    sounding = form.onsets(windows[:, 0]).any(-1) & ~form.onsets(tokens[starts]).any(-1)
    return Clip(
        windows=windows,
        tied=sounding & (np.arange(count) > 0),
        velocity=_velocity(notes, start, count * length),
        meter=meter,
        steps_per_quarter=steps_per_quarter,
        bars=len(chosen),
        start_bar=bars(song, steps_per_quarter).index(chosen[0]) + 1,
        qpm=_mean_qpm(song.tempos, start / steps_per_quarter, end / steps_per_quarter),
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
    parts = [form.decode(window) for window in windows]
    shifted = [GridNotes(p.pitch, p.velocity, p.start + i * length, p.end + i * length) for i, p in enumerate(parts)]
    columns: list[list[int]] = [[], [], [], []]
    for index, part in enumerate(shifted):
        for row in zip(
            part.pitch.tolist(), part.velocity.tolist(), part.start.tolist(), part.end.tolist(), strict=True
        ):
            before = (columns[0][-1], columns[3][-1]) if columns[0] else None
            if tied[index] and row[2] == index * length and before == (row[0], row[2]):
                columns[3][-1] = row[3]
                continue
            for column, value in zip(columns, row, strict=True):
                column.append(value)
    return GridNotes(*(np.array(column, np.int64) for column in columns))


def clip_song(notes: GridNotes, clip: Clip, name: str = "melody") -> Song:
    """A one-track song of notes on the grid with a clip's tempo, meter, velocities and instrument."""
    voiced = GridNotes(notes.pitch, clip.velocity[notes.start], notes.start, notes.end)
    track = Track(dequantize(voiced, clip.steps_per_quarter), name, clip.program)
    return Song((track,), (TempoChange(0.0, clip.qpm),), (MeterChange(0.0, clip.meter),))


def fill(clip: Clip, count: int, loop: bool, form: Representation) -> Clip:
    """The clip with `count` windows: longer by rests, or with `loop` by starting over again."""
    more = count - len(clip.windows)
    if more <= 0:
        return clip
    if loop:
        index = np.arange(count) % len(clip.windows)
        windows, tied = clip.windows[index], clip.tied[index]
        velocity = clip.velocity.reshape(len(clip.windows), -1)[index].ravel()
    else:
        rests = form.encode(_no_notes(), clip.windows.shape[1])
        windows = np.concatenate([clip.windows, np.repeat(rests[None], more, 0)])
        tied = np.concatenate([clip.tied, np.zeros(more, bool)])
        velocity = np.concatenate([clip.velocity, np.full(more * clip.windows.shape[1], clip.velocity[-1])])
    values: dict[str, Any] = vars(clip) | {"windows": windows, "tied": tied, "velocity": velocity}
    return Clip(**values)


def _choose(measures: tuple[Bar, ...], notes: GridNotes, part: Part) -> tuple[Bar, ...]:
    """The bars of a part: all whole and in one meter."""
    sounding = [i for i, bar in enumerate(measures) if ((notes.start < bar.end) & (notes.end > bar.start)).any()]
    first = sounding[0] if part.start_bar is None else part.start_bar - 1
    last = max(sounding[-1] + 1, first + 1) if part.bars is None else first + part.bars
    if not 0 <= first < len(measures):
        raise MusicVAEError(f"bar {first + 1} is asked for, but the song has bars 1 to {len(measures)}")
    chosen = measures[first : min(last, len(measures))]
    for number, bar in enumerate(chosen, first + 1):
        cut_short = number < len(measures) and bar.end != measures[number].start
        if bar.meter != chosen[0].meter or bar.steps != chosen[0].steps or cut_short:
            raise MusicVAEError(
                f"the meter changes at bar {number} ({chosen[0].meter} to {bar.meter}): choose a part before or "
                "after it with --start-bar and --bars, or read all of it in one meter with --meter"
            )
    return chosen


def _until(notes: GridNotes, end: int) -> GridNotes:
    """Notes that start before `end`, cut there."""
    rows = notes.start < end
    return GridNotes(notes.pitch[rows], notes.velocity[rows], notes.start[rows], np.minimum(notes.end[rows], end))


def _velocity(notes: GridNotes, start: int, steps: int) -> NDArray[np.int64]:
    """The velocity of the latest onset at each of `steps` steps from `start` on; before the first, the first one's."""
    if not len(notes):
        return np.full(steps, DEFAULT_VELOCITY, np.int64)
    latest = np.searchsorted(notes.start, start + np.arange(steps), side="right") - 1
    return np.asarray(notes.velocity[np.maximum(latest, 0)], np.int64)


def _mean_qpm(tempos: tuple[TempoChange, ...], start: float, end: float) -> float:
    """Quarter notes a minute from `start` to `end`, on average over the tempo changes between."""
    began, ended = seconds_at(np.array([start, end]), tempos)
    return float(60 * (end - start) / (ended - began))


def _no_notes() -> GridNotes:
    none = np.zeros(0, np.int64)
    return GridNotes(none, none, none, none)


def _range(chosen: tuple[Bar, ...], part: Part) -> str:
    first = part.start_bar or 1
    return f"{first} to {first + len(chosen) - 1}"
