"""The posterior is the Gaussian of the textbook."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from musicvae_lite.model.posterior import Posterior


def posterior(seed: int = 0) -> Posterior:
    generator = torch.Generator().manual_seed(seed)
    mu, width = torch.randn(2, 5, 7, generator=generator, dtype=torch.float64)
    return Posterior(2 * mu, width.exp())


def test_kl_is_that_of_torch_for_every_dimension() -> None:
    q = posterior()
    expected = kl_divergence(Normal(q.mu, q.sigma), Normal(torch.zeros_like(q.mu), torch.ones_like(q.mu)))
    torch.testing.assert_close(q.kl(), expected)


def test_the_prior_itself_costs_nothing() -> None:
    assert Posterior(torch.zeros(2, 3), torch.ones(2, 3)).kl().abs().max() == 0


@pytest.mark.parametrize("sigma", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize("mu", [0.0, 1e4, -1e4])
def test_kl_is_a_number_however_narrow_wide_or_far_off(mu: float, sigma: float) -> None:
    kl = Posterior(torch.full((1, 1), mu), torch.full((1, 1), sigma)).kl()
    assert torch.isfinite(kl).all()
    assert (kl >= 0).all()


def test_samples_have_the_posteriors_mean_and_spread() -> None:
    wide = Posterior(torch.full((20_000, 1), 3.0), torch.full((20_000, 1), 0.5))
    z = wide.sample(torch.Generator().manual_seed(0))
    assert z.mean().item() == pytest.approx(3.0, abs=0.02)
    assert z.std().item() == pytest.approx(0.5, abs=0.02)


def test_a_seed_decides_the_sample() -> None:
    def draw(seed: int) -> Tensor:
        return posterior().sample(torch.Generator().manual_seed(seed))

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))


def test_gradients_reach_mu_and_sigma_through_a_sample() -> None:
    mu, sigma = torch.zeros(2, 3, requires_grad=True), torch.ones(2, 3, requires_grad=True)
    Posterior(mu, sigma).sample(torch.Generator().manual_seed(0)).sum().backward()
    assert mu.grad is not None
    assert sigma.grad is not None
    assert (mu.grad == 1).all()
    assert (sigma.grad != 0).all()
