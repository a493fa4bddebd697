"""Trios go through every command: checked, trained on, morphed, measured; and what a song lacks is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from musicvae_lite.cli.main import main
from musicvae_lite.inference.config import Config
from musicvae_lite.model.checkpoint import load
from musicvae_lite.music.midi import read, write
from musicvae_lite.music.notes import COMMON_TIME, Meter, MeterChange, Notes, Song, TempoChange, Track
from tests.cli.by_heart import learn_by_heart

Row = tuple[int, int, float, float]  # pitch, velocity, start, end
UP, DOWN = (60, 62, 64, 65, 67, 69, 71, 72), (79, 77, 76, 74, 72, 71, 69, 67)


def band(scale: tuple[int, ...], root: int, qpm: float = 120.0, meter: Meter = COMMON_TIME, bars: int = 2) -> Song:
    """A scale in quarter notes on a flute, its root below in half notes, a kick and a snare; of growing loudness."""
    length = int(bars * meter.bar_quarters)
    tune = [(scale[i % 8], 40 + i, float(i), i + 1.0) for i in range(length)]
    low = [(root, 60 + i, float(i), min(i + 2.0, length)) for i in range(0, length, 2)]
    kit = [((36, 38)[i % 2], 80 + i, float(i), i + 0.25) for i in range(length)]
    tracks = (Track(Notes.of(tune), "flute", 73), Track(Notes.of(low), "low", 33))
    drums = Track(Notes.of(kit), "kit", is_drum=True)
    return Song((drums, *tracks), (TempoChange(0.0, qpm),), (MeterChange(0.0, meter),))


def rows(track: Track) -> list[Row]:
    return [(note.pitch, note.velocity, note.start, note.end) for note in track.notes]


def kit_rows(track: Track) -> list[tuple[int, int, float]]:
    return [(note.pitch, note.velocity, note.start) for note in track.notes]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a folder `songs` of four trios and one without a bass, and up.mid and down.mid."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "songs").mkdir()
    for number in range(4):
        write(band(UP[number:] + DOWN[:number], 36 + number, bars=6), tmp_path / "songs" / f"{number}.mid")
    drums, tune, _ = band(UP, 36).tracks
    write(band(UP, 36).with_tracks((drums, tune)), tmp_path / "songs" / "duo.mid")
    write(band(UP, 36, 100.0), tmp_path / "up.mid")
    write(band(DOWN, 43, 180.0), tmp_path / "down.mid")
    return tmp_path / "songs"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny model that knows two bars of two bands by heart, and 4/4 only: a decoder a voice, under a conductor."""
    config = Config(
        "trio",
        latent=8,
        embedding=16,
        encoder_hidden=16,
        decoder_hidden=32,
        view_rank=8,
        conductor_hidden=16,
        decoder_per_voice=True,
    )
    return learn_by_heart([band(UP, 36), band(DOWN, 43)], config, tmp_path_factory.mktemp("trio") / "trio.safetensors")


def test_check_takes_three_voices_and_gives_a_reason_where_one_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "songs", "--representation", "trio", "--verbose"]) == 0
    said = capsys.readouterr().out
    assert "4 of 5" in said
    assert "not used  duo.mid: no bass\n" in said
    assert "melody 1, drums 1 (files that have not all voices)" in said
    assert "track 1 'flute': the only melodic track, 100 % monophonic" in said
    assert "track 2 'low': bass by its program; track 0 'kit': the drums, 24 strokes on kick, snare\n" in said


def test_train_learns_trios_by_option(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--preset", "tiny", "--representation", "trio", "--batch", "4", "--steps", "2"]
    assert main(["train", "songs", *words]) == 0
    said = capsys.readouterr().out
    assert "4 of 5 files" in said
    assert "lent" not in said
    assert load(Path("runs/songs")).model.config.representation == "trio"
    assert [track.is_drum for track in read("runs/songs/listen/original.mid").tracks].count(True) == 1


def test_train_learns_from_voices_that_are_lent_where_they_are_mixed(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--preset", "trio-2bar", "--from", "nothing", "--batch", "4", "--steps", "1"]
    assert main(["train", "songs", *words]) == 0
    assert "voices lent by files that have not all: melody 1, drums 1\n" in capsys.readouterr().out


def test_both_ends_of_a_morph_are_the_two_songs_with_their_instruments_velocities_and_tempos(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["interpolate", "up.mid", "down.mid", "--steps", "4", "--model", model, "--wav", "--out", "o"]) == 0
    said = capsys.readouterr().out
    assert "up.mid: bars 1 to 2 in 4/4, track 1 'flute': the only melodic track" in said
    for song, file, qpm in ((band(UP, 36), "01.mid", 100.0), (band(DOWN, 43), "04.mid", 180.0)):
        written = read(Path("o") / file)
        flute, low, kit = written.tracks
        assert (rows(flute), rows(low)) == (rows(song.tracks[1]), rows(song.tracks[2])), file
        assert kit_rows(kit) == kit_rows(song.tracks[0])
        assert [(t.program, t.is_drum) for t in written.tracks] == [(73, False), (33, False), (0, True)]
        assert written.tempos[0].qpm == pytest.approx(qpm, rel=1e-5)
    assert [(t.program, t.is_drum) for t in read("o/morph.mid").tracks] == [(73, False), (33, False), (0, True)]
    assert Path("o/morph.wav").stat().st_size > 100_000


def test_a_song_without_a_bass_is_no_trio(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interpolate", "up.mid", "songs/duo.mid", "--model", model]) == 2
    said = capsys.readouterr().err
    assert "songs/duo.mid: no bass: expected a track with a program of 32 to 39, one named bass, or a low line" in said
    assert '1 "flute" (program 73, 8 notes)' in said


def test_a_waltz_for_a_model_that_knows_common_time_only_is_told(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, scale in (("one", UP), ("two", DOWN)):
        write(band(scale, 36, meter=Meter(3, 4)), f"{name}.mid")
    assert main(["interpolate", "one.mid", "two.mid", "--model", model, "--steps", "2", "--no-refine"]) == 0
    assert "one.mid: in 3/4, and this model has learned from 4/4 only: " in capsys.readouterr().out


def test_evaluate_measures_each_voice(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    quick = ["--windows", "4", "--samples", "4", "--refine-steps", "1"]
    assert main(["evaluate", model, "songs", "--json", "--all", *quick]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["by_voice"]) == ["melody", "bass", "drums"]
    names = {"teacher_forced", "free_t0", "free_t1", "constant", "shuffled_z", "onset_f1"}
    assert all(set(row) == names for row in found["by_voice"].values())
    mean = sum(row["free_t0"] for row in found["by_voice"].values()) / 3
    assert mean == pytest.approx(found["token_accuracy"]["free_t0"], abs=1e-3)
    assert "drums_notes_an_onset" in found["prior_by_density"]["fitted density"]["descriptors"]
    assert main(["evaluate", model, "songs", "--all", *quick, "--html", "page.html"]) == 0
    assert "bass: tokens, free-running" in capsys.readouterr().out
    assert Path("page.html").exists()


def test_sample_draws_three_voices(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "-n", "2", "--model", model, "--out", "new"]) == 0
    assert "2 tunes of 2 bars in 4/4" in capsys.readouterr().out
    for name in ("01", "02"):
        voices = [("melody", 0, False), ("bass", 33, False), ("drums", 0, True)]
        found = [(t.name.split(", ")[-1], t.program, t.is_drum) for t in read(f"new/{name}.mid").tracks]
        assert set(found) <= set(voices)
