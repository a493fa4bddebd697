"""Distances, jumps and costs of paths that one can see."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicvae_lite.evaluation.interpolation import costs, distance, distance_from, jumps, mean_jump, middle, mix
from musicvae_lite.evaluation.ngram import fit
from musicvae_lite.tokens import melody


def path(*steps: list[int]) -> NDArray[np.int64]:
    """One path of windows with a token a step: [1, S, T, 1]."""
    return np.array(steps, np.int64)[None, :, :, None]


EVEN = path([0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1])
ALL_AT_ONCE = path([0, 0, 0], [0, 0, 0], [1, 1, 1], [1, 1, 1])
THERE_AND_BACK = path([0, 0, 0], [1, 1, 0], [0, 0, 0], [1, 0, 0])
STAYS = path([0, 0, 0], [0, 0, 0])


def any_paths() -> st.SearchStrategy[NDArray[np.int64]]:
    token = st.integers(0, 2)
    return st.lists(st.lists(token, min_size=4, max_size=4), min_size=2, max_size=6).map(lambda rows: path(*rows))


def test_distance_is_the_share_of_differing_tokens() -> None:
    assert distance(EVEN[:, 0], EVEN[:, 2]).tolist() == [2 / 3]


def test_distances_from_the_ends_run_against_each_other() -> None:
    np.testing.assert_allclose(distance_from(EVEN[:, 0], EVEN), [0, 1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(distance_from(EVEN[:, -1], EVEN), [1, 2 / 3, 1 / 3, 0])


def test_a_path_of_equal_changes_has_a_jump_of_one() -> None:
    np.testing.assert_allclose(jumps(EVEN), [1])


def test_a_path_that_changes_at_once_has_a_jump_of_all_its_steps() -> None:
    np.testing.assert_allclose(jumps(ALL_AT_ONCE), [3])


def test_a_detour_counts_as_a_jump() -> None:
    # Two tokens at once, where an even split of the one that differs at the end is a third of a token.
    np.testing.assert_allclose(jumps(THERE_AND_BACK), [6])


@given(any_paths())
def test_a_jump_is_never_below_one(paths: NDArray[np.int64]) -> None:
    (jump,) = jumps(paths)
    assert math.isnan(jump) == bool((paths[:, 0] == paths[:, -1]).all())
    assert math.isnan(jump) or jump >= 1 - 1e-9


def test_the_jump_between_equal_ends_is_undefined_and_left_out_of_the_mean() -> None:
    assert np.isnan(jumps(STAYS)).all()
    assert math.isnan(mean_jump(jumps(STAYS)))
    both = np.concatenate([ALL_AT_ONCE, path([0, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0])])
    assert mean_jump(jumps(both)) == pytest.approx(3)


def test_the_middle_of_an_even_number_of_steps_is_the_mean_of_two() -> None:
    assert middle(np.array([0.0, 1.0, 3.0, 9.0])) == 2
    assert middle(np.array([0.0, 5.0, 9.0])) == 5


def test_a_mix_starts_as_a_ends_as_b_and_holds_tokens_of_these_two_only() -> None:
    a, b = np.full((3, 16, 1), 60), np.full((3, 16, 1), 72)
    mixed = mix(a, b, 8, np.random.default_rng(0))
    assert mixed.shape == (3, 8, 16, 1)
    assert (mixed[:, 0] == a).all()
    assert (mixed[:, -1] == b).all()
    assert set(np.unique(mixed)) == {60, 72}


def test_a_mix_takes_more_from_b_the_further_it_is() -> None:
    a, b = np.zeros((200, 16, 1), np.int64), np.ones((200, 16, 1), np.int64)
    shares = mix(a, b, 5, np.random.default_rng(0)).mean((0, 2, 3))
    np.testing.assert_allclose(shares, np.linspace(0, 1, 5), atol=0.03)


def test_costs_are_given_for_every_step_of_every_path() -> None:
    windows = EVEN.reshape(-1, 3, 1)
    model = fit([windows], melody)
    assert costs(EVEN, model).shape == (1, 4)
    np.testing.assert_allclose(costs(EVEN, model)[0], model.cost(windows))
