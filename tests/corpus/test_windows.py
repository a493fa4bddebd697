"""Windows start at bar lines, hold whole bars of one meter, and keep notes that are held into them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicvae_lite.corpus.windows import NOT_WHOLE, SILENT, Windows, cut, join
from musicvae_lite.music.grid import Bar, GridNotes
from musicvae_lite.music.notes import Meter, TempoChange
from musicvae_lite.tokens import melody
from musicvae_lite.tokens.melody import HOLD, NOTE_OFF

FOUR, THREE, SIX_EIGHT = Meter(4, 4), Meter(3, 4), Meter(6, 8)
Row = tuple[int, int, int]  # pitch, start, end in steps


def encode(rows: list[Row], steps: int) -> NDArray[np.int64]:
    pitch, start, end = (np.array([row[i] for row in rows], np.int64) for i in range(3))
    return melody.encode(GridNotes(pitch, np.full_like(pitch, 80), start, end), steps)


def measures(*meters: Meter | tuple[Meter, int]) -> tuple[Bar, ...]:
    """Bars one behind the other at 4 steps a quarter; (meter, steps) for one that is cut short."""
    bars: list[Bar] = []
    for row in meters:
        meter, steps = (row, 0) if isinstance(row, Meter) else row
        bars.append(Bar(bars[-1].end if bars else 0, steps or round(meter.bar_quarters * 4), meter))
    return tuple(bars)


def slow_cut(rows: list[Row], bars: tuple[Bar, ...], n_bars: int) -> dict[tuple[Meter, int], list[int]]:
    """(meter, first bar) → tokens, note by note and bar by bar."""
    found = {}
    for first in range(len(bars) - n_bars + 1):
        stretch = bars[first : first + n_bars]
        meter = stretch[0].meter
        if any(bar.meter != meter or bar.steps != meter.bar_quarters * 4 for bar in stretch):
            continue
        start, end = stretch[0].start, stretch[-1].end
        tokens, sounding_until = [HOLD] * (end - start), None
        for step in range(start, end):
            for pitch, on, off in rows:
                if on == step or (step == start and on < start < off):
                    tokens[step - start], sounding_until = pitch, off
                elif off == step == sounding_until and not any(other[1] == step for other in rows):
                    tokens[step - start] = NOTE_OFF
        if any(token < 128 for token in tokens):
            found[meter, first] = tokens
    return found


@st.composite
def tunes(draw: st.DrawFn) -> tuple[list[Row], tuple[Bar, ...]]:
    rows, now = [], draw(st.integers(0, 40))
    for pitch, rest, length in draw(
        st.lists(st.tuples(st.integers(40, 90), st.sampled_from([0, 0, 1, 20]), st.integers(1, 40)), max_size=15)
    ):
        rows.append((pitch, now + rest, now + rest + length))
        now += rest + length
    kinds: list[Meter | tuple[Meter, int]] = [FOUR, FOUR, FOUR, THREE, SIX_EIGHT, (FOUR, 10), (THREE, 4)]
    bars = measures(*draw(st.lists(st.sampled_from(kinds), max_size=10)))
    while not bars or bars[-1].end < now:
        bars += (Bar(bars[-1].end if bars else 0, 16, FOUR),)
    return rows, bars


@given(tunes(), st.integers(1, 4))
def test_windows_are_those_of_a_slow_reference(tune: tuple[list[Row], tuple[Bar, ...]], n_bars: int) -> None:
    rows, bars = tune
    groups, left_out = cut(encode(rows, bars[-1].end), bars, n_bars, 4, melody, piece=7)
    found = {
        (group.meter, int(bar)): tokens[:, 0].tolist()
        for group in groups
        for bar, tokens in zip(group.start_bar, group.tokens, strict=True)
    }
    assert found == slow_cut(rows, bars, n_bars)
    assert len(found) + left_out.total() == max(len(bars) - n_bars + 1, 0)
    assert all((group.piece == 7).all() and group.tokens.dtype == np.uint8 for group in groups)


def test_a_note_held_across_the_window_start_sounds_from_step_0() -> None:
    (group,), _ = cut(encode([(60, 8, 24), (64, 24, 32)], 32), measures(FOUR, FOUR), 1, 4, melody)
    notes = melody.decode(group.tokens[1])
    assert (notes.pitch.tolist(), notes.start.tolist(), notes.end.tolist()) == ([60, 64], [0, 8], [8, 16])


def test_a_silent_bar_or_a_rest_at_either_end_loses_no_window() -> None:
    rows = [(60, 20, 24), (62, 52, 56)]  # bars 0 and 2 of 5 are silent, and so is bar 4
    (group,), left_out = cut(encode(rows, 80), measures(*[FOUR] * 5), 2, 4, melody)
    assert group.start_bar.tolist() == [0, 1, 2, 3]
    assert not left_out


def test_a_silent_window_is_left_out_and_counted() -> None:
    (group,), left_out = cut(encode([(60, 0, 4)], 48), measures(FOUR, FOUR, FOUR), 1, 4, melody)
    assert group.start_bar.tolist() == [0]
    assert left_out == {SILENT: 2}


def test_waltzes_and_jigs_have_windows_of_their_own_length() -> None:
    for meter, bar_steps in ((THREE, 12), (SIX_EIGHT, 12), (Meter(9, 8), 18), (Meter(2, 4), 8)):
        (group,), _ = cut(encode([(60, 0, 40)], 72), measures(*[meter] * 4), 2, 4, melody)
        assert (group.meter, group.tokens.shape[1:]) == (meter, (2 * bar_steps, 1))


def test_no_window_crosses_a_change_of_meter_or_holds_a_bar_cut_short() -> None:
    bars = measures(FOUR, FOUR, (FOUR, 6), THREE, THREE, THREE)
    groups, left_out = cut(encode([(60, 0, bars[-1].end)], bars[-1].end), bars, 2, 4, melody)
    assert {(group.meter, *group.start_bar.tolist()) for group in groups} == {(FOUR, 0), (THREE, 3, 4)}
    assert left_out == {NOT_WHOLE: 2}


def test_the_last_bar_is_completed_with_silence() -> None:
    (group,), _ = cut(encode([(60, 0, 20)], 20), measures(FOUR, FOUR), 2, 4, melody)
    notes = melody.decode(group.tokens[0])
    assert (group.tokens.shape, notes.end.tolist()) == ((1, 32, 1), [20])


def test_a_tune_shorter_than_a_window_gives_none() -> None:
    groups, left_out = cut(encode([(60, 0, 4)], 16), measures(FOUR), 2, 4, melody)
    assert groups == ()
    assert not left_out


def test_join_keeps_meters_apart_and_puts_the_commonest_first() -> None:
    def some(meter: Meter, count: int, piece: int) -> Windows:
        return Windows(meter, np.zeros((count, 4, 1), np.uint8), np.full(count, piece), np.arange(count))

    joined = join([some(THREE, 2, 0), some(FOUR, 2, 1), some(FOUR, 3, 2)])
    assert [(group.meter, group.piece.tolist()) for group in joined] == [(FOUR, [1, 1, 2, 2, 2]), (THREE, [0, 0])]


def test_each_window_knows_its_own_tempo_and_one_that_is_made_up_knows_none() -> None:
    tempos = (TempoChange(0.0, 60.0), TempoChange(4.0, 120.0))
    tune = encode([(60, 0, 48)], 48)
    (found,), _ = cut(tune, measures(FOUR, FOUR, FOUR), 1, 4, melody, tempos=tempos)
    assert found.qpm.tolist() == [60, 120, 120]
    assert join([found, found])[0].select(np.array([1, 3])).qpm.tolist() == [120, 60]
    assert np.isnan(Windows(FOUR, found.tokens, found.piece, found.start_bar).qpm).all()
