"""Settings and small makers that every test can use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import settings

from musicvae_lite.music.midi import write
from musicvae_lite.music.notes import COMMON_TIME, Meter, MeterChange, Notes, Song, Track

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

Row = tuple[int, float, float]  # pitch, start, end in quarter notes


class MakeSong(Protocol):
    """`make_song(rows, meters, program)`: one track from rows of (pitch, start, end)."""

    def __call__(
        self, rows: Iterable[Row], meters: Sequence[tuple[float, Meter]] = ..., program: int = ...
    ) -> Song: ...


class MakeMidi(Protocol):
    """`make_midi(name, rows, meters, program)`: the same as a file below `tmp_path`, folders made as needed."""

    def __call__(
        self, name: str, rows: Iterable[Row], meters: Sequence[tuple[float, Meter]] = ..., program: int = ...
    ) -> Path: ...


def _song(rows: Iterable[Row], meters: Sequence[tuple[float, Meter]] = ((0.0, COMMON_TIME),), program: int = 0) -> Song:
    notes = Notes.of((pitch, 80, start, end) for pitch, start, end in rows)
    changes = tuple(MeterChange(start, meter) for start, meter in meters)
    return Song((Track(notes, "tune", program),), meters=changes)


@pytest.fixture
def make_song() -> MakeSong:
    return _song


@pytest.fixture
def make_midi(tmp_path: Path) -> MakeMidi:
    def make(
        name: str, rows: Iterable[Row], meters: Sequence[tuple[float, Meter]] = ((0.0, COMMON_TIME),), program: int = 0
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write(_song(rows, meters, program), path)
        return path

    return make


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSICVAE_CACHE", str(tmp_path_factory.mktemp("cache")))
