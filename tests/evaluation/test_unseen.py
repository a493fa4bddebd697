"""What a model was trained on is known by its fingerprints, in every key, and is not evaluated on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from musicvae_lite.corpus.prepare import assemble
from musicvae_lite.corpus.report import Report, report
from musicvae_lite.corpus.scan import Settings
from musicvae_lite.corpus.splits import fingerprints
from musicvae_lite.corpus.store import Corpus
from musicvae_lite.corpus.windows import Windows
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.evaluation.unseen import TRAINED_ON, choose, remember, remembered
from musicvae_lite.model.checkpoint import Checkpoint, load, save
from musicvae_lite.tokens import melody

Groups = tuple[Windows, ...]


def corpus_of(train: Groups, heldout: Groups = ()) -> Corpus:
    nothing: Report = report({}, {}, train, heldout, {})
    return Corpus(train, heldout, (), (), nothing, Settings())


def trained_on(checkpoint: Checkpoint, groups: Groups) -> Checkpoint:
    return Checkpoint(checkpoint.model, {}, {TRAINED_ON: remember(groups, melody)})


def count(groups: Groups) -> int:
    return sum(map(len, groups))


def test_fingerprints_never_change() -> None:
    # They are kept in models: other numbers here would make every model forget what it was trained on.
    tokens = np.array([[60, 129, 64, 128], [0, 1, 2, 3]], np.uint8)[:, :, None]
    assert fingerprints(tokens, melody).tolist() == [1511111506961701125, 7402985871202220266]


def test_a_model_remembers_through_its_file(checkpoint: Checkpoint, groups: Groups, tmp_path: Path) -> None:
    made = trained_on(checkpoint, groups)
    save(made, tmp_path / "model.safetensors", torch.float16)
    found, expected = remembered(load(tmp_path / "model.safetensors")), remembered(made)
    assert found is not None
    assert expected is not None
    np.testing.assert_array_equal(found, expected)
    assert len(found) == 16


def test_a_window_of_training_is_left_out_in_every_key(checkpoint: Checkpoint, groups: Groups) -> None:
    seen = groups[0].select(np.arange(5))
    moved = Windows(seen.meter, melody.transpose(seen.tokens, np.full(5, 7)), seen.piece, seen.start_bar)
    chosen = choose(corpus_of(groups), trained_on(checkpoint, (moved,)))
    assert [len(group) for group in chosen.windows] == [7, 4]
    assert [len(group) for group in chosen.others] == [5]
    np.testing.assert_array_equal(chosen.windows[0].tokens, groups[0].tokens[5:])
    assert chosen.warning == ""


def test_both_sides_of_the_folders_own_split_are_asked(checkpoint: Checkpoint, groups: Groups) -> None:
    chosen = choose(corpus_of(groups[:1], groups[1:]), trained_on(checkpoint, ()))
    assert count(chosen.windows) == 16


def test_all_takes_every_window(checkpoint: Checkpoint, groups: Groups) -> None:
    chosen = choose(corpus_of(groups[:1], groups[1:]), trained_on(checkpoint, groups), everything=True)
    assert count(chosen.windows) == 16
    assert chosen.trained_on is not None


def test_a_model_that_does_not_remember_is_measured_on_the_held_out_split_with_a_warning(
    checkpoint: Checkpoint, groups: Groups
) -> None:
    chosen = choose(corpus_of(groups[:1], groups[1:]), checkpoint)
    assert (chosen.windows, chosen.others) == (groups[1:], groups[:1])
    assert "--all" in chosen.warning
    assert chosen.trained_on is not None
    assert len(chosen.trained_on) == 12


def test_nothing_is_known_of_copies_when_a_model_does_not_remember_and_all_is_asked(
    checkpoint: Checkpoint, groups: Groups
) -> None:
    assert choose(corpus_of(groups), checkpoint, everything=True).trained_on is None


def test_a_folder_that_is_all_known_is_an_error_that_names_the_way_out(checkpoint: Checkpoint, groups: Groups) -> None:
    with pytest.raises(MusicVAEError, match=r"none of the 16 windows is new to this model.*--all"):
        choose(corpus_of(groups), trained_on(checkpoint, groups))


def test_a_folder_without_windows_is_an_error_with_the_reasons(checkpoint: Checkpoint) -> None:
    empty = assemble({"a.mid": "only drums", "b.mid": "only drums"}, Settings())
    with pytest.raises(MusicVAEError, match=r"no window of 2 bars .* in 2 files \(2 × only drums\)"):
        choose(empty, checkpoint)
