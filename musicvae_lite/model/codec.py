"""A torch model → a `Codec`: arrays in, arrays out, so that everything that is done with z works while one trains too.

On a CPU the same weights in NumPy decode faster. On a GPU, or where NumPy's network is not this one, torch does it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicvae_lite.inference.codec import Back, Codec, Floats, Ints, Pick, Posterior, Pull
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.runtime import Runtime
from musicvae_lite.inference.weights import UnknownNetworkError
from musicvae_lite.model import playing
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.threads import one_thread
from musicvae_lite.music.grid import bar_steps
from musicvae_lite.music.notes import Meter

STEPS_AT_ONCE = 2**15  # of windows in one batch: more would only take more memory


def codec(model: MusicVAE) -> Codec:
    """The model as it is now: what is learned later may not reach it."""
    weights = model.state_dict()
    if all(weight.device.type == "cpu" for weight in weights.values()):
        try:
            return Runtime(model.config, {name: weight.numpy().copy() for name, weight in weights.items()})
        except UnknownNetworkError:
            pass
    return TorchCodec(model)


class TorchCodec:
    """The model itself, wherever its weights are."""

    def __init__(self, model: MusicVAE) -> None:
        self.model = model

    @property
    def config(self) -> Config:
        """Its sizes."""
        return self.model.config

    @torch.no_grad()
    def encode(self, tokens: Ints, meter: Meter) -> Posterior:
        """The posterior of tokens [B, T, V], T being `config.bars` bars of `meter`."""
        rows = max(1, STEPS_AT_ONCE // tokens.shape[1])
        found = [self.model.encode(part, meter) for part in self._here(tokens).split(rows)]
        return Posterior(_array([each.mu for each in found]), _array([each.sigma for each in found]))

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
        """Canonical tokens [B, T, V] of z [B, Z] known at `level` [B] (default: exactly), free-running."""
        rows = max(1, STEPS_AT_ONCE // (self.config.bars * bar_steps(meter, self.config.steps_per_quarter)))
        if picked is not None:
            rows = max(1, len(z))
        generator = self._generator(random)
        decoded = []
        for start in range(0, max(len(z), 1), rows):
            part = slice(start, start + rows)
            leaning = None if pull is None else self._pull(pull.rows(part))
            known = None if level is None else self._floats(level[part])
            told = None if given is None else self._here(given[part])
            here = None if picked is None else self._pick(picked)
            options = (temperature, generator, leaning, known, told, here)
            decoded.append(self.model.decode(self._floats(z[part]), meter, *options))
        return np.asarray(_array(decoded), np.int64)

    @one_thread()
    def logits(self, z: Floats, tokens: Ints, meter: Meter) -> tuple[Floats, Back]:
        """Teacher-forced logits [B, T, V, K] of tokens given z, and the way back to a gradient at z."""
        wanted = self._floats(z).requires_grad_()
        logits = self.model.logits(wanted, self._here(tokens), meter)

        @one_thread()
        def back(at_logits: Floats) -> Floats:
            (gradient,) = torch.autograd.grad(logits, wanted, self._here(at_logits).to(logits))
            return _array([gradient])

        return _array([logits.detach()]), back

    def _here(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(next(self.model.parameters()).device)

    def _floats(self, array: Floats) -> Tensor:
        """A copy in the type of the weights."""
        return torch.tensor(array).to(next(self.model.parameters()))

    def _generator(self, random: np.random.Generator | None) -> torch.Generator | None:
        if random is None:
            return None
        return torch.Generator(next(self.model.parameters()).device).manual_seed(int(random.integers(1 << 63)))

    def _pick(self, picked: Pick) -> playing.Pick:
        return lambda logits, t: self._here(picked(logits.cpu().numpy(), t))

    def _pull(self, pull: Pull) -> playing.Pull:
        return playing.Pull(self._here(pull.tokens), self._floats(pull.nats))


def _array(parts: list[Tensor]) -> NDArray[Any]:
    return np.concatenate([part.cpu().numpy() for part in parts])
