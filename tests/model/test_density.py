"""The fitted density is a density, lies where the posteriors lie, in every meter, and comes back from a file."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.codec import Floats, Posterior
from musicvae_lite.inference.density import PREFIX, Density, log_sum_exp
from musicvae_lite.model import density as densities
from musicvae_lite.model.density import fit, fit_posteriors, posteriors
from musicvae_lite.music.notes import COMMON_TIME, Meter
from tests.model.conftest import TINY, WALTZ, random_tokens, shaken

SIZE = 3
CENTRES = {COMMON_TIME: (4.0, 0.0, 0.0), WALTZ: (-4.0, 2.0, 0.0)}


def random_density(components: int = 4, seed: int = 0) -> Density:
    random = np.random.default_rng(seed)
    factors = np.tril(random.standard_normal((components, SIZE, SIZE)), -1) + np.diag([0.5, 1, 2])
    log_weights = random.standard_normal((2, components))
    log_weights -= log_sum_exp(log_weights)[:, None]
    means = random.standard_normal((components, SIZE))
    return Density((COMMON_TIME, WALTZ), *(x.astype(np.float32) for x in (log_weights, means, factors)))


def cloud(centre: tuple[float, ...], count: int = 400, sigma: float = 0.5, seed: int = 0) -> Posterior:
    mu = np.array(centre, np.float32) + 0.5 * np.random.default_rng(seed).standard_normal((count, SIZE), np.float32)
    return Posterior(mu, np.full_like(mu, sigma))


def kl(posterior: Posterior) -> Floats:
    """KL(q ‖ N(0, I)) in nats, [B, Z]."""
    variance = np.square(posterior.sigma)
    return 0.5 * (np.square(posterior.mu) + variance - 1 - np.log(variance))


def two_meters() -> list[tuple[Meter, Posterior]]:
    return [(meter, cloud(centre)) for meter, centre in CENTRES.items()]


def windows(meter: Meter, count: int) -> Windows:
    tokens = random_tokens(TINY, meter, count).numpy().astype(np.uint8)
    return Windows(meter, tokens, np.zeros(count, np.int64), np.zeros(count, np.int64))


def mean_log_prob(density: Density, posterior: Posterior, meter: Meter) -> float:
    return float(density.log_prob(posterior.sample(np.random.default_rng(9)), meter).mean())


def test_the_probability_is_that_of_a_mixture_of_gaussians() -> None:
    density, z = random_density(), np.random.default_rng(1).standard_normal((5, SIZE), np.float32)
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=torch.from_numpy(density.log_weights[1])),
        torch.distributions.MultivariateNormal(
            torch.from_numpy(density.means), scale_tril=torch.from_numpy(density.factors)
        ),
    )
    expected = mixture.log_prob(torch.from_numpy(z)).numpy()
    np.testing.assert_allclose(density.log_prob(z, WALTZ), expected, rtol=1e-4)


def test_samples_have_the_moments_of_the_density() -> None:
    density = random_density()
    z = density.sample(40_000, COMMON_TIME, np.random.default_rng(0))
    weights = np.exp(density.log_weights[0])
    mean = weights @ density.means
    spread = density.factors @ density.factors.swapaxes(1, 2) + density.means[:, :, None] * density.means[:, None]
    covariance = np.einsum("k,kyz->yz", weights, spread) - np.outer(mean, mean)
    np.testing.assert_allclose(z.mean(0), mean, atol=0.05)
    np.testing.assert_allclose(np.cov(z.T), covariance, atol=0.15, rtol=0.05)


def test_the_same_seed_draws_the_same_and_temperature_zero_draws_means() -> None:
    density = random_density()

    def draw(temperature: float) -> Floats:
        return density.sample(6, COMMON_TIME, np.random.default_rng(3), temperature)

    np.testing.assert_array_equal(draw(1.0), draw(1.0))
    assert (draw(0.0)[:, None] == density.means).all(-1).any(1).all()
    np.testing.assert_allclose(draw(0.5), (draw(0.0) + draw(1.0)) / 2, rtol=1e-5, atol=1e-6)


def test_the_rate_against_one_gaussian_is_the_known_divergence() -> None:
    standard = Density((COMMON_TIME,), np.zeros((1, 1)), np.zeros((1, SIZE)), np.eye(SIZE)[None])
    one = cloud((1.0, 0.0, -1.0), count=1)
    many = Posterior(one.mu.repeat(20_000, 0), one.sigma.repeat(20_000, 0))
    rate = standard.rate(many, COMMON_TIME, np.random.default_rng(0)).mean()
    np.testing.assert_allclose(rate, kl(one).sum(), atol=0.05)


def test_samples_lie_where_the_posteriors_of_their_meter_lie() -> None:
    density = fit_posteriors(two_meters(), components=4)
    for own, other in ((COMMON_TIME, WALTZ), (WALTZ, COMMON_TIME)):
        z = density.sample(500, own, np.random.default_rng(0))
        from_own, from_other = (np.linalg.norm(z - np.array(CENTRES[each]), axis=1) for each in (own, other))
        assert (from_own < from_other).mean() > 0.9


def test_fitting_beats_the_normal_prior_on_posteriors_it_has_not_seen() -> None:
    density = fit_posteriors(two_meters(), components=4)
    for meter, centre in CENTRES.items():
        unseen = cloud(centre, seed=5)
        rate = density.rate(unseen, meter, np.random.default_rng(0)).mean()
        assert rate < 0.6 * kl(unseen).sum(1).mean()


def test_every_pass_raises_the_likelihood(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PRIOR_COVARIANCE", "PRIOR_MEAN", "PRIOR_WEIGHTS"):
        monkeypatch.setattr(densities, name, 1e-3)
    found = [(COMMON_TIME, Posterior(*(np.concatenate(pair) for pair in zip(*_clusters(), strict=True))))]
    heights = [
        mean_log_prob(fit_posteriors(found, components=3, passes=passes), found[0][1], COMMON_TIME)
        for passes in range(0, 7)
    ]
    assert all(later > earlier - 1e-2 for earlier, later in pairwise(heights))
    assert heights[-1] > heights[0] + 0.3


def _clusters() -> list[tuple[Floats, Floats]]:
    found = [cloud(centre, sigma=0.1, seed=index) for index, centre in enumerate([(5, 0, 0), (0, 5, 0), (0, 0, -5.0)])]
    return [(posterior.mu, posterior.sigma) for posterior in found]


def test_no_more_components_are_fitted_than_fit_into_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(COMMON_TIME, cloud((0.0, 0.0, 0.0), count=1000))]
    assert len(fit_posteriors(found, components=8, passes=1).means) == 8
    monkeypatch.setattr(densities, "MOST_NUMBERS", 3 * SIZE * (SIZE + 1) // 2)
    assert len(fit_posteriors(found, components=8, passes=1).means) == 3


def test_one_component_is_the_gaussian_of_the_aggregate_posterior(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(densities, "PRIOR_COVARIANCE", 0.0)
    posterior = cloud((1.0, 2.0, 3.0), count=300, sigma=0.7)
    density = fit_posteriors([(COMMON_TIME, posterior)], components=1, passes=1)
    expected = np.cov(posterior.mu.T, bias=True) + 0.49 * np.eye(SIZE)
    np.testing.assert_allclose(density.means[0], posterior.mu.mean(0), rtol=1e-4)
    np.testing.assert_allclose(density.factors[0] @ density.factors[0].T, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("meter", "like"),
    [(COMMON_TIME, COMMON_TIME), (Meter(2, 2), COMMON_TIME), (Meter(5, 4), COMMON_TIME), (Meter(6, 8), WALTZ)],
    ids=str,
)
def test_a_meter_that_was_not_fitted_is_like_the_one_with_bars_of_its_length(meter: Meter, like: Meter) -> None:
    density, z = random_density(), np.zeros((1, SIZE))
    assert density.nearest(meter) == like
    np.testing.assert_array_equal(density.log_prob(z, meter), density.log_prob(z, like))


def test_it_comes_back_from_its_arrays() -> None:
    density, z = random_density(), np.ones((2, SIZE))
    arrays = density.to_arrays()
    assert all(name.startswith(PREFIX) for name in arrays)
    found = Density.from_arrays(arrays | {"windows": np.zeros(2)})
    assert found is not None
    assert found.meters == density.meters
    np.testing.assert_array_equal(found.log_prob(z, WALTZ), density.log_prob(z, WALTZ))


def test_half_precision_costs_next_to_nothing() -> None:
    density = fit_posteriors(two_meters(), components=4)
    arrays = density.to_arrays()
    half = Density.from_arrays(
        {name: v.astype(np.float16).astype(np.float32) if v.dtype.kind == "f" else v for name, v in arrays.items()}
    )
    assert half is not None
    for meter, centre in CENTRES.items():
        whole, halved = (mean_log_prob(each, cloud(centre), meter) for each in (density, half))
        assert halved == pytest.approx(whole, abs=0.01)


def test_arrays_without_a_density_give_none() -> None:
    assert Density.from_arrays({}) is None
    assert Density.from_arrays({"windows": np.zeros(2)}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"factors": np.zeros((4, 2))},
        {"factors": np.zeros((4, 6))},
        {"means": np.zeros(3)},
        {"meters": np.zeros((2, 3))},
        {"meters": np.zeros((2, 2), np.int64)},
        {"log_weights": np.zeros((5, 4))},
    ],
    ids=lambda change: " ".join(f"{name} {list(value.shape)}" for name, value in change.items()),
)
def test_arrays_that_do_not_fit_are_one_clear_error(change: dict[str, Floats]) -> None:
    arrays = random_density().to_arrays() | {PREFIX + name: value for name, value in change.items()}
    with pytest.raises(MusicVAEError, match="density is damaged"):
        Density.from_arrays(arrays)


def test_half_of_the_arrays_is_one_clear_error() -> None:
    arrays = random_density().to_arrays()
    del arrays[PREFIX + "means"]
    with pytest.raises(MusicVAEError, match="density is damaged"):
        Density.from_arrays(arrays)


def test_a_models_density_is_that_of_its_windows_posteriors() -> None:
    model = shaken().float()
    groups = [windows(COMMON_TIME, 30), windows(WALTZ, 20)]
    density = fit(model, groups, passes=2)
    assert density.meters == (COMMON_TIME, WALTZ)
    expected = fit_posteriors([(group.meter, posteriors(model, group)) for group in groups], passes=2)
    assert np.array_equal(density.means, expected.means)
    assert np.array_equal(fit(model, groups, passes=2).factors, density.factors)


def test_of_a_large_corpus_every_meter_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(densities, "WINDOWS", 10)
    read: list[tuple[Meter, int]] = []

    def count(model: object, group: Windows) -> Posterior:
        read.append((group.meter, len(group)))
        return cloud((0.0,) * SIZE, count=len(group))

    monkeypatch.setattr(densities, "posteriors", count)
    fit(shaken(), [windows(COMMON_TIME, 40), windows(WALTZ, 1)])
    assert read == [(COMMON_TIME, 10), (WALTZ, 1)]


def test_blocks_do_not_change_the_posteriors(monkeypatch: pytest.MonkeyPatch) -> None:
    model, group = shaken(), windows(COMMON_TIME, 5)
    whole = posteriors(model, group)
    monkeypatch.setattr(densities, "BLOCK", 2)
    torch.testing.assert_close(posteriors(model, group).mu, whole.mu)


def test_posteriors_of_no_width_at_all_can_be_fitted() -> None:
    mu = np.zeros((50, SIZE), np.float32)
    density = fit_posteriors([(COMMON_TIME, Posterior(mu, np.full_like(mu, 1e-4)))])
    assert math.isfinite(density.log_prob(np.zeros((1, SIZE)), COMMON_TIME).item())


def test_no_windows_are_one_clear_error() -> None:
    with pytest.raises(MusicVAEError, match="no windows to fit"):
        fit(shaken(), [])
