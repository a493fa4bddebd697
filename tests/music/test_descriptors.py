from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae_lite.music import descriptors
from musicvae_lite.music.descriptors import DESCRIPTORS, STROKE_DESCRIPTORS, Frame
from musicvae_lite.music.grid import GridNotes

C4, D4, E4, F_SHARP4, G4 = 60, 62, 64, 66, 67
BAR = Frame(steps=16, steps_per_quarter=4, bar_steps=16)
TWO_BARS = Frame(steps=32, steps_per_quarter=4, bar_steps=16)


def line(*notes: tuple[int, int, int]) -> GridNotes:
    """Notes (pitch, start, end)."""
    pitch, start, end = np.array(notes, np.int64).reshape(-1, 3).T
    return GridNotes(pitch, np.full_like(pitch, 80), start, end)


def rhythm(*starts: int) -> GridNotes:
    return line(*((C4, start, start + 1) for start in starts))


def finer(notes: GridNotes, factor: int) -> GridNotes:
    return GridNotes(notes.pitch, notes.velocity, notes.start * factor, notes.end * factor)


def test_one_note_of_four_outside_c_major_leaves_three_quarters() -> None:
    notes = line((C4, 0, 4), (D4, 4, 8), (F_SHARP4, 8, 12), (G4, 12, 16))
    assert descriptors.c_diatonic_share(notes, BAR) == 0.75


def test_density_counts_onsets_a_sixteenth() -> None:
    assert descriptors.note_density(rhythm(0, 4, 8, 12), BAR) == 0.25
    assert descriptors.note_density(rhythm(*range(16)), BAR) == 1.0
    assert descriptors.note_density(rhythm(), BAR) == 0.0


def test_the_average_interval_takes_no_notice_of_direction() -> None:
    assert descriptors.average_interval(line((C4, 0, 4), (E4, 4, 8), (C4, 8, 12), (G4, 12, 16)), BAR) == 5.0


def test_a_sixteenth_between_eighths_is_syncopated_unless_one_leads_to_it() -> None:
    assert descriptors.syncopation_16th(rhythm(0, 3), BAR) == 0.5
    assert descriptors.syncopation_16th(rhythm(2, 3), BAR) == 0.0


def test_an_eighth_between_quarters_is_syncopated_unless_one_leads_to_it() -> None:
    assert descriptors.syncopation_8th(rhythm(0, 6), BAR) == 0.5
    assert descriptors.syncopation_8th(rhythm(4, 6), BAR) == 0.0
    assert descriptors.syncopation_8th(rhythm(5, 6), BAR) == 0.0


def test_straight_eighths_are_not_syncopated() -> None:
    eighths = rhythm(*range(0, 16, 2))
    assert descriptors.syncopation_16th(eighths, BAR) == 0.0
    assert descriptors.syncopation_8th(eighths, BAR) == 0.0


def test_syncopation_on_a_grid_without_sixteenths_is_undefined() -> None:
    triplets = Frame(steps=12, steps_per_quarter=3, bar_steps=12)
    assert math.isnan(descriptors.syncopation_16th(rhythm(0, 5), triplets))
    assert math.isnan(descriptors.syncopation_8th(rhythm(0, 5), triplets))


def test_the_range_of_one_pitch_is_zero() -> None:
    assert descriptors.pitch_range(line((C4, 0, 4)), BAR) == 0.0
    assert descriptors.pitch_range(line((C4, 0, 4), (G4, 4, 8)), BAR) == 7.0


def test_silence_is_all_rest_and_a_held_note_none() -> None:
    assert descriptors.rest_share(line(), BAR) == 1.0
    assert descriptors.rest_share(line((C4, 0, 16)), BAR) == 0.0
    assert descriptors.rest_share(line((C4, 0, 4), (E4, 8, 12)), BAR) == 0.5


def test_a_note_held_into_the_window_and_out_of_it_is_no_rest() -> None:
    assert descriptors.rest_share(line((C4, -8, 4), (E4, 12, 40)), BAR) == 0.5


def test_overlapping_notes_are_not_counted_twice_as_sound() -> None:
    assert descriptors.rest_share(line((C4, 0, 8), (E4, 4, 8)), BAR) == 0.5


def test_entropy_of_equally_frequent_pitch_classes_is_their_logarithm() -> None:
    assert descriptors.pitch_class_entropy(line((C4, 0, 1), (C4 + 12, 1, 2)), BAR) == 0.0
    chromatic = line(*((pitch, pitch, pitch + 1) for pitch in range(12)))
    assert descriptors.pitch_class_entropy(chromatic, BAR) == pytest.approx(math.log2(12))


def test_equal_rhythms_are_consistent_and_complementary_ones_are_not() -> None:
    assert descriptors.groove_consistency(rhythm(0, 4, 16, 20), TWO_BARS) == 1.0
    assert descriptors.groove_consistency(rhythm(0, 4, 16, 18), TWO_BARS) == 1 - 2 / 16
    on_and_off = rhythm(*range(0, 16, 2), *range(17, 32, 2))
    assert descriptors.groove_consistency(on_and_off, TWO_BARS) == 0.0


def test_groove_takes_whole_bars_of_any_length() -> None:
    waltz = Frame(steps=30, steps_per_quarter=4, bar_steps=12)
    assert descriptors.groove_consistency(rhythm(0, 8, 12, 20, 25), waltz) == 1.0


@pytest.mark.parametrize(
    ("name", "notes", "frame"),
    [
        *((name, line(), TWO_BARS) for name in DESCRIPTORS if name not in {"note_density", "rest_share"}),
        ("average_interval", line((C4, 0, 4)), TWO_BARS),
        ("groove_consistency", line((C4, 0, 4)), BAR),
        ("note_density", line(), Frame(0, 4, 16)),
        ("rest_share", line(), Frame(0, 4, 16)),
    ],
)
def test_undefined_is_nan(name: str, notes: GridNotes, frame: Frame) -> None:
    assert math.isnan(DESCRIPTORS[name](notes, frame))


def lines() -> st.SearchStrategy[GridNotes]:
    """Monophonic lines over two bars of sixteenths, possibly with notes outside."""

    def build(starts: Iterable[int], pitches: list[int]) -> GridNotes:
        ordered = sorted(starts)
        return line(*((p, s, e) for p, s, e in zip(pitches, ordered, [*ordered[1:], 40], strict=False)))

    return st.builds(
        build, st.sets(st.integers(-4, 36), max_size=20), st.lists(st.integers(0, 127), min_size=20, max_size=20)
    )


@given(lines())
def test_a_finer_grid_says_the_same(notes: GridNotes) -> None:
    for name, descriptor in DESCRIPTORS.items():
        if name == "groove_consistency":  # a share of steps, so it depends on the grid by definition
            continue
        coarse = descriptor(notes, TWO_BARS)
        assert descriptor(finer(notes, 3), Frame(96, 12, 48)) == pytest.approx(coarse, nan_ok=True)


@given(lines())
def test_shares_stay_between_0_and_1(notes: GridNotes) -> None:
    for name in ("c_diatonic_share", "syncopation_16th", "syncopation_8th", "rest_share", "groove_consistency"):
        value = DESCRIPTORS[name](notes, TWO_BARS)
        assert math.isnan(value) or 0 <= value <= 1


@given(lines())
def test_notes_outside_the_window_change_only_the_rests(notes: GridNotes) -> None:
    inside = (notes.start >= 0) & (notes.start < TWO_BARS.steps)
    kept = GridNotes(notes.pitch[inside], notes.velocity[inside], notes.start[inside], notes.end[inside])
    for name, descriptor in DESCRIPTORS.items():
        if name != "rest_share":
            assert descriptor(kept, TWO_BARS) == pytest.approx(descriptor(notes, TWO_BARS), nan_ok=True)


def test_drums_are_described_by_how_many_sound_how_thickly_and_how_many_kinds() -> None:
    beat = line((36, 0, 1), (42, 0, 1), (42, 4, 5), (38, 8, 9), (42, 8, 9))
    found = {name: descriptor(beat, TWO_BARS) for name, descriptor in STROKE_DESCRIPTORS.items()}
    assert found["note_density"] == 5 / 32
    assert found["notes_an_onset"] == pytest.approx(5 / 3)
    assert found["different_pitches"] == 3
    assert found["rest_share"] == 29 / 32
    nothing = {name: descriptor(line(), TWO_BARS) for name, descriptor in STROKE_DESCRIPTORS.items()}
    assert [name for name, value in nothing.items() if not math.isnan(value)] == [
        "note_density",
        "different_pitches",
        "rest_share",
    ]
