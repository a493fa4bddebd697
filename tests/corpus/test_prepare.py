"""A folder becomes a corpus: distinct windows on two sides, the same whatever the files are called."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from musicvae_lite.corpus.prepare import assemble, prepare
from musicvae_lite.corpus.scan import Piece, Settings, scan_song
from musicvae_lite.corpus.store import Corpus
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.notes import COMMON_TIME, Meter, Song
from musicvae_lite.tokens import melody

if TYPE_CHECKING:
    from tests.conftest import MakeMidi, MakeSong, Row


def tune(seed: int, key: int = 0, quarters: int = 24) -> list[Row]:
    """A tune of its own for each seed; the same one in another key for another `key`."""
    pitches = np.random.default_rng(seed).integers(50, 75, quarters) + key
    return [(int(pitch), float(start), start + 1.0) for start, pitch in enumerate(pitches)]


def pieces(make_song: MakeSong, *rows: list[Row], meter: Meter = COMMON_TIME) -> list[Piece]:
    return [scan_song(make_song(row, [(0.0, meter)]), Settings()) for row in rows]


def all_tokens(corpus: Corpus) -> list[tuple[str, bytes, bytes]]:
    sides = (("train", corpus.train), ("heldout", corpus.heldout))
    return [(side, group.tokens.tobytes(), group.piece.tobytes()) for side, groups in sides for group in groups]


def test_names_and_order_of_the_files_change_nothing(make_song: MakeSong) -> None:
    scanned = pieces(make_song, *(tune(seed) for seed in range(30)), tune(3), tune(4, key=2))
    one = assemble({f"{i:02}.mid": piece for i, piece in enumerate(scanned)}, Settings())
    other = assemble({f"{i * 7 % 32:02}.mid": piece for i, piece in reversed(list(enumerate(scanned)))}, Settings())
    assert all_tokens(one) == all_tokens(other)
    assert one.pieces != other.pieces


def test_the_same_tune_in_two_keys_is_on_one_side_only(make_song: MakeSong) -> None:
    scanned = pieces(make_song, *(tune(seed, key) for seed in range(20) for key in (0, 3, -5)))
    corpus = assemble({f"{i}.mid": piece for i, piece in enumerate(scanned)}, Settings())
    (train,), (heldout,) = corpus.train, corpus.heldout
    sides = [{scanned[int(corpus.pieces[p][:-4])].tune for p in group.piece} for group in (train, heldout)]
    assert sides[0].isdisjoint(sides[1])
    assert len(sides[0] | sides[1]) == corpus.report.tunes == 20
    assert len(train) + len(heldout) == corpus.report.windows == corpus.report.cut / 3


def test_each_window_says_which_file_and_bar_it_comes_from(make_song: MakeSong) -> None:
    rows = {f"{seed}.mid": tune(seed) for seed in range(4)}
    corpus = assemble(dict(zip(rows, pieces(make_song, *rows.values()), strict=True)), Settings())
    for group in (*corpus.train, *corpus.heldout):
        for tokens, piece, bar in zip(group.tokens, group.piece, group.start_bar, strict=True):
            expected = [pitch for pitch, *_ in rows[corpus.pieces[piece]]][4 * bar : 4 * bar + 8]
            assert melody.decode(tokens).pitch.tolist() == expected
    assert corpus.tracks == ((0,), (0,), (0,), (0,))


def test_the_report_adds_up(make_song: MakeSong) -> None:
    waltz = pieces(make_song, tune(1), meter=Meter(3, 4))
    outcomes = dict(zip("abc", [*waltz, *pieces(make_song, tune(2), tune(2))], strict=True))
    report = assemble({**outcomes, "d": "no notes", "e": "no notes", "f": "only drums"}, Settings()).report
    assert (report.files, report.used, report.tunes) == (6, 3, 2)
    assert report.meters == {"3/4": 7, "4/4": 5}
    assert report.windows == 12
    assert report.cut == report.windows + sum(report.left_out.values()) == 17
    assert list(report.reasons.items()) == [("no notes", 2), ("only drums", 1)]
    assert list(report.as_json()) == ["files", "used", "windows", "meters", "off_grid", "reasons", "unused"]
    assert report.as_json()["off_grid"] == 0


def test_a_file_off_the_grid_is_used_and_named(make_song: MakeSong) -> None:
    loose = [(pitch, start + 0.1, end + 0.1) for pitch, start, end in tune(1)]
    corpus = assemble(dict(zip("ab", pieces(make_song, loose, tune(2)), strict=True)), Settings())
    assert corpus.report.used == 2
    assert corpus.report.loose == {"a": 1.0}
    assert corpus.report.off_grid == pytest.approx(0.5)


def test_a_second_time_starts_at_once_and_gives_the_same(make_midi: MakeMidi, tmp_path: Path) -> None:
    for seed in range(3):
        make_midi(f"in/{seed}.mid", tune(seed))
    calls: list[int] = []
    first, second = (prepare(tmp_path / "in", progress=lambda done, total: calls.append(done)) for _ in range(2))
    assert calls == [1, 2, 3]
    assert all_tokens(first) == all_tokens(second)
    assert (first.report, first.pieces, first.settings) == (second.report, second.pieces, second.settings)


def test_a_new_file_a_changed_file_and_another_setting_are_noticed(make_midi: MakeMidi, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    make_midi("in/a.mid", tune(1))
    assert prepare(folder).report.used == 1
    make_midi("in/b.mid", tune(2))
    assert prepare(folder).report.used == 2
    make_midi("in/b.mid", [])
    assert prepare(folder).report.unused == {"b.mid": "no notes"}
    assert prepare(folder, Settings(bars=4)).report.windows == 3


def test_a_folder_that_is_none_or_has_no_midi_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "a.mid").touch()
    (tmp_path / "texts").mkdir()
    for path, message in (
        (tmp_path / "no", "does not exist"),
        (tmp_path / "a.mid", "is a file"),
        (tmp_path / "texts", "no MIDI"),
    ):
        with pytest.raises(MusicVAEError, match=message):
            prepare(path)


def test_a_folder_of_which_nothing_can_be_used_is_an_empty_corpus_with_reasons(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.mid").touch()
    for _ in range(2):  # made, then from the cache
        corpus = prepare(folder)
        assert (corpus.train, corpus.heldout, corpus.report.used) == ((), (), 0)
        assert list(corpus.report.unused) == ["a.mid"]
        assert corpus.report.as_json()["off_grid"] is None


def test_a_cache_that_cannot_be_written_is_a_warning_only(make_midi: MakeMidi, tmp_path: Path) -> None:
    make_midi("in/a.mid", tune(1))
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match="MUSICVAE_CACHE"):
        assert prepare(tmp_path / "in", cache=tmp_path / "file").report.used == 1


def test_a_moved_folder_is_read_again_and_gives_the_same_windows(make_midi: MakeMidi, tmp_path: Path) -> None:
    make_midi("in/a.mid", tune(1))
    first = prepare(tmp_path / "in")
    shutil.move(tmp_path / "in", tmp_path / "moved")
    assert all_tokens(prepare(tmp_path / "moved")) == all_tokens(first)


def test_songs_without_notes_give_no_piece(make_song: MakeSong) -> None:
    with pytest.raises(MusicVAEError):
        scan_song(Song(()), Settings())


def test_an_official_split_is_followed_and_its_validation_files_are_left_out(
    make_midi: MakeMidi, tmp_path: Path
) -> None:
    rows = {"a": "train", "b": "test", "c": "validation", "d": "train"}
    for seed, name in enumerate(rows):
        make_midi(f"in/{name}.mid", tune(seed))
    table = tmp_path / "in" / "info.csv"
    table.write_text("midi_filename,split\n" + "".join(f"{name}.mid,{side}\n" for name, side in rows.items()))
    corpus = prepare(tmp_path / "in")
    sides = [{corpus.pieces[p] for group in groups for p in group.piece} for groups in (corpus.train, corpus.heldout)]
    assert sides == [{"a.mid", "d.mid"}, {"b.mid"}]
    assert list(corpus.report.unused) == ["c.mid"]
    assert "validation" in corpus.report.unused["c.mid"]
    assert corpus.report.official == 4
    table.write_text(table.read_text().replace("validation", "train"))
    assert prepare(tmp_path / "in").report.unused == {}
