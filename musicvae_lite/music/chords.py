"""Chords: 24 triads or none. Text ↔ number, and which chord sounds when in a song.

    0        no chord
    1 … 12   C, D♭, … B major
    13 … 24  C, D♭, … B minor

A song's chords are read from its markers where they name chords, else estimated from what accompanies the tune: the
triad whose three pitch classes hold most of the sounding time of a span, by the inner product of a chroma vector with
binary templates (Fujishima, "Realtime Chord Recognition of Musical Sound", ICMC 1999), here of notes and not of sound.
Magenta's `cat-mel_2bar_med_chords` has the same 24 triads and "no chord".
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.notes import Meter, Notes, Song

Ints = NDArray[np.int64]

NONE = 0
NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
CHORDS = ("none", *NAMES, *(f"{root}m" for root in NAMES))
MAJOR, MINOR = (0, 4, 7), (0, 3, 7)
UNDERSTOOD = (
    "a root C … B with # or b and, if it is minor, m (C, F#m, Bb); sevenths and other colours are taken for their "
    "triad (G7, Dm7, Cmaj7, Asus4, Bdim), what follows a / is left out; N.C. is no chord"
)
SILENT = {"n", "n.c.", "nc", "n.c", "none", "-"}
CHORD = re.compile(
    r"(?P<root>[A-G])(?P<accidental>[#b♯♭]?)"
    r"(?P<minor>m(?!aj)|min|-|dim|o|°|ø)?"
    r"(?:maj|M|Δ|aug|\+|sus|add|no|omit|/?\d|[#b♯♭]|[(),])*(?:/[A-G][#b♯♭]?)?"
)
SHARP = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
LOWEST_ROOT = 48  # a chord is played as a triad on a root of C3 to B3
CLEAR = 0.6  # of the sounding time, in the shares of a triad's pitch classes, below which a span has no chord
CHART = 0.5  # share of the markers that have to be chords …
CHANGE_QUARTERS = 8  # … that change so often, on average: else A, B, A are parts of the song


def _templates() -> NDArray[np.bool_]:
    found = np.zeros((len(CHORDS), 12), bool)
    for third, shape in enumerate((MAJOR, MINOR)):
        for root in range(12):
            found[1 + 12 * third + root, [(root + interval) % 12 for interval in shape]] = True
    return found


TEMPLATES = _templates()  # [25, 12]: the pitch classes of each chord


def chord(text: str) -> int:
    """The number of a chord's name; what cannot be read is a `MusicVAEError` that says what can."""
    if text.strip().lower() in SILENT:
        return NONE
    found = CHORD.fullmatch(text.strip())
    if found is None:
        raise MusicVAEError(f"a chord {text!r}: expected {UNDERSTOOD}")
    root = (NAMES.index(found["root"]) + SHARP[found["accidental"]]) % 12
    return 1 + root + (12 if found["minor"] else 0)


def chords(text: str) -> tuple[tuple[int, ...], ...]:
    """The numbers of the chords of each bar: one a bar, "C G Am F", or those between bar lines, "C G | Am"."""
    names = [bar.split() for bar in text.split("|")] if "|" in text else [[name] for name in text.split()]
    bars = tuple(tuple(chord(name) for name in bar) for bar in names if bar)
    if not bars:
        raise MusicVAEError(f"no chord in {text!r}: expected for example 'C G Am F', each {UNDERSTOOD}")
    return bars


def moved(numbers: Ints, semitones: Ints) -> Ints:
    """Chords so many semitones higher; none stays none."""
    minor, root = np.divmod(numbers - 1, 12)
    return np.where(numbers == NONE, NONE, 1 + 12 * minor + (root + semitones) % 12)


def triad(number: int) -> tuple[int, ...]:
    """The three pitches that a chord is played as, none for no chord."""
    if number == NONE:
        return ()
    minor, root = divmod(number - 1, 12)
    return tuple(LOWEST_ROOT + root + interval for interval in (MINOR if minor else MAJOR))


def song_chords(song: Song, tracks: Sequence[int]) -> tuple[Notes, str]:
    """A song's chords as held triads, and in words where they come from: its markers, or what `tracks` play."""
    named = _named(song)
    if named:
        starts, numbers = [start for start, _ in named], [number for _, number in named]
        return held([*starts, max(song.end, starts[-1])], numbers), f"{len(named)} as the markers name them"
    named_tracks = [index for index in tracks if "chord" in song.tracks[index].name.casefold()]
    taken = named_tracks or list(tracks)
    edges = spans(song)
    numbers = estimate([song.tracks[index].notes for index in taken], edges).tolist()
    if not any(numbers):
        return Notes.of(()), "none to be found"
    one = len(taken) == 1
    why = f"as track{'' if one else 's'} {', '.join(map(str, taken))} play{'s' if one else ''} them"
    return held(edges.tolist(), numbers), why


def _named(song: Song) -> list[tuple[float, int]]:
    """Where a chord begins and which one, if the markers are of chords."""
    found = []
    for marker in song.markers:
        try:
            found.append((marker.start, chord(marker.text)))
        except MusicVAEError:
            continue
    is_chart = len(found) >= CHART * len(song.markers) and song.end <= CHANGE_QUARTERS * len(found)
    return found if is_chart else []


def held(edges: Sequence[float], numbers: Sequence[int]) -> Notes:
    """Triads of chord i from `edges`[i] to the next edge, in quarter notes; of equal chords in a row, one."""
    rows = []
    for number, same in groupby(range(len(numbers)), key=lambda i: numbers[i]):
        places = list(same)
        begin, end = edges[places[0]], edges[places[-1] + 1]
        rows += [(pitch, 80, begin, end) for pitch in triad(number) if end > begin]
    return Notes.of(rows)


def spans(song: Song) -> NDArray[np.float64]:
    """The edges in quarter notes of the spans that have a chord each: half bars, whole bars of an odd meter."""
    ends = [change.start for change in song.meters[1:]] + [math.inf]
    edges = [
        np.arange(change.start, min(end, song.end), _span_quarters(change.meter))
        for change, end in zip(song.meters, ends, strict=True)
    ]
    return np.append(np.concatenate(edges), song.end)


def _span_quarters(meter: Meter) -> float:
    return meter.bar_quarters / (2 if meter.numerator % 2 == 0 else 1)


def estimate(parts: Sequence[Notes], edges: NDArray[np.float64]) -> Ints:
    """The chord between each two of `edges` [n + 1] (quarter notes) by the notes of all parts: [n]."""
    chroma = sum((_chroma(part, edges) for part in parts), np.zeros((len(edges) - 1, 12)))  # [n, 12]
    length = np.linalg.norm(chroma, axis=1, keepdims=True)
    likeness = chroma @ TEMPLATES.T / np.maximum(length, 1e-9) / math.sqrt(3)  # [n, 25], 0 … 1
    return np.where(likeness.max(1) >= CLEAR, likeness.argmax(1), NONE)


def _chroma(notes: Notes, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quarter notes that each pitch class sounds between each two edges: [n, 12]."""
    chroma = np.zeros((12, len(edges) - 1))
    for pitch_class in np.unique(notes.pitch % 12):
        own = notes.select(notes.pitch % 12 == pitch_class)
        chroma[pitch_class] = np.diff(_sounded(own.start, edges) - _sounded(own.end, edges))
    return chroma.T


def _sounded(times: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Σ max(edge − time, 0) over `times`, for each edge."""
    ordered = np.sort(times)
    before = np.searchsorted(ordered, edges)
    return np.asarray(before * edges - np.append(0.0, np.cumsum(ordered))[before], np.float64)
