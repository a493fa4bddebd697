"""`musicvae vary` writes variations, all of them in a row, a picture and sound, and says how far they go."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from musicvae_lite.cli.main import main
from musicvae_lite.music.midi import read

ROOT = Path(__file__).parents[2]
TUNE = str(ROOT / "data" / "examples" / "ode_to_joy.mid")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_writes_as_many_as_asked_for_the_row_and_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "varied"
    assert main(["vary", TUNE, "-n", "3", "--bars", "4", "--out", str(out)]) == 0
    assert names(out) == ["01.mid", "02.mid", "03.mid", "variations.mid", "variations.png"]
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("ode_to_joy.mid: bars 1 to 4 in 4/4, track 0")
    assert re.fullmatch(rf"{out}/: 3 variations, \d+-\d+ % of the tune changed, variations.mid .*", said[1])
    row = read(out / "variations.mid")
    assert 48 < row.end <= 64  # the tune and three more, of sixteen quarters each
    assert read(out / "01.mid").tempos[0].qpm == pytest.approx(row.tempos[0].qpm)


def test_sound_is_rendered_when_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "varied"
    assert main(["vary", TUNE, "-n", "1", "--bars", "2", "--amount", "0.8", "--wav", "--out", str(out)]) == 0
    assert names(out) == ["01.mid", "variations.mid", "variations.png", "variations.wav"]


def test_a_folder_that_holds_something_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["vary", TUNE, "--out", str(tmp_path)]) == 2
    assert "not empty" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vary", str(tmp_path / "no.mid"), "--out", str(tmp_path / "out")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "out").exists()
