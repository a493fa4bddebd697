"""Free-running decoding: from a z and nothing else, a step after the other, each token legal after those before it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.model.grammar import Grammar
from musicvae_lite.model.threads import one_thread
from musicvae_lite.music.notes import Meter


@dataclass(frozen=True, eq=False)
class Pull:
    """Tunes that decoding leans towards: `nats` [P, B] more for the logits of `tokens` int64 [P, B, T, V].

    p(x | z) · exp(Σ nats · agreement) is a product of experts (Hinton 2002): where the model is undecided, it plays
    what the given tunes play there.
    """

    tokens: Tensor
    nats: Tensor

    def on(self, logits: Tensor, t: int) -> Tensor:
        """The logits [B, V, K] of step `t`, leaning."""
        for tokens, nats in zip(self.tokens, self.nats, strict=True):
            favoured = tokens[:, t, :, None]  # [B, V, 1]
            logits = logits.scatter_add(-1, favoured, nats[:, None, None].expand(favoured.shape).to(logits))
        return logits


Pick = Callable[[Tensor, int], Tensor]  # (logits [B, V, K] with −∞ for what may not follow, step) → tokens [B, V]


Hear = Callable[[Tensor, int], Tensor]  # (what is heard at a step [B, V], step) → logits of predicted voices [B, P, K]


@dataclass(frozen=True, eq=False)
class Before:
    """What comes before a step: each voice's last token, and where its automaton is. int64 [B, V] each."""

    token: Tensor
    place: Tensor


class Player(nn.Module):
    """What plays bars from a z on: a decoder of all voices, or several that hear each other.

    Of voices that are given, a step hears its own token; of all others, the token of the step before.
    """

    grammar: Grammar
    bars: int

    @abstractmethod
    def scores(self, z: Tensor, heard: Tensor, meter: Meter, level: Tensor | None = None) -> Tensor:
        """Logits [B, T, P, K] of the predicted voices for z [B, Z] and what is `heard` at each step, [B, T, V]."""

    @abstractmethod
    def begin(self, z: Tensor, meter: Meter, bar_steps: int, level: Tensor | None = None) -> Hear:
        """What hears z [B, Z] and then, called for one step after the other, what is heard at each."""

    def forward(
        self,
        z: Tensor,
        tokens: Tensor,
        meter: Meter,
        token_dropout: float = 0.0,
        generator: torch.Generator | None = None,
        level: Tensor | None = None,
        before: Tensor | None = None,
        heard: Tensor | None = None,
    ) -> Tensor:
        """Teacher-forced logits [B, T, V, K]: those of step t have seen z and the tokens before t, never token t.

        `before` is the token before the first, [B, V]; without it the sequence starts here. `heard` [B, T, V] are what
        it takes the tokens for, if not for what they are.
        """
        first = self.start(len(tokens), tokens.device).token if before is None else before
        previous = torch.cat([first[:, None], (tokens if heard is None else heard)[:, :-1]], 1)
        if token_dropout:
            hidden = torch.rand(previous.shape, generator=generator, device=z.device) < token_dropout
            previous = previous.masked_fill(hidden, self.grammar.vocabulary)
        logits = self.scores(z, self.grammar.heard(previous, tokens), meter, level)
        return self.grammar.completed(logits, tokens)

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
        """Tokens int64 [B, T, V], canonical, decoded step by step; temperature 0 is the exact argmax.

        Voices that are given play what they play in `given` [B, T, V]; without it, their token 0. With `picked` it says
        which token is taken at each step, and temperature and pull are not asked.
        """
        picked = picked or partial(pick, temperature=temperature, generator=generator, pull=pull)
        return self.run(z, meter, bar_steps, picked, self.start(len(z), z.device), level, given)[0]

    def start(self, count: int, device: torch.device) -> Before:
        """What comes before the first step of `count` sequences."""
        place = self.grammar.first.to(device).expand(count, -1)
        return Before(torch.full_like(place, self.grammar.vocabulary), place)

    def run(
        self,
        z: Tensor,
        meter: Meter,
        bar_steps: int,
        picked: Pick,
        before: Before,
        level: Tensor | None = None,
        given: Tensor | None = None,
    ) -> tuple[Tensor, Before]:
        """Tokens [B, T, V] `picked` step by step from `before` on, and what then comes before the next step."""
        hear = self.begin(z, meter, bar_steps, level)
        previous, place = before.token, before.place
        told = torch.zeros_like(previous)[:, None].expand(-1, self.bars * bar_steps, -1) if given is None else given
        decoded = []
        for t in range(self.bars * bar_steps):
            logits = self.grammar.completed(hear(self.grammar.heard(previous, told[:, t]), t), told[:, t])
            previous = picked(self.grammar.allowed(logits, place), t)
            place = self.grammar.after(place, previous)
            decoded.append(previous)
        return torch.stack(decoded, 1), Before(previous, place)


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
