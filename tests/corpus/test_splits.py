"""Held out means: of another tune, and in no key a window of training; decided by content alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicvae_lite.corpus import splits
from musicvae_lite.corpus.splits import (
    LEAKED,
    REPEATED,
    fingerprints,
    held_out_pieces,
    hold_out,
    official_sides,
    split,
    split_tables,
    tune_id,
)
from musicvae_lite.corpus.windows import Windows
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import melody

FOUR, CUT_TIME = Meter(4, 4), Meter(2, 2)


def windows(meter: Meter, *rows: tuple[int, list[int]]) -> Windows:
    """Windows from rows (piece, tokens)."""
    tokens = np.array([row for _, row in rows], np.uint8)[:, :, None]
    return Windows(meter, tokens, np.array([piece for piece, _ in rows]), np.arange(len(rows)))


def few_tokens() -> st.SearchStrategy[NDArray[np.uint8]]:
    row = st.lists(st.sampled_from([0, 1, 2, 128, 129]), min_size=3, max_size=3)
    return st.lists(row, max_size=30).map(lambda rows: np.array(rows, np.uint8).reshape(-1, 3, 1))


@given(few_tokens())
def test_fingerprints_are_equal_exactly_for_transpositions(tokens: NDArray[np.uint8]) -> None:
    numbers = fingerprints(tokens, melody)
    spelled = [bytes(row) for row in melody.without_key(tokens).astype(np.uint8)]
    for i, one in enumerate(spelled):
        for j, other in enumerate(spelled):
            assert (numbers[i] == numbers[j]) == (one == other)


def test_fingerprints_do_not_hang_on_the_size_of_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = np.random.default_rng(1).integers(0, 128, (20, 8, 1)).astype(np.uint8)
    whole = fingerprints(tokens, melody)
    monkeypatch.setattr(splits, "BLOCK", 7)
    np.testing.assert_array_equal(fingerprints(tokens, melody), whole)


def test_a_window_in_another_key_is_the_same_window_and_the_first_one_stays() -> None:
    group = windows(FOUR, (0, [60, 129, 64]), (0, [60, 129, 65]), (1, [62, 129, 66]))
    (train,), heldout, left_out = split([group], np.array([False, False]), melody)
    assert (train.piece.tolist(), train.start_bar.tolist()) == ([0, 0], [0, 1])
    assert heldout == ()
    assert left_out == {REPEATED: 1}


def test_no_held_out_window_occurs_in_training_in_any_key_or_meter() -> None:
    trained = windows(FOUR, (0, [60, 129, 64]))
    also = windows(CUT_TIME, (1, [72, 129, 76]), (1, [72, 129, 77]), (1, [60, 129, 65]))
    (train,), (heldout,), left_out = split([trained, also], np.array([False, True]), melody)
    assert (len(train), heldout.meter, heldout.start_bar.tolist()) == (1, CUT_TIME, [1])
    assert left_out == {REPEATED: 1, LEAKED: 1}


@given(few_tokens(), st.lists(st.booleans(), min_size=5, max_size=5))
def test_the_two_sides_share_no_window_and_lose_none(tokens: NDArray[np.uint8], sides: list[bool]) -> None:
    piece = np.arange(len(tokens)) % 5
    group = Windows(FOUR, tokens, piece, np.arange(len(tokens)))
    train, heldout, left_out = split([group], np.array(sides), melody)
    trained, held = (
        {bytes(row) for part in side for row in melody.without_key(part.tokens).astype(np.uint8)}
        for side in (train, heldout)
    )
    assert not trained & held
    assert trained | held == {bytes(row) for row in melody.without_key(tokens).astype(np.uint8)}
    assert sum(map(len, (*train, *heldout))) == len(trained) + len(held) == len(tokens) - left_out.total()


@pytest.mark.parametrize(("pieces", "held"), [(0, 0), (1, 0), (2, 1), (20, 1), (100, 5), (1000, 50)])
def test_one_piece_in_twenty_is_held_out_and_at_least_one_of_two(pieces: int, held: int) -> None:
    assert hold_out([f"{i * 7919 % 1000:03}" for i in range(pieces)]).sum() == held


@given(st.lists(st.integers(0, 12), max_size=60))
def test_tunes_stay_whole_and_the_order_of_pieces_changes_nothing(tunes: list[int]) -> None:
    names = [f"{tune:02}" for tune in tunes]
    held = {name for name, out in zip(names, hold_out(names), strict=True) if out}
    again = list(reversed(names))
    assert held == {name for name, out in zip(again, hold_out(again), strict=True) if out}
    assert held.isdisjoint(name for name, out in zip(names, hold_out(names), strict=True) if not out)
    assert bool(held) == (len(set(names)) > 1)


def test_one_much_copied_tune_is_not_the_held_out_one() -> None:
    assert hold_out(["a"] * 90 + ["b"] * 10).tolist() == [False] * 90 + [True] * 10


def tune(*tokens: int, rest: int = 0) -> NDArray[np.int64]:
    return np.array([129] * rest + [*tokens], np.int64)[:, None]


def test_a_tune_is_the_same_in_another_key_and_after_a_longer_rest() -> None:
    assert tune_id(tune(60, 129, 64, 129), 4, melody) == tune_id(tune(65, 129, 69, 129, rest=16), 4, melody)
    assert tune_id(tune(60, 129, 64, 129), 4, melody) != tune_id(tune(60, 129, 65, 129), 4, melody)


def test_tunes_that_differ_late_only_are_one_tune() -> None:
    opening = [60, 62, 64, 65] * 16
    assert tune_id(tune(*opening, 67), 4, melody) == tune_id(tune(*opening, 72, 74), 4, melody)


def test_a_tune_id_is_the_same_on_every_machine() -> None:
    assert tune_id(tune(60, 129, 64, 129), 4, melody) == "ab7689782e397cd72a264d52"


# --- an official split ----------------------------------------------------------------------------------------------

TABLE = """id,midi_filename,split
1,one/a.mid,train
2,one/b.mid,test
3,./c.mid,Validation
4,,test
"""


def test_the_table_of_a_folder_says_which_side_its_files_are_on(tmp_path: Path) -> None:
    (tmp_path / "groove" / "one").mkdir(parents=True)
    (tmp_path / "groove" / "info.csv").write_text("\ufeff" + TABLE, encoding="utf-8")
    (tmp_path / "groove" / "one" / "other.csv").write_text("name,split\nx,test\n")
    tables = split_tables(tmp_path, ["groove/one/a.mid", "elsewhere/d.mid"])
    assert tables == (str(Path("groove/info.csv")),)
    sides = {str(Path(path)): side for path, side in official_sides(tmp_path, tables).items()}
    a, b, c = (str(Path(f"groove/{name}")) for name in ("one/a.mid", "one/b.mid", "c.mid"))
    assert sides == {a: "train", b: "test", c: "validation"}


def test_a_side_that_is_none_is_refused_with_the_table(tmp_path: Path) -> None:
    (tmp_path / "info.csv").write_text("midi_filename,split\na.mid,exam\n")
    with pytest.raises(MusicVAEError, match=r"info.csv: a split 'exam': expected one of train, test, validation"):
        official_sides(tmp_path, ["info.csv"])


def test_official_files_are_held_out_by_the_table_and_others_by_their_tunes() -> None:
    tunes = {f"free{i}": f"{i}" for i in range(20)} | {"a": "a", "b": "b"}
    held = held_out_pieces(tunes, {"a": "train", "b": "test", "c": "test"})
    assert (held["a"], held["b"]) == (False, True)
    assert sum(held.values()) == 2
    assert list(held) == list(tunes)
    assert sum(held_out_pieces(tunes, dict.fromkeys(tunes, "train")).values()) == 0
