"""Tokens [B, T, V] → Posterior, each [B, Z]: `model.encoder`, both directions of its LSTM in one product a step."""

from __future__ import annotations

import numpy as np

from musicvae_lite.inference import lstm
from musicvae_lite.inference.codec import Floats, Ints, Posterior
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.grammar import Rows
from musicvae_lite.inference.positions import MetricalPositions, Views, rows
from musicvae_lite.inference.weights import Weights
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import read_by, representation

LEAST_SIGMA = 1e-4


class Encoder:
    """q(z | x); with `part` the share of z of that one of the predicted voices."""

    def __init__(self, weights: Weights, config: Config, part: int | None = None) -> None:
        form, latent = representation(config.representation), config.share(part)
        self._bars, self._rows = config.bars, Rows(form, None if part is None else read_by(form, part))
        table = weights.below("embedding").take("table.weight", (self._rows.count, config.embedding))
        hidden, size = config.encoder_hidden, 2 * config.encoder_hidden
        ways = [lstm.layer(weights.below("lstm"), way, config.embedding, hidden) for way in ("_l0", "_l0_reverse")]
        self._input = np.stack([way.input for way in ways])  # [2, E, 4H]
        self._hidden = np.stack([way.hidden for way in ways])  # [2, blocks, H, W]
        self._bias = np.stack([way.bias for way in ways])  # [2, 4H]
        self._table = table @ self._input  # [2, Σ (words + 1), 4H]
        self._average = weights.linear("average", size, 2 * latent)
        self._positions: MetricalPositions | None = None
        if config.metrical_positions:
            sizes = (config.bar_positions, config.bars, config.embedding)
            self._positions = MetricalPositions(weights.below("positions"), *sizes)
        self._views: Views | None = None
        if config.view_rank:
            shape = (config.bar_positions, config.bars, 2 * latent, config.view_rank, size)
            self._views = Views(weights.below("views"), shape, config.shares, parts=2)

    def __call__(self, tokens: Ints, meter: Meter) -> Posterior:
        """The posterior of tokens [B, T, V]."""
        bar_steps = tokens.shape[1] // self._bars
        states = self._states(tokens, meter, bar_steps)  # [T, B, 2H]
        matrix, bias = self._average
        read = states.mean(0) @ matrix + bias  # [B, 2Z]
        if self._views is not None:
            read = read + self._gather(self._views, states, bar_steps)
        mu, width = np.split(read, 2, -1)
        return Posterior(mu, np.logaddexp(0, width) + width.dtype.type(LEAST_SIGMA))

    def _states(self, tokens: Ints, meter: Meter, bar_steps: int) -> Floats:
        inputs = np.broadcast_to(self._bias[:, None], (2, tokens.shape[1], self._bias.shape[-1]))
        if self._positions is not None:
            places = self._positions(meter, self._bars, bar_steps)  # [n, S, E]
            inputs = inputs + places.reshape(-1, places.shape[-1]) @ self._input  # [2, T, 4H]
        voiced = self._rows(tokens).swapaxes(0, 1)  # [T, B, V]
        gates = np.stack([table[voiced].sum(2) for table in self._table], 1)  # [T, 2, B, 4H]
        gates += inputs.swapaxes(0, 1)[:, :, None]
        gates[:, 1] = gates[::-1, 1].copy()
        first = np.zeros((2, len(tokens), self._hidden.shape[2]), gates.dtype)
        states, _ = lstm.run(lstm.blocks(gates, self._hidden.shape[-1]), self._hidden, first, first)
        return np.concatenate([states[:, 0], states[::-1, 1]], -1)

    def _gather(self, views: Views, states: Floats, bar_steps: int) -> Floats:
        """[B, 2Z] of states [T, B, 2H]: Σ over positions of C_bᵀ A_sᵀ states(b, s)."""
        by_bar, by_step = rows(views.by_bar, self._bars), rows(views.by_step, bar_steps)
        parts = states.reshape(self._bars, bar_steps, *states.shape[1:])  # [n, S, B, 2H]
        seen = np.matmul(parts, by_step.transpose(0, 2, 1)).sum(1)  # [n, B, R]
        found: Floats = np.matmul(seen, by_bar.transpose(0, 2, 1)).sum(0)
        return found


class EncoderEnsemble:
    """q(z | x), the same to its users as `Encoder`: one for each predicted voice."""

    def __init__(self, weights: Weights, config: Config) -> None:
        below = weights.below("parts")
        self._parts = [Encoder(below.below(str(part)), config, part) for part in range(config.predicted)]

    def __call__(self, tokens: Ints, meter: Meter) -> Posterior:
        """The posterior of tokens [B, T, V]."""
        shares = [part(tokens, meter) for part in self._parts]
        mu, sigma = (np.concatenate(each, -1) for each in zip(*((s.mu, s.sigma) for s in shares), strict=True))
        return Posterior(mu, sigma)


def encoder(weights: Weights, config: Config) -> Encoder | EncoderEnsemble:
    """The encoder that a config asks for."""
    return EncoderEnsemble(weights, config) if config.encoder_per_voice else Encoder(weights, config)
