"""What a trained model does for those who use it: tokens → posterior, z → tokens, logits and how they follow z.

Arrays in, arrays out. `inference.runtime` does it in NumPy, `model.codec` with torch (for GPUs, and for networks that
the first does not know); what is done with z (`explore/`) asks neither which it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.inference.config import Config
from musicvae_lite.music.notes import Meter

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Back = Callable[[Floats], Floats]  # the gradient at logits [B, T, V, K] → the gradient at z [B, Z]
NATS_PER_BIT = 0.6931471805599453  # ln 2
Pick = Callable[[Floats, int], Ints]  # (logits [B, V, K] with −∞ for what may not follow, step) → tokens [B, V]


@dataclass(frozen=True, eq=False)
class Posterior:
    """q(z | x): `mu` and `sigma`, each [B, Z]; sigma > 0. What a user asks for starts from `mu`."""

    mu: Floats
    sigma: Floats

    def sample(self, random: np.random.Generator) -> Floats:
        """z [B, Z] = mu + sigma · ε, ε ~ N(0, I)."""
        return self.mu + self.sigma * random.standard_normal(self.mu.shape, np.float32)

    def kl(self) -> Floats:
        """KL(q ‖ N(0, I)) of each window in nats, [B, Z]: one number a dimension; sum over Z for the window's."""
        variance = np.square(self.sigma)
        found: Floats = 0.5 * (np.square(self.mu) + variance - 1 - np.log(variance))
        return found


@dataclass(frozen=True, eq=False)
class Pull:
    """Tunes that decoding leans towards: `nats` [P, B] more for the logits of `tokens` int64 [P, B, T, V].

    p(x | z) · exp(Σ nats · agreement) is a product of experts (Hinton 2002): where the model is undecided, it plays
    what the given tunes play there.
    """

    tokens: Ints
    nats: Floats

    def rows(self, which: slice) -> Pull:
        """The same for some rows of the batch."""
        return Pull(self.tokens[:, which], self.nats[:, which])

    def steps(self, first: int, count: int) -> Pull:
        """The same for `count` steps from `first` on."""
        return Pull(self.tokens[:, :, first : first + count], self.nats)


class Codec(Protocol):
    """A trained model; z is float32 [B, Z], tokens are int64 [B, T, V]."""

    @property
    def config(self) -> Config:
        """Its sizes."""

    def encode(self, tokens: Ints, meter: Meter) -> Posterior:
        """The posterior of tokens [B, T, V], T being `config.bars` bars of `meter`."""

    def decode(
        self,
        z: Floats,
        meter: Meter,
        temperature: float = 0.0,
        random: np.random.Generator | None = None,
        pull: Pull | None = None,
        level: Floats | None = None,
        given: Ints | None = None,
        picked: Pick | None = None,
    ) -> Ints:
        """Canonical tokens [B, T, V] of z [B, Z] known at `level` [B] (default: exactly), free-running.

        Voices that are given, as chords are, play what they play in `given` [B, T, V]; without it, their token 0.
        Temperature 0 is the exact argmax and needs no `random`. Any number of rows is decoded in bounded memory; but
        with `picked` all at once: it says which token is taken, and temperature and pull are not asked.
        """

    def logits(self, z: Floats, tokens: Ints, meter: Meter) -> tuple[Floats, Back]:
        """Teacher-forced logits [B, T, V, K] of tokens given z, and the way back to a gradient at z."""
