"""A run survives the disk bit for bit, and is changed by a resumption only where it was asked to be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.model.checkpoint import Checkpoint, read_tensors, write_tensors
from musicvae_lite.model.checkpoint import save as save_model
from musicvae_lite.music.notes import Meter
from musicvae_lite.training.batches import Batch
from musicvae_lite.training.loop import train_step
from musicvae_lite.training.recipe import Recipe
from musicvae_lite.training.state import STATE_FILE, State, resume, save
from tests.training.conftest import BRIEF, CPU, fresh, weights, windows


def begun() -> State:
    """A run after two steps."""
    state = fresh()
    batch = Batch(windows(Meter(4, 4), 16, 4).tokens.astype("int64"), Meter(4, 4))
    for _ in range(2):
        train_step(state, batch)
        state.step += 1
    state.minutes = 0.25
    return state


def test_a_run_comes_back_bit_for_bit(tmp_path: Path) -> None:
    state = begun()
    save(state, tmp_path)
    found = resume(tmp_path, CPU)
    assert (found.step, found.minutes, found.recipe) == (2, 0.25, BRIEF)
    assert found.model.config == state.model.config
    for one, other in zip(weights(state), weights(found), strict=True):
        assert torch.equal(one, other)


def test_the_next_step_is_the_one_that_would_have_been(tmp_path: Path) -> None:
    state, batch = begun(), Batch(windows(Meter(3, 4), 12, 4).tokens.astype("int64"), Meter(3, 4))
    save(state, tmp_path)
    found = resume(tmp_path, CPU)
    for run in (state, found):
        train_step(run, batch)
    for one, other in zip(weights(state), weights(found), strict=True):
        assert torch.equal(one, other)


def test_a_resumption_changes_what_it_is_told_to_and_nothing_else(tmp_path: Path) -> None:
    save(begun(), tmp_path)
    assert resume(tmp_path, CPU, {"steps": 100}).recipe == replace(BRIEF, steps=100)


def test_the_first_weights_are_a_function_of_the_seed() -> None:
    def first(seed: int) -> torch.Tensor:
        return torch.cat([weight.flatten() for weight in fresh(replace(BRIEF, seed=seed)).model.parameters()])

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))


def test_starting_a_run_leaves_everybody_elses_randomness_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fresh()
    assert torch.equal(torch.rand(3), expected)


def test_progress_is_by_steps_where_there_are_any_and_else_by_minutes() -> None:
    by_steps, by_minutes = fresh(Recipe(steps=8)), fresh(Recipe(minutes=2.0))
    for state in (by_steps, by_minutes):
        state.step, state.minutes = 2, 1.0
    assert (by_steps.progress, by_minutes.progress) == (0.25, 0.5)


def test_nothing_to_resume_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(MusicVAEError, match="nothing to resume there: leave out --resume"):
        resume(tmp_path, CPU)


def test_a_run_from_a_newer_version_is_one_clear_error(tmp_path: Path) -> None:
    save(begun(), tmp_path)
    tensors, header = read_tensors(tmp_path / STATE_FILE)
    write_tensors(tensors, header | {"recipe": header["recipe"] | {"colour": 1}}, tmp_path / STATE_FILE)
    with pytest.raises(MusicVAEError, match="unknown keys colour"):
        resume(tmp_path, CPU)
    write_tensors(tensors, header | {"format": 2}, tmp_path / STATE_FILE)
    with pytest.raises(MusicVAEError, match="format 2"):
        resume(tmp_path, CPU)


def test_a_file_that_is_no_run_is_one_clear_error(tmp_path: Path) -> None:
    save_model(Checkpoint(fresh().model), tmp_path / STATE_FILE)
    with pytest.raises(MusicVAEError, match=r"training\.safetensors: .*it has no 'recipe'"):
        resume(tmp_path, CPU)
    (tmp_path / STATE_FILE).write_bytes(b"half a file")
    with pytest.raises(MusicVAEError, match=r"training\.safetensors: not a model"):
        resume(tmp_path, CPU)
