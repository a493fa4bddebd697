"""`musicvae evaluate`: how good a model is on a folder of MIDI, as a table, as JSON, and as a page with pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musicvae_lite.cli.options import progress_bar
from musicvae_lite.errors import MusicVAEError

if TYPE_CHECKING:
    from musicvae_lite.evaluation.summary import Evaluation
    from musicvae_lite.evaluation.unseen import Chosen
    from musicvae_lite.model.checkpoint import Checkpoint

BY_METER = {"free_t0": "free-running", "free_t1": "temperature 1", "constant": "constant", "shuffled_z": "shuffled z"}
BY_RATE = {"free_t0": "free-running", "free_t1": "temperature 1", "exact": "exact windows"}


@click.command()
@click.argument("model")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--html", "page", type=click.Path(path_type=Path), help="Write a page with pictures as well.")
@click.option("--force", is_flag=True, help="Replace that page if it is there already.")
@click.option("--windows", type=click.IntRange(min=1), help="Windows to evaluate at most.  [default: 2000]")
@click.option("--samples", type=click.IntRange(min=1), help="Samples to draw.  [default: 1000]")
@click.option("--temperature", type=click.FloatRange(min=0), help="Of the samples.  [default: 0.5]")
@click.option(
    "--refine-steps", type=click.IntRange(min=1), help="Gradient steps of refinement at most.  [default: 200]"
)
@click.option("--seed", type=int, help="Everything random follows from it.  [default: 0]")
@click.option("--all", "everything", is_flag=True, help="Use all windows, also those that the model was trained on.")
def evaluate(
    model: str,
    folder: Path,
    as_json: bool,
    page: Path | None,
    force: bool,
    everything: bool,
    **given: float | None,
) -> None:
    """Measure MODEL, a bundled model's name or a path, on the MIDI files in FOLDER and everything below it.

    Windows that occur in its training in any key are left out, so that FOLDER may hold the training files too. Beside
    every accuracy stands what a constant answer scores, and what the model scores with z taken from another window.

    \b
    Examples:
      musicvae evaluate melody-2bar midi/
      musicvae evaluate runs/midi midi/ --html page.html
      musicvae evaluate melody-2bar midi/ --json --windows 500
    """
    if page and page.exists() and not force:
        raise MusicVAEError(f"{page}: there already: choose another name, or replace it with --force")
    from musicvae_lite.evaluation.summary import Options
    from musicvae_lite.evaluation.summary import evaluate as measure
    from musicvae_lite.model.checkpoint import load
    from musicvae_lite.pretrained.registry import resolve

    checkpoint = load(resolve(model))
    chosen = _choose(checkpoint, folder, everything)
    options = Options(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    with progress_bar("measuring") as progress:
        evaluation = measure(checkpoint, chosen, options, progress)
    if chosen.warning:
        click.echo(f"note: {chosen.warning}", err=True)
    if as_json:
        click.echo(json.dumps(evaluation.as_json(), indent=2))
    else:
        _print_table(evaluation, f"{model} on {folder}")
    if page:
        _write_page(evaluation, chosen, checkpoint, f"{model} on {folder.name}", page)
        click.echo(f"{page}: the same with pictures", err=as_json)


def _choose(checkpoint: Checkpoint, folder: Path, everything: bool) -> Chosen:
    from musicvae_lite.corpus.prepare import prepare
    from musicvae_lite.corpus.scan import Settings
    from musicvae_lite.evaluation.unseen import choose

    config = checkpoint.model.config
    settings = Settings(config.representation, config.bars, config.steps_per_quarter)
    with progress_bar("reading") as progress:
        corpus = prepare(folder, settings, progress=progress)
    return choose(corpus, checkpoint, everything)


def _facts(evaluation: Evaluation) -> str:
    meters = ", ".join(f"{meter} {windows:,}" for meter, (windows, _) in evaluation.by_meter.items())
    return f"{evaluation.windows:,} of {evaluation.new_windows:,} windows ({evaluation.how}): {meters}"


def _print_table(evaluation: Evaluation, title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from musicvae_lite.evaluation.table import rows

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading, justify in (("figure", "left"), ("value", "right"), ("beside it", "left")):
        table.add_column(heading, justify="right" if justify == "right" else "left")
    for row in rows(evaluation):
        table.add_row(*row[:3])
    console = Console(highlight=False, markup=False)
    console.print(table)
    console.print(_facts(evaluation))


def _write_page(evaluation: Evaluation, chosen: Chosen, checkpoint: Checkpoint, title: str, path: Path) -> None:
    from musicvae_lite.evaluation.table import rows
    from musicvae_lite.music.grid import bar_steps, beat_steps
    from musicvae_lite.rendering import pianoroll
    from musicvae_lite.rendering.evaluation_page import Page, write
    from musicvae_lite.tokens import representation

    config, panels = checkpoint.model.config, []
    form = representation(config.representation)
    if evaluation.morph:
        meter, steps = evaluation.morph
        lines = tuple(range(0, steps.shape[1] + 1, bar_steps(meter, config.steps_per_quarter)))
        beat = beat_steps(meter, config.steps_per_quarter)
        panels = [
            pianoroll.Panel(pianoroll.step_title(i, len(steps)), form.decode(step), len(step), lines, form.LABELS, beat)
            for i, step in enumerate(steps, 1)
        ]
    page = Page(
        title=title,
        facts=[_facts(evaluation)],
        rows=rows(evaluation),
        warning=chosen.warning,
        by_meter={
            f"{meter} ({windows:,})": {kind: scores[name] for name, kind in BY_METER.items()}
            for meter, (windows, scores) in evaluation.by_meter.items()
        },
        kl_by_dimension=evaluation.kl_by_dimension,
        rates=[rate.kl_bits for rate in evaluation.rates],
        by_rate={kind: [getattr(rate, name) for rate in evaluation.rates] for name, kind in BY_RATE.items()},
        descriptors={"real windows": evaluation.corpus} | {name: f.values for name, f in evaluation.prior.items()},
        overlaps={name: figures.by_descriptor for name, figures in evaluation.prior.items()},
        costs={name: figures.cost for name, figures in evaluation.interpolation.items()},
        from_ends={name: (figures.from_a, figures.from_b) for name, figures in evaluation.interpolation.items()},
        morph=panels,
    )
    write(page, path)
