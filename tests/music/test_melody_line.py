"""Which track is the tune, and the line of single notes that is made of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae_lite.music.melody_line import MelodyLine, NoMelody, melody_line, skyline
from musicvae_lite.music.notes import Note, Notes, Song, Track

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def line(pitches: tuple[int, ...] = SCALE, length: float = 1.0, velocity: int = 80) -> Notes:
    return Notes.of((p, velocity, i * length, (i + 1) * length) for i, p in enumerate(pitches))


def chords(root: int = 60) -> Notes:
    return Notes.of((root + p, 80, start, start + 1.0) for start in range(8) for p in (0, 4, 7))


TUNE, CHORDS, BASS = Track(line()), Track(chords()), Track(line((36, 36, 43, 43, 36, 36, 43, 36)), program=33)
DRUMS = Track(line((38,) * 8), is_drum=True)


def rows(notes: Notes) -> list[tuple[int, float, float]]:
    return [(n.pitch, n.start, n.end) for n in notes]


def named(track: Track, name: str) -> Track:
    return Track(track.notes, name, track.program, track.is_drum)


# --- which track ----------------------------------------------------------------------------------------------------


def test_among_chords_bass_and_drums_the_tune_is_the_line_in_the_middle_register() -> None:
    assert melody_line(Song((DRUMS, BASS, CHORDS, TUNE))).track == 3
    assert melody_line(Song((TUNE, CHORDS, BASS, DRUMS))).track == 0


@pytest.mark.parametrize("name", ["MELODY", "Lead Vocals", "Voice", "theme", "Vox 1"])
def test_a_name_decides_between_tracks_that_are_alike(name: str) -> None:
    assert melody_line(Song((TUNE, named(TUNE, name), TUNE))).track == 1


@pytest.mark.parametrize("name", ["Bass", "Warm Pad", "Backing Vocals", "Rhythm Gtr"])
def test_a_name_can_speak_against_a_track(name: str) -> None:
    assert melody_line(Song((named(TUNE, name), TUNE))).track == 1


def test_three_stray_notes_are_no_tune_beside_one_that_goes_all_through() -> None:
    assert melody_line(Song((Track(line((72, 74, 72))), Track(line(SCALE * 4))))).track == 1


@pytest.mark.parametrize("program", [40, 73, 56, 52, 0])
def test_any_instrument_can_play_the_tune(program: int) -> None:
    found = melody_line(Song((Track(line(), "x", program),)))
    assert found == MelodyLine(line(), 0, "x", program, "the only melodic track, 100 % monophonic, around F♯4")


def test_a_single_note_and_rests_at_either_end_are_a_tune() -> None:
    one = Notes.of([(60, 80, 7.0, 8.0)])
    assert melody_line(Song((Track(one), Track(Notes.of([]))))).notes == one


def test_why_is_a_phrase_to_print() -> None:
    why = melody_line(Song((named(TUNE, "Lead Vocals"), CHORDS))).why
    assert why == "named vocals, 100 % monophonic, around F♯4"
    assert melody_line(Song((TUNE, BASS))).why.startswith("most like a tune of 2 tracks")
    assert melody_line(Song((CHORDS,))).why.endswith("33 % monophonic, around E4, highest notes of its chords")


# --- asked for ------------------------------------------------------------------------------------------------------

BAND = Song(
    (named(TUNE, "Flute"), named(BASS, "E-Bass"), named(CHORDS, "Piano left"), named(TUNE, "Piano right"), DRUMS)
)


@pytest.mark.parametrize(("track", "index"), [(1, 1), ("1", 1), ("e-bass", 1), ("LEFT", 2), ("piano", 3)])
def test_a_track_is_asked_for_by_index_or_a_part_of_its_name(track: int | str, index: int) -> None:
    found = melody_line(BAND, track)
    assert found.track == index
    assert "asked for" in found.why


@pytest.mark.parametrize("track", ["oboe", 4, 5, -1])
def test_a_track_that_is_not_there_lists_those_that_are(track: int | str) -> None:
    with pytest.raises(NoMelody) as caught:
        melody_line(BAND, track)
    assert caught.value.reason == f'no melodic track "{track}"'
    assert '0 "Flute" (program 0, 8 notes); 1 "E-Bass" (program 33, 8 notes); 2 "Piano left"' in str(caught.value)


def test_without_a_melodic_note_there_is_a_reason() -> None:
    with pytest.raises(NoMelody) as caught:
        melody_line(Song((DRUMS,)))
    assert caught.value.reason == "only drums"
    for song in (Song(()), Song((Track(Notes.of([])),))):
        with pytest.raises(NoMelody) as caught:
            melody_line(song)
        assert caught.value.reason == "no notes"


# --- the line -------------------------------------------------------------------------------------------------------


def test_of_a_chord_the_highest_note_is_the_line() -> None:
    assert rows(skyline(chords())) == [(67, float(i), i + 1.0) for i in range(8)]


def test_a_note_is_cut_where_the_next_one_starts() -> None:
    assert rows(skyline(Notes.of([(60, 80, 0, 3), (64, 80, 1, 2)]))) == [(60, 0, 1), (64, 1, 2)]


def test_what_moves_under_a_held_note_is_not_the_line() -> None:
    accompaniment = [(48, 80, start / 2, start / 2 + 0.5) for start in range(1, 8)]
    assert rows(skyline(Notes.of([(72, 80, 0, 4), *accompaniment]))) == [(72, 0, 4)]


def test_a_legato_that_overlaps_a_little_stays_whole_up_and_down() -> None:
    up_and_down = [(60, 80, 0, 1.1), (64, 80, 1, 2.1), (60, 80, 2, 3.1), (57, 80, 3, 4)]
    assert rows(skyline(Notes.of(up_and_down))) == [(60, 0, 1), (64, 1, 2), (60, 2, 3), (57, 3, 4)]


def test_rests_in_a_line_stay() -> None:
    notes = Notes.of([(60, 80, 1, 1.5), (62, 80, 3, 4)])
    assert skyline(notes) == notes


some_notes = st.lists(
    st.builds(
        lambda pitch, start, length: Note(pitch, 80, start / 4, (start + length) / 4),
        st.integers(30, 90),
        st.integers(0, 60),
        st.integers(1, 20),
    ),
    max_size=30,
).map(Notes.of)


def slow_skyline(notes: Notes) -> list[Note]:
    """The definition, note by note."""
    tops = [n for n in notes if not any(m.start == n.start and m.pitch > n.pitch for m in notes)]
    tops = list({n.start: n for n in tops}.values())
    middle = {n: (n.start + n.end) / 2 for n in tops}
    seen = [
        n
        for n in tops
        if not any(m.start < n.start and m.pitch > n.pitch and (m.end > middle[n] or middle[m] > n.start) for m in tops)
    ]
    ends = [n.start for n in seen[1:]] + [float("inf")]
    return [n._replace(end=min(n.end, end)) for n, end in zip(seen, ends, strict=False)]


@given(some_notes)
def test_the_skyline_is_what_its_definition_says(notes: Notes) -> None:
    assert list(skyline(notes)) == slow_skyline(notes)


@given(some_notes)
def test_one_note_sounds_at_a_time_and_none_appears_from_nowhere(notes: Notes) -> None:
    found = skyline(notes)
    assert all(a.end <= b.start for a, b in zip(list(found), list(found)[1:], strict=False))
    assert all(n.end > n.start for n in found)
    assert {(n.pitch, n.start) for n in found} <= {(n.pitch, n.start) for n in notes}
    assert bool(len(found)) == bool(len(notes))
