"""metrics.jsonl is JSON line by line, and a run that goes on does not measure anything twice."""

from __future__ import annotations

import json
from pathlib import Path

from musicvae_lite.training.metrics import METRICS_FILE, append, read, rewind


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def test_rows_come_back_in_order(tmp_path: Path) -> None:
    append({"step": 1, "exact": 0.5}, tmp_path)
    append({"step": 2, "exact": 0.75}, tmp_path)
    assert read(tmp_path) == [{"step": 1, "exact": 0.5}, {"step": 2, "exact": 0.75}]


def test_what_is_not_a_number_is_null(tmp_path: Path) -> None:
    append({"step": 1, "exact": float("nan"), "nll_bits": float("inf")}, tmp_path)
    (line,) = (tmp_path / METRICS_FILE).read_text().splitlines()
    assert json.loads(line, parse_constant=refuse) == {"step": 1, "exact": None, "nll_bits": None}


def test_without_a_file_there_are_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path) == []


def test_rewinding_forgets_what_came_later_and_what_was_never_finished(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4):
        append({"step": step}, tmp_path)
    with (tmp_path / METRICS_FILE).open("a") as file:
        file.write('{"step": 5, "exa')
    rewind(tmp_path, 2)
    append({"step": 3}, tmp_path)
    assert (tmp_path / METRICS_FILE).read_text() == '{"step": 1}\n{"step": 2}\n{"step": 3}\n'


def test_rewinding_to_the_start_leaves_nothing(tmp_path: Path) -> None:
    append({"step": 1}, tmp_path)
    rewind(tmp_path, 0)
    assert read(tmp_path) == []
