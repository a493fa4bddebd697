"""A batch is a function of the seed and its number, moved to another key each time it comes."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.notes import COMMON_TIME, Meter
from musicvae_lite.tokens import drums, groove, melody
from musicvae_lite.tokens.trio import TRIO
from musicvae_lite.training.batches import HIGHEST, LOWEST, Batches, enough
from tests.training.conftest import windows

Groups = tuple[Windows, ...]


def pitches(tokens: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> set[int]:
    return set(tokens[tokens < melody.PITCHES].tolist())


def test_a_batch_is_the_same_whenever_it_is_asked_for(groups: Groups) -> None:
    one, other = Batches(groups, melody, 4, 6, seed=1), Batches(groups, melody, 4, 6, seed=1)
    forwards = [one[i] for i in range(8)]
    backwards = [other[i] for i in reversed(range(8))]
    for first, second in zip(forwards, reversed(backwards), strict=True):
        np.testing.assert_array_equal(first.tokens, second.tokens)
        assert first.meter == second.meter


def test_another_number_or_another_seed_is_another_batch(groups: Groups) -> None:
    one, other = Batches(groups[:1], melody, 4, 6, seed=1), Batches(groups[:1], melody, 4, 6, seed=2)
    assert not np.array_equal(one[0].tokens, one[1].tokens)
    assert not np.array_equal(one[0].tokens, other[0].tokens)


def test_a_batch_has_one_meter_and_meters_come_as_often_as_they_have_windows(groups: Groups) -> None:
    batches = Batches(groups, melody, 4, 6, seed=0)
    drawn = [batches[i] for i in range(400)]
    assert {(batch.meter, batch.tokens.shape) for batch in drawn} == {
        (Meter(4, 4), (4, 16, 1)),
        (Meter(3, 4), (4, 12, 1)),
    }
    share = sum(batch.meter == Meter(4, 4) for batch in drawn) / len(drawn)
    assert share == pytest.approx(12 / 16, abs=0.06)


def test_one_window_comes_in_every_key_that_is_asked_for_and_in_no_other() -> None:
    only = windows(Meter(4, 4), 16, 1, [60])
    batches = Batches([only.select(np.zeros(2, np.int64))], melody, 2, 6, seed=0)
    heard = set().union(*(pitches(batches[i].tokens) for i in range(200)))
    assert heard == set(range(54, 67))


def test_a_window_is_moved_as_a_whole(groups: Groups) -> None:
    known = {melody.without_key(window[None]).tobytes() for group in groups for window in group.tokens}
    batches = Batches(groups, melody, 4, 6, seed=0)
    for i in range(20):
        for window in batches[i].tokens:
            assert melody.without_key(window[None]).tobytes() in known


@pytest.mark.parametrize("pitch", [LOWEST, LOWEST + 2, HIGHEST - 2, HIGHEST])
def test_no_window_leaves_the_keys_of_the_piano(pitch: int) -> None:
    batches = Batches([windows(Meter(4, 4), 16, 8, [pitch])], melody, 8, 12, seed=0)
    heard = set().union(*(pitches(batches[i].tokens) for i in range(50)))
    assert min(heard) >= LOWEST
    assert max(heard) <= HIGHEST
    assert len(heard) > 1


@pytest.mark.parametrize("pitch", [0, 3, 125, 127])
def test_no_pitch_wraps_around_and_none_becomes_a_hold(pitch: int) -> None:
    batches = Batches([windows(Meter(4, 4), 16, 8, [pitch])], melody, 8, 12, seed=0)
    for i in range(50):
        tokens = batches[i].tokens
        assert all(abs(heard - pitch) <= 12 for heard in pitches(tokens))
        assert ((tokens < melody.PITCHES) == (np.arange(16) % 2 == 0)[:, None]).all()


def test_without_transposition_windows_stay_as_they_are(groups: Groups) -> None:
    known = {window.astype(np.int64).tobytes() for group in groups for window in group.tokens}
    batches = Batches(groups, melody, 4, 0, seed=0)
    assert all(window.tobytes() in known for i in range(20) for window in batches[i].tokens)


def test_the_windows_themselves_are_not_touched(groups: Groups) -> None:
    before = [group.tokens.copy() for group in groups]
    batches = Batches(groups, melody, 4, 6, seed=0)
    _ = [batches[i] for i in range(20)]
    for group, tokens in zip(groups, before, strict=True):
        np.testing.assert_array_equal(group.tokens, tokens)


def test_as_many_windows_as_a_batch_are_enough(groups: Groups) -> None:
    assert enough(groups, 16) == 16


@pytest.mark.parametrize("batch", [17, 1000])
def test_fewer_windows_than_a_batch_are_refused_with_what_to_do(groups: Groups, batch: int) -> None:
    with pytest.raises(MusicVAEError, match=f"16 windows .* fewer than one batch of {batch}: add music"):
        Batches(groups, melody, batch, 6, seed=0)


def test_no_windows_at_all_are_refused() -> None:
    with pytest.raises(MusicVAEError, match="0 windows"):
        Batches([], melody, 2, 6, seed=0)


def test_the_share_that_is_asked_for_is_heard_stiff_and_decoded_as_it_was_played() -> None:
    tokens = np.random.default_rng(0).integers(0, groove.VOCABULARY, (8, 16, 9))
    only = Windows(Meter(4, 4), tokens, np.arange(8), np.zeros(8, np.int64))
    stiff = 0
    for index in range(20):
        batch = Batches([only], groove, 8, 0, seed=0, stiff_share=0.25)[index]
        assert batch.heard is not None
        changed = (batch.heard != batch.tokens).any((1, 2))
        np.testing.assert_array_equal(batch.heard[changed], groove.STIFF[batch.tokens[changed]])
        stiff += int(changed.sum())
    assert 0.15 < stiff / 160 < 0.35


def test_without_that_the_encoder_hears_what_is_decoded(groups: Groups) -> None:
    assert Batches(groups, melody, 4, 6, seed=0)[0].heard is None


def test_mixed_windows_have_whole_voices_of_two_windows_of_the_batch() -> None:
    tokens = np.repeat(np.arange(1, 9), 16 * 9).reshape(8, 16, 9)  # window i holds i + 1 throughout
    only = Windows(Meter(4, 4), tokens, np.arange(8), np.zeros(8, np.int64))
    kinds = []
    for index in range(40):
        mixed = Batches([only], groove, 8, 0, seed=0, mixed_share=0.5)[index].tokens
        assert (mixed == mixed[:, :1]).all()  # a voice is of one window from end to end
        kinds += [len(set(window[0].tolist())) for window in mixed]
    assert set(kinds) == {1, 2}
    assert 0.3 < np.mean(np.array(kinds) == 2) < 0.5  # some meet themselves, or give no voice or all


def test_drums_are_mixed_kind_by_kind() -> None:
    tokens = np.repeat([0b000000011, 0b110000000], 16).reshape(2, 16, 1)
    only = Windows(Meter(4, 4), tokens, np.arange(2), np.zeros(2, np.int64))
    heard = {int(t) for i in range(60) for t in Batches([only], drums, 2, 0, 0, mixed_share=1.0)[i].tokens[:, 0, 0]}
    kinds = (0b1, 0b10, 0b10000000, 0b100000000)
    assert heard == {sum(chosen) for n in range(5) for chosen in combinations(kinds, n)}  # each comes or not, by itself


def test_voices_that_are_lent_come_as_often_as_there_are_of_them_and_only_in_mixed_windows() -> None:
    own = Windows(COMMON_TIME, np.tile([60, 40, 1], (10, 16, 1)), np.arange(10), np.zeros(10, np.int64))
    lent = Windows(COMMON_TIME, np.full((30, 16, 1), 65), np.arange(30), np.zeros(30, np.int64))
    other_meter = Windows(Meter(3, 4), np.full((30, 12, 1), 7), np.arange(30), np.zeros(30, np.int64))
    batches = Batches([own], TRIO, 8, 0, 0, mixed_share=0.8, lent=((lent,), (other_meter,), ()))
    drawn = np.concatenate([batches[i].tokens[:, 0] for i in range(200)])
    assert set(drawn[:, 1].tolist()) == {40}
    assert set(drawn[:, 2].tolist()) <= {0, 1}
    assert np.mean(drawn[:, 0] == 65) == pytest.approx(0.8 * 0.5 * 30 / 40, abs=0.04)
    unmixed = Batches([own], TRIO, 8, 0, 0, lent=((lent,), (), ()))
    assert {int(unmixed[i].tokens[0, 0, 0]) for i in range(20)} == {60}
