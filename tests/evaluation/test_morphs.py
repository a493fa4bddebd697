"""Pairs are fair, paths are made the way that is asked for, and every way is measured alike."""

from __future__ import annotations

import math

import numpy as np

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation import interpolation, morphs
from musicvae_lite.evaluation.morphs import MIX, STEPS, Pairs, apart, compare, decode, measure, pair
from musicvae_lite.evaluation.ngram import fit
from musicvae_lite.inference.codec import Codec, Floats, Ints
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import melody

Groups = tuple[Windows, ...]


def random() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_pair_is_two_windows_of_one_meter_and_no_window_is_in_two_pairs(groups: Groups) -> None:
    pairs = pair(groups, 100, random())
    assert [(each.meter, len(each.a)) for each in pairs] == [(Meter(4, 4), 6), (Meter(3, 4), 2)]
    for each, group in zip(pairs, groups, strict=True):
        used = {window.tobytes() for window in np.concatenate([each.a, each.b])}
        assert used == {window.astype(np.int64).tobytes() for window in group.tokens}


def test_no_more_pairs_are_made_than_asked_for(groups: Groups) -> None:
    assert sum(len(each.a) for each in pair(groups, 4, random())) == 4


def test_a_meter_with_one_window_has_no_pair(groups: Groups) -> None:
    assert pair([groups[0].select(np.array([3]))], 10, random()) == []


def test_paths_start_at_the_reconstruction_of_a_and_end_at_that_of_b(player: Codec, groups: Groups) -> None:
    (each,) = pair(groups[:1], 10, random())
    for way in morphs.SPACINGS.values():
        paths = decode(player, each, way)
        assert paths.shape == (6, STEPS, 32, 1)
        for end, step in ((each.a, 0), (each.b, -1)):
            mu = player.encode(end, each.meter).mu
            np.testing.assert_array_equal(paths[:, step], player.decode(mu, each.meter))


def test_even_steps_never_jump_further_than_even_steps_in_z_do(player: Codec, groups: Groups) -> None:
    pairs = pair(groups, 10, random())
    figures = compare(player, pairs, None, random())
    assert figures["even"].largest_jump <= figures["uniform"].largest_jump


def test_any_way_of_making_paths_can_be_measured(player: Codec, groups: Groups) -> None:
    def only_a(model: Codec, a: Floats, b: Floats, meter: Meter, given: Ints) -> Ints:
        return model.decode(a, meter, given=given[0])[:, None].repeat(STEPS, 1)

    figures = compare(player, pair(groups, 10, random()), None, random(), {"only a": only_a})
    assert set(figures) == {"only a", MIX}
    assert math.isnan(figures["only a"].largest_jump)
    assert len(set(figures["only a"].from_a.tolist())) == 1


def test_real_windows_cost_one_and_a_mix_of_them_more(groups: Groups) -> None:
    # Two scales, four and two steps a note: a mix of them is neither.
    up, down = (np.repeat(np.arange(8) + 60, 4), np.repeat(np.arange(16)[::-1] + 60, 2))
    lines = [np.where(np.append(True, line[1:] != line[:-1]), line, melody.HOLD) for line in (up, down)]
    a, b = (np.tile(line[None, :, None], (4, 1, 1)) for line in lines)
    pairs = Pairs(Meter(4, 4), a, b)
    straight = np.repeat(np.stack([a, b], 1), 4, 1)  # a, a, a, a, b, b, b, b
    mixed = interpolation.mix(a, b, STEPS, random())
    of_music = fit([np.concatenate([a, b])], melody)
    real, mix = (measure([pairs], [paths], of_music) for paths in (straight, mixed))
    assert real.middle_cost == 1
    assert real.largest_jump == STEPS - 1
    assert mix.middle_cost > 2


def test_the_costs_of_a_way_are_means_over_all_meters(groups: Groups) -> None:
    pairs = pair(groups, 10, random())
    stays = [np.repeat(each.a[:, None], STEPS, 1) for each in pairs]
    of_music = fit([group.tokens for group in groups], melody)
    cost = np.concatenate([of_music.cost(each.a) for each in pairs]).mean()
    real = np.concatenate([of_music.cost(np.concatenate([each.a, each.b])) for each in pairs]).mean()
    np.testing.assert_allclose(measure(pairs, stays, of_music).cost, cost / real)


def test_without_pairs_there_are_no_figures(player: Codec) -> None:
    assert compare(player, [], None, random()) == {}


def test_what_is_usual_is_learned_from_other_pieces_than_the_pairs(groups: Groups) -> None:
    for_pairs, of_music = apart(groups, (), melody)
    taken = set(np.concatenate([group.piece for group in for_pairs]).tolist())
    assert taken == {0, 1, 2}  # half of the six pieces
    others = [group.tokens[~np.isin(group.piece, list(taken))] for group in groups]
    assert of_music is not None
    assert of_music.voices[0][0].total.sum() == sum(tokens.size for tokens in others)


def test_what_the_model_was_trained_on_teaches_what_is_usual(groups: Groups) -> None:
    new, known = groups[0].select(np.arange(4)), groups[0].select(np.arange(4, 12))
    for_pairs, of_music = apart([new], [known], melody)
    assert sum(map(len, for_pairs)) == 4
    assert of_music is not None
    assert of_music.voices[0][0].total.sum() == known.tokens.size


def test_a_folder_of_one_piece_teaches_nothing(groups: Groups) -> None:
    alone = Windows(groups[0].meter, groups[0].tokens, np.zeros(12, np.int64), groups[0].start_bar)
    for_pairs, of_music = apart([alone], [], melody)
    assert len(for_pairs[0]) == 12
    assert of_music is None
