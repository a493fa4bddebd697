"""Refinement makes windows exact where it can, leaves alone what is, and says which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from musicvae_lite.corpus.clip import cut_clip
from musicvae_lite.explore.refine import refine
from musicvae_lite.inference.codec import Codec, Floats, Ints
from musicvae_lite.inference.config import Config
from musicvae_lite.model.codec import TorchCodec, codec
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.notes import COMMON_TIME, Song
from musicvae_lite.tokens import melody

if TYPE_CHECKING:
    from musicvae_lite.model.checkpoint import Checkpoint


@pytest.fixture(scope="module")
def windows(tunes: dict[str, Song]) -> Ints:
    """[B, T, V]: those that the model `learned` knows."""
    return np.concatenate([cut_clip(song, melody, 4, 2).windows for song in tunes.values()])


@pytest.fixture(scope="module")
def model(learned: Checkpoint) -> Codec:
    return codec(learned.model)


def astray(z: Floats, by: float = 0.4) -> Floats:
    """z moved in some direction by that share of its length."""
    away = np.random.default_rng(1).standard_normal(z.shape, np.float32)
    lengths = [np.linalg.norm(x, axis=-1, keepdims=True) for x in (z, away)]
    return np.asarray(z + away * by * lengths[0] / lengths[1], np.float32)


def test_windows_that_decode_exactly_are_not_touched(model: Codec, windows: Ints) -> None:
    mu = model.encode(windows, COMMON_TIME).mu
    result = refine(model, mu, windows, COMMON_TIME)
    np.testing.assert_array_equal(result.z, mu)
    assert result.differed.tolist() == result.differ.tolist() == result.steps.tolist() == [0] * len(windows)


def test_windows_that_do_not_decode_exactly_are_made_to(model: Codec, windows: Ints) -> None:
    start = astray(model.encode(windows, COMMON_TIME).mu)
    result = refine(model, start, windows, COMMON_TIME)
    wrong = (model.decode(start, COMMON_TIME) != windows).sum((1, 2))
    assert wrong.any()
    np.testing.assert_array_equal(result.differed, wrong)
    assert not result.differ.any()
    np.testing.assert_array_equal(model.decode(result.z, COMMON_TIME), windows)
    np.testing.assert_array_equal(result.steps > 0, wrong > 0)
    np.testing.assert_array_equal((result.z != start).any(-1), wrong > 0)


def test_each_window_is_refined_as_if_it_were_alone(
    model: Codec, windows: Ints, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = astray(model.encode(windows, COMMON_TIME).mu)
    together = refine(model, start, windows, COMMON_TIME)
    for i in range(len(windows)):
        alone = refine(model, start[i : i + 1], windows[i : i + 1], COMMON_TIME)
        assert alone.steps[0] == together.steps[i]
        np.testing.assert_allclose(alone.z[0], together.z[i], rtol=1e-3, atol=1e-3)
    monkeypatch.setattr("musicvae_lite.explore.refine.STEPS_AT_ONCE", 64)
    in_parts = refine(model, start, windows, COMMON_TIME)
    np.testing.assert_array_equal(in_parts.steps, together.steps)


def test_torch_refines_as_numpy_does(model: Codec, learned: Checkpoint, windows: Ints) -> None:
    start = astray(model.encode(windows, COMMON_TIME).mu)
    one, other = (refine(each, start, windows, COMMON_TIME) for each in (model, TorchCodec(learned.model)))
    np.testing.assert_array_equal(one.steps, other.steps)
    np.testing.assert_allclose(one.z, other.z, rtol=1e-3, atol=1e-3)


def test_what_cannot_be_reached_is_reported_and_never_worse_than_before(windows: Ints) -> None:
    torch.manual_seed(0)
    sizes = Config(latent=8, embedding=8, encoder_hidden=8, decoder_hidden=16, view_rank=4)
    untrained = codec(MusicVAE(sizes).eval())
    mu = untrained.encode(windows, COMMON_TIME).mu
    result = refine(untrained, mu, windows, COMMON_TIME, limit=3)
    assert (result.differ > 0).all()
    assert (result.differ <= result.differed).all()
    np.testing.assert_array_equal(result.differ, (untrained.decode(result.z, COMMON_TIME) != windows).sum((1, 2)))
    assert (result.steps == 3).all()


def test_a_limit_of_0_only_counts_what_differs(model: Codec, windows: Ints) -> None:
    start = astray(model.encode(windows, COMMON_TIME).mu)
    result = refine(model, start, windows, COMMON_TIME, limit=0)
    np.testing.assert_array_equal(result.z, start)
    np.testing.assert_array_equal(result.differ, result.differed)
    assert result.differ.any()
    assert not result.steps.any()


def test_the_model_and_its_arguments_stay_as_they_were(learned: Checkpoint, windows: Ints) -> None:
    torchly = TorchCodec(learned.model)
    start = astray(torchly.encode(windows, COMMON_TIME).mu)
    given, weights = start.copy(), {k: v.clone() for k, v in learned.model.state_dict().items()}
    threads = torch.get_num_threads()
    for each in (torchly, codec(learned.model)):
        refine(each, start, windows, COMMON_TIME)
        np.testing.assert_array_equal(start, given)
    assert all(torch.equal(v, weights[k]) for k, v in learned.model.state_dict().items())
    assert torch.get_num_threads() == threads
