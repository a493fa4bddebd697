"""A pass decodes from mu, is repeatable, and its controls are controls."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation import heldout
from musicvae_lite.evaluation.heldout import by_meter, run, sample_windows, scores
from musicvae_lite.inference.codec import Codec
from musicvae_lite.model.musicvae import MusicVAE

Groups = tuple[Windows, ...]


def test_a_pass_decodes_from_the_posterior_mean(model: MusicVAE, player: Codec, groups: Groups) -> None:
    for found, group in zip(run(player, groups), groups, strict=True):
        tokens = torch.from_numpy(group.tokens.astype(np.int64))
        posterior = model.encode(tokens, group.meter)
        np.testing.assert_allclose(found.mu, posterior.mu.detach().numpy(), atol=1e-6)
        np.testing.assert_array_equal(found.free_t0, model.decode(posterior.mu, group.meter).numpy())
        np.testing.assert_array_equal(found.truth, group.tokens)


def test_teacher_forcing_shows_the_true_tokens_before_each_step_and_not_its_own(
    model: MusicVAE, player: Codec, groups: Groups
) -> None:
    (found,) = run(player, groups[:1])
    tokens = torch.from_numpy(found.truth)
    logits = model.logits(torch.from_numpy(found.mu), tokens, groups[0].meter)
    np.testing.assert_array_equal(found.teacher_forced, logits.argmax(-1).numpy())


def test_chunks_change_nothing_that_is_not_random(
    player: Codec, groups: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(player, groups)
    monkeypatch.setattr(heldout, "STEPS_AT_ONCE", 5 * 32)
    for one, other in zip(whole, run(player, groups), strict=True):
        np.testing.assert_array_equal(one.free_t0, other.free_t0)
        np.testing.assert_array_equal(one.shuffled_z, other.shuffled_z)
        np.testing.assert_array_equal(one.teacher_forced, other.teacher_forced)
        np.testing.assert_allclose(one.nll, other.nll, rtol=1e-4)


def test_a_seed_decides_everything_random(player: Codec, groups: Groups) -> None:
    one, again, other = (run(player, groups[:1], seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.free_t1, again.free_t1)
    np.testing.assert_array_equal(one.nll, again.nll)
    assert (one.free_t1 != other.free_t1).any()
    assert (one.nll != other.nll).any()


def test_shuffled_z_is_never_the_windows_own_nor_its_neighbours(model: MusicVAE, player: Codec, groups: Groups) -> None:
    (found,) = run(player, groups[:1])
    others = torch.from_numpy(np.roll(found.mu, len(found.mu) // 2, 0))
    np.testing.assert_array_equal(found.shuffled_z, model.decode(others, groups[0].meter).numpy())


def test_a_lone_window_has_nothing_to_be_shuffled_with(player: Codec, groups: Groups) -> None:
    passes = run(player, [groups[0], groups[1].select(np.array([0]))])
    assert math.isnan(by_meter(passes)[groups[1].meter]["shuffled_z"])
    assert scores(passes)["shuffled_z"] == by_meter(passes)[groups[0].meter]["shuffled_z"]


def test_each_meter_weighs_as_much_as_it_has_windows(player: Codec, groups: Groups) -> None:
    passes = run(player, groups)
    large, small = by_meter(passes).values()
    for name, pooled in scores(passes).items():
        if name != "active_units":
            assert pooled == pytest.approx((12 * large[name] + 4 * small[name]) / 16)


def test_a_model_that_repeats_the_window_scores_one(player: Codec, groups: Groups) -> None:
    perfect = [replace(p, free_t0=p.truth, free_t1=p.truth, teacher_forced=p.truth) for p in run(player, groups)]
    found = scores(perfect)
    assert found["free_t0"] == found["free_t1"] == found["teacher_forced"] == found["exact"] == found["onset_f1"] == 1
    assert found["constant"] == 0.5  # every other token is a hold


def test_kl_is_summed_over_dimensions_and_given_in_bits(model: MusicVAE, player: Codec, groups: Groups) -> None:
    passes = run(player, groups[:1])
    tokens = torch.from_numpy(passes[0].truth)
    nats = model.encode(tokens, groups[0].meter).kl().sum(-1).mean().item()
    assert scores(passes)["kl_bits"] == pytest.approx(nats / math.log(2), rel=1e-4)


@pytest.mark.parametrize("count", [1, 4, 8, 16, 100])
def test_a_sample_of_windows_is_spread_over_every_group_in_proportion(groups: Groups, count: int) -> None:
    sizes = [len(group) for group in sample_windows(groups, count)]
    assert sizes == [max(1, round(min(count, 16) * share)) for share in (12 / 16, 4 / 16)]


def test_a_group_without_windows_is_passed_over(player: Codec, groups: Groups) -> None:
    assert len(run(player, [groups[0], groups[1].select(np.zeros(4, bool))])) == 1
