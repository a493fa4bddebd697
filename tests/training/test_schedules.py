"""Schedules at their corners, and that they never jump."""

from __future__ import annotations

import numpy as np
import pytest

from musicvae_lite.training.schedules import ema_decay, free_bits, learning_rate, ramp


@pytest.mark.parametrize(
    ("progress", "expected"), [(0.0, 0.0), (0.2, 0.0), (0.4, 0.5), (0.6, 1.0), (1.0, 1.0), (1.5, 1.0)]
)
def test_a_ramp_is_0_before_1_after_and_straight_between(progress: float, expected: float) -> None:
    assert ramp(progress, 0.2, 0.6) == pytest.approx(expected)


@pytest.mark.parametrize(("step", "expected"), [(0, 0.25), (1, 0.5), (3, 1.0), (1000, 1.0)])
def test_the_learning_rate_warms_up_in_equal_steps(step: int, expected: float) -> None:
    assert learning_rate(step, 0.0, 1.0, 4) == pytest.approx(expected)


def test_without_warm_up_the_first_step_is_at_the_peak() -> None:
    assert learning_rate(0, 0.0, 3e-3, 0) == pytest.approx(3e-3)


@pytest.mark.parametrize(("progress", "expected"), [(0.0, 1.0), (0.5, 0.51), (1.0, 0.02), (1.2, 0.02)])
def test_the_learning_rate_follows_a_cosine_down_to_its_floor(progress: float, expected: float) -> None:
    assert learning_rate(10_000, progress, 1.0, 200) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("progress", "expected"), [(0.0, 250.0), (0.05, 250.0), (0.325, 180.0), (0.6, 110.0), (1, 110)]
)
def test_free_bits_narrow_from_the_first_to_the_last(progress: float, expected: float) -> None:
    assert free_bits(progress, 250.0, 110.0, 0.05, 0.6) == pytest.approx(expected)


def test_the_average_forgets_fast_at_first_and_slowly_in_the_end() -> None:
    decays = [ema_decay(step, 0.999) for step in range(20_000)]
    assert decays[0] == pytest.approx(0.1)
    assert decays == sorted(decays)
    assert decays[-1] == 0.999


def test_no_schedule_jumps_or_goes_back_up() -> None:
    progress = np.linspace(0, 1, 1001)
    for values in (
        np.array([learning_rate(1000, p, 1.0, 200) for p in progress]),
        np.array([free_bits(p, 250.0, 110.0, 0.05, 0.6) for p in progress]) / 140,
    ):
        steps = np.diff(values)
        assert (steps <= 0).all()
        assert np.abs(steps).max() < 0.01
