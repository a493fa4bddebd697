"""An LSTM that z drives: z sets its first state, and enters each step through a matrix of that step's place.

The decoder is one, and so is the conductor, whose steps are bars. All that is not recurrent is a product of z with
matrices that depend on the meter alone: they are multiplied with the LSTM's input weights once for each meter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from musicvae_lite.inference import lstm
from musicvae_lite.inference.codec import Floats
from musicvae_lite.inference.positions import MetricalPositions, Views, rows
from musicvae_lite.inference.weights import Weights
from musicvae_lite.music.notes import Meter

State = tuple[list[Floats], list[Floats]]  # hidden and cell of each layer, [B, H]


@dataclass(frozen=True, eq=False)
class Place:
    """A meter's matrices, of n bars of S steps: what a step adds to the gates, and how z comes to them."""

    steps: Floats  # [n, S, blocks, 1, W]: of its position
    by_bar: Floats | None  # [n, Z, R]
    by_step: Floats | None  # [S, blocks, R, W]

    @cached_property
    def back(self) -> Floats:
        """The transpose of `by_step`, [S, 4H, R]."""
        assert self.by_step is not None
        return lstm.joined(self.by_step).swapaxes(1, 2)


@dataclass(frozen=True)
class Size:
    """Of a `Driven`, in the terms of `Config`; a rank of 0: no views."""

    bars: int
    bar_positions: int
    latent: int
    hidden: int
    layers: int
    positions: bool
    rank: int
    shares: int


class Driven:
    """The LSTM with its inputs but for the token's."""

    def __init__(self, weights: Weights, size: Size) -> None:
        self.bars, self.hidden, self.width = size.bars, size.hidden, lstm.width(size.hidden)
        self.layers = [
            lstm.layer(weights.below("lstm"), f"_l{number}", size.hidden, size.hidden) for number in range(size.layers)
        ]
        matrix, bias = weights.linear("latent_input", size.latent, size.hidden)
        self._latent, self._bias = matrix @ self.layers[0].input, bias @ self.layers[0].input + self.layers[0].bias
        self._first = weights.linear("initial_state", size.latent, 2 * size.layers * size.hidden)
        self._positions: MetricalPositions | None = None
        if size.positions:
            self._positions = MetricalPositions(weights.below("positions"), size.bar_positions, size.bars, size.hidden)
        self._views: Views | None = None
        if size.rank:
            sizes = (size.bar_positions, size.bars, size.latent, size.rank, size.hidden)
            self._views = Views(weights.below("views"), sizes, size.shares)
        self._places: dict[tuple[Meter, int], Place] = {}

    def place(self, meter: Meter, bar_steps: int) -> Place:
        """The matrices of a meter, multiplied when it is first asked for."""
        if (meter, bar_steps) not in self._places:
            self._places[meter, bar_steps] = self._place(meter, bar_steps)
        return self._places[meter, bar_steps]

    def start(self, z: Floats) -> State:
        """The first state of each layer."""
        matrix, bias = self._first
        state = np.tanh(z @ matrix + bias).reshape(len(z), 2, len(self.layers), self.hidden)
        hidden, cell = np.ascontiguousarray(state.transpose(1, 2, 0, 3))  # [layers, B, H] each
        return list(hidden), list(cell)

    def always(self, z: Floats, told: Floats | None) -> Floats:
        """What z and what else every step is told, [B, D], add to the gates of every step alike: [B, 4H]."""
        always = z @ self._latent + self._bias
        return always if told is None else always + told @ self.layers[0].input

    def gates(self, z: Floats, told: Floats | None, place: Place) -> Floats:
        """All that enters the gates of the first layer but the token and the step before: [T, blocks, B, W]."""
        gates = place.steps + lstm.parted(self.always(z, told), self.width)  # [n, S, blocks, B, W]
        if place.by_bar is not None and place.by_step is not None:
            gates += lstm.product(np.matmul(z, place.by_bar)[:, None], place.by_step)
        return gates.reshape(-1, *gates.shape[2:])

    def run(self, gates: Floats, state: State) -> tuple[Floats, Callable[[Floats], tuple[Floats, State]]]:
        """All states [T, B, H] of the last layer; and the way back from the gradient there to gates and first state."""
        traces, states = [], gates
        for number, layer in enumerate(self.layers):
            sums = gates
            if number:
                sums = lstm.product(states, layer.both[:, self.hidden :])
                sums += lstm.parted(layer.bias[None], self.width)
            states, trace = lstm.run(sums, layer.hidden, state[0][number], state[1][number])
            traces.append(trace)

        def back(at: Floats) -> tuple[Floats, State]:
            hiddens: list[Floats] = []
            cells: list[Floats] = []
            for number in reversed(range(len(self.layers))):
                layer = self.layers[number]
                at_gates, hidden, cell = lstm.back(traces[number], layer.back, at)
                hiddens.insert(0, hidden)
                cells.insert(0, cell)
                at = at_gates @ layer.input.T if number else at_gates
            return at, (hiddens, cells)

        return states, back

    def back(self, at_gates: Floats, at_state: State, z: Floats, place: Place) -> Floats:
        """The gradient at z [B, Z] from those at the gates [T, B, 4H] and at the first state."""
        at_z = at_gates.sum(0) @ self._latent.T
        if place.by_bar is not None and place.by_step is not None:
            parts = at_gates.reshape(self.bars, -1, *at_gates.shape[1:])  # [n, S, B, 4H]
            seen = np.matmul(parts, place.back).sum(1)  # [n, B, R]
            at_z = at_z + np.matmul(seen, place.by_bar.transpose(0, 2, 1)).sum(0)
        matrix, bias = self._first
        first = np.tanh(z @ matrix + bias)
        at_first = np.concatenate([*at_state[0], *at_state[1]], -1)  # [B, 2·layers·H], as `start` cuts it
        found: Floats = at_z + (at_first * (1 - first * first)) @ matrix.T
        return found

    def _place(self, meter: Meter, bar_steps: int) -> Place:
        w_input = self.layers[0].input
        steps = np.zeros((self.bars, bar_steps, w_input.shape[1]), w_input.dtype)
        if self._positions is not None:
            steps = self._positions(meter, self.bars, bar_steps) @ w_input
        steps = lstm.parted(steps[:, :, None], self.width)
        if self._views is None:
            return Place(steps, None, None)
        by_bar, by_step = rows(self._views.by_bar, self.bars), rows(self._views.by_step, bar_steps)
        return Place(steps, by_bar, lstm.blocks(by_step @ w_input, self.width))


class Stepper:
    """One step after the other, all rows at once and in place, each layer in one product.

    `heard` [B, layers·H + R + 1] is the hidden state of the last layer, of the one below, and so on; what the bar sees
    of z; and 1. The first layer hears its own state and all that follows it, the others theirs and that of the layer
    below.
    """

    def __init__(self, driven: Driven, z: Floats, told: Floats | None, place: Place) -> None:
        first, *self._above = driven.layers
        self._place, self._z, size, self._width = place, z, driven.hidden, driven.width
        hiddens, cells = driven.start(z)
        self._cells = [np.ascontiguousarray(lstm.parted(cell, self._width)) for cell in cells]
        rank, states = 0 if place.by_bar is None else place.by_bar.shape[2], len(hiddens) * size
        self._heard = np.ones((len(z), states + rank + 1), z.dtype)
        self._heard[:, :states] = np.concatenate(hiddens[::-1], 1)
        self._hiddens = [self._heard[:, start : start + size] for start in range(states - size, -1, -size)]
        self._inputs = [
            self._heard[:, states - size :],
            *(self._heard[:, start : start + 2 * size] for start in range(states - 2 * size, -1, -size)),
        ]
        self._seen, blocks = self._heard[:, states:-1], first.hidden.shape[0]
        self._matrix = np.empty((blocks, size + rank + 1, self._width), z.dtype)
        self._matrix[:, :size] = first.hidden
        self._always = np.ascontiguousarray(lstm.parted(driven.always(z, told), self._width))
        self._biases = [lstm.parted(layer.bias[None], self._width) for layer in self._above]
        self._gates = np.empty_like(self._always)

    def step(self, bar: int, step: int, token: Floats) -> Floats:
        """The hidden state of the last layer [B, H] after step `step` of a bar; `token` is its part [blocks, B, W]."""
        size = self._hiddens[0].shape[1]
        if self._place.by_bar is not None and self._place.by_step is not None:
            if step == 0:
                self._seen[:] = self._z @ self._place.by_bar[bar]
            self._matrix[:, size:-1] = self._place.by_step[step]
        self._matrix[:, -1:] = self._place.steps[bar, step]
        gates = lstm.product(self._inputs[0], self._matrix, self._gates)
        gates += self._always
        gates += token
        lstm.open_gates(gates, self._cells[0], self._hiddens[0])
        rest = zip(self._above, self._biases, self._inputs[1:], self._cells[1:], self._hiddens[1:], strict=True)
        for layer, bias, heard, cell, hidden in rest:
            gates = lstm.product(heard, layer.both, self._gates)
            gates += bias
            lstm.open_gates(gates, cell, hidden)
        return self._hiddens[-1]
