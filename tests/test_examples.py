"""The bundled melodies: what the script writes is what is committed, and their bar lines are where they belong."""

from __future__ import annotations

import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from musicvae_lite.music import grid, midi
from musicvae_lite.music.notes import Meter

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "data" / "examples"
EXAMPLES = sorted(FOLDER.glob("*.mid"))
UPBEAT_QUARTERS = {  # of the tunes that begin before the first full bar
    "amazing_grace": 1.0,
    "auld_lang_syne": 1.0,
    "clementine": 1.0,
    "greensleeves": 0.5,
    "oh_susanna": 1.0,
    "pop_goes_the_weasel": 0.5,
    "when_the_saints": 3.0,
}


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / "write_examples.py"))


def test_the_committed_files_are_what_the_script_writes(script: dict[str, Any], tmp_path: Path) -> None:
    written = sorted(script["write_all"](tmp_path))
    assert [path.name for path in written] == [path.name for path in EXAMPLES]
    for path, committed in zip(written, EXAMPLES, strict=True):
        assert midi.read(path) == midi.read(committed)


def test_a_file_holds_the_tune_as_it_was_entered(script: dict[str, Any]) -> None:
    for tune in script["TUNES"]:
        song = midi.read(FOLDER / f"{tune.slug}.mid")
        (track,) = song.tracks
        assert track.notes == script["notes"](tune)
        assert (track.name, track.program, track.is_drum) == (tune.title, tune.program, False)
        assert [change.meter for change in song.meters] == [tune.meter]
        assert [change.qpm for change in song.tempos] == [pytest.approx(tune.qpm, rel=1e-4)]


def test_all_three_meters_and_many_instruments_are_there() -> None:
    songs = [midi.read(path) for path in EXAMPLES]
    meters = Counter(song.meters[0].meter for song in songs)
    assert meters == {Meter(4, 4): 7, Meter(3, 4): 3, Meter(6, 8): 4}
    assert len({song.tracks[0].program for song in songs}) == len(songs)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_tune_is_one_line_of_whole_bars_on_the_grid(path: Path) -> None:
    song = midi.read(path)
    notes = song.tracks[0].notes
    assert grid.off_grid_share(notes, 4) == 0
    assert np.all(notes.start[1:] >= notes.end[:-1])
    upbeat = UPBEAT_QUARTERS.get(path.stem, 0.0)
    bars = grid.bars(song, 4)
    assert {bar.steps for bar in bars} == {grid.bar_steps(song.meters[0].meter, 4)}
    assert 8 <= len(bars) - (upbeat > 0) <= 17
    assert notes.start[0] == (song.meters[0].meter.bar_quarters - upbeat if upbeat else 0)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_most_bars_begin_with_a_note(path: Path) -> None:
    song = midi.read(path)
    starts = song.tracks[0].notes.start % song.meters[0].meter.bar_quarters
    bars = len(grid.bars(song, 4))
    assert (starts == 0).sum() >= 0.6 * bars


@pytest.mark.parametrize(
    ("slug", "bar_quarters", "first"),
    [
        ("ah_vous_dirai_je", 4, [60, 60, 67, 67]),
        ("amazing_grace", 3, [67, 71, 67]),
        ("greensleeves", 3, [72, 74, 76, 78, 76]),
    ],
)
def test_the_first_full_bar_is_the_one_people_know(slug: str, bar_quarters: int, first: list[int]) -> None:
    notes = midi.read(FOLDER / f"{slug}.mid").tracks[0].notes
    bar = 1 if slug in UPBEAT_QUARTERS else 0
    inside = (notes.start >= bar * bar_quarters) & (notes.start < (bar + 1) * bar_quarters)
    assert notes.pitch[inside].tolist() == first
