"""Writes data/examples/*.mid: melodies in the public domain, entered by hand below.

    python scripts/write_examples.py [FOLDER]

Notation: bars end with `|`; `c#4:1.5` is a pitch (c4 is middle C, MIDI 60) and its length in quarter notes, and a note
without a length has the one before it. `r` is a rest; `~` goes on with the note before it, over a bar line. Every bar
is full: an upbeat is a whole bar that begins with a rest, so that bar lines in the file are where they belong.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

from musicvae_lite.music import midi
from musicvae_lite.music.notes import Meter, MeterChange, Note, Notes, Song, TempoChange, Track

FOLDER = Path(__file__).parent.parent / "data" / "examples"
SEMITONES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
ACCIDENTALS = {"#": 1, "b": -1, "": 0}
SYMBOL = re.compile(r"(?:(?P<step>[a-g])(?P<accidental>[#b]?)(?P<octave>\d)|(?P<other>[r~]))(?::(?P<length>[\d.]+))?")
ACCENT = 10  # velocity that the first beat of a bar has more
FOUR, THREE, SIX = Meter(4, 4), Meter(3, 4), Meter(6, 8)
PIANO, HARPSICHORD, MUSIC_BOX, ACCORDION, GUITAR, VIOLIN, CELLO, STRINGS = 0, 6, 10, 21, 24, 40, 42, 48
TRUMPET, OBOE, CLARINET, PICCOLO, FLUTE, BANJO = 56, 68, 71, 72, 73, 105


class Tune(NamedTuple):
    """A melody: file name, title and origin, meter, quarter notes a minute, velocity, program, and the bars."""

    slug: str
    title: str
    meter: Meter
    qpm: float
    velocity: int
    program: int
    bars: str


TUNES = (
    Tune(
        "ah_vous_dirai_je",
        "Ah ! vous dirai-je, maman (France, 1761)",
        FOUR,
        112,
        84,
        PIANO,
        """
        c4:1 c4 g4 g4 | a4 a4 g4:2 | f4:1 f4 e4 e4 | d4 d4 c4:2 |
        g4:1 g4 f4 f4 | e4 e4 d4:2 | g4:1 g4 f4 f4 | e4 e4 d4:2 |
        c4:1 c4 g4 g4 | a4 a4 g4:2 | f4:1 f4 e4 e4 | d4 d4 c4:2 |
        """,
    ),
    Tune(
        "frere_jacques",
        "Frère Jacques (France, 18th century)",
        FOUR,
        120,
        80,
        CLARINET,
        """
        f4:1 g4 a4 f4 | f4 g4 a4 f4 | a4 bb4 c5:2 | a4:1 bb4 c5:2 |
        c5:.5 d5 c5 bb4 a4:1 f4 | c5:.5 d5 c5 bb4 a4:1 f4 | f4 c4 f4:2 | f4:1 c4 f4:2 |
        """,
    ),
    Tune(
        "ode_to_joy",
        "Ode to Joy (Ludwig van Beethoven, 1824)",
        FOUR,
        132,
        88,
        STRINGS,
        """
        f#4:1 f#4 g4 a4 | a4 g4 f#4 e4 | d4 d4 e4 f#4 | f#4:1.5 e4:.5 e4:2 |
        f#4:1 f#4 g4 a4 | a4 g4 f#4 e4 | d4 d4 e4 f#4 | e4:1.5 d4:.5 d4:2 |
        e4:1 e4 f#4 d4 | e4 f#4:.5 g4 f#4:1 d4 | e4 f#4:.5 g4 f#4:1 e4 | d4 e4 a3 f#4 |
        ~ f#4 g4 a4 | a4 g4 f#4 e4 | d4 d4 e4 f#4 | e4:1.5 d4:.5 d4:2 |
        """,
    ),
    Tune(
        "auld_lang_syne",
        "Auld Lang Syne (Scotland, 1799)",
        FOUR,
        96,
        78,
        CELLO,
        """
        r:3 c4:1 |
        f4:1.5 f4:.5 f4:1 a4 | g4:1.5 f4:.5 g4:1 a4 | f4:1.5 f4:.5 a4:1 c5 | d5:3 d5:1 |
        c5:1.5 a4:.5 a4:1 f4 | g4:1.5 f4:.5 g4:1 a4 | f4:1.5 d4:.5 d4:1 c4 | f4:3 d5:1 |
        c5:1.5 a4:.5 a4:1 f4 | g4:1.5 f4:.5 g4:1 d5 | c5:1.5 a4:.5 a4:1 c5 | d5:3 d5:1 |
        c5:1.5 a4:.5 a4:1 f4 | g4:1.5 f4:.5 g4:1 a4 | f4:1.5 d4:.5 d4:1 c4 | f4:3 r:1 |
        """,
    ),
    Tune(
        "oh_susanna",
        "Oh! Susanna (Stephen Foster, 1848)",
        FOUR,
        168,
        92,
        BANJO,
        """
        r:3 c4:.5 d4 |
        e4:1 g4 g4:1.5 a4:.5 | g4:1 e4 c4:1.5 d4:.5 | e4:1 e4 d4 c4 | d4:3 c4:.5 d4 |
        e4:1 g4 g4:1.5 a4:.5 | g4:1 e4 c4:1.5 d4:.5 | e4:1 e4 d4 d4 | c4:4 |
        f4:2 f4 | a4:1 a4:2 a4:1 | g4 g4 e4 c4 | d4:3 c4:.5 d4 |
        e4:1 g4 g4:1.5 a4:.5 | g4:1 e4 c4:1.5 d4:.5 | e4:1 e4 d4 d4 | c4:4 |
        """,
    ),
    Tune(
        "when_the_saints",
        "When the Saints Go Marching In (United States, 19th century)",
        FOUR,
        184,
        98,
        TRUMPET,
        """
        r:1 c4 e4 f4 |
        g4:4 | ~:1 c4 e4 f4 | g4:4 | ~:1 c4 e4 f4 |
        g4:2 e4 | c4 e4 | d4:4 | ~:1 e4 e4 d4 |
        c4:3 c4:1 | e4:2 g4:1 g4 | g4 f4:3 | ~:2 e4:1 f4 |
        g4:2 e4 | c4 d4 | c4:4 | ~:3 r:1 |
        """,
    ),
    Tune(
        "drunken_sailor",
        "Drunken Sailor (sea shanty, early 19th century)",
        FOUR,
        144,
        94,
        ACCORDION,
        """
        a4:1 a4:.5 a4 a4:1 a4:.5 a4 | a4:1 d4 f4 a4 | g4 g4:.5 g4 g4:1 g4:.5 g4 | g4:1 c4 e4 g4 |
        a4 a4:.5 a4 a4:1 a4:.5 a4 | a4:1 b4 c5 d5 | c5 a4 g4 e4 | d4:2 d4 |
        a4 a4:1.5 a4:.5 | a4:1 d4 f4 a4 | g4:2 g4:1.5 g4:.5 | g4:1 c4 e4 g4 |
        a4:2 a4:1.5 a4:.5 | a4:1 b4 c5 d5 | c5 a4 g4 e4 | d4:2 d4 |
        """,
    ),
    Tune(
        "amazing_grace",
        "Amazing Grace, New Britain (United States, 1829)",
        THREE,
        80,
        74,
        OBOE,
        """
        r:2 d4:1 |
        g4:2 b4:.5 g4 | b4:2 a4:1 | g4:2 e4:1 | d4:2 d4:1 |
        g4:2 b4:.5 g4 | b4:2 a4:1 | d5:3 | ~:2 b4:1 |
        d5:1.5 b4:.5 d5 b4 | g4:2 d4:1 | e4:1.5 g4:.5 g4 e4 | d4:2 d4:1 |
        g4:2 b4:.5 g4 | b4:2 a4:1 | g4:3 | ~:2 r:1 |
        """,
    ),
    Tune(
        "scarborough_fair",
        "Scarborough Fair (England, traditional)",
        THREE,
        108,
        72,
        GUITAR,
        """
        d4:2 d4:1 | a4 a4 a4 | e4:1.5 f4:.5 e4:1 | d4:3 |
        r:1 a4 c5 | d5:2 c5:1 | a4 b4 g4 | a4:3 |
        r:2 d5:1 | d5:2 d5:1 | c5:2 a4:1 | a4 g4 f4 |
        e4 c4:2 | d4 a4:1 | g4:2 f4:1 | e4 d4 c4 |
        d4:3 |
        """,
    ),
    Tune(
        "clementine",
        "Oh My Darling, Clementine (United States, 1884)",
        THREE,
        116,
        82,
        HARPSICHORD,
        """
        r:2 f4:.75 f4:.25 |
        f4:1 c4 a4:.75 a4:.25 | a4:1 f4 f4:.75 a4:.25 | c5:1 c5 bb4:.75 a4:.25 | g4:2 g4:.75 a4:.25 |
        bb4:1 bb4 a4:.75 g4:.25 | a4:1 f4 f4:.75 a4:.25 | g4:1 c4 e4:.75 g4:.25 | f4:2 r:1 |
        """,
    ),
    Tune(
        "greensleeves",
        "Greensleeves (England, 1580)",
        SIX,
        84,
        76,
        FLUTE,
        """
        r:2.5 a4:.5 |
        c5:1 d5:.5 e5:.75 f#5:.25 e5:.5 | d5:1 b4:.5 g4:.75 a4:.25 b4:.5 |
        c5:1 a4:.5 a4:.75 g#4:.25 a4:.5 | b4:1 g#4:.5 e4:1 a4:.5 |
        c5:1 d5:.5 e5:.75 f#5:.25 e5:.5 | d5:1 b4:.5 g4:.75 a4:.25 b4:.5 |
        c5:.75 b4:.25 a4:.5 g#4:.75 f#4:.25 g#4:.5 | a4:3 |
        g5:1.5 g5:.75 f#5:.25 e5:.5 | d5:1 b4:.5 g4:.75 a4:.25 b4:.5 |
        c5:1 a4:.5 a4:.75 g#4:.25 a4:.5 | b4:1 g#4:.5 e4:1.5 |
        g5 g5:.75 f#5:.25 e5:.5 | d5:1 b4:.5 g4:.75 a4:.25 b4:.5 |
        c5:.75 b4:.25 a4:.5 g#4:.75 f#4:.25 g#4:.5 | a4:3 |
        """,
    ),
    Tune(
        "row_your_boat",
        "Row, Row, Row Your Boat (United States, 1881)",
        SIX,
        132,
        86,
        VIOLIN,
        """
        c4:1.5 c4 | c4:1 d4:.5 e4:1.5 | e4:1 d4:.5 e4:1 f4:.5 | g4:3 |
        c5:.5 c5 c5 g4 g4 g4 | e4 e4 e4 c4 c4 c4 | g4:1 f4:.5 e4:1 d4:.5 | c4:3 |
        """,
    ),
    Tune(
        "pop_goes_the_weasel",
        "Pop Goes the Weasel (England, 1853)",
        SIX,
        160,
        90,
        PICCOLO,
        """
        r:2.5 g4:.5 |
        c5:1 c5:.5 d5:1 d5:.5 | e5 g5 e5 c5:1 g4:.5 | c5:1 c5:.5 d5:1 d5:.5 | e5:1.5 c5:1 g4:.5 |
        c5:1 c5:.5 d5:1 d5:.5 | e5 g5 e5 c5:1.5 | a5 d5:1 f5:.5 | e5:1.5 c5 |
        """,
    ),
    Tune(
        "silent_night",
        "Stille Nacht (Franz Xaver Gruber, 1818)",
        SIX,
        66,
        64,
        MUSIC_BOX,
        """
        g4:.75 a4:.25 g4:.5 e4:1.5 | g4:.75 a4:.25 g4:.5 e4:1.5 | d5:1 d5:.5 b4:1.5 | c5:1 c5:.5 g4:1.5 |
        a4:1 a4:.5 c5:.75 b4:.25 a4:.5 | g4:.75 a4:.25 g4:.5 e4:1.5 |
        a4:1 a4:.5 c5:.75 b4:.25 a4:.5 | g4:.75 a4:.25 g4:.5 e4:1.5 |
        d5:1 d5:.5 f5:.75 d5:.25 b4:.5 | c5:1.5 e5 | c5:.75 g4:.25 e4:.5 g4:.75 f4:.25 d4:.5 | c4:3 |
        """,
    ),
)


def notes(tune: Tune) -> Notes:
    """The notes of a tune; an assertion fails with the number of the first bar that is not full."""
    line: list[Note] = []
    time, length = 0.0, 0.0
    bar = tune.meter.bar_quarters
    for number, symbols in enumerate(tune.bars.strip().removesuffix("|").split("|"), start=1):
        for symbol in symbols.split():
            found = SYMBOL.fullmatch(symbol)
            assert found, f"{tune.slug}, bar {number}: {symbol!r} is no note"
            length = float(found["length"] or length)
            if found["other"] == "~":
                line[-1] = line[-1]._replace(end=time + length)
            elif found["step"]:
                pitch = 12 * (int(found["octave"]) + 1) + SEMITONES[found["step"]] + ACCIDENTALS[found["accidental"]]
                line.append(Note(pitch, tune.velocity + ACCENT * (time % bar == 0), time, time + length))
            time += length
        assert time == number * bar, f"{tune.slug}, bar {number} ends at {time}, expected {number * bar}"
    return Notes.of(line)


def song(tune: Tune) -> Song:
    """A tune as a song of one track."""
    track = Track(notes(tune), tune.title, tune.program)
    return Song((track,), (TempoChange(0.0, tune.qpm),), (MeterChange(0.0, tune.meter),))


def write_all(folder: Path) -> list[Path]:
    """Write every tune as <slug>.mid; the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{tune.slug}.mid" for tune in TUNES]
    for tune, path in zip(TUNES, paths, strict=True):
        midi.write(song(tune), path)
    return paths


if __name__ == "__main__":
    for written in write_all(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(written)
