"""`musicvae train` shows what it does all along, leaves a run to use or go on with, and says in one line why not."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from musicvae_lite.cli.main import main
from musicvae_lite.model.checkpoint import load, read_tensors
from musicvae_lite.music.midi import write
from musicvae_lite.music.notes import COMMON_TIME, Meter, MeterChange, Notes, Song, Track
from musicvae_lite.training import metrics
from musicvae_lite.training.recipe import PRESETS

ROOT = Path(__file__).parents[2]
QUICK = ("--preset", "tiny", "--batch", "4", "--steps", "3")


@dataclass(frozen=True)
class Made:
    """A folder of tunes, a run of three steps on it, and what the run said."""

    folder: Path
    run: Path
    out: str
    err: str


def write_tunes(folder: Path, meter: Meter = COMMON_TIME) -> Path:
    """Four tunes of eight bars, one of which will be held out."""
    random = np.random.default_rng(0)
    folder.mkdir()
    for number in range(4):
        pitches = random.integers(55, 80, 8 * meter.numerator)
        track = Track(Notes.of((int(pitch), 80, float(i), i + 1.0) for i, pitch in enumerate(pitches)))
        write(Song((track,), meters=(MeterChange(0.0, meter),)), folder / f"{number}.mid")
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    place = tmp_path_factory.mktemp("made")
    folder, out, err = write_tunes(place / "midi"), io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setenv("MUSICVAE_CACHE", str(place / "cache"))
        assert main(["train", str(folder), *QUICK, "--out", str(place / "runs")]) == 0
    return Made(folder, place / "runs" / "midi", out.getvalue(), err.getvalue())


@pytest.fixture
def midi(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The folder of tunes, read before; the working folder is an empty one."""
    monkeypatch.setenv("MUSICVAE_CACHE", str(made.folder.parent / "cache"))
    monkeypatch.chdir(tmp_path)
    return str(made.folder)


@pytest.fixture
def run(made: Made, midi: str) -> Path:
    """A copy of the run of three steps, where `--resume` looks for it."""
    return Path(shutil.copytree(made.run, "runs/midi"))


def recipe_of(run: Path) -> dict[str, Any]:
    header = read_tensors(run / "training.safetensors")[1]
    return {"step": header["step"], "spent": header["minutes"], **header["recipe"]}


def complaint(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a command line is refused with."""
    capsys.readouterr()
    assert main(["train", *arguments]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    return said.err


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_help_page_names_every_preset(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert [name for name in PRESETS if name not in text] == []


def test_a_run_leaves_a_model_metrics_curves_and_something_to_listen_to(made: Made) -> None:
    assert sorted(contents(made.run)) == [
        "curves.png",
        "listen/interpolation.mid",
        "listen/original.mid",
        "listen/reconstruction.mid",
        "metrics.jsonl",
        "model.safetensors",
        "training.safetensors",
    ]
    assert load(made.run).about["step"] == 3
    assert [row["step"] for row in metrics.read(made.run)] == [1, 2, 3]


def test_progress_is_seen_all_along_where_there_is_no_terminal(made: Made) -> None:
    lines = made.err.splitlines()
    assert [line.split("step")[1].split()[0] for line in lines] == ["1", "2", "3"]
    assert all("free-running 0." in line and "constant 0." in line and "z shuffled 0." in line for line in lines)


def test_it_says_what_it_trains_on_and_in_the_end_how_good_it_is_beside_the_controls(made: Made) -> None:
    first, second, last_work, accuracy, files, following = made.out.splitlines()
    assert first.startswith(f"{made.folder}: 4 of 4 files, ")
    assert "3 steps" in second
    assert "up to a few minutes" in last_work
    assert accuracy.startswith("held out: teacher-forced 0.")
    assert "free-running 0." in accuracy
    assert "(constant 0." in accuracy
    assert "z shuffled 0." in accuracy
    assert "model.safetensors" in files
    assert following == f"next: musicvae interpolate a.mid b.mid --model {made.run}"


def test_minutes_end_a_run_too_and_it_can_be_named_and_put_elsewhere(
    midi: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--preset", "tiny", "--batch", "4", "--minutes", "1e-9", "--name", "mine", "--out", "models"]
    assert main(["train", midi, *options]) == 0
    assert "held out: teacher-forced 0." in capsys.readouterr().out
    assert load("models/mine").about["step"] == 1


def test_a_folder_of_waltzes_trains(midi: str) -> None:
    assert main(["train", str(write_tunes(Path("waltzes"), Meter(3, 4))), *QUICK[:4], "--steps", "1"]) == 0
    assert load("runs/waltzes").about["step"] == 1


def test_a_single_tune_trains_without_any_accuracy_and_says_so(midi: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("one").mkdir()
    shutil.copy(f"{midi}/0.mid", "one")
    assert main(["train", "one", *QUICK[:4], "--steps", "1"]) == 0
    said = capsys.readouterr()
    assert "too little music to hold any out" in said.out
    assert "held out: " not in said.out + said.err
    assert Path("runs/one/listen/reconstruction.mid").exists()


def test_a_resumed_run_is_the_same_run_but_for_what_is_given(midi: str) -> None:
    begun = ["--seed", "7", "--free-bits", "60", "--learning-rate", "0.001", "--track", "0"]
    assert main(["train", midi, *QUICK[:4], "--steps", "1", *begun]) == 0
    before = recipe_of(Path("runs/midi"))
    assert (before["seed"], before["free_bits"], before["peak_learning_rate"], before["track"]) == (7, 60.0, 0.001, 0)
    assert main(["train", midi, "--resume", "--steps", "2"]) == 0
    after = recipe_of(Path("runs/midi"))
    assert after == before | {"step": 2, "steps": 2, "spent": after["spent"]}


def test_minutes_given_to_a_run_by_steps_count(midi: str, run: Path) -> None:
    longer = recipe_of(run)["spent"] * 1.0001
    assert main(["train", midi, "--resume", "--minutes", str(longer)]) == 0
    assert (recipe_of(run)["step"], recipe_of(run)["steps"], recipe_of(run)["minutes"]) == (4, 0, longer)


def test_repeating_the_options_of_a_run_does_not_keep_it_from_going_on(midi: str, run: Path) -> None:
    assert main(["train", midi, *QUICK[:4], "--bars", "2", "--steps", "4", "--resume"]) == 0
    assert recipe_of(run)["step"] == 4


def test_a_complete_run_has_nothing_to_do_and_says_how_to_make_it_longer(
    midi: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(run)
    assert main(["train", midi, "--resume"]) == 0
    assert capsys.readouterr().out == "runs/midi is complete (3 steps): give more --minutes or --steps to go on\n"
    assert contents(run) == before


def test_a_run_goes_on_with_other_music(midi: str, run: Path) -> None:
    Path("other").mkdir()
    shutil.copy(f"{midi}/1.mid", "other/tune.mid")
    assert main(["train", "other", "--name", "midi", "--resume", "--steps", "4"]) == 0
    assert recipe_of(run)["step"] == 4


# For another process: a checkpoint after every step, and `kill -9` in the middle of the eighth.
KILLED_TRAINING = """
import os, signal, sys
from dataclasses import replace
from musicvae_lite.cli.main import main
from musicvae_lite.training import loop, recipe

tiny = recipe.PRESETS["tiny"]
recipe.PRESETS["tiny"] = replace(tiny, recipe=replace(tiny.recipe, checkpoint_minutes=0.0, validations=2))
step = loop.train_step

def die_in_the_eighth(state, batch):
    if state.step == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(state, batch)

loop.train_step = die_in_the_eighth
main(["train", sys.argv[1], "--preset", "tiny", "--batch", "4", "--steps", "12"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_a_run_killed_in_the_middle_goes_on_from_its_last_checkpoint(
    midi: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = [sys.executable, "-c", KILLED_TRAINING, midi]
    assert subprocess.run(command, capture_output=True, check=False).returncode == -9
    assert main(["train", midi, "--resume"]) == 0
    assert "going on from step 7" in capsys.readouterr().out
    assert recipe_of(Path("runs/midi"))["step"] == 12
    assert [row["step"] for row in metrics.read(Path("runs/midi"))] == [6, 12]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--batch", "1000"], "fewer than one batch of 1000: add music"),
        (["--preset", "huge"], "unknown preset 'huge': expected one of melody-2bar, "),
        (["--device", "toaster"], "--device toaster: not on this machine"),
        (["--resume"], "nothing to resume there: leave out --resume"),
        (["--minutes", "1"], "--minutes and --steps both say when to end"),
        (["--seed", "-1"], "Invalid value for '--seed'"),
        (["--seed", str(1 << 40)], "a seed of"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_one_line_before_anything_is_written(
    midi: str, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in complaint([midi, *QUICK, *options], capsys)
    assert not Path("runs").exists()


def test_a_folder_that_is_missing_empty_or_useless_is_one_line(midi: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    Path("useless").mkdir()
    Path("useless/letter.mid").write_text("Dear all, this is a letter and no music.")
    assert "does not exist" in complaint(["nowhere"], capsys)
    assert "holds no MIDI file" in complaint(["empty"], capsys)
    assert "0 windows to train on" in complaint(["useless"], capsys)
    assert not Path("runs").exists()


def test_a_place_that_cannot_be_written_to_is_one_line(midi: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").touch()
    assert "cannot be written" in complaint([midi, *QUICK, "--out", "file"], capsys)


def test_a_run_that_is_there_is_not_overwritten(midi: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(run)
    assert "holds a run already: go on with it by --resume" in complaint([midi, *QUICK], capsys)
    assert contents(run) == before


def test_a_folder_of_something_else_is_not_written_into(midi: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(midi)
    said = complaint([midi, *QUICK, "--out", str(folder.parent)], capsys)
    assert f"{folder} is not empty: choose another --name" in said


@pytest.mark.parametrize(
    ("options", "change"),
    [
        (["--bars", "4"], "bars from 2 to 4"),
        (["--steps-per-quarter", "12"], "steps_per_quarter from 4 to 12"),
        (["--preset", "melody-2bar"], "latent from 32 to 128"),
    ],
    ids=str,
)
def test_a_resumed_run_refuses_another_network(
    midi: str, run: Path, options: list[str], change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = complaint([midi, "--resume", "--steps", "5", *options], capsys)
    assert "goes on with the network that it has" in said
    assert change in said
