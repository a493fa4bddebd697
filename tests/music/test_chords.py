"""Chords: their names, and which one sounds when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.chords import CHORDS, NONE, chord, chords, estimate, held, moved, song_chords, spans, triad
from musicvae_lite.music.midi import read, write
from musicvae_lite.music.notes import COMMON_TIME, Marker, Meter, MeterChange, Notes, Song, Track


def names(*numbers: int) -> list[str]:
    return [CHORDS[number] for number in numbers]


def song(*bars: tuple[int, ...], markers: tuple[Marker, ...] = (), name: str = "") -> Song:
    """The pitches of each bar of 4/4, held through it."""
    rows = [(pitch, 80, 4.0 * i, 4.0 * i + 4) for i, bar in enumerate(bars) for pitch in bar]
    return Song((Track(Notes.of(rows), name),), markers=markers)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        *(
            ("C", "C"),
            ("Am", "Am"),
            ("F#m", "F#m"),
            ("Gb", "F#"),
            ("D#", "Eb"),
            ("B#", "C"),
            ("Cb", "B"),
            ("E♭m", "Ebm"),
        ),
        *(("G7", "G"), ("Cmaj7", "C"), ("Dm7", "Dm"), ("Dmin7", "Dm"), ("FM7", "F"), ("Asus4", "A"), ("Eadd9", "E")),
        *(("Bdim", "Bm"), ("Bm7b5", "Bm"), ("Caug", "C"), ("C6/9", "C"), ("C/E", "C"), ("Am/G", "Am"), ("A-", "Am")),
        *(("N.C.", "none"), ("none", "none"), (" C ", "C")),
    ],
)
def test_a_name_is_read_as_its_triad(text: str, name: str) -> None:
    assert CHORDS[chord(text)] == name


@pytest.mark.parametrize("text", ["H", "c", "Cx", "verse 1", "1 of 8", "", "G7 C", "#"])
def test_what_cannot_be_read_is_said_with_what_can(text: str) -> None:
    with pytest.raises(MusicVAEError, match=r"expected a root C … B with # or b and, if it is minor, m"):
        chord(text)


def test_every_chord_is_read_by_its_own_name() -> None:
    assert [chord(name) for name in CHORDS] == list(range(25))


def test_a_line_of_chords_is_read_with_or_without_bars() -> None:
    assert [names(*bar) for bar in chords(" C G Am  F")] == [["C"], ["G"], ["Am"], ["F"]]
    assert [names(*bar) for bar in chords("| C G | Am F G |")] == [["C", "G"], ["Am", "F", "G"]]
    with pytest.raises(MusicVAEError, match="no chord in '  '"):
        chords("  ")


@given(st.integers(1, 24), st.integers(-30, 30))
def test_a_chord_moves_as_its_notes_do_and_none_stays(number: int, semitones: int) -> None:
    to = int(moved(np.array([number]), np.array([semitones]))[0])
    assert {(p + semitones) % 12 for p in triad(number)} == {p % 12 for p in triad(to)}
    assert moved(np.array([NONE]), np.array([semitones])) == NONE


@pytest.mark.parametrize("number", range(1, 25))
def test_a_triad_is_heard_as_itself_in_any_position(number: int) -> None:
    low, middle, high = triad(number)
    played = Notes.of(
        [(middle - 12, 80, 0.0, 4.0), (low + 12, 80, 0.0, 4.0), (high, 80, 1.0, 3.0), (low, 80, 0.0, 4.0)]
    )
    assert estimate([played], np.array([0.0, 4.0])).tolist() == [number]


def test_each_span_has_the_chord_that_sounds_longest_in_it_and_silence_has_none() -> None:
    notes = Notes.of([(p, 80, 0.0, 5.0) for p in (60, 64, 67)] + [(p, 80, 5.0, 8.0) for p in (57, 60, 65)])
    assert names(*estimate([notes], np.array([0.0, 4.0, 8.0, 12.0]))) == ["C", "F", "none"]


def test_a_cluster_is_no_chord() -> None:
    cluster = Notes.of((60 + p, 80, 0.0, 4.0) for p in range(12))
    assert estimate([cluster], np.array([0.0, 4.0])).tolist() == [NONE]


@pytest.mark.parametrize(("meter", "quarters"), [(COMMON_TIME, 2.0), (Meter(3, 4), 3.0), (Meter(6, 8), 1.5)], ids=str)
def test_chords_change_by_half_bars_and_by_bars_of_an_odd_meter(meter: Meter, quarters: float) -> None:
    line = Track(Notes.of([(60, 80, 0.0, 12.0)]))
    np.testing.assert_array_equal(spans(Song((line,), meters=(MeterChange(0.0, meter),))), np.arange(0, 12.1, quarters))


def test_markers_that_are_chords_go_before_what_is_played() -> None:
    found, why = song_chords(song((60, 64, 67), markers=(Marker(0.0, "Am"), Marker(2.0, "F7"))), [0])
    assert why == "2 as the markers name them"
    assert found == held([0.0, 2.0, 4.0], [chord("Am"), chord("F")])


def test_markers_that_are_parts_are_left_alone() -> None:
    _, why = song_chords(
        song((60, 64, 67), markers=(Marker(0.0, "verse"), Marker(2.0, "A"), Marker(3.0, "chorus"))), [0]
    )
    assert why == "as track 0 plays them"


def test_markers_that_could_be_chords_but_are_far_apart_are_parts() -> None:
    parts = (Marker(0.0, "A"), Marker(16.0, "B"), Marker(32.0, "A"))
    assert song_chords(song(*[(60, 64, 67)] * 12, markers=parts), [0])[1] == "as track 0 plays them"


def test_a_track_named_chords_goes_before_all_others() -> None:
    one, other = song((60, 64, 67)).tracks[0], song((57, 60, 64), name="Chords").tracks[0]
    found, why = song_chords(Song((one, other)), [0, 1])
    assert (why, found) == ("as track 1 plays them", held([0.0, 4.0], [chord("Am")]))


def test_a_song_of_one_line_has_no_chords() -> None:
    found, why = song_chords(song((60,)), [])
    assert (len(found), why) == (0, "none to be found")


def test_a_song_reads_back_with_its_markers(tmp_path: Path) -> None:
    path = tmp_path / "marked.mid"
    marked = song((60, 64, 67), markers=(Marker(0.0, "C"), Marker(2.5, "Am")))
    write(marked, path)
    assert read(path) == marked
