"""q(z | x): a diagonal Gaussian for each window (Kingma & Welling 2014, arXiv 1312.6114)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Posterior:
    """`mu` and `sigma`, each [B, Z]; sigma > 0. What a user asks for starts from `mu`; training samples."""

    mu: Tensor
    sigma: Tensor

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """z [B, Z] = mu + sigma · ε, ε ~ N(0, I)."""
        noise = torch.randn(self.mu.shape, generator=generator, device=self.mu.device, dtype=self.mu.dtype)
        return self.mu + self.sigma * noise

    def kl(self) -> Tensor:
        """KL(q ‖ N(0, I)) of each window in nats, [B, Z]: one number a dimension; sum over Z for the window's."""
        variance = self.sigma.square()
        return 0.5 * (self.mu.square() + variance - 1 - variance.log())
