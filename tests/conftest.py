"""Settings and small makers that every test can use."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import settings

from musicvae_lite.music.midi import write
from musicvae_lite.music.notes import COMMON_TIME, Meter, MeterChange, Notes, Song, TempoChange, Track

if TYPE_CHECKING:
    from musicvae_lite.model.checkpoint import Checkpoint

# Read when torch is first imported, here and in every process that a test starts: models this small only lose time by
# sharing out their products, the more the busier the machine is.
os.environ.setdefault("OMP_NUM_THREADS", "1")

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


@pytest.fixture(scope="session")
def tunes() -> dict[str, Song]:
    """Two tunes in 4/4 with what gets lost easily, on violin at 90 and flute at 150 quarter notes a minute.

    `held` (4 bars): a note across the window boundary after bar 2, and one to the very end. `repeated` (5 bars): an
    upbeat, notes of one step repeated, and two bars of silence.
    """
    rows = [(60, 31, 0, 1), (62, 42, 1, 2), (64, 53, 2, 4), (65, 64, 4, 6), (67, 75, 6, 10), (65, 86, 10, 12)]
    held = Notes.of([*rows, (64, 97, 12, 16)])
    sixteenths = ((72, 110 - step, 4 + step / 4, 4.25 + step / 4) for step in range(8))
    repeated = Notes.of([(67, 120, 3, 4), *sixteenths, (74, 90, 16, 18), (72, 80, 19, 20)])
    return {
        name: Song((Track(notes, name, program),), (TempoChange(0.0, qpm),))
        for name, notes, program, qpm in (("held", held, 40, 90.0), ("repeated", repeated, 73, 150.0))
    }


@pytest.fixture(scope="session")
def learned(tunes: dict[str, Song]) -> Checkpoint:
    """A tiny model that knows the windows of `tunes`, alone and filled up with rests, by heart."""
    import torch
    from torch.nn import functional as F

    from musicvae_lite.corpus.clip import cut_clip, fill
    from musicvae_lite.inference.config import Config
    from musicvae_lite.model.checkpoint import Checkpoint
    from musicvae_lite.model.musicvae import MusicVAE
    from musicvae_lite.model.threads import one_thread
    from musicvae_lite.tokens import melody

    torch.manual_seed(0)
    model = MusicVAE(Config(latent=8, embedding=32, encoder_hidden=16, decoder_hidden=64, view_rank=8))
    clips = [cut_clip(song, melody, 4, 2) for song in tunes.values()]
    windows = torch.cat([torch.from_numpy(fill(clip, 6, False, melody).windows) for clip in clips])
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    with one_thread():
        for _ in range(300):
            logits = model.logits(model.encode(windows, COMMON_TIME).mu, windows, COMMON_TIME)
            loss = F.cross_entropy(logits.flatten(0, 2), windows.flatten())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            if loss < 0.01:
                break
    return Checkpoint(model.eval())


@pytest.fixture(scope="session")
def model_file(learned: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of `learned`."""
    from musicvae_lite.model.checkpoint import save

    path = tmp_path_factory.mktemp("model") / "learned.safetensors"
    save(learned, path)
    return path
