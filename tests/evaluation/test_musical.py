"""Overlapping areas of distributions that are equal, apart, spiked and undefined; copies in other keys."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicvae_lite.corpus.splits import fingerprints
from musicvae_lite.evaluation.musical import (
    bin_edges,
    copies,
    descriptors,
    histogram,
    in_any_key,
    mean_overlap,
    overlap,
    overlaps,
    pool,
    with_itself,
)
from musicvae_lite.music.descriptors import DESCRIPTORS, Frame
from musicvae_lite.tokens import melody

HOLD, OFF = melody.HOLD, melody.NOTE_OFF
NAN = float("nan")
FRAME = Frame(steps=8, steps_per_quarter=4, bar_steps=4)


def windows(*rows: list[int]) -> NDArray[np.int64]:
    return np.array(rows, np.int64)[:, :, None]


TUNES = windows([60, HOLD, 62, HOLD, 64, HOLD, 65, HOLD], [67, HOLD, OFF, HOLD, HOLD, HOLD, HOLD, HOLD])


def some_values() -> st.SearchStrategy[NDArray[np.float64]]:
    number = st.one_of(st.floats(-10, 10), st.sampled_from([0.0, 1.0, NAN]))
    return st.lists(number, min_size=1, max_size=40).map(np.array)


@given(some_values())
def test_a_distribution_overlaps_itself_wholly_if_it_is_defined(values: NDArray[np.float64]) -> None:
    area = overlap(values, values)
    assert math.isnan(area) if np.isnan(values).all() else math.isclose(area, 1)


@given(some_values(), some_values())
def test_an_overlap_is_between_0_and_1(values: NDArray[np.float64], reference: NDArray[np.float64]) -> None:
    area = overlap(values, reference)
    assert math.isnan(area) == bool(np.isnan(reference).all())
    assert math.isnan(area) or -1e-9 <= area <= 1 + 1e-9


def test_distributions_that_are_apart_do_not_overlap() -> None:
    reference = np.linspace(0, 1, 1000)
    assert overlap(reference + 2, reference) < 0.01


def test_half_in_common_is_an_overlap_of_a_half() -> None:
    reference = np.linspace(0, 1, 2001)
    assert math.isclose(overlap(reference + 0.5, reference), 0.5, abs_tol=0.03)


def test_a_spike_is_met_by_that_value_only() -> None:
    spike = np.zeros(10)
    assert overlap(np.zeros(4), spike) == 1
    assert overlap(np.full(4, 1e-9), spike) == 0
    assert overlap(np.full(4, -1e-9), spike) == 0


def test_undefined_values_are_an_outcome_like_others() -> None:
    reference = np.array([0.0, 1.0, NAN, NAN])
    assert math.isclose(overlap(np.array([0.0, 1.0]), reference), 0.5)
    assert overlap(reference, np.array([NAN, NAN])) != overlap(reference, np.array([NAN, NAN]))  # NaN


@given(some_values(), some_values())
def test_a_histogram_counts_every_value_once(values: NDArray[np.float64], reference: NDArray[np.float64]) -> None:
    edges = bin_edges(reference)
    shares = histogram(values, edges)
    assert len(shares) == len(edges) + 2
    assert math.isclose(shares.sum(), 1)


def test_the_mean_leaves_out_what_is_undefined() -> None:
    assert mean_overlap({"a": 0.5, "b": NAN, "c": 1.0}) == 0.75
    assert math.isnan(mean_overlap({"a": NAN}))


def test_every_descriptor_is_given_for_every_window() -> None:
    values = descriptors(TUNES, FRAME, melody)
    assert set(values) == set(DESCRIPTORS)
    assert values["note_density"].tolist() == [4 / 8, 1 / 8]
    assert values["average_interval"][0] == 5 / 3
    assert math.isnan(values["average_interval"][1])


def test_values_of_several_groups_are_pooled_in_order() -> None:
    parts = [{"a": np.array([1.0])}, {"a": np.array([2.0, 3.0])}]
    assert pool(parts)["a"].tolist() == [1, 2, 3]


def test_key_changes_nothing_but_c_major() -> None:
    moved = in_any_key(np.repeat(TUNES, 20, 0), melody, np.random.default_rng(0))
    before, after = descriptors(np.repeat(TUNES, 20, 0), FRAME, melody), descriptors(moved, FRAME, melody)
    changed = {name for name in before if not np.allclose(before[name], after[name], equal_nan=True)}
    assert changed == {"c_diatonic_share"}


def test_all_keys_of_an_octave_are_taken_and_no_pitch_leaves_midi() -> None:
    moved = in_any_key(np.full((200, 1, 1), 60), melody, np.random.default_rng(0))
    assert set(np.unique(moved)) == set(range(54, 66))
    top = in_any_key(np.full((50, 1, 1), 126), melody, np.random.default_rng(0))
    assert top.max() == 127


def test_a_corpus_overlaps_itself_more_the_larger_it_is() -> None:
    random = np.random.default_rng(0)
    few, many = ({"a": random.normal(size=n)} for n in (40, 4000))
    assert with_itself(few, random) < with_itself(many, random) <= 1
    assert with_itself(many, random) > 0.95


def test_overlaps_are_by_descriptor() -> None:
    values = descriptors(TUNES, FRAME, melody)
    assert set(overlaps(values, values)) == set(DESCRIPTORS)


def test_a_copy_in_another_key_is_a_copy() -> None:
    known = fingerprints(TUNES, melody)
    sampled = np.concatenate([melody.transpose(TUNES, np.array([3, -5])), windows([60, 61, 62, 63, 64, 65, 66, 67])])
    assert copies(fingerprints(sampled, melody), known) == 2 / 3
    assert math.isnan(copies(np.empty(0, np.uint64), known))
