"""The page holds everything that it shows, and shows text as text."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.rendering.evaluation_page import Page, document, write
from musicvae_lite.rendering.pianoroll import Panel

PNG = b"\x89PNG\r\n\x1a\n"


def full_page() -> Page:
    random, steps = np.random.default_rng(0), np.linspace(1, 1.2, 8)
    column = np.array([60])
    notes = GridNotes(column, column, column * 0, column * 0 + 4)
    sets = {name: {"rest_share": random.random(50), "all_undefined": np.full(50, np.nan)} for name in ("real", "drawn")}
    return Page(
        title="melody-2bar on <midi>",
        facts=["100 of 200 windows"],
        rows=[("tokens", "95.1%", "constant 60%", "share of equal tokens")],
        by_meter={"4/4": {"free": 0.9, "shuffled": np.nan}, "3/4": {"free": 0.8, "shuffled": 0.5}},
        kl_by_dimension=np.array([3.0, 1.0, 0.0]),
        rates=[100.0, 60.0, 20.0],
        by_rate={"free": [0.99, 0.95, 0.8], "exact": [0.9, 0.6, np.nan]},
        descriptors=sets,
        overlaps={"drawn": {"rest_share": 0.8, "all_undefined": np.nan}},
        costs={"even": steps, "unknown": np.full(8, np.nan)},
        from_ends={"even": (steps, steps), "unknown": (steps, steps)},
        morph=[Panel("1", notes, 8), Panel("2", notes, 8)],
    )


def test_all_pictures_are_inside_the_page_and_nothing_is_fetched() -> None:
    page = document(full_page())
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(sources) == 6
    for source in sources:
        head, _, data = source.partition(",")
        assert head == "data:image/png;base64"
        assert base64.b64decode(data).startswith(PNG)
    assert "http" not in page
    assert "url(" not in page


def test_text_is_shown_as_text() -> None:
    page = document(Page("<b>", ["a & b"], [("<i>", "1", "", "")], warning="<u>"))
    assert "&lt;b&gt;" in page
    assert "a &amp; b" in page
    assert "<td>&lt;i&gt;</td>" in page
    assert '<p class="warning">&lt;u&gt;</p>' in page


def test_what_has_no_data_is_left_out() -> None:
    page = document(Page("title", [], []))
    assert "<figure>" not in page
    assert 'class="warning"' not in page


def test_the_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    page = Page("μ", [], [])
    write(page, tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == document(page)
    with pytest.raises(MusicVAEError, match="cannot be written"):
        write(page, tmp_path / "nowhere" / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
