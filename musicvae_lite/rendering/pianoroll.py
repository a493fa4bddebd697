"""Notes on the grid → a PNG of piano rolls, one below the other on the same pitches: a morph at a glance.

The colour runs from the first panel's to the last one's; the dark front edge of a note is its onset, so repeated notes
stay apart; louder notes are stronger in colour. Voices whose pitches have names, as drums have, get a row for each
name, below the keys of the others.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.grid import PARTS, GridNotes
from musicvae_lite.rendering.figures import INK, LINE, PAPER, QUIET, figure, heading, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Teal to vermilion by way of violet: a straight line between the two would pass through grey.
COLOURS = ((0.05, 0.47, 0.62), (0.49, 0.30, 0.58), (0.89, 0.35, 0.17))
KEY_SHADE = "#f1f2f5"  # rows of black keys
BLACK_KEYS = (1, 3, 6, 8, 10)
WIDTH, PANEL_HEIGHT, MARGIN = 10.0, 1.0, 0.65  # inches
KEYS_LEFT, NAMES_LEFT = 0.05, 0.085  # share of the width for what is written beside the rows
NAME_SIZE = 5.5  # points
LEAST_ROWS = 12  # semitones shown at least
MAX_BAR_NUMBERS = 24
MAX_PANELS = 200
# Widths as shares of a panel, so that they look alike in two bars and in sixty-four.
ONSET, GAP, LEFT_EDGE = 0.006, 0.003, 0.006


@dataclass(frozen=True)
class Panel:
    """One piano roll: notes over steps 0 … `steps`-1, and the steps at which bars start."""

    title: str
    notes: GridNotes
    steps: int
    bar_lines: tuple[int, ...] = ()
    labels: tuple[Mapping[int, str], ...] = ()  # of each voice, pitch → name from below; none: piano keys


@dataclass(frozen=True)
class _Rows:
    """Where notes are drawn: `keys` are pitches at their own height, `named` is (voice, pitch) → (height, name)."""

    keys: range
    named: Mapping[tuple[int, int], tuple[int, str]]

    def heights(self, notes: GridNotes) -> NDArray[np.float64]:
        """The height of each note: [n]."""
        pairs = zip(notes.voice.tolist(), notes.pitch.tolist(), strict=True)
        return np.array([self.named[pair][0] if pair in self.named else pair[1] for pair in pairs], np.float64)


def step_title(number: int, count: int) -> str:
    """The title of step `number` of `count`, counted from 1 with both ends: "3: 29 % of the way"."""
    return f"{number}: {round(100 * (number - 1) / max(count - 1, 1))} % of the way"


def draw(panels: Sequence[Panel], path: str | os.PathLike[str], title: str = "") -> None:
    """Write `panels` from top to bottom as a PNG, at `path`, complete or not at all; at least one, at most 200."""
    if not 1 <= len(panels) <= MAX_PANELS:
        raise MusicVAEError(f"{len(panels)} piano rolls to draw: expected 1 to {MAX_PANELS}")
    fig = figure(WIDTH, PANEL_HEIGHT * len(panels) + MARGIN)
    below, above = (inches / fig.get_figheight() for inches in (0.35, 0.62 if title else 0.3))
    rows = fig.subplots(len(panels), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    rows_of = _rows(panels)
    fig.subplots_adjust(
        left=NAMES_LEFT if rows_of.named else KEYS_LEFT, right=0.985, bottom=below, top=1 - above, hspace=0.34
    )
    steps = max(1, *(panel.steps for panel in panels))
    for axes, panel, colour in zip(rows, panels, gradient(len(panels)), strict=True):
        _draw_panel(axes, panel, rows_of, colour, steps)
    rows[0].set_xlim(-LEFT_EDGE * steps, steps)
    _scale(rows, rows_of)
    _number_bars(rows[-1], max(panels, key=lambda panel: panel.steps))
    if title:
        heading(fig, title)
    save(fig, path)


def gradient(count: int) -> NDArray[np.float64]:
    """Red, green, blue in 0 … 1 of each panel from the first to the last: [count, 3]."""
    position, stops = np.linspace(0, 1, count), np.array(COLOURS)
    return np.stack([np.interp(position, np.linspace(0, 1, len(stops)), channel) for channel in stops.T], axis=1)


def _draw_panel(axes: Axes, panel: Panel, rows: _Rows, colour: NDArray[np.float64], steps: int) -> None:
    notes, height = panel.notes, rows.heights(panel.notes)
    strength = 0.45 + 0.55 * np.clip(notes.velocity / 100, 0, 1)[:, None]
    fill = 1 - strength * (1 - colour)
    lengths, left = notes.end - notes.start, notes.start + notes.offset / PARTS
    gap, onset = np.minimum(GAP * steps, 0.25 * lengths), np.minimum(ONSET * steps, 0.3 * lengths)
    axes.barh(height, lengths - gap, left=left, height=0.86, color=fill, zorder=3)
    axes.barh(height, onset, left=left, height=0.86, color=colour * 0.6, zorder=4)
    axes.vlines(panel.bar_lines, 0, 1, transform=axes.get_xaxis_transform(), color=LINE, linewidth=0.9, zorder=2)
    axes.set_title(panel.title, loc="left", fontsize=9, color=tuple(colour * 0.75), pad=3, parse_math=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, labelsize=7, labelcolor=QUIET)
    axes.set_facecolor(PAPER)


def _rows(panels: Sequence[Panel]) -> _Rows:
    """One range of rows for all panels: the keys of voices without names, and below them each name that there is."""
    labels = panels[0].labels
    named = [(voice, *item) for voice, names in enumerate(labels) for item in names.items()]
    unnamed = [voice for voice, names in enumerate(labels) if not names]
    notes = GridNotes.joined([panel.notes for panel in panels])
    keys = _keys(notes.pitch if not labels else notes.pitch[np.isin(notes.voice, unnamed)])
    if named and not unnamed:
        keys = range(0)
    lowest = keys.start - len(named) - 1 if len(keys) else 0
    return _Rows(keys, {(voice, pitch): (lowest + i, name) for i, (voice, pitch, name) in enumerate(named)})


def _keys(pitches: NDArray[np.int64]) -> range:
    """The pitches to show, with a little room around."""
    low, high = (int(pitches.min()), int(pitches.max())) if len(pitches) else (60, 72)
    spare = max(LEAST_ROWS - (high - low), 2) / 2
    return range(math.ceil(low - spare), math.floor(high + spare) + 1)


def _scale(axes_of_panels: Iterable[Axes], rows: _Rows) -> None:
    """The same rows for all panels, the black keys shaded, each C and each named row with its name."""
    octaves = {float(pitch): f"C{pitch // 12 - 1}" for pitch in rows.keys if pitch % 12 == 0}
    names = {float(height): name for height, name in rows.named.values()}
    heights = [*rows.keys, *names]
    for axes in axes_of_panels:
        axes.set_ylim(min(heights) - 0.5, max(heights) + 0.5)
        axes.set_yticks([*octaves, *names], [*octaves.values(), *names.values()])
        if names:
            axes.tick_params(axis="y", labelsize=NAME_SIZE)
        for height in [pitch for pitch in rows.keys if pitch % 12 in BLACK_KEYS] + list(names)[1::2]:
            axes.axhspan(height - 0.5, height + 0.5, color=KEY_SHADE, linewidth=0, zorder=0)
        for height in octaves:
            axes.axhline(height - 0.5, color=LINE, linewidth=0.4, zorder=1)


def _number_bars(axes: Axes, panel: Panel) -> None:
    bars = [step for step in panel.bar_lines if step < panel.steps]  # a line at the end starts no bar
    every = -(-len(bars) // MAX_BAR_NUMBERS) or 1
    numbers = [str(number) for number in range(1, len(bars) + 1, every)]
    axes.set_xticks(bars[::every], ["bar 1", *numbers[1:]] if numbers else [])
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("left")
        label.set_color(INK)
