"""A conductor over bars against a flat decoder, each with and without positions in the meter and views of z by them.

    python scripts/compare_decoders.py corpus/ compared/ --bars 16 --steps 2000

Trainings of equal length on equal batches (Roberts et al. 2018, table 1: 0.812 with a conductor, 0.620 without, at
sixteen bars), and one of a flat decoder that looks back by bars. Flat decoders are as wide as it takes to have the
number of weights of the conductor's. Prints a row a model, measured on held-out windows; interrupted, it goes on with
the first that is not done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from musicvae_lite.corpus.prepare import prepare
from musicvae_lite.corpus.scan import Settings
from musicvae_lite.corpus.store import Corpus
from musicvae_lite.evaluation import heldout
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.stored import MODEL_FILE
from musicvae_lite.model.checkpoint import load
from musicvae_lite.model.codec import codec
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.training import precision, state
from musicvae_lite.training.loop import train
from musicvae_lite.training.recipe import Recipe

WINDOWS = 512
COLUMNS = ("teacher_forced", "free_t0", "free_t1", "onset_f1", "kl_bits", "constant", "shuffled_z")
WIDTHS = range(128, 1025, 8)  # of a flat decoder


def configs(bars: int, latent: int) -> dict[str, Config]:
    """The networks by name."""
    told = Config(bars=bars, latent=latent, conductor_hidden=384, noise_conditioning=False)
    plain = replace(told, metrical_positions=False, view_rank=0)
    looking_back = replace(told, conductor_hidden=0, lookback=3)
    return {
        "conductor": plain,
        "flat": as_large(plain),
        "conductor, positions and views": told,
        "flat, positions and views": as_large(told),
        "flat, positions, views and lookback": as_large(looking_back, size(told)),
    }


def as_large(config: Config, wanted: int = 0) -> Config:
    """The flat decoder with as many weights as `config`, or as are `wanted`, to within a step of its width."""
    wanted = wanted or size(config)
    flat = (replace(config, conductor_hidden=0, decoder_hidden=width) for width in WIDTHS)
    return min(flat, key=lambda each: abs(size(each) - wanted))


def size(config: Config) -> int:
    """Number of weights of its model."""
    return sum(weights.numel() for weights in MusicVAE(config).parameters())


def compare(corpus: Corpus, folder: Path, bars: int, latent: int, recipe: Recipe) -> Iterator[dict[str, float | str]]:
    """The figures of each network after its training."""
    windows = heldout.sample_windows(corpus.heldout, WINDOWS)
    for name, config in configs(bars, latent).items():
        run = folder / name.replace(", ", "-").replace(" ", "-")
        if not (run / "done").exists():
            there = (run / state.STATE_FILE).exists()
            on = precision.device("cpu")
            begun = state.resume(run, on) if there else state.start(config, recipe, on)
            train(begun, corpus.train, (), run, keep=lambda *_: {})
            (run / "done").touch()
        found = load(run / MODEL_FILE)
        scores = heldout.scores(heldout.run(codec(found.model), windows), config.representation)
        yield {"name": name, "weights": size(config) / 1e6, "minutes": found.about["minutes"], **scores}


@click.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--bars", default=16, show_default=True)
@click.option("--latent", default=320, show_default=True)
@click.option("--batch", default=32, show_default=True)
@click.option("--steps", default=2000, show_default=True, help="Of each training.")
@click.option("--free-bits", default=400.0, show_default=True)
def main(corpus: Path, folder: Path, bars: int, latent: int, batch: int, steps: int, free_bits: float) -> None:
    """Train these networks on CORPUS, into FOLDER, and print how well each reads what it has not seen."""
    recipe = Recipe(steps=steps, batch=batch, free_bits=free_bits, first_free_bits=3 * free_bits, validations=1)
    prepared = prepare(corpus, Settings(bars=bars))
    click.echo("| decoder | M weights | minutes | " + " | ".join(COLUMNS) + " |")
    click.echo("|" + "---|" * (len(COLUMNS) + 3))
    for row in compare(prepared, folder, bars, latent, recipe):
        figures = (f"{row[column]:.3f}" for column in COLUMNS)
        click.echo(f"| {row['name']} | {row['weights']:.1f} | {row['minutes']:.1f} | " + " | ".join(figures) + " |")


if __name__ == "__main__":
    main()
