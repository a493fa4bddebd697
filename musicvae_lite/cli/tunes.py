"""What commands that go from tunes to tunes share: saying what was taken, and writing what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from musicvae_lite.tokens import has_touch

if TYPE_CHECKING:
    from musicvae_lite.corpus.clip import Clip
    from musicvae_lite.music.grid import GridNotes
    from musicvae_lite.music.notes import Meter, Song
    from musicvae_lite.tokens import Representation

OFF_GRID_TO_MENTION = 0.3


class Row(NamedTuple):
    """Tunes that are heard one behind the other, and seen one below the other."""

    name: str  # of the files without their endings
    songs: Sequence[Song]
    steps: Sequence[GridNotes]
    titles: Sequence[str]
    bars: int  # of each


def tell(path: Path, clip: Clip, known: tuple[Meter, ...], form: Representation) -> None:
    """Which tune was taken, and what stands in the model's way: never a silent choice."""
    end = clip.start_bar + clip.bars - 1
    click.echo(f"{path.name}: bars {clip.start_bar} to {end} in {clip.meter}, {clip.track}")
    if known and clip.meter not in known:
        click.echo(
            f"{path.name}: in {clip.meter}, and this model has learned from {', '.join(map(str, known))} only: what "
            "comes of it may not keep the meter; read the file in another one with --meter, or take another model"
        )
    if clip.timing.off_grid > OFF_GRID_TO_MENTION and not has_touch(form):
        click.echo(
            f"{path.name}: {clip.timing.off_grid:.0%} of the onsets lie between the grid's {clip.steps_per_quarter} "
            f"steps a quarter and are moved to the nearest, by {clip.timing.moved:.2f} of a step on average: where "
            "that is too much, quantise the file first"
        )


def write_tunes(songs: Sequence[Song], folder: Path) -> list[str]:
    """A MIDI file a song, numbered from 1; their names without the ending."""
    from musicvae_lite.music.midi import write

    digits = max(2, len(str(len(songs))))
    names = [f"{number:0{digits}}" for number in range(1, len(songs) + 1)]
    for name, song in zip(names, songs, strict=True):
        write(song, folder / f"{name}.mid")
    return names


def write_row(row: Row, clip: Clip, form: Representation, folder: Path, title: str, wav: bool) -> None:
    """All tunes in one MIDI file, in one picture, and with `wav` in one sound; meter and grid are those of `clip`."""
    from musicvae_lite.music.grid import bar_steps, beat_steps
    from musicvae_lite.music.medley import medley
    from musicvae_lite.music.midi import write
    from musicvae_lite.rendering import pianoroll

    bar, beat = (steps(clip.meter, clip.steps_per_quarter) for steps in (bar_steps, beat_steps))
    length = row.bars * bar
    whole, markers = medley(row.songs, length / clip.steps_per_quarter, row.name)
    write(whole, folder / f"{row.name}.mid", markers=markers)
    lines = tuple(range(0, length + 1, bar))
    panels = [
        pianoroll.Panel(heading, notes, length, lines, form.LABELS, beat)
        for heading, notes in zip(row.titles, row.steps, strict=True)
    ]
    pianoroll.draw(panels, folder / f"{row.name}.png", title)
    if wav:
        from musicvae_lite.rendering.audio import render, write_wav

        write_wav(folder / f"{row.name}.wav", render(whole))
