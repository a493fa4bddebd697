"""The n-gram model is a probability distribution, knows no keys, and finds nonsense dearer than music."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicvae_lite.evaluation import ngram
from musicvae_lite.evaluation.ngram import ORDER, alphabet_size, fit, intervals
from musicvae_lite.tokens import melody

HOLD, OFF, K = melody.HOLD, melody.NOTE_OFF, melody.VOCABULARY
FIRST = alphabet_size(melody) - 1


def windows(*rows: list[int]) -> NDArray[np.int64]:
    return np.array(rows, np.int64)[:, :, None]


def up(semitones: int) -> int:
    """The symbol of a pitch so many semitones above the one before."""
    return K + ngram.WIDEST + semitones


SCALE = [60, HOLD, 62, HOLD, 64, HOLD, 65, HOLD]
TUNES = windows(SCALE, [67, HOLD, 65, HOLD, 64, HOLD, OFF, HOLD], [60, 62, 64, 65, 67, HOLD, OFF, HOLD])


def test_a_pitch_is_spelled_as_the_interval_from_the_one_before() -> None:
    spelled = intervals(windows([HOLD, 60, HOLD, 67, OFF, 55]), melody)
    assert spelled[0, :, 0].tolist() == [HOLD, FIRST, HOLD, up(7), OFF, up(-12)]


@given(st.integers(-12, 12))
def test_a_tune_costs_the_same_in_every_key(semitones: int) -> None:
    moved = melody.transpose(TUNES, np.full(len(TUNES), semitones))
    model = fit([TUNES], melody)
    np.testing.assert_allclose(model.cost(moved), model.cost(TUNES))


def test_the_widest_leaps_have_symbols_of_their_own() -> None:
    spelled = intervals(windows([0, 127, 0, HOLD]), melody)[0, :, 0]
    assert spelled.tolist() == [FIRST, up(127), up(-127), HOLD]
    assert spelled.max() < alphabet_size(melody)


def plain_chance(history: tuple[int, ...], symbol: int, seen: list[list[int]]) -> Fraction:
    """Interpolated Witten–Bell, read off its formula: counts over all windows, padded in front."""
    shorter = plain_chance(history[1:], symbol, seen) if history else Fraction(1, alphabet_size(melody))
    after = Counter(
        line[i] for line in seen for i in range(ORDER - 1, len(line)) if tuple(line[i - len(history) : i]) == history
    )
    total, kinds = sum(after.values()), len(after)
    return Fraction(after[symbol] + kinds * shorter, total + kinds) if total else shorter


@hypothesis_settings(max_examples=10)
@given(st.lists(st.sampled_from([60, 62, 64, OFF, HOLD]), min_size=8, max_size=8))
def test_the_cost_is_that_of_the_formula(line: list[int]) -> None:
    start = [alphabet_size(melody)] * (ORDER - 1)
    seen = [start + each[:, 0].tolist() for each in intervals(TUNES, melody)]
    asked = start + intervals(windows(line), melody)[0, :, 0].tolist()
    chances = [plain_chance(tuple(asked[i - ORDER + 1 : i]), asked[i], seen) for i in range(ORDER - 1, len(asked))]
    expected = sum(-math.log2(chance) for chance in chances) / len(line)
    assert math.isclose(fit([TUNES], melody).cost(windows(line))[0], expected)


def test_chances_sum_to_one_after_any_history() -> None:
    (counts,) = fit([TUNES], melody).voices
    histories = np.array([[FIRST, HOLD, up(2), HOLD], [OFF, OFF, OFF, OFF], [FIRST, up(2), up(2), up(1)]])
    for history in histories:
        every = np.arange(alphabet_size(melody))
        lines = np.concatenate([np.tile(history, (len(every), 1)), every[:, None]], 1)
        chances = ngram._chances(lines, counts, alphabet_size(melody))[:, -1]
        assert math.isclose(chances.sum(), 1)


def test_nonsense_is_dearer_than_what_the_corpus_is_made_of() -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 128, TUNES.shape)
    model = fit([TUNES], melody)
    assert model.cost(noise).min() > 2 * model.cost(TUNES).max()


def test_what_was_never_seen_has_a_finite_cost() -> None:
    assert np.isfinite(fit([TUNES], melody).cost(windows([0, 127, 0, 127, 0, 127, 0, 127]))).all()


def test_windows_of_several_lengths_are_counted_together() -> None:
    once, twice = fit([TUNES], melody), fit([TUNES[:, :4], TUNES], melody)
    assert twice.voices[0][0].total.sum() == once.voices[0][0].total.sum() + TUNES[:, :4].size


@pytest.mark.parametrize("count", [0, 3])
def test_a_cost_is_given_for_each_window(count: int) -> None:
    assert fit([TUNES], melody).cost(TUNES[:count]).shape == (count,)
