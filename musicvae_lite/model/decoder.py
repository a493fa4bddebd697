"""z [B, Z] → tokens [B, T, V]: an autoregressive LSTM (Roberts et al. 2018, §3.1) that knows the meter.

z sets the initial state and is an input of every step, as in MusicVAE; besides, a step's place in the meter is an
input, and each place has its own view of z (see `positions`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.config import Config
from musicvae_lite.model.encoder import EMBEDDED, TokenEmbedding
from musicvae_lite.model.kinship import Kinship
from musicvae_lite.model.lstm import State, step
from musicvae_lite.model.noise import NoiseLevel
from musicvae_lite.model.positions import MetricalPositions, Views
from musicvae_lite.model.threads import one_thread
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import representation


@dataclass(frozen=True, eq=False)
class Pull:
    """Tunes that decoding leans towards: `nats` [P, B] more for the logits of `tokens` int64 [P, B, T, V].

    p(x | z) · exp(Σ nats · agreement) is a product of experts (Hinton 2002): where the model is undecided, it plays
    what the given tunes play there.
    """

    tokens: Tensor
    nats: Tensor

    def split(self, rows: int) -> list[Pull]:
        """The same for `rows` of the batch at a time."""
        parts = zip(self.tokens.split(rows, 1), self.nats.split(rows, 1), strict=True)
        return [Pull(tokens, nats) for tokens, nats in parts]

    def steps(self, first: int, count: int) -> Pull:
        """The same for `count` steps from `first` on."""
        return Pull(self.tokens[:, :, first : first + count], self.nats)

    def on(self, logits: Tensor, t: int) -> Tensor:
        """The logits [B, V, K] of step `t`, leaning."""
        for tokens, nats in zip(self.tokens, self.nats, strict=True):
            favoured = tokens[:, t, :, None]  # [B, V, 1]
            logits = logits.scatter_add(-1, favoured, nats[:, None, None].expand(favoured.shape).to(logits))
        return logits


Pick = Callable[[Tensor, int], Tensor]  # (logits [B, V, K] with −∞ for what may not follow, step) → tokens [B, V]


@dataclass(frozen=True, eq=False)
class Before:
    """What comes before a step: each voice's last token, and where its automaton is. int64 [B, V] each."""

    token: Tensor
    place: Tensor


class Decoder(nn.Module):
    """p(x | z)."""

    SHARING = "output.weight"  # what `kin` adds to
    legal: Tensor  # [states, K]
    next_state: Tensor  # [states, K]

    def __init__(self, config: Config) -> None:
        super().__init__()
        rep = representation(config.representation)
        self.voices, self.vocabulary, self.bars = rep.VOICES, rep.VOCABULARY, config.bars
        self.layers, hidden = config.decoder_layers, config.decoder_hidden
        read, self.kin = (
            Kinship(rep, hidden, spread) if config.kinship else None for spread in (EMBEDDED, hidden**-0.5)
        )
        self.embedding = TokenEmbedding(self.voices, self.vocabulary, hidden, read)
        self.latent_input = nn.Linear(config.latent, hidden)
        self.initial_state = nn.Linear(config.latent, 2 * self.layers * hidden)
        self.positions: MetricalPositions | None = None
        if config.metrical_positions:
            self.positions = MetricalPositions(config.bar_positions, config.bars, hidden)
        self.views: Views | None = None
        if config.view_rank:
            self.views = Views(config.bar_positions, config.bars, config.latent, config.view_rank, hidden)
        self.noise: NoiseLevel | None = None
        if config.noise_conditioning:
            self.noise = NoiseLevel(config.latent, hidden)
        self.lstm = nn.LSTM(hidden, hidden, self.layers, batch_first=True)
        self.output = nn.Linear(hidden, self.voices * self.vocabulary)
        self.register_buffer("legal", torch.from_numpy(rep.LEGAL), persistent=False)
        self.register_buffer("next_state", torch.from_numpy(rep.NEXT_STATE), persistent=False)

    def forward(
        self,
        z: Tensor,
        tokens: Tensor,
        meter: Meter,
        token_dropout: float = 0.0,
        generator: torch.Generator | None = None,
        level: Tensor | None = None,
        before: Tensor | None = None,
    ) -> Tensor:
        """Teacher-forced logits [B, T, V, K]: those of step t have seen z and the tokens before t, never token t.

        `before` is the token before the first, [B, V]; without it the sequence starts here.
        """
        first = self.start(len(tokens), tokens.device).token if before is None else before
        previous = torch.cat([first[:, None], tokens[:, :-1]], 1)
        if token_dropout:
            hidden = torch.rand(previous.shape, generator=generator, device=z.device) < token_dropout
            previous = previous.masked_fill(hidden, self.vocabulary)
        z, told = weighed(self.noise, z, level)
        x = self.embedding(previous) + self._conditions(z, told, meter, tokens.shape[1] // self.bars)
        states, _ = self.lstm(x, self._initial_state(z))  # [B, T, H]
        return self._logits(states)

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
        picked: Pick | None = None,
    ) -> Tensor:
        """Tokens int64 [B, T, V], canonical, decoded step by step; temperature 0 is the exact argmax.

        With `picked` it says which token is taken at each step, and temperature and pull are not asked.
        """
        z, told = weighed(self.noise, z, level)
        picked = picked or partial(pick, temperature=temperature, generator=generator, pull=pull)
        return self.run(z, told, meter, bar_steps, picked, self.start(len(z), z.device))[0]

    def start(self, count: int, device: torch.device) -> Before:
        """What comes before the first step of `count` sequences."""
        place = torch.zeros(count, self.voices, dtype=torch.int64, device=device)
        return Before(torch.full_like(place, self.vocabulary), place)

    def run(
        self, z: Tensor, told: Tensor, meter: Meter, bar_steps: int, picked: Pick, before: Before
    ) -> tuple[Tensor, Before]:
        """Tokens [B, T, V] `picked` step by step from `before` on, and what then comes before the next step."""
        conditions = self._conditions(z, told, meter, bar_steps)  # [B, T, H]
        previous, place = before.token, before.place
        state = self._initial_state(z)
        decoded = []
        for t in range(conditions.shape[1]):
            hidden, state = step(self.lstm, self.embedding(previous) + conditions[:, t], state)
            logits = self._logits(hidden).float()
            previous = picked(logits.masked_fill(~self.legal[place], -torch.inf), t)  # of [B, V, K]
            place = self.next_state[place, previous]
            decoded.append(previous)
        return torch.stack(decoded, 1), Before(previous, place)

    def whole(self) -> Tensor:
        """The vectors [V·K, H] that logits are products with, with what kin have in common."""
        return self.output.weight if self.kin is None else self.output.weight + self.kin().flatten(0, 1)

    def _logits(self, states: Tensor) -> Tensor:
        """[..., V, K] of states [..., H]."""
        logits = F.linear(states, self.whole(), self.output.bias)
        by_voice: Tensor = logits.unflatten(-1, (self.voices, self.vocabulary))
        return by_voice

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


def pick(logits: Tensor, t: int, temperature: float, generator: torch.Generator | None, pull: Pull | None) -> Tensor:
    """Tokens int64 [B, V] of step `t` of logits [B, V, K], leaning towards the tunes of `pull`."""
    return choose(logits if pull is None else pull.on(logits, t), temperature, generator)


def choose(logits: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
    """int64 [...] of logits [..., K]: the argmax at temperature 0, else a draw from softmax(logits / temperature)."""
    if temperature < 0:
        raise MusicVAEError(f"a temperature of {temperature:g}: expected 0 or more")
    if temperature == 0:
        return logits.argmax(-1)
    chances = torch.softmax(logits / temperature, -1)
    drawn = torch.multinomial(chances.flatten(0, -2), 1, generator=generator)
    return drawn.view(logits.shape[:-1])
