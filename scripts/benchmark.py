"""How fast it is, and beside what: every figure of docs/performance.md in one run.

    make bench                                              # or: PYTHONPATH=. python scripts/benchmark.py
    … scripts/benchmark.py --only training --only decoding --rounds 7 --json figures.json
    … scripts/benchmark.py --with-magenta                   # the original too, in an environment of its own

What is compared runs in turns, round by round, so that a busy minute is everybody's. A figure is the median of its
rounds, with the least and the greatest beside it. On a machine with other work on it, `--clock cpu` counts the time
that a processor really worked for us; it goes with one thread.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import click
import torch
from rich.console import Console
from rich.table import Table

from musicvae_lite.training.precision import training_type
from scripts.benchmarks.figures import FEW, MANY, ROOT, Figure, Options, Ratio, Rows
from scripts.benchmarks.files import cold, generated, growth, reading
from scripts.benchmarks.models import decoding, training

MAGENTA = (
    ("tensorflow-cpu==2.15.1", "tensorflow-probability==0.23.0", "tf_slim", "numpy==1.23.5", "dm-sonnet==2.0.2"),
    ("pretty_midi==0.2.10", "mido", "intervaltree", "pygtrie", "numpy==1.23.5", "setuptools<81"),
    ("--no-deps", "magenta==2.1.4", "note_seq==0.0.5"),
)

SECTIONS: dict[str, Callable[[Options], Rows]] = {
    "training": training,
    "decoding": decoding,
    "cold": cold,
    "reading": reading,
    "growth": growth,
}


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(SECTIONS)), help="A section; may be given many times.")
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--batch", type=click.IntRange(min=2), default=512, show_default=True, help="Of the reference model.")
@click.option("--clock", type=click.Choice(["wall", "cpu"]), default="wall", show_default=True)
@click.option("--midi", type=click.Path(path_type=Path), help="MIDI files to read.  [default: 300 that are made up]")
@click.option("--with-magenta", is_flag=True, help="Time the original too (Python 3.11, some 600 MB of packages).")
@click.option("--cache", type=click.Path(path_type=Path), default=Path(".bench"), show_default=True)
@click.option("--json", "report", type=click.Path(path_type=Path), help="Write every number to this file.")
def main(
    only: tuple[str, ...], with_magenta: bool, cache: Path, report: Path | None, rounds: int, threads: int, **given: Any
) -> None:
    """Print every figure and every ratio, with the machine they are from."""
    options = Options(rounds, threads, magenta=cache.absolute() / "magenta", **given)
    torch.set_num_threads(threads)
    rows: Rows = []
    for name in only or SECTIONS:
        click.echo(f"{name} …", err=True)
        rows += SECTIONS[name](options)
    if with_magenta:
        click.echo("magenta …", err=True)
        rows += original(options, rows)
    about = machine(options)
    show(about, rows)
    if report:
        report.write_text(json.dumps({"machine": about, "rows": [as_json(row) for row in rows]}, indent=2) + "\n")


def machine(options: Options) -> dict[str, Any]:
    """Where the figures are from, and how busy it was there."""
    models = [line.partition(":")[2].strip() for line in lines_of("/proc/cpuinfo") if line.startswith("model name")]
    asked = ("_is_avx512_supported", "_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "has": [name.strip("_") for name in asked if getattr(torch.cpu, name, lambda: False)()],
        "load": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "OpenBLAS": os.environ.get("OPENBLAS_CORETYPE", "chooses"),
        "training type": str(training_type(torch.device("cpu"))),
        "threads": options.threads,
        "rounds": options.rounds,
        "clock": options.clock,
    }


def lines_of(path: str) -> list[str]:
    """The lines of a file, none where there is none."""
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def show(about: dict[str, Any], rows: Sequence[Figure | Ratio]) -> None:
    """The table."""
    table = Table("", "", "median", "least", "greatest", "unit", "wanted", title="; ".join(map(str, about.values())))
    for row in rows:
        if isinstance(row, Figure):
            numbers = [f"{value:,.4g}" for value in (row.median, min(row.values), max(row.values))]
            table.add_row(row.section, row.what, *numbers, row.unit, "")
        else:
            wanted = f"≥ {row.wanted:g}{'' if row.value >= row.wanted else '  not reached'}" if row.wanted else ""
            table.add_row(row.section, row.what, f"{row.value:.3g} ×", "", "", "", wanted)
    Console(width=None if sys.stdout.isatty() else 150).print(table)


def as_json(row: Figure | Ratio) -> dict[str, Any]:
    """A row with its median."""
    return asdict(row) | ({"median": row.median} if isinstance(row, Figure) else {})


def original(options: Options, rows: Rows) -> Rows:
    """`magenta`, or a word on why there is none of it."""
    try:
        return magenta(options, rows)
    except (subprocess.CalledProcessError, OSError, RuntimeError) as error:
        output = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip().splitlines()
        click.echo(f"The original could not be timed: {output[-1] if output else error}", err=True)
        return []


def magenta(options: Options, rows: Sequence[Figure | Ratio]) -> Rows:
    """The original's training, decoding and reading, beside ours of this run."""
    python = installed(options.magenta)
    with tempfile.TemporaryDirectory() as made:
        midi = options.midi or generated(Path(made), 64)
        sizes = {"batch": options.batch, "few": FEW, "many": MANY, "threads": options.threads, "rounds": options.rounds}
        words = [f"--{name}={value}" for name, value in {**sizes, "midi": midi.absolute()}.items()]
        script = ROOT / "scripts" / "benchmarks" / "original.py"
        done = subprocess.run([python, script, *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it ended without a word"])[-1])
    times = {name: [t[options.clock] for t in each] for name, each in json.loads(done.stdout.splitlines()[-1]).items()}
    ours = {(row.what, row.unit): row.median for row in rows if isinstance(row, Figure)}
    found: Rows = []
    for what, unit, name, count, wanted in (
        ("reference model", "windows/s", "train", options.batch, 4.0),
        (f"reference model, {FEW} tunes", "ms", "decode", 0, 3.0),
        (f"reference model, {MANY} tunes", "tunes/s", "decode_many", MANY, 10.0),
        ("scan and tokens", "files/s", "read", 1, 20.0),
    ):
        values = tuple(count / s if count else 1e3 * s for s in times[name])
        found.append(Figure("magenta", f"the original: {what}", unit, values))
        if (what, unit) in ours:
            ratio = ours[what, unit] / median(values)
            found.append(Ratio("magenta", f"{what}: beside the original", ratio if count else 1 / ratio, wanted))
    return found


def installed(folder: Path) -> Path:
    """The Python of an environment with the original in it, made if need be."""
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        subprocess.run(["python3.11", "-m", "venv", "--clear", folder], check=True, capture_output=True)
        for packages in MAGENTA:
            subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True, capture_output=True)
        (folder / "complete").touch()
    return python


if __name__ == "__main__":
    main()
