"""Training learns, is repeatable, can be killed, and leaves a model folder behind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.evaluation.heldout import run, scores
from musicvae_lite.inference.config import Config
from musicvae_lite.model.checkpoint import load
from musicvae_lite.model.codec import codec
from musicvae_lite.music.notes import COMMON_TIME, Meter
from musicvae_lite.training import loop
from musicvae_lite.training.batches import Batch
from musicvae_lite.training.loop import Moment, train, train_step
from musicvae_lite.training.recipe import Recipe
from musicvae_lite.training.state import resume, start
from tests.model.conftest import flat
from tests.training.conftest import BRIEF, CPU, fresh, weights, windows

Groups = tuple[Windows, ...]


def rows(folder: Path) -> list[dict[str, float | None]]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_tiny_model_learns_sixteen_windows_by_heart(tmp_path: Path) -> None:
    group = windows(Meter(2, 4), 8, 16)
    config = Config(bars=1, latent=16, embedding=16, encoder_hidden=32, decoder_hidden=64, view_rank=8)
    quick = Recipe(steps=260, batch=16, peak_learning_rate=1e-2, warm_up_steps=10, ema=0.9)
    recipe = replace(quick, first_free_bits=60.0, free_bits=60.0, transpose=0)
    state = train(start(config, recipe, CPU), [group], [], tmp_path)
    found = scores(run(codec(state.average), [group]))
    assert found["constant"] == 0.5
    assert found["free_t0"] > 0.9
    assert found["shuffled_z"] < 0.65
    assert found["active_units"] > 0


def test_the_same_seed_makes_the_same_model_and_another_seed_another(
    tmp_path: Path, groups: Groups, held_out: Groups
) -> None:
    one, same = (train(fresh(), groups, held_out, tmp_path / name) for name in ("one", "same"))
    other = train(fresh(replace(BRIEF, seed=1)), groups, held_out, tmp_path / "other")
    assert all(torch.equal(a, b) for a, b in zip(weights(one), weights(same), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


class Killed(BaseException):
    """Stands for `kill -9`: nothing in the loop may catch it."""


def killed_after(step: int, recipe: Recipe, groups: Groups, held_out: Groups, folder: Path) -> None:
    def kill(moment: Moment) -> None:
        if moment.step == step:
            raise Killed

    with pytest.raises(Killed):
        train(fresh(recipe), groups, held_out, folder, kill)


def test_a_killed_run_goes_on_to_the_very_weights_of_one_that_was_left_alone(
    tmp_path: Path, groups: Groups, held_out: Groups
) -> None:
    recipe = replace(BRIEF, steps=8, checkpoint_minutes=0.0)  # a checkpoint after every step
    whole = train(fresh(recipe), groups, held_out, tmp_path / "whole")
    killed_after(5, recipe, groups, held_out, tmp_path / "killed")
    rest = resume(tmp_path / "killed", CPU)
    assert rest.step == 5
    train(rest, groups, held_out, tmp_path / "killed")
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(rest), strict=True))
    ours, theirs = load(tmp_path / "killed").model.state_dict(), load(tmp_path / "whole").model.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_run_killed_before_its_first_checkpoint_starts_over_and_measures_nothing_twice(
    tmp_path: Path, groups: Groups, held_out: Groups
) -> None:
    killed_after(5, BRIEF, groups, held_out, tmp_path)
    assert [row["step"] for row in rows(tmp_path)] == [2, 4]
    state = resume(tmp_path, CPU)
    assert state.step == 0
    train(state, groups, held_out, tmp_path)
    assert [row["step"] for row in rows(tmp_path)] == [2, 4, 6]


def test_a_finished_run_can_be_made_longer_with_other_music(tmp_path: Path, groups: Groups) -> None:
    train(fresh(), groups, [], tmp_path)
    longer = train(resume(tmp_path, CPU, {"steps": 9}), [windows(COMMON_TIME, 16, 8, seed=9)], [], tmp_path)
    assert longer.step == 9
    assert rows(tmp_path)[-1]["step"] == 9


def test_too_few_windows_are_refused_before_anything_is_written(tmp_path: Path, groups: Groups) -> None:
    with pytest.raises(MusicVAEError, match="fewer than one batch of 64"):
        train(fresh(replace(BRIEF, batch=64)), groups, groups, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_written_to_is_an_error_before_the_first_step(
    tmp_path: Path, groups: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(loop, "train_step", None)
    with pytest.raises(MusicVAEError, match="cannot be written"):
        train(fresh(), groups, [], tmp_path / "file" / "run")


def test_validations_are_spread_evenly_and_the_last_one_is_at_the_end(
    tmp_path: Path, groups: Groups, held_out: Groups
) -> None:
    heard: list[Moment] = []
    train(fresh(), groups, held_out, tmp_path, heard.append)
    assert [moment.step for moment in heard] == [1, 2, 3, 4, 5, 6]
    assert [moment.step for moment in heard if moment.scores] == [2, 4, 6]
    assert heard[-1].progress == 1.0
    assert [row["step"] for row in rows(tmp_path)] == [2, 4, 6]
    assert {"free_t0", "teacher_forced", "constant", "shuffled_z", "kl_bits", "train_bits"} <= set(rows(tmp_path)[-1])


def test_without_held_out_windows_it_trains_and_measures_the_loss_alone(tmp_path: Path, groups: Groups) -> None:
    train(fresh(), groups, [], tmp_path)
    assert [set(row) for row in rows(tmp_path)] == [{"step", "minutes", "train_bits"}] * 3
    assert load(tmp_path).about["step"] == 6


def test_a_score_that_is_not_defined_is_null_and_not_nan(tmp_path: Path, groups: Groups) -> None:
    alone = windows(COMMON_TIME, 16, 1)  # there is no other window whose z it could be given
    train(fresh(), groups, [alone], tmp_path)
    assert [row["shuffled_z"] for row in rows(tmp_path)] == [None] * 3
    assert load(tmp_path).about["scores"]["shuffled_z"] is None


def test_the_model_that_is_left_is_the_average_and_says_how_it_was_made(
    tmp_path: Path, groups: Groups, held_out: Groups
) -> None:
    state = train(fresh(), groups, held_out, tmp_path)
    found = load(tmp_path)
    expected = state.average.state_dict()
    assert all(torch.equal(weight, expected[name]) for name, weight in found.model.state_dict().items())
    assert not all(torch.equal(a, b) for a, b in zip(state.average.parameters(), state.model.parameters(), strict=True))
    assert found.about["recipe"] == BRIEF.to_dict()
    assert found.about["step"] == 6
    assert found.about["scores"]["free_t0"] == rows(tmp_path)[-1]["free_t0"]


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_reported_and_never_saved(tmp_path: Path, groups: Groups, broken: float) -> None:
    state = fresh(replace(BRIEF, checkpoint_minutes=0.0))

    def spoil(moment: Moment) -> None:
        if moment.step == 3:
            with torch.no_grad():
                flat(state.model).output.bias.fill_(broken)

    with pytest.raises(
        MusicVAEError, match=r"the loss is nan at step 3, .* by --resume with a smaller --learning-rate"
    ):
        train(state, groups, [], tmp_path, spoil)
    assert resume(tmp_path, CPU).step == 3
    assert all(torch.isfinite(weight).all() for weight in weights(resume(tmp_path, CPU)))


def test_a_gradient_that_is_no_number_is_reported_before_it_reaches_the_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def explode(*_: object) -> torch.Tensor:
        return torch.tensor(float("inf"))

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", explode)
    state = fresh()
    before = [weight.clone() for weight in weights(state)]
    with pytest.raises(MusicVAEError, match="its gradient inf"):
        train_step(state, Batch(windows(COMMON_TIME, 16, 4).tokens.astype(np.int64), COMMON_TIME))
    assert all(torch.equal(a, b) for a, b in zip(weights(state), before, strict=True))
