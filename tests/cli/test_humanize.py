"""`musicvae humanize`, and a groove model in the other commands: what is written, and what is said about bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from musicvae_lite import api
from musicvae_lite.cli.main import main
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.density import Density
from musicvae_lite.model.checkpoint import Checkpoint, load, save
from musicvae_lite.model.density import kept
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.midi import read, write
from musicvae_lite.music.notes import COMMON_TIME, Meter, MeterChange, Note, Notes, Song, TempoChange, Track
from musicvae_lite.training.recipe import PRESETS

SIZES: dict[str, Any] = {"latent": 4, "embedding": 8, "encoder_hidden": 8, "decoder_hidden": 8, "view_rank": 2}
LOUD_AND_LATE = 1 + 7 * 15 + 10  # 120, 3/15 of a step late
ROCK = [[36, 42], [42], [38, 42], [42]] * 8  # what is struck at each eighth of four bars


def beat(late: float = 0.0, meter: Meter = COMMON_TIME) -> Song:
    """Strokes at each eighth, each `late` quarter notes late, beside a tune."""
    rows = [Note(p, 80, i / 2 + late, i / 2 + late + 0.25) for i, each in enumerate(ROCK) for p in each]
    tune = Track(Notes.of([Note(60, 80, 0.0, 8.0)]), "tune")
    kit = Track(Notes.of(rows), "kit", is_drum=True)
    return Song((tune, kit), (TempoChange(0.0, 125.0),), (MeterChange(0.0, meter),))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(beat(), "rock.mid")
    return tmp_path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model that plays every stroke loud and late, and knows 4/4 only."""
    torch.manual_seed(0)
    tiny = MusicVAE(Config(representation="groove", **SIZES)).eval()
    with torch.no_grad():
        tiny.get_parameter("decoder.output.bias").view(9, -1)[:, LOUD_AND_LATE] = 100.0
    one = Density((COMMON_TIME,), np.zeros((1, 1)), np.zeros((1, 4)), np.eye(4)[None])
    path = tmp_path_factory.mktemp("model") / "groove.safetensors"
    save(Checkpoint(tiny, extra=kept(one)), path)
    return str(path)


def test_the_beat_is_played_and_everything_else_is_kept(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["humanize", "rock.mid", "--model", model]) == 0
    said = capsys.readouterr().out
    assert "rock.mid: 4 bars in 4/4, track 1 'kit': the drums, 48 strokes on kick, snare, closed hi-hat\n" in said
    assert (
        "rock-humanized.mid: 48 strokes, velocities 120 to 120, 24 ms late on average, at most 24 ms from the grid"
        in (said)
    )
    given, played = read("rock.mid"), read("rock-humanized.mid")
    assert played.tracks[0] == given.tracks[0]
    assert (played.tempos, played.meters) == (given.tempos, given.meters)
    after = [(n.pitch, n.velocity, n.start) for n in played.tracks[1].notes]
    assert after == [(n.pitch, 120, n.start + 0.05) for n in given.tracks[1].notes]


def test_a_picture_and_sound_lie_beside_it_and_nothing_is_replaced_unasked(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["humanize", "rock.mid", "--model", model, "--out", "o/take.mid", "--picture", "--wav"]
    Path("o").mkdir()
    assert main(command) == 0
    assert sorted(path.name for path in Path("o").iterdir()) == ["take.mid", "take.png", "take.wav"]
    assert "o/take.mid, o/take.png, o/take.wav: 48 strokes" in capsys.readouterr().out
    assert main(command) == 2
    assert "o/take.mid: there already: choose another name with --out, or replace it with --force" in (
        capsys.readouterr().err
    )
    assert main([*command, "--force"]) == 0
    assert main(["humanize", "rock.mid", "--model", model, "--out", "rock.mid", "--force"]) == 2
    assert read("rock.mid").tracks[1].notes.velocity.tolist() == [80] * 48


def test_a_beat_that_is_off_the_grid_already_and_one_in_an_unknown_meter_are_told(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(beat(0.04, Meter(3, 4)), "loose.mid")
    assert main(["humanize", "loose.mid", "--model", model]) == 0
    said = capsys.readouterr().out
    assert "loose.mid: in 3/4, and this model has learned from 4/4 only: where it puts accents may be wrong" in said
    assert (
        "loose.mid: 100% of the strokes lie between the steps of the grid already: how early or late they are" in said
    )
    assert "is replaced by what the model plays" in said
    assert main(["humanize", "loose.mid", "--model", model, "--meter", "4/4", "--force"]) == 0
    assert "in 3/4" not in capsys.readouterr().out


def test_bad_input_is_told_in_one_line(model: str, model_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(Song(beat().tracks[:1]), "tune.mid")
    Path("broken.mid").write_bytes(b"MThd nonsense")
    for beats, with_model, message in (
        ("tune.mid", model, "tune.mid: no drums: expected notes on channel 10"),
        ("broken.mid", model, "error: broken.mid: "),
        ("none.mid", model, "none.mid: no such file"),
        ("rock.mid", str(model_file), "a model of melody knows no velocities and no timing: expected one of grooves"),
        ("rock.mid", "no-model", "no-model: neither a bundled model"),
    ):
        assert main(["humanize", beats, "--model", with_model]) == 2
        said = capsys.readouterr().err
        assert message in said
        assert said.count("\n") == 1
    assert not list(Path().glob("*humanized*"))


def test_from_python_it_is_one_call(model: str) -> None:
    played = api.load(model).humanize("rock.mid")
    assert [note.velocity for note in played.instruments[1].notes] == [120] * 48
    drawn = api.load(model).humanize(beat(), temperature=1.0, seed=1)
    assert len(drawn.instruments[1].notes) == 48


def test_grooves_are_checked_trained_measured_sampled_and_morphed(capsys: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(0)
    Path("beats").mkdir()
    for number in range(6):
        strokes = [(36, int(random.integers(1, 128)), max(0.0, i / 2 + random.normal(0, 0.03))) for i in range(32)]
        notes = Notes.of(Note(pitch, velocity, start, start + 0.1) for pitch, velocity, start in strokes)
        write(Song((Track(notes, "kit", is_drum=True),)), Path("beats") / f"{number}.mid")
    assert main(["check", "beats", "--representation", "groove"]) == 0
    assert "moved" not in capsys.readouterr().out  # what lies between the steps is kept
    assert main(["train", "beats", "--preset", "groove-2bar", "--steps", "2", "--batch", "2", "--name", "g"]) == 0
    capsys.readouterr()
    found = load(Path("runs/g"))
    assert PRESETS["groove-2bar"].config.kinship
    assert not found.model.config.kinship
    quick = ["--windows", "4", "--samples", "2", "--refine-steps", "1", "--all"]
    assert main(["evaluate", "runs/g", "beats", "--json", *quick]) == 0
    groove = json.loads(capsys.readouterr().out)["groove"]
    assert 0 < groove["velocity_rms"] < 1
    assert 0 < groove["timing_mean_ms"] <= groove["timing_rms_ms"] < 100
    assert 0 <= groove["hits_f1"] <= 1
    assert set(groove["beside"]) == {"likeliest tokens", "temperature 1", "stiff", "mean of drum and place"}
    assert main(["evaluate", "runs/g", "beats", *quick]) == 0
    assert "humanized: timing, mean" in capsys.readouterr().out
    assert main(["sample", "-n", "2", "--model", "runs/g"]) == 0
    assert all(track.is_drum for track in read("samples/01.mid").tracks)
    assert main(["interpolate", "beats/0.mid", "beats/1.mid", "--model", "runs/g", "--steps", "3", "--no-refine"]) == 0
    assert "are moved to the nearest" not in capsys.readouterr().out
    assert all(track.is_drum for track in read("0-to-1/02.mid").tracks)
