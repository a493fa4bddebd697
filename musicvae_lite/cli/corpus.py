"""`musicvae corpus …`: corpora that anyone can build, as ordinary MIDI files."""

from __future__ import annotations

from pathlib import Path

import click

from musicvae_lite.cli.options import progress_bar


@click.group()
def corpus() -> None:
    """Build a corpus of MIDI files to train on."""


@corpus.command(short_help="Thousands of folk tunes, with right bar lines.")
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--essen", is_flag=True, help="Add the Essen folk songs, whose encodings are for non-commercial use only."
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
def folk(out: Path, essen: bool, force: bool) -> None:
    """Write thousands of folk tunes below OUT, one MIDI file a tune, with right bar lines.

    The tunes are jigs, reels, airs and songs of the 18th and 19th century that come as ABC text with the package
    music21 (pip install "musicvae-lite[folk]"). A tune that cannot be laid out in bars is not written, and named.

    \b
    Example:
      musicvae corpus folk folk/
    """
    from musicvae_lite.corpus.folk import COLLECTIONS, ESSEN, build

    collections = (*COLLECTIONS, ESSEN) if essen else COLLECTIONS
    with progress_bar("tunes") as progress:
        built = build(out, collections=collections, force=force, progress=progress)
    for collection, (written, failed) in built.counts.items():
        click.echo(f"{collection:16}{written:7,} tunes{f', {failed:,} not written' if failed else ''}")
    for tune, reason in built.failures:
        click.echo(f"not written  {tune}: {reason}")
    click.echo(f"Next: musicvae check {out}, musicvae train {out}")
