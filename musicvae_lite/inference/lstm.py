"""An LSTM over inputs that are known beforehand, and one step of it: forwards, and back to the gradient of its gates.

What comes in is the sum that enters the gates from outside, so products with inputs are the caller's, all steps in one.
Gates lie in the order i, f, o, g, those of the first three halved: σ(x) = ½ + ½ tanh(x/2), so that one tanh does for
all four, and never overflows. `arranged` brings PyTorch's weights (i, f, g, o) into this form.

Weights and gates are cut into blocks of W columns (`blocks`, [..., n, B, W] for n·W columns): each gate then lies in
one piece, and the product of a few rows with one block is small enough for OpenBLAS to multiply it where it lies. With
a whole matrix it would first copy the matrix, at each step, which takes longer than the product (docs/performance.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from musicvae_lite.inference.codec import Floats
from musicvae_lite.inference.weights import Weights

WIDEST = 64  # columns of a block: the fastest at the sizes that models have
NARROWEST = 16
SMALL = 10**6  # multiplications; above it OpenBLAS (0.3.31, `sgemm_small_matrix_permit`) copies before it multiplies


@dataclass(frozen=True, eq=False)
class Layer:
    """Matrices of the input [D, 4H] and of the hidden state [H, 4H], this one in blocks [n, H, W]; the bias [4H]."""

    input: Floats
    hidden: Floats
    bias: Floats

    @cached_property
    def both(self) -> Floats:
        """Blocks [n, H + D, W] of the hidden state's matrix over the input's."""
        return np.concatenate([self.hidden, blocks(self.input, self.hidden.shape[-1])], 1)

    @cached_property
    def back(self) -> Floats:
        """Blocks [H / W, 4H, W] of the transpose of the hidden state's matrix."""
        return blocks(joined(self.hidden).T, self.hidden.shape[-1])


@dataclass(frozen=True, eq=False)
class Trace:
    """What the way back needs of a run: gates [T, ..., n, B, W], cells [T + 1, ..., H / W, B, W] from the first on."""

    gates: Floats
    cells: Floats


def layer(weights: Weights, suffix: str, size: int, hidden: int) -> Layer:
    """One layer (and direction) of an `nn.LSTM`, such as `_l0` or `_l0_reverse`, for inputs of that size."""
    shapes = {"weight_ih": (size,), "weight_hh": (hidden,), "bias_ih": (), "bias_hh": ()}
    w_input, w_hidden, b_input, b_hidden = (
        arranged(weights.take(f"{name}{suffix}", (4 * hidden, *shape)).T) for name, shape in shapes.items()
    )
    return Layer(w_input, blocks(w_hidden, width(hidden)), b_input + b_hidden)


def arranged(matrix: Floats) -> Floats:
    """Columns [..., 4H] for gates in PyTorch's order → columns for ours."""
    i, f, g, o = np.split(matrix, 4, -1)
    return np.ascontiguousarray(np.concatenate([0.5 * i, 0.5 * f, 0.5 * o, g], -1))


def width(hidden: int) -> int:
    """W for a hidden state of that size: its widest divisor that is wide and narrow enough, or else all of it."""
    return next((size for size in range(WIDEST, NARROWEST - 1, -1) if hidden % size == 0), hidden)


def parted(columns: Floats, width: int) -> Floats:
    """[..., B, n·W] seen as [..., n, B, W]."""
    return columns.reshape(*columns.shape[:-1], columns.shape[-1] // width, width).swapaxes(-2, -3)


def joined(parts: Floats) -> Floats:
    """[..., n, B, W] as [..., B, n·W]: the other way round, as a copy."""
    *before, count, rows, width = parts.shape
    return parts.swapaxes(-2, -3).reshape(*before, rows, count * width)


def blocks(matrix: Floats, width: int) -> Floats:
    """A matrix [..., K, n·W] as `parted` sees it, each block in one piece."""
    return np.ascontiguousarray(parted(matrix, width))


def product(x: Floats, matrix: Floats, out: Floats | None = None) -> Floats:
    """x [..., B, K] times a matrix in blocks [..., n, K, W]: [..., n, B, W]."""
    *before, rows, depth = x.shape
    *above, count, _, size = matrix.shape
    if out is None:
        out = np.empty((*np.broadcast_shapes(before, above), count, rows, size), x.dtype)
    if rows * depth * size <= SMALL or size % 2:
        np.matmul(x[..., None, :, :], matrix, out=out)
    else:
        np.matmul(x[..., None, None, :, :], parted(matrix, size // 2), out=parted(out, size // 2))
    return out


def open_gates(gates: Floats, cell: Floats, hidden: Floats) -> None:
    """One step, in place: gates [..., n, B, W] from sums to what they let through, cell and hidden to the next.

    The cell is [..., H / W, B, W], the hidden state [..., B, H].
    """
    np.tanh(gates, out=gates)
    through = gates[..., : 3 * cell.shape[-3], :, :]
    through *= 0.5
    through += 0.5
    i, f, o, g = _parts(gates)
    cell *= f
    cell += i * g
    np.multiply(np.tanh(cell), o, out=parted(hidden, cell.shape[-1]))


def run(gates: Floats, w_hidden: Floats, hidden: Floats, cell: Floats) -> tuple[Floats, Trace]:
    """Hidden states [T, ..., B, H] from the first state [..., B, H] on; `gates` [T, ..., n, B, W] are used up."""
    states = np.empty((len(gates), *hidden.shape), hidden.dtype)
    first = parted(cell, gates.shape[-1])
    cells, within = np.empty((len(gates) + 1, *first.shape), first.dtype), np.empty_like(gates[0])
    cells[0] = first
    for t, sums in enumerate(gates):
        sums += product(hidden, w_hidden, within)
        cells[t + 1] = cells[t]
        open_gates(sums, cells[t + 1], states[t])
        hidden = states[t]
    return states, Trace(gates, cells)


def back(trace: Trace, w_back: Floats, at_states: Floats) -> tuple[Floats, Floats, Floats]:
    """Gradients at the gates' sums [T, B, 4H] and at the first hidden state and cell, from that at all states.

    `w_back` is `Layer.back`.
    """
    size, number = trace.gates.shape[-1], at_states.dtype
    at_gates = np.empty((*at_states.shape[:-1], 4 * at_states.shape[-1]), number)
    at_hidden, at_cell = np.zeros(trace.cells[0].shape, number), np.zeros(trace.cells[0].shape, number)
    for t in reversed(range(len(at_gates))):
        i, f, o, g = _parts(trace.gates[t])
        heard = np.tanh(trace.cells[t + 1])
        at_hidden += parted(at_states[t], size)
        at_cell += at_hidden * o * (1 - heard * heard)
        at_i, at_f, at_o, at_g = _parts(parted(at_gates[t], size))
        np.multiply(at_cell * g, _slope(i), out=at_i)
        np.multiply(at_cell * trace.cells[t], _slope(f), out=at_f)
        np.multiply(at_hidden * heard, _slope(o), out=at_o)
        np.multiply(at_cell * i, 1 - g * g, out=at_g)
        product(at_gates[t], w_back, at_hidden)
        at_cell *= f
    return at_gates, joined(at_hidden), joined(at_cell)


def _parts(gates: Floats) -> list[Floats]:
    size = gates.shape[-3] // 4
    return [gates[..., part * size : (part + 1) * size, :, :] for part in range(4)]


def _slope(share: Floats) -> Floats:
    """Of a share ½ + ½ tanh(y) by y."""
    return 2 * share * (1 - share)
