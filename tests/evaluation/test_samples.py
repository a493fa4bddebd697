"""Samples come in the meters of the corpus, follow from the seed, and are held against real windows."""

from __future__ import annotations

import math

import numpy as np

from musicvae_lite.corpus.splits import fingerprints
from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation.samples import FITTED, NORMAL, Figures, best, compare, densities, describe, draw
from musicvae_lite.inference.codec import Codec
from musicvae_lite.tokens import melody

Groups = tuple[Windows, ...]


def random() -> np.random.Generator:
    return np.random.default_rng(0)


def drawn(player: Codec, groups: Groups, seed: int) -> list[Windows]:
    sample = densities(player.config.latent, None)[NORMAL]
    return draw(player, sample, groups, 8, 1.0, np.random.default_rng(seed))


def test_samples_have_the_meters_of_the_corpus_in_proportion(player: Codec, groups: Groups) -> None:
    samples = drawn(player, groups, 0)
    assert [(each.meter, each.tokens.shape) for each in samples] == [
        (groups[0].meter, (6, 32, 1)),
        (groups[1].meter, (2, 24, 1)),
    ]
    assert all(melody.is_canonical(window) for each in samples for window in each.tokens)


def test_samples_follow_from_the_seed(player: Codec, groups: Groups) -> None:
    one, again, other = (drawn(player, groups, seed)[0].tokens for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_what_was_sampled_before_is_found_to_be_a_copy(player: Codec, groups: Groups) -> None:
    corpus = describe(groups, player.config, random())
    found = compare(player, None, groups, corpus, np.empty(0, np.uint64), 8, 0.0, random())[NORMAL]
    assert found.copies == 0
    same = draw(player, densities(player.config.latent, None)[NORMAL], groups, 8, 0.0, random())
    known = np.concatenate([fingerprints(each.tokens, melody) for each in same])
    assert compare(player, None, groups, corpus, known, 8, 0.0, random())[NORMAL].copies == 1


def test_copies_are_undefined_where_training_is_unknown(player: Codec, groups: Groups) -> None:
    corpus = describe(groups, player.config, random())
    found = compare(player, None, groups, corpus, None, 8, 1.0, random())[NORMAL]
    assert math.isnan(found.copies)
    assert 0 <= found.overlap <= 1
    assert set(found.by_descriptor) == set(corpus) == set(found.values)


def test_the_fitted_density_is_what_a_model_is_sampled_from_where_it_has_one() -> None:
    normal, fitted = (Figures(area, 0.0, {}, {}) for area in (0.5, 0.9))
    assert best({NORMAL: normal, FITTED: fitted}) is fitted
    assert best({NORMAL: normal}) is normal
    assert best({}) is None
