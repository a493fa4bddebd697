"""A folder of results is complete or not there, and nobody's files are lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from musicvae_lite.cli.outputs import output_folder, prepare_output
from musicvae_lite.errors import MusicVAEError


def make(folder: Path, force: bool, *names: str, then: Exception | None = None) -> None:
    with output_folder(folder, force) as made:
        for name in names:
            (made / name).write_text("new")
        if then:
            raise then


def test_a_new_folder_appears_whole_with_the_folders_around_it(tmp_path: Path) -> None:
    make(tmp_path / "a" / "b", False, "01.mid", "02.mid")
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == ["01.mid", "02.mid"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    make(tmp_path, False, "01.mid")
    assert [path.name for path in tmp_path.iterdir()] == ["01.mid"]


def test_work_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        make(tmp_path / "out", False, "01.mid", then=ZeroDivisionError())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(MusicVAEError, match="not empty: choose another folder with --out"):
        make(tmp_path, False, "01.mid")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_force_replaces_files_of_the_same_name_and_keeps_all_others(tmp_path: Path) -> None:
    for name in ("mine.txt", "01.mid"):
        (tmp_path / name).write_text("old")
    make(tmp_path, True, "01.mid", "02.mid")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "mine.txt": "old",
        "01.mid": "new",
        "02.mid": "new",
    }


def test_work_that_fails_under_force_leaves_the_old_files(tmp_path: Path) -> None:
    (tmp_path / "01.mid").write_text("old")
    with pytest.raises(ZeroDivisionError):
        make(tmp_path, True, "01.mid", then=ZeroDivisionError())
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"01.mid": "old"}


def test_a_file_in_the_way_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(MusicVAEError, match="a file of that name"):
        prepare_output(tmp_path / "out", True)
    with pytest.raises(MusicVAEError, match="is not a folder"):
        prepare_output(tmp_path / "out" / "deeper", True)


def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(MusicVAEError, match=r"cannot be written .No space left on device"):
        make(tmp_path / "out", False, "01.mid", then=OSError(28, "No space left on device"))
    assert list(tmp_path.iterdir()) == []
