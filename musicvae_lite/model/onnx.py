"""A model → two ONNX files, so that it runs where there is no Python: the encoder, and one step of the decoder.

`onnx_network` says what goes in and what comes out. Source: ONNX operators, opset 17 (https://onnx.ai/onnx/operators).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.onnx_network import decoder_step, encoder
from musicvae_lite.music.grid import GridError, bar_steps
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import representation, words

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
    model = model.folded()
    made = Onnx(encoder(model), decoder_step(model))
    check(model, made)
    return made


def check(model: MusicVAE, made: Onnx) -> None:
    """A `MusicVAEError` unless onnxruntime's posteriors, logits and tokens are those of `model`, in several meters."""
    sessions = session(made.encoder), session(made.decoder_step)
    device = next(model.parameters()).device
    generator, random = torch.Generator().manual_seed(0), np.random.default_rng(0)
    for meter in CHECKED_METERS:
        try:
            bar_steps(meter, model.config.steps_per_quarter)
        except GridError:
            continue
        z = torch.randn(CHECKED_ROWS, model.config.latent, generator=generator)
        level = torch.linspace(0, 1, CHECKED_ROWS)
        given = _random_tokens(model, meter, random)
        told = torch.from_numpy(given).to(device)
        tokens = model.decode(z.to(device), meter, level=level.to(device), given=told).cpu()
        with torch.no_grad():
            posterior = model.eval().encode(tokens.to(device), meter)
            logits = model.logits(z.to(device), tokens.to(device), meter, level=level.to(device)).float().cpu()
        found = sessions[0].run(["mu", "sigma"], {"tokens": tokens.numpy(), "meter": np.array(meter)})
        _agree("mu", posterior.mu.cpu().numpy(), found[0])
        _agree("sigma", posterior.sigma.cpu().numpy(), found[1])
        heard, chosen = decoded(sessions[1], model, z.numpy(), level.numpy(), meter, given)
        possible = np.isfinite(heard)
        _agree("logits", logits.numpy()[possible], heard[possible])
        _agree("tokens", tokens.numpy(), chosen)


def _random_tokens(model: MusicVAE, meter: Meter, random: np.random.Generator) -> NDArray[np.int64]:
    """For voices that are given: any of their words at each step, [B, T, V]."""
    config, form = model.config, representation(model.config.representation)
    length = config.bars * bar_steps(meter, config.steps_per_quarter)
    counts = np.array([words(form, voice) for voice in range(form.VOICES)])
    return random.integers(counts, size=(CHECKED_ROWS, length, form.VOICES))


def decoded(
    session: Any,
    model: MusicVAE,
    z: NDArray[np.float32],
    level: NDArray[np.float32],
    meter: Meter,
    given: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Logits [B, T, V, K] and tokens [B, T, V], decoded step by step at temperature 0; given voices play `given`."""
    config, form = model.config, representation(model.config.representation)
    length = bar_steps(meter, config.steps_per_quarter)
    known = {each.name: each.shape for each in session.get_inputs()}
    told = {"z": z, "level": level, "meter": np.array(meter), "bar_steps": np.array(length)}
    token = np.full((len(z), form.VOICES), form.VOCABULARY)
    place = np.zeros_like(token)
    hidden = cell = np.zeros((known["hidden"][0], len(z), config.decoder_hidden), np.float32)
    heard, played = [], np.zeros((len(z), config.bars * length, form.VOICES), np.int64)
    for step in range(played.shape[1]):
        now = {"step": np.array(step), "token": token, "place": place, "hidden": hidden, "cell": cell}
        if "given" in known:
            now["given"] = np.zeros_like(token) if given is None else given[:, step]
        if "played" in known:
            now["played"] = played[:, :step]
        logits, place, hidden, cell = session.run(None, told | now)
        token = played[:, step] = logits.argmax(-1)
        heard.append(logits)
    return np.stack(heard, 1), played


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
