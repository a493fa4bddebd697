"""Melodies over chords through the commands: over the songs' own chords or any others; what cannot be read is said."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import musicvae_lite
from musicvae_lite.cli.main import main
from musicvae_lite.inference.config import Config
from musicvae_lite.music.chords import CHORDS, chord, estimate, triad
from musicvae_lite.music.midi import read, write
from musicvae_lite.music.notes import Notes, Song, Track
from tests.cli.by_heart import learn_by_heart

UP, DOWN = (60, 62, 64, 65, 67, 69, 71, 72), (79, 77, 76, 74, 72, 71, 69, 67)


def song(scale: tuple[int, ...], *names: str) -> Song:
    """A scale in quarter notes, over and over, and under it a chord a bar."""
    tune = [(scale[i % 8], 80, float(i), i + 1.0) for i in range(4 * len(names))]
    under = [(p, 60, 4.0 * i, 4.0 * i + 4) for i, name in enumerate(names) for p in triad(chord(name))]
    return Song((Track(Notes.of(tune), "melody", 73), Track(Notes.of(under), "piano", 0)))


def harmony(path: str | Path) -> list[str]:
    """The chord of each of a written tune's first two bars."""
    (track,) = (track for track in read(path).tracks if "chords" in track.name)
    return [CHORDS[number] for number in estimate([track.notes], torch.tensor([0.0, 4.0, 8.0]).numpy())]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a folder `songs` and up.mid and down.mid."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "songs").mkdir()
    for number in range(4):
        write(song(UP[number:] + DOWN[:number], "C", "Am", "F", "G"), tmp_path / "songs" / f"{number}.mid")
    write(song(UP, "C", "Am"), tmp_path / "up.mid")
    write(song(DOWN, "Em", "G"), tmp_path / "down.mid")
    return tmp_path / "songs"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny model that knows two bars of two tunes by heart."""
    config = Config("melody-chords", latent=8, embedding=16, encoder_hidden=16, decoder_hidden=32, view_rank=8)
    songs = [song(UP, "C", "Am"), song(DOWN, "Em", "G")]
    return learn_by_heart(songs, config, tmp_path_factory.mktemp("chords") / "chords.safetensors")


def test_check_says_where_the_chords_come_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "songs", "--representation", "melody-chords", "--verbose"]) == 0
    assert "100 % monophonic, around F♯4; chords: as track 1 plays them\n" in capsys.readouterr().out


def test_train_learns_melodies_over_chords(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--preset", "tiny", "--representation", "melody-chords", "--batch", "4", "--steps", "2"]
    assert main(["train", "songs", *words]) == 0
    assert "4 of 4 files" in capsys.readouterr().out
    assert len(read("runs/songs/listen/reconstruction.mid").tracks) == 2


def test_a_morph_has_the_songs_own_chords_at_its_ends(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interpolate", "up.mid", "down.mid", "--steps", "4", "--model", model, "--out", "o"]) == 0
    assert "chords: as track 1 plays them" in capsys.readouterr().out
    assert [harmony(f"o/0{number}.mid") for number in (1, 4)] == [["C", "Am"], ["Em", "G"]]
    assert [note.pitch for note in read("o/01.mid").tracks[0].notes] == list(UP)


def test_a_morph_can_be_had_over_other_chords(model: str) -> None:
    words = ["interpolate", "up.mid", "down.mid", "--steps", "3", "--model", model, "--out", "o", "--no-refine"]
    assert main([*words, "--chords", "F | G7"]) == 0
    assert [harmony(f"o/0{number}.mid") for number in (1, 2, 3)] == [["F", "G"]] * 3


def test_samples_are_drawn_over_the_chords_that_are_asked_for(model: str) -> None:
    assert main(["sample", "-n", "2", "--model", model, "--chords", "C", "--out", "new"]) == 0
    assert [harmony(f"new/0{number}.mid") for number in (1, 2)] == [["C", "C"]] * 2


def test_a_program_decodes_over_chords_too(model: str) -> None:
    loaded = musicvae_lite.load(model)
    (tune,) = loaded.decode(loaded.encode("up.mid").mu[:1], chords="F G")
    tune.write("over.mid")
    assert harmony("over.mid") == ["F", "G"]


@pytest.mark.parametrize("command", [["sample"], ["interpolate", "up.mid", "down.mid"]], ids=["sample", "interpolate"])
def test_chords_that_cannot_be_read_are_said_with_what_can(
    command: list[str], model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--model", model, "--chords", "C H", "--out", "new"]) == 2
    assert "error: a chord 'H': expected a root C … B with # or b" in capsys.readouterr().err


def test_chords_for_a_model_that_knows_none_are_refused(model_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "--model", str(model_file), "--chords", "C", "--out", "new"]) == 2
    assert "a model of melody knows no chords" in capsys.readouterr().err


def test_evaluate_counts_the_melody_alone(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    quick = ["--windows", "4", "--samples", "4", "--refine-steps", "1"]
    assert main(["evaluate", model, "songs", "--json", "--all", *quick]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["by_voice"]) == ["melody"]
    assert found["by_voice"]["melody"]["free_t0"] == found["token_accuracy"]["free_t0"]
    assert found["by_voice"]["melody"]["onset_f1"] == found["onset_f1"]
