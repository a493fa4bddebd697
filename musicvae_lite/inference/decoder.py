"""z [B, Z] → tokens [B, T, V] step by step, and the logits of given tokens: `model.decoder`.

A step is one product with the hidden state: what z and the meter add to the gates is there beforehand for a whole bar,
and what the token before adds is a row of a table, embedding × input weights. What may follow is a row of another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.codec import Back, Floats, Ints, Pull
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.driven import Driven, Size, Stepper
from musicvae_lite.inference.noise import NoiseLevel
from musicvae_lite.inference.weights import Weights
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import representation

Pick = Callable[[Floats, int], Ints]  # (logits [B, V, K] with −∞ for what may not follow, step) → tokens [B, V]


@dataclass(frozen=True, eq=False)
class Before:
    """What comes before a step: each voice's last token, and where its automaton is. int64 [B, V] each."""

    token: Ints
    place: Ints


class Decoder:
    """p(x | z)."""

    def __init__(self, weights: Weights, config: Config) -> None:
        form, hidden = representation(config.representation), config.decoder_hidden
        self.voices, self.vocabulary = form.VOICES, form.VOCABULARY
        self._offset = np.arange(self.voices) * (self.vocabulary + 1)
        self.driven = Driven(
            weights,
            Size(
                config.bars,
                config.bar_positions,
                config.latent,
                hidden,
                config.decoder_layers,
                config.metrical_positions,
                config.view_rank,
            ),
        )
        embedding = weights.below("embedding").take("table.weight", (self.voices * (self.vocabulary + 1), hidden))
        self._table = embedding @ self.driven.layers[0].input  # [V·(K+1), 4H]
        size = self.voices * self.vocabulary
        self._output = weights.take("output.weight", (size, hidden)).T.copy(), weights.take("output.bias", (size,))
        self._noise = NoiseLevel(weights.below("noise"), config.latent, hidden) if config.noise_conditioning else None
        self._forbidden = np.where(form.LEGAL, 0, -np.inf).astype(self._table.dtype)  # [states, K]
        self._next = form.NEXT_STATE

    def decode(self, z: Floats, meter: Meter, bar_steps: int, pick: Pick, level: Floats | None) -> Ints:
        """Tokens [B, T, V] `pick`ed one after the other."""
        z, told = weighed(self._noise, z, level)
        return self.run(z, told, meter, bar_steps, pick, self.start(len(z)))[0]

    def start(self, count: int) -> Before:
        """What comes before the first step of `count` sequences."""
        place = np.zeros((count, self.voices), np.int64)
        return Before(np.full_like(place, self.vocabulary), place)

    def run(
        self, z: Floats, told: Floats | None, meter: Meter, bar_steps: int, pick: Pick, before: Before
    ) -> tuple[Ints, Before]:
        """Tokens [B, T, V] from `before` on, and what then comes before the next step."""
        stepper = Stepper(self.driven, z, told, self.driven.place(meter, bar_steps))
        token, place = before.token, before.place
        decoded = np.empty((self.driven.bars * bar_steps, len(z), self.voices), np.int64)
        matrix, bias = self._output
        for t in range(len(decoded)):
            logits = stepper.step(*divmod(t, bar_steps), self._read(token)) @ matrix
            logits += bias
            logits = logits.reshape(len(z), self.voices, self.vocabulary)
            logits += self._forbidden[place]
            token = decoded[t] = pick(logits, t)
            place = self._next[place, token]
        return np.ascontiguousarray(decoded.swapaxes(0, 1)), Before(token, place)

    def logits(self, z: Floats, tokens: Ints, meter: Meter, before: Ints | None = None) -> tuple[Floats, Back]:
        """Logits [B, T, V, K] given the tokens before each step, and the way back to z.

        `before` is the token before the first, [B, V]; without it the sequence starts here.
        """
        first = self.start(len(z)).token if before is None else before
        previous = np.concatenate([first[:, None], tokens[:, :-1]], 1)
        place = self.driven.place(meter, tokens.shape[1] // self.driven.bars)
        gates = self.driven.gates(z, None, place)  # [T, B, 4H]
        gates += self._read(previous.swapaxes(0, 1))
        states, back_in_time = self.driven.run(gates, self.driven.start(z))
        matrix, bias = self._output

        def back(at_logits: Floats) -> Floats:
            at = at_logits.reshape(*at_logits.shape[:2], -1).swapaxes(0, 1) @ matrix.T  # [T, B, H]
            return self.driven.back(*back_in_time(at), z, place)

        return (states @ matrix + bias).swapaxes(0, 1).reshape(*tokens.shape, self.vocabulary), back

    def _read(self, tokens: Ints) -> Floats:
        """What tokens [..., V] add to the gates of the step after them: [..., 4H]."""
        rows = tokens + self._offset
        read: Floats = self._table[rows[..., 0]]
        for voice in range(1, self.voices):
            read += self._table[rows[..., voice]]
        return read


def weighed(noise: NoiseLevel | None, z: Floats, level: Floats | None) -> tuple[Floats, Floats | None]:
    """z as far as it can be trusted at `level`, and what every step is told about it, [B, D] or nothing."""
    return (z, None) if noise is None or level is None else noise(z, level)


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
