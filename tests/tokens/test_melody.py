"""The melody's tokens: one spelling, both directions, and windows, against plain slow references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.tokens import REPRESENTATIONS, melody, representation
from musicvae_lite.tokens.melody import HOLD, LEGAL, NEXT_STATE, NOTE_OFF, SILENT, SOUNDING

Ints = NDArray[np.int64]
OFF, HO = NOTE_OFF, HOLD


def column(*tokens: int) -> Ints:
    return np.array(tokens, np.int64)[:, None]


def grid(*rows: tuple[int, int, int]) -> GridNotes:
    """Notes from rows (pitch, start, end), velocity 80."""
    pitch, start, end = (np.array([row[i] for row in rows], np.int64) for i in range(3))
    return GridNotes(pitch, np.full_like(pitch, 80), start, end)


@st.composite
def lines(draw: st.DrawFn) -> tuple[GridNotes, int]:
    """A monophonic line on the grid, and a number of steps that holds it."""
    rows, now = [], 0
    for pitch, rest, length in draw(
        st.lists(st.tuples(st.integers(0, 127), st.integers(0, 3), st.integers(1, 5)), max_size=12)
    ):
        rows.append((pitch, now + rest, now + rest + length))
        now += rest + length
    return grid(*rows), now + draw(st.integers(0, 4))


@st.composite
def canonical(draw: st.DrawFn, min_size: int = 0) -> Ints:
    """Any tokens, with hold in the place of those that may not follow."""
    tokens, state = [], SILENT
    common = st.sampled_from([HOLD, NOTE_OFF, 60])
    for drawn in draw(st.lists(common | st.integers(0, 127), min_size=min_size, max_size=40)):
        token = drawn if LEGAL[state, drawn] else HOLD
        tokens.append(token)
        state = int(NEXT_STATE[state, token])
    return column(*tokens)


@given(lines())
def test_decoding_gives_back_every_line_that_was_encoded(line: tuple[GridNotes, int]) -> None:
    notes, steps = line
    assert melody.decode(melody.encode(notes, steps)) == notes


@given(canonical())
def test_encoding_gives_back_every_canonical_sequence(tokens: Ints) -> None:
    np.testing.assert_array_equal(melody.encode(melody.decode(tokens), len(tokens)), tokens)


@given(canonical())
def test_what_is_drawn_by_the_legality_table_is_canonical(tokens: Ints) -> None:
    assert melody.is_canonical(tokens)


@given(st.lists(st.integers(0, 129), max_size=8))
def test_canonical_is_exactly_what_survives_decoding_and_encoding(tokens: list[int]) -> None:
    given_tokens = column(*tokens)
    again = melody.encode(melody.decode(given_tokens), len(given_tokens))
    assert melody.is_canonical(given_tokens) == np.array_equal(again, given_tokens)


@given(lines(), st.integers(0, 30), st.integers(0, 30))
def test_whatever_stretch_is_encoded_the_tokens_are_canonical(
    line: tuple[GridNotes, int], back: int, steps: int
) -> None:
    notes, _ = line
    moved = GridNotes(notes.pitch, notes.velocity, notes.start - back, notes.end - back)
    tokens = melody.encode(moved, steps)
    assert tokens.shape == (steps, 1)
    assert melody.is_canonical(tokens)


def test_a_line_is_spelled_with_onsets_note_offs_and_holds() -> None:
    notes = grid((60, 1, 3), (62, 3, 4), (62, 4, 5), (64, 6, 8))
    np.testing.assert_array_equal(melody.encode(notes, 8), column(HO, 60, HO, 62, 62, OFF, 64, HO))


def test_two_repeated_notes_of_one_step_stay_two() -> None:
    notes = grid((60, 0, 1), (60, 1, 2))
    assert melody.decode(melody.encode(notes, 4)) == notes


def test_a_last_note_that_ends_with_the_bar_is_neither_lost_nor_lengthened() -> None:
    notes = grid((60, 0, 14), (67, 15, 16))
    assert melody.decode(melody.encode(notes, 16)) == notes


def test_a_note_that_sounds_at_the_end_of_a_window_ends_with_it() -> None:
    tokens = melody.encode(grid((60, 2, 9)), 4)
    np.testing.assert_array_equal(tokens, column(HO, HO, 60, HO))
    assert melody.decode(tokens) == grid((60, 2, 4))


def test_of_overlapping_notes_the_later_start_ends_the_earlier_and_of_one_start_the_last_row_wins() -> None:
    tokens = melody.encode(grid((60, 0, 8), (64, 2, 4), (67, 2, 3)), 8)
    np.testing.assert_array_equal(tokens, column(60, HO, 67, OFF, HO, HO, HO, HO))


def test_only_a_note_off_in_silence_is_illegal() -> None:
    illegal = np.argwhere(~LEGAL)
    np.testing.assert_array_equal(illegal, [[SILENT, NOTE_OFF]])


@given(canonical(min_size=1))
def test_the_state_says_whether_a_note_sounds(tokens: Ints) -> None:
    notes = melody.decode(tokens)
    state = SILENT
    for step, token in enumerate(tokens[:, 0].tolist()):
        assert LEGAL[state, token]
        state = int(NEXT_STATE[state, token])
        assert (state == SOUNDING) == bool(((notes.start <= step) & (notes.end > step)).any())


def plain_window(tokens: Ints, start: int, steps: int) -> Ints:
    """The window by way of notes: those that sound in it, moved and cut."""
    notes = melody.decode(tokens)
    moved = [
        (pitch, max(first - start, 0), min(end - start, steps))
        for pitch, first, end in zip(notes.pitch.tolist(), notes.start.tolist(), notes.end.tolist(), strict=True)
        if end > start and first < start + steps
    ]
    return melody.encode(grid(*moved), steps)


@given(canonical(), st.lists(st.integers(0, 45), max_size=6), st.integers(0, 20))
def test_windows_hold_the_notes_that_sound_in_them(tokens: Ints, starts: list[int], steps: int) -> None:
    found = melody.windows(tokens, np.array(starts, np.int64), steps)
    assert found.shape == (len(starts), steps, 1)
    for start, one in zip(starts, found, strict=True):
        np.testing.assert_array_equal(one, plain_window(tokens, start, steps))
        np.testing.assert_array_equal(melody.window(tokens, start, steps), one)


def test_a_held_note_sounds_from_the_window_start() -> None:
    tokens = column(60, HO, HO, OFF, HO, 62)
    np.testing.assert_array_equal(melody.window(tokens, 1, 3), column(60, HO, OFF))
    np.testing.assert_array_equal(melody.window(tokens, 3, 3), column(HO, HO, 62))


def test_a_window_past_the_end_is_silent_there() -> None:
    np.testing.assert_array_equal(melody.window(column(60, HO), 1, 4), column(60, OFF, HO, HO))


def test_windows_keep_their_small_type_and_leave_the_tokens_alone() -> None:
    tokens = column(60, HO, OFF, HO).astype(np.uint8)
    before = tokens.copy()
    assert melody.windows(tokens, np.array([1, 2]), 4).dtype == np.uint8
    np.testing.assert_array_equal(tokens, before)


@given(canonical(min_size=1), st.integers(0, 127), st.integers(0, 127))
def test_within_headroom_transposing_moves_every_pitch_and_nothing_else(tokens: Ints, low: int, high: int) -> None:
    lowest, highest = sorted((low, high))
    batch = tokens[None]
    down, up = melody.headroom(batch, lowest, highest)
    assert down[0] <= 0 <= up[0]
    pitches = melody.decode(tokens).pitch
    for shift in {int(down[0]), int(up[0])}:
        moved = melody.decode(melody.transpose(batch, np.array([shift]))[0])
        np.testing.assert_array_equal(moved.pitch, pitches + shift)
        np.testing.assert_array_equal(moved.end, melody.decode(tokens).end)
        if len(pitches) and pitches.min() >= lowest and pitches.max() <= highest:
            assert lowest <= moved.pitch.min()
            assert moved.pitch.max() <= highest


def test_headroom_reaches_exactly_to_the_bounds() -> None:
    down, up = melody.headroom(column(60, HO, 67, OFF)[None], 48, 84)
    assert (down.tolist(), up.tolist()) == ([-12], [17])


@given(canonical(min_size=1), st.integers(-127, 127))
def test_without_key_is_equal_for_transpositions_only(tokens: Ints, shift: int) -> None:
    batch = tokens[None]
    down, up = melody.headroom(batch)
    moved = melody.transpose(batch, np.array([min(max(shift, int(down[0])), int(up[0]))]))
    np.testing.assert_array_equal(melody.without_key(moved), melody.without_key(batch))
    differently = batch.copy()
    differently[0, 0, 0] = HOLD if differently[0, 0, 0] < 128 else 0
    assert not np.array_equal(melody.without_key(differently), melody.without_key(batch))


def test_content_counts_onsets() -> None:
    batch = np.stack([column(60, 60, OFF, HO), column(HO, HO, HO, HO)])
    np.testing.assert_array_equal(melody.content(batch), [2, 0])


def test_an_unknown_representation_is_named_with_the_known_ones() -> None:
    with pytest.raises(MusicVAEError, match=r"'chords'.*melody"):
        representation("chords")


def test_every_representation_satisfies_its_table() -> None:
    for name, form in REPRESENTATIONS.items():
        assert name == form.NAME
        assert form.LEGAL.shape == form.NEXT_STATE.shape
        assert form.LEGAL.shape[1] == form.VOCABULARY
        assert form.LEGAL.any(1).all()
