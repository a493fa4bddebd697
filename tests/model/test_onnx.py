"""onnxruntime computes with the exported graphs what PyTorch computes, and what cannot be exported says so."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.config import Config
from musicvae_lite.model import onnx
from musicvae_lite.model.checkpoint import load
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.notes import Meter
from musicvae_lite.pretrained.registry import DEFAULT, resolve
from tests.model.conftest import TINY, random_tokens, shaken

ROOT = Path(__file__).parents[2]
MISSING = [name for name in ("onnx", "onnxruntime") if find_spec(name) is None]
with_onnx = pytest.mark.skipif(bool(MISSING), reason="needs the extra onnx")

CONFIGS = {
    "as it is": TINY,
    "drums": replace(TINY, representation="drums"),
    "two layers": replace(TINY, decoder_layers=2),
    "plain": replace(TINY, metrical_positions=False, view_rank=0, noise_conditioning=False),
    "triplets": replace(TINY, steps_per_quarter=3),
    "looking back": replace(TINY, bars=5, lookback=3),
    "a trio": replace(TINY, representation="trio"),
    "a decoder for each voice": replace(TINY, representation="trio", decoder_per_voice=True, decoder_layers=2),
    "all for each voice": replace(
        TINY, representation="trio", bars=3, latent=9, encoder_per_voice=True, decoder_per_voice=True, lookback=2
    ),
    "views of their own bars": replace(TINY, bars=4, view_bars=2),
    "over chords": replace(TINY, representation="melody-chords"),
    "over chords, looking back": replace(
        TINY, representation="melody-chords", bars=3, lookback=2, encoder_per_voice=True, decoder_per_voice=True
    ),
    "kin": replace(TINY, representation="groove", kinship=True),
}


def model_of(config: Config) -> MusicVAE:
    return shaken(config, scale=0.3).float()


@with_onnx
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_an_export_computes_what_the_model_does(config: Config) -> None:
    onnx.export(model_of(config))  # which compares them itself


@with_onnx
def test_two_voices_are_exported_like_one(duo: Config) -> None:
    onnx.export(model_of(duo))


@with_onnx
@pytest.mark.parametrize("meter", [Meter(2, 16), Meter(7, 8), Meter(12, 4), Meter(40, 4)], ids=str)
def test_the_encoder_reads_any_meter(meter: Meter) -> None:
    model, tokens = model_of(TINY), random_tokens(TINY, meter)
    session = onnx.session(onnx.export(model).encoder)
    mu, sigma = session.run(["mu", "sigma"], {"tokens": tokens.numpy(), "meter": np.array(meter)})
    with torch.no_grad():
        expected = model.encode(tokens, meter)
    np.testing.assert_allclose(mu, expected.mu, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(sigma, expected.sigma, rtol=1e-4, atol=1e-4)


@with_onnx
def test_a_graph_that_computes_something_else_is_found_out() -> None:
    model, other = model_of(TINY), shaken(TINY, seed=1, scale=0.3).float()
    with pytest.raises(MusicVAEError, match="onnxruntime's mu are not those of PyTorch"):
        onnx.check(model, onnx.export(other))
    made = onnx.export(model)
    with pytest.raises(MusicVAEError, match=r"onnxruntime.s (logits|tokens) are not"):
        onnx.check(model, onnx.Onnx(made.encoder, onnx.export(other).decoder_step))


@with_onnx
def test_a_part_that_no_graph_stands_for_is_refused_by_name() -> None:
    model = model_of(TINY)
    model.encoder.extra = torch.nn.Linear(2, 2)
    with pytest.raises(MusicVAEError, match=r"cannot be exported to ONNX yet: encoder\.extra\.bias"):
        onnx.export(model)


@with_onnx
def test_a_conductor_is_refused() -> None:
    with pytest.raises(MusicVAEError, match="with a conductor over bars cannot be exported yet"):
        onnx.export(MusicVAE(replace(TINY, conductor_hidden=8)))


def test_a_missing_package_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MusicVAEError, match=r"the package onnx is missing: .*musicvae-lite\[onnx\]"):
        onnx.export(MusicVAE(TINY))


@with_onnx
def test_the_example_of_the_documentation_decodes_as_the_model_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(resolve(DEFAULT)).model
    made = onnx.export(model)
    (tmp_path / "model-encoder.onnx").write_bytes(made.encoder)
    (tmp_path / "model-decoder-step.onnx").write_bytes(made.decoder_step)
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "onnx.md").read_text("utf-8"), re.M | re.S)
    names: dict[str, np.ndarray] = {}
    exec(compile(code, "docs/onnx.md", "exec"), names)
    z = torch.from_numpy(names["z"])
    expected = model.decode(z, Meter(4, 4), level=torch.zeros(len(z)))
    np.testing.assert_array_equal(names["decode"](names["z"]), expected)  # type: ignore[operator]
    assert names["morph"].shape == (8, 32, 1)
    assert len(np.unique(names["morph"], axis=0)) > 2
