"""The POP909 script puts beats on quarter notes and downbeats on bar lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.midi import read, write
from musicvae_lite.music.notes import Note, Notes, Song, TempoChange, Track
from scripts.quantise_pop909 import convert, on_the_grid

PERIOD = 0.6666  # seconds a beat, while the file says 120 quarter notes a minute


def beats(count: int) -> NDArray[np.float64]:
    return np.asarray(0.05 + PERIOD * np.arange(count), np.float64)


def song_at(times: list[tuple[float, float]]) -> Song:
    """Notes at these (start, end) beats, written as such a file has them: in seconds at 120 quarter notes a minute."""
    seconds = [(0.05 + PERIOD * start, 0.05 + PERIOD * end) for start, end in times]
    notes = Notes.of(Note(60, 80, 2 * start, 2 * end) for start, end in seconds)
    return Song((Track(notes, "MELODY"),), (TempoChange(0.0, 120.0),))


def test_beats_become_quarter_notes() -> None:
    made = on_the_grid(song_at([(0, 1), (1.5, 2.02), (4.98, 6)]), beats(16), np.arange(16) % 4 == 0)
    assert [(n.start, n.end) for n in made.tracks[0].notes] == [(0.0, 1.0), (1.5, 2.0), (5.0, 6.0)]


def test_a_first_downbeat_after_an_upbeat_is_at_a_bar_line() -> None:
    made = on_the_grid(song_at([(0, 1), (1, 2)]), beats(17), np.arange(17) % 4 == 1)
    assert [n.start for n in made.tracks[0].notes] == [3.0, 4.0]


def test_bars_of_six_beats_are_refused() -> None:
    with pytest.raises(MusicVAEError, match="four beats"):
        on_the_grid(song_at([(0, 1)]), beats(18), np.arange(18) % 6 == 0)


def test_a_folder_is_converted_and_what_is_left_out_is_named(tmp_path: Path) -> None:
    for name, every in (("001", 4), ("002", 6)):
        (tmp_path / name).mkdir()
        write(song_at([(0, 1), (2, 3)]), tmp_path / name / f"{name}.mid")
        rows = [f"{t} 0.0 {float(i % every == 0)}" for i, t in enumerate(beats(18))]
        (tmp_path / name / "beat_midi.txt").write_text("\n".join(rows), encoding="utf-8")
    left_out = convert(tmp_path, tmp_path / "out")
    assert left_out == ["002: its bars do not have four beats"]
    assert [n.start for n in read(tmp_path / "out" / "001.mid").tracks[0].notes] == [0.0, 2.0]
