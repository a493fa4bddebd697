"""The grid: rounding, bars under any meter map, and how much lies off the grid."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae_lite.music.grid import (
    PARTS,
    Bar,
    GridError,
    GridNotes,
    bar_steps,
    bars,
    dequantize,
    off_grid_share,
    quantize,
    song_steps,
)
from musicvae_lite.music.notes import COMMON_TIME, Meter, MeterChange, Note, Notes, Song, Track

WALTZ, JIG = Meter(3, 4), Meter(6, 8)


def columns(notes: GridNotes) -> list[tuple[int, int, int]]:
    """(pitch, start, end) of each row."""
    return list(zip(notes.pitch.tolist(), notes.start.tolist(), notes.end.tolist(), strict=True))


def song(end: float, *meters: tuple[float, Meter]) -> Song:
    return Song((Track(Notes.of([(60, 80, 0, end)])),), meters=tuple(MeterChange(*m) for m in meters))


# --- rounding -------------------------------------------------------------------------------------------------------


def test_a_half_step_goes_up() -> None:
    notes = Notes.of([(60, 80, 0.125, 0.375), (61, 80, 0.124, 0.374)])  # 0.5 and 1.5 steps, and just below
    assert columns(quantize(notes, 4)) == [(61, 0, 1), (60, 1, 2)]


@pytest.mark.parametrize("ticks", [24, 96, 120, 480, 1000])
def test_a_half_step_goes_up_whatever_the_ticks(ticks: int) -> None:
    half = np.arange(0, 50 * ticks, ticks / 24)  # half steps of a grid of 12, those that are whole ticks
    whole = half[half == np.floor(half)] / ticks
    steps = quantize(Notes.of(Note(60, 80, s, s + 1) for s in whole.tolist()), 12).start
    assert steps.tolist() == [math.floor(round(24 * s) / 2 + 0.5) for s in whole.tolist()]


def test_every_note_is_at_least_a_step_long() -> None:
    assert columns(quantize(Notes.of([(60, 80, 1.0, 1.01)]), 4)) == [(60, 4, 5)]


def test_quantized_notes_are_sorted_even_where_rounding_swaps_pitches() -> None:
    notes = Notes.of([(72, 80, 0.98, 1.5), (60, 80, 1.0, 1.5)])
    assert columns(quantize(notes, 4)) == [(60, 4, 6), (72, 4, 6)]


def test_how_far_an_onset_was_from_its_step_is_kept_and_put_back() -> None:
    notes = Notes.of([(36, 80, 0.0625, 0.3125), (38, 80, 0.21875, 0.5)])  # a quarter step late, an eighth of one early
    grid = quantize(notes, 4)
    assert (grid.start.tolist(), grid.offset.tolist()) == ([0, 1], [PARTS // 4, -PARTS // 8])
    assert dequantize(grid, 4).start.tolist() == notes.start.tolist()
    assert dequantize(grid.on_the_grid(), 4).start.tolist() == [0, 0.25]


def test_a_note_that_is_moved_ends_where_its_pitch_starts_again_and_starts_with_the_song_at_the_earliest() -> None:
    pitch, start, offset = np.array([36, 38, 36]), np.array([0, 0, 1]), np.array([PARTS // 4, -PARTS // 4, -PARTS // 4])
    notes = dequantize(GridNotes(pitch, np.full(3, 80), start, start + 1, offset=offset), 4)
    assert list(notes) == [(38, 80, 0, 0.1875), (36, 80, 0.0625, 0.1875), (36, 80, 0.1875, 0.4375)]


def test_no_notes_quantize_to_no_notes() -> None:
    assert len(quantize(Notes.of([]), 4)) == 0
    assert len(dequantize(quantize(Notes.of([]), 4), 4)) == 0


rows = st.lists(st.tuples(st.integers(0, 127), st.integers(1, 127), st.integers(0, 500), st.integers(1, 50)))


@given(rows, st.sampled_from([1, 3, 4, 12, 24]))
def test_what_is_on_the_grid_comes_back_from_quarter_notes(
    rows: list[tuple[int, int, int, int]], steps_per_quarter: int
) -> None:
    ordered = sorted(rows, key=lambda r: (r[2], r[0]))
    pitch, velocity, start, length = (np.array([r[i] for r in ordered], np.int64) for i in range(4))
    grid = GridNotes(pitch, velocity, start, start + length)
    assert quantize(dequantize(grid, steps_per_quarter), steps_per_quarter) == grid


# --- bars -----------------------------------------------------------------------------------------------------------


def test_bars_cover_the_music_and_the_last_one_is_whole() -> None:
    assert bars(song(4.25, (0.0, COMMON_TIME)), 4) == (Bar(0, 16, COMMON_TIME), Bar(16, 16, COMMON_TIME))


def test_music_that_ends_on_a_bar_line_gets_no_bar_more() -> None:
    assert [bar.end for bar in bars(song(8.0, (0.0, COMMON_TIME)), 4)] == [16, 32]


@pytest.mark.parametrize(("meter", "steps"), [(WALTZ, 12), (JIG, 12), (Meter(2, 2), 16), (Meter(5, 16), 5)])
def test_bars_of_any_meter_have_its_length(meter: Meter, steps: int) -> None:
    assert bars(song(6.0, (0.0, meter)), 4)[1] == Bar(steps, steps, meter)


def test_a_change_of_meter_cuts_the_bar_before_and_starts_a_bar() -> None:
    found = bars(song(9.0, (0.0, COMMON_TIME), (5.0, WALTZ)), 4)
    assert found == (Bar(0, 16, COMMON_TIME), Bar(16, 4, COMMON_TIME), Bar(20, 12, WALTZ), Bar(32, 12, WALTZ))


def test_a_meter_that_changes_within_a_step_is_the_later_one() -> None:
    assert bars(song(3.0, (0.0, COMMON_TIME), (0.01, WALTZ)), 4) == (Bar(0, 12, WALTZ),)


def test_a_last_note_that_rounds_past_the_end_is_still_in_a_bar() -> None:
    late = Song((Track(Notes.of([(60, 80, 3.99, 4.0)])),))
    assert song_steps(late, 4) == 17
    assert len(bars(late, 4)) == 2


def test_a_song_without_notes_has_no_bars() -> None:
    assert bars(Song(()), 4) == ()
    assert bars(Song((Track(Notes.of([])),)), 4) == ()


def test_a_bar_that_is_not_whole_steps_says_which_grid_would_do() -> None:
    with pytest.raises(GridError, match=r"a bar of 3/32 is not a whole number of steps at 4 .* use 8 steps a quarter"):
        bars(song(3.0, (0.0, Meter(3, 32))), 4)
    assert bar_steps(Meter(3, 32), 8) == 3


def test_a_meter_after_the_music_is_no_error() -> None:
    assert len(bars(song(4.0, (0.0, COMMON_TIME), (4.0, Meter(3, 32))), 4)) == 1


meter_maps = st.lists(
    st.tuples(st.floats(0.05, 9), st.integers(1, 9), st.sampled_from([2, 4, 8, 16])), min_size=1, max_size=5
)


@given(meter_maps, st.floats(0.1, 40), st.sampled_from([4, 12]))
def test_bars_follow_each_other_without_a_gap(
    changes: list[tuple[float, int, int]], end: float, steps_per_quarter: int
) -> None:
    starts = np.cumsum([0.0, *(wait for wait, _, _ in changes[:-1])]).tolist()
    meters = [(start, Meter(n, d)) for start, (_, n, d) in zip(starts, changes, strict=True)]
    piece = song(end, *meters)
    found = bars(piece, steps_per_quarter)
    assert [bar.start for bar in found] == [0, *(bar.end for bar in found[:-1])]
    assert found[-1].start < song_steps(piece, steps_per_quarter) <= found[-1].end
    assert all(1 <= bar.steps <= bar_steps(bar.meter, steps_per_quarter) for bar in found)


# --- off the grid ---------------------------------------------------------------------------------------------------


def onsets(*starts: float) -> Notes:
    return Notes.of((60, 80, start, start + 0.1) for start in starts)


def test_the_off_grid_share_counts_onsets_between_steps() -> None:
    assert off_grid_share(onsets(0, 0.25, 1 / 3, 0.5), 4) == 0.25
    assert off_grid_share(onsets(0, 0.25, 1 / 3, 0.5), 12) == 0.0


def test_coarse_ticks_are_on_the_grid_and_a_performance_is_not() -> None:
    assert off_grid_share(onsets(*(round(i / 3 * 220) / 220 for i in range(30))), 12) == 0.0
    jitter = np.random.default_rng(0).normal(0, 0.03, 400)
    assert off_grid_share(onsets(*np.abs(np.arange(400) / 4 + jitter).tolist()), 4) > 0.3


def test_without_notes_the_off_grid_share_is_undefined() -> None:
    assert math.isnan(off_grid_share(onsets(), 4))
