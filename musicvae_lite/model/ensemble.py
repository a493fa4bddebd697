"""z [B, Z] → tokens [B, T, V]: a decoder for each voice, all in step (Roberts et al. 2018, §3.2 and appendix).

    z ─┬▶ decoder of voice 0 ─▶ logits ─┐
       ├▶ decoder of voice 1 ─▶ logits ─┼▶ tokens of the step [B, V] ─▶ all decoders, at the next step
       └▶ decoder of voice 2 ─▶ logits ─┘

In MusicVAE each voice hears itself only, and z has to hold them together. Here each hears what all played a step
before; where each voice has an encoder of its own too, its decoder is given the share of z that this one writes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from musicvae_lite.inference.config import Config
from musicvae_lite.model.decoder import Decoder
from musicvae_lite.model.grammar import Grammar
from musicvae_lite.model.playing import Hear, Player
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import representation


class Ensemble(Player):
    """p(x | z), the same to its users as `Decoder`: given z, what the voices play at one step is independent."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.bars, self.grammar = config.bars, Grammar(representation(config.representation))
        self.parts = nn.ModuleList(Decoder(config, part) for part in range(config.predicted))
        self._own = [config.own(part) for part in range(config.predicted)]

    def scores(self, z: Tensor, heard: Tensor, meter: Meter, level: Tensor | None = None) -> Tensor:
        """Logits [B, T, P, K] of the predicted voices for z [B, Z] and what is `heard` at each step."""
        return torch.cat([part.scores(z[:, own], heard, meter, level) for part, own in self._decoders], 2)

    def begin(self, z: Tensor, meter: Meter, bar_steps: int, level: Tensor | None = None) -> Hear:
        """What hears z [B, Z] and then, called for one step after the other, what is heard at each."""
        hears = [part.begin(z[:, own], meter, bar_steps, level) for part, own in self._decoders]
        return lambda tokens, t: torch.cat([hear(tokens, t) for hear in hears], 1)

    @property
    def _decoders(self) -> list[tuple[Decoder, slice]]:
        return [(part, own) for part, own in zip(self.parts, self._own, strict=True) if isinstance(part, Decoder)]


def flat(config: Config) -> Decoder | Ensemble:
    """The decoder that a config asks for, when no conductor stands over it."""
    return Ensemble(config) if config.decoder_per_voice else Decoder(config)
