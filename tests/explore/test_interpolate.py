"""Paths have exact ends and keep what they promise between; even spacing is the best there is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from musicvae_lite.explore.interpolate import JUMP_POWER, PATHS, Path, even, levels, linear, slerp, uniform

THIRDS = torch.tensor([0.0, 1 / 3, 2 / 3, 1.0], dtype=torch.float64)
A_FINE_LINE = torch.from_numpy(uniform(33))
DEGREES = [0.001, 1, 30, 60, 89.9, 90, 91, 120, 150, 179, 179.999]


def at_angle(degrees: float, size: int = 8, norms: tuple[float, float] = (1.0, 1.0)) -> tuple[Tensor, Tensor]:
    """Two float64 vectors of given norms with that angle between them, askew in `size` dimensions."""
    generator = torch.Generator().manual_seed(0)
    basis, _ = torch.linalg.qr(torch.randn(size, 2, generator=generator, dtype=torch.float64))
    angle = math.radians(degrees)
    return basis[:, 0] * norms[0], (math.cos(angle) * basis[:, 0] + math.sin(angle) * basis[:, 1]) * norms[1]


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_the_ends_of_a_path_are_exactly_its_two_points(path: Path) -> None:
    a, b = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(1))
    points = path(a, b, THIRDS)
    assert points.shape == (4, 5, 8)
    assert points.dtype == a.dtype
    assert torch.equal(points[0], a)
    assert torch.equal(points[-1], b)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_path_from_a_point_to_itself_stays_there_exactly(path: Path) -> None:
    a = torch.randn(5, 8, generator=torch.Generator().manual_seed(2))
    assert torch.equal(path(a, a, A_FINE_LINE), a.expand(33, 5, 8))


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_positions_can_differ_from_row_to_row(path: Path) -> None:
    a, b = torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(3))
    positions = torch.rand(4, 3, generator=torch.Generator().manual_seed(4))
    points = path(a, b, positions)
    for row in range(3):
        assert torch.allclose(points[:, row], path(a[row], b[row], positions[:, row]))


def test_the_linear_path_is_a_straight_line_at_even_speed() -> None:
    a, b = torch.zeros(8), torch.full((8,), 4.0)
    assert torch.allclose(linear(a, b, A_FINE_LINE), 4 * A_FINE_LINE[:, None].float().expand(33, 8))


@pytest.mark.parametrize("norms", [(1.0, 1.0), (2.0, 0.5)], ids=str)
@pytest.mark.parametrize("degrees", DEGREES)
def test_slerp_is_the_true_arc_up_to_large_angles(degrees: float, norms: tuple[float, float]) -> None:
    a, b = at_angle(degrees, norms=norms)
    points = slerp(a, b, A_FINE_LINE)
    turned = torch.linalg.vector_norm(points / points.norm(dim=-1, keepdim=True) - a / a.norm(), dim=-1)
    chord = 2 * torch.sin(math.radians(degrees) * A_FINE_LINE / 2)  # of an arc, in the plane of a and b …
    assert torch.allclose(turned, chord, atol=1e-9)
    remaining = torch.linalg.vector_norm(points / points.norm(dim=-1, keepdim=True) - b / b.norm(), dim=-1)
    assert torch.allclose(remaining, chord.flip(0), atol=1e-9)  # … which is the shortest one


@pytest.mark.parametrize("degrees", [0.0, *DEGREES, 180.0])
def test_the_norm_along_slerp_goes_evenly_from_one_to_the_other(degrees: float) -> None:
    a, b = at_angle(degrees, norms=(2.0, 3.0))
    assert torch.allclose(slerp(a, b, A_FINE_LINE).norm(dim=-1), 2 + A_FINE_LINE)
    assert torch.allclose(slerp(a.float(), b.float(), A_FINE_LINE).norm(dim=-1).double(), 2 + A_FINE_LINE)


ONE = torch.tensor([3.0, 4.0, 0.0])
CORNER_CASES = {
    "equal": (ONE, ONE),
    "parallel": (ONE, 2 * ONE),
    "nearly parallel": (ONE, ONE + torch.tensor([0.0, 0.0, 1e-7])),
    "opposite": (ONE, -ONE),
    "nearly opposite": (ONE, -ONE + torch.tensor([0.0, 0.0, 1e-7])),
    "along an axis": (torch.tensor([1.0, 0.0, 0.0]), torch.tensor([-1.0, 0.0, 0.0])),
    "from zero": (torch.zeros(3), ONE),
    "to zero": (ONE, torch.zeros(3)),
    "zero": (torch.zeros(3), torch.zeros(3)),
    "tiny": (1e-30 * ONE, 1e-30 * ONE.flip(0)),
    "huge": (1e18 * ONE, -1e18 * ONE),
}


@pytest.mark.parametrize(("a", "b"), CORNER_CASES.values(), ids=CORNER_CASES)
def test_slerp_has_no_nan_and_a_norm_between_the_ends_where_the_arc_is_not_defined(a: Tensor, b: Tensor) -> None:
    points = slerp(a, b, A_FINE_LINE)
    assert torch.isfinite(points).all()
    assert torch.equal(points[0], a)
    assert torch.equal(points[-1], b)
    norms, ends = points.double().norm(dim=-1), sorted([float(a.double().norm()), float(b.double().norm())])
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
    t = torch.tensor([0.0, 0.25, 0.5, 1.0], dtype=torch.float64)
    expected = (2 * t * (1 - t)).sqrt()
    torch.testing.assert_close(levels(linear(a, b, t), a, b, t), expected)


def test_a_level_is_exactly_0_at_both_ends() -> None:
    a, b = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(5))
    found = levels(linear(a, b, THIRDS), a, b, THIRDS)
    assert found.shape == (4, 5)
    assert torch.equal(found[[0, -1]], torch.zeros(2, 5))
    assert (found[1:-1] > 0.1).all()


def test_on_the_way_from_a_tune_to_itself_z_says_exactly_what_is_wanted() -> None:
    a = torch.randn(5, 8, generator=torch.Generator().manual_seed(6))
    assert torch.equal(levels(linear(a, a, A_FINE_LINE), a, a, A_FINE_LINE), torch.zeros(33, 5))


def test_a_path_that_keeps_the_norm_loses_nothing_and_between_opposites_all_is_lost() -> None:
    half = torch.tensor([0.5], dtype=torch.float64)
    a, b = at_angle(90)
    torch.testing.assert_close(levels(slerp(a, b, half), a, b, half), torch.zeros(1).double(), atol=1e-6, rtol=0)
    assert levels(linear(a, -a, half), a, -a, half).item() == 1


def test_between_two_zeros_nothing_is_lost() -> None:
    zero = torch.zeros(3, 8)
    assert torch.equal(levels(linear(zero, zero, THIRDS), zero, zero, THIRDS), torch.zeros(4, 3))


def test_levels_can_be_for_positions_that_differ_from_row_to_row() -> None:
    a, b = torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(3))
    positions = torch.rand(4, 3, generator=torch.Generator().manual_seed(4))
    found = levels(linear(a, b, positions), a, b, positions)
    for row in range(3):
        alone = linear(a[row], b[row], positions[:, row])
        torch.testing.assert_close(found[:, row], levels(alone, a[row], b[row], positions[:, row]))
