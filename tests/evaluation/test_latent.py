"""What z is used for."""

from __future__ import annotations

import math

import numpy as np

from musicvae_lite.evaluation.latent import active_units, kl_by_dimension


def test_a_unit_is_active_when_its_mean_varies() -> None:
    mu = np.array([[0.0, 1.0, 5.0], [0.0, -1.0, 5.0]])
    assert active_units(mu) == 1


def test_a_collapsed_unit_is_not_active_although_its_posterior_is_wide() -> None:
    # Its samples vary with variance 1; its means do not.
    assert active_units(np.zeros((100, 8))) == 0


def test_a_variance_of_a_hundredth_is_not_yet_active() -> None:
    assert active_units(np.array([[0.09], [-0.09]])) == 0
    assert active_units(np.array([[0.11], [-0.11]])) == 1


def test_without_windows_no_unit_is_active() -> None:
    assert active_units(np.empty((0, 4))) == 0


def test_kl_by_dimension_has_the_largest_first_and_sums_to_the_rate() -> None:
    kl = np.array([[0.0, 2.0, 1.0], [0.0, 4.0, 0.0]])
    assert kl_by_dimension(kl).tolist() == [3.0, 0.5, 0.0]
    assert math.isclose(kl_by_dimension(kl).sum(), kl.sum(1).mean())


def test_without_windows_kl_is_undefined() -> None:
    assert np.isnan(kl_by_dimension(np.empty((0, 3)))).tolist() == [True] * 3
