"""`musicvae sample`: new tunes out of a model as MIDI, a picture, and sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicvae_lite.cli.options import as_meter
from musicvae_lite.cli.outputs import output_folder, prepare_output
from musicvae_lite.cli.tunes import write_tunes
from musicvae_lite.pretrained.registry import DEFAULT

if TYPE_CHECKING:
    from musicvae_lite.explore.sample import Samples
    from musicvae_lite.inference.config import Config
    from musicvae_lite.music.notes import Meter


@click.command()
@click.option("-n", "--count", type=click.IntRange(min=1), help="How many tunes.  [default: 8]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("samples"), show_default=True)
@click.option("--force", is_flag=True, help="Replace files that are in that folder already.")
@click.option("--model", default=DEFAULT, show_default=True, help="A bundled model's name, a file, or a run folder.")
@click.option("--meter", callback=as_meter, help="Such as 3/4 or 6/8.  [default: 4/4]")
@click.option(
    "--prior",
    type=click.Choice(["fitted", "normal"]),
    help="fitted: where the tunes of the corpus lie; normal: N(0, I).  [default: fitted, if the model has it]",
)
@click.option(
    "--temperature", type=click.FloatRange(min=0), help="Of each token; 0: always the likeliest.  [default: 0.5]"
)
@click.option(
    "--level",
    type=click.FloatRange(0, 1),
    help="How roughly z is taken: 0 exactly, 1 not at all, only the model's idea of music.  [default: 0.5]",
)
@click.option(
    "--spread", type=click.FloatRange(min=0), help="Below 1 more usual tunes, above 1 stranger ones.  [default: 1]"
)
@click.option(
    "--chords",
    help="Chords to play over, one a bar, 'C G Am F', or as bars, 'C G | Am'. For a model that knows chords.",
)
@click.option("--seed", type=int, help="Another seed, other tunes.  [default: 0]")
@click.option("--wav", is_flag=True, help="Render sound as well, a WAV a tune.")
def sample(out: Path, force: bool, model: str, wav: bool, **given: Any) -> None:
    """Write new tunes, as long as the model's windows.

    \b
    Examples:
      musicvae sample -n 8
      musicvae sample -n 4 --meter 6/8 --seed 7 --wav --out jigs/
      musicvae sample --model runs/midi --temperature 1
    """
    folder = prepare_output(out, force)
    from musicvae_lite import api
    from musicvae_lite.explore.sample import Options
    from musicvae_lite.explore.sample import sample as draw

    options = Options(**{name: value for name, value in given.items() if value is not None})
    loaded = api.load(model)
    samples = draw(loaded.codec, loaded.density, options)
    _tell_prior(samples, options.meter, asked=options.prior is not None)
    config = loaded.config
    with output_folder(folder, force) as made:
        _write(samples, options.meter, config, made, wav)
    count, shown = len(samples.songs), f"samples.png{', a WAV of each' if wav else ''}"
    click.echo(f"{folder}/: {count} tunes of {config.bars} bars in {options.meter}, {shown}")


def _tell_prior(samples: Samples, meter: Meter, asked: bool) -> None:
    if samples.prior == "normal" and not asked:
        click.echo(
            "this model has no density fitted to its corpus: drawn from N(0, I), where few of the corpus's tunes lie"
        )
    if samples.like != meter:
        click.echo(f"no tune in {meter} was there to fit the density to: drawn as for {samples.like}")


def _write(samples: Samples, meter: Meter, config: Config, folder: Path, wav: bool) -> None:
    from musicvae_lite.music.grid import bar_steps, beat_steps
    from musicvae_lite.rendering import pianoroll
    from musicvae_lite.rendering.audio import render, write_wav
    from musicvae_lite.tokens import representation

    bar = bar_steps(meter, config.steps_per_quarter)
    lines = tuple(range(0, config.bars * bar + 1, bar))
    beat, labels = beat_steps(meter, config.steps_per_quarter), representation(config.representation).LABELS
    names = write_tunes(samples.songs, folder)
    for name, song in zip(names, samples.songs if wav else (), strict=False):
        write_wav(folder / f"{name}.wav", render(song))
    panels = [
        pianoroll.Panel(name, notes, config.bars * bar, lines, labels, beat)
        for name, notes in zip(names, samples.steps, strict=True)
    ]
    pianoroll.draw(panels[: pianoroll.MAX_PANELS], folder / "samples.png", f"New tunes in {meter}")
