"""Drums: nine kinds, one token a step. Notes on the grid ↔ int64 [T, V] with V = 1 and K = 512.

A token is the set of the kinds that are struck at a step, as a number: bit k of it is kind k (0 is silence). These are
MusicVAE's drums (Roberts et al. 2018, arXiv 1803.05428: General MIDI's percussion in 9 classes, all their combinations
as 512 categories). Which number is of which kind is the table below. For the kit itself it is GrooVAE's (Gillick et al.
2019, arXiv 1905.06118), which knows the numbers of a Roland TD-11 that General MIDI has not (22, 26) or has another
sound for (58). For all else it follows Magenta's reduction of General MIDI 1 and 2 (`DEFAULT_DRUM_TYPE_PITCHES`).

A stroke has no length: it is one step long on the grid, whatever the file says. Any token may follow any other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.music.descriptors import STROKE_DESCRIPTORS
from musicvae_lite.music.drum_tracks import NoDrums, drum_tracks
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.music.notes import Notes, Song
from musicvae_lite.music.voices import Instrument, Voice

Tokens = NDArray[np.integer[Any]]


class Kind(NamedTuple):
    """One of the nine: its name, the number it is written as, and the other numbers that are read as it."""

    name: str
    pitch: int
    also: dict[int, str]


KINDS = (
    Kind("kick", 36, {35: "acoustic bass drum"}),
    Kind(
        "snare",
        38,
        {
            **{27: "high Q", 28: "slap", 31: "sticks", 32: "square click", 33: "metronome click", 34: "metronome bell"},
            **{37: "side stick", 39: "hand clap", 40: "electric snare, snare rim", 56: "cowbell", 65: "high timbale"},
            **{66: "low timbale", 75: "claves", 85: "castanets"},
        },
    ),
    Kind(
        "closed hi-hat",
        42,
        {
            **{22: "closed hi-hat, edge (TD-11)", 44: "pedal hi-hat", 54: "tambourine", 68: "low agogo", 69: "cabasa"},
            **{70: "maracas", 71: "short whistle", 73: "short guiro", 78: "mute cuica", 80: "mute triangle"},
        },
    ),
    Kind(
        "open hi-hat",
        46,
        {
            **{26: "open hi-hat, edge (TD-11)", 67: "high agogo", 72: "long whistle", 74: "long guiro"},
            **{79: "open cuica", 81: "open triangle"},
        },
    ),
    Kind(
        "low tom",
        43,
        {
            **{29: "scratch push", 41: "low floor tom", 58: "tom 3, rim (TD-11); vibraslap", 61: "low bongo"},
            **{64: "low conga", 84: "bell tree"},
        },
    ),
    Kind(
        "mid tom",
        47,
        {45: "low tom", 60: "high bongo", 63: "open high conga", 77: "low wood block", 86: "mute surdo", 87: "surdo"},
    ),
    Kind(
        "high tom",
        50,
        {30: "scratch pull", 48: "high-mid tom", 62: "mute high conga", 76: "high wood block", 83: "jingle bell"},
    ),
    Kind("crash", 49, {52: "Chinese cymbal", 55: "splash cymbal", 57: "crash cymbal 2"}),
    Kind("ride", 51, {53: "ride bell", 59: "ride cymbal 2", 82: "shaker"}),
)
UNKNOWN = -1


def _kinds_of_pitches() -> NDArray[np.int64]:
    kinds = np.full(128, UNKNOWN, np.int64)
    for number, kind in enumerate(KINDS):
        kinds[[kind.pitch, *kind.also]] = number
    return kinds


KIND_OF = _kinds_of_pitches()  # [128]: the kind of each MIDI number, or UNKNOWN
PITCHES = np.array([kind.pitch for kind in KINDS])  # [9]: the number that each kind is written as
STRUCK = (np.arange(1 << len(KINDS))[:, None] >> np.arange(len(KINDS)) & 1).astype(bool)  # [K, 9]: the kinds of a token
BITS = 1 << np.arange(len(KINDS))
COUNT = STRUCK.sum(1)  # [K]: how many are struck

NAME = "drums"
VOICES = 1  # V
VOCABULARY = len(STRUCK)  # K
GIVEN = np.array([False])
LEGAL = np.ones((1, VOCABULARY), bool)
NEXT_STATE = np.zeros((1, VOCABULARY), np.int64)
START = np.zeros(VOICES, np.int64)
STIFF = np.arange(VOCABULARY)
TOUCH = np.full((VOCABULARY, 2), np.nan)
INSTRUMENTS = (Instrument("drums", is_drum=True),)
LABELS = ({kind.pitch: kind.name for kind in KINDS},)
LANES = len(KINDS)
DESCRIPTORS = STROKE_DESCRIPTORS
BLINK_QUARTERS = 1e-6  # shorter than half of any step: on the grid, one step


def take(song: Song, track: int | str | None = None) -> tuple[Voice]:
    """The strokes of all drum tracks (or of `track`), a blink long each; without any a `NoVoice` with the reason.

    Sounds that are of no kind are left out, and counted in `Voice.why`.
    """
    part = drum_tracks(song, track)
    known = KIND_OF[part.notes.pitch] != UNKNOWN
    if not known.any():
        strange = ", ".join(map(str, np.unique(part.notes.pitch)))
        raise NoDrums("no known drum", f"expected General MIDI's percussion (numbers 27 to 87), got {strange}")
    strokes = part.notes.select(known)
    strokes = Notes(strokes.pitch, strokes.velocity, strokes.start, strokes.start + BLINK_QUARTERS)
    return (replace(part, notes=strokes, why=f"{part.why}, {_told(strokes.pitch, part.notes.pitch[~known])}"),)


def takes(song: Song, track: int | str | None = None) -> tuple[tuple[Voice], ...]:
    """One take: all drums together."""
    return (take(song, track),)


def _told(known: NDArray[np.int64], unknown: NDArray[np.int64]) -> str:
    """For example: 412 strokes on kick, snare, ride."""
    names = ", ".join(KINDS[kind].name for kind in np.unique(KIND_OF[known]))
    left_out = f", {len(unknown)} of no known drum left out" if len(unknown) else ""
    return f"{len(known)} strokes on {names}{left_out}"


def lane(notes: GridNotes) -> NDArray[np.int64]:
    """The kind of each note, `UNKNOWN` for one of no known drum: [n]."""
    return KIND_OF[notes.pitch]


def encode(notes: GridNotes, steps: int) -> NDArray[np.int64]:
    """Tokens [T, 1] of the strokes at steps 0 … `steps`-1; strokes of one kind at one step are one, unknown none."""
    kinds = KIND_OF[notes.pitch]
    inside = (notes.start >= 0) & (notes.start < steps) & (kinds != UNKNOWN)
    tokens = np.zeros((steps, VOICES), np.int64)
    np.bitwise_or.at(tokens[:, 0], notes.start[inside], 1 << kinds[inside])
    return tokens


def decode(tokens: Tokens, velocity: int = 80) -> GridNotes:
    """Strokes of tokens [T, 1], one step long, each kind as its own pitch: the inverse of `encode` for such notes."""
    start, kind = np.nonzero(STRUCK[np.asarray(tokens)[:, 0]])
    pitch = PITCHES[kind]
    order = np.lexsort((pitch, start))
    start, pitch = start[order], pitch[order]
    return GridNotes(pitch, np.full_like(pitch, velocity), start, start + 1)


def window(tokens: Tokens, start: int, steps: int) -> Tokens:
    """Tokens [steps, 1] from step `start` on: one row of `windows`."""
    only: Tokens = windows(tokens, np.array([start]), steps)[0]
    return only


def windows(tokens: Tokens, starts: NDArray[np.int64], steps: int) -> Tokens:
    """Windows [N, steps, 1] of tokens [T, 1], one from each step of `starts` on; after the last token is silence."""
    line = np.asarray(tokens)[:, 0]
    silence = max(int(starts.max(initial=0)) + steps - len(line), 0)
    cut: Tokens = np.pad(line, (0, silence))[starts[:, None] + np.arange(steps)]  # [N, steps]
    return cut[:, :, None]


def transpose(tokens: Tokens, semitones: Tokens) -> Tokens:
    """`tokens` [N, T, 1] themselves: drums have no key."""
    return tokens


def headroom(tokens: Tokens, lowest: int = 0, highest: int = 127) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Twice zero for each window of [N, T, 1]: there is nowhere to move to."""
    nowhere = np.zeros(len(tokens), np.int64)
    return nowhere, nowhere


def without_key(tokens: Tokens) -> Tokens:
    """Tokens [N, T, 1] as int64: they have no key."""
    return np.asarray(tokens).astype(np.int64)


def mixed(tokens: Tokens, others: Tokens, lanes: NDArray[np.bool_]) -> Tokens:
    """Windows [N, T, 1] with the kinds of `lanes` [N, 9] as they are in `others`."""
    theirs = (lanes @ BITS)[:, None, None]
    both: Tokens = tokens & ~theirs | others & theirs
    return both


def content(tokens: Tokens) -> NDArray[np.int64]:
    """Number of strokes in each window of [N, T, 1]: kick and snare at one step are two; 0 where all is silent."""
    return np.asarray(COUNT[tokens].sum((1, 2)), np.int64)


def common(one: Tokens, other: Tokens) -> NDArray[np.int64]:
    """Number of strokes of the same kind at the same step in each two windows of [N, T, 1]."""
    return content(np.asarray(one).astype(np.int64) & np.asarray(other).astype(np.int64))


def onsets(tokens: Tokens) -> NDArray[np.bool_]:
    """Where anything is struck: bool of the shape of `tokens`."""
    return np.asarray(tokens > 0)
