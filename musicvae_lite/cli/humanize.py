"""`musicvae humanize`: a song with a stiff beat → the same song, its beat played as a drummer would."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicvae_lite.cli.options import as_meter, number_or_name
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.notes import Meter

if TYPE_CHECKING:
    from musicvae_lite.explore.humanize import Humanized
    from musicvae_lite.tokens import Representation

GROOVE = "groove-2bar"
OFF_GRID_TO_MENTION = 0.1
BARS_DRAWN = 8  # in more, what is early and what is late could not be told apart


@click.command()
@click.argument("beat", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The file to write.  [default: BEAT-humanized.mid]")
@click.option("--force", is_flag=True, help="Replace that file if it is there already.")
@click.option("--model", default=GROOVE, show_default=True, help="A bundled model's name, a file, or a run folder.")
@click.option(
    "--temperature", type=click.FloatRange(min=0), help="0: as drummers do on average; 1: as one of them.  [default: 0]"
)
@click.option(
    "--seed", type=click.IntRange(min=0), help="For a temperature above 0: another performance.  [default: 0]"
)
@click.option("--meter", callback=as_meter, help="Read the file in this meter, such as 4/4.")
@click.option("--track", callback=number_or_name, help="The drums' track, by number (from 0) or name.")
@click.option("--picture", is_flag=True, help="Draw the beat as given and as played: a PNG beside the file.")
@click.option("--wav", is_flag=True, help="Render sound as well: a WAV beside the file.")
def humanize(beat: Path, out: Path | None, force: bool, model: str, picture: bool, wav: bool, **given: Any) -> None:
    """Play the drums of the MIDI file BEAT with a drummer's loudness and timing.

    What is struck stays as it is, and so do tempo, meter and all other tracks; how loud, how early or late each stroke
    comes is the model's.

    \b
    Examples:
      musicvae humanize beat.mid
      musicvae humanize song.mid --temperature 1 --seed 3 --out take3.mid
      musicvae humanize beat.mid --model runs/groove --picture --wav
    """
    target = out or Path(f"{beat.stem}-humanized.mid")
    written = {".mid": True, ".png": picture, ".wav": wav}
    files = [target if suffix == ".mid" else target.with_suffix(suffix) for suffix, asked in written.items() if asked]
    _refuse_to_replace(files, beat, force)
    from musicvae_lite import api
    from musicvae_lite.explore.humanize import Options
    from musicvae_lite.music.midi import write

    loaded = api.load(model)
    options = Options(**{name: value for name, value in given.items() if value is not None})
    result = loaded.humanized(beat, options)
    _tell(beat, result, loaded.meters, loaded.representation)
    write(result.song, target)
    if picture:
        _draw(result, loaded.representation, target.with_suffix(".png"), beat.stem)
    if wav:
        from musicvae_lite.rendering.audio import render, write_wav

        write_wav(target.with_suffix(".wav"), render(result.song))
    click.echo(f"{', '.join(map(str, files))}: {_done(result)}")


def _refuse_to_replace(files: list[Path], beat: Path, force: bool) -> None:
    for file in files:
        if file.exists() and (not force or file.resolve() == beat.resolve()):
            raise MusicVAEError(f"{file}: there already: choose another name with --out{_or_force(file, beat)}")


def _or_force(file: Path, beat: Path) -> str:
    return "" if file.resolve() == beat.resolve() else ", or replace it with --force"


def _tell(path: Path, result: Humanized, known: tuple[Meter, ...], form: Representation) -> None:
    """What was taken, and what of it is lost or strange to the model: never a silent choice."""
    meters = tuple(dict.fromkeys(bar.meter for bar in result.bars))
    of = "; ".join(voice.choice for voice in result.voices)
    click.echo(f"{path.name}: {len(result.bars)} bars in {', '.join(map(str, meters))}, {of}")
    strange = [str(meter) for meter in meters if known and meter not in known]
    if strange:
        click.echo(
            f"{path.name}: in {', '.join(strange)}, and this model has learned from {', '.join(map(str, known))} only: "
            "where it puts accents may be wrong; read the file in another meter with --meter"
        )
    if result.timing.off_grid > OFF_GRID_TO_MENTION:
        click.echo(
            f"{path.name}: {result.timing.off_grid:.0%} of the strokes lie between the steps of the grid already: how "
            "early or late they are, triplets too, is replaced by what the model plays around the nearest step"
        )


def _done(result: Humanized) -> str:
    """For example: 64 strokes, velocities 34 to 118, 6 ms early on average, at most 31 ms from the grid."""
    strokes, late = result.after, result.late_ms
    return (
        f"{len(strokes)} strokes, velocities {strokes.velocity.min()} to {strokes.velocity.max()}, "
        f"{abs(late.mean()):.0f} ms {'early' if late.mean() < 0 else 'late'} on average, "
        f"at most {abs(late).max():.0f} ms from the grid"
    )


def _draw(result: Humanized, form: Representation, path: Path, title: str) -> None:
    from musicvae_lite.rendering import pianoroll

    bars = result.bars[:BARS_DRAWN]
    lines = (*(bar.start for bar in bars), bars[-1].end)
    shown = [notes.select(notes.start < bars[-1].end) for notes in (result.before, result.after)]
    panels = [
        pianoroll.Panel(name, form.decode(form.encode(notes, bars[-1].end)), bars[-1].end, lines, form.LABELS)
        for name, notes in zip(("as given", "as played"), shown, strict=True)
    ]
    pianoroll.draw(panels, path, title)
