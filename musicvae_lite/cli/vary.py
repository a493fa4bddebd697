"""`musicvae vary`: a MIDI file → variations of its tune as MIDI, one joined file, a picture, and sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicvae_lite.cli.options import from_tunes, part_of
from musicvae_lite.cli.outputs import output_folder, prepare_output
from musicvae_lite.cli.tunes import Row, tell, write_row, write_tunes

if TYPE_CHECKING:
    from musicvae_lite.corpus.clip import Clip
    from musicvae_lite.explore.vary import Variations
    from musicvae_lite.tokens import Representation


@click.command()
@click.argument("tune", type=click.Path(path_type=Path))
@click.option("-n", "--count", type=click.IntRange(1, 199), help="How many variations.  [default: 8]")
@click.option(
    "--amount",
    type=click.FloatRange(0, 1),
    help="How far from the tune, in tenths: 0 the tune itself, 1 a new one.  [default: 0.3]",
)
@click.option("--out", type=click.Path(path_type=Path), help="The folder to make.  [default: TUNE-varied]")
@from_tunes
@click.option(
    "--prior",
    type=click.Choice(["fitted", "normal"]),
    help="Towards tunes like those of the corpus, or of N(0, I).  [default: fitted, if the model has it]",
)
@click.option("--seed", type=click.IntRange(min=0), help="Another seed, other variations.  [default: 0]")
def vary(tune: Path, out: Path | None, force: bool, model: str, wav: bool, **given: Any) -> None:
    """Write variations of the tune of the MIDI file TUNE.

    What the tune repeats, a variation repeats; tempo, loudness and instruments stay. Each goes another way: a part of
    the way, by what is heard, towards a tune that the model makes up.

    \b
    Examples:
      musicvae vary tune.mid
      musicvae vary tune.mid -n 4 --amount 0.6 --wav --out far/
      musicvae vary song.mid --model trio-2bar --start-bar 9 --bars 8
    """
    folder = prepare_output(out or Path(f"{tune.stem}-varied"), force)
    from musicvae_lite import api
    from musicvae_lite.explore.vary import Options

    part = part_of(given)
    options = Options(**{name: value for name, value in given.items() if value is not None})
    loaded = api.load(model)
    clip = loaded.clip(tune, part)
    tell(tune, clip, loaded.meters, loaded.representation)
    found = loaded.variations(clip, options)
    with output_folder(folder, force) as made:
        _write(found, clip, loaded.representation, made, f"Variations of {tune.stem}", wav)
    least, most = (round(100 * share) for share in (min(found.changed), max(found.changed)))
    sound = ", variations.wav" if wav else ""
    click.echo(
        f"{folder}/: {options.count} variations, {least}-{most} % of the tune changed, variations.mid (the tune and "
        f"all of them in a row), variations.png{sound}"
    )


def _write(found: Variations, clip: Clip, form: Representation, folder: Path, title: str, wav: bool) -> None:
    write_tunes(found.songs, folder)
    changed = [f"{number}: {100 * share:.0f} % changed" for number, share in enumerate(found.changed, 1)]
    songs, steps = (found.tune_song, *found.songs), (found.tune, *found.steps)
    write_row(Row("variations", songs, steps, ["the tune", *changed], clip.bars), clip, form, folder, title, wav)
