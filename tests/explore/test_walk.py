"""A walk keeps its ends, leans where it is told to, and makes smaller jumps than equal steps in z."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from musicvae_lite.explore.interpolate import levels, linear, uniform
from musicvae_lite.explore.walk import SPACINGS, Spacing, decode, walk
from musicvae_lite.model.config import Config
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.playing import Pull
from musicvae_lite.music.notes import COMMON_TIME
from musicvae_lite.tokens import melody
from tests.model.conftest import flat

WINDOWS, STEPS = 3, 6


@pytest.fixture(scope="module")
def model() -> MusicVAE:
    torch.manual_seed(1)
    made = MusicVAE(Config(latent=8, embedding=8, encoder_hidden=8, decoder_hidden=16, view_rank=4)).eval()
    with torch.no_grad():  # an untrained decoder hardly looks at z; this one does
        for parameter in flat(made).parameters():
            parameter.mul_(3)
        views = flat(made).views
        assert views is not None
        views.by_step.normal_()
    return made


@pytest.fixture(scope="module")
def ends() -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(2)
    a, b = torch.randn(2, WINDOWS, 8, generator=random)
    return 2 * a, 2 * b


def largest_jump(tokens: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> int:
    return int((tokens[1:] != tokens[:-1]).sum((1, 2)).max())


@pytest.mark.parametrize("spacing", SPACINGS.values(), ids=list(SPACINGS))
def test_both_ends_are_what_they_decode_to(model: MusicVAE, ends: tuple[Tensor, Tensor], spacing: Spacing) -> None:
    way = walk(model, *ends, COMMON_TIME, STEPS, spacing)
    assert way.tokens.shape == (STEPS, WINDOWS, 32, 1)
    for tokens, z in ((way.tokens[0], ends[0]), (way.tokens[-1], ends[1])):
        np.testing.assert_array_equal(tokens, model.decode(z, COMMON_TIME).numpy())


def test_every_tune_on_the_way_is_canonical(model: MusicVAE, ends: tuple[Tensor, Tensor]) -> None:
    way = walk(model, *ends, COMMON_TIME, STEPS, SPACINGS["even"])
    assert all(melody.is_canonical(window) for step in way.tokens for window in step)


def test_uniform_spacing_is_the_plain_decoding_of_equal_steps(model: MusicVAE, ends: tuple[Tensor, Tensor]) -> None:
    way = walk(model, *ends, COMMON_TIME, STEPS, SPACINGS["uniform"])
    t = torch.from_numpy(uniform(STEPS))
    points = linear(*ends, t)
    for step, z, level in zip(way.tokens, points, levels(points, *ends, t), strict=True):
        np.testing.assert_array_equal(step, model.decode(z, COMMON_TIME, level=level).numpy())


def test_even_spacing_never_makes_a_larger_jump_than_uniform(model: MusicVAE, ends: tuple[Tensor, Tensor]) -> None:
    even, uniformly = (walk(model, *ends, COMMON_TIME, STEPS, Spacing(evenly, 0.0)) for evenly in (True, False))
    jumps = [(largest_jump(even.tokens[:, w]), largest_jump(uniformly.tokens[:, w])) for w in range(WINDOWS)]
    assert all(mine <= theirs for mine, theirs in jumps)
    assert any(mine < theirs for mine, theirs in jumps)


def test_each_window_goes_its_own_way_forwards(model: MusicVAE, ends: tuple[Tensor, Tensor]) -> None:
    positions = walk(model, *ends, COMMON_TIME, STEPS, SPACINGS["even"]).positions
    assert positions.shape == (STEPS, WINDOWS)
    assert (np.diff(positions, axis=0) > 0).all()
    np.testing.assert_array_equal(positions[[0, -1]], [[0.0] * WINDOWS, [1.0] * WINDOWS])


def test_a_strong_pull_plays_nothing_but_what_an_end_plays(model: MusicVAE, ends: tuple[Tensor, Tensor]) -> None:
    free, pulled = (walk(model, *ends, COMMON_TIME, STEPS, Spacing(False, nats)).tokens for nats in (0.0, 1e4))
    own = [((tokens == tokens[0]) | (tokens == tokens[-1])).mean() for tokens in (free, pulled)]
    assert own[1] > own[0]
    # What is not allowed stays so, however strong the pull: a note-off where nothing sounds becomes a hold.
    assert all(melody.is_canonical(window) for step in pulled for window in step)


def test_ways_beside_the_line_never_make_a_larger_jump_than_the_line_alone(
    model: MusicVAE, ends: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("musicvae_lite.explore.walk.CANDIDATES_A_STEP", 12)
    with_them = walk(model, *ends, COMMON_TIME, STEPS, Spacing(True, 0.0)).tokens
    monkeypatch.setattr("musicvae_lite.explore.walk.CANDIDATES_A_STEP", 4)
    monkeypatch.setattr("musicvae_lite.explore.walk.WAYS", 1)
    alone = walk(model, *ends, COMMON_TIME, STEPS, Spacing(True, 0.0)).tokens
    jumps = [(largest_jump(with_them[:, w]), largest_jump(alone[:, w])) for w in range(WINDOWS)]
    assert all(mine <= theirs for mine, theirs in jumps)
    assert any(mine < theirs for mine, theirs in jumps)


def test_from_a_tune_to_itself_every_step_is_that_tune(model: MusicVAE, ends: tuple[Tensor, Tensor]) -> None:
    way = walk(model, ends[0], ends[0], COMMON_TIME, STEPS, SPACINGS["even"])
    assert (way.tokens == model.decode(ends[0], COMMON_TIME).numpy()).all()


def test_only_what_is_heard_counts_as_differing(model: MusicVAE, ends: tuple[Tensor, Tensor]) -> None:
    heard = np.full(WINDOWS, 8)
    whole, part = (walk(model, *ends, COMMON_TIME, STEPS, Spacing(True, 0.0), heard=h) for h in (None, heard))
    for w in range(WINDOWS):
        assert largest_jump(part.tokens[:, w, :8]) <= largest_jump(whole.tokens[:, w, :8])


def test_a_pull_adds_its_nats_to_the_favoured_tokens_only() -> None:
    tokens = torch.tensor([[[[1], [2]]], [[[1], [0]]]])  # [P, B, T, V] = [2, 1, 2, 1]
    pull = Pull(tokens, torch.tensor([[3.0], [0.5]]))
    logits = torch.zeros(1, 1, 4)
    assert pull.on(logits, 0).tolist() == [[[0.0, 3.5, 0.0, 0.0]]]
    assert pull.on(logits, 1).tolist() == [[[0.5, 0.0, 3.0, 0.0]]]
    assert logits.tolist() == [[[0.0] * 4]]


def test_decoding_in_parts_is_decoding_at_once(
    model: MusicVAE, ends: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    z = torch.stack(ends)
    at_once = decode(model, z, COMMON_TIME)
    monkeypatch.setattr("musicvae_lite.explore.walk.STEPS_AT_ONCE", 32)
    np.testing.assert_array_equal(decode(model, z, COMMON_TIME), at_once)
