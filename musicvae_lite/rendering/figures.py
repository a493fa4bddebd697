"""What all our pictures share: Matplotlib without its global state, colours, and a file written whole.

Matplotlib takes about a second to import, so it is imported where it is used.
"""

from __future__ import annotations

import io
import os
import warnings
from typing import TYPE_CHECKING

from musicvae_lite.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAPER = "#ffffff"
INK = "#2b2f36"
QUIET = "#7a828e"
LINE = "#9aa1ad"
DOTS_PER_INCH = 144


def figure(width: float, height: float) -> Figure:
    """An empty figure of that size in inches, drawn by Agg into memory: no window, no display, no pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    fig = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor=PAPER)
    FigureCanvasAgg(fig)
    return fig


def heading(fig: Figure, title: str) -> None:
    """A heading at the top left of the figure; the text is shown as it is, dollar signs too."""
    down = 0.12 / fig.get_figheight()
    fig.text(0.05, 1 - down, title, va="top", fontsize=12, weight="bold", color=INK, parse_math=False)


def save(fig: Figure, path: str | os.PathLike[str]) -> None:
    """Write the figure as a PNG, whatever the name ends in."""
    content = io.BytesIO()
    with warnings.catch_warnings():
        # A title is a file's name, in any script; a letter that the font lacks is a box, and no reason to complain.
        warnings.filterwarnings("ignore", message="Glyph")
        fig.savefig(content, format="png", metadata={"Software": None})
    write_bytes(path, content.getvalue())
