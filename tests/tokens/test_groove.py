"""Grooves' tokens: how loud and how early a stroke is survives both directions; windows, and what stiff means."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicvae_lite.music.grid import PARTS, GridNotes
from musicvae_lite.music.notes import Note, Notes, Song, Track
from musicvae_lite.music.voices import to_grid, to_tracks
from musicvae_lite.tokens import drums, groove, has_touch, melody
from musicvae_lite.tokens.drums import PITCHES

Ints = NDArray[np.int64]
KICK, SNARE, CLOSED = range(3)
STEPS = 8


def token(velocity: int, offset: int = 0) -> int:
    """Of a stroke that loud (1 … 127), so many fifteenths of a step (-7 … 7) late."""
    return 1 + velocity // 16 * 15 + offset + 7


def grid(*strokes: tuple[int, int, int, int]) -> GridNotes:
    """Notes of (pitch, velocity, step, offset in parts of a step)."""
    pitch, velocity, start, offset = np.array(strokes, np.int64).reshape(-1, 4).T
    return GridNotes(pitch, velocity, start, start + 1, offset=offset)


def sequences(steps: int = STEPS) -> st.SearchStrategy[Ints]:
    row = st.lists(st.just(0) | st.integers(0, groove.VOCABULARY - 1), min_size=9, max_size=9)
    return st.lists(row, min_size=steps, max_size=steps).map(lambda rows: np.array(rows, np.int64))


@given(sequences())
def test_encoding_gives_back_every_sequence(tokens: Ints) -> None:
    np.testing.assert_array_equal(groove.encode(groove.decode(tokens), STEPS), tokens)


@given(sequences())
def test_decoding_gives_back_every_stroke_that_was_encoded(tokens: Ints) -> None:
    notes = groove.decode(tokens)
    assert groove.decode(groove.encode(notes, STEPS)) == notes


@given(sequences())
def test_a_performance_survives_the_way_to_a_track_and_back(tokens: Ints) -> None:
    tokens[0] = groove.STIFF[tokens[0]]  # nothing is early before the song starts
    song = Song(to_tracks(groove.decode(tokens), groove.INSTRUMENTS, 4))
    if groove.content(tokens[None])[0]:
        np.testing.assert_array_equal(groove.encode(to_grid(groove.take(song), 4), STEPS), tokens)


def test_a_stroke_says_how_loud_and_how_early_or_late_it_is() -> None:
    tokens = groove.encode(grid((36, 127, 0, 0), (38, 20, 1, -16), (42, 64, 1, 56)), 2)
    assert tokens[:, :3].tolist() == [[token(127), 0, 0], [0, token(20, -2), token(64, 7)]]
    assert not tokens[:, 3:].any()
    notes = groove.decode(tokens)
    assert notes.velocity.tolist() == [120, 24, 72]
    assert notes.offset.tolist() == [0, -16, 56]


def test_of_two_strokes_of_a_kind_at_one_step_the_louder_stays() -> None:
    for strokes in ([(38, 90, 3, 10), (40, 30, 3, -40)], [(38, 30, 3, -40), (40, 90, 3, 10)]):
        assert groove.encode(grid(*strokes), 4)[3, SNARE] == token(90, 1)


def test_strokes_go_to_the_nearest_step_and_nothing_lies_between_two() -> None:
    notes = Notes.of([Note(36, 100, 0.12, 1.0), Note(38, 100, 0.13, 1.0)])  # an eighth of a quarter is half a step
    tokens = groove.encode(to_grid(groove.take(Song((Track(notes, "kit", 0, True),))), 4), 2)
    assert tokens[:, :2].tolist() == [[token(100, 7), 0], [0, token(100, -7)]]


def test_a_step_of_offsets_is_covered_without_a_gap() -> None:
    widths = np.diff(groove.OFFSETS)
    assert set(widths.tolist()) == {groove.BIN}
    assert len(groove.OFFSETS) * groove.BIN == PARTS
    assert groove.VOCABULARY == 1 + 8 * 15


def test_stiff_is_one_way_to_play_on_the_grid_and_keeps_every_stroke() -> None:
    assert groove.STIFF[0] == 0
    assert set(groove.STIFF[1:].tolist()) == {token(88)}
    assert groove.TOUCH[groove.STIFF[1]].tolist() == [88 / 127, 0.0]


def test_touch_is_what_the_notes_of_a_token_are() -> None:
    every = np.zeros((groove.VOCABULARY, 9), np.int64)
    every[:, KICK] = np.arange(groove.VOCABULARY)
    notes = groove.decode(every)
    np.testing.assert_allclose(groove.TOUCH[1:], np.stack([notes.velocity / 127, notes.offset / PARTS], 1))
    assert np.isnan(groove.TOUCH[0]).all()


def test_only_tokens_that_say_how_they_are_played_have_touch() -> None:
    assert [has_touch(form) for form in (melody, drums, groove)] == [False, False, True]
    for form in (melody, drums):
        np.testing.assert_array_equal(form.STIFF, np.arange(form.VOCABULARY))


@given(sequences(), st.lists(st.integers(0, 12), max_size=4), st.integers(0, 9))
def test_windows_hold_the_strokes_in_them_and_silence_after_the_end(tokens: Ints, starts: list[int], n: int) -> None:
    found = groove.windows(tokens, np.array(starts, np.int64), n)
    whole = np.concatenate([tokens, np.zeros((30, 9), np.int64)])
    assert found.shape == (len(starts), n, 9)
    for start, one in zip(starts, found, strict=True):
        np.testing.assert_array_equal(one, whole[start : start + n])
        np.testing.assert_array_equal(groove.window(tokens, start, n), one)


@given(sequences())
def test_strokes_are_counted_and_common_however_they_are_played(tokens: Ints) -> None:
    batch, count = tokens[None], len(groove.decode(tokens))
    assert groove.content(batch).tolist() == groove.common(batch, groove.STIFF[batch]).tolist() == [count]
    assert int(groove.onsets(tokens).sum()) == count


def test_any_way_to_play_may_follow_any_other() -> None:
    assert groove.LEGAL.all()
    assert groove.LEGAL.shape == groove.NEXT_STATE.shape == (1, groove.VOCABULARY)
    assert groove.VOICES == len(PITCHES) == 9
