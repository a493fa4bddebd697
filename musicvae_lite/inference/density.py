"""p(z | meter): where the posteriors of a corpus really lie. A mixture of Gaussians, fitted after training.

    posteriors ─▶ model.density.fit ─▶ Density ─▶ sample, log_prob, rate

N(0, I) is where the posteriors are pulled to, not where they are (the aggregate posterior: Hoffman & Johnson 2016,
"ELBO surgery"; Rosca et al. 2018, arXiv 1802.06847), so most of what is drawn from it was never decoded in training.
The K components have full covariances and are shared by all meters; each meter has weights of its own, because its
windows have a length of their own and leave other parts of z unused. A meter that was not fitted takes those of the one
whose bars are nearest in length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.codec import Floats, Posterior
from musicvae_lite.music.notes import Meter

PREFIX = "density."
LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True, eq=False)
class Density:
    """K Gaussians: log weights [M, K] for M meters, means [K, Z], Cholesky factors [K, Z, Z] of the covariances."""

    meters: tuple[Meter, ...]
    log_weights: Floats
    means: Floats
    factors: Floats

    @cached_property
    def inverses(self) -> Floats:
        """Those of the factors, [K, Z, Z]."""
        return np.tril(np.linalg.inv(self.factors.astype(np.float64))).astype(self.factors.dtype)

    def nearest(self, meter: Meter) -> Meter:
        """The meter whose weights `meter` takes: itself, or the fitted one with bars of the most similar length."""
        if meter in self.meters:
            return meter
        return min(self.meters, key=lambda known: abs(math.log(known.bar_quarters / meter.bar_quarters)))

    def log_prob(self, z: Floats, meter: Meter) -> Floats:
        """log p(z | meter) in nats, [B], of z [B, Z]."""
        return log_sum_exp(self.by_component(z) + self._weights(meter))

    def by_component(self, z: Floats) -> Floats:
        """log N(z; m_k, S_k) in nats, [B, K], of z [B, Z]."""
        squares = [
            np.square((z - mean) @ inverse.T).sum(-1) for mean, inverse in zip(self.means, self.inverses, strict=True)
        ]
        scale = np.log(np.diagonal(self.inverses, axis1=1, axis2=2)).sum(-1)
        found: Floats = scale - 0.5 * (np.stack(squares, -1) + z.shape[1] * LOG_2PI)
        return found

    def rate(self, posterior: Posterior, meter: Meter, random: np.random.Generator) -> Floats:
        """KL(q(z | x) ‖ p(z | meter)) of each window in nats, [B], from one draw each: E_q[log q(z | x) − log p(z)].

        The first term is exact (minus the entropy of q). The estimate is unbiased; for one window it can be below 0.
        """
        entropy = (np.log(posterior.sigma) + 0.5 * (1 + LOG_2PI)).sum(-1)
        found: Floats = -entropy - self.log_prob(posterior.sample(random), meter)
        return found

    def sample(self, count: int, meter: Meter, random: np.random.Generator, temperature: float = 1.0) -> Floats:
        """z [count, Z]; `temperature` scales the way from the drawn component's mean: 0 gives means, 1 the density."""
        weights = np.exp(self._weights(meter).astype(np.float64))
        chosen = random.choice(len(weights), count, p=weights / weights.sum())
        noise = random.standard_normal((count, self.means.shape[1]), np.float32).astype(self.means.dtype)
        away = np.zeros_like(noise)
        for component in np.unique(chosen):
            rows = chosen == component
            away[rows] = noise[rows] @ self.factors[component].T
        return self.means[chosen] + temperature * away

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What a checkpoint keeps, by name; of the factors the lower triangle only, [K, Z·(Z+1)/2]."""
        rows, columns = np.tril_indices(self.means.shape[1])
        return {
            PREFIX + "meters": np.array(self.meters, np.int64),
            PREFIX + "log_weights": self.log_weights,
            PREFIX + "means": self.means,
            PREFIX + "factors": self.factors[:, rows, columns],
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Density | None:
        """The inverse of `to_arrays`; other arrays do not matter. None where there is no density among them."""
        if not any(name.startswith(PREFIX) for name in arrays):
            return None
        try:
            meters, log_weights, means, packed = (
                arrays[PREFIX + name] for name in ("meters", "log_weights", "means", "factors")
            )
            count, size = means.shape
            factors = np.zeros((count, size, size), packed.dtype)
            rows, columns = np.tril_indices(size)
            factors[:, rows, columns] = packed
            known = tuple(Meter(int(numerator), int(denominator)) for numerator, denominator in meters.tolist())
            if not (np.diagonal(factors, axis1=1, axis2=2) > 0).all() or any(min(meter) < 1 for meter in known):
                raise ValueError("a width or a meter that is not above 0")
            return cls(known, log_weights.reshape(len(known), count), means, factors)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise MusicVAEError(f"the model's density is damaged ({error}): get the model anew, or train it") from error

    def _weights(self, meter: Meter) -> Floats:
        return np.asarray(self.log_weights[self.meters.index(self.nearest(meter))])


def log_sum_exp(x: Floats) -> Floats:
    """log Σ exp of x [..., K] over the last dimension."""
    most = x.max(-1, keepdims=True)
    found: Floats = (most + np.log(np.exp(x - most).sum(-1, keepdims=True)))[..., 0]
    return found
