"""A corpus comes back from disk as it was, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from musicvae_lite.corpus import store
from musicvae_lite.corpus.report import report
from musicvae_lite.corpus.scan import Settings
from musicvae_lite.corpus.store import Corpus, load, place, save
from musicvae_lite.corpus.windows import Windows
from musicvae_lite.music.notes import Meter


def corpus(windows: int = 5) -> Corpus:
    tokens = np.random.default_rng(0).integers(0, 130, (windows, 32, 1))
    large = Windows(Meter(4, 4), tokens.astype(np.uint8), np.arange(windows), np.arange(windows))
    wide = Windows(Meter(6, 8), tokens.astype(np.uint16) + 300, np.arange(windows), np.arange(windows))
    found = report({}, {"b.mid": "no notes"}, (large, wide), (wide,), {})
    return Corpus((large, wide), (wide,), ("a.mid", "ü/c.mid"), ((0,), (3, 4)), found, Settings(bars=4, track="tune"))


def test_a_corpus_comes_back_as_it_was(tmp_path: Path) -> None:
    saved = corpus()
    save(saved, tmp_path / "corpus" / "key")
    loaded = load(tmp_path / "corpus" / "key")
    assert loaded is not None
    for side in ("train", "heldout"):
        for group, again in zip(getattr(saved, side), getattr(loaded, side), strict=True):
            assert again.meter == group.meter
            for column in ("tokens", "piece", "start_bar"):
                np.testing.assert_array_equal(getattr(again, column), getattr(group, column), strict=True)
    assert (loaded.pieces, loaded.tracks, loaded.settings) == (saved.pieces, saved.tracks, saved.settings)
    assert loaded.report.unused == saved.report.unused


def test_nothing_there_is_none(tmp_path: Path) -> None:
    assert load(tmp_path / "nothing") is None


@pytest.mark.parametrize("file", ["corpus.json", "train-4-4.safetensors"])
def test_what_is_damaged_is_none(tmp_path: Path, file: str) -> None:
    save(corpus(), tmp_path / "corpus" / "key")
    path = tmp_path / "corpus" / "key" / file
    path.write_bytes(path.read_bytes()[:40])
    assert load(tmp_path / "corpus" / "key") is None
    path.unlink()
    assert load(tmp_path / "corpus" / "key") is None


def test_the_newer_takes_the_place_of_the_older_and_leaves_nothing_else(tmp_path: Path) -> None:
    save(corpus(), tmp_path / "corpus" / "one")
    save(corpus(), tmp_path / "corpus" / "two")
    save(corpus(), tmp_path / "corpus" / "two")
    assert [path.name for path in (tmp_path / "corpus").iterdir()] == ["two"]
    assert load(tmp_path / "corpus" / "two") is not None


def test_the_json_names_where_each_window_comes_from(tmp_path: Path) -> None:
    save(corpus(), tmp_path / "corpus" / "key")
    index = json.loads((tmp_path / "corpus" / "key" / "corpus.json").read_text(encoding="utf-8"))
    assert (index["pieces"], index["tracks"]) == (["a.mid", "ü/c.mid"], [[0], [3, 4]])
    assert [(row["file"], row["meter"], row["windows"]) for row in index["train"]] == [
        ("train-4-4.safetensors", [4, 4], 5),
        ("train-6-8.safetensors", [6, 8], 5),
    ]


def test_the_place_hangs_on_files_settings_and_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.mid").write_bytes(b"one")
    folders = [place(tmp_path, tmp_path, ["a.mid"], Settings())]
    assert place(tmp_path, tmp_path, ["a.mid"], Settings()) == folders[0]
    folders.append(place(tmp_path, tmp_path, ["a.mid"], Settings(bars=16)))
    (tmp_path / "a.mid").write_bytes(b"longer")
    folders.append(place(tmp_path, tmp_path, ["a.mid"], Settings()))
    folders.append(place(tmp_path, tmp_path, ["a.mid", "gone.mid"], Settings()))
    monkeypatch.setattr(store, "_code", lambda: "other")
    folders.append(place(tmp_path, tmp_path, ["a.mid"], Settings()))
    assert len(set(folders)) == len(folders)


def test_the_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSICVAE_CACHE", str(tmp_path / "own"))
    assert store.default_cache() == tmp_path / "own"
    monkeypatch.delenv("MUSICVAE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert store.default_cache() == tmp_path / "musicvae-lite"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store.default_cache() == tmp_path / ".cache" / "musicvae-lite"
