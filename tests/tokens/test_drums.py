"""The drums' tokens: every number of a kit has its kind, both directions, windows, and strokes counted one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicvae_lite.music.grid import GridNotes, quantize
from musicvae_lite.music.notes import Note, Notes, Song, Track
from musicvae_lite.music.voices import NoVoice
from musicvae_lite.tokens import drums
from musicvae_lite.tokens.drums import KIND_OF, KINDS, PITCHES, UNKNOWN

Ints = NDArray[np.int64]
Stroke = tuple[int, int]  # kind, step
KICK, SNARE, CLOSED, OPEN, LOW, MID, HIGH, CRASH, RIDE = range(9)
STEPS = 24


def column(*tokens: int) -> Ints:
    return np.array(tokens, np.int64)[:, None]


def strokes(*rows: Stroke) -> GridNotes:
    """Notes as `decode` has them: sorted by (step, pitch), one step long, velocity 80."""
    ordered = sorted(rows, key=lambda row: (row[1], PITCHES[row[0]]))
    pitch, start = (np.array(values, np.int64) for values in zip(*[(PITCHES[k], s) for k, s in ordered], strict=True))
    return GridNotes(pitch, np.full_like(pitch, 80), start, start + 1)


def some_strokes(min_size: int = 1) -> st.SearchStrategy[GridNotes]:
    row = st.tuples(st.integers(0, 8), st.integers(0, STEPS - 1))
    return st.sets(row, min_size=min_size, max_size=30).map(lambda rows: strokes(*rows))


def sequences(min_size: int = 0) -> st.SearchStrategy[Ints]:
    token = st.sampled_from([0, 1 << KICK, 1 << SNARE | 1 << CLOSED]) | st.integers(0, 511)
    return st.lists(token, min_size=min_size, max_size=40).map(lambda tokens: column(*tokens))


@given(some_strokes())
def test_decoding_gives_back_every_stroke_that_was_encoded(notes: GridNotes) -> None:
    assert drums.decode(drums.encode(notes, STEPS)) == notes


@given(sequences())
def test_encoding_gives_back_every_sequence(tokens: Ints) -> None:
    np.testing.assert_array_equal(drums.encode(drums.decode(tokens), len(tokens)), tokens)


def test_every_number_of_general_midi_has_one_kind_and_one_name() -> None:
    numbers = [number for kind in KINDS for number in (kind.pitch, *kind.also)]
    assert sorted(numbers) == [22, 26, *range(27, 88)]
    assert [int(KIND_OF[kind.pitch]) for kind in KINDS] == list(range(9))
    assert (np.delete(KIND_OF, numbers) == UNKNOWN).all()


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        (KICK, [35, 36]),
        (SNARE, [37, 38, 40]),
        (CLOSED, [22, 42, 44]),
        (OPEN, [26, 46]),
        (LOW, [41, 43, 58]),
        (MID, [45, 47]),
        (HIGH, [48, 50]),
        (CRASH, [49, 52, 55, 57]),
        (RIDE, [51, 53, 59]),
    ],
)
def test_the_drums_of_a_kit_are_of_the_kinds_that_groovae_gives_them(kind: int, numbers: list[int]) -> None:
    assert set(KIND_OF[numbers].tolist()) == {kind}


def test_a_step_with_kick_and_hat_is_one_token_and_two_notes() -> None:
    notes = strokes((KICK, 0), (CLOSED, 0), (SNARE, 2))
    tokens = drums.encode(notes, 4)
    np.testing.assert_array_equal(tokens, column(0b101, 0, 0b10, 0))
    assert drums.decode(tokens) == notes


def test_strokes_before_after_and_of_no_kind_are_left_out_and_two_of_one_kind_are_one() -> None:
    pitch, start = np.array([36, 35, 36, 3, 38]), np.array([-1, 1, 1, 2, 4])
    tokens = drums.encode(GridNotes(pitch, np.full(5, 80), start, start + 9), 4)
    np.testing.assert_array_equal(tokens, column(0, 1, 0, 0))


@given(sequences(), st.lists(st.integers(0, 45), max_size=6), st.integers(0, 20))
def test_windows_hold_the_strokes_in_them_and_silence_after_the_end(tokens: Ints, starts: list[int], n: int) -> None:
    found = drums.windows(tokens, np.array(starts, np.int64), n)
    assert found.shape == (len(starts), n, 1)
    for start, one in zip(starts, found, strict=True):
        whole = np.concatenate([tokens, np.zeros((90, 1), np.int64)])
        np.testing.assert_array_equal(one, whole[start : start + n])
        np.testing.assert_array_equal(drums.window(tokens, start, n), one)


def test_windows_keep_their_small_type() -> None:
    assert drums.windows(column(1, 511).astype(np.uint16), np.array([1]), 4).dtype == np.uint16


def test_any_token_may_follow_any_other() -> None:
    assert drums.LEGAL.all()
    assert drums.LEGAL.shape == drums.NEXT_STATE.shape == (1, 512)


@given(sequences(min_size=1), st.integers(-12, 12))
def test_drums_have_no_key(tokens: Ints, shift: int) -> None:
    batch = tokens[None]
    assert [side.tolist() for side in drums.headroom(batch)] == [[0], [0]]
    for same in (drums.transpose(batch, np.array([shift])), drums.without_key(batch)):
        np.testing.assert_array_equal(same, batch)


@given(sequences(min_size=1))
def test_content_counts_strokes_and_a_window_has_all_of_its_own_in_common_with_itself(tokens: Ints) -> None:
    count = len(drums.decode(tokens))
    assert drums.content(tokens[None]).tolist() == drums.common(tokens[None], tokens[None]).tolist() == [count]
    assert int(drums.onsets(tokens).sum()) == len(set(drums.decode(tokens).start.tolist()))


def test_what_two_windows_have_in_common_are_strokes_of_one_kind_at_one_step() -> None:
    one, other = column(0b101, 0b10, 0)[None], column(0b100, 0b01, 0b1)[None].astype(np.uint16)
    assert drums.common(one, other).tolist() == [1]


# --- what is taken of a song ----------------------------------------------------------------------------------------


def drum_song(*notes: tuple[int, int, float, float], is_drum: bool = True) -> Song:
    return Song((Track(Notes.of(Note(*note) for note in notes), "Kit", 8, is_drum),))


def test_strokes_are_a_step_long_whatever_the_file_says_and_go_to_the_nearest_step() -> None:
    (voice,) = drums.take(drum_song((36, 100, 0.02, 9.0), (38, 30, 0.97, 0.98)))
    grid = quantize(voice.notes, 4)
    assert (grid.start.tolist(), grid.end.tolist(), grid.velocity.tolist()) == ([0, 4], [1, 5], [100, 30])
    assert voice.instrument == ("Kit", 8, True)


def test_sounds_of_no_kind_are_counted_and_a_song_of_them_alone_is_refused() -> None:
    (voice,) = drums.take(drum_song((36, 100, 0, 1), (3, 100, 1, 2), (44, 90, 1, 2)))
    assert voice.why == "the drums, 2 strokes on kick, closed hi-hat, 1 of no known drum left out"
    with pytest.raises(NoVoice, match=r"no known drum: expected General MIDI's percussion .*, got 3, 99"):
        drums.take(drum_song((3, 100, 0, 1), (99, 100, 1, 2)))


def test_a_song_without_drums_is_refused_with_its_tracks() -> None:
    with pytest.raises(NoVoice, match=r'no drums: expected notes on channel 10, .* of: 0 "Kit" \(program 8, 1 notes\)'):
        drums.take(drum_song((60, 80, 0, 1), is_drum=False))
