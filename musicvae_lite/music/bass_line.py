"""Which track of a song is the bass, and its notes as a line in which one note sounds at a time.

A bass says so by its program (General MIDI 33–40, here 32–39) or by its name; failing both it is a line that lies low.
Of several, marks for program, name, depth, monophony and how much of the song it plays decide. Chords are reduced to
their lowest notes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from musicvae_lite.music.melody_line import MelodyLine, monophony, skyline
from musicvae_lite.music.notes import Notes, Song, Track

PROGRAMS = range(32, 40)
NAME = re.compile(r"bass(?!oon|et)|\bbs\b|kontrab|contrab", re.IGNORECASE)
LOW = 48  # median pitch below which a line is a bass whatever it is called: C3
DEPTH = (28, 40, 60, 72), (0.5, 1.0, 0.0, -1.0)  # median pitch → mark, linear in between
LINE = 0.8  # monophony
PLAYS_ON = 0.25  # coverage


def bass_line(song: Song, among: Sequence[int]) -> MelodyLine | None:
    """The bass of a song among some of its tracks, all with notes and none of drums; None where none is a bass."""
    basses = [index for index in among if _is_bass(song.tracks[index])]
    if not basses:
        return None
    best = max(basses, key=lambda index: _score(song, song.tracks[index]))
    track = song.tracks[best]
    return MelodyLine(lowest(track.notes), best, track.name, track.program, _why(track))


def left_hand(song: Song, among: Sequence[int]) -> MelodyLine | None:
    """What stands in for a bass where none of the tracks is one: the low notes of the track that has most, as a line.

    None where they are too few to go through the song.
    """
    low = {index: song.tracks[index].notes.select(song.tracks[index].notes.pitch < LOW) for index in among}
    if not low:
        return None
    best = max(low, key=lambda index: len(low[index]))
    if not len(low[best]) or _coverage(song, low[best]) < PLAYS_ON:
        return None
    track = song.tracks[best]
    return MelodyLine(lowest(low[best]), best, track.name, track.program, "its lowest notes")


def lowest(notes: Notes) -> Notes:
    """The lowest note at each onset, each cut where the next starts: the `skyline` seen from below."""
    line = skyline(_mirrored(notes))
    return Notes(127 - line.pitch, line.velocity, line.start, line.end)


def _mirrored(notes: Notes) -> Notes:
    mirrored = Notes(127 - notes.pitch, notes.velocity, notes.start, notes.end)
    return mirrored.select(np.lexsort((mirrored.pitch, mirrored.start)))


def _is_bass(track: Track) -> bool:
    low = float(np.median(track.notes.pitch)) < LOW and monophony(track.notes) >= LINE
    return track.program in PROGRAMS or NAME.search(track.name) is not None or low


def _score(song: Song, track: Track) -> float:
    depth = float(np.interp(np.median(track.notes.pitch), *DEPTH))
    coverage = _coverage(song, track.notes)
    declared = (track.program in PROGRAMS) + (NAME.search(track.name) is not None)
    return 2 * declared + depth + monophony(track.notes) + 2 * coverage


def _coverage(song: Song, notes: Notes) -> float:
    """Share of the song's spans of four quarters in which a note starts."""
    return len(np.unique(notes.start // 4)) / math.ceil(song.end / 4)


def _why(track: Track) -> str:
    named = NAME.search(track.name)
    choices = ((track.program in PROGRAMS, "bass by its program"), (named, "named bass"), (True, "a low line"))
    return next(reason for holds, reason in choices if holds)
