from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.rendering.pianoroll import Panel, draw, gradient, step_title, voiced

Image = NDArray[np.float32]


def line(*notes: tuple[int, int, int], velocity: int = 100) -> GridNotes:
    """Notes (pitch, start, end)."""
    pitch, start, end = np.array(notes, np.int64).reshape(-1, 3).T
    return GridNotes(pitch, np.full_like(pitch, velocity), start, end)


def drawn(path: Path, *panels: Panel, title: str = "") -> Image:
    draw(panels, path, title)
    image = np.asarray(imread(path), np.float32)
    return image[:, :, :3]


def like(image: Image, colour: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which pixels have a colour: [height, width]."""
    return np.asarray(np.abs(image - colour).max(2) < 0.02)


def runs(row: NDArray[np.bool_]) -> int:
    """How many stretches of True a row has."""
    return int(np.sum(np.diff(np.concatenate(([0], row.astype(int)))) == 1))


def test_titles_say_where_on_the_way_a_step_is() -> None:
    assert [step_title(n, 8) for n in (1, 3, 8)] == ["1: 0 % of the way", "3: 29 % of the way", "8: 100 % of the way"]
    assert step_title(1, 1) == "1: 0 % of the way"


def test_colours_go_from_the_first_panel_to_the_last_without_a_jump() -> None:
    colours = gradient(9)
    assert colours.shape == (9, 3)
    assert np.linalg.norm(colours[-1] - colours[0]) > 0.8
    assert np.linalg.norm(np.diff(colours, axis=0), axis=1).max() < 0.2


def test_two_repeated_notes_are_drawn_apart_and_a_held_one_whole(tmp_path: Path) -> None:
    colour = gradient(1)[0]

    def stretches(*notes: tuple[int, int, int]) -> int:
        image = drawn(tmp_path / "roll.png", Panel("", line(*notes), 32, (0, 16)))
        return max(runs(row) for row in like(image, colour))

    assert stretches((60, 0, 8)) == 1
    assert stretches((60, 0, 4), (60, 4, 8)) == 2


def test_panels_are_below_one_another_on_the_same_pitches_and_steps(tmp_path: Path) -> None:
    panels = [Panel("", line((pitch, start, start + 4)), 16, (0,)) for pitch, start in ((60, 0), (72, 0), (60, 12))]
    image = drawn(tmp_path / "roll.png", *panels)
    spots = [np.argwhere(like(image, colour)).mean(0) for colour in gradient(3)]
    (low_y, left), (high_y, also_left), (last_y, right) = spots
    assert low_y < high_y < last_y
    assert left == pytest.approx(also_left, abs=1)
    assert right > left + image.shape[1] / 2
    assert high_y - low_y < last_y - high_y  # a higher pitch is further up in its panel


def test_soft_notes_are_paler(tmp_path: Path) -> None:
    loud = drawn(tmp_path / "loud.png", Panel("", line((60, 0, 16), velocity=110), 16))
    soft = drawn(tmp_path / "soft.png", Panel("", line((60, 0, 16), velocity=30), 16))
    assert soft.mean() > loud.mean()
    assert not like(soft, gradient(1)[0]).any()


@pytest.mark.parametrize(
    "panels",
    [
        [Panel("nothing", line(), 32, (0, 16))],
        [Panel("no steps", line(), 0)],
        [Panel("long", line((0, 0, 4), (127, 1020, 1024)), 1024, tuple(range(0, 1024, 16)))],
        [Panel("two", line((60, 0, 4)), 24, (0, 12)), Panel("bars", line((60, 0, 4)), 32, (0, 16))],
    ],
)
def test_silence_and_extremes_are_drawn_too(tmp_path: Path, panels: list[Panel]) -> None:
    assert drawn(tmp_path / "roll.png", *panels).size


def test_titles_are_shown_as_they_are_whatever_they_contain(tmp_path: Path) -> None:
    plain = drawn(tmp_path / "plain.png", Panel("", line(), 16))
    odd = drawn(tmp_path / "odd.png", Panel(r"$5 \frac 旋律.mid", line(), 16), title=r"a_b $\x$")
    heading = slice(0, 45)
    assert plain[heading].min() > 0.9
    assert odd[heading].min() < 0.3


def test_a_picture_is_written_whole_and_only_where_it_can_be(tmp_path: Path) -> None:
    path = tmp_path / "roll.png"
    draw([Panel("a", line((60, 0, 4)), 16)], path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(MusicVAEError, match="cannot be written"):
        draw([Panel("a", line((60, 0, 4)), 16)], tmp_path / "missing" / "roll.png")


@pytest.mark.parametrize("count", [0, 201])
def test_no_panels_and_far_too_many_are_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(MusicVAEError, match=f"^{count} piano rolls"):
        draw([Panel("", line(), 16)] * count, tmp_path / "roll.png")


def test_a_line_at_the_end_closes_the_last_bar_and_starts_none(tmp_path: Path) -> None:
    opened = drawn(tmp_path / "open.png", Panel("", line((60, 0, 4)), 32, (0, 16)))
    closed = drawn(tmp_path / "closed.png", Panel("", line((60, 0, 4)), 32, (0, 16, 32)))
    below = slice(-35, None)  # where the bars are numbered
    assert np.array_equal(opened[below], closed[below])
    assert closed.mean() < opened.mean()


def test_drums_have_a_named_row_each_and_no_keys(tmp_path: Path) -> None:
    kit = {36: "kick", 38: "snare", 51: "ride"}
    beat = line((36, 0, 1), (51, 0, 1), (38, 4, 5))
    image = drawn(tmp_path / "beat.png", Panel("", beat, 16, (0,), (kit,)))
    rows = np.flatnonzero(like(image, gradient(1)[0]).any(1))
    assert runs(np.isin(np.arange(len(image)), rows)) == 3
    keys = drawn(tmp_path / "keys.png", Panel("", beat, 16, (0,)))
    assert len(rows) > 2 * like(keys, gradient(1)[0]).any(1).sum()  # three rows fill what fifteen keys did


def test_a_kick_lies_below_the_bass_note_of_its_number(tmp_path: Path) -> None:
    both = line((36, 0, 4), (36, 8, 9)).with_voices(np.array([0, 1]))
    image = drawn(tmp_path / "both.png", Panel("", both, 16, (0,), ({}, {36: "kick"})))
    bass, kick = (like(image, voiced(gradient(1)[0], voice)) for voice in (0, 1))
    assert np.flatnonzero(kick.any(1)).min() > np.flatnonzero(bass.any(1)).max()


def test_each_voice_has_a_colour_of_its_own(tmp_path: Path) -> None:
    colours = [voiced(gradient(1)[0], voice) for voice in range(4)]
    both = line(*((60, 4 * i, 4 * i + 4) for i in range(4))).with_voices(np.arange(4))
    image = drawn(tmp_path / "voices.png", Panel("", both, 16, (0,), ({}, {}, {}, {})))
    assert all(like(image, colour).any() for colour in colours)
    assert min(np.linalg.norm(a - b) for i, a in enumerate(colours) for b in colours[:i]) > 0.1


def test_beats_are_fainter_lines_between_the_bars(tmp_path: Path) -> None:
    plain, beaten = (drawn(tmp_path / "a.png", Panel("", line(), 32, (0, 16), (), beat)) for beat in (0, 4))
    changed = np.flatnonzero((plain != beaten).any((0, 2)))
    assert runs(np.isin(np.arange(plain.shape[1]), changed)) == 6
    assert beaten[:, changed].min() > plain.min()


def test_many_rows_make_a_panel_higher_so_that_each_can_be_read(tmp_path: Path) -> None:
    narrow = drawn(tmp_path / "a.png", Panel("", line((60, 0, 4), (67, 4, 8)), 16))
    wide = drawn(tmp_path / "b.png", Panel("", line((21, 0, 4), (108, 4, 8)), 16))
    assert len(wide) > len(narrow) + 200
    lines = np.flatnonzero(like(wide, gradient(1)[0]).any(1))
    assert runs(np.isin(np.arange(len(wide)), lines)) == 2
    assert len(lines) >= 6
