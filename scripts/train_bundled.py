"""Trains a model that comes with the package, finishes it, and writes it and its card into musicvae_lite/pretrained/.

    musicvae corpus folk corpus/                                   # in the public domain
    python scripts/quantise_pop909.py POP909-Dataset/POP909 corpus/pop909
    python scripts/train_bundled.py melody-2bar corpus/            # each card says with how many --steps it was made
    python scripts/train_bundled.py drums-2bar groove/             # the Groove MIDI Dataset, unpacked

Three stages: training (`musicvae train` with the preset of that name; interrupted, it goes on where it was), fitting
the density of its latents, and measuring it on the held-out windows. `--minutes` makes a short budget of it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import click
import torch

from musicvae_lite.corpus.prepare import prepare
from musicvae_lite.corpus.report import counted
from musicvae_lite.corpus.scan import Settings
from musicvae_lite.corpus.store import Corpus
from musicvae_lite.evaluation import unseen
from musicvae_lite.evaluation.summary import Evaluation, Options, evaluate
from musicvae_lite.evaluation.table import rows
from musicvae_lite.model.checkpoint import Checkpoint, load, save
from musicvae_lite.pretrained.registry import FOLDER
from musicvae_lite.training import precision, state
from musicvae_lite.training.loop import Moment, train
from musicvae_lite.training.recipe import Preset, preset

MOST_BYTES = 16 * 2**20
CARD = """# {name}

{what}, {bars} bars at a time, in any meter; {parameters:.1f} M parameters, {size:.1f} MiB in half precision.

| | |
|---|---|
| data | {files:,} MIDI files{lent}: {data} |
| licences | {licences}; these weights are MIT |
| windows | {train:,} for training, {held_out:,} held out: {split} |
| meters | {meters} |
| recipe | {steps:,} batches of {batch} in {minutes:.0f} minutes on {machine}, seed {seed} |
| made | {today} |
{note}
Made again, to within what such a run varies, by (`--minutes 10` for a short budget):

{commands}
    python scripts/train_bundled.py {name} {folder} --steps {steps}{begin}

## Figures

On {measured:,} of the held-out windows, all meters, as `musicvae evaluate {name} {folder}` prints them:

| figure | value | beside it |
|---|---|---|
{figures}

## Recipe

```json
{recipe}
```

## What it is not good at

{limits}
"""


@dataclass(frozen=True)
class Source:
    """What a card says about a model's data, and what no figure says about the model."""

    what: str
    data: str
    licences: str
    split: str
    commands: tuple[str, ...]  # that put the corpus into `folder`
    folder: str
    limits: str


MELODIES = Source(
    what="A model of melodies",
    data="folk tunes (Ryan 1883, O'Neill 1903, Aird 1782–1801, others), POP909's melodies",
    licences="the tunes of the folk books are in the public domain; POP909 is MIT",
    split="of other tunes, and in training in no key",
    commands=(
        "musicvae corpus folk corpus/",
        "python scripts/quantise_pop909.py POP909-Dataset/POP909 corpus/pop909",
    ),
    folder="corpus/",
    limits="""Triplets and ornaments (its grid is sixteenths), tunes with leaps of more than an octave, and styles
far from Western folk and pop melodies. It knows one voice; chords become their highest notes.""",
)
OVER_CHORDS = replace(
    MELODIES,
    what="A model of melodies over chords, which it is told",
    limits="""The chords of a folder's songs are estimated from what accompanies the tune, and are triads: a seventh is
its triad. Folk tunes have none, so that chords are POP909's. Triplets and ornaments (its grid is sixteenths).""",
)
DRUMS = Source(
    what="A model of drum beats",
    data="the Groove MIDI Dataset (Gillick et al. 2019), human drummers on an electronic kit",
    licences="the recordings are CC BY 4.0 (Google LLC)",
    split="the official test files, without windows that occur in training; the validation files are in neither",
    commands=("# unpack the Groove MIDI Dataset into groove/",),
    folder="groove/",
    limits="""Beats that are programmed rather than played, meters other than 4/4 (it has heard little else), triplets
(its grid is sixteenths), and kits of more than nine kinds of drum.""",
)
GROOVES = replace(
    DRUMS,
    what="A model of drum beats with the velocity and the timing of each stroke",
    limits="""Guessing what one drummer would do: from a stiff beat it plays as drummers do on average, so that strong
accents come out weaker than they were. Meters other than 4/4 (it has heard little else), triplets, and more than nine
kinds of drum.""",
)
TRIOS = Source(
    what="A model of melody, bass and drums together",
    data=(
        "game music of freedoom, simutrans and the midifile package, and songs of M. Malandro; single voices are lent "
        "by folk tunes and POP909 (melodies, low notes of the piano) and the Groove MIDI Dataset (drums)"
    ),
    licences=(
        "BSD-3-Clause (freedoom), Artistic-1.0 (simutrans), MIT (midifile, POP909), CC0 (Malandro), CC BY 4.0 "
        "(the Groove MIDI Dataset, Google LLC); the folk tunes are in the public domain"
    ),
    split="of other songs, and in training in no key",
    commands=(
        "musicvae corpus folk everything/folk/",
        "python scripts/quantise_pop909.py POP909-Dataset/POP909 everything/pop909",
        "# unpack the Groove MIDI Dataset into everything/groove/",
        "# collect the files that data/README.md lists under trios into everything/trios/",
    ),
    folder="everything/",
    limits="""Styles far from old game music, folk tunes and pop; whatever is neither tune, bass nor drums, such as
chords (it knows one tune at a time); triplets (its grid is sixteenths), and kits of more than nine kinds of drum.
What it makes up is like the songs that it learned from, which are few.""",
)
# A window's z shrinks to what sixteen bars have room for while windows are short, where it costs least.
NARROW = "--latent 120 --free-bits 250 --learning-rate 0.0015 --steps 5000 --name narrow"
LONG_TRIOS = replace(
    TRIOS,
    commands=(*TRIOS.commands, f"musicvae train everything/ --preset trio-2bar --from trio-2bar {NARROW}"),
)
SOURCES = {
    "melody-2bar": MELODIES,
    "melody-4bar": MELODIES,
    "melody-16bar": MELODIES,
    "melody-chords-2bar": OVER_CHORDS,
    "drums-2bar": DRUMS,
    "groove-2bar": GROOVES,
    "trio-2bar": TRIOS,
    "trio-16bar": LONG_TRIOS,
}


class Told(NamedTuple):
    """What only the person who trains a model can say."""

    machine: str
    note: str


def card(name: str, checkpoint: Checkpoint, evaluation: Evaluation, corpus: Corpus, told: Told, size: int) -> str:
    """The model's card: everything a person needs to trust it or to make it again."""
    recipe, source = checkpoint.about["recipe"], SOURCES[name]
    return CARD.format(
        name=name,
        **{key: value for key, value in asdict(source).items() if key != "commands"},
        commands="\n".join(f"    {command}" for command in source.commands),
        bars=checkpoint.model.config.bars,
        parameters=sum(p.numel() for p in checkpoint.model.parameters()) / 1e6,
        size=size / 2**20,
        files=corpus.report.used,
        lent=_lent(corpus),
        train=sum(map(len, corpus.train)),
        held_out=corpus.report.held_out,
        meters=", ".join(f"{meter} ({count:,})" for meter, count in corpus.report.meters.items()),
        steps=checkpoint.about["step"],
        begin="" if recipe["begin"] == preset(name).recipe.begin else f" --begin {recipe['begin']}",
        minutes=checkpoint.about["minutes"],
        machine=told.machine,
        note=f"\n{told.note}\n" if told.note else "",
        batch=recipe["batch"],
        seed=recipe["seed"],
        today=date.today().isoformat(),
        measured=evaluation.windows,
        figures="\n".join(f"| {row.figure} | {row.value} | {row.control} |" for row in rows(evaluation)),
        recipe=json.dumps({"config": checkpoint.model.config.to_dict(), "recipe": recipe}, indent=2),
    )


def _lent(corpus: Corpus) -> str:
    """How many more files give a voice of theirs, in words; nothing if none does."""
    return f", and voices of others ({counted(corpus.report.lent)})" if corpus.report.lent else ""


def trained_run(chosen: Preset, corpus: Corpus, run: Path, device: str) -> None:
    """Train into `run`, or go on with what is there."""
    on = precision.device(device)
    there = (run / state.STATE_FILE).exists()
    begun = state.resume(run, on, chosen.recipe.to_dict()) if there else state.start(chosen.config, chosen.recipe, on)

    def listen(moment: Moment) -> None:
        if moment.scores:
            click.echo(moment.scores)

    train(begun, corpus.train, corpus.heldout, run, listen, lent=corpus.lent)


@click.command()
@click.argument("name", type=click.Choice(sorted(SOURCES)))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--minutes", type=float, help="A shorter (or longer) training.  [default: the preset's]")
@click.option("--steps", type=int, help="Train for so many batches instead, whatever time they take.")
@click.option("--begin", help="Begin with the weights of this model or run.  [default: the preset's]")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=FOLDER, show_default=True)
@click.option("--device", default="auto", show_default=True)
@click.option("--machine", default="two CPU cores", show_default=True, help="What the card says about the machine.")
@click.option("--refined", default=Options.refined, show_default=True, help="Windows to refine, at most.")
@click.option("--note", default="", help="A paragraph for the card: what was not as the recipe has it.")
def main(
    name: str,
    folder: Path,
    minutes: float | None,
    steps: int | None,
    begin: str | None,
    runs: Path,
    out: Path,
    device: str,
    refined: int,
    **told: str,
) -> None:
    """Train the bundled model NAME (a preset) on the corpus in FOLDER and write it with its card."""
    given = {"minutes": minutes, "steps": steps, "begin": begin}
    chosen = preset(name, recipe={field: value for field, value in given.items() if value})
    config = chosen.config
    corpus = prepare(folder, Settings(config.representation, config.bars, config.steps_per_quarter))
    trained_run(chosen, corpus, runs / name, device)
    target = out / f"{name}.safetensors"
    save(load(runs / name), target, torch.float16)
    checkpoint = load(target)
    evaluation = evaluate(checkpoint, unseen.choose(corpus, checkpoint), Options(refined=refined))
    size = target.stat().st_size
    assert size <= MOST_BYTES, f"{target}: {size:,} bytes is more than a bundled model may have"
    text = card(name, checkpoint, evaluation, corpus, Told(**told), size)
    target.with_suffix(".md").write_text(text, encoding="utf-8")
    click.echo(f"{target}: {size / 2**20:.1f} MiB\n{json.dumps(evaluation.as_json(), indent=2)}")


if __name__ == "__main__":
    main()
