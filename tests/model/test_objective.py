"""The loss is a bound: summed where it must be summed, rising with KL, and paying for no more than asked."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from musicvae_lite.model.objective import cross_entropy, objective
from musicvae_lite.model.posterior import Posterior

B, T, V, K, Z = 4, 6, 2, 5, 3


def logits_and_tokens() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(B, T, V, K, generator=generator), torch.randint(K, (B, T, V), generator=generator)


def posterior(mu: float, sigma: float = 1.0) -> Posterior:
    return Posterior(torch.full((B, Z), mu), torch.full((B, Z), sigma))


def test_cross_entropy_is_summed_over_steps_and_voices() -> None:
    logits, tokens = logits_and_tokens()
    expected = [
        -sum(float(logits[b, t, v].log_softmax(0)[tokens[b, t, v]]) for t in range(T) for v in range(V))
        for b in range(B)
    ]
    assert cross_entropy(logits, tokens).tolist() == pytest.approx(expected, rel=1e-5)


def test_knowing_nothing_costs_log_k_a_token() -> None:
    _, tokens = logits_and_tokens()
    found = cross_entropy(torch.zeros(B, T, V, K), tokens)
    torch.testing.assert_close(found, torch.full((B,), T * V * float(torch.tensor(K).log())))


def test_kl_is_summed_over_dimensions_and_averaged_over_the_batch_only() -> None:
    logits, tokens = logits_and_tokens()
    q = Posterior(torch.randn(B, Z, generator=torch.Generator().manual_seed(1)), torch.full((B, Z), 0.3))
    expected = kl_divergence(Normal(q.mu, q.sigma), Normal(0.0, 1.0)).sum(1).mean()
    loss = objective(logits, tokens, q, beta=1.0, free_nats=0.0)
    torch.testing.assert_close(loss.kl, expected)
    torch.testing.assert_close(loss.total, loss.cross_entropy + expected)


def test_the_loss_rises_with_kl() -> None:
    logits, tokens = logits_and_tokens()
    by_mean = [objective(logits, tokens, posterior(mu), 1.0, 0.5).total.item() for mu in (0.5, 1.0, 2.0, 4.0)]
    by_width = [objective(logits, tokens, posterior(0.0, s), 1.0, 0.5).total.item() for s in (0.4, 0.2, 0.1, 0.01)]
    assert by_mean == sorted(set(by_mean))
    assert by_width == sorted(set(by_width))


def test_gradient_descent_on_the_loss_makes_kl_smaller() -> None:
    logits, tokens = logits_and_tokens()
    mu = torch.full((B, Z), 2.0, requires_grad=True)
    objective(logits, tokens, Posterior(mu, torch.ones(B, Z)), 1.0, 0.0).total.backward()
    assert mu.grad is not None
    assert (mu.grad > 0).all()


def test_beta_weighs_kl_and_nothing_else() -> None:
    logits, tokens = logits_and_tokens()
    loss = objective(logits, tokens, posterior(1.0), beta=0.25, free_nats=0.0)
    torch.testing.assert_close(loss.total, loss.cross_entropy + 0.25 * loss.kl)


def test_free_nats_are_not_paid_for_and_not_pushed_on() -> None:
    logits, tokens = logits_and_tokens()
    mu = torch.ones(B, Z, requires_grad=True)  # 0.5 nats a dimension, 1.5 in all
    loss = objective(logits, tokens, Posterior(mu, torch.ones(B, Z)), beta=1.0, free_nats=1.6)
    assert loss.kl.item() == pytest.approx(1.5)
    assert loss.total.item() == loss.cross_entropy.item()
    loss.total.backward()
    assert mu.grad is not None
    assert (mu.grad == 0).all()


def test_beyond_the_free_nats_only_the_rest_is_paid_for() -> None:
    logits, tokens = logits_and_tokens()
    loss = objective(logits, tokens, posterior(1.0), beta=1.0, free_nats=1.0)
    assert (loss.total - loss.cross_entropy).item() == pytest.approx(0.5, abs=1e-5)


def test_a_busy_window_may_spend_what_a_sparse_one_saves() -> None:
    logits, tokens = logits_and_tokens()
    mu = torch.zeros(B, Z)
    mu[0] = 2.0  # 6 nats in one window, none in the three others: 1.5 on average
    loss = objective(logits, tokens, Posterior(mu, torch.ones(B, Z)), beta=1.0, free_nats=1.5)
    assert loss.total.item() == loss.cross_entropy.item()
