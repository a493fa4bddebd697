"""`musicvae export` writes two files, or says why not."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from musicvae_lite.cli.main import BAD_INPUT, main

MISSING = [name for name in ("onnx", "onnxruntime") if find_spec(name) is None]
with_onnx = pytest.mark.skipif(bool(MISSING), reason="needs the extra onnx")


@with_onnx
def test_it_writes_an_encoder_and_a_decoder_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "melody-2bar", str(tmp_path / "tune.onnx")]) == 0
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ["tune-decoder-step.onnx", "tune-encoder.onnx"]
    assert "tune-encoder.onnx: 5.5 MiB" in capsys.readouterr().out


def test_files_that_are_there_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tune-encoder.onnx").write_text("mine")
    assert main(["export", "melody-2bar", str(tmp_path / "tune.onnx")]) == BAD_INPUT
    assert "there already" in capsys.readouterr().err
    assert (tmp_path / "tune-encoder.onnx").read_text() == "mine"


def test_a_model_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "nothing", str(tmp_path / "tune.onnx")]) == BAD_INPUT
    assert "nothing: neither a bundled model" in capsys.readouterr().err
