"""A model → two ONNX files, so that it runs where there is no Python: the encoder, and one step of the decoder.

    encoder        tokens [B, T, V], meter [2] → mu, sigma [B, Z]
    decoder step   z [B, Z], level [B], meter [2], bar_steps, step, token and place [B, V], hidden and cell [L, B, H]
                   → logits [B, V, K] with −∞ for what may not follow, next_place, next_hidden, next_cell

Any meter will do: the graphs look the positions up. At step 0 the token is K, the start, and the place and the states
that are given are not read. Source: ONNX operators, opset 17 (https://onnx.ai/onnx/operators).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.config import Config
from musicvae_lite.model.decoder import Decoder
from musicvae_lite.model.encoder import Encoder
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.noise import POWERS
from musicvae_lite.model.onnx_graph import Graph, Shape, add, embedding, ints, linear, lstm, names_of, positions, rows
from musicvae_lite.music.grid import GridError, bar_steps
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import Representation, representation

TOLERANCE = 1e-3  # of μ, σ and logits, in float32
CHECKED_METERS = (Meter(4, 4), Meter(6, 8), Meter(9, 4))
CHECKED_ROWS = 4
INSTALL = "install it: pip install 'musicvae-lite[onnx]'"


@dataclass(frozen=True)
class Onnx:
    """The two files."""

    encoder: bytes
    decoder_step: bytes


def export(model: MusicVAE) -> Onnx:
    """Both graphs, after onnxruntime has computed the same with them as PyTorch with `model`, or a `MusicVAEError`."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise MusicVAEError(f"the package {error.name} is missing: {INSTALL}") from error
    form = representation(model.config.representation)
    if (
        not isinstance(model.encoder, Encoder)
        or not isinstance(model.decoder, Decoder)
        or model.decoder.lookback is not None
        or model.decoder.output.out_features != form.VOICES * form.VOCABULARY
    ):
        raise MusicVAEError(
            "models with a conductor over bars, that look back by bars, or with voices that do not share one encoder, "
            "one decoder and one vocabulary, cannot be exported yet"
        )
    made = Onnx(_encoder(model), _decoder_step(model))
    check(model, made)
    return made


def _encoder(model: MusicVAE) -> bytes:
    config, encoder = model.config, model.encoder
    assert isinstance(encoder, Encoder)
    graph = Graph(model.state_dict())
    step, bar_length = _steps_of_tokens(graph, config.bars)
    x = embedding(graph, "encoder.embedding", "tokens", encoder.embedding.offset)
    if encoder.positions is not None:
        bar, place = graph.op("Div", step, bar_length), graph.op("Mod", step, bar_length)
        x = graph.op("Add", x, positions(graph, "encoder.positions", place, bar))
    outputs = lstm(graph, "encoder.lstm", graph.op("Transpose", x, perm=[1, 0, 2]), both=True)[0]
    size = 2 * config.encoder_hidden
    states = graph.op("Reshape", graph.op("Transpose", outputs, perm=[2, 0, 1, 3]), ints(0, 0, size))  # [B, T, 2H]
    read = linear(graph, "encoder.average", graph.op("ReduceMean", states, axes=[1], keepdims=0))
    if encoder.views is not None:
        places = graph.op("Range", np.array(0, np.int64), bar_length, np.array(1, np.int64))
        by_step = rows(graph, graph.weight("encoder.views.by_step"), places)
        bars = graph.op("Reshape", states, ints(0, config.bars, -1, size))
        seen = graph.op("Einsum", bars, by_step, equation="bnsd,srd->bnr")
        by_bar = graph.weight("encoder.views.by_bar")
        read = graph.op("Add", read, graph.op("Einsum", seen, by_bar, equation="bnr,nzr->bz"))
    _, width = graph.ops("Split", 2, read, ints(config.latent, config.latent), axis=-1, into=["mu"])
    graph.op("Add", graph.op("Softplus", width), np.array(1e-4, np.float32), into="sigma")
    _all_used(graph, names_of(encoder, "encoder"))
    inputs = {"tokens": Shape(np.int64, "B", "T", encoder.embedding.offset.numel()), "meter": Shape(np.int64, 2)}
    latent = Shape(np.float32, "B", config.latent)
    return graph.bytes(inputs, {"mu": latent, "sigma": latent}, _about(model))


def _steps_of_tokens(graph: Graph, bars: int) -> tuple[str, str]:
    """The numbers of the steps [T], and how many steps a bar has."""
    length = graph.op("Squeeze", graph.op("Slice", graph.op("Shape", "tokens"), ints(1), ints(2)), ints(0))
    steps = graph.op("Range", np.array(0, np.int64), length, np.array(1, np.int64))
    return steps, graph.op("Div", length, np.array(bars, np.int64))


def _decoder_step(model: MusicVAE) -> bytes:
    config, decoder, form = model.config, model.decoder, representation(model.config.representation)
    assert isinstance(decoder, Decoder)
    graph = Graph(model.state_dict())
    z, told = _weighed(graph, decoder)
    before_it = embedding(graph, "decoder.embedding", "token", decoder.embedding.offset)
    x = add(graph, before_it, *_conditions(graph, decoder, z), *([told] if told else []))
    before = _state(graph, config, z)
    hiddens, cells = [], []
    for layer in range(config.decoder_layers):
        outputs = lstm(graph, "decoder.lstm", graph.op("Unsqueeze", x, ints(0)), layer, state=before[layer])
        x = graph.op("Squeeze", outputs[1], ints(0))
        hiddens.append(outputs[1])
        cells.append(outputs[2])
    graph.op("Concat", *hiddens, axis=0, into="next_hidden")
    graph.op("Concat", *cells, axis=0, into="next_cell")
    logits = graph.op("Reshape", linear(graph, "decoder.output", x), ints(0, form.VOICES, form.VOCABULARY))
    legal = graph.op("Gather", form.LEGAL, _place(graph, form))
    graph.op("Where", legal, logits, np.array(-np.inf, np.float32), into="logits")
    _all_used(graph, names_of(decoder, "decoder"))
    number, voices = Shape(np.int64), Shape(np.int64, "B", form.VOICES)
    states = Shape(np.float32, config.decoder_layers, "B", config.decoder_hidden)
    inputs = {"z": Shape(np.float32, "B", config.latent), "level": Shape(np.float32, "B"), "meter": Shape(np.int64, 2)}
    inputs |= {"bar_steps": number, "step": number, "token": voices, "place": voices, "hidden": states, "cell": states}
    found = Shape(np.float32, "B", form.VOICES, form.VOCABULARY)
    after = {"logits": found, "next_place": voices, "next_hidden": states, "next_cell": states}
    return graph.bytes(inputs, after, _about(model))


def _weighed(graph: Graph, decoder: Decoder) -> tuple[str, str | None]:
    """z as far as it can be trusted at `level`, and what every step is told about it."""
    if decoder.noise is None:
        return "z", None
    exponents = np.arange(1, POWERS + 1, dtype=np.float32)
    powers = graph.op("Pow", graph.op("Unsqueeze", "level", ints(1)), exponents)
    gain = graph.op("MatMul", powers, graph.weight("decoder.noise.gain"))
    weighed = graph.op("Mul", "z", graph.op("Add", gain, np.array(1, np.float32)))
    return weighed, graph.op("MatMul", powers, graph.weight("decoder.noise.shift"))


def _conditions(graph: Graph, decoder: Decoder, z: str) -> Iterator[str]:
    """What this step is told besides the token before it: [B, H] each."""
    bar, place = graph.op("Div", "step", "bar_steps"), graph.op("Mod", "step", "bar_steps")
    yield linear(graph, "decoder.latent_input", z)
    if decoder.views is not None:
        seen = graph.op("MatMul", z, rows(graph, graph.weight("decoder.views.by_bar"), bar))
        yield graph.op("MatMul", seen, rows(graph, graph.weight("decoder.views.by_step"), place))
    if decoder.positions is not None:
        yield positions(graph, "decoder.positions", place, bar)


def _state(graph: Graph, config: Config, z: str) -> list[tuple[str, str]]:
    """Hidden and cell [1, B, H] of each layer: those that were given, but at step 0 what z says."""
    layers = config.decoder_layers
    start = graph.op("Tanh", linear(graph, "decoder.initial_state", z))
    start = graph.op("Reshape", start, ints(0, 2, layers, config.decoder_hidden))
    start = graph.op("Transpose", start, perm=[1, 2, 0, 3])  # [2, L, B, H]
    found = []
    for own, given in zip(graph.ops("Split", 2, start, ints(1, 1), axis=0), ("hidden", "cell"), strict=True):
        state = graph.op("Where", _at_start(graph), graph.op("Squeeze", own, ints(0)), given)
        found.append(graph.ops("Split", layers, state, ints(*[1] * layers), axis=0))
    return list(zip(*found, strict=True))


def _at_start(graph: Graph) -> str:
    return graph.op("Equal", "step", np.array(0, np.int64))


def _place(graph: Graph, form: Representation) -> str:
    """Where the automaton of each voice is after `token`, [B, V]; the start leaves it where it was."""
    states, width = len(form.NEXT_STATE), form.VOCABULARY + 1
    table = np.concatenate([form.NEXT_STATE, np.arange(states)[:, None]], 1).astype(np.int64)
    first = np.asarray(getattr(form, "START", np.zeros(form.VOICES)), np.int64)
    place = graph.op("Where", _at_start(graph), first, "place")
    index = graph.op("Add", graph.op("Mul", place, np.array(width, np.int64)), "token")
    return graph.op("Gather", table.ravel(), index, into="next_place")


def _about(model: MusicVAE) -> dict[str, str]:
    return {"musicvae": json.dumps(model.config.to_dict())}


def _all_used(graph: Graph, names: set[str]) -> None:
    if unknown := sorted(names - graph.used):
        raise MusicVAEError(f"this model has parts that cannot be exported to ONNX yet: {', '.join(unknown)}")


def check(model: MusicVAE, made: Onnx) -> None:
    """A `MusicVAEError` unless onnxruntime's posteriors, logits and tokens are those of `model`, in several meters."""
    sessions = session(made.encoder), session(made.decoder_step)
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(0)
    for meter in CHECKED_METERS:
        try:
            bar_steps(meter, model.config.steps_per_quarter)
        except GridError:
            continue
        z = torch.randn(CHECKED_ROWS, model.config.latent, generator=generator)
        level = torch.linspace(0, 1, CHECKED_ROWS)
        tokens = model.decode(z.to(device), meter, level=level.to(device)).cpu()
        with torch.no_grad():
            posterior = model.eval().encode(tokens.to(device), meter)
            logits = model.logits(z.to(device), tokens.to(device), meter, level=level.to(device)).float().cpu()
        found = sessions[0].run(["mu", "sigma"], {"tokens": tokens.numpy(), "meter": np.array(meter)})
        _agree("mu", posterior.mu.cpu().numpy(), found[0])
        _agree("sigma", posterior.sigma.cpu().numpy(), found[1])
        heard, chosen = decoded(sessions[1], model, z.numpy(), level.numpy(), meter)
        possible = np.isfinite(heard)
        _agree("logits", logits.numpy()[possible], heard[possible])
        _agree("tokens", tokens.numpy(), chosen)


def decoded(
    session: Any, model: MusicVAE, z: NDArray[np.float32], level: NDArray[np.float32], meter: Meter
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Logits [B, T, V, K] and tokens [B, T, V], decoded step by step at temperature 0."""
    config, form = model.config, representation(model.config.representation)
    length = bar_steps(meter, config.steps_per_quarter)
    told = {"z": z, "level": level, "meter": np.array(meter), "bar_steps": np.array(length)}
    token = np.full((len(z), form.VOICES), form.VOCABULARY)
    place = np.zeros_like(token)
    hidden = cell = np.zeros((config.decoder_layers, len(z), config.decoder_hidden), np.float32)
    heard, chosen = [], []
    for step in range(config.bars * length):
        now = {"step": np.array(step), "token": token, "place": place, "hidden": hidden, "cell": cell}
        logits, place, hidden, cell = session.run(None, told | now)
        token = logits.argmax(-1)
        heard.append(logits)
        chosen.append(token)
    return np.stack(heard, 1), np.stack(chosen, 1)


def session(content: bytes) -> Any:
    """An onnxruntime session of a file's content, in one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _agree(what: str, expected: NDArray[Any], found: NDArray[Any]) -> None:
    if expected.shape == found.shape and np.allclose(expected, found, atol=TOLERANCE, rtol=TOLERANCE):
        return
    raise MusicVAEError(
        f"onnxruntime's {what} are not those of PyTorch: nothing was exported; please report it with the model's config"
    )
