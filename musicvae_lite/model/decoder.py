"""z [B, Z] → tokens [B, T, V]: an autoregressive LSTM (Roberts et al. 2018, §3.1) that knows the meter.

z sets the initial state and is an input of every step, as in MusicVAE; besides, a step's place in the meter is an
input, and each place has its own view of z (see `positions`). It can look back by bars too (see `lookback`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musicvae_lite.inference.config import Config
from musicvae_lite.model.encoder import EMBEDDED, TokenEmbedding
from musicvae_lite.model.grammar import Grammar
from musicvae_lite.model.kinship import Kinship
from musicvae_lite.model.lookback import Lookback
from musicvae_lite.model.lstm import State, step
from musicvae_lite.model.noise import NoiseLevel
from musicvae_lite.model.playing import Hear, Player
from musicvae_lite.model.positions import MetricalPositions, Views
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import representation


class Decoder(Player):
    """p(x | z) of all predicted voices; with `part` of that one of them, which hears the others all the same.

    Z is then that of the voice's own share, if it has one.
    """

    SHARING = "output.weight"  # what `kin` adds to

    def __init__(self, config: Config, part: int | None = None) -> None:
        super().__init__()
        rep = representation(config.representation)
        self.bars, self.layers, hidden = config.bars, config.decoder_layers, config.decoder_hidden
        latent, self.grammar = config.share(part), Grammar(rep)
        self.words = self.grammar.words if part is None else [self.grammar.words[part]]
        read, self.kin = (
            Kinship(rep, hidden, spread) if config.kinship else None for spread in (EMBEDDED, hidden**-0.5)
        )
        self.embedding = TokenEmbedding(rep, hidden, read)
        self.latent_input = nn.Linear(latent, hidden)
        self.initial_state = nn.Linear(latent, 2 * self.layers * hidden)
        self.positions: MetricalPositions | None = None
        if config.metrical_positions:
            self.positions = MetricalPositions(config.bar_positions, config.bars, hidden)
        self.views: Views | None = None
        if config.view_rank:
            self.views = Views(config.bar_positions, config.bars, latent, config.view_rank, hidden, config.shares)
        self.noise: NoiseLevel | None = None
        if config.noise_conditioning:
            self.noise = NoiseLevel(latent, hidden)
        self.lookback = Lookback(config.lookback, hidden) if config.lookback else None
        self.lstm = nn.LSTM(hidden, hidden, self.layers, batch_first=True)
        self.output = nn.Linear(hidden, sum(self.words))

    def scores(self, z: Tensor, heard: Tensor, meter: Meter, level: Tensor | None = None) -> Tensor:
        """Logits [B, T, P, K] of the voices that it predicts for z [B, Z] and what is `heard` at each step."""
        z, told = weighed(self.noise, z, level)
        bar_steps, x = heard.shape[1] // self.bars, self.embedding(heard)
        if self.lookback is not None:
            x = x + self.lookback(x, bar_steps)
        x = x + self._conditions(z, told, meter, bar_steps)
        states, _ = self.lstm(x, self._initial_state(z))  # [B, T, H]
        return self._logits(states)

    def begin(self, z: Tensor, meter: Meter, bar_steps: int, level: Tensor | None = None) -> Hear:
        """What hears z [B, Z] and then, called for one step after the other, what is heard at each."""
        z, told = weighed(self.noise, z, level)
        conditions = self._conditions(z, told, meter, bar_steps)  # [B, T, H]
        state = self._initial_state(z)
        past: list[Tensor] = []

        def hear(tokens: Tensor, t: int) -> Tensor:
            nonlocal state
            x = self.embedding(tokens)
            if self.lookback is not None:
                past.append(x)
                x = x + self.lookback.at(past, bar_steps)
            hidden, state = step(self.lstm, x + conditions[:, t], state)
            return self._logits(hidden).float()

        return hear

    def whole(self) -> Tensor:
        """The vectors [V·K, H] that logits are products with, with what kin have in common."""
        return self.output.weight if self.kin is None else self.output.weight + self.kin().flatten(0, 1)

    def _logits(self, states: Tensor) -> Tensor:
        """[..., P, K] of states [..., H]."""
        return self.grammar.spelled(F.linear(states, self.whole(), self.output.bias), self.words)

    def _conditions(self, z: Tensor, told: Tensor, meter: Meter, bar_steps: int) -> Tensor:
        """What each step is told besides the token before it: [B, T, H]."""
        conditions = (self.latent_input(z) + told)[:, None]
        if self.views is not None:
            conditions = conditions + self.views(z, self.bars, bar_steps)
        if self.positions is not None:
            conditions = conditions + self.positions(meter, self.bars, bar_steps)
        expanded: Tensor = conditions.expand(-1, self.bars * bar_steps, -1)
        return expanded

    def _initial_state(self, z: Tensor) -> State:
        hidden, cell = torch.tanh(self.initial_state(z)).unflatten(-1, (2, self.layers, -1)).unbind(1)
        return hidden.transpose(0, 1).contiguous(), cell.transpose(0, 1).contiguous()  # [layers, B, H] each


def weighed(noise: NoiseLevel | None, z: Tensor, level: Tensor | None) -> tuple[Tensor, Tensor]:
    """z as far as it can be trusted at `level`, and what every step is told about it, [B, D] or nothing."""
    if noise is None or level is None:
        return z, z.new_zeros(())
    found: tuple[Tensor, Tensor] = noise(z, level)
    return found
