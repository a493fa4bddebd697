"""Drums go through every command: checked, trained on, morphed, measured; and where there are none, it is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from musicvae_lite.cli.main import main
from musicvae_lite.inference.config import Config
from musicvae_lite.model.checkpoint import load
from musicvae_lite.music.midi import read, write
from musicvae_lite.music.notes import COMMON_TIME, Meter, MeterChange, Note, Notes, Song, TempoChange, Track
from musicvae_lite.tokens import drums
from tests.cli.by_heart import learn_by_heart

ROCK = [[36, 42], [42], [38, 42], [42]] * 4  # what is struck at each eighth of two bars
JAZZ = [[51, 36], [], [51, 44], [59], [51], [53], [22, 38], [51, 55]] * 2
CANONICAL = {44: 42, 22: 42, 53: 51, 59: 51, 55: 49}


def beat(eighths: list[list[int]], qpm: float = 120.0, meter: Meter = COMMON_TIME, late: float = 0.0) -> Song:
    """Strokes of growing loudness, each `late` quarter notes late, beside a tune."""
    rows = [Note(p, 40 + 2 * i, i / 2 + late, i / 2 + late + 0.25) for i, each in enumerate(eighths) for p in each]
    tune = Track(Notes.of([Note(60, 80, 0.0, 8.0)]), "tune")
    tracks = (tune, Track(Notes.of(rows), "kit", is_drum=True))
    return Song(tracks, (TempoChange(0.0, qpm),), (MeterChange(0.0, meter),))


def strokes(song: Song) -> list[tuple[int, int, float]]:
    """(drum, velocity, start in quarter notes) of the drum tracks, sorted, each drum under its canonical number."""
    played = (note for track in song.tracks if track.is_drum for note in track.notes)
    return sorted((CANONICAL.get(n.pitch, n.pitch), n.velocity, n.start) for n in played)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a folder `beats` of four songs with drums and one without, and rock.mid and jazz.mid."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beats").mkdir()
    for number in range(4):
        write(beat(ROCK[number:] + JAZZ + ROCK[:number]), tmp_path / "beats" / f"{number}.mid")
    write(Song(beat(ROCK).tracks[:1]), tmp_path / "beats" / "tune.mid")
    write(beat(ROCK, 100.0), tmp_path / "rock.mid")
    write(beat(JAZZ, 180.0), tmp_path / "jazz.mid")
    return tmp_path / "beats"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny model that knows two bars of rock and of jazz by heart, and 4/4 only."""
    config = Config("drums", latent=8, embedding=16, encoder_hidden=16, decoder_hidden=48, view_rank=8)
    return learn_by_heart([beat(ROCK), beat(JAZZ)], config, tmp_path_factory.mktemp("drums") / "drums.safetensors")


def test_check_takes_the_drums_and_gives_a_reason_where_there_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "beats", "--representation", "drums", "--verbose"]) == 0
    said = capsys.readouterr().out
    assert "4 of 5" in said
    assert "drums 4" in said
    assert "not used  tune.mid: no drums\n" in said
    assert "used      0.mid: track 1 'kit': the drums, 46 strokes on kick, snare, closed hi-hat, crash, ride\n" in said


def test_check_says_how_far_a_performance_by_hand_is_moved(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in folder.glob("?.mid"):
        write(beat(ROCK, late=0.06), path)
    assert main(["check", "beats", "--representation", "drums"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "each is moved to the nearest step, by 0.24 of a step on average" in said
    assert "--steps-per-quarter" not in said


def test_check_says_that_the_split_is_an_official_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["midi_filename,split", "0.mid,train", "1.mid,test", "2.mid,validation", "3.mid,train"]
    (folder / "info.csv").write_text("\n".join(rows))
    assert main(["check", "beats", "--representation", "drums"]) == 0
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "held out, by the official split that is there" in said
    assert "validation in the official split: not trained on, nor held out 1" in said


def test_train_learns_drums_by_preset_or_by_option(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--preset", "tiny", "--representation", "drums", "--batch", "4", "--steps", "2"]
    assert main(["train", "beats", *words]) == 0
    assert "`musicvae check beats --representation drums` says why not more" in capsys.readouterr().out
    assert load(Path("runs/beats")).model.config.representation == "drums"
    (track,) = read("runs/beats/listen/original.mid").tracks
    assert track.is_drum
    assert main(["train", "beats", "--preset", "drums-2bar", "--steps", "2"]) == 2
    assert "runs/beats holds a run already" in capsys.readouterr().err
    assert main(["train", "beats", "--resume", "--representation", "melody", "--steps", "4"]) == 2
    assert "representation from drums to melody" in capsys.readouterr().err


def test_train_on_tunes_alone_says_that_there_are_no_drums(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in folder.glob("?.mid"):
        path.unlink()
    assert main(["train", "beats", "--preset", "drums-2bar"]) == 2
    assert capsys.readouterr().err.startswith("error: 0 windows to train on")


def test_both_ends_of_a_morph_are_the_two_beats_with_their_velocities_and_tempos(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["interpolate", "rock.mid", "jazz.mid", "--steps", "4", "--model", model, "--wav", "--out", "o"]) == 0
    said = capsys.readouterr().out
    assert "rock.mid: bars 1 to 2 in 4/4, track 1 'kit': the drums, 24 strokes on kick, snare, closed hi-hat\n" in said
    assert "rock.mid: exact" in said
    assert "jazz.mid: exact" in said
    for name, eighths, file in (("rock", ROCK, "01.mid"), ("jazz", JAZZ, "04.mid")):
        written = read(Path("o") / file)
        assert strokes(written) == strokes(beat(eighths)), name
        assert all(track.is_drum for track in written.tracks)
    assert [read(Path("o") / file).tempos[0].qpm for file in ("01.mid", "04.mid")] == pytest.approx(
        [100, 180], rel=1e-5
    )
    assert [track.is_drum for track in read("o/morph.mid").tracks] == [True]
    assert Path("o/morph.wav").stat().st_size > 100_000


def test_a_song_without_drums_is_no_beat(folder: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interpolate", "rock.mid", "beats/tune.mid", "--model", model]) == 2
    said = capsys.readouterr().err
    assert "beats/tune.mid: no drums: expected notes on channel 10" in said
    assert '0 "tune" (program 0, 1 notes)' in said


def test_a_waltz_beat_for_a_model_that_knows_common_time_only_is_told(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        write(beat(ROCK[:12], meter=Meter(3, 4)), f"{name}.mid")
    assert main(["interpolate", "one.mid", "two.mid", "--model", model, "--steps", "2", "--no-refine"]) == 0
    assert "one.mid: in 3/4, and this model has learned from 4/4 only: " in capsys.readouterr().out
    assert main(["interpolate", "rock.mid", "one.mid", "--model", model]) == 2
    assert "the first tune is in 4/4, the second in 3/4" in capsys.readouterr().err


def test_evaluate_counts_strokes_and_describes_beats(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    quick = ["--windows", "4", "--samples", "4", "--refine-steps", "1"]
    assert main(["evaluate", model, "beats", "--json", "--all", *quick]) == 0
    found = json.loads(capsys.readouterr().out)
    assert 0 < found["onset_f1"] <= 1
    assert "notes_an_onset" in found["prior_by_density"]["fitted density"]["descriptors"]
    assert main(["evaluate", model, "beats", "--all", *quick, "--html", "page.html"]) == 0
    assert Path("page.html").exists()


def test_sample_draws_beats(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "-n", "2", "--model", model, "--out", "new"]) == 0
    assert "2 tunes of 2 bars in 4/4" in capsys.readouterr().out
    played = {note.pitch for name in ("01", "02") for track in read(f"new/{name}.mid").tracks for note in track.notes}
    assert played <= set(drums.PITCHES.tolist())
