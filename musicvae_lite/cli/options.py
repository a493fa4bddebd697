"""What several commands share: the options that say how a corpus is made, and a bar for work that takes a while."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from musicvae_lite.corpus.scan import Progress, Settings
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import REPRESENTATIONS

C = TypeVar("C", bound=Callable[..., Any])


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


CORPUS_OPTIONS = (
    click.option("--bars", type=click.IntRange(min=1), default=Settings.bars, show_default=True, help="In a window."),
    click.option(
        "--steps-per-quarter",
        type=click.IntRange(min=1),
        default=Settings.steps_per_quarter,
        show_default=True,
        help="The grid: 4 for sixteenths, 12 where there are triplets too.",
    ),
    click.option(
        "--track",
        callback=number_or_name,
        default=Settings.track,
        help="The track to take, by number (from 0) or name; without it the most tune-like one, or all drums.",
    ),
    click.option(
        "--representation",
        type=click.Choice(sorted(REPRESENTATIONS)),
        default=Settings.representation,
        show_default=True,
        help="What is taken of a file.",
    ),
)


def corpus_options(command: C) -> C:
    """`command` with the options that are the fields of `corpus.Settings`, under their names."""
    for option in reversed(CORPUS_OPTIONS):
        command = option(command)
    return command


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
