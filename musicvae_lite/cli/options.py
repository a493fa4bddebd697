"""What several commands share: how a track and a meter are written, and a bar for work that takes a while."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from musicvae_lite.music.notes import Meter
from musicvae_lite.pretrained.registry import DEFAULT

if TYPE_CHECKING:
    from musicvae_lite.corpus.clip import Part
    from musicvae_lite.corpus.scan import Progress


def number_or_name(_: click.Context, __: click.Parameter, value: str | None) -> int | str | None:
    """The callback of a --track option: digits are a number, anything else is a name."""
    return int(value) if value is not None and value.isdecimal() else value


def as_meter(_: click.Context, __: click.Parameter, value: str | None) -> Meter | None:
    """The callback of a --meter option: "6/8" is Meter(6, 8)."""
    if value is None:
        return None
    found = re.fullmatch(r"([1-9]\d?)/(1|2|4|8|16|32)", value)
    if not found:
        raise click.BadParameter(f"{value!r} is not a meter: expected one like 4/4, 3/4 or 6/8")
    return Meter(int(found[1]), int(found[2]))


def from_tunes(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a command that makes a folder of tunes out of parts of others; `part_of` reads some of them."""
    for option in reversed(_FROM_TUNES):
        command = option(command)
    return command


_FROM_TUNES = (
    click.option("--force", is_flag=True, help="Replace files that are in that folder already."),
    click.option(
        "--model", default=DEFAULT, show_default=True, help="A bundled model's name, a file, or a run folder."
    ),
    click.option("--wav", is_flag=True, help="Render sound of all tunes in a row as well."),
    click.option(
        "--start-bar", type=click.IntRange(min=1), help="First bar, from 1.  [default: where the tune starts]"
    ),
    click.option("--bars", type=click.IntRange(min=1), help="How many bars to use.  [default: to the tune's end]"),
    click.option("--meter", callback=as_meter, help="Read what is given in this meter, such as 4/4."),
    click.option("--track", callback=number_or_name, help="The tune's track, by number (from 0) or name."),
)


def part_of(given: dict[str, Any]) -> Part:
    """The part that is meant, taken out of the values of `from_tunes`."""
    from musicvae_lite.corpus.clip import Part

    return Part(**{name: given.pop(name) for name in ("start_bar", "bars", "track", "meter")})


@contextmanager
def progress_bar(what: str) -> Iterator[Progress | None]:
    """A function of (done, in all) that draws a bar on stderr; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, in_all: bar.update(task, completed=done, total=in_all)
