"""The chords' tokens, and melodies over them: given, in the key of the tune, back as triads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.chords import CHORDS, chord, triad
from musicvae_lite.music.notes import Notes, Song, Track
from musicvae_lite.music.voices import to_grid
from musicvae_lite.tokens import REPRESENTATIONS, chords, melody, representation
from musicvae_lite.tokens.chords import chart
from musicvae_lite.tokens.melody_chords import MELODY_CHORDS
from tests.tokens.test_melody import canonical

Ints = NDArray[np.int64]


def sequences(min_size: int = 0) -> st.SearchStrategy[Ints]:
    """Tokens [T, 1] of chords that stay for a while."""
    runs = st.lists(st.tuples(st.integers(0, 24), st.integers(1, 6)), min_size=min_size, max_size=8)
    return runs.map(lambda found: np.array([c for c, times in found for _ in range(times)], np.int64).reshape(-1, 1))


def song(*bars: str) -> Song:
    """A note a bar over chords, a bar of 4/4 each."""
    rows = [(p, 80, 4.0 * i, 4.0 * i + 4) for i, name in enumerate(bars) for p in triad(chord(name))]
    tune = Notes.of((72 + i, 80, 4.0 * i, 4.0 * i + 4) for i in range(len(bars)))
    return Song((Track(tune, "melody"), Track(Notes.of(rows), "piano")))


@given(sequences())
def test_encoding_gives_back_every_sequence_and_decoding_every_triad(tokens: Ints) -> None:
    notes = chords.decode(tokens)
    np.testing.assert_array_equal(chords.encode(notes, len(tokens)), tokens)
    assert chords.decode(chords.encode(notes, len(tokens))) == notes


@given(sequences(min_size=1), st.integers(0, 5), st.integers(1, 9))
def test_a_window_is_cut_as_it_is_and_no_chord_follows_the_last(tokens: Ints, start: int, steps: int) -> None:
    padded = np.pad(tokens, ((0, 20), (0, 0)))
    np.testing.assert_array_equal(chords.window(tokens, start, steps), padded[start : start + steps])


@given(sequences(min_size=1), st.integers(-12, 12))
def test_chords_move_with_the_key_and_are_the_same_without_it(tokens: Ints, semitones: int) -> None:
    moved = chords.transpose(tokens[None], np.array([semitones]))
    np.testing.assert_array_equal(chords.transpose(moved, np.array([-semitones])), tokens[None])
    np.testing.assert_array_equal(chords.without_key(moved), chords.without_key(tokens[None]))


def test_chords_are_given_and_are_no_music_of_their_own() -> None:
    assert MELODY_CHORDS.GIVEN.tolist() == [False, True]
    over_silence = np.array([[[melody.HOLD, 1], [melody.HOLD, 1]]])
    assert MELODY_CHORDS.content(over_silence).tolist() == [0]
    for name, form in REPRESENTATIONS.items():
        assert form.GIVEN.shape == (form.VOICES,), name
        assert not form.GIVEN.all(), name


@given(canonical(4), sequences(4))
def test_a_tune_over_chords_comes_back(tune: Ints, under: Ints) -> None:
    steps = min(len(tune), len(under))
    tokens = np.concatenate([tune[:steps], under[:steps]], 1)
    np.testing.assert_array_equal(MELODY_CHORDS.encode(MELODY_CHORDS.decode(tokens), steps), tokens)


def test_a_tune_moves_with_its_chords() -> None:
    window = np.array([[[60, chord("C")], [melody.HOLD, chord("Am")]]])
    moved = MELODY_CHORDS.transpose(window, np.array([2]))
    assert moved.tolist() == [[[62, chord("D")], [melody.HOLD, chord("Bm")]]]
    np.testing.assert_array_equal(MELODY_CHORDS.without_key(moved), MELODY_CHORDS.without_key(window))


def test_a_song_gives_its_tune_and_what_the_others_play_under_it() -> None:
    voices = MELODY_CHORDS.take(song("C", "Am", "F", "G"))
    tokens = MELODY_CHORDS.encode(to_grid(voices, 4), 64)
    assert [CHORDS[number] for number in tokens[::16, 1]] == ["C", "Am", "F", "G"]
    assert tokens[::16, 0].tolist() == [72, 73, 74, 75]
    assert voices[1].choice == "chords: as track 1 plays them"


def test_a_tune_without_chords_is_one_over_none() -> None:
    (take,) = MELODY_CHORDS.takes(song("C", "Am").with_tracks(song("C", "Am").tracks[:1]))
    assert take[1].choice == "chords: none to be found"
    assert not MELODY_CHORDS.encode(to_grid(take, 4), 32)[:, 1].any()


def test_a_chart_has_a_chord_a_bar_and_begins_again() -> None:
    tokens = chart("C Am", 3, 4, MELODY_CHORDS)
    assert tokens[:, 1].tolist() == [chord("C")] * 4 + [chord("Am")] * 4 + [chord("C")] * 4


def test_chords_between_bar_lines_share_the_bar() -> None:
    tokens = chart("C G | Am", 3, 4, MELODY_CHORDS)
    assert [CHORDS[number] for number in tokens[:, 1]] == ["C", "C", "G", "G", *["Am"] * 4, "C", "C", "G", "G"]
    waltz = chart("C F G |", 1, 12, MELODY_CHORDS)
    assert [CHORDS[number] for number in waltz[:, 1]] == ["C"] * 4 + ["F"] * 4 + ["G"] * 4
    with pytest.raises(MusicVAEError, match="5 chords in a bar of 4 steps"):
        chart("C F G C F |", 1, 4, MELODY_CHORDS)


def test_a_chart_is_for_models_that_know_chords() -> None:
    with pytest.raises(MusicVAEError, match="a model of melody knows no chords: leave them out, or give a model"):
        chart("C", 2, 16, representation("melody"))
    with pytest.raises(MusicVAEError, match="a chord 'H': expected a root C … B"):
        chart("C H", 2, 16, MELODY_CHORDS)
