"""All figures in one object: what programs may rely on, null where there is none, and the rows that people read."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation import heldout
from musicvae_lite.evaluation.morphs import MIX
from musicvae_lite.evaluation.samples import NORMAL
from musicvae_lite.evaluation.summary import SHIPPED_SPACING, Evaluation, Options, evaluate, refined_share
from musicvae_lite.evaluation.table import NONE, number, percent, rows
from musicvae_lite.evaluation.unseen import Chosen
from musicvae_lite.explore.refine import refine
from musicvae_lite.inference.codec import Codec
from musicvae_lite.model.checkpoint import Checkpoint

Groups = tuple[Windows, ...]
FEW = Options(windows=16, samples=8, pairs=4, refined=2, refine_steps=1)


@pytest.fixture(scope="module")
def evaluation(checkpoint: Checkpoint, groups: Groups) -> Evaluation:
    return evaluate(checkpoint, Chosen(groups, (), None, "all of them"), FEW)


def test_the_json_object_has_every_figure_under_its_name(evaluation: Evaluation) -> None:
    figures = json.loads(json.dumps(evaluation.as_json(), allow_nan=False))
    assert figures["windows"] == 16
    assert list(figures["token_accuracy"]) == ["teacher_forced", "free_t0", "free_t1", "constant", "shuffled_z"]
    assert list(figures["interpolation"]) == ["middle_cost", "largest_jump"]
    assert list(figures["prior"]) == ["overlap", "copies"]
    for name in ("onset_f1", "exact", "exact_refined", "kl_bits", "nll_bits"):
        assert isinstance(figures[name], float)
    assert figures["active_units"] in range(9)
    assert set(figures["by_meter"]) == {"4/4", "3/4"}


def test_the_headline_of_a_morph_is_the_way_that_ships(evaluation: Evaluation) -> None:
    figures = evaluation.as_json()
    assert figures["interpolation"] == figures["interpolation_by_spacing"][SHIPPED_SPACING]
    assert set(figures["interpolation_by_spacing"]) == {"uniform", "even", MIX}


def test_what_is_unknown_is_null(evaluation: Evaluation) -> None:
    assert evaluation.as_json()["prior"]["copies"] is None


def test_one_window_has_no_morphs_and_no_shuffling(checkpoint: Checkpoint, groups: Groups) -> None:
    alone = evaluate(checkpoint, Chosen((groups[0].select(np.array([0])),), (), None, "one"), FEW)
    figures = alone.as_json()
    assert figures["interpolation"] == {"middle_cost": None, "largest_jump": None}
    assert figures["token_accuracy"]["shuffled_z"] is None
    assert alone.morph is None
    assert any(NONE in row.control for row in rows(alone))


def test_the_same_seed_gives_the_same_figures(checkpoint: Checkpoint, groups: Groups, evaluation: Evaluation) -> None:
    again = evaluate(checkpoint, Chosen(groups, (), None, "all of them"), FEW)
    assert again.as_json() == evaluation.as_json()


def test_progress_is_told_to_the_end(checkpoint: Checkpoint, groups: Groups) -> None:
    told: list[tuple[int, int]] = []
    evaluate(checkpoint, Chosen(groups, (), None, ""), FEW, lambda done, of: told.append((done, of)))
    assert told == [(done, told[0][1]) for done in range(told[0][1] + 1)]


def test_the_refined_share_is_counted_where_all_windows_are_refined(player: Codec, groups: Groups) -> None:
    passes, exact = heldout.run(player, groups), []
    for group in groups:
        tokens = group.tokens.astype(np.int64)
        mu = player.encode(tokens, group.meter).mu
        exact += (refine(player, mu, tokens, group.meter, 20).differ == 0).tolist()
    assert refined_share(player, groups, passes, Options(refine_steps=20)) == pytest.approx(np.mean(exact))


def test_windows_that_are_exact_already_need_no_refinement(player: Codec, groups: Groups) -> None:
    passes = [
        heldout.Pass(**(vars(p) | {"truth": p.free_t0}))  # as if each window were what comes back
        for p in heldout.run(player, groups)
    ]
    assert refined_share(player, groups, passes, FEW) == 1


def test_every_accuracy_stands_beside_its_two_controls(evaluation: Evaluation) -> None:
    accuracies = [row for row in rows(evaluation) if row.figure.startswith("tokens")]
    assert len(accuracies) == 3
    assert all("constant" in row.control and "shuffled z" in row.control for row in accuracies)


def test_morphs_stand_beside_the_mix_and_samples_beside_the_corpus_itself(evaluation: Evaluation) -> None:
    found = {row.figure: row for row in rows(evaluation)}
    assert MIX in found[f"largest jump, {SHIPPED_SPACING} steps (default)"].control
    assert "corpus with itself" in found[f"samples, {NORMAL}: overlap"].control


@pytest.mark.parametrize(("value", "text"), [(0.9514, "95.1%"), (0.0, "0.0%"), (math.nan, NONE)])
def test_shares_are_printed_in_percent(value: float, text: str) -> None:
    assert percent(value) == text


@pytest.mark.parametrize(("value", "text"), [(1234.5678, "1,234.57"), (math.nan, NONE)])
def test_numbers_are_printed_with_two_digits(value: float, text: str) -> None:
    assert number(value) == text
