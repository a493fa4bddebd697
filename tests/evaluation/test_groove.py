"""How far strokes are from a drummer's, in milliseconds and of full loudness; and the answers that need no model."""

from __future__ import annotations

import math

import numpy as np
import pytest

from musicvae_lite.evaluation import groove

NAN = math.nan


def test_timing_counts_at_the_tempo_of_each_stroke() -> None:
    truth, played = np.array([[0.5, 0.1], [0.5, -0.1]]), np.array([[0.5, 0.0], [0.5, 0.1]])
    step_ms = np.array([100.0, 200.0])  # so it is 10 ms early, and 40 ms late
    assert groove.timing_mean(truth, played, step_ms) == pytest.approx(25)
    assert groove.timing_rms(truth, played, step_ms) == pytest.approx(math.sqrt((100 + 1600) / 2))


def test_velocity_counts_on_a_scale_of_one() -> None:
    assert groove.velocity_rms(np.array([[0.5, 0], [0.9, 0]]), np.array([[0.5, 0], [0.7, 0]])) == pytest.approx(
        math.sqrt(0.04 / 2)
    )


def test_without_strokes_nothing_is_defined() -> None:
    none = np.empty((0, 2))
    assert math.isnan(groove.velocity_rms(none, none))
    assert math.isnan(groove.timing_rms(none, none, np.empty(0)))
    assert math.isnan(groove.timing_mean(none, none, np.empty(0)))
    assert groove.stiff(none).shape == (0, 2)


def test_stiff_is_on_the_grid_and_as_loud_as_the_truth_on_average() -> None:
    assert groove.stiff(np.array([[0.2, 0.3], [0.6, -0.3]])).tolist() == [[0.4, 0], [0.4, 0]]


def test_the_mean_of_drum_and_place_is_over_bars_and_windows() -> None:
    windows = np.full((2, 4, 1, 2), NAN)  # two windows of two bars of two steps, one drum
    windows[0, 0], windows[0, 2], windows[1, 0] = [0.2, 0.1], [0.4, 0.2], [0.9, 0.0]
    found = groove.by_place([windows], 2)
    np.testing.assert_allclose(found[0, 0], [0.5, 0.1])
    np.testing.assert_allclose(found[1, 0], [0.5, 0.1])  # never struck there: as in the rest of the bar
    np.testing.assert_allclose(groove.by_place([np.full((1, 2, 1, 2), NAN)], 2)[0, 0], [0.5, 0.0])
