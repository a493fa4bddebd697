"""Figures of a model → one HTML page with its pictures inside: nothing else is needed to read it or to send it on."""

from __future__ import annotations

import base64
import html
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.files import write_bytes
from musicvae_lite.rendering import evaluation_charts as charts
from musicvae_lite.rendering import pianoroll
from musicvae_lite.rendering.figures import INK, PAPER, QUIET

Values = Mapping[str, NDArray[np.float64]]
HEADINGS = ("figure", "value", "beside it", "what it means")

STYLE = f"""
body {{ font: 15px/1.5 system-ui, sans-serif; color: {INK}; background: {PAPER}; max-width: 62em; margin: 2em auto; }}
body {{ padding: 0 1em; }}
h1 {{ font-size: 1.5em; margin-bottom: 0; }}
h2 {{ font-size: 1.1em; margin: 2em 0 .3em; }}
p, figcaption, td:nth-child(n+3) {{ color: {QUIET}; }}
p {{ margin: .2em 0; }}
.warning {{ color: #b3381c; }}
table {{ border-collapse: collapse; width: 100%; margin: 1em 0; }}
th, td {{ text-align: left; vertical-align: top; padding: .3em .8em .3em 0; border-bottom: 1px solid #e6e8ec; }}
th {{ font-weight: 600; font-size: .85em; color: {QUIET}; }}
td:nth-child(2) {{ font-weight: 600; white-space: nowrap; font-variant-numeric: tabular-nums; }}
figure {{ margin: 0; }}
img {{ max-width: 100%; height: auto; }}
"""


@dataclass(frozen=True, eq=False)
class Page:
    """What the page shows; a part without data is left out."""

    title: str
    facts: Sequence[str]  # a line each, under the title
    rows: Sequence[Sequence[str]]  # of the table, a cell for each of HEADINGS
    warning: str = ""
    by_meter: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # meter → what → share
    kl_by_dimension: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))  # bits, the largest first
    rates: Sequence[float] = ()  # bits a window, and at each of them …
    by_rate: Mapping[str, Sequence[float]] = field(default_factory=dict)  # … what → share
    descriptors: Mapping[str, Values] = field(default_factory=dict)  # set of windows → descriptor → values; first: real
    overlaps: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # set of samples → descriptor → area
    costs: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)  # kind of path → by step
    from_ends: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(default_factory=dict)
    morph: Sequence[pianoroll.Panel] = ()


def write(page: Page, path: str | os.PathLike[str]) -> None:
    """Write `page` as one HTML file, complete or not at all."""
    write_bytes(path, document(page).encode())


def document(page: Page) -> str:
    """The page as HTML text."""
    title = html.escape(page.title)
    facts = "".join(f"<p>{html.escape(fact)}</p>" for fact in page.facts)
    warning = f'<p class="warning">{html.escape(page.warning)}</p>' if page.warning else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n'
        f"<body><h1>{title}</h1>{facts}{warning}\n{_table(page.rows)}\n{_pictures(page)}</body></html>\n"
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{cell}</th>" for cell in HEADINGS)
    lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _pictures(page: Page) -> str:
    parts = []
    if page.by_meter:
        caption = "Share of equal tokens, beside what needs no z (constant) and what a wrong z gives (shuffled)."
        parts.append(_figure("Reconstruction by meter", charts.by_meter(page.by_meter), caption))
    if len(page.kl_by_dimension):
        caption = "Mean KL of each dimension of z, the largest first. Dimensions at 0 carry nothing."
        parts.append(_figure("What z carries", charts.kl_by_dimension(page.kl_by_dimension), caption))
    if page.rates:
        caption = "The same model, its decoder hearing z through more and more noise: what it can do with so many bits."
        parts.append(_figure("Accuracy by rate", charts.accuracy_by_rate(page.rates, page.by_rate), caption))
    if page.costs:
        caption = "Mean over pairs of unseen windows: 5-gram cost relative to real windows, and distance from each end."
        parts.append(_figure("The way from a to b", charts.along_the_way(page.costs, page.from_ends), caption))
    if page.descriptors:
        caption = "Distributions of the descriptors, real windows and samples; the number is the overlapping area."
        parts.append(_figure("Samples and the corpus", charts.descriptors(page.descriptors, page.overlaps), caption))
    if page.morph:
        caption = "Between two unseen windows: the first and the last are what they come back as."
        parts.append(_figure("A morph", _piano_rolls(page.morph), caption))
    return "\n".join(parts)


def _figure(title: str, png: bytes, caption: str) -> str:
    picture = base64.b64encode(png).decode()
    image = f'<img src="data:image/png;base64,{picture}" alt="{html.escape(title)}">'
    return f"<h2>{html.escape(title)}</h2><figure>{image}<figcaption>{html.escape(caption)}</figcaption></figure>"


def _piano_rolls(panels: Sequence[pianoroll.Panel]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "morph.png"
        pianoroll.draw(panels, path)
        return path.read_bytes()
