"""Which track of a song is the tune, and its notes as a line in which one note sounds at a time.

Each track that is not drums gets marks between -1 and 1 for its name, its register, how monophonic it is, and so on;
the track with the highest weighted sum is the tune. (The weights were chosen on 880 pop songs and 63 game tunes whose
tune is known by name, with all names hidden: right in 99 % and 83 %.) Chords are reduced to their skyline, the highest
note at each onset (Uitdenbogerd & Zobel, "Melodic Matching Techniques for Large Music Databases", ACM Multimedia 1999).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.music.notes import Notes, Song, Track
from musicvae_lite.music.voices import NoVoice, described, matching

PITCH_NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


class NoMelody(NoVoice):
    """A song without a usable tune."""


@dataclass(frozen=True)
class MelodyLine:
    """A tune: notes sorted by start, none starting before the last has ended, and the track they come from."""

    notes: Notes
    track: int
    name: str
    program: int
    why: str  # a phrase to print: "named melody, 98 % monophonic, around C5"


@dataclass(frozen=True)
class _Candidate:
    """A track that may be the tune, and what its marks are made of, each worked out when it is first asked for."""

    song: Song
    index: int

    @cached_property
    def track(self) -> Track:
        return self.song.tracks[self.index]

    @cached_property
    def monophony(self) -> float:
        """Time in which something sounds over the sum of all lengths: 1 for a line, 1/3 for triads."""
        return monophony(self.track.notes)

    @cached_property
    def coverage(self) -> float:
        """Share of the song's spans of four quarters in which a note starts."""
        return _distinct(self.track.notes.start // 4) / math.ceil(self.song.end / 4)

    @cached_property
    def sorted_pitches(self) -> NDArray[np.int64]:
        return np.sort(self.track.notes.pitch)

    @cached_property
    def pitch(self) -> float:
        """The median."""
        ordered = self.sorted_pitches
        return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2

    @cached_property
    def pitches(self) -> int:
        """How many different ones."""
        return _distinct(self.sorted_pitches)

    @cached_property
    def leap(self) -> float:
        """Mean interval from one onset's highest note to the next, in semitones."""
        return float(np.abs(np.diff(_tops(self.track.notes).pitch, prepend=self.track.notes.pitch[0])).mean())

    @cached_property
    def loudness(self) -> float:
        """Mean velocity, 0–1."""
        return float(self.track.notes.velocity.mean()) / 127

    @cached_property
    def earlier(self) -> float:
        """Share of the song's tracks that come after it."""
        return 1 - self.index / len(self.song.tracks)


NAME_MARKS = tuple(
    (re.compile(pattern, re.IGNORECASE), mark)
    for pattern, mark in (
        (r"back(ing|up)|\bbg|\bbv|harmon|choir|counter", -0.5),
        (r"(melod|voc|vox|\bsing|tune|theme|soprano|canto|gesang|chant)\w*", 1.0),
        (r"bass(?!oon|et)|drum|perc|chord|pad\b|\bcomp|rhythm|left|\blh\b|\barp|\bfx\b|effect|echo|timpani", -1.0),
        (r"lead|solo|voice|right|\brh\b", 0.5),
    )
)  # the first pattern found in a name counts
PROGRAM_MARKS = (
    (range(32, 40), -1.0),  # basses
    (range(44, 56), -0.3),  # ensembles, timpani, orchestra hit
    (range(88, 104), -0.5),  # pads and effects
    (range(112, 128), -1.0),  # percussion and sound effects
)
REGISTER = (36, 48, 60, 84, 100), (-1.0, -0.3, 1.0, 1.0, -0.5)  # median pitch → mark, linear in between
ENOUGH_PITCHES = 8  # a tune has more than an ostinato; beyond an octave of a scale there is no more to gain
CHORDAL = 0.9  # monophony below which `why` mentions the skyline
BEHIND, PLAYS_ON, ENOUGH_TO_VARY = 2.0, 0.25, 4  # marks, share of the song, pitches: what makes a further tune


@lru_cache(maxsize=1024)
def _named(name: str) -> tuple[float, str]:
    """The mark of a track's name and the word that earned it."""
    return next(((mark, found[0]) for pattern, mark in NAME_MARKS if (found := pattern.search(name))), (0.0, ""))


MARKS: tuple[tuple[float, Callable[[_Candidate], float]], ...] = (
    (2.5, lambda c: _named(c.track.name)[0]),
    (1.5, lambda c: c.monophony),
    (1.0, lambda c: float(np.interp(c.pitch, *REGISTER))),
    (1.0, lambda c: 1 - min(c.leap / 12, 1.0)),
    (1.0, lambda c: c.loudness),
    (0.5, lambda c: next((mark for programs, mark in PROGRAM_MARKS if c.track.program in programs), 0.0)),
    (0.5, lambda c: c.coverage),
    (0.5, lambda c: min(c.pitches / ENOUGH_PITCHES, 1.0)),
    (0.5, lambda c: c.earlier),
)  # weight, mark


def melody_line(song: Song, track: int | str | None = None) -> MelodyLine:
    """The tune of a song: the best track's line, or that of `track`, an index in `song.tracks` or a part of a name.

    A text of digits is an index; of several tracks whose name holds the text (in any case) the best counts.
    `NoMelody` if the song has no notes, has only drums, or has no such track.
    """
    melodic = [i for i, t in enumerate(song.tracks) if len(t.notes) and not t.is_drum]
    if not melodic:
        reason = "only drums" if any(len(t.notes) for t in song.tracks) else "no notes"
        raise NoMelody(reason, "expected a track with notes that is not a drum track (drums take a model of drums)")
    asked_for = melodic if track is None else matching(song, melodic, track)
    if not asked_for:
        tracks = described(song, melodic)
        raise NoMelody(f'no melodic track "{track}"', f"expected an index or a part of a name of: {tracks}")
    candidates = [_Candidate(song, index) for index in asked_for]
    best = max(candidates, key=_score) if len(candidates) > 1 else candidates[0]
    return _line(best, len(melodic) - 1, track is not None)


def melody_lines(song: Song, among: Sequence[int], track: int | str | None = None) -> tuple[MelodyLine, ...]:
    """The tunes of a song among some of its tracks, all with notes and none of drums, the best first.

    The best is always one; of the others those that are lines, play through the song, and are nearly as like a tune.
    With `track` it is the best of those that it means, and no other. Empty if there are none.
    """
    asked_for = among if track is None else matching(song, among, track)
    ranked = sorted((_Candidate(song, index) for index in asked_for), key=_score, reverse=True)
    as_good = [c for c in ranked[1:] if _is_line(c) and _score(c) > _score(ranked[0]) - BEHIND] if track is None else []
    return tuple(_line(each, len(among) - 1, track is not None) for each in ranked[:1] + as_good)


def skyline(notes: Notes) -> Notes:
    """The highest note at each onset, each cut where the next starts; notes under a higher one are left out.

    A note lies under a higher one that sounds for more than half of it, or that is not yet half over. So a legato whose
    notes overlap a little stays whole, in both directions.
    """
    line = _tops(notes)
    line = line.select(~_is_under(line))
    end = np.minimum(line.end, np.append(line.start[1:], np.inf)[: len(line)])
    return Notes(line.pitch, line.velocity, line.start, end)


def _is_line(candidate: _Candidate) -> bool:
    return candidate.monophony >= CHORDAL and candidate.coverage >= PLAYS_ON and candidate.pitches >= ENOUGH_TO_VARY


def _line(found: _Candidate, rivals: int, asked_for: bool) -> MelodyLine:
    why = _why(found, rivals, asked_for=asked_for)
    return MelodyLine(skyline(found.track.notes), found.index, found.track.name, found.track.program, why)


def _is_under(line: Notes) -> NDArray[np.bool_]:
    under = np.zeros(len(line), bool)
    if (line.end[:-1] <= line.start[1:]).all():
        return under
    middle = (line.start + line.end) / 2
    for pitch in np.unique(line.pitch):
        higher, own = line.pitch > pitch, line.pitch == pitch
        latest_end = np.maximum.accumulate(np.where(higher, line.end, 0.0))
        latest_middle = np.maximum.accumulate(np.where(higher, middle, 0.0))
        under |= own & ((latest_end > middle) | (latest_middle > line.start))
    return under


def _distinct(ordered: NDArray[np.float64] | NDArray[np.int64]) -> int:
    """How many different values there are in an array that is sorted and not empty."""
    return 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))


def _tops(notes: Notes) -> Notes:
    """The highest note of each onset: the last row of each start."""
    return notes.select(np.append(notes.start[1:] != notes.start[:-1], True)[: len(notes)])


def monophony(notes: Notes) -> float:
    """Time in which something sounds over the sum of all lengths: 1 for a line, 1/3 for triads."""
    latest = np.append(0.0, np.maximum.accumulate(notes.end)[:-1])
    sounding = np.maximum(notes.end - np.maximum(notes.start, latest), 0).sum()
    return float(sounding / (notes.end - notes.start).sum())


def _score(candidate: _Candidate) -> float:
    return sum(weight * mark(candidate) for weight, mark in MARKS)


def _why(best: _Candidate, rivals: int, *, asked_for: bool) -> str:
    """For example: named melody, 98 % monophonic, around C5."""
    mark, word = _named(best.track.name)
    choices = (
        (asked_for, "asked for"),
        (not rivals, "the only melodic track"),
        (mark > 0, f"named {word.lower()}"),
        (True, f"most like a tune of {rivals + 1} tracks"),
    )
    reasons = [
        next(reason for holds, reason in choices if holds),
        f"{100 * best.monophony:.0f} % monophonic",
        f"around {PITCH_NAMES[int(best.pitch) % 12]}{int(best.pitch) // 12 - 1}",
    ]
    chords = ["highest notes of its chords"] if best.monophony < CHORDAL else []
    return ", ".join(reasons + chords)
