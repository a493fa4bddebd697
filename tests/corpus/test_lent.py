"""Files that have not all voices lend those that they have, one by one, and to training only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from musicvae_lite.corpus.prepare import prepare
from musicvae_lite.corpus.scan import Settings
from musicvae_lite.corpus.store import Corpus
from musicvae_lite.music.midi import write
from musicvae_lite.music.notes import Notes, Song, Track
from musicvae_lite.tokens import melody
from tests.cli.test_trio import UP, band

MELODY, BASS, DRUMS = range(3)
TRIO = Settings("trio")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two trios, a tune and its bass without drums, a tune alone, a beat alone, and a file with nothing in it."""
    songs = tmp_path / "songs"
    songs.mkdir()
    drums, tune, bass = band(UP, 36, bars=4).tracks
    write(band(UP, 36, bars=4), songs / "trio.mid")
    write(band(UP[::-1], 40, bars=4), songs / "other.mid")
    write(Song((tune, bass)), songs / "duet.mid")
    write(Song((_higher(tune),)), songs / "tune.mid")
    write(Song((drums,)), songs / "beat.mid")
    write(Song(()), songs / "empty.mid")
    return songs


def _higher(track: Track) -> Track:
    """Not the same tune in another key: its last note is one of its own."""
    rows = [(note.pitch, note.velocity, note.start, note.end) for note in track.notes]
    return Track(Notes.of([*rows[:-1], (90, *rows[-1][1:])]), track.name, track.program)


def lenders(corpus: Corpus) -> list[set[str]]:
    return [{corpus.pieces[piece] for group in voice for piece in group.piece} for voice in corpus.lent]


def test_each_voice_comes_from_the_files_that_have_it(folder: Path) -> None:
    corpus = prepare(folder, TRIO)
    assert lenders(corpus) == [{"duet.mid", "tune.mid"}, {"duet.mid"}, {"beat.mid"}]
    assert corpus.report.lent == {"melody": 2, "bass": 1, "drums": 1}
    assert corpus.report.used == 2
    assert corpus.report.reasons == {"no drums": 2, "no bass": 1, "no notes": 1}


def test_what_is_lent_are_windows_of_that_voice(folder: Path) -> None:
    corpus = prepare(folder, TRIO)
    (tunes,), (basses,), (beats,) = corpus.lent
    assert {group.tokens.shape[1:] for group in (tunes, basses, beats)} == {(32, 1)}
    whole = np.concatenate([group.tokens for group in (*corpus.train, *corpus.heldout)])
    assert basses.tokens[0, 0, 0] == 36
    assert {window.tobytes() for window in beats.tokens} <= {window[:, [2]].tobytes() for window in whole}
    assert melody.content(tunes.tokens).min() > 0


def test_what_is_lent_comes_back_from_the_cache_as_it_was(folder: Path) -> None:
    first, again = prepare(folder, TRIO), prepare(folder, TRIO)
    assert len(again.lent) == 3
    for voice, same in zip(first.lent, again.lent, strict=True):
        for group, copy in zip(voice, same, strict=True):
            np.testing.assert_array_equal(group.tokens, copy.tokens, strict=True)
            np.testing.assert_array_equal(group.piece, copy.piece)


def test_files_that_a_split_holds_back_lend_nothing(folder: Path) -> None:
    rows = {"beat.mid": "test", "duet.mid": "validation", "tune.mid": "train", "trio.mid": "train"}
    lines = "".join(f"{name},{side}\n" for name, side in rows.items())
    (folder / "info.csv").write_text(f"midi_filename,split\n{lines}")
    assert lenders(prepare(folder, TRIO)) == [{"tune.mid"}, set(), set()]


def test_one_voice_has_nothing_to_lend(folder: Path) -> None:
    for name in ("melody", "drums"):
        assert prepare(folder, Settings(name)).lent == ()


def test_the_low_notes_of_a_piano_are_lent_as_a_bass(folder: Path) -> None:
    low = [(36 + i % 5, 80, 2.0 * i, 2.0 * i + 1) for i in range(8)]
    high = [(pitch, 80, float(i), i + 1.0) for i in range(16) for pitch in (60, 64, 67)]
    rows = sorted([*low, *high], key=lambda row: (row[2], row[0]))
    write(Song((Track(Notes.of(rows), "piano"),)), folder / "piano.mid")
    corpus = prepare(folder, TRIO)
    assert lenders(corpus)[BASS] == {"duet.mid", "piano.mid"}
    (basses,) = corpus.lent[BASS]
    pitches = basses.tokens[[corpus.pieces[piece] == "piano.mid" for piece in basses.piece]]
    assert set(pitches[pitches < melody.PITCHES].tolist()) == {36, 37, 38, 39, 40}
    assert corpus.report.reasons == {"no drums": 3, "no bass": 1, "no notes": 1}
