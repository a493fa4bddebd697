"""`musicvae interpolate`: two MIDI files → the tunes between them as MIDI, one joined file, a picture, and sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicvae_lite.cli.options import from_tunes, part_of
from musicvae_lite.cli.outputs import output_folder, prepare_output
from musicvae_lite.cli.tunes import Row, tell, write_row, write_tunes

if TYPE_CHECKING:
    from musicvae_lite.corpus.clip import Clip
    from musicvae_lite.explore.morph import End, Morph, Options
    from musicvae_lite.tokens import Representation


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The folder to make.  [default: A-to-B]")
@from_tunes
@click.option(
    "--chords",
    help="Both tunes over these chords, one a bar, 'C G Am F', or as bars, 'C G | Am'.  [default: the songs' own]",
)
@click.option("--steps", type=click.IntRange(min=2), help="Tunes, both ends included.  [default: 8]")
@click.option("--path", type=click.Choice(["linear", "slerp"]), help="The way through latent space.  [default: linear]")
@click.option(
    "--spacing",
    type=click.Choice(["even", "uniform"]),
    help="even: neighbours differ by the same amount of music; uniform: equal steps in latent space.  [default: even]",
)
@click.option(
    "--pull",
    type=click.FloatRange(min=0),
    help="Nats by which tokens of A and B are preferred on the way.  [default: 8 for even, 0 for uniform]",
)
@click.option("--refine/--no-refine", default=None, help="Make the ends exactly the given tunes.  [default: refine]")
@click.option("--loop", is_flag=True, help="Repeat the shorter tune; without it, rests follow.")
@click.option("--temperature", type=click.FloatRange(min=0), help="0: always the likeliest.  [default: 0]")
@click.option("--seed", type=click.IntRange(min=0), help="For a temperature above 0.  [default: 0]")
def interpolate(
    a: Path, b: Path, out: Path | None, force: bool, model: str, wav: bool, chords: str | None, **given: Any
) -> None:
    """Write the tunes that lie between the tunes of the MIDI files A and B.

    \b
    Examples:
      musicvae interpolate a.mid b.mid --steps 8
      musicvae interpolate a.mid b.mid --wav --out morph/
      musicvae interpolate a.mid b.mid --start-bar 9 --bars 8 --track MELODY
    """
    folder = prepare_output(out or Path(f"{a.stem}-to-{b.stem}"), force)
    from musicvae_lite import api
    from musicvae_lite.corpus.clip import over_chords
    from musicvae_lite.explore.morph import Options

    part = part_of(given)
    options = Options(**{name: value for name, value in given.items() if value is not None})
    loaded = api.load(model)
    clips = [loaded.clip(path, part) for path in (a, b)]
    for path, clip in zip((a, b), clips, strict=True):
        tell(path, clip, loaded.meters, loaded.representation)
    if chords:
        clips = [over_chords(clip, chords, loaded.representation) for clip in clips]
    morph = loaded.morph(clips[0], clips[1], options)
    for path, clip, end in zip((a, b), clips, morph.ends, strict=True):
        _tell_end(path, end, options)
        if shorter := morph.bars - clip.bars:
            then = "repeated" if options.loop else "rests follow"
            click.echo(f"{path.name}: {_count(shorter, 'bar')} shorter, {then}")
    with output_folder(folder, force) as made:
        _write(morph, clips[0], loaded.representation, made, f"{a.stem} → {b.stem}", wav)
    sound = ", morph.wav" if wav else ""
    click.echo(f"{folder}/: {options.steps} tunes, morph.mid (all of them in a row), morph.png{sound}")


def _write(morph: Morph, clip: Clip, form: Representation, folder: Path, title: str, wav: bool) -> None:
    from musicvae_lite.rendering.pianoroll import step_title

    write_tunes(morph.songs, folder)
    titles = [step_title(number, len(morph.steps)) for number in range(1, len(morph.steps) + 1)]
    row = Row("morph", morph.songs, morph.steps, titles, morph.bars)
    write_row(row, clip, form, folder, title, wav)


def _tell_end(path: Path, end: End, options: Options) -> None:
    """Whether what is heard at that end is the tune that was given."""
    taken = f"after {_count(end.refinements, 'step')}"
    if end.differ:
        why = f"at temperature {options.temperature:g}" if options.temperature else taken
        told = "1 token differs" if end.differ == 1 else f"{end.differ} tokens differ"
        click.echo(f"{path.name}: {told} {why if options.refine or options.temperature else '(--no-refine)'}")
    elif end.refinements:
        click.echo(f"{path.name}: {_count(end.differed, 'token')} differed, exact {taken}")
    else:
        click.echo(f"{path.name}: exact")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
