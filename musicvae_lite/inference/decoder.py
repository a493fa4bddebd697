"""z [B, Z] → tokens [B, T, V] step by step, and the logits of given tokens: `model.decoder`.

A step is one product with the hidden state: what z and the meter add to the gates is there beforehand for a whole bar,
and what the token before adds is a row of a table, embedding × input weights. What may follow is a row of another.
What was played some bars ago (`model.lookback`) is one more product, of its embedding.
"""

from __future__ import annotations

import numpy as np

from musicvae_lite.inference import lstm
from musicvae_lite.inference.codec import Back, Floats, Ints
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.driven import Driven, Size, Stepper
from musicvae_lite.inference.grammar import Grammar, Rows
from musicvae_lite.inference.noise import NoiseLevel
from musicvae_lite.inference.playing import Hear, Player
from musicvae_lite.inference.weights import Weights
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import representation


class Decoder(Player):
    """p(x | z) of all predicted voices; with `part` of that one of them, which hears the others all the same."""

    def __init__(self, weights: Weights, config: Config, part: int | None = None) -> None:
        form, hidden = representation(config.representation), config.decoder_hidden
        self.bars, self.vocabulary, latent = config.bars, form.VOCABULARY, config.share(part)
        self._rows = Rows(form)
        self.driven = Driven(
            weights,
            Size(
                config.bars,
                config.bar_positions,
                latent,
                hidden,
                config.decoder_layers,
                config.metrical_positions,
                config.view_rank,
                config.shares,
            ),
        )
        embedding = weights.below("embedding").take("table.weight", (self._rows.count, hidden))
        self._table = embedding @ self.driven.layers[0].input  # [Σ (words + 1), 4H]
        ways = [weights.take(f"lookback.ways.{number}.weight", (hidden, hidden)).T for number in range(config.lookback)]
        self._lookback = [lstm.blocks(way @ self.driven.layers[0].input, self.driven.width) for way in ways]
        self._embedding = embedding
        self._noise = NoiseLevel(weights.below("noise"), latent, hidden) if config.noise_conditioning else None
        self.grammar = Grammar(form, self._table.dtype)
        words = self.grammar.words if part is None else [self.grammar.words[part]]
        self._voices, size = len(words), sum(words)
        self._output = weights.take("output.weight", (size, hidden)).T.copy(), weights.take("output.bias", (size,))
        # Where the scores [Σ words] stand among logits [P·K]; None: each in its place.
        self._spelling = None
        if size < self._voices * self.vocabulary:
            self._spelling = np.concatenate([np.arange(n) + voice * self.vocabulary for voice, n in enumerate(words)])

    def begin(self, z: Floats, meter: Meter, bar_steps: int, level: Floats | None) -> Hear:
        """What hears z [B, Z] and then, called for one step after the other, what is heard at each."""
        z, told = weighed(self._noise, z, level)
        stepper = Stepper(self.driven, z, told, self.driven.place(meter, bar_steps))
        past: list[Ints] = []

        def hear(tokens: Ints, t: int) -> Floats:
            gates = lstm.parted(self._read(self._table, tokens), self.driven.width)
            if self._lookback:
                past.append(tokens)
                for distance, matrix in enumerate(self._lookback):
                    ago = bar_steps << distance
                    if ago <= t:
                        gates = gates + lstm.product(self._read(self._embedding, past[t - ago + 1]), matrix)
            return self._logits(stepper.step(*divmod(t, bar_steps), gates))

        return hear

    def scores(self, z: Floats, heard: Ints, meter: Meter) -> tuple[Floats, Back]:
        """Logits [B, T, P, K] for z [B, Z] and what is `heard` at each step, [B, T, V]; and the way back to z."""
        bar_steps, past = heard.shape[1] // self.bars, heard.swapaxes(0, 1)
        place = self.driven.place(meter, bar_steps)
        gates = self.driven.gates(z, None, place)  # [T, blocks, B, W]
        gates += lstm.parted(self._read(self._table, past), self.driven.width)
        for distance, matrix in enumerate(self._lookback):
            ago = bar_steps << distance
            if ago < len(past):
                gates[ago:] += lstm.product(self._read(self._embedding, past[1 : len(past) - ago + 1]), matrix)
        states, back_in_time = self.driven.run(gates, self.driven.start(z))

        def back(at_logits: Floats) -> Floats:
            at = at_logits.reshape(*at_logits.shape[:2], -1).swapaxes(0, 1)  # [T, B, P·K]
            at_scores = at if self._spelling is None else at[..., self._spelling]
            return self.driven.back(*back_in_time(at_scores @ self._output[0].T), z, place)

        return self._logits(states).swapaxes(0, 1), back

    def _logits(self, states: Floats) -> Floats:
        """[..., P, K] of states [..., H]: −∞ for tokens that a voice has not got."""
        matrix, bias = self._output
        scores = states @ matrix
        scores += bias
        shape = (*states.shape[:-1], self._voices, self.vocabulary)
        if self._spelling is None:
            return scores.reshape(shape)
        logits = np.full((*states.shape[:-1], self._voices * self.vocabulary), -np.inf, scores.dtype)
        logits[..., self._spelling] = scores
        return logits.reshape(shape)

    def _read(self, table: Floats, tokens: Ints) -> Floats:
        """The sum over voices of a table's rows [Σ (words + 1), D] for tokens [..., V]: [..., D]."""
        rows = self._rows(tokens)
        read: Floats = table[rows[..., 0]]
        for voice in range(1, rows.shape[-1]):
            read += table[rows[..., voice]]
        return read


def weighed(noise: NoiseLevel | None, z: Floats, level: Floats | None) -> tuple[Floats, Floats | None]:
    """z as far as it can be trusted at `level`, and what every step is told about it, [B, D] or nothing."""
    return (z, None) if noise is None or level is None else noise(z, level)
