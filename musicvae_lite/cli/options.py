"""What several commands share: how a track and a meter are written, and a bar for work that takes a while."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from musicvae_lite.music.notes import Meter

if TYPE_CHECKING:
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
