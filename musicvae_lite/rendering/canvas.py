"""A picture in the making: rectangles and text on paper. Pixels count from the top left."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from musicvae_lite.rendering import png
from musicvae_lite.rendering.font import Coverage, mask

Colour = NDArray[np.float64]  # red, green, blue, 0 … 1


def rgb(text: str) -> Colour:
    """The colour of "#rrggbb"."""
    return np.array([int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)])


class Canvas:
    """`height` × `width` pixels of one colour to draw on."""

    def __init__(self, height: int, width: int, paper: str) -> None:
        self.pixels = np.empty((height, width, 3), np.uint8)
        self.pixels[0] = _bytes(rgb(paper))
        self.pixels[1:] = self.pixels[0]

    def rectangle(self, left: float, right: float, top: int, bottom: int, colour: ArrayLike) -> None:
        """Fill from column `left` to before `right`, to the nearest pixel but one wide, and rows `top` to `bottom`."""
        first = max(round(left), 0)
        self.pixels[top:bottom, first : max(round(right), first + 1)] = _bytes(colour)

    def text(
        self,
        text: str,
        x: float,
        baseline: float,
        size: float,
        colour: ArrayLike,
        bold: bool = False,
        anchor: float = 0.0,
    ) -> None:
        """Write a line of text; `anchor` of it, 0 … 1, lies left of `x`."""
        covered, base = _mask(text, size, bold)
        left = round(x - anchor * (covered.shape[1] - 2))
        self._blend(round(baseline) - base, left, covered, colour)

    def png(self) -> bytes:
        """The picture as a file's bytes."""
        return png.encode(self.pixels)

    def _blend(self, top: int, left: int, share: Coverage, colour: ArrayLike) -> None:
        """Mix a colour in, by its share of each pixel from that corner on; what lies beyond the paper is cut off."""
        first_row, first_column = max(top, 0), max(left, 0)
        below = self.pixels[first_row : max(top + share.shape[0], 0), first_column : max(left + share.shape[1], 0)]
        part = share[first_row - top :, first_column - left :][: below.shape[0], : below.shape[1], None]
        below[:] = np.round(below + part * (255 * np.asarray(colour) - below)).astype(np.uint8)


def _bytes(colour: ArrayLike) -> NDArray[np.uint8]:
    return np.round(255 * np.asarray(colour)).astype(np.uint8)


@lru_cache(256)
def _mask(text: str, size: float, bold: bool) -> tuple[Coverage, int]:
    return mask(text, size, bold)
