"""`musicvae evaluate` prints a table or one JSON object, writes a page, and says in one line why it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from musicvae_lite.cli.main import main
from musicvae_lite.corpus.prepare import prepare
from musicvae_lite.corpus.scan import Settings
from musicvae_lite.evaluation.unseen import TRAINED_ON, remember
from musicvae_lite.inference.config import Config
from musicvae_lite.model.checkpoint import Checkpoint, save, write_tensors
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import melody
from tests.conftest import MakeMidi, Row

QUICK = ("--windows", "6", "--samples", "4", "--refine-steps", "1")


def quarters(pitches: list[int]) -> list[Row]:
    return [(pitch, i, i + 1) for i, pitch in enumerate(pitches)]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    tiny = MusicVAE(Config(latent=4, embedding=4, encoder_hidden=4, decoder_hidden=8, view_rank=2))
    save(Checkpoint(tiny), tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


@pytest.fixture
def folder(make_midi: MakeMidi, tmp_path: Path) -> Path:
    """Three tunes of eight bars in 4/4, and a waltz of four."""
    random = np.random.default_rng(0)
    for number in range(3):
        make_midi(f"midi/{number}.mid", quarters(random.integers(55, 80, 32).tolist()))
    make_midi("midi/waltz.mid", quarters(random.integers(55, 80, 12).tolist()), meters=[(0.0, Meter(3, 4))])
    return tmp_path / "midi"


def trained_on(model: Path, folder: Path) -> None:
    """Let `model` remember the windows of `folder`."""
    corpus = prepare(folder, Settings())
    found = remember((*corpus.train, *corpus.heldout), melody)
    tiny = MusicVAE(Config(latent=4, embedding=4, encoder_hidden=4, decoder_hidden=8, view_rank=2))
    save(Checkpoint(tiny, {}, {TRAINED_ON: found}), model)


def test_json_is_one_object_and_all_that_is_printed(
    model: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(model), str(folder), "--json", "--all", *QUICK]) == 0
    said = capsys.readouterr()
    figures = json.loads(said.out)
    assert said.err == ""
    assert figures["new_windows"] == 3 * 7 + 3
    assert figures["windows"] in range(5, 8)
    assert set(figures["by_meter"]) == {"4/4", "3/4"}
    assert figures["prior"]["copies"] is None


def test_the_table_and_the_page_tell_the_same(
    model: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    page.write_text("an older one")
    assert main(["evaluate", str(model), str(folder), "--all", "--html", str(page), "--force", *QUICK]) == 0
    table = capsys.readouterr().out
    html = page.read_text(encoding="utf-8")
    for figure in ("tokens, free-running", "exact after refinement", "KL, bits a window", "active units"):
        assert figure in table
        assert f"<td>{figure}</td>" in html
    assert html.count("data:image/png;base64,") == 6


def test_a_page_is_not_overwritten_unless_that_is_wanted(
    model: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    assert "there already" in complaint([str(model), str(folder), "--html", str(page)], capsys)
    assert page.read_text() == "mine"


def test_a_model_that_does_not_remember_its_training_is_noted(
    model: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(model), str(folder), "--json", *QUICK]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("note: this model does not say which windows it was trained on")
    assert json.loads(said.out)["evaluated_on"] == "the held-out split of this folder"


def test_new_tunes_are_evaluated_and_known_ones_are_not(
    model: Path, folder: Path, make_midi: MakeMidi, capsys: pytest.CaptureFixture[str]
) -> None:
    trained_on(model, folder)
    make_midi("midi/new.mid", quarters([60, 64, 67, 72, 71, 67, 65, 62, 60, 59, 57, 55]))
    assert main(["evaluate", str(model), str(folder), "--json", *QUICK]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["windows"], figures["new_windows"]) == (2, 2)
    assert figures["prior"]["copies"] == 0


def complaint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["evaluate", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    return said.err


def test_nothing_new_in_the_folder_is_one_line(model: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained_on(model, folder)
    assert "none of the 24 windows is new to this model" in complaint([str(model), str(folder)], capsys)


def test_a_folder_in_a_meter_that_the_model_cannot_do_is_one_line(
    model: Path, make_midi: MakeMidi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_midi("midi/odd.mid", quarters([60, 62, 64, 65] * 4), meters=[(0.0, Meter(5, 32))])
    said = complaint([str(model), str(tmp_path / "midi")], capsys)
    assert "no window of 2 bars" in said
    assert "5/32" in said


def test_a_model_of_another_representation_is_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = {"format": 1, "config": {"representation": "harp"}, "about": {}}
    write_tensors({"model.x": torch.zeros(1)}, header, tmp_path / "harp.safetensors")
    assert "unknown representation 'harp'" in complaint([str(tmp_path / "harp.safetensors"), str(folder)], capsys)


def test_a_model_or_a_folder_that_is_not_there_is_one_line(
    model: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "nobody" in complaint(["nobody", str(folder)], capsys)
    assert "does not exist" in complaint([str(model), str(folder / "nowhere")], capsys)
    assert "not a model" in complaint([str(folder / "0.mid"), str(folder)], capsys)
