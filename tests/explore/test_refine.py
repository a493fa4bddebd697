"""Refinement makes windows exact where it can, leaves alone what is, and says which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from musicvae_lite.corpus.clip import cut_clip
from musicvae_lite.explore.refine import refine
from musicvae_lite.inference.config import Config
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.notes import COMMON_TIME, Song
from musicvae_lite.tokens import melody

if TYPE_CHECKING:
    from musicvae_lite.model.checkpoint import Checkpoint


@pytest.fixture(scope="module")
def windows(tunes: dict[str, Song]) -> Tensor:
    """[B, T, V]: those that the model `learned` knows."""
    return torch.cat([torch.from_numpy(cut_clip(song, melody, 4, 2).windows) for song in tunes.values()])


def means(model: MusicVAE, windows: Tensor) -> Tensor:
    with torch.no_grad():
        return model.encode(windows, COMMON_TIME).mu


def astray(z: Tensor, by: float = 0.4) -> Tensor:
    """z moved in some direction by that share of its length."""
    away = torch.randn(z.shape, generator=torch.Generator().manual_seed(0))
    lengths = [torch.linalg.vector_norm(x, dim=-1, keepdim=True) for x in (z, away)]
    moved: Tensor = z + away * by * lengths[0] / lengths[1]
    return moved


def test_windows_that_decode_exactly_are_not_touched(learned: Checkpoint, windows: Tensor) -> None:
    mu = means(learned.model, windows)
    result = refine(learned.model, mu, windows, COMMON_TIME)
    assert torch.equal(result.z, mu)
    assert result.differed.tolist() == result.differ.tolist() == result.steps.tolist() == [0] * len(windows)


def test_windows_that_do_not_decode_exactly_are_made_to(learned: Checkpoint, windows: Tensor) -> None:
    start = astray(means(learned.model, windows))
    result = refine(learned.model, start, windows, COMMON_TIME)
    wrong = (learned.model.decode(start, COMMON_TIME) != windows).sum((1, 2))
    assert wrong.any()
    assert torch.equal(result.differed, wrong)
    assert not result.differ.any()
    assert torch.equal(learned.model.decode(result.z, COMMON_TIME), windows)
    assert torch.equal(result.steps > 0, wrong > 0)
    assert torch.equal((result.z != start).any(-1), wrong > 0)


def test_each_window_is_refined_as_if_it_were_alone(learned: Checkpoint, windows: Tensor) -> None:
    start = astray(means(learned.model, windows))
    together = refine(learned.model, start, windows, COMMON_TIME)
    for i in range(len(windows)):
        alone = refine(learned.model, start[i : i + 1], windows[i : i + 1], COMMON_TIME)
        assert alone.steps[0] == together.steps[i]
        assert torch.allclose(alone.z[0], together.z[i], rtol=1e-3, atol=1e-3)


def test_what_cannot_be_reached_is_reported_and_never_worse_than_before(windows: Tensor) -> None:
    torch.manual_seed(0)
    untrained = MusicVAE(Config(latent=8, embedding=8, encoder_hidden=8, decoder_hidden=16, view_rank=4)).eval()
    mu = means(untrained, windows)
    result = refine(untrained, mu, windows, COMMON_TIME, limit=3)
    assert (result.differ > 0).all()
    assert (result.differ <= result.differed).all()
    assert torch.equal(result.differ, (untrained.decode(result.z, COMMON_TIME) != windows).sum((1, 2)))
    assert (result.steps == 3).all()


def test_a_limit_of_0_only_counts_what_differs(learned: Checkpoint, windows: Tensor) -> None:
    start = astray(means(learned.model, windows))
    result = refine(learned.model, start, windows, COMMON_TIME, limit=0)
    assert torch.equal(result.z, start)
    assert torch.equal(result.differ, result.differed)
    assert result.differ.any()
    assert not result.steps.any()


def test_the_model_and_its_arguments_stay_as_they_were(learned: Checkpoint, windows: Tensor) -> None:
    start = astray(means(learned.model, windows)).requires_grad_()
    given, weights = start.detach().clone(), {k: v.clone() for k, v in learned.model.state_dict().items()}
    threads = torch.get_num_threads()
    result = refine(learned.model, start, windows, COMMON_TIME)
    assert torch.equal(start, given)
    assert start.grad is None
    assert not result.z.requires_grad
    assert all(torch.equal(v, weights[k]) for k, v in learned.model.state_dict().items())
    assert torch.get_num_threads() == threads
