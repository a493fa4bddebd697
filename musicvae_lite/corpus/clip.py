"""One tune ↔ the windows it consists of, one behind the other (not overlapping, as for training).

Song ─▶ cut_clip ─▶ Clip(windows [W, T, V], …) ─▶ fill        join ─▶ notes ─▶ clip_song ─▶ Song
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.grid import Bar, GridError, GridNotes, bar_steps, bars
from musicvae_lite.music.notes import Meter, MeterChange, Song, TempoChange
from musicvae_lite.music.tempo import mean_qpm
from musicvae_lite.music.voices import Instrument, Timing, timing, to_grid, to_tracks
from musicvae_lite.tokens import Representation, Tokens, has_touch
from musicvae_lite.tokens.chords import chart

Row = tuple[int, int, int, int, int, int]  # pitch, velocity, start, end, voice, offset


@dataclass(frozen=True, eq=False)
class Clip:
    """A tune in one meter: W windows of T steps, and what tokens do not carry. Times in it start at its first bar."""

    windows: NDArray[np.int64]  # [W, T, V], canonical; the last one is filled up with rests
    tied: NDArray[np.bool_]  # [W, V]: the voice's first note goes on from the window before
    velocity: NDArray[np.int64]  # [W·T, LANES], 1–127: that of the latest onset of its lane at each step
    meter: Meter
    steps_per_quarter: int
    bars: int  # before filling up
    start_bar: int  # in the song, from 1
    qpm: float
    instruments: tuple[Instrument, ...]  # [V]
    track: str  # which track it is, and why
    timing: Timing

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
    voices = form.take(song, part.track)
    notes = to_grid(voices, steps_per_quarter)
    first, chosen = _choose(_bars(song, steps_per_quarter), notes, part, steps_per_quarter)
    start, bar = chosen[0].start, chosen[0].steps
    tune = notes.moved(-start)
    tokens = form.encode(tune, len(chosen) * bar)
    if not form.content(tokens[None]).any():
        asked_for = f"bars {first + 1} to {first + len(chosen)}"
        raise MusicVAEError(f"no note in {asked_for}: choose others with --start-bar and --bars")
    windows, tied = _windows(tokens, window_bars * bar, form)
    return Clip(
        windows=windows,
        tied=tied,
        velocity=_velocity(tune, windows.shape[0] * windows.shape[1], form),
        meter=chosen[0].meter,
        steps_per_quarter=steps_per_quarter,
        bars=len(chosen),
        start_bar=first + 1,
        qpm=float(mean_qpm(max(start, 0) / steps_per_quarter, chosen[-1].end / steps_per_quarter, song.tempos)),
        instruments=tuple(voice.instrument for voice in voices),
        track="; ".join(voice.choice for voice in voices),
        timing=timing(voices, steps_per_quarter),
    )


def join(windows: Tokens, tied: NDArray[np.bool_], form: Representation) -> GridNotes:
    """The notes of windows [W, T, V] one behind the other.

    Where `tied` [W, V] says so, a voice's first note in a window goes on from the one before, if that sounds to the end
    at the same pitch.
    """
    length = windows.shape[1]
    rows: list[Row] = []
    latest: dict[int, int] = {}  # of each voice, the place in `rows`
    for index, window in enumerate(windows):
        for pitch, velocity, start, end, voice, offset in _rows(form.decode(window).moved(index * length)):
            before = rows[latest[voice]] if voice in latest else None
            if tied[index, voice] and start == index * length and before and (before[0], before[3]) == (pitch, start):
                rows[latest[voice]] = (*before[:3], end, *before[4:])
            else:
                latest[voice] = len(rows)
                rows.append((pitch, velocity, start, end, voice, offset))
    return GridNotes(*np.array(rows, np.int64).reshape(-1, 6).T)


def clip_song(notes: GridNotes, clip: Clip, form: Representation, title: str = "") -> Song:
    """A song of notes on the grid with a clip's tempo, meter and instruments: a track a voice.

    Its velocities too, unless the notes come from tokens that have velocities.
    """
    if not has_touch(form):
        notes = replace(notes, velocity=clip.velocity[notes.start, form.lane(notes)])
    tracks = to_tracks(notes, clip.instruments, clip.steps_per_quarter, title)
    return Song(tracks, (TempoChange(0.0, clip.qpm),), (MeterChange(0.0, clip.meter),))


def fill(clip: Clip, bars: int, loop: bool, form: Representation) -> Clip:
    """The clip with at least `bars` bars: longer by rests, or with `loop` by starting over again at its first bar."""
    if bars <= clip.bars:
        return clip
    longer = replace(clip, bars=bars)
    times = -(-bars // clip.bars) if loop else 1
    tune = join(clip.windows, clip.tied, form)
    notes = GridNotes.joined([tune.moved(turn * clip.steps) for turn in range(times)])
    windows, tied = _windows(form.encode(notes, longer.steps), clip.windows.shape[1], form)
    velocity = np.tile(clip.velocity[: clip.steps], (times, 1))[: longer.steps]
    missing = windows.shape[0] * windows.shape[1] - len(velocity)
    return replace(longer, windows=windows, tied=tied, velocity=np.pad(velocity, ((0, missing), (0, 0)), "edge"))


def over_chords(clip: Clip, chords: str, form: Representation) -> Clip:
    """The same tune over other chords, one a bar ("C G Am F"), from the first again where they are fewer."""
    bar = bar_steps(clip.meter, clip.steps_per_quarter)
    told = chart(chords, clip.windows.shape[0] * clip.windows.shape[1] // bar, bar, form)
    return replace(clip, windows=np.where(form.GIVEN, told.reshape(clip.windows.shape), clip.windows))


def distinct(*columns: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What a tune repeats need be looked at once: the rows [D] of W windows that differ in some of the columns
    [W, ...], and for each window the place [W] of its like among them.
    """
    rows = np.concatenate([column.reshape(len(column), -1) for column in columns], 1)
    _, first, place = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return first, place.reshape(-1)


def until(notes: GridNotes, end: int) -> GridNotes:
    """Notes that start before step `end`, cut there."""
    kept = notes.select(notes.start < end)
    return replace(kept, end=np.minimum(kept.end, end))


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
    """Tokens [T, V] of a tune → windows [W, length, V] and `Clip.tied` [W, V]."""
    starts = np.arange(0, len(tokens), length)
    windows = form.windows(tokens, starts, length).astype(np.int64)
    sounds, begins = (form.onsets(first) for first in (windows[:, 0], tokens[starts]))
    return windows, np.asarray(sounds & ~begins)


def _velocity(notes: GridNotes, steps: int, form: Representation) -> NDArray[np.int64]:
    """The velocity of the latest onset of each lane at each of `steps` steps [steps, LANES].

    Before a lane's first onset it is the first one's; a lane without any has those of all notes together.
    """
    lanes = form.lane(notes)
    own = [notes.select(lanes == lane) for lane in range(form.LANES)]
    return np.stack([_latest_velocity(lane if len(lane) else notes, steps) for lane in own], 1)


def _latest_velocity(notes: GridNotes, steps: int) -> NDArray[np.int64]:
    """The velocity of the latest onset at each step, the loudest of several at once; before the first, the first's."""
    starts, of_start = np.unique(notes.start, return_inverse=True)
    loudest = np.zeros(len(starts), np.int64)
    np.maximum.at(loudest, of_start, notes.velocity)
    latest = np.searchsorted(starts, np.arange(steps), side="right") - 1
    return loudest[np.maximum(latest, 0)]


def _rows(notes: GridNotes) -> list[Row]:
    return list(zip(*(column.tolist() for column in notes.columns), strict=True))
