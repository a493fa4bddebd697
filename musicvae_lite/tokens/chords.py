"""Chords: one voice that is given, not predicted. Triads on the grid ↔ int64 [T, V] with V = 1 and K = 25.

A token is the chord that is in force at a step, by its number in `music.chords` (0: none); any may follow any. In notes
it is a triad, held as long as the chord stays. Chords are no music of their own: they are given to a model beside a
voice that it plays, in `melody_chords`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music import chords as music
from musicvae_lite.music.descriptors import Descriptor
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.music.notes import Song
from musicvae_lite.music.voices import Instrument, Voice
from musicvae_lite.tokens.protocol import Representation
from musicvae_lite.tokens.protocol import mixed as mixed

Tokens = NDArray[np.integer[Any]]
Ints = NDArray[np.int64]

NAME = "chords"
VOICES = 1  # V
VOCABULARY = len(music.CHORDS)  # K
GIVEN = np.array([True])
LEGAL = np.ones((1, VOCABULARY), bool)
NEXT_STATE = np.zeros((1, VOCABULARY), np.int64)
START = np.zeros(VOICES, np.int64)
STIFF = np.arange(VOCABULARY)
TOUCH = np.full((VOCABULARY, 2), np.nan)
INSTRUMENTS = (Instrument("chords"),)
LABELS: tuple[dict[int, str]] = ({},)
LANES = 1
DESCRIPTORS: dict[str, Descriptor] = {}
BITS = 1 << np.arange(12)
CHORD_OF = np.zeros(1 << 12, np.int64)  # the chord of each set of pitch classes
CHORD_OF[music.TEMPLATES @ BITS] = np.arange(VOCABULARY)


def take(song: Song, track: int | str | None = None) -> tuple[Voice]:
    """The chords that all tracks but drums play, or the markers name."""
    return (accompaniment(song, [i for i, each in enumerate(song.tracks) if not each.is_drum]),)


def takes(song: Song, track: int | str | None = None) -> tuple[tuple[Voice], ...]:
    """One take."""
    return (take(song, track),)


def accompaniment(song: Song, tracks: list[int]) -> Voice:
    """The chords of a song as its markers name them, or as `tracks` play them; without any, a voice without notes."""
    notes, why = music.song_chords(song, tracks)
    return Voice(notes, (), INSTRUMENTS[0], why)


def lane(notes: GridNotes) -> Ints:
    """0 for each note: [n]."""
    return np.zeros(len(notes), np.int64)


def encode(notes: GridNotes, steps: int) -> Ints:
    """Tokens [T, 1] of notes: at each step the triad that sounds, none where it is none."""
    sounding = np.zeros((steps + 1, 12), np.int64)
    np.add.at(sounding, (np.clip(notes.start, 0, steps), notes.pitch % 12), 1)
    np.add.at(sounding, (np.clip(notes.end, 0, steps), notes.pitch % 12), -1)
    classes = sounding.cumsum(0)[:steps] > 0  # [T, 12]
    return CHORD_OF[classes @ BITS][:, None]


def decode(tokens: Tokens, velocity: int = 80) -> GridNotes:
    """The triads of tokens [T, 1], each held as long as the chord stays: the inverse of `encode`."""
    line = np.asarray(tokens)[:, 0].astype(np.int64)
    starts = np.flatnonzero(np.diff(line, prepend=-1))
    ends = np.append(starts[1:], len(line))[: len(starts)]
    rows = [(p, velocity, a, b) for a, b in zip(starts, ends, strict=True) for p in music.triad(int(line[a]))]
    return GridNotes(*np.array(rows, np.int64).reshape(-1, 4).T)


def window(tokens: Tokens, start: int, steps: int) -> Tokens:
    """Tokens [steps, 1] from step `start` on: one row of `windows`."""
    only: Tokens = windows(tokens, np.array([start]), steps)[0]
    return only


def windows(tokens: Tokens, starts: Ints, steps: int) -> Tokens:
    """Windows [N, steps, 1] of tokens [T, 1]; after the last one there is no chord."""
    line = np.asarray(tokens)[:, 0]
    missing = max(int(starts.max(initial=0)) + steps - len(line), 0)
    cut: Tokens = np.pad(line, (0, missing))[starts[:, None] + np.arange(steps)]  # [N, steps]
    return cut[:, :, None]


def transpose(tokens: Tokens, semitones: Tokens) -> Tokens:
    """Tokens [N, T, 1] with every chord of window i moved by `semitones`[i], around the circle."""
    shift = np.asarray(semitones, np.int64).reshape(-1, 1, 1)
    return music.moved(np.asarray(tokens).astype(np.int64), shift).astype(tokens.dtype)


def headroom(tokens: Tokens, lowest: int = 0, highest: int = 127) -> tuple[Ints, Ints]:
    """All the room there is for each window of [N, T, 1]: a chord can go anywhere."""
    room = np.full(len(tokens), highest - lowest)
    return -room, room


def without_key(tokens: Tokens) -> Tokens:
    """Tokens [N, T, 1] moved so that the first chord of each window is on C."""
    values = np.asarray(tokens).astype(np.int64)
    first = np.take_along_axis(values, (values != music.NONE).argmax(1)[:, None], 1)  # [N, 1, 1]
    return transpose(values, -((first - 1) % 12))


def content(tokens: Tokens) -> Ints:
    """0 for each window of [N, T, 1]: chords are given, and a window of nothing else is silent."""
    return np.zeros(len(tokens), np.int64)


def common(one: Tokens, other: Tokens) -> Ints:
    """0 for each two windows, likewise."""
    return content(one)


def onsets(tokens: Tokens) -> NDArray[np.bool_]:
    """Nowhere, likewise."""
    return np.zeros(np.shape(tokens), bool)


def chart(text: str, bars: int, bar_steps: int, form: Representation) -> Ints:
    """Tokens [T, V] in which the given voices of `form` play the chords of `text`, over and over.

    They are one a bar, or those that stand between two bar lines, in equal shares of the bar. A representation without
    such voices, or a chord that cannot be read, is a `MusicVAEError`.
    """
    if not form.GIVEN.any():
        raise MusicVAEError(
            f"a model of {form.NAME} knows no chords: leave them out, or give a model that was trained with "
            "--representation melody-chords"
        )
    tokens = np.zeros((bars * bar_steps, form.VOICES), np.int64)
    charted = [_shared(np.array(bar), bar_steps) for bar in music.chords(text)]
    tokens[:, form.GIVEN] = np.concatenate([charted[bar % len(charted)] for bar in range(bars)])[:, None]
    return tokens


def _shared(numbers: Ints, steps: int) -> Ints:
    """The chord of each of a bar's steps."""
    if len(numbers) > steps:
        raise MusicVAEError(f"{len(numbers)} chords in a bar of {steps} steps: expected at most one a step")
    found: Ints = numbers[np.arange(steps) * len(numbers) // steps]
    return found
