"""The pictures of an evaluation, each as the bytes of a PNG: arrays in, no model."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.rendering.curves import COLOURS
from musicvae_lite.rendering.figures import INK, LINE, QUIET, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

WIDTH = 9.0  # inches
REAL = "#c9cfd8"
BINS = 20
COLUMNS = 3


def by_meter(shares: Mapping[str, Mapping[str, float]]) -> bytes:
    """Dots on a line a meter: every share that `shares` has for it, 0 … 1."""
    fig = figure(WIDTH, 0.9 + 0.28 * len(shares))
    axes = fig.subplots()
    kinds = list(next(iter(shares.values())))
    places = np.arange(len(shares))
    for kind, colour, marker in zip(kinds, COLOURS, cycle("oDs^v"), strict=False):
        values = [row[kind] for row in shares.values()]
        axes.plot(values, places, marker, color=colour, label=kind, markersize=6, linestyle="none")
    axes.set_yticks(places, list(shares))
    axes.set_ylim(len(shares) - 0.5, -0.5)
    axes.set_xlim(right=1.005)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=8, labelcolor=INK)
    _quiet(axes)
    return _png(fig)


def kl_by_dimension(bits: Floats) -> bytes:
    """A bar a dimension."""
    fig = figure(WIDTH, 2.2)
    axes = fig.subplots()
    axes.bar(np.arange(len(bits)), bits, width=0.9, color=COLOURS[0])
    axes.set_xlabel("dimension", color=QUIET, fontsize=8)
    axes.set_ylabel("bits", color=QUIET, fontsize=8)
    axes.set_xlim(-0.8, len(bits) - 0.2)
    _quiet(axes)
    return _png(fig)


def accuracy_by_rate(bits: Sequence[float], shares: Mapping[str, Sequence[float]]) -> bytes:
    """A line for each of `shares` over the bits a window that z carried."""
    fig = figure(WIDTH, 3.0)
    axes = fig.subplots()
    for (kind, values), colour in zip(shares.items(), COLOURS, strict=False):
        axes.plot(bits, values, color=colour, label=kind, marker="o", markersize=4)
    axes.set_xlabel("bits a window", color=QUIET, fontsize=8)
    axes.set_ylim(top=1.0)
    axes.legend(frameon=False, fontsize=8, labelcolor=INK)
    _quiet(axes)
    return _png(fig)


def along_the_way(costs: Mapping[str, Floats], from_ends: Mapping[str, tuple[Floats, Floats]]) -> bytes:
    """Two panels over the steps of a morph: cost relative to real music, and distance from either end."""
    fig = figure(WIDTH, 3.0)
    left, right = fig.subplots(1, 2)
    left.axhline(1, color=LINE, linewidth=0.8)
    for (kind, values), colour in zip(costs.items(), COLOURS, strict=False):
        left.plot(np.arange(1, len(values) + 1), values, color=colour, label=kind, marker="o", markersize=3)
        for end, style in zip(from_ends[kind], ("-", "--"), strict=True):
            right.plot(np.arange(1, len(end) + 1), end, style, color=colour, marker="o", markersize=3)
    left.set_title("cost of a step, real windows: 1", loc="left", fontsize=9, color=INK)
    right.set_title("distance from a (full) and b (dashed)", loc="left", fontsize=9, color=INK)
    left.legend(frameon=False, fontsize=8, labelcolor=INK)
    for axes in (left, right):
        axes.set_xlabel("step", color=QUIET, fontsize=8)
        _quiet(axes)
    return _png(fig)


def descriptors(sets: Mapping[str, Mapping[str, Floats]], overlaps: Mapping[str, Mapping[str, float]]) -> bytes:
    """A histogram a descriptor: the first set filled, the others as lines, with their overlapping areas."""
    (real, of_real), *others = sets.items()
    names = [name for name, values in of_real.items() if np.isfinite(values).any()]
    rows = -(-len(names) // COLUMNS)
    fig = figure(WIDTH, 1.9 * rows + 0.4)
    grid = fig.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes, name in zip(grid, names, strict=False):
        edges = _edges([of_real[name], *(values[name] for _, values in others)])
        axes.stairs(_shares(of_real[name], edges), edges, fill=True, color=REAL, label=real)
        for (kind, values), colour in zip(others, COLOURS[1:], strict=False):
            axes.stairs(_shares(values[name], edges), edges, color=colour, linewidth=1.4, label=kind)
        areas = ", ".join(f"{areas[name]:.2f}" for areas in overlaps.values())
        axes.set_title(f"{name.replace('_', ' ')}: {areas}", loc="left", fontsize=8, color=INK)
        axes.set_yticks([])
        _quiet(axes)
    for axes in grid[len(names) :]:
        axes.set_axis_off()
    handles, labels = grid[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="lower right", ncols=len(labels), frameon=False, fontsize=8, labelcolor=INK)
    return _png(fig, bottom=0.4 / fig.get_figheight())


def _edges(sets: Sequence[Floats]) -> Floats:
    known = np.concatenate(sets)
    known = known[np.isfinite(known)]
    low, high = np.percentile(known, [0.5, 99.5])
    return np.linspace(low, high if high > low else low + 1, BINS + 1)


def _shares(values: Floats, edges: Floats) -> Floats:
    """Share of all values in each bin; what lies beyond the edges is drawn in the outer bins."""
    known = np.clip(values[np.isfinite(values)], edges[0], edges[-1])
    return np.asarray(np.histogram(known, edges)[0] / max(len(values), 1), np.float64)


def _quiet(axes: Axes) -> None:
    axes.grid(visible=True, color="#e6e8ec", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8, labelcolor=QUIET)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(LINE)


def _png(fig: Figure, bottom: float = 0.0) -> bytes:
    fig.tight_layout(rect=(0, bottom, 1, 1))
    content = io.BytesIO()
    fig.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()
