"""Posteriors of a corpus → the density that `inference.density` draws from.

    windows ─▶ posteriors (μ, σ) [N, Z] ─▶ fit ─▶ Density

Fitted by expectation maximisation (Dempster et al. 1977) of a bound on the mean of E_q[log p(z)] over the windows, in
which a window belongs to component k with r_k ∝ w_k · exp E_q[log N(z; m_k, S_k)]. That expectation is known, so
nothing is sampled: log N(μ; m_k, S_k) − ½ Σ_i σ_i² (S_k⁻¹)_ii.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.codec import Floats, Posterior
from musicvae_lite.inference.density import Density, log_sum_exp
from musicvae_lite.model.codec import codec
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.notes import Meter

COMPONENTS = 32  # 16 cost half a bit a window on held-out music
WINDOWS_A_COMPONENT = 100  # at least; a small corpus gets fewer components
MOST_NUMBERS = 900_000  # of all factors together: with 960 dimensions one component, 2 MB in half precision
WINDOWS = 100_000  # read at most, evenly spread
PASSES = 12
PRIOR_COVARIANCE = 100.0  # windows that the covariance of the whole corpus counts for in each component …
PRIOR_MEAN = 10.0  # … its mean …
PRIOR_WEIGHTS = 20.0  # … and the weights over all meters in each meter
LEAST_WEIGHT = 1e-6
BLOCK = 4096  # windows at a time: bounds the memory


def fit(
    model: MusicVAE, groups: Sequence[Windows], *, seed: int = 0, components: int = COMPONENTS, passes: int = PASSES
) -> Density:
    """The density of the posteriors of `groups` as they are, in their own keys.

    At most `WINDOWS` windows are read. `seed` chooses where the components start. No windows is a `MusicVAEError`.
    """
    total = sum(map(len, groups))
    if not total:
        raise MusicVAEError("no windows to fit the latent density to: expected at least one")
    share = min(1.0, WINDOWS / total)
    found = [(group.meter, posteriors(model, _spread(group, share))) for group in groups if len(group)]
    return fit_posteriors(found, seed=seed, components=components, passes=passes)


def posteriors(model: MusicVAE, group: Windows) -> Posterior:
    """q(z | x) of each window."""
    model.eval()
    reader = codec(model)
    blocks = [
        reader.encode(group.tokens[start : start + BLOCK].astype(np.int64), group.meter)
        for start in range(0, len(group), BLOCK)
    ]
    return Posterior(np.concatenate([b.mu for b in blocks]), np.concatenate([b.sigma for b in blocks]))


def kept(density: Density) -> dict[str, Tensor]:
    """What a checkpoint keeps of a density."""
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in density.to_arrays().items()}


def fit_posteriors(
    found: Sequence[tuple[Meter, Posterior]],
    *,
    seed: int = 0,
    components: int = COMPONENTS,
    passes: int = PASSES,
) -> Density:
    """The density of posteriors, each meter's in one.

    At most one component for every `WINDOWS_A_COMPONENT` windows, and no more than fit into `MOST_NUMBERS`.
    """
    data = _Data.of(found)
    whole = _Whole(*data.moments())
    latent = data.mu.shape[1]
    fitting = MOST_NUMBERS // (latent * (latent + 1) // 2)
    count = max(1, min(components, len(data.mu) // WINDOWS_A_COMPONENT, fitting))
    means = data.mu[np.random.default_rng(seed).permutation(len(data.mu))[:count]]
    log_weights = np.full((len(found), count), -math.log(count), np.float32)
    covariances = np.broadcast_to(whole.covariance, (count, *whole.covariance.shape))
    density = Density(tuple(meter for meter, _ in found), log_weights, means, _factors(covariances))
    for _ in range(passes):
        density = _maximised(density.meters, _expected(density, data), whole)
    return density


@dataclass(frozen=True, eq=False)
class _Data:
    mu: Floats  # [N, Z]
    variance: Floats  # [N, Z]
    row: NDArray[np.int64]  # [N]: which meter

    @classmethod
    def of(cls, found: Sequence[tuple[Meter, Posterior]]) -> _Data:
        row = np.repeat(np.arange(len(found)), [len(posterior.mu) for _, posterior in found])
        mu, sigma = (np.concatenate([getattr(posterior, name) for _, posterior in found]) for name in ("mu", "sigma"))
        return cls(mu, np.square(sigma), row)

    def moments(self) -> tuple[Floats, Floats]:
        """Mean [Z] and covariance [Z, Z] of the aggregate posterior: the spread of the means and the mean variance."""
        mean = self.mu.mean(0)
        away = self.mu - mean
        return mean, away.T @ away / len(away) + np.diag(self.variance.mean(0))


@dataclass(frozen=True, eq=False)
class _Whole:
    """Mean and covariance of the whole corpus: what components with little data of their own fall back to."""

    mean: Floats
    covariance: Floats


@dataclass(frozen=True, eq=False)
class _Sums:
    """Responsibilities r summed: by meter [M, K], and with E_q[z] [K, Z] and E_q[z zᵀ] [K, Z, Z]."""

    weights: NDArray[np.float64]
    first: NDArray[np.float64]
    second: NDArray[np.float64]


def _expected(density: Density, data: _Data) -> _Sums:
    count, size = density.means.shape
    sums = _Sums(np.zeros((len(density.meters), count)), np.zeros((count, size)), np.zeros((count, size, size)))
    precision = np.square(density.inverses).sum(1)  # [K, Z]: the diagonal of S_k⁻¹
    for start in range(0, len(data.mu), BLOCK):
        block = slice(start, start + BLOCK)
        mu, variance, row = data.mu[block], data.variance[block], data.row[block]
        log_joint = density.by_component(mu) - 0.5 * variance @ precision.T + density.log_weights[row]
        shares = np.exp(log_joint - log_sum_exp(log_joint)[:, None])
        np.add.at(sums.weights, row, shares)
        for component in range(count):
            own = shares[:, component] > 1e-3  # a window belongs to one component or two, seldom to more
            share, x = shares[own, component, None], mu[own]
            sums.first[component] += (share * x).sum(0)
            sums.second[component] += (share * x).T @ x + np.diag((share * variance[own]).sum(0))
    return sums


def _maximised(meters: tuple[Meter, ...], sums: _Sums, whole: _Whole) -> Density:
    each = sums.weights.sum(0)  # [K]
    means = (sums.first + PRIOR_MEAN * whole.mean) / (each + PRIOR_MEAN)[:, None]
    crossed = sums.first[:, :, None] * means[:, None]
    scatter = sums.second - crossed - crossed.swapaxes(1, 2) + each[:, None, None] * means[:, :, None] * means[:, None]
    covariance = (scatter + PRIOR_COVARIANCE * whole.covariance) / (each + PRIOR_COVARIANCE)[:, None, None]
    overall = each / each.sum()
    weights = (sums.weights + PRIOR_WEIGHTS * overall) / (sums.weights.sum(1, keepdims=True) + PRIOR_WEIGHTS)
    weights = np.maximum(weights, LEAST_WEIGHT)
    log_weights = np.log(weights / weights.sum(1, keepdims=True))
    return Density(meters, log_weights.astype(np.float32), means.astype(np.float32), _factors(covariance))


def _factors(covariance: Floats) -> NDArray[np.float32]:
    """Lower Cholesky factors [K, Z, Z]; in double precision, with a little added where rounding would spoil them."""
    wide = covariance.astype(np.float64)
    wide = 0.5 * (wide + wide.swapaxes(1, 2))
    least = 1e-6 * np.diagonal(wide, axis1=1, axis2=2).mean(-1)
    return np.linalg.cholesky(wide + least[:, None, None] * np.eye(wide.shape[-1])).astype(np.float32)


def _spread(group: Windows, share: float) -> Windows:
    """About that share of the windows, at least one, evenly spread."""
    kept = max(1, round(share * len(group)))
    return group.select(np.linspace(0, len(group) - 1, kept).astype(np.int64))
