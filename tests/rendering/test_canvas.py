"""Rectangles are where they were put, letters are those of the font, and the file holds the pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path
from matplotlib.ft2font import FT2Font, LoadFlags
from matplotlib.image import imread

from musicvae_lite.rendering import png
from musicvae_lite.rendering.canvas import Canvas, rgb
from musicvae_lite.rendering.font import FILES, mask

RED = rgb("#ff0000")


def test_a_file_holds_the_pixels(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 11, 3)).astype(np.uint8)
    (tmp_path / "a.png").write_bytes(png.encode(pixels))
    np.testing.assert_array_equal(np.round(255 * imread(tmp_path / "a.png")), pixels)


def test_a_rectangle_covers_its_pixels_and_is_at_least_one_wide() -> None:
    canvas = Canvas(6, 10, "#ffffff")
    canvas.rectangle(2.4, 4.6, 1, 3, RED)
    canvas.rectangle(7.1, 7.2, 4, 5, RED)
    red = (canvas.pixels == (255, 0, 0)).all(2)
    expected = np.zeros((6, 10), bool)
    expected[1:3, 2:5] = True
    expected[4, 7] = True
    np.testing.assert_array_equal(red, expected)


def test_what_lies_beyond_the_paper_is_cut_off() -> None:
    canvas = Canvas(20, 20, "#ffffff")
    canvas.rectangle(-5, 30, 15, 40, RED)
    for x, y in ((-30, 10), (-200, 10), (15, 5), (15, -100), (5, 300)):
        canvas.text("beyond", x, y, 12, RED)
    assert (canvas.pixels[15:] == (255, 0, 0)).all()


def test_text_ends_where_it_is_anchored() -> None:
    inked = []
    for anchor in (0.0, 1.0):
        canvas = Canvas(30, 200, "#ffffff")
        canvas.text("C4", 100, 20, 14, RED, anchor=anchor)
        columns = np.flatnonzero((canvas.pixels != 255).any((0, 2)))
        inked.append((columns.min(), columns.max()))
    assert 100 <= inked[0][0] < inked[0][1] < 125
    assert 75 < inked[1][0] < inked[1][1] <= 100


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("text", ["3: 29 % of the way", "ode_to_joy → ah", "Ça, öüß, Ångström", "Привет, мир"])
def test_letters_cover_what_freetype_says_they_do(text: str, bold: bool) -> None:
    size = 40
    font = FT2Font(str(Path(get_data_path()) / "fonts" / "ttf" / FILES[bold]))
    font.set_size(size, 72)
    font.set_text(text, flags=LoadFlags.NO_HINTING)
    font.draw_glyphs_to_bitmap()
    expected = np.asarray(font.get_image(), float) / 255
    covered, base = mask(text, size, bold)
    assert covered.min() >= 0
    assert covered.max() <= 1
    assert covered.sum() == pytest.approx(expected.sum(), rel=0.01)
    assert np.ptp(np.flatnonzero(covered.max(0) > 0.2)) == pytest.approx(expected.shape[1], rel=0.03)
    assert covered[base:].sum() < 0.25 * covered.sum()  # the rest stands on the base line


def test_a_letter_that_the_font_lacks_is_a_box() -> None:
    boxes = [mask(letter, 20)[0] for letter in "旋律"]
    assert boxes[0].sum() > 0
    np.testing.assert_array_equal(boxes[0], boxes[1])


def test_no_text_covers_nothing() -> None:
    assert not mask("", 20)[0].any()
    assert not mask("   ", 20)[0].any()
