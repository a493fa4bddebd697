"""`musicvae train`: a folder of MIDI files → a model, with something to look at and listen to on the way."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicvae_lite.cli.options import number_or_name, progress_bar
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.tokens import REPRESENTATIONS

if TYPE_CHECKING:
    from torch import Tensor

    from musicvae_lite.corpus.store import Corpus
    from musicvae_lite.corpus.windows import Windows
    from musicvae_lite.model.musicvae import MusicVAE
    from musicvae_lite.training.loop import Moment
    from musicvae_lite.training.state import State

RUNS = Path("runs")
CONFIG_OPTIONS = ("representation", "bars", "steps_per_quarter", "latent")
RECIPE_OPTIONS = {
    "minutes": "minutes",
    "steps": "steps",
    "batch": "batch",
    "learning_rate": "peak_learning_rate",
    "free_bits": "free_bits",
    "seed": "seed",
    "track": "track",
    "begin": "begin",
}
NOTHING = "nothing"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--preset",
    help="melody-2bar, melody-4bar, melody-16bar, melody-chords-2bar, drums-2bar, groove-2bar, trio-2bar, trio-16bar "
    "or tiny.  [default: melody-2bar]",
)
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), help="Train for so long.  [default: the preset's]"
)
@click.option("--steps", type=click.IntRange(min=1), help="Train for so many batches, however long it takes.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with this run from its last checkpoint, unchanged but for what is given now: more --minutes, say.",
)
@click.option("--name", help="The run is kept in runs/NAME.  [default: the folder's name]")
@click.option("--out", type=click.Path(path_type=Path), default=RUNS, show_default=True, help="The folder of all runs.")
@click.option("--seed", type=click.IntRange(min=0), help="Everything random follows from it.  [default: 0]")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, …; auto takes a GPU where there is one.")
@click.option("--batch", type=click.IntRange(min=2), help="Windows in a batch.")
@click.option("--learning-rate", type=click.FloatRange(min=0, min_open=True), help="At its peak.")
@click.option("--free-bits", type=click.FloatRange(min=0), help="Bits a window that z may carry at the end.")
@click.option(
    "--from",
    "begin",
    metavar="MODEL",
    help="Begin with the weights of this model, a bundled one's name or a path, grown if it is for fewer bars, "
    f'narrowed if its z has more dimensions; with those of chance if it is "{NOTHING}".  [default: the preset\'s]',
)
@click.option(
    "--representation",
    type=click.Choice(sorted(REPRESENTATIONS)),
    help="What is taken of each file.  [default: the preset's]",
)
@click.option("--bars", type=click.IntRange(min=1), help="Bars in a window.")
@click.option("--steps-per-quarter", type=click.IntRange(min=1), help="The grid: 4, or 12 where there are triplets.")
@click.option("--latent", type=click.IntRange(min=1), help="Dimensions of z.  [default: the preset's]")
@click.option("--track", callback=number_or_name, help="The track to take, by number (from 0) or name.")
def train(
    folder: Path, preset: str | None, resume: bool, name: str | None, out: Path, device: str, **given: Any
) -> None:
    """Train a model on the MIDI files in FOLDER and everything below it.

    The run's folder holds the model, its metrics, a picture of the curves, and MIDI to listen to while it learns.

    \b
    Examples:
      musicvae train midi/ --minutes 30
      musicvae train midi/ --minutes 60 --resume
      musicvae train groove/ --preset drums-2bar
      musicvae train mine/ --from melody-2bar --minutes 5
      musicvae interpolate a.mid b.mid --model runs/midi
    """
    from musicvae_lite.training.batches import enough
    from musicvae_lite.training.loop import train as train_loop

    run = out / (name or folder.resolve().name)
    state = _state(run, preset, resume, device, {option: value for option, value in given.items() if value is not None})
    if state.progress >= 1:
        click.echo(f"{run} is complete ({_length(state)}): give more --minutes or --steps to go on")
        return
    corpus = _corpus(folder, state)
    enough(corpus.train, state.recipe.batch)
    _tell(folder, run, corpus, state)
    with _listener(state, corpus, run) as listen:
        train_loop(state, corpus.train, corpus.heldout, run, listen, _keep, corpus.lent)
    _tell_result(run)


def _state(run: Path, preset: str | None, resume: bool, device: str, given: dict[str, Any]) -> State:
    """A fresh run, or the one in `run` changed only by what is `given`."""
    from musicvae_lite.training import precision
    from musicvae_lite.training import state as states
    from musicvae_lite.training.recipe import DEFAULT
    from musicvae_lite.training.recipe import preset as find_preset

    if "minutes" in given and "steps" in given:
        raise MusicVAEError("--minutes and --steps both say when to end: give one of them")
    config = {option: given[option] for option in CONFIG_OPTIONS if option in given}
    recipe = {field: given[option] for option, field in RECIPE_OPTIONS.items() if option in given}
    recipe |= {"steps": 0} if "minutes" in given else {}
    recipe |= {"begin": None} if given.get("begin") == NOTHING else {}
    on = precision.device(device)
    if resume:
        state = states.resume(run, on, recipe)
        asked = replace(find_preset(preset).config if preset else state.model.config, **config)
        refuse_other_network(run, state.model.config.to_dict(), asked.to_dict())
        return state
    if run.is_dir() and any(run.iterdir()):
        if (run / states.STATE_FILE).exists():
            raise MusicVAEError(f"{run} holds a run already: go on with it by --resume, or choose another --name")
        raise MusicVAEError(f"{run} is not empty: choose another --name or --out")
    chosen = find_preset(preset or DEFAULT, config, recipe)
    return states.start(chosen.config, chosen.recipe, on)


def refuse_other_network(run: Path, own: dict[str, Any], asked: dict[str, Any]) -> None:
    """A resumed run keeps its network: options that would change it are a `MusicVAEError`."""
    changed = [f"{name} from {own[name]} to {asked[name]}" for name in own if own[name] != asked[name]]
    if changed:
        raise MusicVAEError(
            f"{run} goes on with the network that it has, which cannot change ({', '.join(changed)}): "
            "leave out --preset, --representation, --bars, --latent and --steps-per-quarter, or start another run"
        )


def _corpus(folder: Path, state: State) -> Corpus:
    from musicvae_lite.corpus.prepare import prepare
    from musicvae_lite.corpus.scan import Settings

    config = state.model.config
    settings = Settings(config.representation, config.bars, config.steps_per_quarter, state.recipe.track)
    with progress_bar("reading") as progress:
        return prepare(folder, settings, progress=progress)


def _tell(folder: Path, run: Path, corpus: Corpus, state: State) -> None:
    from musicvae_lite.corpus.report import counted
    from musicvae_lite.training.precision import training_type

    report, weights = corpus.report, list(state.model.parameters())
    check = f"musicvae check {folder} --representation {state.model.config.representation}"
    number_type = str(training_type(weights[0].device)).removeprefix("torch.")
    click.echo(
        f"{folder}: {report.used:,} of {report.files:,} files, {report.windows:,} windows of "
        f"{state.model.config.bars} bars, {report.held_out:,} held out (`{check}` says why not more)"
    )
    if report.lent and state.recipe.mixed_share:
        click.echo(f"voices lent by files that have not all: {counted(report.lent)}")
    size = sum(p.numel() for p in weights) / 1e6
    going_on = f", going on from step {state.step:,}" if state.step else ""
    click.echo(f"{run}: {size:.1f} M parameters, {_length(state)} in {number_type}, seed {state.recipe.seed}{going_on}")
    if not report.held_out:
        click.echo("too little music to hold any out: there will be no accuracy to see")


def _length(state: State) -> str:
    return f"{state.recipe.steps:,} steps" if state.recipe.steps else f"{state.recipe.minutes:g} minutes"


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
    return f"{start}  held out: {_accuracies(scores)}" if "free_t0" in scores else start


def _accuracies(scores: Mapping[str, float | None]) -> str:
    """The shares of tokens that are right, each beside what it has to be read against; a dash where there is none."""

    def share(name: str) -> str:
        value = scores[name]
        return "–" if value is None or value != value else f"{value:.3f}"

    return (
        f"teacher-forced {share('teacher_forced')}  free-running {share('free_t0')} "
        f"(constant {share('constant')}, z shuffled {share('shuffled_z')})  exact {share('exact')}  "
        f"KL {scores['kl_bits']:.0f} bits"
    )


def _show(state: State, corpus: Corpus, run: Path) -> None:
    """Curves and MIDI of where the run stands."""
    from musicvae_lite.rendering.curves import draw_curves
    from musicvae_lite.training import metrics
    from musicvae_lite.training.listening import write_examples

    draw_curves(metrics.read(run), run / "curves.png", run.name)
    write_examples(state.average, corpus.heldout or corpus.train, run / "listen")


def _keep(model: MusicVAE, groups: Sequence[Windows], seed: int) -> Mapping[str, Tensor]:
    """What the model takes along, said beforehand: with much music it takes minutes."""
    from musicvae_lite.training.finish import keepsakes

    click.echo("finding out where its tunes lie, so that `musicvae sample` draws from there: up to a few minutes")
    return keepsakes(model, groups, seed)


def _tell_result(run: Path) -> None:
    from musicvae_lite.training import metrics

    scores = metrics.read(run)[-1]
    if "free_t0" in scores:
        click.echo(f"held out: {_accuracies(scores)}")
    click.echo(f"{run}/: model.safetensors, metrics.jsonl, curves.png, listen/*.mid")
    click.echo(f"next: musicvae interpolate a.mid b.mid --model {run}")
