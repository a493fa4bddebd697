"""The options that say how a corpus is made: the fields of `corpus.scan.Settings`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from musicvae_lite.cli.options import number_or_name
from musicvae_lite.corpus.scan import Settings
from musicvae_lite.tokens import REPRESENTATIONS

C = TypeVar("C", bound=Callable[..., Any])

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
