"""Text → how much of each pixel its letters cover. Outlines are read from the TrueType font that Matplotlib brings.

Matplotlib itself is not imported, which would take longer than to draw everything here. Of a font are read: where the
outline of each character is (`cmap`, `loca`), the outline (`glyf`: lines and quadratic curves, or parts of other
glyphs), and how far the next letter is (`hmtx`). Source: the OpenType specification 1.9, chapters of these names.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILES = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}  # by whether it is bold
LINES_A_PIXEL = 8  # at which letters are cut; along a line coverage is exact
CURVE = np.linspace(0, 1, 6)[1:, None]  # where a curve is cut into lines
ON_CURVE, X_SHORT, Y_SHORT, REPEAT, X_SAME, Y_SAME = 1, 2, 4, 8, 16, 32  # flags of a point
WORDS, OFFSETS, SCALE, MORE, TWO_SCALES, MATRIX = 1, 2, 8, 32, 64, 128  # flags of a part

Lines = NDArray[np.float64]  # [n, 4]: x and y of both ends, y upwards
Coverage = NDArray[np.float64]  # [height, width], 0 … 1


def mask(text: str, size: float, bold: bool = False) -> tuple[Coverage, int]:
    """What a line of text covers, its letters `size` pixels an em, and the row of its base line."""
    font = _font(bold)
    lines, pen = [np.empty((0, 4))], 0.0
    for character in text:
        glyph = font.glyph_of(character)
        lines.append(font.outline(glyph) * size + (pen, 0, pen, 0))
        pen += font.advance(glyph) * size
    above, below = np.ceil(size * font.ascent), np.ceil(size * font.descent)
    return _covered(np.concatenate(lines), int(above), int(below), int(np.ceil(pen)) + 2), int(above)


def _covered(lines: Lines, above: int, below: int, width: int) -> Coverage:
    """Coverage by what outlines enclose (y upwards from the base line), by where they cross horizontal lines.

    From a crossing at x on, everything to the right is one more time inside or outside, by the line's direction.
    """
    height = above + below
    at = above - (np.arange(height * LINES_A_PIXEL) + 0.5) / LINES_A_PIXEL
    x0, y0, x1, y1 = (column[None] for column in lines.T)
    row, which = np.nonzero((y0 <= at[:, None]) != (y1 <= at[:, None]))
    x0, y0, x1, y1 = lines[which].T
    x = np.clip(x0 + (at[row] - y0) / (y1 - y0) * (x1 - x0), 0, width - 1.001)
    left, turn = x.astype(np.int64), np.sign(y1 - y0)
    at = row * width + left
    places, changes = np.concatenate([at, at + 1]), np.concatenate([turn * (left + 1 - x), turn * (x - left)])
    changes = np.bincount(places, changes, height * LINES_A_PIXEL * width).reshape(-1, width)
    inside = np.minimum(np.abs(changes.cumsum(1)), 1)
    covered: Coverage = inside.reshape(height, LINES_A_PIXEL, width).mean(1)
    return covered


@cache
def _font(bold: bool) -> Font:
    home = find_spec("matplotlib")
    folders = [Path(place) / "mpl-data" for place in (home.submodule_search_locations or [])] if home else []
    found = next((folder for folder in folders if folder.is_dir()), None)
    if found is None:  # some systems keep its data elsewhere, and only it knows where
        from matplotlib import get_data_path

        found = Path(get_data_path())
    return Font((found / "fonts" / "ttf" / FILES[bold]).read_bytes())


class Font:
    """A TrueType font; all lengths are in ems."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        (count,) = struct.unpack_from(">H", content, 4)
        rows = (struct.unpack_from(">4sIII", content, 12 + 16 * i) for i in range(count))
        self._tables = {tag.decode("ascii"): start for tag, _, start, _ in rows}
        (self._em,) = self._read("head", 18, ">H")
        (self._long_offsets,) = self._read("head", 50, ">h")
        ascent, descent = self._read("hhea", 4, ">hh")
        self.ascent, self.descent = ascent / self._em, -descent / self._em
        (self._widths,) = self._read("hhea", 34, ">H")
        self._outlines: dict[int, Lines] = {}

    def glyph_of(self, character: str) -> int:
        """The number of a character's glyph; 0, an empty box, if there is none."""
        code = ord(character)
        found = bisect_left(self._ranges, code, key=lambda each: each[1])
        if found == len(self._ranges) or code < self._ranges[found][0]:
            return 0
        first, _, glyph = self._ranges[found]
        return glyph + code - first

    def advance(self, glyph: int) -> float:
        """From a glyph's origin to the next one's."""
        (width,) = self._read("hmtx", 4 * min(glyph, self._widths - 1), ">H")
        return float(width / self._em)

    def outline(self, glyph: int) -> Lines:
        """The lines around a glyph, curves cut into pieces."""
        if glyph not in self._outlines:
            self._outlines[glyph] = self._outline(glyph) / self._em
        return self._outlines[glyph]

    @cached_property
    def _ranges(self) -> list[tuple[int, int, int]]:
        """Ranges of characters, sorted: first, last, glyph of the first (`cmap`, format 12)."""
        (count,) = self._read("cmap", 2, ">H")
        for i in range(count):
            (offset,) = self._read("cmap", 8 + 8 * i, ">I")
            if self._read("cmap", offset, ">H") == (12,):
                (groups,) = self._read("cmap", offset + 12, ">I")
                numbers = self._read("cmap", offset + 16, f">{3 * groups}I")
                return list(zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True))
        return []

    def _read(self, table: str, offset: int, form: str) -> tuple[int, ...]:
        return struct.unpack_from(form, self._content, self._tables[table] + offset)

    def _outline(self, glyph: int) -> Lines:
        if self._long_offsets:
            start, end = self._read("loca", 4 * glyph, ">II")
        else:
            start, end = (2 * half for half in self._read("loca", 2 * glyph, ">HH"))
        if start == end:
            return np.empty((0, 4))
        (contours,) = self._read("glyf", start, ">h")
        place = self._tables["glyf"] + start + 10
        return self._parts(place) if contours < 0 else self._contours(place, contours)

    def _contours(self, place: int, count: int) -> Lines:
        """The lines of a glyph drawn by itself."""
        ends = struct.unpack_from(f">{count}H", self._content, place)
        (instructions,) = struct.unpack_from(">H", self._content, place + 2 * count)
        place += 2 * count + 2 + instructions
        flags: list[int] = []
        while len(flags) <= ends[-1]:
            flag, place = self._content[place], place + 1
            times = 1
            if flag & REPEAT:
                times, place = 1 + self._content[place], place + 1
            flags += [flag] * times
        x, place = self._steps(place, flags, X_SHORT, X_SAME)
        y, place = self._steps(place, flags, Y_SHORT, Y_SAME)
        points, on = np.stack([x, y], 1), np.array(flags) & ON_CURVE > 0
        starts = [0, *(end + 1 for end in ends)]
        parts = [slice(first, end + 1) for first, end in zip(starts, ends, strict=False)]
        return np.concatenate([_closed(points[part], on[part]) for part in parts])

    def _steps(self, place: int, flags: list[int], short: int, same: int) -> tuple[NDArray[np.float64], int]:
        """Coordinates along one axis, each written as its difference from the one before."""
        steps = []
        for flag in flags:
            step = 0
            if flag & short:
                step, place = self._content[place], place + 1
                step = step if flag & same else -step
            elif not flag & same:
                (step,), place = struct.unpack_from(">h", self._content, place), place + 2
            steps.append(step)
        return np.cumsum(steps, dtype=np.float64), place

    def _parts(self, place: int) -> Lines:
        """The lines of a glyph that is made of others, such as a letter and its accent."""
        found, flags = [], MORE
        while flags & MORE:
            flags, glyph = struct.unpack_from(">HH", self._content, place)
            form = ">hh" if flags & WORDS else ">bb"
            dx, dy = struct.unpack_from(form, self._content, place + 4) if flags & OFFSETS else (0, 0)
            place += 4 + struct.calcsize(form)
            numbers = 4 if flags & MATRIX else 2 if flags & TWO_SCALES else 1 if flags & SCALE else 0
            scale = [value / 2**14 for value in struct.unpack_from(f">{numbers}h", self._content, place)]
            place += 2 * numbers
            matrix = np.reshape(scale, (2, 2)) if numbers == 4 else np.diag((scale or [1.0]) * (2 // (numbers or 1)))
            turned = self._outline(glyph).reshape(-1, 2) @ matrix + (dx, dy)
            found.append(turned.reshape(-1, 4))
        return np.concatenate(found)


def _closed(points: NDArray[np.float64], on: NDArray[np.bool_]) -> Lines:
    """The lines of one contour. Two points off the curve in a row have one on it half-way between them."""
    after, on_after = np.roll(points, -1, 0), np.roll(on, -1)
    both = np.repeat(points, 2, 0)
    both[1::2] = (points + after) / 2
    kept = np.repeat(np.ones_like(on), 2)
    kept[1::2] = ~on & ~on_after
    whole, on_curve = both[kept], np.where(np.arange(2 * len(on)) % 2, True, np.repeat(on, 2))[kept]
    first = int(on_curve.argmax())
    whole, on_curve = np.roll(whole, -first, 0), np.roll(on_curve, -first)
    whole, on_curve = np.append(whole, whole[:1], 0), np.append(on_curve, True)
    path, i = [whole[:1]], 1
    while i < len(whole):
        if on_curve[i]:
            path.append(whole[i : i + 1])
            i += 1
        else:
            a, b, c = path[-1][-1], whole[i], whole[i + 1]
            path.append((1 - CURVE) ** 2 * a + 2 * CURVE * (1 - CURVE) * b + CURVE**2 * c)
            i += 2
    line = np.concatenate(path)
    return np.concatenate([line[:-1], line[1:]], 1)
