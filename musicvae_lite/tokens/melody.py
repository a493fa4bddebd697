"""Melody: one voice, one token a step. Notes on the grid ↔ int64 [T, V] with V = 1 and K = 130.

    token 0–127   a note of that pitch starts here (it ends whatever sounded)
    token 128     note-off: the sounding note ends here
    token 129     hold: nothing changes (a note goes on, or silence does)

These are the 130 events of MusicVAE's melody (Roberts et al. 2018, §4; `OneHotMelodyConverter`), but here a melody has
one spelling only: a note-off in silence is not a token sequence. Which token may follow is a machine of two states
(silent, sounding), given as two tables, `LEGAL` and `NEXT_STATE`; decoding masks with them, and every representation
has such a pair. A note that sounds at the end of a window ends with the window.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.music.descriptors import DESCRIPTORS as DESCRIPTORS
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.music.melody_line import MelodyLine, melody_line
from musicvae_lite.music.notes import Song
from musicvae_lite.music.voices import Instrument, Voice
from musicvae_lite.tokens.protocol import mixed as mixed

NAME = "melody"
VOICES = 1  # V
PITCHES = 128
NOTE_OFF = 128
HOLD = 129
VOCABULARY = 130  # K
GIVEN = np.array([False])
SILENT, SOUNDING = 0, 1
INSTRUMENTS = (Instrument("melody"),)
STIFF = np.arange(VOCABULARY)
TOUCH = np.full((VOCABULARY, 2), np.nan)
LABELS: tuple[dict[int, str]] = ({},)
LANES = 1

Tokens = NDArray[np.integer[Any]]


def _automaton() -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    legal = np.ones((2, VOCABULARY), bool)
    legal[SILENT, NOTE_OFF] = False
    following = np.full((2, VOCABULARY), SOUNDING, np.int64)
    following[:, NOTE_OFF] = SILENT
    following[SILENT, HOLD] = SILENT
    return legal, following


LEGAL, NEXT_STATE = _automaton()  # [states, K]: may the token follow; the state after it
START = np.array([SILENT])  # [V]


def take(song: Song, track: int | str | None = None) -> tuple[Voice]:
    """The tune of a song (or of `track`) as one line; without any a `NoVoice` with the reason."""
    line = melody_line(song, track)
    return (as_voice(line),)


def takes(song: Song, track: int | str | None = None) -> tuple[tuple[Voice], ...]:
    """One take: the best tune."""
    return (take(song, track),)


def as_voice(line: MelodyLine) -> Voice:
    """A tune that was found, as a voice."""
    return Voice(line.notes, (line.track,), Instrument(line.name, line.program), line.why)


def lane(notes: GridNotes) -> NDArray[np.int64]:
    """0 for each note: [n]."""
    return np.zeros(len(notes), np.int64)


def encode(notes: GridNotes, steps: int) -> NDArray[np.int64]:
    """Tokens [T, 1] of a monophonic line over steps 0 … `steps`-1.

    A note that starts before 0 and still sounds there is written at step 0; one that starts at or after `steps` is
    left out. Of notes with one start, the last row wins; a note ends where the next one starts.
    """
    clipped = np.maximum(notes.start, 0)
    inside = (notes.end > 0) & (clipped < steps)
    pitch, start, end = notes.pitch[inside], clipped[inside], notes.end[inside]
    # The next start cuts a note; a note-off is written only where silence follows.
    following = np.append(start[1:], steps)
    stops = end[end < following]
    tokens = np.full((steps, VOICES), HOLD, np.int64)
    tokens[stops, 0] = NOTE_OFF
    tokens[start, 0] = pitch
    return tokens


def decode(tokens: Tokens, velocity: int = 80) -> GridNotes:
    """Notes of tokens [T, 1]: the inverse of `encode`. Tokens carry no velocity, so every note gets `velocity`."""
    line = np.asarray(tokens)[:, 0].astype(np.int64)
    changes = np.flatnonzero(line != HOLD)
    ends = np.append(changes[1:], len(line))
    onsets = line[changes] < PITCHES
    start = changes[onsets]
    pitch = line[start]
    return GridNotes(pitch, np.full_like(pitch, velocity), start, ends[onsets])


def is_canonical(tokens: Tokens) -> bool:
    """Whether tokens [T, 1] could have been written by `encode`: each one legal after those before it."""
    state = SILENT
    for token in np.asarray(tokens)[:, 0].tolist():
        if not LEGAL[state, token]:
            return False
        state = int(NEXT_STATE[state, token])
    return True


def window(tokens: Tokens, start: int, steps: int) -> Tokens:
    """Tokens [steps, 1] from step `start` on: one row of `windows`."""
    only: Tokens = windows(tokens, np.array([start]), steps)[0]
    return only


def windows(tokens: Tokens, starts: NDArray[np.int64], steps: int) -> Tokens:
    """Windows [N, steps, 1] of tokens [T, 1], one from each step of `starts` on, each canonical if `tokens` is.

    A note held across a window's start sounds from its step 0. After the last of `tokens` there is silence.
    """
    line = _with_silence_after(np.asarray(tokens)[:, 0], int(starts.max(initial=0)) + steps)
    cut: Tokens = line[starts[:, None] + np.arange(steps)]  # [N, steps]
    if steps:
        first = np.where(cut[:, 0] == HOLD, _sounding_before(line, starts), cut[:, 0])
        cut[:, 0] = np.where(first == NOTE_OFF, HOLD, first)
    return cut[:, :, None]


def _with_silence_after(line: Tokens, steps: int) -> Tokens:
    """`line`, followed by silence where it has fewer than `steps` tokens."""
    silence = np.full(max(steps - len(line), 0), HOLD, line.dtype)
    if len(silence) and _sounding_before(line, np.array([len(line)]))[0] != NOTE_OFF:
        silence[0] = NOTE_OFF
    return np.concatenate([line, silence])


def _sounding_before(line: Tokens, steps: NDArray[np.int64]) -> Tokens:
    """The pitch that sounds just before each of `steps` [N], or NOTE_OFF: [N]."""
    changes = np.flatnonzero(line != HOLD)
    heard = np.concatenate([np.array([NOTE_OFF], line.dtype), line[changes]])
    return heard[np.searchsorted(changes, steps)]


def transpose(tokens: Tokens, semitones: Tokens) -> Tokens:
    """Tokens [N, T, 1] with every pitch of window i moved by `semitones`[i]; the caller keeps within `headroom`."""
    shift = np.asarray(semitones).reshape(-1, 1, 1)
    return np.where(tokens < PITCHES, tokens + shift, tokens).astype(tokens.dtype)


def headroom(tokens: Tokens, lowest: int = 0, highest: int = 127) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How far each window of [N, T, 1] can be moved down (≤ 0) and up (≥ 0) and stay in `lowest` … `highest`."""
    values = tokens.astype(np.int64)
    onsets = values < PITCHES
    down = lowest - np.where(onsets, values, highest).min((1, 2), initial=highest)
    up = highest - np.where(onsets, values, lowest).max((1, 2), initial=lowest)
    return np.minimum(down, 0), np.maximum(up, 0)


def without_key(tokens: Tokens) -> Tokens:
    """Tokens [N, T, 1] moved so that the lowest pitch is 0: equal for two windows that are transpositions."""
    down, _ = headroom(tokens)
    return transpose(tokens.astype(np.int64), down)


def content(tokens: Tokens) -> NDArray[np.int64]:
    """Number of onsets in each window of [N, T, 1]; 0 for one that is silent throughout."""
    onsets: NDArray[np.int64] = np.sum(tokens < PITCHES, axis=(1, 2), dtype=np.int64)
    return onsets


def common(one: Tokens, other: Tokens) -> NDArray[np.int64]:
    """Number of onsets of the same pitch at the same step in each two windows of [N, T, 1]."""
    return np.asarray(((one == other) & onsets(one)).sum((1, 2)), np.int64)


def onsets(tokens: Tokens) -> NDArray[np.bool_]:
    """Where a note starts: bool of the shape of `tokens`."""
    return np.asarray(tokens < PITCHES)
