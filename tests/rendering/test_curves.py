from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from numpy.typing import NDArray

from musicvae_lite.rendering.curves import COLOURS, Row, draw_curves


def drawn(path: Path, rows: list[Row], title: str = "") -> NDArray[np.float32]:
    draw_curves(rows, path, title)
    return np.asarray(imread(path)[:, :, :3], np.float32)


def has(image: NDArray[np.float32], colour: str) -> bool:
    return bool((np.abs(image - np.array(to_rgb(colour))).max(2) < 0.02).any())


def test_each_unit_has_its_panel_and_each_measurement_its_colour(tmp_path: Path) -> None:
    rows: list[Row] = [{"step": i, "free_t0": i / 10, "constant": 0.6, "minutes": i, "note": "text"} for i in range(10)]
    one = drawn(tmp_path / "one.png", rows)
    more = drawn(tmp_path / "more.png", [{**row, "kl_bits": 20.0, "train_bits": 50.0} for row in rows])
    assert has(one, COLOURS[0])
    assert has(one, COLOURS[1])
    assert not has(one, COLOURS[2])
    assert more.shape[0] > 2 * one.shape[0]


def test_rows_may_lack_measurements_and_a_loss_that_is_not_a_number_is_left_out(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"step": 1, "train_bits": 5.0},
        {"step": 2, "train_bits": float("nan"), "exact": 0.1},
        {"exact": 1},
    ]
    assert has(drawn(tmp_path / "curves.png", rows), COLOURS[0])


@pytest.mark.parametrize("rows", [[], [{"step": 0}], [{"step": 1, "train_bits": float("inf")}]])
def test_without_measurements_the_picture_is_empty(tmp_path: Path, rows: list[Row]) -> None:
    assert not has(drawn(tmp_path / "curves.png", rows, "run"), COLOURS[0])


def test_one_measurement_is_visible(tmp_path: Path) -> None:
    assert has(drawn(tmp_path / "curves.png", [{"step": 100, "train_bits": 7.5}]), COLOURS[0])
