"""z that is known only roughly: a noisy channel between encoder and decoder, and a decoder that is told how noisy.

With level s in 0 … 1 the decoder hears √(1 − s²) z + s ε, ε ~ N(0, I): at 0 all of z, at 1 nothing of it. Some of the
training windows come through it at a random level ("conditioning augmentation", Ho et al. 2022, arXiv 2106.15282, §4),
so one model reads at every rate: exactly where z is a tune's, and with its own idea of music where z only says roughly
what is wanted, as half-way between two tunes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

POWERS = 4


def noised(z: Tensor, level: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """z [B, Z] after the channel at `level` [B]; variance-preserving: N(0, I) stays N(0, I)."""
    noise = torch.randn(z.shape, generator=generator, device=z.device, dtype=z.dtype)
    return expected(z, level) + level[:, None] * noise


def expected(z: Tensor, level: Tensor) -> Tensor:
    """What the channel gives on average for z [B, Z] at `level` [B]: √(1 − s²) z."""
    return (1 - level.square()).sqrt()[:, None] * z


class NoiseLevel(nn.Module):
    """What the decoder is told about a level s: a gain for each dimension of z, and an input of every step.

    Both are polynomials of s without a constant term: at level 0 z passes as it is.
    """

    def __init__(self, latent: int, size: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.zeros(POWERS, latent))
        self.shift = nn.Parameter(torch.zeros(POWERS, size))

    def forward(self, z: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """z [B, Z] weighed by how far it can be trusted, and the input [B, D] that says so, for `level` [B]."""
        powers = torch.stack([level**n for n in range(1, POWERS + 1)], -1)  # [B, P]
        return z * (1 + powers @ self.gain), powers @ self.shift
