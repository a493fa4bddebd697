"""p(z | meter): where the posteriors of a corpus really lie. A mixture of Gaussians, fitted after training.

    windows ─▶ posteriors (μ, σ) [N, Z] ─▶ fit ─▶ Density ─▶ sample, log_prob, rate

N(0, I) is where the posteriors are pulled to, not where they are (the aggregate posterior: Hoffman & Johnson 2016,
"ELBO surgery"; Rosca et al. 2018, arXiv 1802.06847), so most of what is drawn from it was never decoded in training.
The K components have full covariances and are shared by all meters; each meter has weights of its own, because its
windows have a length of their own and leave other parts of z unused. A meter that was not fitted takes those of the one
whose bars are nearest in length.

Fitted by expectation maximisation (Dempster et al. 1977) of a bound on the mean of E_q[log p(z)] over the windows, in
which a window belongs to component k with r_k ∝ w_k · exp E_q[log N(z; m_k, S_k)]. That expectation is known, so
nothing is sampled: log N(μ; m_k, S_k) − ½ Σ_i σ_i² (S_k⁻¹)_ii.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.posterior import Posterior
from musicvae_lite.music.notes import Meter

PREFIX = "density."
COMPONENTS = 32  # 16 cost half a bit a window on held-out music
WINDOWS_A_COMPONENT = 100  # at least; a small corpus gets fewer components
WINDOWS = 100_000  # read at most, evenly spread
PASSES = 12
PRIOR_COVARIANCE = 100.0  # windows that the covariance of the whole corpus counts for in each component …
PRIOR_MEAN = 10.0  # … its mean …
PRIOR_WEIGHTS = 20.0  # … and the weights over all meters in each meter
LEAST_WEIGHT = 1e-6
BLOCK = 4096  # windows at a time: bounds the memory
LOG_2PI = math.log(2 * math.pi)


class Density(nn.Module):
    """K Gaussians: log weights [M, K] for M meters, means [K, Z], Cholesky factors [K, Z, Z] of the covariances."""

    log_weights: Tensor
    means: Tensor
    factors: Tensor
    inverses: Tensor

    def __init__(self, meters: Sequence[Meter], log_weights: Tensor, means: Tensor, factors: Tensor) -> None:
        super().__init__()
        self.meters = tuple(meters)
        identity = torch.eye(means.shape[1], dtype=means.dtype, device=means.device).expand_as(factors)
        self.register_buffer("log_weights", log_weights)
        self.register_buffer("means", means)
        self.register_buffer("factors", factors)
        self.register_buffer("inverses", torch.linalg.solve_triangular(factors, identity, upper=False))

    def nearest(self, meter: Meter) -> Meter:
        """The meter whose weights `meter` takes: itself, or the fitted one with bars of the most similar length."""
        if meter in self.meters:
            return meter
        return min(self.meters, key=lambda known: abs(math.log(known.bar_quarters / meter.bar_quarters)))

    def log_prob(self, z: Tensor, meter: Meter) -> Tensor:
        """log p(z | meter) in nats, [B], of z [B, Z]."""
        return torch.logsumexp(self.by_component(z) + self._weights(meter), -1)

    def by_component(self, z: Tensor) -> Tensor:
        """log N(z; m_k, S_k) in nats, [B, K], of z [B, Z]."""
        white = torch.einsum("bz,kyz->bky", z, self.inverses) - torch.einsum("kz,kyz->ky", self.means, self.inverses)
        scale = self.inverses.diagonal(dim1=1, dim2=2).log().sum(-1)
        return scale - 0.5 * (white.square().sum(-1) + z.shape[1] * LOG_2PI)

    def rate(self, posterior: Posterior, meter: Meter, generator: torch.Generator | None = None) -> Tensor:
        """KL(q(z | x) ‖ p(z | meter)) of each window in nats, [B], from one draw each: E_q[log q(z | x) − log p(z)].

        The first term is exact (minus the entropy of q). The estimate is unbiased; for one window it can be below 0.
        """
        entropy = (posterior.sigma.log() + 0.5 * (1 + LOG_2PI)).sum(-1)
        return -entropy - self.log_prob(posterior.sample(generator), meter)

    def sample(
        self, count: int, meter: Meter, generator: torch.Generator | None = None, temperature: float = 1.0
    ) -> Tensor:
        """z [count, Z]; `temperature` scales the way from the drawn component's mean: 0 gives means, 1 the density."""
        chosen = torch.multinomial(self._weights(meter).exp(), count, replacement=True, generator=generator)
        noise = torch.randn(
            count, self.means.shape[1], generator=generator, dtype=self.means.dtype, device=self.means.device
        )
        away = torch.zeros_like(noise)
        for component in chosen.unique():
            rows = chosen == component
            away[rows] = noise[rows] @ self.factors[component].T
        return self.means[chosen] + temperature * away

    def to_tensors(self) -> dict[str, Tensor]:
        """What a checkpoint keeps, by name; of the factors the lower triangle only, [K, Z·(Z+1)/2]."""
        rows, columns = torch.tril_indices(*self.factors.shape[1:], device=self.factors.device)
        return {
            PREFIX + "meters": torch.tensor(self.meters, dtype=torch.int64),
            PREFIX + "log_weights": self.log_weights,
            PREFIX + "means": self.means,
            PREFIX + "factors": self.factors[:, rows, columns],
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Density | None:
        """The inverse of `to_tensors`; other tensors do not matter. None where there is no density among them."""
        if not any(name.startswith(PREFIX) for name in tensors):
            return None
        try:
            meters, log_weights, means, packed = (
                tensors[PREFIX + name] for name in ("meters", "log_weights", "means", "factors")
            )
            count, size = means.shape
            factors = packed.new_zeros(count, size, size)
            rows, columns = torch.tril_indices(size, size, device=packed.device)
            factors[:, rows, columns] = packed
            known = [Meter(int(numerator), int(denominator)) for numerator, denominator in meters.tolist()]
            if not (factors.diagonal(dim1=1, dim2=2) > 0).all() or any(min(meter) < 1 for meter in known):
                raise ValueError("a width or a meter that is not above 0")
            return cls(known, log_weights.view(len(known), count), means, factors)
        except (KeyError, ValueError, TypeError, RuntimeError, IndexError) as error:
            raise MusicVAEError(f"the model's density is damaged ({error}): get the model anew, or train it") from error

    def _weights(self, meter: Meter) -> Tensor:
        return self.log_weights[self.meters.index(self.nearest(meter))]


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


@torch.no_grad()
def posteriors(model: MusicVAE, group: Windows) -> Posterior:
    """q(z | x) of each window, on the CPU."""
    device = next(model.parameters()).device
    model.eval()
    blocks = [
        model.encode(torch.from_numpy(group.tokens[start : start + BLOCK].astype(np.int64)).to(device), group.meter)
        for start in range(0, len(group), BLOCK)
    ]
    return Posterior(torch.cat([b.mu for b in blocks]).cpu(), torch.cat([b.sigma for b in blocks]).cpu())


@torch.no_grad()
def fit_posteriors(
    found: Sequence[tuple[Meter, Posterior]],
    *,
    seed: int = 0,
    components: int = COMPONENTS,
    passes: int = PASSES,
) -> Density:
    """The density of posteriors, each meter's in one; at most one component for every `WINDOWS_A_COMPONENT` windows."""
    data = _Data.of(found)
    whole = _Whole(*data.moments())
    count = max(1, min(components, len(data.mu) // WINDOWS_A_COMPONENT))
    generator = torch.Generator().manual_seed(seed)
    means = data.mu[torch.randperm(len(data.mu), generator=generator)[:count]]
    log_weights = torch.full((len(found), count), -math.log(count))
    density = Density(
        [meter for meter, _ in found], log_weights, means, _factors(whole.covariance.expand(count, -1, -1))
    )
    for _ in range(passes):
        density = _maximised(density.meters, _expected(density, data), whole)
    return density


@dataclass(frozen=True, eq=False)
class _Data:
    mu: Tensor  # [N, Z]
    variance: Tensor  # [N, Z]
    row: Tensor  # int64 [N]: which meter

    @classmethod
    def of(cls, found: Sequence[tuple[Meter, Posterior]]) -> _Data:
        row = [torch.full((len(posterior.mu),), index) for index, (_, posterior) in enumerate(found)]
        mu, sigma = (torch.cat([getattr(posterior, name) for _, posterior in found]) for name in ("mu", "sigma"))
        return cls(mu, sigma.square(), torch.cat(row))

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean [Z] and covariance [Z, Z] of the aggregate posterior: the spread of the means and the mean variance."""
        mean = self.mu.mean(0)
        away = self.mu - mean
        return mean, away.T @ away / len(away) + torch.diag(self.variance.mean(0))


@dataclass(frozen=True, eq=False)
class _Whole:
    """Mean and covariance of the whole corpus: what components with little data of their own fall back to."""

    mean: Tensor
    covariance: Tensor


@dataclass(frozen=True, eq=False)
class _Sums:
    """Responsibilities r summed: by meter [M, K], and with E_q[z] [K, Z] and E_q[z zᵀ] [K, Z, Z]."""

    weights: Tensor
    first: Tensor
    second: Tensor


def _expected(density: Density, data: _Data) -> _Sums:
    count, size = density.means.shape
    sums = _Sums(torch.zeros(len(density.meters), count), torch.zeros(count, size), torch.zeros(count, size, size))
    precision = density.inverses.square().sum(1)  # [K, Z]: the diagonal of S_k⁻¹
    for mu, variance, row in zip(*(t.split(BLOCK) for t in (data.mu, data.variance, data.row)), strict=True):
        log_joint = density.by_component(mu) - 0.5 * variance @ precision.T + density.log_weights[row]
        shares = torch.softmax(log_joint, 1)
        sums.weights.index_add_(0, row, shares)
        for component in range(count):
            own = shares[:, component] > 1e-3  # a window belongs to one component or two, seldom to more
            share, x = shares[own, component, None], mu[own]
            sums.first[component] += (share * x).sum(0)
            sums.second[component] += (share * x).T @ x + torch.diag((share * variance[own]).sum(0))
    return sums


def _maximised(meters: Sequence[Meter], sums: _Sums, whole: _Whole) -> Density:
    each = sums.weights.sum(0)  # [K]
    means = (sums.first + PRIOR_MEAN * whole.mean) / (each + PRIOR_MEAN)[:, None]
    crossed = sums.first[:, :, None] * means[:, None]
    scatter = sums.second - crossed - crossed.mT + each[:, None, None] * means[:, :, None] * means[:, None]
    covariance = (scatter + PRIOR_COVARIANCE * whole.covariance) / (each + PRIOR_COVARIANCE)[:, None, None]
    overall = each / each.sum()
    weights = (sums.weights + PRIOR_WEIGHTS * overall) / (sums.weights.sum(1, keepdim=True) + PRIOR_WEIGHTS)
    return Density(meters, weights.clamp(min=LEAST_WEIGHT).log().log_softmax(-1), means, _factors(covariance))


def _factors(covariance: Tensor) -> Tensor:
    """Lower Cholesky factors [K, Z, Z]; in double precision, with a little added where rounding would spoil them."""
    wide = covariance.double()
    wide = 0.5 * (wide + wide.mT)
    least = 1e-6 * wide.diagonal(dim1=1, dim2=2).mean(-1)
    identity = torch.eye(wide.shape[-1], dtype=wide.dtype)
    return cast(Tensor, torch.linalg.cholesky(wide + least[:, None, None] * identity)).float()


def _spread(group: Windows, share: float) -> Windows:
    """About that share of the windows, at least one, evenly spread."""
    kept = max(1, round(share * len(group)))
    return group.select(np.linspace(0, len(group) - 1, kept).astype(np.int64))
