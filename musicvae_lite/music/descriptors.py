"""What a window of music is like, in numbers: (notes, frame) → float, and tables of those that tell about a kind of
music: `DESCRIPTORS` of melodies, `STROKE_DESCRIPTORS` of drums, whose pitches are no pitches.

The first five are the attributes of MusicVAE's study (Roberts et al. 2018, arXiv 1803.05428, §5.3), for a monophonic
line; their grid of sixteenths is spelled here for any grid. Pitch-class entropy and groove consistency are from
Wu & Yang 2020 (arXiv 2008.01307, "The Jazz Transformer on the Front Line", §4).

Everywhere: steps are counted from the window's first, which begins a bar; only notes that start inside the window
count, the same way for each function; what is undefined (no notes, one note for an interval, one bar for a groove)
is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.music.grid import GridNotes

C_MAJOR = np.array([0, 2, 4, 5, 7, 9, 11])  # pitch classes of the white keys
NAN = float("nan")


@dataclass(frozen=True)
class Frame:
    """The window that notes are measured in: its length, its grid, and the length of one bar, in steps."""

    steps: int
    steps_per_quarter: int
    bar_steps: int


Descriptor = Callable[[GridNotes, Frame], float]


def _inside(notes: GridNotes, frame: Frame) -> NDArray[np.bool_]:
    return (notes.start >= 0) & (notes.start < frame.steps)


def _pitches(notes: GridNotes, frame: Frame) -> NDArray[np.int64]:
    return notes.pitch[_inside(notes, frame)]


def _onsets(notes: GridNotes, frame: Frame) -> NDArray[np.bool_]:
    """Whether a note starts at a step: [T]."""
    onsets = np.zeros(frame.steps, bool)
    onsets[notes.start[_inside(notes, frame)]] = True
    return onsets


def c_diatonic_share(notes: GridNotes, frame: Frame) -> float:
    """Share of notes on white keys, 0 … 1 (Roberts et al. 2018, "C diatonic membership")."""
    pitches = _pitches(notes, frame)
    return float(np.isin(pitches % 12, C_MAJOR).mean()) if len(pitches) else NAN


def note_density(notes: GridNotes, frame: Frame) -> float:
    """Onsets a sixteenth: the number of notes over the window's length in sixteenths (Roberts et al. 2018).

    0 … 1 for a line on a grid of sixteenths; a finer grid can exceed 1. Zero, not NaN, where nothing is played.
    """
    sixteenths = frame.steps * 4 / frame.steps_per_quarter
    return int(_inside(notes, frame).sum()) / sixteenths if sixteenths else NAN


def average_interval(notes: GridNotes, frame: Frame) -> float:
    """Mean absolute distance of consecutive pitches, in semitones (Roberts et al. 2018)."""
    pitches = _pitches(notes, frame)
    return float(np.abs(np.diff(pitches)).mean()) if len(pitches) > 1 else NAN


def _off_beat_share(onsets: NDArray[np.bool_], unit: int, clear: tuple[int, ...]) -> float:
    """Share of onsets at odd multiples of `unit` steps with no onset `clear` steps before (any of them)."""
    positions = np.flatnonzero(onsets)
    if not len(positions):
        return NAN
    off_beat = positions[positions % (2 * unit) == unit]
    preceded = np.any([onsets[off_beat - distance] for distance in clear], axis=0)
    return float((~preceded).sum() / len(positions))


def syncopation_16th(notes: GridNotes, frame: Frame) -> float:
    """Share of onsets on a sixteenth between two eighths, with no onset a sixteenth before (Roberts et al. 2018).

    Counting sixteenths from 0, those are the odd ones. NaN on a grid that has no sixteenths.
    """
    sixteenth, remainder = divmod(frame.steps_per_quarter, 4)
    return NAN if remainder else _off_beat_share(_onsets(notes, frame), sixteenth, (sixteenth,))


def syncopation_8th(notes: GridNotes, frame: Frame) -> float:
    """Share of onsets on an eighth between two quarters, with none a sixteenth or an eighth before (ibid.).

    Counting eighths from 0, those are the odd ones, in every meter: the definition was made for 4/4, and in 6/8 it
    takes the second beat for one between beats. NaN on a grid that has no sixteenths.
    """
    sixteenth, remainder = divmod(frame.steps_per_quarter, 4)
    if remainder:
        return NAN
    return _off_beat_share(_onsets(notes, frame), 2 * sixteenth, (sixteenth, 2 * sixteenth))


def pitch_range(notes: GridNotes, frame: Frame) -> float:
    """Highest minus lowest pitch, in semitones; 0 for one pitch."""
    pitches = _pitches(notes, frame)
    return float(np.ptp(pitches)) if len(pitches) else NAN


def rest_share(notes: GridNotes, frame: Frame) -> float:
    """Share of steps at which nothing sounds, 0 … 1; 1 without notes. A note held into the window sounds in it."""
    if not frame.steps:
        return NAN
    change = np.zeros(frame.steps + 1, np.int64)
    np.add.at(change, np.clip(notes.start, 0, frame.steps), 1)
    np.add.at(change, np.clip(notes.end, 0, frame.steps), -1)
    return float((np.cumsum(change[:-1]) == 0).mean())


def pitch_class_entropy(notes: GridNotes, frame: Frame) -> float:
    """Shannon entropy of the histogram of pitch classes, one count a note: 0 … log2(12) bits (Wu & Yang 2020, ℋ)."""
    pitches = _pitches(notes, frame)
    if not len(pitches):
        return NAN
    counts = np.bincount(pitches % 12)
    share = counts[counts > 0] / len(pitches)
    return float((share * np.log2(1 / share)).sum())


def different_pitches(notes: GridNotes, frame: Frame) -> float:
    """How many different pitches (or drums) there are; 0 without notes."""
    return float(len(np.unique(_pitches(notes, frame))))


def notes_an_onset(notes: GridNotes, frame: Frame) -> float:
    """Mean number of notes that start together, over the steps at which any starts: 1 for a line."""
    starts = notes.start[_inside(notes, frame)]
    return len(starts) / len(np.unique(starts)) if len(starts) else NAN


def groove_consistency(notes: GridNotes, frame: Frame) -> float:
    """How alike the rhythms of neighbouring bars are: 1 - mean share of steps at which just one of two has an onset.

    0 … 1, over whole bars; 1 for equal rhythms. Wu & Yang 2020's grooving pattern similarity, 𝒢𝒮, averaged over
    neighbouring bars where they take all pairs of bars. NaN with fewer than two bars or no onsets.
    """
    bars = frame.steps // frame.bar_steps
    onsets = _onsets(notes, frame)[: bars * frame.bar_steps].reshape(bars, frame.bar_steps)
    return float(1 - (onsets[1:] != onsets[:-1]).mean()) if bars > 1 and onsets.any() else NAN


DESCRIPTORS: dict[str, Descriptor] = {
    "c_diatonic_share": c_diatonic_share,
    "note_density": note_density,
    "average_interval": average_interval,
    "syncopation_16th": syncopation_16th,
    "syncopation_8th": syncopation_8th,
    "pitch_range": pitch_range,
    "rest_share": rest_share,
    "pitch_class_entropy": pitch_class_entropy,
    "groove_consistency": groove_consistency,
}
STROKE_DESCRIPTORS: dict[str, Descriptor] = {
    "note_density": note_density,
    "notes_an_onset": notes_an_onset,
    "different_pitches": different_pitches,
    "syncopation_16th": syncopation_16th,
    "syncopation_8th": syncopation_8th,
    "rest_share": rest_share,
    "groove_consistency": groove_consistency,
}
