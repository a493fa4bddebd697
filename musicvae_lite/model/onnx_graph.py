"""Weights → ONNX nodes: the bricks that `onnx_network` builds the encoder and the decoder's step from.

Each brick is the counterpart of a module of this stage and takes the same tensors under the same names. The graph keeps
book of the weights it has used, so that a model with parts that no brick stands for is noticed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicvae_lite.model.encoder import TokenEmbedding

OPSET, IR_VERSION = 17, 8  # what runtimes from 2022 on can read
Value = str | NDArray[Any]  # a tensor of the graph by name, or a constant


class Graph:
    """An ONNX graph that is being built. `op` adds a node and gives the name of its result."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        self.weights = {name: value.detach().float().cpu().numpy() for name, value in weights.items()}
        self.used: set[str] = set()
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def weight(self, name: str) -> NDArray[np.float32]:
        """The tensor of the model under its name in `state_dict`."""
        self.used.add(name)
        found: NDArray[np.float32] = self.weights[name]
        return found

    def op(self, kind: str, *inputs: Value, into: str = "", **attributes: Any) -> str:
        """The result of a node with one output, called `into` if that is given."""
        return self.ops(kind, 1, *inputs, into=(into,), **attributes)[0]

    def ops(self, kind: str, count: int, *inputs: Value, into: Sequence[str] = (), **attributes: Any) -> list[str]:
        """The results of a node with `count` outputs."""
        from onnx import helper

        named = (*into, *[""] * count)[:count]
        names = [name or f"{kind.lower()}_{len(self.nodes)}_{place}" for place, name in enumerate(named)]
        self.nodes.append(helper.make_node(kind, [self._name(value) for value in inputs], names, **attributes))
        return names

    def _name(self, value: Value) -> str:
        from onnx import numpy_helper

        if isinstance(value, str):
            return value
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def bytes(self, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape], about: Mapping[str, str]) -> bytes:
        """The file; dimensions are numbers, or names where they may be any, and types int64 but for floats."""
        from onnx import checker, helper

        ends = [
            [helper.make_tensor_value_info(name, shape.type, shape.dimensions) for name, shape in end.items()]
            for end in (inputs, outputs)
        ]
        graph = helper.make_graph(self.nodes, "musicvae", *ends, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        helper.set_model_props(model, dict(about))
        checker.check_model(model, full_check=True)
        content: bytes = model.SerializeToString()
        return content


class Shape:
    """Type and dimensions of an input or output."""

    def __init__(self, kind: type[np.generic], *dimensions: int | str) -> None:
        from onnx import helper

        self.type = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
        self.dimensions = dimensions


def ints(*values: int) -> NDArray[np.int64]:
    """A constant [n] of the type that indices and shapes have."""
    return np.array(values, np.int64)


def add(graph: Graph, *terms: Value) -> Value:
    """The sum of all terms."""
    total, *others = terms
    for term in others:
        total = graph.op("Add", total, term)
    return total


def linear(graph: Graph, prefix: str, x: Value) -> str:
    """`nn.Linear` on x [..., D]."""
    product = graph.op("MatMul", x, graph.weight(f"{prefix}.weight").T)
    return graph.op("Add", product, graph.weight(f"{prefix}.bias"))


def embedding(graph: Graph, prefix: str, tokens: Value, module: TokenEmbedding) -> str:
    """`TokenEmbedding`: [..., V] → [..., E]."""
    read = graph.op("Gather", tokens, ints(*module.voices), axis=-1)
    rows = graph.op("Add", graph.op("Min", read, module.last.cpu().numpy()), module.offset.cpu().numpy())
    return graph.op("ReduceSum", graph.op("Gather", graph.weight(f"{prefix}.table.weight"), rows), ints(-2), keepdims=0)


def rows(graph: Graph, table: NDArray[Any], index: Value) -> str:
    """Rows of a table; an index past its end is its last row."""
    return graph.op("Gather", table, graph.op("Min", index, np.array(len(table) - 1, np.int64)))


def positions(graph: Graph, prefix: str, step: Value, bar: Value) -> str:
    """`MetricalPositions` at steps in the bar and numbers of the bar, of one shape; reads the input `meter`."""
    from musicvae_lite.model.positions import DENOMINATORS

    numerator, denominator = graph.ops("Split", 2, "meter", ints(1, 1), axis=0)
    powers = np.array([1 << n for n in range(1, DENOMINATORS)], np.int64)  # as many are not above it as its own power
    above = graph.op("Cast", graph.op("GreaterOrEqual", denominator, powers), to=7)
    power = graph.op("ReduceSum", above, ints(0), keepdims=0)
    number = graph.op("Squeeze", numerator, ints(0))
    places = {"step": step, "bar": bar, "numerator": number, "denominator": power}
    found = [rows(graph, graph.weight(f"{prefix}.{name}.weight"), index) for name, index in places.items()]
    return str(add(graph, *found))


def lstm(
    graph: Graph, prefix: str, x: Value, layer: int = 0, both: bool = False, state: tuple[Value, Value] | None = None
) -> list[str]:
    """One layer of `nn.LSTM` on x [T, B, D]: its outputs [T, directions, B, H], last hidden and last cell states."""
    ends = [f"_l{layer}", f"_l{layer}_reverse"][: 1 + both]
    w, r = (np.stack([_reordered(graph.weight(f"{prefix}.weight_{n}{end}")) for end in ends]) for n in ("ih", "hh"))
    biases = [[_reordered(graph.weight(f"{prefix}.bias_{n}{end}")) for n in ("ih", "hh")] for end in ends]
    b = np.stack([np.concatenate(pair) for pair in biases])
    inputs: list[Value] = [x, w, r, b] + ([] if state is None else ["", *state])
    return graph.ops("LSTM", 3, *inputs, hidden_size=r.shape[-1], direction="bidirectional" if both else "forward")


def _reordered(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """PyTorch's gates are in the order input, forget, cell, output; ONNX's are input, output, forget, cell."""
    i, f, c, o = np.split(weight, 4)
    return np.concatenate([i, o, f, c])


def names_of(module: torch.nn.Module, prefix: str) -> set[str]:
    """The names in a model's `state_dict` of everything in one of its modules."""
    return {f"{prefix}.{name}" for name in module.state_dict()}
