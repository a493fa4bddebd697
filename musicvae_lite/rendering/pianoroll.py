"""Notes on the grid → a PNG of piano rolls, one below the other on the same pitches: a morph at a glance.

The colour runs from the first panel's to the last one's; the dark front edge of a note is its onset, so repeated notes
stay apart; louder notes are stronger in colour. Voices whose pitches have names, as drums have, get a row for each
name, below the keys of the others.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.files import write_bytes
from musicvae_lite.music.grid import PARTS, GridNotes
from musicvae_lite.rendering.canvas import Canvas, Colour, rgb
from musicvae_lite.rendering.figures import INK, LINE, PAPER, QUIET

# Teal to vermilion by way of violet: a straight line between the two would pass through grey.
COLOURS = ((0.05, 0.47, 0.62), (0.49, 0.30, 0.58), (0.89, 0.35, 0.17))
VOICES = ((1.0, 0.0), (0.55, 0.0), (0.85, 0.45), (0.6, 0.6))  # of each voice: how dark, and how far from its colour
KEY_SHADE = "#f1f2f5"  # rows of black keys
BEAT = "#dde1e7"
KEYS = -1  # of no voice: the row of a key
BLACK_KEYS = (1, 3, 6, 8, 10)
LEAST_ROWS = 12  # semitones shown at least
MAX_BAR_NUMBERS = 24
MAX_PANELS = 200
# Pixels.
WIDTH, ROLL, GAP = 1440, 108, 38  # a roll is at least so high, and higher where its rows would be lower than …
LEAST_KEY, LEAST_NAME, BETWEEN = 4.0, 11.0, 6
TOP, TOP_WITH_TITLE, BOTTOM = 43, 88, 48
KEYS_LEFT, NAMES_LEFT, RIGHT = 72, 108, 22  # what is written beside the rows needs room
HEADING, STEP, SMALL, NAME = 24.0, 17.5, 14.0, 11.5  # an em of the letters
BAR_WIDTH, BEAT_WIDTH = 2, 1
# Widths as shares of a panel, so that they look alike in two bars and in sixty-four.
ONSET, GAP_AFTER, LEFT_EDGE = 0.006, 0.003, 0.006


@dataclass(frozen=True)
class Panel:
    """One piano roll: notes over steps 0 … `steps`-1, and the steps at which bars start."""

    title: str
    notes: GridNotes
    steps: int
    bar_lines: tuple[int, ...] = ()
    labels: tuple[Mapping[int, str], ...] = ()  # of each voice, pitch → name from below; none: piano keys
    beat: int = 0  # steps; 0: beats are not shown


@dataclass(frozen=True)
class _Rows:
    """Where notes are drawn: `keys` are pitches one above the other, `named` (voice, pitch) → name from below them."""

    keys: range
    named: Mapping[tuple[int, int], str]

    @property
    def key(self) -> float:
        """Pixels of a key's row."""
        return max(ROLL / (len(self.keys) + len(self.named)), LEAST_KEY)

    @property
    def name(self) -> float:
        """Pixels of a named row."""
        return max(ROLL / (len(self.keys) + len(self.named)), LEAST_NAME)

    @property
    def height(self) -> int:
        """Pixels of all rows, and a little between the two kinds."""
        between = BETWEEN if self.named and len(self.keys) else 0
        return round(len(self.keys) * self.key + between + len(self.named) * self.name)

    def of(self, voice: int, pitch: int, share: float = 1.0) -> tuple[int, int]:
        """First line of pixels, and the one after the last, of the middle `share` of a note's row."""
        if (voice, pitch) in self.named:
            row = self.name
            top = self.height - (list(self.named).index((voice, pitch)) + 1) * row
        else:
            row = self.key
            top = (self.keys.stop - 1 - pitch) * row
        first, end = round(top + (1 - share) / 2 * row), round(top + (1 + share) / 2 * row)
        return first, max(end, first + 1)


@dataclass(frozen=True)
class _Frame:
    """Where a panel lies on the canvas: pixels of steps and of rows."""

    left: int
    top: int
    steps: int
    rows: _Rows

    @property
    def bottom(self) -> int:
        """The line after the last."""
        return self.top + self.rows.height

    def x(self, step: float) -> float:
        """The column at which a step starts."""
        width = WIDTH - RIGHT - self.left
        return self.left + width * (step / self.steps + LEFT_EDGE) / (1 + LEFT_EDGE)

    def y(self, voice: int, pitch: int, share: float = 1.0) -> tuple[int, int]:
        """First line, and the one after the last, of the middle `share` of a note's row."""
        first, end = self.rows.of(voice, pitch, share)
        return self.top + first, self.top + end


def step_title(number: int, count: int) -> str:
    """The title of step `number` of `count`, counted from 1 with both ends: "3: 29 % of the way"."""
    return f"{number}: {round(100 * (number - 1) / max(count - 1, 1))} % of the way"


def draw(panels: Sequence[Panel], path: str | os.PathLike[str], title: str = "") -> None:
    """Write `panels` from top to bottom as a PNG, at `path`, complete or not at all; at least one, at most 200."""
    if not 1 <= len(panels) <= MAX_PANELS:
        raise MusicVAEError(f"{len(panels)} piano rolls to draw: expected 1 to {MAX_PANELS}")
    above, rows = TOP_WITH_TITLE if title else TOP, _rows(panels)
    left, steps = NAMES_LEFT if rows.named else KEYS_LEFT, max(1, *(panel.steps for panel in panels))
    tops = [above + i * (rows.height + GAP) for i in range(len(panels))]
    canvas = Canvas(tops[-1] + rows.height + BOTTOM, WIDTH, PAPER)
    if title:
        canvas.text(title, left, 35, HEADING, rgb(INK), bold=True)
    for panel, colour, top in zip(panels, gradient(len(panels)), tops, strict=True):
        frame = _Frame(left, top, steps, rows)
        _draw_rows(canvas, frame)
        _draw_lines(canvas, frame, panel)
        _draw_notes(canvas, frame, panel.notes, colour)
        canvas.text(panel.title, left, top - 8, STEP, 0.75 * colour)
    _number_bars(canvas, frame, max(panels, key=lambda panel: panel.steps))
    write_bytes(path, canvas.png())


def gradient(count: int) -> NDArray[np.float64]:
    """Red, green, blue in 0 … 1 of each panel from the first to the last: [count, 3]."""
    position, stops = np.linspace(0, 1, count), np.array(COLOURS)
    return np.stack([np.interp(position, np.linspace(0, 1, len(stops)), channel) for channel in stops.T], axis=1)


def voiced(colour: Colour, voice: int) -> Colour:
    """A panel's colour as a voice wears it: the first as it is, others darker or turned towards another colour."""
    dark, turned = VOICES[voice % len(VOICES)]
    return dark * ((1 - turned) * colour + turned * np.roll(colour, 1))


def _draw_rows(canvas: Canvas, frame: _Frame) -> None:
    """The black keys shaded, each C and each named row with its name."""
    rows, right = frame.rows, WIDTH - RIGHT
    keys = [(KEYS, pitch) for pitch in rows.keys]
    for row in [key for key in keys if key[1] % 12 in BLACK_KEYS] + list(rows.named)[1::2]:
        canvas.rectangle(frame.left, right, *frame.y(*row), rgb(KEY_SHADE))
    octaves = {key: f"C{key[1] // 12 - 1}" for key in keys if key[1] % 12 == 0}
    for row in octaves:
        bottom = frame.y(*row)[1]
        canvas.rectangle(frame.left, right, bottom - 1, bottom, rgb(LINE))
    size = NAME if rows.named else SMALL
    for row, name in (octaves | dict(rows.named)).items():
        canvas.text(name, frame.left - 9, sum(frame.y(*row)) / 2 + 0.36 * size, size, rgb(QUIET), anchor=1)


def _draw_lines(canvas: Canvas, frame: _Frame, panel: Panel) -> None:
    beats = set(range(0, panel.steps, panel.beat) if panel.beat else ()) - set(panel.bar_lines)
    for lines, width, colour in ((beats, BEAT_WIDTH, BEAT), (panel.bar_lines, BAR_WIDTH, LINE)):
        for step in lines:
            x = frame.x(step)
            canvas.rectangle(x - width / 2, x + width / 2, frame.top, frame.bottom, rgb(colour))


def _draw_notes(canvas: Canvas, frame: _Frame, notes: GridNotes, colour: Colour) -> None:
    colours = [voiced(colour, voice) for voice in range(notes.voice.max(initial=0) + 1)]
    late = notes.offset / PARTS
    columns = (notes.voice, notes.pitch, notes.velocity, notes.start + late, notes.end + late)
    for voice, pitch, velocity, start, end in zip(*(column.tolist() for column in columns), strict=True):
        own, strength = colours[voice], 0.45 + 0.55 * min(max(velocity / 100, 0), 1)
        gap = min(GAP_AFTER * frame.steps, 0.25 * (end - start))
        onset = min(ONSET * frame.steps, 0.3 * (end - start))
        rows = frame.y(voice, pitch, 0.86)
        canvas.rectangle(frame.x(start), frame.x(end - gap), *rows, 1 - strength * (1 - own))
        canvas.rectangle(frame.x(start), frame.x(start + onset), *rows, 0.6 * own)


def _rows(panels: Sequence[Panel]) -> _Rows:
    """One range of rows for all panels: the keys of voices without names, and below them each name that there is."""
    labels = panels[0].labels
    named = {(voice, pitch): name for voice, names in enumerate(labels) for pitch, name in names.items()}
    unnamed = [voice for voice, names in enumerate(labels) if not names]
    notes = GridNotes.joined([panel.notes for panel in panels])
    keys = _keys(notes.pitch if not labels else notes.pitch[np.isin(notes.voice, unnamed)])
    return _Rows(range(0) if named and not unnamed else keys, named)


def _keys(pitches: NDArray[np.int64]) -> range:
    """The pitches to show, with a little room around."""
    low, high = (int(pitches.min()), int(pitches.max())) if len(pitches) else (60, 72)
    spare = max(LEAST_ROWS - (high - low), 2) / 2
    return range(math.ceil(low - spare), math.floor(high + spare) + 1)


def _number_bars(canvas: Canvas, frame: _Frame, panel: Panel) -> None:
    bars = [step for step in panel.bar_lines if step < panel.steps]  # a line at the end starts no bar
    every = -(-len(bars) // MAX_BAR_NUMBERS) or 1
    for index in range(0, len(bars), every):
        number = str(index + 1) if index else "bar 1"
        canvas.text(number, frame.x(bars[index]), frame.bottom + 20, SMALL, rgb(INK))
