"""Trains a model that comes with the package, finishes it, and writes it and its card into musicvae_lite/pretrained/.

    musicvae corpus folk corpus/                                   # in the public domain
    python scripts/quantise_pop909.py POP909-Dataset/POP909 corpus/pop909
    python scripts/train_bundled.py melody-2bar corpus/

Three stages: training (`musicvae train` with the preset of that name; interrupted, it goes on where it was), fitting
the density of its latents, and measuring it on the held-out windows. `--minutes` makes a short budget of it.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click
import torch

from musicvae_lite.corpus.prepare import prepare
from musicvae_lite.corpus.scan import Settings
from musicvae_lite.corpus.store import Corpus
from musicvae_lite.evaluation import unseen
from musicvae_lite.evaluation.summary import Evaluation, evaluate
from musicvae_lite.evaluation.table import rows
from musicvae_lite.model.checkpoint import Checkpoint, load, save
from musicvae_lite.pretrained.registry import FOLDER
from musicvae_lite.training import precision, state
from musicvae_lite.training.loop import train
from musicvae_lite.training.recipe import Preset, preset

MOST_BYTES = 16 * 2**20
CARD = """# {name}

A model of melodies, {bars} bars at a time, any meter; {parameters:.1f} M parameters, {size:.1f} MiB in half precision.

| | |
|---|---|
| data | {files:,} MIDI files: folk tunes (Ryan 1883, O'Neill 1903, Aird 1782–1801, others), POP909's melodies |
| licences | the tunes of the folk books are in the public domain; POP909 is MIT; these weights are MIT |
| windows | {train:,} for training, {held_out:,} held out: of other tunes, and in training in no key |
| meters | {meters} |
| recipe | {steps:,} batches of {batch} in {minutes:.0f} minutes on {machine}, seed {seed} |
| made | {today} |

Made again, to within what such a run varies, by (`--minutes 10` for a short budget):

    musicvae corpus folk corpus/
    python scripts/quantise_pop909.py POP909-Dataset/POP909 corpus/pop909
    python scripts/train_bundled.py {name} corpus/

## Figures

On {measured:,} of the held-out windows, all meters, as `musicvae evaluate {name} corpus/` prints them:

| figure | value | beside it |
|---|---|---|
{figures}

## Recipe

```json
{recipe}
```

## What it is not good at

Triplets and ornaments (its grid is sixteenths), tunes with leaps of more than an octave, and styles far from Western
folk and pop melodies. It knows one voice; chords become their highest notes.
"""


def card(name: str, checkpoint: Checkpoint, evaluation: Evaluation, corpus: Corpus, size: int, machine: str) -> str:
    """The model's card: everything a person needs to trust it or to make it again."""
    recipe = checkpoint.about["recipe"]
    return CARD.format(
        name=name,
        bars=checkpoint.model.config.bars,
        parameters=sum(p.numel() for p in checkpoint.model.parameters()) / 1e6,
        size=size / 2**20,
        files=corpus.report.used,
        train=sum(map(len, corpus.train)),
        held_out=corpus.report.held_out,
        meters=", ".join(f"{meter} ({count:,})" for meter, count in corpus.report.meters.items()),
        steps=checkpoint.about["step"],
        minutes=checkpoint.about["minutes"],
        machine=machine,
        batch=recipe["batch"],
        seed=recipe["seed"],
        today=date.today().isoformat(),
        measured=evaluation.windows,
        figures="\n".join(f"| {row.figure} | {row.value} | {row.control} |" for row in rows(evaluation)),
        recipe=json.dumps({"config": checkpoint.model.config.to_dict(), "recipe": recipe}, indent=2),
    )


def trained_run(chosen: Preset, corpus: Corpus, run: Path, device: str) -> None:
    """Train into `run`, or go on with what is there."""
    on = precision.device(device)
    there = (run / state.STATE_FILE).exists()
    begun = state.resume(run, on, chosen.recipe.to_dict()) if there else state.start(chosen.config, chosen.recipe, on)
    train(begun, corpus.train, corpus.heldout, run, lambda m: click.echo(m.scores) if m.scores else None)


@click.command()
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--minutes", type=float, help="A shorter (or longer) training.  [default: the preset's]")
@click.option("--steps", type=int, help="Train for so many batches instead, whatever time they take.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=FOLDER, show_default=True)
@click.option("--device", default="auto", show_default=True)
@click.option("--machine", default="two CPU cores", show_default=True, help="What the card says about the machine.")
def main(
    name: str, folder: Path, minutes: float | None, steps: int | None, runs: Path, out: Path, device: str, machine: str
) -> None:
    """Train the bundled model NAME (a preset) on the corpus in FOLDER and write it with its card."""
    budget = {"minutes": minutes, "steps": steps}
    chosen = preset(name, recipe={unit: amount for unit, amount in budget.items() if amount})
    config = chosen.config
    corpus = prepare(folder, Settings(config.representation, config.bars, config.steps_per_quarter))
    trained_run(chosen, corpus, runs / name, device)
    target = out / f"{name}.safetensors"
    save(load(runs / name), target, torch.float16)
    checkpoint = load(target)
    evaluation = evaluate(checkpoint, unseen.choose(corpus, checkpoint))
    size = target.stat().st_size
    assert size <= MOST_BYTES, f"{target}: {size:,} bytes is more than a bundled model may have"
    text = card(name, checkpoint, evaluation, corpus, size, machine)
    target.with_suffix(".md").write_text(text, encoding="utf-8")
    click.echo(f"{target}: {size / 2**20:.1f} MiB\n{json.dumps(evaluation.as_json(), indent=2)}")


if __name__ == "__main__":
    main()
