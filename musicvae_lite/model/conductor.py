"""z [B, Z] → tokens [B, T, V] bar by bar: a conductor over a flat decoder (Roberts et al. 2018, §3.2).

    z ─▶ conductor LSTM, a step a bar ─▶ plans [B, N, P] ─▶ the flat decoder, afresh in each bar ─▶ tokens

In each bar the decoder starts from the bar's plan as a flat one starts from z, and of the bars before it knows the last
token only. So what holds bars together has to go through the conductor and z. With all tokens known the bars are
decoded at once, as rows of one batch.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from musicvae_lite.inference.config import Config
from musicvae_lite.model.decoder import weighed
from musicvae_lite.model.ensemble import flat
from musicvae_lite.model.noise import NoiseLevel
from musicvae_lite.model.playing import Pick, Pull, pick
from musicvae_lite.model.positions import MetricalPositions, Views
from musicvae_lite.model.threads import one_thread
from musicvae_lite.music.notes import Meter


class HierarchicalDecoder(nn.Module):
    """p(x | z), the same to its users as `Decoder`."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.bars, hidden = config.bars, config.conductor_hidden
        self.noise: NoiseLevel | None = None
        if config.noise_conditioning:
            self.noise = NoiseLevel(config.latent, hidden)
        self.conductor = Conductor(config)
        self.bar = flat(config.of_a_bar())

    def forward(
        self,
        z: Tensor,
        tokens: Tensor,
        meter: Meter,
        token_dropout: float = 0.0,
        generator: torch.Generator | None = None,
        level: Tensor | None = None,
        heard: Tensor | None = None,
    ) -> Tensor:
        """Teacher-forced logits [B, T, V, K]: those of step t have seen z and the tokens before t, never token t.

        `heard` [B, T, V] is what it takes the tokens for, if not for what they are.
        """
        plans = self.conductor(*weighed(self.noise, z, level), meter).flatten(0, 1)  # [B·N, P]
        bars = tokens.unflatten(1, (self.bars, -1))  # [B, N, S, V]
        start = self.bar.start(len(tokens), z.device).token
        taken = bars if heard is None else heard.unflatten(1, (self.bars, -1))
        before = torch.cat([start[:, None], taken[:, :-1, -1]], 1).flatten(0, 1)  # [B·N, V]
        logits = self.bar(
            plans, bars.flatten(0, 1), meter, token_dropout, generator, before=before, heard=taken.flatten(0, 1)
        )
        whole: Tensor = logits.unflatten(0, (-1, self.bars)).flatten(1, 2)
        return whole

    @one_thread()
    @torch.no_grad()
    def decode(
        self,
        z: Tensor,
        meter: Meter,
        bar_steps: int,
        temperature: float = 0.0,
        generator: torch.Generator | None = None,
        pull: Pull | None = None,
        level: Tensor | None = None,
        given: Tensor | None = None,
        picked: Pick | None = None,
    ) -> Tensor:
        """Tokens int64 [B, T, V], canonical, decoded step by step; as `Player.decode`."""
        picked = picked or partial(pick, temperature=temperature, generator=generator, pull=pull)
        before, decoded = self.bar.start(len(z), z.device), []
        for number, plan in enumerate(self.conductor(*weighed(self.noise, z, level), meter).unbind(1)):
            here = partial(_later, picked, number * bar_steps)
            told = None if given is None else given[:, number * bar_steps : (number + 1) * bar_steps]
            tokens, before = self.bar.run(plan, meter, bar_steps, here, before, given=told)
            decoded.append(tokens)
        return torch.cat(decoded, 1)


def _later(picked: Pick, steps: int, logits: Tensor, t: int) -> Tensor:
    """`picked` for step `t` of what starts `steps` steps later."""
    return picked(logits, t + steps)


class Conductor(nn.Module):
    """z → a plan for each bar. As a decoder does at each step, it sees z at each bar, through a matrix of that bar."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.bars, hidden = config.bars, config.conductor_hidden
        self.latent_input = nn.Linear(config.latent, hidden)
        self.initial_state = nn.Linear(config.latent, 2 * hidden)
        self.positions: MetricalPositions | None = None
        if config.metrical_positions:
            self.positions = MetricalPositions(1, config.bars, hidden)
        self.views: Views | None = None
        if config.view_rank:
            self.views = Views(1, config.bars, config.latent, config.view_rank, hidden, config.shares)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)

    def forward(self, z: Tensor, told: Tensor, meter: Meter) -> Tensor:
        """Plans [B, N, P] of z [B, Z] and what else every bar is told, [B, P]."""
        x = (self.latent_input(z) + told)[:, None].expand(-1, self.bars, -1)
        if self.views is not None:
            x = x + self.views(z, self.bars, 1)
        if self.positions is not None:
            x = x + self.positions(meter, self.bars, 1)
        hidden, cell = torch.tanh(self.initial_state(z)).chunk(2, -1)
        plans, _ = self.lstm(x, (hidden[None].contiguous(), cell[None].contiguous()))
        found: Tensor = plans
        return found
