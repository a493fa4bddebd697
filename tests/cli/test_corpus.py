"""`musicvae corpus folk` writes one MIDI file a tune and names those that it could not write."""

from __future__ import annotations

from pathlib import Path

import pytest

from musicvae_lite.cli.main import main
from musicvae_lite.corpus import folk
from musicvae_lite.music.midi import read

JIG = "X:1\nT:A jig\nM:6/8\nL:1/8\nK:D\n|:A2d fed|cBA B2c|d3 A3:|\n"
NO_KEY = "X:2\nT:No key\nM:4/4\n"


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the music21 wheel would hold: one tune in each collection, and one more that is none."""
    source = tmp_path / "books"
    for collection in (*folk.COLLECTIONS, folk.ESSEN):
        (source / collection).mkdir(parents=True)
        (source / collection / "book.abc").write_text(JIG)
    (source / folk.COLLECTIONS[0] / "more.abc").write_text(NO_KEY)
    monkeypatch.setattr(folk, "installed_books", lambda: source)
    return source


@pytest.mark.usefixtures("books")
def test_every_tune_is_written_or_named_with_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpus", "folk", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    written = sorted((tmp_path / "out").rglob("*.mid"))
    assert [path.parent.name for path in written] == sorted(folk.COLLECTIONS)
    assert len(read(written[0]).tracks[0].notes) == 12
    assert f"{folk.COLLECTIONS[0]:16}      1 tunes, 1 not written" in said
    assert f"not written  {folk.COLLECTIONS[0]}/" in said


@pytest.mark.usefixtures("books")
def test_essen_comes_only_when_asked_for(tmp_path: Path) -> None:
    assert main(["corpus", "folk", str(tmp_path / "out"), "--essen"]) == 0
    assert len(list((tmp_path / "out" / folk.ESSEN).glob("*.mid"))) == 1


@pytest.mark.usefixtures("books")
def test_files_are_replaced_only_with_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["corpus", "folk", str(out)]) == 0
    assert main(["corpus", "folk", str(out)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["corpus", "folk", str(out), "--force"]) == 0


@pytest.mark.usefixtures("books")
def test_a_place_that_cannot_be_written_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("a file stands in the way")
    assert main(["corpus", "folk", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
