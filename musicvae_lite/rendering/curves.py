"""Rows of measurements → a PNG of curves over training steps, one panel a unit."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

from musicvae_lite.rendering.figures import INK, LINE, QUIET, figure, heading, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[str, object]
Points = list[tuple[float, float]]

WIDTH, PANEL_HEIGHT = 9.0, 2.4  # inches
COLOURS = ("#0d789e", "#e3592b", "#7d4d94", "#4f9d5d", "#c99a1e", "#8a5a44", "#6b7280", "#d2527f")
FEW = 30  # points: so few that each one is marked


# Panel → measurement → what the legend calls it; measurements that are not here (minutes …) are not drawn.
PANELS: Mapping[str, Mapping[str, str]] = {
    "held-out windows: share that is right": {
        "teacher_forced": "tokens, teacher-forced",
        "free_t0": "tokens, free-running",
        "free_t1": "same, temperature 1",
        "shuffled_z": "same, z shuffled",
        "constant": "constant answer",
        "onset_f1": "onsets (F1)",
        "exact": "whole windows",
    },
    "cross-entropy: bits a window": {"train_bits": "training", "nll_bits": "held-out"},
    "KL: bits a window": {"kl_bits": "held-out"},
    "dimensions in use": {"active_units": "active units"},
}


def draw_curves(rows: Sequence[Row], path: str | os.PathLike[str], title: str = "") -> None:
    """Write the curves of `rows` as a PNG: each row has a `step` and measurements by name, and may lack some.

    What is not a finite number is left out; without anything to draw, the picture is one empty panel.
    """
    curves = _curves(rows)
    panels = {
        panel: members
        for panel, labels in PANELS.items()
        if (members := {labels[name]: curves[name] for name in labels if name in curves})
    } or {"nothing measured yet": {}}
    fig = figure(WIDTH, PANEL_HEIGHT * len(panels) + 1)
    axes = fig.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    below, above = (inches / fig.get_figheight() for inches in (0.5, 0.75 if title else 0.4))
    fig.subplots_adjust(left=0.08, right=0.77, bottom=below, top=1 - above, hspace=0.32)
    for each, (panel, members) in zip(axes, panels.items(), strict=True):
        _draw_panel(each, panel, members)
    axes[-1].set_xlabel("step", color=QUIET, fontsize=9)
    if title:
        heading(fig, title)
    save(fig, path)


def _curves(rows: Sequence[Row]) -> dict[str, Points]:
    """(step, value) of each measurement, where both are finite numbers."""
    curves: dict[str, Points] = {}
    for row in rows:
        for name, value in row.items():
            step = row.get("step")
            if isinstance(step, int) and isinstance(value, int | float) and math.isfinite(value):
                curves.setdefault(name, []).append((step, value))
    return curves


def _draw_panel(axes: Axes, title: str, curves: Mapping[str, Points]) -> None:
    for colour, (label, points) in zip(cycle(COLOURS), curves.items(), strict=False):
        steps, values = zip(*points, strict=True)
        marker = "o" if len(points) <= FEW else ""
        axes.plot(steps, values, color=colour, label=label, linewidth=1.6, marker=marker, markersize=3)
    if curves:
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=8, labelcolor=INK)
    axes.set_title(title, loc="left", fontsize=9, color=INK)
    axes.grid(visible=True, color="#e6e8ec", linewidth=0.7)
    axes.tick_params(length=0, labelsize=8, labelcolor=QUIET)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(LINE)
