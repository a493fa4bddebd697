"""Training and decoding beside their plain peers and beside what the processor can multiply."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from statistics import median
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from musicvae_lite.inference.config import Config
from musicvae_lite.model import lstm, onnx
from musicvae_lite.model.checkpoint import load
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.objective import objective
from musicvae_lite.model.posterior import Posterior
from musicvae_lite.model.threads import without_denormals
from musicvae_lite.music.notes import COMMON_TIME
from musicvae_lite.pretrained.registry import DEFAULT, resolve
from musicvae_lite.training import state as states
from musicvae_lite.training.batches import Batch
from musicvae_lite.training.loop import train_step
from musicvae_lite.training.precision import training_type
from musicvae_lite.training.recipe import Recipe, preset
from scripts.benchmarks.figures import FEW, MANY, STEPS, Figure, K, Options, Ratio, Rows, random_tokens, timed

# The original's small two-bar model (Roberts et al. 2018): what every port of it has.
REFERENCE = Config(
    latent=256,
    embedding=128,
    encoder_hidden=512,
    decoder_hidden=256,
    decoder_layers=2,
    metrical_positions=False,
    noise_conditioning=False,
    view_rank=0,
)


class StepByStep(nn.Module):
    """The reference model as ports of it are written: one-hots in, z beside the token, an `LSTMCell` at each step."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        hidden, latent, size = config.encoder_hidden, config.latent, config.decoder_hidden
        self.encoder = nn.ModuleList(nn.LSTMCell(K, hidden) for _ in range(2))
        self.posterior = nn.Linear(2 * hidden, 2 * latent)
        self.start = nn.Linear(latent, 2 * config.decoder_layers * size)
        self.decoder = nn.ModuleList(
            nn.LSTMCell(K + latent if not layer else size, size) for layer in range(config.decoder_layers)
        )
        self.output = nn.Linear(size, K)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Posterior]:
        """Logits [B, T, 1, K] and the posterior of tokens [B, T, 1]."""
        x = F.one_hot(tokens[:, :, 0], K).float()  # [B, T, K]
        ends = [self.read(cell, x if not way else x.flip(1)) for way, cell in enumerate(self.encoder)]
        mu, width = self.posterior(torch.cat(ends, -1)).chunk(2, -1)
        posterior = Posterior(mu, F.softplus(width) + 1e-4)
        z = posterior.sample()
        states = [each.chunk(2, -1) for each in torch.tanh(self.start(z)).chunk(len(self.decoder), -1)]
        before, logits = torch.zeros_like(x[:, 0]), []
        for t in range(x.shape[1]):
            top = torch.cat([before, z], -1)
            for layer, cell in enumerate(self.decoder):
                states[layer] = cell(top, states[layer])
                top = states[layer][0]
            logits.append(self.output(top))
            before = x[:, t]
        return torch.stack(logits, 1)[:, :, None], posterior

    def read(self, cell: nn.Module, x: Tensor) -> Tensor:
        """The last state [B, H] over x [B, T, K]."""
        state = None
        for t in range(x.shape[1]):
            state = cell(x[:, t], state)
        assert state is not None
        last: Tensor = state[0]
        return last


def our_step(config: Config, recipe: Recipe, tokens: NDArray[np.int64]) -> Callable[[], object]:
    """A training step of ours: forward, backward, clipping, AdamW, the weights' average."""
    state = states.start(config, recipe, torch.device("cpu"))
    batch = Batch(tokens, COMMON_TIME)

    def run() -> None:
        train_step(state, batch)
        state.step += 1

    return run


def plain_step(model: nn.Module, tokens: Tensor, forward: Callable[[], tuple[Tensor, Posterior]]) -> Callable[[], None]:
    """A training step in float32 and nothing else: forward, backward, AdamW."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def run() -> None:
        logits, posterior = forward()
        optimizer.zero_grad()
        objective(logits, tokens, posterior, 1.0, 30.0).total.backward()
        optimizer.step()

    return run


def plain_forward(model: MusicVAE, tokens: Tensor) -> Callable[[], tuple[Tensor, Posterior]]:
    """The model without any choice of number types."""

    def run() -> tuple[Tensor, Posterior]:
        posterior = model.encode(tokens, COMMON_TIME)
        return model.logits(posterior.sample(), tokens, COMMON_TIME), posterior

    return run


def flops(config: Config, one_hots: bool = False) -> float:
    """Of forward and backward of a two-bar window: the matrix products of the model, backward being twice forward.

    With `one_hots` those of the reference as ports have it: one-hots and z as inputs of every step.
    """
    read, size, rank = config.encoder_hidden, config.decoder_hidden, config.view_rank
    inputs = (K, K + config.latent) if one_hots else (config.embedding, size)
    a_step = 2 * 4 * read * (inputs[0] + read) + 4 * size * (inputs[1] + size + 2 * size * (config.decoder_layers - 1))
    a_step += K * size + rank * (2 * read + size)
    once = config.bars * rank * 3 * config.latent
    once += config.latent * (4 * read + 2 * config.decoder_layers * size + (0 if one_hots else size))
    return 3 * 2 * (STEPS * a_step + once)


def peak(config: Config, batch: int, dtype: torch.dtype) -> tuple[Callable[[], None], float]:
    """Matrix products of the shapes that training has (step by step, all steps at once, weights), and their FLOPs."""
    shapes = []
    for hidden, inputs in ((config.encoder_hidden, config.embedding), (config.decoder_hidden, config.decoder_hidden)):
        shapes += [(batch, hidden, 4 * hidden), (batch * 4, inputs, 4 * hidden), (hidden, batch * 4, 4 * hidden)]
    made = [(torch.randn(m, k).to(dtype), torch.randn(n, k).to(dtype)) for m, k, n in shapes]
    repeats = [max(1, round(2e9 / (2 * m * k * n))) for m, k, n in shapes]

    def run() -> None:
        for (a, b), count in zip(made, repeats, strict=True):
            for _ in range(count):
                F.linear(a, b)

    return run, float(sum(2 * m * k * n * count for (m, k, n), count in zip(shapes, repeats, strict=True)))


@without_denormals()
def training(options: Options) -> Rows:
    """The reference model at the given batch beside its plain peers, and the default preset, beside the peak."""
    dtype, batch = training_type(torch.device("cpu")), options.batch
    tokens = random_tokens(batch)
    kept, default = torch.from_numpy(tokens), preset("melody-2bar", recipe={"steps": 1000})
    plain, port = MusicVAE(REFERENCE), StepByStep(REFERENCE)
    product, work = peak(REFERENCE, batch, dtype)
    small_product, small_work = peak(default.config, default.recipe.batch, dtype)
    small_batch = default.recipe.batch
    runs: dict[str, Callable[[], object]] = {
        "reference model": our_step(REFERENCE, Recipe(batch=batch, steps=1000), tokens),
        "the same, plain float32": plain_step(plain, kept, plain_forward(plain, kept)),
        "the same, step by step": plain_step(port, kept, lambda: port(kept)),
        "peak": product,
        "melody-2bar": our_step(default.config, default.recipe, tokens[:small_batch]),
        "its peak": small_product,
    }
    seconds = timed(runs, options)
    counts = {"melody-2bar": small_batch, "peak": work / 1e9, "its peak": small_work / 1e9}
    rates = {name: tuple(counts.get(name, batch) / s for s in found) for name, found in seconds.items()}
    middle = {name: median(values) for name, values in rates.items()}
    units = {"peak": f"GFLOP/s {dtype}", "its peak": f"GFLOP/s {dtype}"}
    share = flops(REFERENCE) / 1e9 * middle["reference model"] / middle["peak"]
    small_share = flops(default.config) / 1e9 * middle["melody-2bar"] / middle["its peak"]
    return [
        *(Figure("training", name, units.get(name, "windows/s"), values) for name, values in rates.items()),
        Ratio("training", "reference model / plain float32", _over(middle, "the same, plain float32")),
        Ratio("training", "reference model / step by step", _over(middle, "the same, step by step"), 5.0),
        Ratio("training", "reference model, share of the peak", share, 0.5),
        Ratio("training", "melody-2bar, share of the peak", small_share, 0.5),
    ]


def _over(middle: dict[str, float], name: str) -> float:
    return middle["reference model"] / middle[name]


def stepped(module: nn.LSTM, x: Tensor, state: lstm.State) -> tuple[Tensor, lstm.State]:
    """`model.lstm.step` as most would write it."""
    top, after = module(x[:, None], state)
    return top[:, 0], after


def decoders(model: MusicVAE, z: Tensor) -> dict[str, Callable[[], object]]:
    """Ways to decode z at temperature 0, all to the same tokens, what the commands use first."""

    def torch_alone() -> Tensor:
        return model.decode(z, COMMON_TIME)

    def with_nn_lstm() -> Tensor:
        with mock.patch("musicvae_lite.model.decoder.step", stepped):
            return model.decode(z, COMMON_TIME)

    ways: dict[str, Callable[[], object]] = {"PyTorch": torch_alone, "nn.LSTM stepped": with_nn_lstm}
    if find_spec("musicvae_lite.inference"):
        runtime = import_module("musicvae_lite.inference.runtime").Runtime
        weights = {name: value.numpy() for name, value in model.state_dict().items()}
        ways = {"NumPy": partial(runtime(model.config, weights).decode, z.numpy(), COMMON_TIME)} | ways
    if find_spec("onnx") and find_spec("onnxruntime"):
        session = onnx.session(onnx.export(model).decoder_step)
        ways["onnxruntime"] = partial(
            onnx.decoded, session, model, z.numpy(), np.zeros(len(z), np.float32), COMMON_TIME
        )
    return ways


def decoding(options: Options) -> Rows:
    """Few z and many, at temperature 0, beside other ways to do it."""
    found: Rows = []
    for name, model in (("reference model", MusicVAE(REFERENCE).eval()), (DEFAULT, load(resolve(DEFAULT)).model)):
        for count in (FEW, MANY):
            seconds = timed(decoders(model, torch.randn(count, model.config.latent)), options)
            way, *peers = seconds
            what = f"{name}, {count} tunes"
            ours = tuple(1e3 * s for s in seconds[way])
            found.append(Figure("decoding", what, "ms", ours))
            if count == MANY:
                found.append(Figure("decoding", what, "tunes/s", tuple(1e3 * count / ms for ms in ours)))
            for peer in peers:
                theirs = tuple(1e3 * s for s in seconds[peer])
                found.append(Figure("decoding", f"{what}: {peer}", "ms", theirs))
                found.append(Ratio("decoding", f"{what}: {peer} / {way}", median(theirs) / median(ours)))
            if count == FEW and name == DEFAULT:
                found.append(Ratio("decoding", f"{what}: 5 ms / {way}", 5 / median(ours), 1.0))
    return found
