"""What is taken of a song: V voices, each the notes of one track or several, and the instruments they go back to.

Song ─▶ a representation's `take` ─▶ Voice × V ─▶ to_grid ─▶ GridNotes        GridNotes ─▶ to_tracks ─▶ Track × V
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.grid import OFF_GRID_TOLERANCE, GridNotes, dequantize, off_grid_steps, quantize
from musicvae_lite.music.notes import Notes, Song, Track

# General MIDI's sixteen families of eight programs each (General MIDI System Level 1, 1991).
FAMILIES = (
    *("piano", "chromatic percussion", "organ", "guitar", "bass", "strings", "ensemble", "brass"),
    *("reed", "pipe", "synth lead", "synth pad", "synth effects", "ethnic", "percussive", "sound effects"),
)

FINER = 3  # times as many steps hold triplets


class NoVoice(MusicVAEError):  # noqa: N818 - the absence is not an error in itself
    """A song without what is asked of it; `reason` is short and the same for every song with the same fault.

    `found` are the voices that it has all the same, by their numbers.
    """

    def __init__(self, reason: str, advice: str, found: Mapping[int, Voice] | None = None) -> None:
        super().__init__(f"{reason}: {advice}")
        self.reason, self.advice, self.found = reason, advice, found or {}


class Instrument(NamedTuple):
    """What a track is beside its notes: a name, a General MIDI program 0–127, or drums."""

    name: str
    program: int = 0
    is_drum: bool = False

    @property
    def family(self) -> str:
        """The family of General MIDI, or "drums"."""
        return "drums" if self.is_drum else FAMILIES[self.program // 8]


@dataclass(frozen=True)
class Voice:
    """The notes of one voice, in quarter notes, and where they come from."""

    notes: Notes
    tracks: tuple[int, ...]  # places in `Song.tracks`; none of notes that no track has as they are
    instrument: Instrument
    why: str  # a phrase to print: "named melody, 98 % monophonic, around C5"

    @property
    def choice(self) -> str:
        """Which tracks it is, and why: a sentence to print."""
        if not self.tracks:
            return f"{self.instrument.name}: {self.why}"
        numbers = ", ".join(map(str, self.tracks))
        return f"track{'s' if len(self.tracks) > 1 else ''} {numbers} {self.instrument.name!r}: {self.why}"


class Timing(NamedTuple):
    """How onsets lie on a grid. NaN where there are none."""

    onsets: int
    off_grid: float  # share (0–1) of them
    off_finer_grid: float  # the same on a grid of `FINER` times as many steps
    moved: float  # steps from an onset to the nearest step, on average


def timing(voices: Sequence[Voice], steps_per_quarter: int) -> Timing:
    """How the onsets of all voices together lie on the grid."""
    away, finer = (
        np.concatenate([off_grid_steps(voice.notes, steps) for voice in voices])
        for steps in (steps_per_quarter, FINER * steps_per_quarter)
    )
    if not len(away):
        return Timing(0, math.nan, math.nan, math.nan)
    off, off_finer = (float(np.mean(distance > OFF_GRID_TOLERANCE)) for distance in (away, finer))
    return Timing(len(away), off, off_finer, float(away.mean()))


def to_grid(voices: Sequence[Voice], steps_per_quarter: int) -> GridNotes:
    """The notes of all voices on the grid, each with the number of its voice."""
    parts = [quantize(voice.notes, steps_per_quarter) for voice in voices]
    if len(parts) == 1:
        return parts[0]
    numbers = np.repeat(np.arange(len(parts)), list(map(len, parts)))
    together = GridNotes.joined(parts)
    order = np.lexsort((numbers, together.pitch, together.start))
    return together.with_voices(numbers).select(order)


def to_tracks(
    notes: GridNotes, instruments: Sequence[Instrument], steps_per_quarter: int, title: str = ""
) -> tuple[Track, ...]:
    """One track a voice, in quarter notes: the inverse of `to_grid` for notes that lie on the grid.

    A `title` names the only track, and stands before the names of several.
    """
    tracks = []
    for number, instrument in enumerate(instruments):
        name = title or instrument.name
        if title and len(instruments) > 1:
            name = f"{title}, {instrument.name}"
        voice = dequantize(notes.select(notes.voice == number), steps_per_quarter)
        tracks.append(Track(voice, name, instrument.program, instrument.is_drum))
    return tuple(tracks)


def matching(song: Song, among: Sequence[int], track: int | str) -> list[int]:
    """Those of the tracks `among` that `track` means: digits are an index, other text a part of a name in any case."""
    text = str(track)
    if text.isdecimal():
        return [index for index in among if index == int(text)]
    return [index for index in among if text.casefold() in song.tracks[index].name.casefold()]


def described(song: Song, among: Sequence[int]) -> str:
    """The tracks to choose from, in words."""
    tracks = ((index, song.tracks[index]) for index in among)
    return "; ".join(f'{i} "{t.name}" ({_played(t)}, {len(t.notes)} notes)' for i, t in tracks)


def _played(track: Track) -> str:
    return "drums" if track.is_drum else f"program {track.program}"
