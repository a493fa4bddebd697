"""A model is found by its name or by its path; otherwise the names that there are get listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.pretrained import registry


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of bundled models, with two of them."""
    for name in ("melody-4bar.safetensors", "melody-2bar.safetensors", "melody-2bar.md"):
        (tmp_path / name).touch()
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    return tmp_path


def test_bundled_models_are_listed_by_name_and_found_by_it(folder: Path) -> None:
    assert registry.names() == ("melody-2bar", "melody-4bar")
    assert registry.resolve("melody-4bar") == folder / "melody-4bar.safetensors"


def test_the_default_is_found_by_name_even_beside_a_folder_of_that_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / registry.DEFAULT).mkdir()
    monkeypatch.chdir(folder)
    assert registry.resolve(registry.DEFAULT) == folder / f"{registry.DEFAULT}.safetensors"


def test_a_path_of_a_file_or_of_a_run_folder_is_taken_as_it_is(folder: Path) -> None:
    for path in (folder, folder / "melody-2bar.md"):
        assert registry.resolve(path) == registry.resolve(str(path)) == path


def test_an_unknown_name_is_an_error_that_lists_the_names(folder: Path) -> None:
    with pytest.raises(MusicVAEError, match=r"melody-3bar: neither a bundled model \(melody-2bar, melody-4bar\) nor a"):
        registry.resolve("melody-3bar")
