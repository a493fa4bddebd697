"""Which track is the bass, and the line of its lowest notes."""

from __future__ import annotations

import numpy as np
import pytest

from musicvae_lite.music.bass_line import bass_line, left_hand, lowest
from musicvae_lite.music.notes import Notes, Song, Track


def line(*pitches: int, times: int = 2) -> Notes:
    return Notes.of((p, 80, float(i), i + 1.0) for i, p in enumerate(pitches * times))


TUNE, DEEP = line(60, 62, 64, 65), line(36, 36, 43, 36)
CHORDS = Notes.of((root + p, 80, float(start), start + 1.0) for start, root in enumerate((48, 41)) for p in (0, 4, 7))


def chosen(*tracks: Track) -> int | None:
    found = bass_line(Song(tracks), range(len(tracks)))
    return None if found is None else found.track


@pytest.mark.parametrize("program", [32, 33, 39])
def test_a_program_makes_a_bass_of_any_line(program: int) -> None:
    assert chosen(Track(TUNE), Track(line(60, 55, 57, 60), program=program)) == 1


@pytest.mark.parametrize("name", ["Bass", "slap bass 2", "E-BASS", "Kontrabass"])
def test_a_name_makes_a_bass_of_any_line(name: str) -> None:
    assert chosen(Track(line(60, 55, 57, 60), name), Track(TUNE)) == 0


@pytest.mark.parametrize("name", ["bassoon", "Basset horn"])
def test_a_woodwind_is_no_bass_by_its_name(name: str) -> None:
    assert chosen(Track(TUNE, name)) is None


def test_a_line_that_lies_low_is_a_bass_whatever_it_is_called_and_chords_that_do_are_none() -> None:
    assert chosen(Track(TUNE), Track(DEEP, "synth", 81)) == 1
    low_chords = Notes(CHORDS.pitch - 12, CHORDS.velocity, CHORDS.start, CHORDS.end)
    assert chosen(Track(TUNE), Track(low_chords)) is None


def test_of_two_basses_the_one_that_plays_all_through_is_taken() -> None:
    assert chosen(Track(line(36, times=1), program=33), Track(line(*[38] * 16), program=33)) == 1


def test_the_reason_is_told() -> None:
    whys = []
    for track in (Track(DEEP, program=33), Track(DEEP, "Bass"), Track(DEEP)):
        found = bass_line(Song((track,)), [0])
        assert found is not None
        whys.append(found.why)
    assert whys == ["bass by its program", "named bass", "a low line"]


def test_the_lowest_notes_of_chords_are_the_line() -> None:
    found = lowest(CHORDS)
    np.testing.assert_array_equal(found.pitch, [48, 41])
    np.testing.assert_array_equal(found.start, [0, 1])


def test_a_line_is_its_own_lowest_notes() -> None:
    assert lowest(DEEP) == DEEP


def test_the_low_notes_of_a_piano_stand_in_for_a_bass() -> None:
    low = Notes.of((36 + (i % 2), 80, 2.0 * i, 2.0 * i + 1) for i in range(8))
    high = Notes.of((pitch, 80, float(i), i + 1.0) for i in range(16) for pitch in (60, 64))
    rows = sorted([*low, *high], key=lambda note: (note.start, note.pitch))
    song = Song((Track(high, "tune"), Track(Notes.of(rows), "piano")))
    found = left_hand(song, [0, 1])
    assert found is not None
    assert (found.track, found.notes) == (1, low)
    assert left_hand(song, [0]) is None
    assert left_hand(song, []) is None
    one_low = Song((Track(Notes.of([(36, 80, 0.0, 1.0), *((72, 80, float(i), i + 1.0) for i in range(1, 40))])),))
    assert left_hand(one_low, [0]) is None
