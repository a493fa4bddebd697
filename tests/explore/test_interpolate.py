"""Paths have exact ends and keep what they promise between; even spacing is the best there is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicvae_lite.explore.interpolate import JUMP_POWER, PATHS, Path, even, levels, linear, slerp, uniform
from musicvae_lite.inference.codec import Floats

THIRDS = np.array([0.0, 1 / 3, 2 / 3, 1.0])
A_FINE_LINE = uniform(33)
DEGREES = [0.001, 1, 30, 60, 89.9, 90, 91, 120, 150, 179, 179.999]


def at_angle(degrees: float, size: int = 8, norms: tuple[float, float] = (1.0, 1.0)) -> tuple[Floats, Floats]:
    """Two float64 vectors of given norms with that angle between them, askew in `size` dimensions."""
    basis, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((size, 2)))
    angle = math.radians(degrees)
    return basis[:, 0] * norms[0], (math.cos(angle) * basis[:, 0] + math.sin(angle) * basis[:, 1]) * norms[1]


def normal(*shape: int, seed: int) -> Floats:
    """Normal float32 numbers."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def norm(x: Floats) -> Floats:
    """Lengths of vectors [..., Z], [...]."""
    return np.asarray(np.linalg.norm(x.astype(np.float64), axis=-1))


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_the_ends_of_a_path_are_exactly_its_two_points(path: Path) -> None:
    a, b = normal(2, 5, 8, seed=1)
    points = path(a, b, THIRDS)
    assert points.shape == (4, 5, 8)
    assert points.dtype == a.dtype
    assert np.array_equal(points[0], a)
    assert np.array_equal(points[-1], b)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_path_from_a_point_to_itself_stays_there_exactly(path: Path) -> None:
    a = normal(5, 8, seed=2)
    assert np.array_equal(path(a, a, A_FINE_LINE), np.broadcast_to(a, (33, 5, 8)))


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_positions_can_differ_from_row_to_row(path: Path) -> None:
    a, b = normal(2, 3, 8, seed=3)
    positions = np.random.default_rng(4).random((4, 3))
    points = path(a, b, positions)
    for row in range(3):
        assert np.allclose(points[:, row], path(a[row], b[row], positions[:, row]))


def test_the_linear_path_is_a_straight_line_at_even_speed() -> None:
    a, b = np.zeros(8), np.full(8, 4.0)
    assert np.allclose(linear(a, b, A_FINE_LINE), np.repeat(4 * A_FINE_LINE[:, None], 8, 1))


@pytest.mark.parametrize("norms", [(1.0, 1.0), (2.0, 0.5)], ids=str)
@pytest.mark.parametrize("degrees", DEGREES)
def test_slerp_is_the_true_arc_up_to_large_angles(degrees: float, norms: tuple[float, float]) -> None:
    a, b = at_angle(degrees, norms=norms)
    points = slerp(a, b, A_FINE_LINE)
    turned = norm(points / norm(points)[:, None] - a / norm(a))
    chord = 2 * np.sin(math.radians(degrees) * A_FINE_LINE / 2)  # of an arc, in the plane of a and b …
    assert np.allclose(turned, chord, atol=1e-9)
    remaining = norm(points / norm(points)[:, None] - b / norm(b))
    assert np.allclose(remaining, chord[::-1], atol=1e-9)  # … which is the shortest one


@pytest.mark.parametrize("degrees", [0.0, *DEGREES, 180.0])
def test_the_norm_along_slerp_goes_evenly_from_one_to_the_other(degrees: float) -> None:
    a, b = at_angle(degrees, norms=(2.0, 3.0))
    assert np.allclose(norm(slerp(a, b, A_FINE_LINE)), 2 + A_FINE_LINE)
    single = slerp(a.astype(np.float32), b.astype(np.float32), A_FINE_LINE)
    assert single.dtype == np.float32
    assert np.allclose(norm(single), 2 + A_FINE_LINE)


ONE = np.array([3.0, 4.0, 0.0], np.float32)
CORNER_CASES = {
    "equal": (ONE, ONE),
    "parallel": (ONE, 2 * ONE),
    "nearly parallel": (ONE, ONE + np.array([0.0, 0.0, 1e-7], np.float32)),
    "opposite": (ONE, -ONE),
    "nearly opposite": (ONE, -ONE + np.array([0.0, 0.0, 1e-7], np.float32)),
    "along an axis": (np.array([1.0, 0.0, 0.0], np.float32), np.array([-1.0, 0.0, 0.0], np.float32)),
    "from zero": (np.zeros(3, np.float32), ONE),
    "to zero": (ONE, np.zeros(3, np.float32)),
    "zero": (np.zeros(3, np.float32), np.zeros(3, np.float32)),
    "tiny": (1e-30 * ONE, 1e-30 * ONE[::-1]),
    "huge": (1e18 * ONE, -1e18 * ONE),
}


@pytest.mark.parametrize(("a", "b"), CORNER_CASES.values(), ids=CORNER_CASES)
def test_slerp_has_no_nan_and_a_norm_between_the_ends_where_the_arc_is_not_defined(a: Floats, b: Floats) -> None:
    points = slerp(a, b, A_FINE_LINE)
    assert np.isfinite(points).all()
    assert np.array_equal(points[0], a)
    assert np.array_equal(points[-1], b)
    norms, ends = norm(points), sorted([float(norm(a)), float(norm(b))])
    assert norms.min() >= ends[0] * (1 - 1e-6)
    assert norms.max() <= ends[1] * (1 + 1e-6)


def test_uniform_positions_are_equally_far_apart() -> None:
    assert uniform(5).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def by_brute_force(tokens: NDArray[np.int64], steps: int) -> int:
    """The least `jumpiness` of all choices with both ends."""
    inside = combinations(range(1, len(tokens) - 1), steps - 2)
    return min(jumpiness(tokens, (0, *rows, len(tokens) - 1)) for rows in inside)


def jumpiness(tokens: NDArray[np.int64], rows: Iterable[int]) -> int:
    return sum(int((tokens[i] != tokens[j]).sum()) ** JUMP_POWER for i, j in pairwise(rows))


@given(st.data())
def test_even_finds_the_best_of_all_ordered_choices(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 8))
    steps = data.draw(st.integers(2, count))
    seed = data.draw(st.integers(0, 1000))
    walk = np.random.default_rng(seed)
    tokens = np.where(walk.random((count, 6, 2)) < 0.3, walk.integers(0, 3, (count, 6, 2)), -1)
    chosen = even(tokens, steps)
    assert len(chosen) == steps
    assert (chosen[0], chosen[-1]) == (0, count - 1)
    assert (np.diff(chosen) > 0).all()
    assert jumpiness(tokens, chosen.tolist()) == by_brute_force(tokens, steps)


def test_even_divides_a_sudden_change_among_the_steps() -> None:
    # Nothing happens over most of the path; then eight tokens change one after the other.
    changed = [0] * 40 + list(range(9)) + [8] * 10
    tokens = np.array([[i < count for i in range(8)] for count in changed], np.int64)[:, :, None]
    assert [changed[row] for row in even(tokens, 5)] == [0, 2, 4, 6, 8]


def test_of_several_candidates_at_one_place_at_most_one_is_heard() -> None:
    random = np.random.default_rng(8)
    place = np.array([0.0, 0.0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1.0, 1.0])
    tokens = random.integers(0, 3, (10, 6, 1))
    chosen = even(tokens, 4, place)
    assert (np.diff(place[chosen]) > 0).all()
    assert chosen[[0, -1]].tolist() == [0, 9]
    every = [(0, *inner, 9) for inner in combinations(range(1, 9), 2) if 0 < place[inner[0]] < place[inner[1]] < 1]
    assert jumpiness(tokens, chosen.tolist()) == min(jumpiness(tokens, each) for each in every)


def test_even_is_even_along_the_path_where_all_candidates_sound_the_same() -> None:
    assert even(np.zeros((9, 4096, 1), np.int64), 5).tolist() == [0, 2, 4, 6, 8]


def test_half_way_between_unrelated_tunes_as_much_is_lost_as_the_channel_loses_at_the_root_of_a_half() -> None:
    a, b = at_angle(90)
    t = np.array([0.0, 0.25, 0.5, 1.0])
    expected = np.sqrt(2 * t * (1 - t))
    np.testing.assert_allclose(levels(linear(a, b, t), a, b, t), expected)


def test_a_level_is_exactly_0_at_both_ends() -> None:
    a, b = normal(2, 5, 8, seed=5)
    found = levels(linear(a, b, THIRDS), a, b, THIRDS)
    assert found.shape == (4, 5)
    assert np.array_equal(found[[0, -1]], np.zeros((2, 5)))
    assert (found[1:-1] > 0.1).all()


def test_on_the_way_from_a_tune_to_itself_z_says_exactly_what_is_wanted() -> None:
    a = normal(5, 8, seed=6)
    assert np.array_equal(levels(linear(a, a, A_FINE_LINE), a, a, A_FINE_LINE), np.zeros((33, 5)))


def test_a_path_that_keeps_the_norm_loses_nothing_and_between_opposites_all_is_lost() -> None:
    half = np.array([0.5])
    a, b = at_angle(90)
    np.testing.assert_allclose(levels(slerp(a, b, half), a, b, half), [0.0], atol=1e-6)
    assert levels(linear(a, -a, half), a, -a, half).item() == 1


def test_between_two_zeros_nothing_is_lost() -> None:
    zero = np.zeros((3, 8), np.float32)
    assert np.array_equal(levels(linear(zero, zero, THIRDS), zero, zero, THIRDS), np.zeros((4, 3)))


def test_levels_can_be_for_positions_that_differ_from_row_to_row() -> None:
    a, b = normal(2, 3, 8, seed=3)
    positions = np.random.default_rng(4).random((4, 3))
    found = levels(linear(a, b, positions), a, b, positions)
    for row in range(3):
        alone = linear(a[row], b[row], positions[:, row])
        np.testing.assert_allclose(found[:, row], levels(alone, a[row], b[row], positions[:, row]), rtol=1e-5)
