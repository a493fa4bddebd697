"""A model on disk is one file, whole or not there, that says what is wrong with it."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest
import torch

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.model.checkpoint import Checkpoint, load, read_tensors, save, write_tensors
from musicvae_lite.music.notes import COMMON_TIME
from tests.model.conftest import TINY, random_tokens, random_z, shaken


@pytest.fixture
def checkpoint() -> Checkpoint:
    return Checkpoint(shaken().float(), {"name": "test"}, {"density.mean": torch.arange(3.0), "seen": torch.arange(2)})


@pytest.fixture
def file(checkpoint: Checkpoint, tmp_path: Path) -> Path:
    save(checkpoint, tmp_path / "run" / "model.safetensors")
    return tmp_path / "run" / "model.safetensors"


def header_of(file: Path) -> dict[str, Any]:
    """The JSON that opens every safetensors file, read without the library."""
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    found: dict[str, Any] = json.loads(content[8 : 8 + length])
    return found


def test_a_model_comes_back_with_everything_that_was_saved_with_it(checkpoint: Checkpoint, file: Path) -> None:
    found = load(file)
    assert found.model.config == TINY
    assert found.about == {"name": "test"}
    assert torch.equal(found.extra["density.mean"], torch.arange(3.0))
    assert torch.equal(found.extra["seen"], torch.arange(2))
    for name, weight in checkpoint.model.state_dict().items():
        assert torch.equal(weight, found.model.state_dict()[name])


def test_it_encodes_and_decodes_as_before(checkpoint: Checkpoint, file: Path) -> None:
    z, tokens, found = random_z(TINY).float(), random_tokens(TINY, COMMON_TIME), load(file).model
    assert torch.equal(found.decode(z, COMMON_TIME), checkpoint.model.decode(z, COMMON_TIME))
    assert torch.equal(found.encode(tokens, COMMON_TIME).mu, checkpoint.model.encode(tokens, COMMON_TIME).mu)


def test_the_run_folder_is_as_good_as_the_file(file: Path) -> None:
    z = random_z(TINY).float()
    assert torch.equal(load(file.parent).model.decode(z, COMMON_TIME), load(str(file)).model.decode(z, COMMON_TIME))


def test_half_precision_halves_the_file_and_loads_in_single(checkpoint: Checkpoint, file: Path, tmp_path: Path) -> None:
    save(checkpoint, tmp_path / "half.safetensors", torch.float16)
    found = load(tmp_path / "half.safetensors")
    assert (tmp_path / "half.safetensors").stat().st_size < 0.7 * file.stat().st_size
    for name, weight in found.model.state_dict().items():
        assert weight.dtype == torch.float32
        assert torch.equal(weight, checkpoint.model.state_dict()[name].half().float())
    assert found.extra["seen"].dtype == torch.int64


def test_a_loaded_model_is_ready_to_use(file: Path) -> None:
    assert not load(file).model.training


def test_everything_beside_the_tensors_is_json_that_anyone_can_read(file: Path) -> None:
    ours = json.loads(header_of(file)["__metadata__"]["musicvae"])
    assert ours == {"format": 1, "config": TINY.to_dict(), "about": {"name": "test"}}


def test_what_is_not_a_number_is_null_in_the_file(checkpoint: Checkpoint, tmp_path: Path) -> None:
    about = {"scores": {"exact": float("nan"), "kl": float("inf"), "right": 0.5}, "list": [float("nan")]}
    save(Checkpoint(checkpoint.model, about), tmp_path / "m.safetensors")
    assert "NaN" not in header_of(tmp_path / "m.safetensors")["__metadata__"]["musicvae"]
    assert load(tmp_path / "m.safetensors").about == {
        "scores": {"exact": None, "kl": None, "right": 0.5},
        "list": [None],
    }


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_who_may_read_a_model_is_decided_by_the_umask(
    checkpoint: Checkpoint, tmp_path: Path, umask: int, mode: int
) -> None:
    before = os.umask(umask)
    try:
        save(checkpoint, tmp_path / "m.safetensors")
    finally:
        os.umask(before)
    assert (tmp_path / "m.safetensors").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("broken", ["write_bytes", "replace"])
def test_a_write_that_fails_leaves_the_old_model_and_nothing_else(
    checkpoint: Checkpoint, file: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    before = file.read_bytes()

    def fail(self: Path, *_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, broken, fail)
    with pytest.raises(MusicVAEError, match=r"cannot be written \(No space left on device\)"):
        save(Checkpoint(checkpoint.model), file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_killed_write_leaves_the_old_model(
    checkpoint: Checkpoint, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes()

    def killed(self: Path, content: bytes) -> int:
        with self.open("wb") as half:
            half.write(content[: len(content) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", killed)
    with pytest.raises(KeyboardInterrupt):
        save(Checkpoint(checkpoint.model), file)
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_is_one_clear_error(checkpoint: Checkpoint, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MusicVAEError, match="cannot be written"):
        save(checkpoint, tmp_path / "file" / "deeper" / "m.safetensors")


WRONG_BYTES = {
    "nothing": b"",
    "text": b"Dear all, this is a letter and no model.",
    "a pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01s.",
    "a length without end": struct.pack("<Q", 2**60) + b"{}",
}


@pytest.mark.parametrize("content", WRONG_BYTES.values(), ids=WRONG_BYTES)
def test_a_file_that_is_no_model_is_one_clear_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(MusicVAEError, match=r"m\.safetensors: not a model of musicvae-lite .*: give the model"):
        load(tmp_path / "m.safetensors")


def test_half_a_file_is_one_clear_error(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(MusicVAEError, match="not a model"):
        load(file)


def test_a_path_where_nothing_is_is_one_clear_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.safetensors"):
        with pytest.raises(MusicVAEError, match="no model there"):
            load(path)


def test_somebody_elses_safetensors_are_one_clear_error(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(MusicVAEError, match="header has no 'musicvae'"):
        load(tmp_path / "other.safetensors")


WRONG_HEADERS: dict[str, tuple[dict[str, Any], str]] = {
    "a newer format": ({"format": 2}, "format 2, expected 1: update"),
    "an unknown key": ({"config": TINY.to_dict() | {"colour": 1}}, "unknown keys colour.*newer version"),
    "no config": ({"config": None}, "not a model"),
    "a size that is text": ({"config": {"latent": "big"}}, "not a model"),
    "another size": ({"config": TINY.to_dict() | {"latent": 9}}, "not a model"),
    "nothing about it": ({"about": None}, "not a model"),
}


@pytest.mark.parametrize(("change", "message"), WRONG_HEADERS.values(), ids=WRONG_HEADERS)
def test_a_header_that_does_not_fit_is_one_clear_error(file: Path, change: dict[str, Any], message: str) -> None:
    tensors, header = read_tensors(file)
    write_tensors(tensors, header | change, file)
    with pytest.raises(MusicVAEError, match=message) as caught:
        load(file)
    assert str(caught.value).startswith(str(file))


def test_a_missing_weight_is_one_clear_error(file: Path) -> None:
    tensors, header = read_tensors(file)
    write_tensors({name: v for name, v in tensors.items() if name != "model.decoder.output.bias"}, header, file)
    with pytest.raises(MusicVAEError, match="not a model"):
        load(file)
