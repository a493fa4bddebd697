"""`musicvae check`: what in a folder of MIDI would be used, and every reason why something would not be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from musicvae_lite.cli.corpus_options import corpus_options
from musicvae_lite.cli.options import progress_bar
from musicvae_lite.corpus.prepare import assemble, prepare
from musicvae_lite.corpus.report import MUCH_OFF_GRID, Report, counted
from musicvae_lite.corpus.scan import Progress, Settings, scan
from musicvae_lite.tokens import has_touch, representation

if TYPE_CHECKING:
    from rich.table import Table
FINER_HELPS = 0.5  # a finer grid is worth trying where it leaves less than this share of the onsets off it


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@corpus_options
@click.option(
    "--verbose", is_flag=True, help="Name every file that is not used, and the track taken in those that are."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def check(folder: Path, verbose: bool, as_json: bool, **settings: Any) -> None:
    """Show what in FOLDER would be used for training, and the reason for everything that would not.

    FOLDER is searched with all folders in it for .mid, .midi and .kar; a single file will do as well.

    \b
    Examples:
      musicvae check midi/
      musicvae check midi/ --verbose --steps-per-quarter 12
      musicvae check song.mid --track 3
      musicvae check beats/ --representation drums
    """
    with progress_bar("reading") as progress:
        report = _report(folder, Settings(**settings), progress)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
        return
    _print_tables(report, Settings(**settings))
    for line in _advice(report, Settings(**settings)):
        click.echo(line)
    if verbose or folder.is_file():
        _print_files(report)


def _report(path: Path, settings: Settings, progress: Progress | None) -> Report:
    """The report of a folder, or of a single file as if it were alone in one."""
    if not path.is_file():
        return prepare(path, settings, progress=progress).report
    outcomes = scan(path.parent, [path.name], settings, progress)
    return assemble({path.name: outcomes[0]}, settings).report


def _print_tables(report: Report, settings: Settings) -> None:
    from rich.console import Console

    console = Console(markup=False, highlight=False)
    console.print("used", _table(_used(report, settings), "left"))
    for title, counts in (("files not used", report.reasons), ("windows not used", report.left_out)):
        if counts:
            console.print(title, _table({reason: f"{count:,}" for reason, count in counts.items()}, "right"))


def _table(rows: Mapping[str, str], justify: Literal["left", "right"]) -> Table:
    from rich.table import Table

    table = Table(show_header=False)
    table.add_column(overflow="fold")
    table.add_column(justify=justify, overflow="fold")
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _used(report: Report, settings: Settings) -> dict[str, str]:
    split = ", by the official split that is there" if report.official else ""
    return {
        "files": f"{report.used:,} of {report.files:,}",
        "tunes": f"{report.tunes:,} (distinct by their beginnings, in any key)",
        "windows": f"{report.windows:,} of {settings.bars} bars, {report.held_out:,} of them held out{split}",
        **{f"  {meter}": f"{windows:,}" for meter, windows in report.meters.items()},
        "off the grid": f"{report.off_grid:.1%} of the onsets" if report.used else "–",
        **({"voices lent": f"{counted(report.lent)} (files that have not all voices)"} if report.lent else {}),
        "instruments": counted(report.instruments) or "–",
    }


def _advice(report: Report, settings: Settings) -> Iterator[str]:
    """What to do where a lot of the music would be moved to the grid or is not used at all."""
    if not has_touch(representation(settings.representation)):
        yield from _off_grid(report, settings)
    if not report.used:
        yield "Nothing here can be trained on."


def _off_grid(report: Report, settings: Settings) -> Iterator[str]:
    """What becomes of onsets between the steps, for tokens that have none there."""
    finer = f"try --steps-per-quarter {settings.steps_per_quarter * 3} (triplets)"
    if report.off_grid > MUCH_OFF_GRID and report.off_finer_grid > FINER_HELPS * report.off_grid:
        yield (
            f"{report.off_grid:.0%} of the onsets lie between the grid's {settings.steps_per_quarter} steps a quarter,"
            f" as people play: each is moved to the nearest step, by {report.moved:.2f} of a step on average. If the"
            " performance is free of a beat, quantise the files first."
        )
    elif report.off_grid > MUCH_OFF_GRID:
        yield (
            f"{report.off_grid:.0%} of the onsets lie between the grid's {settings.steps_per_quarter} steps a quarter"
            f" and would be moved: {finer}, or quantise the files first."
        )
    elif report.loose:
        yield (
            f"{len(report.loose):,} files lie more than {MUCH_OFF_GRID:.0%} off the grid (--verbose names them):"
            f" {finer}, or quantise them first."
        )


def _print_files(report: Report) -> None:
    for path, reason in report.unused.items():
        click.echo(f"not used  {click.format_filename(path)}: {reason}")
    for path, choice in report.choices.items():
        loose = f", {report.loose[path]:.0%} off the grid" if path in report.loose else ""
        click.echo(f"used      {click.format_filename(path)}: {choice}{loose}")
