"""`musicvae train`: a folder of MIDI files → a model, with something to look at and listen to on the way."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicvae_lite.cli.options import number_or_name, progress_bar
from musicvae_lite.errors import MusicVAEError

if TYPE_CHECKING:
    from musicvae_lite.corpus.store import Corpus
    from musicvae_lite.training.loop import Moment
    from musicvae_lite.training.state import State

RUNS = Path("runs")
CONFIG_OPTIONS = ("bars", "steps_per_quarter")
RECIPE_OPTIONS = {
    "minutes": "minutes",
    "steps": "steps",
    "batch": "batch",
    "learning_rate": "peak_learning_rate",
    "free_bits": "free_bits",
    "seed": "seed",
}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--preset", default="melody-2bar", show_default=True, help="melody-2bar, melody-4bar or tiny.")
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), help="Train for so long.  [default: the preset's]"
)
@click.option("--steps", type=click.IntRange(min=1), help="Train for so many batches, however long it takes.")
@click.option(
    "--resume", is_flag=True, help="Go on with this run from its last checkpoint; --minutes may be longer now."
)
@click.option("--name", help="The run is kept in runs/NAME.  [default: the folder's name]")
@click.option("--out", type=click.Path(path_type=Path), default=RUNS, show_default=True, help="The folder of all runs.")
@click.option("--seed", type=int, help="Everything random follows from it.  [default: 0]")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, …; auto takes a GPU where there is one.")
@click.option("--batch", type=click.IntRange(min=2), help="Windows in a batch.")
@click.option("--learning-rate", type=click.FloatRange(min=0, min_open=True), help="At its peak.")
@click.option("--free-bits", type=click.FloatRange(min=0), help="Bits a window that z may carry at the end.")
@click.option("--bars", type=click.IntRange(min=1), help="Bars in a window.")
@click.option("--steps-per-quarter", type=click.IntRange(min=1), help="The grid: 4, or 12 where there are triplets.")
@click.option("--track", callback=number_or_name, help="The melody's track, by number (from 0) or name.")
def train(
    folder: Path,
    preset: str,
    resume: bool,
    name: str | None,
    out: Path,
    device: str,
    track: int | str | None,
    **given: Any,
) -> None:
    """Train a model on the MIDI files in FOLDER and everything below it.

    The run's folder holds the model, its metrics, a picture of the curves, and MIDI to listen to while it learns.

    \b
    Examples:
      musicvae train midi/ --minutes 30
      musicvae train midi/ --minutes 60 --resume
      musicvae interpolate a.mid b.mid --model runs/midi
    """
    run = out / (name or folder.resolve().name)
    from musicvae_lite.training import precision
    from musicvae_lite.training import state as states
    from musicvae_lite.training.batches import enough
    from musicvae_lite.training.loop import train as train_loop
    from musicvae_lite.training.recipe import preset as find_preset

    values = {option: value for option, value in given.items() if value is not None}
    config = {option: values[option] for option in CONFIG_OPTIONS if option in values}
    recipe = {field: values[option] for option, field in RECIPE_OPTIONS.items() if option in values}
    chosen = find_preset(preset, config, recipe)
    on = precision.device(device)
    if resume:
        refuse_other_network(run, config)
        state = states.resume(run, on, recipe)
    elif (run / states.STATE_FILE).exists():
        raise MusicVAEError(f"{run} holds a run already: go on with it by --resume, or choose another --name")
    else:
        state = states.start(chosen.config, chosen.recipe, on)
    corpus = _corpus(folder, state, track)
    enough(corpus.train, state.recipe.batch)
    _tell(folder, run, corpus, state, str(precision.training_type(on)).removeprefix("torch."))
    with _listener(state, corpus, run) as listen:
        train_loop(state, corpus.train, corpus.heldout, run, listen)
    _tell_result(run, corpus)


def refuse_other_network(run: Path, config: dict[str, Any]) -> None:
    """A resumed run keeps its network: options that would change it are a `MusicVAEError`."""
    if config:
        names = ", ".join("--" + name.replace("_", "-") for name in config)
        raise MusicVAEError(
            f"{names} cannot change in a run that goes on: leave it out, or start another run than {run}"
        )


def _corpus(folder: Path, state: State, track: int | str | None) -> Corpus:
    from musicvae_lite.corpus.prepare import prepare
    from musicvae_lite.corpus.scan import Settings

    config = state.model.config
    settings = Settings(config.representation, config.bars, config.steps_per_quarter, track)
    with progress_bar("reading") as progress:
        return prepare(folder, settings, progress=progress)


def _tell(folder: Path, run: Path, corpus: Corpus, state: State, number_type: str) -> None:
    report, recipe = corpus.report, state.recipe
    left = f"{recipe.steps:,} steps" if recipe.steps else f"{recipe.minutes:g} minutes"
    click.echo(
        f"{folder}: {report.used:,} of {report.files:,} files, {report.windows:,} windows of "
        f"{state.model.config.bars} bars, {report.held_out:,} held out (`musicvae check {folder}` says why not more)"
    )
    parameters = sum(p.numel() for p in state.model.parameters())
    going_on = f", going on from step {state.step:,}" if state.step else ""
    click.echo(f"{run}: {parameters / 1e6:.1f} M parameters, {left} in {number_type}, seed {recipe.seed}{going_on}")
    if not report.held_out:
        click.echo("too little music to hold any out: there will be no accuracy to see")


@contextmanager
def _listener(state: State, corpus: Corpus, run: Path) -> Iterator[Callable[[Moment], None]]:
    """A function that shows every moment on a bar, and at every validation prints, draws and writes MIDI."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("step {task.fields[step]:,}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[left]} left  {task.fields[bits]:.1f} bits"),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("training", total=1.0, step=state.step, left="?", bits=float("nan"))
        first = (state.progress, state.minutes)

        def listen(moment: Moment) -> None:
            bar.update(
                task, completed=moment.progress, step=moment.step, bits=moment.loss_bits, left=_time_left(moment, first)
            )
            if moment.scores is not None:
                bar.console.print(_line(moment), highlight=False, soft_wrap=True)
                _show(state, corpus, run)

        yield listen


def _time_left(moment: Moment, first: tuple[float, float]) -> str:
    """Minutes and seconds until the end at the pace since `first` (progress, minutes)."""
    done = moment.progress - first[0]
    if done <= 0:
        return "?"
    seconds = round((1 - moment.progress) / done * (moment.minutes - first[1]) * 60)
    return f"{seconds // 60}:{seconds % 60:02d}"


def _line(moment: Moment) -> str:
    scores = moment.scores or {}
    start = f"{moment.minutes:6.1f} min  step {moment.step:,}  {moment.loss_bits:.1f} bits"
    if "free_t0" not in scores:
        return start
    return (
        f"{start}  held out: teacher-forced {scores['teacher_forced']:.3f}  free-running {scores['free_t0']:.3f} "
        f"(constant {scores['constant']:.3f}, z shuffled {scores['shuffled_z']:.3f})  exact {scores['exact']:.3f}  "
        f"KL {scores['kl_bits']:.0f} bits"
    )


def _show(state: State, corpus: Corpus, run: Path) -> None:
    """Curves and MIDI of where the run stands."""
    from musicvae_lite.rendering.curves import draw_curves
    from musicvae_lite.training.listening import write_examples
    from musicvae_lite.training.loop import METRICS_FILE

    rows = [json.loads(line) for line in (run / METRICS_FILE).read_text(encoding="utf-8").splitlines()]
    draw_curves(rows, run / "curves.png", run.name)
    write_examples(state.average, corpus.heldout or corpus.train, run / "listen")


def _tell_result(run: Path, corpus: Corpus) -> None:
    click.echo(f"{run}/: model.safetensors, metrics.jsonl, curves.png, listen/*.mid")
    click.echo(f"next: musicvae interpolate a.mid b.mid --model {run}")
