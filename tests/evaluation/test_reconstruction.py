"""Does a window come back: shares of equal tokens, onsets and windows, and what a constant answer scores."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicvae_lite.evaluation.reconstruction import constant_accuracy, exact, onset_f1, token_accuracy
from musicvae_lite.tokens import drums, melody

HOLD, OFF = melody.HOLD, melody.NOTE_OFF
NOTHING = np.empty((0, 4, 1), np.int64)


def windows(*rows: list[int]) -> NDArray[np.int64]:
    return np.array(rows, np.int64)[:, :, None]


def some_windows() -> st.SearchStrategy[NDArray[np.int64]]:
    row = st.lists(st.sampled_from([60, 62, OFF, HOLD]), min_size=4, max_size=4)
    return st.lists(row, min_size=1, max_size=5).map(lambda rows: windows(*rows))


TRUTH = windows([60, HOLD, 62, HOLD], [64, HOLD, OFF, HOLD])
DECODED = windows([60, HOLD, 62, HOLD], [64, HOLD, HOLD, 65])


def test_token_accuracy_is_the_share_of_equal_tokens() -> None:
    assert token_accuracy(TRUTH, DECODED) == 6 / 8


def test_a_constant_answer_scores_the_share_of_the_commonest_token() -> None:
    assert constant_accuracy(TRUTH) == 4 / 8


@given(some_windows())
def test_no_constant_answer_beats_the_constant_control(truth: NDArray[np.int64]) -> None:
    best = max(token_accuracy(truth, np.full_like(truth, token)) for token in range(melody.VOCABULARY))
    assert constant_accuracy(truth) == best


def test_a_window_is_exact_only_with_every_token_right() -> None:
    assert exact(TRUTH, DECODED) == 1 / 2


def test_onset_f1_counts_the_right_pitch_at_the_right_step() -> None:
    # Three onsets wanted, four made, three of them right: precision 3/4, recall 1.
    assert math.isclose(onset_f1(TRUTH, DECODED, melody), 2 * 3 / (3 + 4))


def test_an_onset_at_another_pitch_is_no_hit() -> None:
    assert onset_f1(windows([60, HOLD, HOLD, HOLD]), windows([61, HOLD, HOLD, HOLD]), melody) == 0


def test_holds_and_silence_earn_nothing_in_onset_f1() -> None:
    assert onset_f1(TRUTH, np.full_like(TRUTH, HOLD), melody) == 0


def test_without_windows_every_figure_is_undefined() -> None:
    assert math.isnan(token_accuracy(NOTHING, NOTHING))
    assert math.isnan(constant_accuracy(NOTHING))
    assert math.isnan(exact(NOTHING, NOTHING))
    assert math.isnan(onset_f1(NOTHING, NOTHING, melody))


@given(some_windows())
def test_what_comes_back_whole_scores_one_everywhere(truth: NDArray[np.int64]) -> None:
    assert token_accuracy(truth, truth) == exact(truth, truth) == 1
    assert onset_f1(truth, truth, melody) in (1, float("nan")) or not melody.onsets(truth).any()


def test_of_drums_each_stroke_counts() -> None:
    kick_and_hat, kick, snare = 0b101, 0b001, 0b010
    # Four strokes wanted, three made, two of them right.
    wanted, made = windows([kick_and_hat, 0, kick, snare]), windows([kick, 0, kick, kick])
    assert math.isclose(onset_f1(wanted, made, drums), 2 * 2 / (4 + 3))


def test_of_several_voices_the_best_constant_is_one_a_voice() -> None:
    truth = np.array([[[1, 7], [1, 8], [1, 7], [2, 7]]])
    assert constant_accuracy(truth) == 6 / 8
