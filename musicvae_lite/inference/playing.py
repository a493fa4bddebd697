"""Free-running decoding and teacher-forced logits of whatever hears one step after the other: `model.playing`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.codec import Back, Floats, Ints, Pick, Pull
from musicvae_lite.inference.grammar import Grammar
from musicvae_lite.music.notes import Meter

Hear = Callable[[Ints, int], Floats]  # (what is heard at a step [B, V], step) → logits of predicted voices [B, P, K]


@dataclass(frozen=True, eq=False)
class Before:
    """What comes before a step: each voice's last token, and where its automaton is. int64 [B, V] each."""

    token: Ints
    place: Ints


class Player(ABC):
    """What plays bars from a z on: a decoder of all voices, or several that hear each other.

    Of voices that are given, a step hears its own token; of all others, the token of the step before.
    """

    grammar: Grammar
    bars: int

    @abstractmethod
    def scores(self, z: Floats, heard: Ints, meter: Meter) -> tuple[Floats, Back]:
        """Logits [B, T, P, K] for z [B, Z] and what is `heard` at each step, [B, T, V]; and the way back to z."""

    @abstractmethod
    def begin(self, z: Floats, meter: Meter, bar_steps: int, level: Floats | None) -> Hear:
        """What hears z [B, Z] and then, called for one step after the other, what is heard at each."""

    def decode(
        self, z: Floats, meter: Meter, bar_steps: int, pick: Pick, level: Floats | None, given: Ints | None
    ) -> Ints:
        """Tokens [B, T, V] `pick`ed one after the other; voices that are given play `given`, or their token 0."""
        return self.run(z, meter, bar_steps, pick, self.start(len(z)), level, given)[0]

    def start(self, count: int) -> Before:
        """What comes before the first step of `count` sequences."""
        place = np.broadcast_to(self.grammar.first, (count, len(self.grammar.first)))
        return Before(np.full_like(place, self.grammar.vocabulary), place)

    def run(
        self,
        z: Floats,
        meter: Meter,
        bar_steps: int,
        pick: Pick,
        before: Before,
        level: Floats | None = None,
        given: Ints | None = None,
    ) -> tuple[Ints, Before]:
        """Tokens [B, T, V] from `before` on, and what then comes before the next step."""
        hear = self.begin(z, meter, bar_steps, level)
        token, place = before.token, before.place
        decoded = np.empty((self.bars * bar_steps, *token.shape), np.int64)
        told = np.zeros_like(decoded) if given is None else given.swapaxes(0, 1)
        for t in range(len(decoded)):
            logits = self.grammar.completed(hear(self.grammar.heard(token, told[t]), t), told[t])
            self.grammar.allow(logits, place)
            token = decoded[t] = pick(logits, t)
            place = self.grammar.after(place, token)
        return np.ascontiguousarray(decoded.swapaxes(0, 1)), Before(token, place)

    def logits(self, z: Floats, tokens: Ints, meter: Meter, before: Ints | None = None) -> tuple[Floats, Back]:
        """Logits [B, T, V, K] given the tokens before each step, and the way back to z.

        `before` is the token before the first, [B, V]; without it the sequence starts here.
        """
        first = self.start(len(z)).token if before is None else before
        previous = np.concatenate([first[:, None], tokens[:, :-1]], 1)
        logits, back = self.scores(z, self.grammar.heard(previous, tokens), meter)
        return self.grammar.completed(logits, tokens), lambda at: back(at[:, :, self.grammar.predicted])


def picker(temperature: float, random: np.random.Generator | None, pull: Pull | None) -> Pick:
    """The argmax at temperature 0, else a draw from softmax(logits / temperature); leaning towards `pull`.

    Drawn as the argmax of logits / temperature plus Gumbel noise (Gumbel 1954), so what may not follow never does.
    """
    if temperature < 0:
        raise MusicVAEError(f"a temperature of {temperature:g}: expected 0 or more")
    if temperature and random is None:
        raise MusicVAEError(f"a temperature of {temperature:g} needs a random generator to draw from: give one")

    def pick(logits: Floats, t: int) -> Ints:
        if pull is not None:
            lean(logits, pull, t)
        if temperature and random is not None:
            logits = logits / temperature + random.gumbel(size=logits.shape)
        return np.asarray(logits.argmax(-1), np.int64)

    return pick


def lean(logits: Floats, pull: Pull, t: int) -> None:
    """Add a pull's nats to the logits [B, V, K] of step `t`, in place."""
    row, voice = np.ogrid[: logits.shape[0], : logits.shape[1]]
    for tokens, nats in zip(pull.tokens, pull.nats, strict=True):
        logits[row, voice, tokens[:, t]] += nats[:, None]
