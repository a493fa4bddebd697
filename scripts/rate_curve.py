"""Accuracy against rate: how well windows come back when z may carry 160, 120, 80, 58, 30 bits of them.

    python scripts/rate_curve.py corpus/ curve/            # the recipe of the bundled models
    python scripts/rate_curve.py corpus/ curve/ --plain    # as MusicVAE has it: z at every step alike, no meter

One training at the widest rate, then a shorter one for each narrower rate, each from the weights of the one before.
Prints a row a rate, measured on held-out windows; interrupted, it goes on with the first rate that is not done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import click

from musicvae_lite.corpus.prepare import prepare
from musicvae_lite.corpus.scan import Settings
from musicvae_lite.corpus.store import Corpus
from musicvae_lite.evaluation import heldout
from musicvae_lite.model.checkpoint import load
from musicvae_lite.model.codec import codec
from musicvae_lite.training import precision, state
from musicvae_lite.training.loop import train
from musicvae_lite.training.recipe import Preset, preset

RATES = (250.0, 160.0, 120.0, 80.0, 58.0, 30.0)  # bits a window; the first is where the widest training starts
WINDOWS = 2000
COLUMNS = ("kl_bits", "teacher_forced", "free_t0", "free_t1", "onset_f1", "exact", "constant", "shuffled_z")
PLAIN = {"metrical_positions": False, "view_rank": 0, "noise_conditioning": False}


def curve(chosen: Preset, corpus: Corpus, folder: Path, steps: tuple[int, int]) -> Iterator[dict[str, float]]:
    """The figures at each rate, the widest first; `steps` of the first training and of each that follows."""
    windows = heldout.sample_windows(corpus.heldout, WINDOWS)
    before: Path | None = None
    for wide, rate in pairwise(RATES):
        run = folder / f"{rate:g}"
        if not (run / "done").exists():
            recipe = replace(
                chosen.recipe, steps=steps[before is not None], validations=1, first_free_bits=wide, free_bits=rate
            )
            _train(Preset(chosen.config, recipe), corpus, run, before)
        model = load(run).model
        yield {"bits": rate, **heldout.scores(heldout.run(codec(model), windows), model.config.representation)}
        before = run


def _train(chosen: Preset, corpus: Corpus, run: Path, before: Path | None) -> None:
    """Train into `run`, from the weights in `before` at a third of the learning rate if there are any."""
    recipe = chosen.recipe
    if before:
        recipe = replace(recipe, peak_learning_rate=recipe.peak_learning_rate / 3, begin=str(before))
    begun = state.start(chosen.config, recipe, precision.device("cpu"))
    train(begun, corpus.train, corpus.heldout, run, keep=lambda *_: {})
    (run / "done").touch()


@click.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--plain", is_flag=True, help="Without metrical positions, views of z, or noise.")
@click.option("--preset", "name", default="melody-2bar", show_default=True)
@click.option(
    "--steps", type=(int, int), default=(3000, 1200), show_default=True, help="At the widest rate, at others."
)
def main(corpus: Path, folder: Path, plain: bool, name: str, steps: tuple[int, int]) -> None:
    """Train on CORPUS at one rate after another, into FOLDER, and print the accuracy at each."""
    chosen = preset(name, config=PLAIN if plain else None)
    config = chosen.config
    prepared = prepare(corpus, Settings(config.representation, config.bars, config.steps_per_quarter))
    click.echo("| bits allowed | " + " | ".join(COLUMNS) + " |")
    click.echo("|" + "---|" * (len(COLUMNS) + 1))
    for row in curve(chosen, prepared, folder, steps):
        click.echo(f"| {row['bits']:g} | " + " | ".join(f"{row[column]:.3f}" for column in COLUMNS) + " |")


if __name__ == "__main__":
    main()
