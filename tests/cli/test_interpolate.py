"""`musicvae interpolate`: a folder with everything that was promised, or one line that says why not and no folder."""

from __future__ import annotations

import os
import re
import wave
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import mido
import pytest
import torch

from musicvae_lite.cli.main import main
from musicvae_lite.model.checkpoint import Checkpoint, save
from musicvae_lite.music.midi import read, write
from musicvae_lite.music.notes import COMMON_TIME, Meter, MeterChange, Note, Notes, Song, Track
from musicvae_lite.music.tempo import seconds_at
from musicvae_lite.rendering import pianoroll
from musicvae_lite.rendering.audio import TAIL_SECONDS

if TYPE_CHECKING:
    from tests.conftest import MakeMidi

Interpolate: TypeAlias = Callable[..., int]


@pytest.fixture(autouse=True)
def place(tunes: dict[str, Song], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the tunes as held.mid and repeated.mid."""
    monkeypatch.chdir(tmp_path)
    for name, song in tunes.items():
        write(song, tmp_path / f"{name}.mid")
    return tmp_path


@pytest.fixture
def interpolate(model_file: Path) -> Interpolate:
    """The exit code of the command with the tiny model."""
    return lambda *words: main(["interpolate", *map(str, words), "--model", str(model_file)])


@pytest.fixture
def dazed_file(learned: Checkpoint, tmp_path: Path) -> Path:
    """A model whose encoder misses by a little."""
    model = deepcopy(learned.model)
    with torch.no_grad():
        model.get_parameter("encoder.average.bias")[: model.config.latent] += 4.0
    path = tmp_path / "models" / "dazed.safetensors"
    save(Checkpoint(model), path)
    return path


def notes(path: Path) -> list[Note]:
    return sorted(note for track in read(path).tracks for note in track.notes)


def markers(path: Path) -> list[tuple[float, str]]:
    """(quarter notes, text) of a file's markers."""
    midi, now, found = mido.MidiFile(path), 0, []
    for event in midi.tracks[0]:
        now += event.time
        if event.type == "marker":
            found.append((now / midi.ticks_per_beat, event.text))
    return found


def test_a_morph_is_a_folder_of_tunes_one_joined_file_and_a_picture(
    interpolate: Interpolate, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interpolate("held.mid", "repeated.mid", "--steps", 3) == 0
    folder = place / "held-to-repeated"
    assert sorted(path.name for path in folder.iterdir()) == ["01.mid", "02.mid", "03.mid", "morph.mid", "morph.png"]
    assert (folder / "morph.png").read_bytes().startswith(b"\x89PNG")
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "held.mid: bars 1 to 4 in 4/4, track 0 'held': the only melodic track, 100 % monophonic, around E4",
        "repeated.mid: bars 1 to 5 in 4/4, track 0 'repeated': the only melodic track, 100 % monophonic, around C5",
        "held.mid: exact",
        "held.mid: 1 bar shorter, rests follow",
        "repeated.mid: exact",
        "held-to-repeated/: 3 tunes, morph.mid (all of them in a row), morph.png",
    ]


def test_the_first_and_the_last_file_are_the_two_tunes(interpolate: Interpolate, tunes: dict[str, Song]) -> None:
    assert interpolate("held.mid", "repeated.mid", "--steps", 4, "--out", "o") == 0
    for name, file in (("held", "01.mid"), ("repeated", "04.mid")):
        written, given = read(Path("o") / file), read(Path(f"{name}.mid"))
        assert written.tracks[0].notes == tunes[name].tracks[0].notes
        assert written.tracks[0].program == tunes[name].tracks[0].program
        assert written.tempos[0].qpm == pytest.approx(given.tempos[0].qpm, rel=1e-5)


def test_the_joined_file_has_all_steps_a_marker_for_each_and_their_tempos(interpolate: Interpolate) -> None:
    assert interpolate("held.mid", "repeated.mid", "--steps", 3, "--out", "o") == 0
    steps = [Path("o") / f"0{number}.mid" for number in (1, 2, 3)]
    shifted = [
        n._replace(start=n.start + 20 * index, end=n.end + 20 * index)
        for index, step in enumerate(steps)
        for n in notes(step)
    ]
    joined = Path("o") / "morph.mid"
    assert notes(joined) == sorted(shifted)
    assert markers(joined) == [(0.0, "1 of 3"), (20.0, "2 of 3"), (40.0, "3 of 3")]
    tempos = read(joined).tempos
    assert [change.start for change in tempos] == [0.0, 20.0, 40.0]
    assert [change.qpm for change in tempos] == pytest.approx([read(step).tempos[0].qpm for step in steps])
    assert [change.qpm for change in tempos] == pytest.approx([90, 120, 150], rel=1e-5)


def test_with_wav_there_is_sound_as_long_as_the_joined_file(interpolate: Interpolate) -> None:
    assert interpolate("held.mid", "repeated.mid", "--steps", 2, "--wav", "--bars", 2, "--out", "o") == 0
    song = read(Path("o") / "morph.mid")
    with wave.open("o/morph.wav") as sound:
        seconds = sound.getnframes() / sound.getframerate()
    assert 0 <= seconds - float(seconds_at(song.end, song.tempos)) <= TAIL_SECONDS


def test_the_same_command_writes_the_same_files(interpolate: Interpolate) -> None:
    for out in ("one", "two"):
        words = ("--temperature", 1, "--seed", 7, "--steps", 2, "--path", "slerp", "--spacing", "uniform")
        assert interpolate("held.mid", "repeated.mid", *words, "--out", out) == 0
    for path in Path("one").iterdir():
        assert path.read_bytes() == (Path("two") / path.name).read_bytes()


def test_refined_ends_are_reported_and_unrefined_ones_too(dazed_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["interpolate", "held.mid", "repeated.mid", "--steps", "2", "--model", str(dazed_file)]
    assert main([*words, "--out", "refined"]) == 0
    assert re.search(r"\nheld\.mid: \d+ tokens? differed, exact after \d+ steps?\n", capsys.readouterr().out)
    assert notes(Path("refined/01.mid")) == notes(Path("held.mid"))
    assert main([*words, "--no-refine", "--out", "raw"]) == 0
    assert re.search(r"\nheld\.mid: (1 token differs|\d+ tokens differ) \(--no-refine\)\n", capsys.readouterr().out)
    assert notes(Path("raw/01.mid")) != notes(Path("held.mid"))


def test_at_a_temperature_the_ends_are_not_called_exact(
    interpolate: Interpolate, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interpolate("held.mid", "repeated.mid", "--steps", 2, "--temperature", 50) == 0
    assert re.search(r"held\.mid: \d+ tokens differ at temperature 50\n", capsys.readouterr().out)


def test_a_part_a_loop_and_a_leading_silence_are_told(
    interpolate: Interpolate, make_midi: MakeMidi, capsys: pytest.CaptureFixture[str]
) -> None:
    make_midi("late.mid", [(60, 9, 10), (62, 12, 13)])
    assert interpolate("late.mid", "held.mid", "--steps", 2, "--loop", "--no-refine") == 0
    said = capsys.readouterr().out
    assert "late.mid: bars 3 to 4 in 4/4" in said
    assert "late.mid: 2 bars shorter, repeated" in said
    assert interpolate("held.mid", "repeated.mid", "--steps", 2, "--start-bar", 2, "--bars", 3, "--no-refine") == 0
    assert "held.mid: bars 2 to 4 in 4/4" in capsys.readouterr().out
    assert read(Path("held-to-repeated/01.mid")).end <= 12


def test_a_file_off_the_grid_is_told(
    interpolate: Interpolate, make_midi: MakeMidi, capsys: pytest.CaptureFixture[str]
) -> None:
    make_midi("loose.mid", [(60, beat + 0.1, beat + 1) for beat in range(4)])
    assert interpolate("loose.mid", "loose.mid", "--steps", 2, "--no-refine") == 0
    assert "loose.mid: 100% of the onsets lie between the grid's 4 steps a quarter" in capsys.readouterr().out


@pytest.mark.parametrize("track", ["0", "flute"])
def test_the_track_can_be_chosen(interpolate: Interpolate, capsys: pytest.CaptureFixture[str], track: str) -> None:
    parts = [Track(Notes.of([Note(p, 80, 0, 4)]), n) for p, n in ((40, "flute"), (72, "melody"))]
    write(Song(tuple(parts)), "both.mid")
    assert interpolate("both.mid", "both.mid", "--steps", 2, "--track", track, "--no-refine") == 0
    assert "both.mid: bars 1 to 1 in 4/4, track 0 'flute': asked for" in capsys.readouterr().out


def test_two_meters_are_refused_and_read_in_one_when_asked_to(
    interpolate: Interpolate, make_midi: MakeMidi, capsys: pytest.CaptureFixture[str]
) -> None:
    make_midi("waltz.mid", [(60, 0, 3), (62, 3, 6)], [(0.0, Meter(3, 4))])
    assert interpolate("held.mid", "waltz.mid") == 2
    said = capsys.readouterr().err
    assert said == (
        "error: the first tune is in 4/4, the second in 3/4: choose two in the same meter, or read both in one with "
        "--meter 4/4\n"
    )
    assert interpolate("held.mid", "waltz.mid", "--meter", "4/4", "--steps", 2, "--no-refine") == 0
    assert "waltz.mid: bars 1 to 2 in 4/4" in capsys.readouterr().out
    assert interpolate("held.mid", "waltz.mid", "--meter", "3/5") == 2
    assert "'3/5' is not a meter: expected one like 4/4, 3/4 or 6/8" in capsys.readouterr().err


def unusable(name: str, place: Path, make_midi: MakeMidi) -> Path:
    """A file of that name that cannot be morphed."""
    path = place / name
    two_meters = [(0.0, COMMON_TIME), (8.0, Meter(3, 4))]
    makers: dict[str, Callable[[], object]] = {
        "nothing.mid": path.touch,
        "text.mid": lambda: path.write_text("a poem"),
        "half.mid": lambda: path.write_bytes((place / "held.mid").read_bytes()[:60]),
        "folder.mid": path.mkdir,
        "missing.mid": lambda: None,
        "drums.mid": lambda: write(Song((Track(Notes.of([Note(36, 80, 0, 1)]), is_drum=True),)), path),
        "rests.mid": lambda: write(Song(()), path),
        "changing.mid": lambda: make_midi(name, [(60, 0, 4), (62, 4, 8), (64, 8, 11)], two_meters),
        "short.mid": lambda: make_midi(name, [(60, 0, 4)]),
        "odd.mid": lambda: make_midi(name, [(60, 0, 4)], [(0.0, Meter(5, 32))]),
    }
    makers[name]()
    return path


@pytest.mark.parametrize(
    ("name", "words", "reason"),
    [
        ("nothing.mid", (), "empty file (0 bytes)"),
        ("text.mid", (), "not a MIDI file"),
        ("half.mid", (), "no notes|damaged or truncated MIDI file"),
        ("folder.mid", (), "a folder, expected a MIDI file"),
        ("missing.mid", (), "no such file"),
        ("drums.mid", (), "only drums: expected a track with notes that is not a drum track"),
        ("rests.mid", (), "no notes"),
        ("changing.mid", (), "the meter changes at bar 3 (4/4 to 3/4): choose a part before or after it"),
        ("short.mid", ("--start-bar", 2), "bar 2 is asked for, but the song has bars 1 to 1"),
        ("short.mid", ("--track", "oboe"), 'no melodic track "oboe"'),
        ("odd.mid", (), "a bar of 5/32 is not a whole number of steps"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_with_its_name_and_nothing_is_written(
    interpolate: Interpolate,
    place: Path,
    make_midi: MakeMidi,
    capsys: pytest.CaptureFixture[str],
    name: str,
    words: tuple[object, ...],
    reason: str,
) -> None:
    path = unusable(name, place, make_midi)
    before = sorted(place.rglob("*"))
    for a, b in ((path, "short.mid"), (path, path)):
        assert interpolate(a, b, *words, "--out", "o") == 2
        said = capsys.readouterr().err
        assert said.startswith(f"error: {path}: ")
        assert any(each in said for each in reason.split("|"))
        assert said.count("\n") == 1
    assert sorted(place.rglob("*")) == before


def test_a_model_that_is_none_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interpolate", "held.mid", "repeated.mid", "--model", "melody-99bar"]) == 2
    assert capsys.readouterr().err.startswith("error: melody-99bar: neither a bundled model (")
    assert main(["interpolate", "held.mid", "repeated.mid", "--model", "held.mid"]) == 2
    assert capsys.readouterr().err.startswith("error: held.mid: not a model of musicvae-lite")


@pytest.mark.parametrize("words", [("--steps", 1), ("--steps", 1000), ("--bars", 0), ("--temperature", "nan")], ids=str)
def test_a_number_that_means_nothing_is_one_line(
    interpolate: Interpolate, capsys: pytest.CaptureFixture[str], words: tuple[object, ...]
) -> None:
    assert interpolate("held.mid", "repeated.mid", *words, "--out", "o") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not Path("o").exists()


def test_a_folder_with_files_is_left_alone_unless_forced(
    interpolate: Interpolate, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("o").mkdir()
    Path("o/01.mid").write_text("mine")
    Path("o/notes.txt").write_text("mine too")
    words = ("held.mid", "repeated.mid", "--steps", 2, "--out", "o")
    assert interpolate(*words) == 2
    assert "error: o: not empty: choose another folder with --out, or replace its files with --force\n" in (
        capsys.readouterr().err
    )
    assert Path("o/01.mid").read_text() == "mine"
    assert interpolate(*words, "--force") == 0
    assert notes(Path("o/01.mid")) == notes(Path("held.mid"))
    assert Path("o/notes.txt").read_text() == "mine too"
    assert sorted(os.listdir("o")) == ["01.mid", "02.mid", "morph.mid", "morph.png", "notes.txt"]


def test_an_empty_folder_and_one_inside_folders_that_are_not_there_can_be_written(interpolate: Interpolate) -> None:
    Path("empty").mkdir()
    for out in ("empty", "deep/er/o"):
        assert interpolate("held.mid", "repeated.mid", "--steps", 2, "--out", out) == 0
        assert sorted(os.listdir(out)) == ["01.mid", "02.mid", "morph.mid", "morph.png"]


@pytest.mark.parametrize("out", ["held.mid", "held.mid/o", "held.mid/deep/er"])
def test_a_folder_that_cannot_be_is_refused_before_the_work_starts(
    interpolate: Interpolate, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    assert interpolate("held.mid", "repeated.mid", "--out", out) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"error: {out}: ")
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_folder_that_may_not_be_written_to_is_refused_before_the_work_starts(
    interpolate: Interpolate, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda _, mode: mode == os.R_OK)  # root may write anywhere
    assert interpolate("held.mid", "repeated.mid", "--out", "o") == 2
    expected = f"error: o: cannot be written ({place} may not be written to): choose another folder with --out\n"
    assert capsys.readouterr().err == expected


def test_what_fails_half_way_leaves_nothing_behind(
    interpolate: Interpolate, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pianoroll, "draw", fail)
    before = sorted(place.rglob("*"))
    assert interpolate("held.mid", "repeated.mid", "--steps", 2, "--out", "deep/o") == 2
    expected = "error: deep/o: cannot be written (No space left on device): choose another folder with --out\n"
    assert capsys.readouterr().err == expected
    assert sorted(place.rglob("*")) == before


def test_the_meter_of_the_files_is_the_meter_of_the_morph(interpolate: Interpolate, tunes: dict[str, Song]) -> None:
    jig = (MeterChange(0.0, Meter(6, 8)),)
    write(replace(tunes["held"], meters=jig), "jig.mid")
    assert interpolate("jig.mid", "jig.mid", "--steps", 2, "--no-refine", "--out", "o") == 0
    assert read(Path("o/02.mid")).meters == read(Path("o/morph.mid")).meters == jig
