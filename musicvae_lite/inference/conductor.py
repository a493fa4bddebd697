"""z [B, Z] → tokens [B, T, V] bar by bar, a conductor over a flat decoder: `model.conductor`."""

from __future__ import annotations

from functools import partial

import numpy as np

from musicvae_lite.inference.codec import Back, Floats, Ints, Pick
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.decoder import weighed
from musicvae_lite.inference.driven import Driven, Size
from musicvae_lite.inference.ensemble import flat
from musicvae_lite.inference.noise import NoiseLevel
from musicvae_lite.inference.weights import Weights
from musicvae_lite.music.notes import Meter


class HierarchicalDecoder:
    """p(x | z), the same to its users as `Decoder`."""

    def __init__(self, weights: Weights, config: Config) -> None:
        self._bars, size = config.bars, config.conductor_hidden
        self._noise = NoiseLevel(weights.below("noise"), config.latent, size) if config.noise_conditioning else None
        sizes = Size(config.bars, 1, config.latent, size, 1, config.metrical_positions, config.view_rank, config.shares)
        self._conductor = Driven(weights.below("conductor"), sizes)
        one_bar = config.of_a_bar()
        self._bar = flat(weights.below("bar"), one_bar)

    def decode(
        self, z: Floats, meter: Meter, bar_steps: int, pick: Pick, level: Floats | None, given: Ints | None
    ) -> Ints:
        """Tokens [B, T, V] `pick`ed one after the other; voices that are given play `given`, or their token 0."""
        plans, _ = self._plans(*weighed(self._noise, z, level), meter)
        before, decoded = self._bar.start(len(z)), []
        for number, plan in enumerate(plans):
            here = partial(_later, pick, number * bar_steps)
            told = None if given is None else given[:, number * bar_steps : (number + 1) * bar_steps]
            tokens, before = self._bar.run(plan, meter, bar_steps, here, before, given=told)
            decoded.append(tokens)
        return np.concatenate(decoded, 1)

    def logits(self, z: Floats, tokens: Ints, meter: Meter) -> tuple[Floats, Back]:
        """Logits [B, T, V, K] given the tokens before each step, and the way back to z; all bars in one batch."""
        plans, back_to_z = self._plans(z, None, meter)  # [N, B, P]
        bars = tokens.reshape(len(z), self._bars, -1, tokens.shape[-1]).swapaxes(0, 1)  # [N, B, S, V]
        before = np.concatenate([self._bar.start(len(z)).token[None], bars[:-1, :, -1]])  # [N, B, V]
        rows = plans.reshape(-1, plans.shape[-1])  # [N·B, P]
        logits, back_to_plans = self._bar.logits(
            rows, bars.reshape(len(rows), *bars.shape[2:]), meter, before.reshape(len(rows), -1)
        )

        def back(at_logits: Floats) -> Floats:
            return back_to_z(back_to_plans(self._by_bar(at_logits)).reshape(plans.shape))

        whole = logits.reshape(self._bars, len(z), *logits.shape[1:]).swapaxes(0, 1)
        return whole.reshape(*tokens.shape, logits.shape[-1]), back

    def _plans(self, z: Floats, told: Floats | None, meter: Meter) -> tuple[Floats, Back]:
        """Plans [N, B, P], and the way back from the gradient there to z."""
        place = self._conductor.place(meter, 1)
        plans, back_in_time = self._conductor.run(self._conductor.gates(z, told, place), self._conductor.start(z))
        return plans, lambda at_plans: self._conductor.back(*back_in_time(at_plans), z, place)

    def _by_bar(self, x: Floats) -> Floats:
        """[N·B, S, ...] of x [B, N·S, ...]."""
        parts = x.reshape(len(x), self._bars, -1, *x.shape[2:]).swapaxes(0, 1)
        return parts.reshape(-1, *parts.shape[2:])


def _later(pick: Pick, first: int, logits: Floats, t: int) -> Ints:
    """What `pick` picks `first` steps later: of a bar that starts there."""
    return pick(logits, first + t)
