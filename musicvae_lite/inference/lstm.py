"""An LSTM over inputs that are known beforehand, and one step of it: forwards, and back to the gradient of its gates.

What comes in is the sum that enters the gates from outside, so products with inputs are the caller's, all steps in one.
Gates lie in the order i, f, o, g, those of the first three halved: σ(x) = ½ + ½ tanh(x/2), so that one tanh does for
all four, and never overflows. `arranged` brings PyTorch's weights (i, f, g, o) into this form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musicvae_lite.inference.codec import Floats
from musicvae_lite.inference.weights import Weights


@dataclass(frozen=True, eq=False)
class Layer:
    """Matrices [D, 4H] of the input and [H, 4H] of the hidden state, and the bias [4H]."""

    input: Floats
    hidden: Floats
    bias: Floats


@dataclass(frozen=True, eq=False)
class Trace:
    """What the way back needs of a run: gates [T, ..., 4H], cells [T + 1, ..., H] from the first state on."""

    gates: Floats
    cells: Floats


def layer(weights: Weights, suffix: str, size: int, hidden: int) -> Layer:
    """One layer (and direction) of an `nn.LSTM`, such as `_l0` or `_l0_reverse`, for inputs of that size."""
    shapes = {"weight_ih": (size,), "weight_hh": (hidden,), "bias_ih": (), "bias_hh": ()}
    w_input, w_hidden, b_input, b_hidden = (
        arranged(weights.take(f"{name}{suffix}", (4 * hidden, *shape)).T) for name, shape in shapes.items()
    )
    return Layer(w_input, w_hidden, b_input + b_hidden)


def arranged(matrix: Floats) -> Floats:
    """Columns [..., 4H] for gates in PyTorch's order → columns for ours."""
    i, f, g, o = np.split(matrix, 4, -1)
    return np.ascontiguousarray(np.concatenate([0.5 * i, 0.5 * f, 0.5 * o, g], -1))


def open_gates(gates: Floats, cell: Floats, hidden: Floats) -> None:
    """One step, in place: gates [..., 4H] from sums to what they let through, cell and hidden [..., H] to the next."""
    size = cell.shape[-1]
    np.tanh(gates, out=gates)
    through = gates[..., : 3 * size]
    through *= 0.5
    through += 0.5
    i, f, o, g = _parts(gates)
    cell *= f
    cell += i * g
    np.tanh(cell, out=hidden)
    hidden *= o


def run(gates: Floats, w_hidden: Floats, hidden: Floats, cell: Floats) -> tuple[Floats, Trace]:
    """Hidden states [T, ..., H] from the first state [..., H] on; `gates` [T, ..., 4H] are used up."""
    states, cells = np.empty((len(gates), *cell.shape), cell.dtype), np.empty((len(gates) + 1, *cell.shape), cell.dtype)
    cells[0], within = cell, np.empty_like(gates[0])
    for t, sums in enumerate(gates):
        sums += np.matmul(hidden, w_hidden, out=within)
        cells[t + 1] = cells[t]
        open_gates(sums, cells[t + 1], states[t])
        hidden = states[t]
    return states, Trace(gates, cells)


def back(trace: Trace, w_hidden: Floats, at_states: Floats) -> tuple[Floats, Floats, Floats]:
    """Gradients at the gates' sums [T, ..., 4H] and at the first hidden state and cell, from that at all states."""
    at_gates = np.empty_like(trace.gates)
    at_hidden, at_cell = np.zeros_like(trace.cells[0]), np.zeros_like(trace.cells[0])
    for t in reversed(range(len(at_gates))):
        i, f, o, g = _parts(trace.gates[t])
        heard = np.tanh(trace.cells[t + 1])
        at_hidden = at_hidden + at_states[t]
        at_cell = at_cell + at_hidden * o * (1 - heard * heard)
        parts = (at_cell * g * _slope(i), at_cell * trace.cells[t] * _slope(f), at_hidden * heard * _slope(o))
        at_gates[t] = np.concatenate([*parts, at_cell * i * (1 - g * g)], -1)
        at_hidden, at_cell = at_gates[t] @ w_hidden.T, at_cell * f
    return at_gates, at_hidden, at_cell


def _parts(gates: Floats) -> list[Floats]:
    size = gates.shape[-1] // 4
    return [gates[..., part * size : (part + 1) * size] for part in range(4)]


def _slope(share: Floats) -> Floats:
    """Of a share ½ + ½ tanh(y) by y."""
    return 2 * share * (1 - share)
