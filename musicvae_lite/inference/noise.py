"""z that is known only roughly: what a decoder is told about it. See `model.noise`, where it is trained."""

from __future__ import annotations

import numpy as np

from musicvae_lite.inference.codec import Floats
from musicvae_lite.inference.weights import Weights

POWERS = 4


def expected(z: Floats, level: Floats) -> Floats:
    """What the noisy channel gives on average for z [B, Z] at `level` [B]: √(1 − s²) z."""
    found: Floats = np.sqrt(1 - np.square(level))[:, None] * z
    return found


class NoiseLevel:
    """A gain for each dimension of z and an input of every step: polynomials of the level without a constant term."""

    def __init__(self, weights: Weights, latent: int, size: int) -> None:
        self.gain, self.shift = weights.take("gain", (POWERS, latent)), weights.take("shift", (POWERS, size))

    def __call__(self, z: Floats, level: Floats) -> tuple[Floats, Floats]:
        """z [B, Z] weighed by how far it can be trusted, and the input [B, D] that says so."""
        powers = level[:, None].astype(z.dtype) ** np.arange(1, POWERS + 1, dtype=z.dtype)  # [B, P]
        return z * (1 + powers @ self.gain), powers @ self.shift
