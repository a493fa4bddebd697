"""z [B, Z] → tokens [B, T, V], a decoder for each voice, each hearing all: `model.ensemble`."""

from __future__ import annotations

import numpy as np

from musicvae_lite.inference.codec import Back, Floats, Ints
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.decoder import Decoder
from musicvae_lite.inference.playing import Hear, Player
from musicvae_lite.inference.weights import Weights
from musicvae_lite.music.notes import Meter


class Ensemble(Player):
    """p(x | z), the same to its users as `Decoder`."""

    def __init__(self, weights: Weights, config: Config) -> None:
        below = weights.below("parts")
        self._parts = [Decoder(below.below(str(part)), config, part) for part in range(config.predicted)]
        self._own = [config.own(part) for part in range(config.predicted)]
        self.bars, self.grammar = config.bars, self._parts[0].grammar

    def begin(self, z: Floats, meter: Meter, bar_steps: int, level: Floats | None) -> Hear:
        """What hears z [B, Z] and then, called for one step after the other, what is heard at each."""
        hears = [
            part.begin(z[:, own], meter, bar_steps, level) for part, own in zip(self._parts, self._own, strict=True)
        ]
        return lambda tokens, t: np.concatenate([hear(tokens, t) for hear in hears], 1)

    def scores(self, z: Floats, heard: Ints, meter: Meter) -> tuple[Floats, Back]:
        """Logits [B, T, P, K] for z [B, Z] and what is `heard` at each step, [B, T, V]; and the way back to z."""
        each = [part.scores(z[:, own], heard, meter) for part, own in zip(self._parts, self._own, strict=True)]
        logits, backs = zip(*each, strict=True)

        def back(at_logits: Floats) -> Floats:
            at_z = np.zeros_like(z)
            for part, (own, back) in enumerate(zip(self._own, backs, strict=True)):
                at_z[:, own] += back(at_logits[:, :, [part]])
            return at_z

        return np.concatenate(logits, 2), back


def flat(weights: Weights, config: Config) -> Player:
    """The decoder that a config asks for, when no conductor stands over it."""
    return Ensemble(weights, config) if config.decoder_per_voice else Decoder(weights, config)
