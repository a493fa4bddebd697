"""`musicvae sample` writes tunes, a picture and sound, and says what they were drawn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from musicvae_lite.cli.main import main
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.density import Density
from musicvae_lite.model.checkpoint import Checkpoint, save
from musicvae_lite.model.density import kept
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.midi import read
from musicvae_lite.music.notes import COMMON_TIME, Meter


@pytest.fixture
def checkpoint() -> Checkpoint:
    torch.manual_seed(0)
    return Checkpoint(MusicVAE(Config(latent=4, embedding=4, encoder_hidden=4, decoder_hidden=8, view_rank=2)).eval())


@pytest.fixture
def plain(checkpoint: Checkpoint, tmp_path: Path) -> str:
    save(checkpoint, tmp_path / "plain.safetensors")
    return str(tmp_path / "plain.safetensors")


@pytest.fixture
def fitted(checkpoint: Checkpoint, tmp_path: Path) -> str:
    density = Density((COMMON_TIME,), np.zeros((1, 1)), np.zeros((1, 4)), np.eye(4)[None])
    save(Checkpoint(checkpoint.model, {}, kept(density)), tmp_path / "fitted.safetensors", torch.float16)
    return str(tmp_path / "fitted.safetensors")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_writes_as_many_tunes_as_asked_for_and_a_picture(
    fitted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new"
    assert main(["sample", "-n", "3", "--temperature", "1", "--model", fitted, "--out", str(out)]) == 0
    assert names(out) == ["01.mid", "02.mid", "03.mid", "samples.png"]
    assert capsys.readouterr().out == f"{out}/: 3 tunes of 2 bars in 4/4, samples.png\n"
    songs = [read(out / f"{number:02}.mid") for number in (1, 2, 3)]
    assert all(0 < song.end <= 8 for song in songs)


def test_sound_is_one_file_a_tune(fitted: str, tmp_path: Path) -> None:
    out = tmp_path / "new"
    arguments = ["-n", "2", "--temperature", "1", "--wav", "--meter", "2/4"]
    assert main(["sample", "--model", fitted, "--out", str(out), *arguments]) == 0
    assert names(out) == ["01.mid", "01.wav", "02.mid", "02.wav", "samples.png"]


def test_the_seed_decides(fitted: str, tmp_path: Path) -> None:
    def content(seed: str, folder: str) -> bytes:
        out = tmp_path / folder
        arguments = ["-n", "1", "--seed", seed, "--temperature", "1", "--model", fitted]
        assert main(["sample", *arguments, "--out", str(out)]) == 0
        return (out / "01.mid").read_bytes()

    assert content("1", "a") == content("1", "b")
    assert content("1", "c") != content("2", "d")


def test_it_says_that_a_model_has_no_density_unless_none_was_wanted(
    plain: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["sample", "-n", "1", "--model", plain, "--out"]
    assert main([*arguments, str(tmp_path / "a")]) == 0
    assert "no density fitted to its corpus" in capsys.readouterr().out
    assert main([*arguments, str(tmp_path / "b"), "--prior", "normal"]) == 0
    assert "no density" not in capsys.readouterr().out


def test_it_says_what_a_meter_without_tunes_was_drawn_as(
    fitted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", "-n", "1", "--model", fitted, "--meter", "5/4", "--out", str(tmp_path / "new")]) == 0
    assert "no tune in 5/4 was there to fit the density to: drawn as for 4/4" in capsys.readouterr().out
    assert read(tmp_path / "new" / "01.mid").meters[0].meter == Meter(5, 4)


def test_files_are_replaced_only_if_that_is_wanted(
    fitted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new"
    out.mkdir()
    (out / "01.mid").write_bytes(b"mine")
    arguments = ["sample", "-n", "1", "--model", fitted, "--out", str(out)]
    assert main(arguments) == 2
    assert "not empty" in capsys.readouterr().err
    assert (out / "01.mid").read_bytes() == b"mine"
    assert main([*arguments, "--force"]) == 0
    assert (out / "01.mid").read_bytes() != b"mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--prior", "fitted"], "no fitted density"),
        (["--meter", "waltz"], "'waltz' is not a meter"),
        (["--meter", "5/32"], "a bar of 5/32"),
        (["-n", "0"], "Invalid value for '-n'"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_one_line_and_no_folder(
    arguments: list[str], message: str, plain: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", "--model", plain, "--out", str(tmp_path / "new"), *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "new").exists()
