"""`musicvae check` counts what would be used and names every reason why something would not be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from musicvae_lite.cli.main import main
from musicvae_lite.music.notes import Meter
from tests.conftest import MakeMidi, Row

UP = [60, 62, 64, 65, 67, 69, 71, 72]
DOWN = [72, 71, 67, 64, 60, 59, 57, 48]


def quarters(pitches: list[int], late: float = 0.0) -> list[Row]:
    return [(pitch, i + late, i + 1 + late) for i, pitch in enumerate(pitches)]


@pytest.fixture
def folder(make_midi: MakeMidi, tmp_path: Path) -> Path:
    """Two tunes of two bars, one of them a waltz in a folder of its own; a file of 0 bytes and one that is not MIDI."""
    make_midi("midi/up.mid", quarters(UP))
    make_midi("midi/waltzes/down.mid", quarters(DOWN[:6]), meters=[(0.0, Meter(3, 4))], program=73)
    (tmp_path / "midi/empty.mid").touch()
    (tmp_path / "midi/[letter].mid").write_text("Dear all, this is a letter and no music.")
    (tmp_path / "midi/readme.txt").write_text("not looked at")
    return tmp_path / "midi"


def test_the_json_object_is_all_that_is_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder), "--json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert said.err == ""
    assert list(found) == ["files", "used", "windows", "meters", "off_grid", "reasons", "unused"]
    assert (found["files"], found["used"], found["windows"]) == (4, 2, 2)
    assert found["meters"] == {"3/4": 1, "4/4": 1}
    assert found["off_grid"] == 0.0
    assert sorted(found["unused"]) == ["[letter].mid", "empty.mid"]
    assert sum(found["reasons"].values()) == 2


def test_the_tables_show_counts_and_reasons_but_no_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "2 of 4" in said
    assert "pipe 1" in said
    assert "empty file" in said
    assert "empty.mid" not in said


def test_verbose_names_every_file_and_the_track_taken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder), "--verbose"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("not used  [letter].mid: ")]
    assert [line for line in lines if line.startswith("not used  empty.mid: ")]
    assert [line for line in lines if line.startswith("used      waltzes/down.mid: ") and "tune" in line]


def test_a_single_file_is_checked_like_a_folder_of_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder / "up.mid"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["files"], found["used"], found["meters"]) == (1, 1, {"4/4": 1})


def test_a_broken_file_alone_is_a_reason_and_no_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder / "empty.mid")]) == 0
    said = capsys.readouterr().out
    assert "not used  empty.mid: empty file" in said
    assert "Nothing here can be trained on." in said


def test_music_between_the_steps_is_reported_with_what_to_do(
    make_midi: MakeMidi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_midi("midi/triplets.mid", quarters(UP, late=1 / 3))
    assert main(["check", str(tmp_path / "midi")]) == 0
    assert "try --steps-per-quarter 12" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "midi"), "--steps-per-quarter", "12"]) == 0
    assert "try --steps-per-quarter" not in capsys.readouterr().out


def test_a_longer_window_than_the_tune_is_a_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder), "--bars", "4", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["used"] == 0
    assert found["off_grid"] is None
    assert len(found["unused"]) == found["files"] == 4


def test_a_track_can_be_asked_for_by_number_or_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for track, used in (("tune", 1), ("7", 0)):
        assert main(["check", str(folder / "up.mid"), "--track", track, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["used"] == used


def test_a_missing_folder_is_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "nowhere")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"error: {tmp_path / 'nowhere'} does not exist")
    assert said.err.count("\n") == 1
