"""The networks as ONNX graphs: the encoder, and one step of the decoder. Their ends:

    encoder        tokens [B, T, V], meter [2] → mu, sigma [B, Z]
    decoder step   z [B, Z], level [B], meter [2], bar_steps, step, token and place [B, V], hidden and cell [L, B, H]
                   → logits [B, V, K] with −∞ for what may not follow, next_place, next_hidden, next_cell

Any meter will do: the graphs look the positions up. At step 0 the token is K, the start, and the place and the states
that are given are not read. A model that is told some voices has the input `given` [B, V], what these play at this
step; one that looks back by bars has the input `played` [B, step, V], all tokens so far. The states are those of each
layer of each decoder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
from torch import nn

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.positions import spread
from musicvae_lite.model.decoder import Decoder
from musicvae_lite.model.encoder import Encoder, EncoderEnsemble
from musicvae_lite.model.ensemble import Ensemble
from musicvae_lite.model.lookback import Lookback
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.noise import POWERS
from musicvae_lite.model.onnx_graph import Graph, Shape, add, embedding, ints, linear, lstm, names_of, positions, rows
from musicvae_lite.tokens import Representation, representation

STATES = ("hidden", "cell")
State = tuple[str, str]  # these two of a layer, [1, B, H] each


def encoder(model: MusicVAE) -> bytes:
    """The encoder's file; a part that no graph stands for is a `MusicVAEError`."""
    graph, config = Graph(model.state_dict()), model.config
    parts: dict[str, nn.Module] = {"encoder": model.encoder}
    if isinstance(model.encoder, EncoderEnsemble):
        parts = {f"encoder.parts.{part}": each for part, each in enumerate(model.encoder.parts)}
    posteriors = [_posterior(graph, each, prefix) for prefix, each in parts.items() if isinstance(each, Encoder)]
    for name, each in zip(("mu", "sigma"), zip(*posteriors, strict=True), strict=True):
        graph.op("Concat", *each, axis=-1, into=name)
    _all_used(graph, names_of(model.encoder, "encoder"))
    voices = representation(config.representation).VOICES
    inputs = {"tokens": Shape(np.int64, "B", "T", voices), "meter": Shape(np.int64, 2)}
    latent = Shape(np.float32, "B", config.latent)
    return graph.bytes(inputs, {"mu": latent, "sigma": latent}, _about(model))


def _posterior(graph: Graph, encoder: Encoder, prefix: str) -> tuple[str, str]:
    """mu and sigma of what one encoder writes."""
    step, bar_length = _steps_of_tokens(graph, encoder.bars)
    x = embedding(graph, f"{prefix}.embedding", "tokens", encoder.embedding)
    if encoder.positions is not None:
        bar, place = graph.op("Div", step, bar_length), graph.op("Mod", step, bar_length)
        x = graph.op("Add", x, positions(graph, f"{prefix}.positions", place, bar))
    outputs = lstm(graph, f"{prefix}.lstm", graph.op("Transpose", x, perm=[1, 0, 2]), both=True)[0]
    size = 2 * encoder.lstm.hidden_size
    states = graph.op("Reshape", graph.op("Transpose", outputs, perm=[2, 0, 1, 3]), ints(0, 0, size))  # [B, T, 2H]
    read = linear(graph, f"{prefix}.average", graph.op("ReduceMean", states, axes=[1], keepdims=0))
    if encoder.views is not None:
        places = graph.op("Range", np.array(0, np.int64), bar_length, np.array(1, np.int64))
        by_step = rows(graph, graph.weight(f"{prefix}.views.by_step"), places)
        bars = graph.op("Reshape", states, ints(0, encoder.bars, -1, size))
        seen = graph.op("Einsum", bars, by_step, equation="bnsd,srd->bnr")
        by_bar = spread(graph.weight(f"{prefix}.views.by_bar"), encoder.views.shares, 2)
        read = graph.op("Add", read, graph.op("Einsum", seen, by_bar, equation="bnr,nzr->bz"))
    half = encoder.average.out_features // 2
    mu, width = graph.ops("Split", 2, read, ints(half, half), axis=-1)
    return mu, graph.op("Add", graph.op("Softplus", width), np.array(1e-4, np.float32))


def _steps_of_tokens(graph: Graph, bars: int) -> tuple[str, str]:
    """The numbers of the steps [T], and how many steps a bar has."""
    length = graph.op("Squeeze", graph.op("Slice", graph.op("Shape", "tokens"), ints(1), ints(2)), ints(0))
    steps = graph.op("Range", np.array(0, np.int64), length, np.array(1, np.int64))
    return steps, graph.op("Div", length, np.array(bars, np.int64))


def decoder_step(model: MusicVAE) -> bytes:
    """The file of one step of the decoder; a conductor, or a part unknown here, is a `MusicVAEError`."""
    config, form = model.config, representation(model.config.representation)
    graph, parts = Graph(model.state_dict()), _decoders(model)
    heard = "token"
    if form.GIVEN.any():
        heard = graph.op("Where", form.GIVEN, "given", "token")
    each = config.decoder_layers
    before = [graph.ops("Split", each * len(parts), name, ints(*[1] * each * len(parts)), axis=0) for name in STATES]
    logits: list[str] = []
    after: list[State] = []
    for number, (prefix, (decoder, own)) in enumerate(parts.items()):
        z = "z" if own == slice(0, config.latent) else graph.op("Slice", "z", ints(own.start), ints(own.stop), ints(1))
        mine = slice(number * each, (number + 1) * each)
        states = list(zip(before[0][mine], before[1][mine], strict=True))
        said, found = _heard(graph, decoder, prefix, z, heard, states, form)
        logits += said
        after += found
    for name, found_states in zip(STATES, zip(*after, strict=True), strict=True):
        graph.op("Concat", *found_states, axis=0, into=f"next_{name}")
    legal = graph.op("Gather", form.LEGAL, _place(graph, form))
    complete = _completed(graph, logits, form)
    graph.op("Where", legal, complete, np.array(-np.inf, np.float32), into="logits")
    _all_used(graph, names_of(model.decoder, "decoder"))
    return graph.bytes(*_ends(config, form, each * len(parts)), _about(model))


def _ends(config: Config, form: Representation, layers: int) -> tuple[dict[str, Shape], dict[str, Shape]]:
    """What goes into a step of the decoder, and what comes out."""
    number, voices = Shape(np.int64), Shape(np.int64, "B", form.VOICES)
    states = Shape(np.float32, layers, "B", config.decoder_hidden)
    inputs = {"z": Shape(np.float32, "B", config.latent), "level": Shape(np.float32, "B"), "meter": Shape(np.int64, 2)}
    inputs |= {"bar_steps": number, "step": number, "token": voices, "place": voices} | dict.fromkeys(STATES, states)
    inputs |= {"given": voices} if form.GIVEN.any() else {}
    inputs |= {"played": Shape(np.int64, "B", "step", form.VOICES)} if config.lookback else {}
    outputs = {"logits": Shape(np.float32, "B", form.VOICES, form.VOCABULARY), "next_place": voices}
    return inputs, outputs | {f"next_{name}": states for name in STATES}


def _decoders(model: MusicVAE) -> dict[str, tuple[Decoder, slice]]:
    """Each decoder by its name among the weights, and what it is given of z."""
    if isinstance(model.decoder, Decoder):
        return {"decoder": (model.decoder, model.config.own(None))}
    if isinstance(model.decoder, Ensemble):
        parts = enumerate(model.decoder.parts)
        return {f"decoder.parts.{n}": (each, model.config.own(n)) for n, each in parts if isinstance(each, Decoder)}
    raise MusicVAEError("models with a conductor over bars cannot be exported yet")


def _heard(
    graph: Graph, decoder: Decoder, prefix: str, z: str, heard: str, before: list[State], form: Representation
) -> tuple[list[str], list[State]]:
    """What one decoder says of the voices that it predicts, [B, 1, K] each, and its states after this step."""
    z, told = _weighed(graph, decoder, prefix, z)
    token = embedding(graph, f"{prefix}.embedding", heard, decoder.embedding)
    x = add(graph, token, *_conditions(graph, decoder, prefix, z), *([told] if told else []))
    if decoder.lookback is not None:
        x = add(graph, x, *_looking_back(graph, decoder, decoder.lookback, prefix, heard, form))
    after = []
    for layer, state in enumerate(_states(graph, decoder, prefix, z, before)):
        outputs = lstm(graph, f"{prefix}.lstm", graph.op("Unsqueeze", x, ints(0)), layer, state=state)
        x = graph.op("Squeeze", outputs[1], ints(0))
        after.append((outputs[1], outputs[2]))
    scores, sizes = linear(graph, f"{prefix}.output", x), decoder.words
    spelled = []
    for each, size in zip(graph.ops("Split", len(sizes), scores, ints(*sizes), axis=-1), sizes, strict=True):
        lacks = ints(0, 0, 0, form.VOCABULARY - size)  # −∞ for tokens that a voice has not got
        spelled.append(graph.op("Unsqueeze", graph.op("Pad", each, lacks, np.array(-np.inf, np.float32)), ints(1)))
    return spelled, after


def _weighed(graph: Graph, decoder: Decoder, prefix: str, z: str) -> tuple[str, str | None]:
    """z as far as it can be trusted at `level`, and what every step is told about it."""
    if decoder.noise is None:
        return z, None
    exponents = np.arange(1, POWERS + 1, dtype=np.float32)
    powers = graph.op("Pow", graph.op("Unsqueeze", "level", ints(1)), exponents)
    gain = graph.op("MatMul", powers, graph.weight(f"{prefix}.noise.gain"))
    weighed = graph.op("Mul", z, graph.op("Add", gain, np.array(1, np.float32)))
    return weighed, graph.op("MatMul", powers, graph.weight(f"{prefix}.noise.shift"))


def _conditions(graph: Graph, decoder: Decoder, prefix: str, z: str) -> Iterator[str]:
    """What this step is told besides the token before it: [B, H] each."""
    bar, place = graph.op("Div", "step", "bar_steps"), graph.op("Mod", "step", "bar_steps")
    yield linear(graph, f"{prefix}.latent_input", z)
    if decoder.views is not None:
        by_bar = spread(graph.weight(f"{prefix}.views.by_bar"), decoder.views.shares, 1)
        seen = graph.op("MatMul", z, rows(graph, by_bar, bar))
        yield graph.op("MatMul", seen, rows(graph, graph.weight(f"{prefix}.views.by_step"), place))
    if decoder.positions is not None:
        yield positions(graph, f"{prefix}.positions", place, bar)


def _looking_back(
    graph: Graph, decoder: Decoder, lookback: Lookback, prefix: str, heard: str, form: Representation
) -> Iterator[str]:
    """What was heard at this place of the bar 1, 2, 4, … bars ago, [B, H] each; nothing where there was no such bar."""
    # `heard` has what given voices play now, and there is something to gather from at step 0 too.
    so_far = graph.op("Concat", "played", graph.op("Unsqueeze", heard, ints(1)), axis=1)  # [B, step + 1, V]
    none, one = np.array(0, np.int64), np.array(1, np.int64)
    for distance in range(len(lookback.ways)):
        then = graph.op("Sub", "step", graph.op("Mul", "bar_steps", np.array(1 << distance, np.int64)))
        was = graph.op("Not", graph.op("Less", then, none))
        then = graph.op("Max", then, none)
        token = graph.op("Gather", so_far, then, axis=1)
        if form.GIVEN.any():
            after = graph.op("Gather", so_far, graph.op("Min", graph.op("Add", then, one), "step"), axis=1)
            token = graph.op("Where", form.GIVEN, after, token)
        vector = embedding(graph, f"{prefix}.embedding", token, decoder.embedding)
        way = graph.op("MatMul", vector, graph.weight(f"{prefix}.lookback.ways.{distance}.weight").T)
        yield graph.op("Mul", way, graph.op("Cast", was, to=1))


def _states(graph: Graph, decoder: Decoder, prefix: str, z: str, before: list[State]) -> list[State]:
    """Hidden and cell of each layer: those from before, but at step 0 what z says."""
    layers, size = decoder.layers, decoder.lstm.hidden_size
    start = graph.op("Tanh", linear(graph, f"{prefix}.initial_state", z))
    start = graph.op("Reshape", start, ints(0, 2 * layers, size))
    own = graph.ops("Split", 2 * layers, graph.op("Transpose", start, perm=[1, 0, 2]), ints(*[1] * 2 * layers), axis=0)
    first = zip(own[:layers], own[layers:], strict=True)
    return [
        (graph.op("Where", _at_start(graph), hidden, states[0]), graph.op("Where", _at_start(graph), cell, states[1]))
        for (hidden, cell), states in zip(first, before, strict=True)
    ]


def _at_start(graph: Graph) -> str:
    return graph.op("Equal", "step", np.array(0, np.int64))


def _completed(graph: Graph, predicted: list[str], form: Representation) -> str:
    """Logits [B, V, K] of all voices: the given ones say `given` and can say nothing else."""
    if not form.GIVEN.any():
        return graph.op("Concat", *predicted, axis=1)
    left, every = iter(predicted), []
    told = graph.ops("Split", form.VOICES, "given", ints(*[1] * form.VOICES), axis=1)
    for voice in range(form.VOICES):
        if not form.GIVEN[voice]:
            every.append(next(left))
            continue
        says = graph.op("Equal", graph.op("Unsqueeze", told[voice], ints(2)), np.arange(form.VOCABULARY))
        every.append(graph.op("Where", says, np.array(0, np.float32), np.array(-np.inf, np.float32)))
    return graph.op("Concat", *every, axis=1)


def _place(graph: Graph, form: Representation) -> str:
    """Where the automaton of each voice is after `token`, [B, V]; the start leaves it where it was."""
    states, width = len(form.NEXT_STATE), form.VOCABULARY + 1
    table = np.concatenate([form.NEXT_STATE, np.arange(states)[:, None]], 1).astype(np.int64)
    place = graph.op("Where", _at_start(graph), np.asarray(form.START, np.int64), "place")
    index = graph.op("Add", graph.op("Mul", place, np.array(width, np.int64)), "token")
    return graph.op("Gather", table.ravel(), index, into="next_place")


def _about(model: MusicVAE) -> dict[str, str]:
    return {"musicvae": json.dumps(model.config.to_dict())}


def _all_used(graph: Graph, names: set[str]) -> None:
    if unknown := sorted(names - graph.used):
        raise MusicVAEError(f"this model has parts that cannot be exported to ONNX yet: {', '.join(unknown)}")
