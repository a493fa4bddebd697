"""A song with a stiff beat → the same song, its beat played as a model would: louder and softer, early and late.

song ─▶ take, grid, tokens [T, V] ─▶ stretches of one meter [B, T', V] ─▶ touch.play ─▶ each stroke moved, and as loud

The strokes stay the given ones, and so does everything else in the song. Nothing but velocity and start changes, so a
stroke keeps its track, its pitch and its length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.explore.touch import play
from musicvae_lite.inference.codec import Codec
from musicvae_lite.music.grid import PARTS, Bar, GridNotes, bar_steps, bars, to_steps
from musicvae_lite.music.notes import Meter, MeterChange, Notes, Song, Track
from musicvae_lite.music.tempo import seconds_at
from musicvae_lite.music.voices import Timing, Voice, timing, to_grid
from musicvae_lite.tokens import Representation, has_touch, representation

WINDOWS_AT_ONCE = 128
LOUDEST = 127

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Options:
    """What is played, and how."""

    temperature: float = 0.0  # 0: as on average; above, drawn: another performance for each seed
    seed: int = 0
    track: int | str | None = None  # None: what the representation takes
    meter: Meter | None = None  # read the song in this meter, whatever it says

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise MusicVAEError(f"a temperature of {self.temperature:g}: expected 0 or more")
        if not 0 <= self.seed < 2**63:
            raise MusicVAEError(f"a seed of {self.seed}: expected 0 or more, in 63 bits")


@dataclass(frozen=True, eq=False)
class Humanized:
    """The song as it is played, and what happened to it."""

    song: Song
    before: GridNotes  # the strokes as they were given …
    after: GridNotes  # … and as they are played
    bars: tuple[Bar, ...]
    voices: tuple[Voice, ...]  # what was taken, and why
    timing: Timing  # how the given strokes lay on the grid
    late_ms: Floats  # [n]: how long after its step each stroke of `after` is played


@dataclass(frozen=True)
class _Stretch:
    """At most as many bars as the model's windows have, of one meter."""

    start: int
    steps: int
    meter: Meter


def humanize(codec: Codec, song: Song, options: Options | None = None) -> Humanized:
    """`song` with its beat played by a model; a `MusicVAEError` if there is none, or the model cannot do that."""
    options, form = options or Options(), representation(codec.config.representation)
    if not has_touch(form):
        raise MusicVAEError(
            f"a model of {form.NAME} knows no velocities and no timing: expected one of grooves, such as groove-2bar"
        )
    grid = codec.config.steps_per_quarter
    read = replace(song, meters=(MeterChange(0.0, options.meter),)) if options.meter else song
    voices, measures = form.take(read, options.track), bars(read, grid)
    before = to_grid(voices, grid)
    velocity, offset = _played(codec, form.encode(before, measures[-1].end), measures, options)
    changes = _Changes(form, before, velocity, offset, grid)
    own = {index for voice in voices for index in voice.tracks}
    tracks = tuple(changes.on(track) if index in own else track for index, track in enumerate(song.tracks))
    after = to_grid(form.take(replace(read, tracks=tracks), options.track), grid)
    steps = np.stack([after.start, after.start + after.offset / PARTS])
    late_ms = 1000 * np.diff(seconds_at(steps / grid, song.tempos), axis=0)[0]
    return Humanized(song.with_tracks(tracks), before, after, measures, voices, timing(voices, grid), late_ms)


def _played(
    codec: Codec, tokens: NDArray[np.int64], measures: Sequence[Bar], options: Options
) -> tuple[Floats, Floats]:
    """Velocity 0 … 1 and offset in steps of each of tokens [T, V], [T, V] each, NaN where nothing is struck."""
    config, random = codec.config, np.random.default_rng(options.seed)
    velocity, offset = (np.full(tokens.shape, np.nan) for _ in range(2))
    by_meter: dict[Meter, list[_Stretch]] = {}
    for stretch in _stretches(measures, config.bars):
        by_meter.setdefault(stretch.meter, []).append(stretch)
    for meter, stretches in by_meter.items():
        length = config.bars * bar_steps(meter, config.steps_per_quarter)
        windows = np.zeros((len(stretches), length, tokens.shape[1]), np.int64)
        for window, stretch in zip(windows, stretches, strict=True):
            window[: stretch.steps] = tokens[stretch.start : stretch.start + stretch.steps]
        for first in range(0, len(stretches), WINDOWS_AT_ONCE):
            part = slice(first, first + WINDOWS_AT_ONCE)
            played = play(codec, windows[part], meter, options.temperature, random)
            for row, stretch in enumerate(stretches[part]):
                here = slice(stretch.start, stretch.start + stretch.steps)
                velocity[here], offset[here] = (
                    played.velocity[row, : stretch.steps],
                    played.offset[row, : stretch.steps],
                )
    return velocity, offset


def _stretches(measures: Sequence[Bar], most: int) -> list[_Stretch]:
    """All bars in order, as many together as a window holds; where the meter changes, a new stretch starts."""
    found: list[_Stretch] = []
    room = 0
    for bar in measures:
        if room and found[-1].meter == bar.meter:
            found[-1] = replace(found[-1], steps=found[-1].steps + bar.steps)
            room -= 1
        else:
            found.append(_Stretch(bar.start, bar.steps, bar.meter))
            room = most - 1
    return found


class _Changes:
    """What becomes of each stroke: tables by step and kind, [T, V], of the loudest one there, before and after.

    The others of its kind at its step (a flam's grace note) go with it: as much earlier and softer as they were.
    """

    def __init__(
        self, form: Representation, before: GridNotes, velocity: Floats, offset: Floats, steps_per_quarter: int
    ) -> None:
        self.form, self.steps_per_quarter = form, steps_per_quarter
        order = np.argsort(before.velocity, kind="stable")  # as `encode` has it: the last one written stays
        at = before.start[order], form.lane(before)[order]
        self.was = np.ones(velocity.shape), np.zeros(offset.shape)
        for table, column in zip(self.was, (before.velocity, before.offset / PARTS), strict=True):
            table[at] = column[order]
        self.now = velocity * LOUDEST, offset

    def on(self, track: Track) -> Track:
        """The track as it is played; notes of no known kind stay as they are."""
        notes, grid = track.notes, self.steps_per_quarter
        steps = to_steps(notes.start, grid)
        lanes = self.form.lane(GridNotes(notes.pitch, notes.velocity, steps, steps + 1))
        known = lanes >= 0
        at = steps[known], lanes[known]
        louder, start = np.ones(len(notes)), notes.start.copy()
        louder[known] = self.now[0][at] / self.was[0][at]
        offset = np.rint((start[known] * grid - steps[known]) * PARTS) / PARTS  # as exact as `was` is
        start[known] = (steps[known] + offset + self.now[1][at] - self.was[1][at]) / grid
        start = np.maximum(start, 0.0)  # nothing comes before the song does
        velocity = np.clip(np.rint(notes.velocity * louder), 1, LOUDEST).astype(np.int64)
        moved = Notes(notes.pitch, velocity, start, start + notes.end - notes.start)
        return replace(track, notes=moved.select(np.lexsort((moved.pitch, moved.start))))
