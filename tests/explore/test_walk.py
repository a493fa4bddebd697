"""A walk keeps its ends, leans where it is told to, and makes smaller jumps than equal steps in z."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from musicvae_lite.corpus.clip import cut_clip
from musicvae_lite.explore.interpolate import levels, linear, uniform
from musicvae_lite.explore.walk import SPACINGS, Spacing, decode, walk
from musicvae_lite.inference.codec import Codec, Floats, Ints, Pull
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.playing import lean
from musicvae_lite.inference.runtime import Runtime
from musicvae_lite.model.codec import codec
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.notes import COMMON_TIME, Song
from musicvae_lite.tokens import melody
from tests.model.conftest import flat

if TYPE_CHECKING:
    from musicvae_lite.model.checkpoint import Checkpoint

WINDOWS, STEPS = 3, 6


@pytest.fixture(scope="module")
def model() -> Codec:
    torch.manual_seed(1)
    made = MusicVAE(Config(latent=8, embedding=8, encoder_hidden=8, decoder_hidden=16, view_rank=4)).eval()
    with torch.no_grad():  # an untrained decoder hardly looks at z; this one does
        for parameter in flat(made).parameters():
            parameter.mul_(3)
        views = flat(made).views
        assert views is not None
        views.by_step.normal_()
    return codec(made)


@pytest.fixture(scope="module")
def ends() -> tuple[Floats, Floats]:
    a, b = np.random.default_rng(2).standard_normal((2, WINDOWS, 8), np.float32)
    return 2 * a, 2 * b


def largest_jump(tokens: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> int:
    return int((tokens[1:] != tokens[:-1]).sum((1, 2)).max())


@pytest.mark.parametrize("spacing", SPACINGS.values(), ids=list(SPACINGS))
def test_both_ends_are_what_they_decode_to(model: Codec, ends: tuple[Floats, Floats], spacing: Spacing) -> None:
    way = walk(model, *ends, COMMON_TIME, STEPS, spacing)
    assert way.tokens.shape == (STEPS, WINDOWS, 32, 1)
    for tokens, z in ((way.tokens[0], ends[0]), (way.tokens[-1], ends[1])):
        np.testing.assert_array_equal(tokens, model.decode(z, COMMON_TIME))


def test_every_tune_on_the_way_is_canonical(model: Codec, ends: tuple[Floats, Floats]) -> None:
    way = walk(model, *ends, COMMON_TIME, STEPS, SPACINGS["even"])
    assert all(melody.is_canonical(window) for step in way.tokens for window in step)


def test_uniform_spacing_is_the_plain_decoding_of_equal_steps(model: Codec, ends: tuple[Floats, Floats]) -> None:
    way = walk(model, *ends, COMMON_TIME, STEPS, SPACINGS["uniform"])
    t = uniform(STEPS)
    points = linear(*ends, t)
    for step, z, level in zip(way.tokens, points, levels(points, *ends, t), strict=True):
        np.testing.assert_array_equal(step, model.decode(z, COMMON_TIME, level=level))


def test_even_spacing_never_makes_a_larger_jump_than_uniform(model: Codec, ends: tuple[Floats, Floats]) -> None:
    even, uniformly = (walk(model, *ends, COMMON_TIME, STEPS, Spacing(evenly, 0.0)) for evenly in (True, False))
    jumps = [(largest_jump(even.tokens[:, w]), largest_jump(uniformly.tokens[:, w])) for w in range(WINDOWS)]
    assert all(mine <= theirs for mine, theirs in jumps)
    assert any(mine < theirs for mine, theirs in jumps)


def test_each_window_goes_its_own_way_forwards(model: Codec, ends: tuple[Floats, Floats]) -> None:
    positions = walk(model, *ends, COMMON_TIME, STEPS, SPACINGS["even"]).positions
    assert positions.shape == (STEPS, WINDOWS)
    assert (np.diff(positions, axis=0) > 0).all()
    np.testing.assert_array_equal(positions[[0, -1]], [[0.0] * WINDOWS, [1.0] * WINDOWS])


def test_a_strong_pull_plays_nothing_but_what_an_end_plays(model: Codec, ends: tuple[Floats, Floats]) -> None:
    free, pulled = (walk(model, *ends, COMMON_TIME, STEPS, Spacing(False, nats)).tokens for nats in (0.0, 1e4))
    own = [((tokens == tokens[0]) | (tokens == tokens[-1])).mean() for tokens in (free, pulled)]
    assert own[1] > own[0]
    # What is not allowed stays so, however strong the pull: a note-off where nothing sounds becomes a hold.
    assert all(melody.is_canonical(window) for step in pulled for window in step)


def test_ways_beside_the_line_never_make_a_larger_jump_than_the_line_alone(
    model: Codec, ends: tuple[Floats, Floats], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("musicvae_lite.explore.walk.CANDIDATES_A_STEP", 12)
    with_them = walk(model, *ends, COMMON_TIME, STEPS, Spacing(True, 0.0)).tokens
    monkeypatch.setattr("musicvae_lite.explore.walk.CANDIDATES_A_STEP", 4)
    monkeypatch.setattr("musicvae_lite.explore.walk.WAYS", 1)
    alone = walk(model, *ends, COMMON_TIME, STEPS, Spacing(True, 0.0)).tokens
    jumps = [(largest_jump(with_them[:, w]), largest_jump(alone[:, w])) for w in range(WINDOWS)]
    assert all(mine <= theirs for mine, theirs in jumps)
    assert any(mine < theirs for mine, theirs in jumps)


def test_from_a_tune_to_itself_every_step_is_that_tune(model: Codec, ends: tuple[Floats, Floats]) -> None:
    way = walk(model, ends[0], ends[0], COMMON_TIME, STEPS, SPACINGS["even"])
    assert (way.tokens == model.decode(ends[0], COMMON_TIME)).all()


def test_only_what_is_heard_counts_as_differing(model: Codec, ends: tuple[Floats, Floats]) -> None:
    heard = np.full(WINDOWS, 8)
    whole, part = (walk(model, *ends, COMMON_TIME, STEPS, Spacing(True, 0.0), heard=h) for h in (None, heard))
    for w in range(WINDOWS):
        assert largest_jump(part.tokens[:, w, :8]) <= largest_jump(whole.tokens[:, w, :8])


def test_a_pull_adds_its_nats_to_the_favoured_tokens_only() -> None:
    tokens = np.array([[[[1], [2]]], [[[1], [0]]]])  # [P, B, T, V] = [2, 1, 2, 1]
    pull = Pull(tokens, np.array([[3.0], [0.5]]))
    for step, expected in enumerate(([0.0, 3.5, 0.0, 0.0], [0.5, 0.0, 3.0, 0.0])):
        logits = np.zeros((1, 1, 4))
        lean(logits, pull, step)
        assert logits.tolist() == [[expected]]


def test_decoding_in_parts_is_decoding_at_once(
    model: Codec, ends: tuple[Floats, Floats], monkeypatch: pytest.MonkeyPatch
) -> None:
    z = np.stack(ends)
    at_once = decode(model, z, COMMON_TIME)
    monkeypatch.setattr("musicvae_lite.inference.runtime.ROWS", 2)
    np.testing.assert_array_equal(decode(model, z, COMMON_TIME), at_once)


def test_decoding_only_where_something_changes_is_decoding_everywhere(
    learned: Checkpoint, tunes: dict[str, Song], monkeypatch: pytest.MonkeyPatch
) -> None:
    player = codec(learned.model)
    a, b = (player.encode(cut_clip(song, melody, 4, 2).windows[:2], COMMON_TIME).mu for song in tunes.values())
    rows: list[int] = []
    plain = Runtime.decode

    def counted(self: Runtime, z: Floats, *given: Any, **named: Any) -> Ints:
        rows.append(len(z))
        return plain(self, z, *given, **named)

    monkeypatch.setattr(Runtime, "decode", counted)
    some = walk(player, a, b, COMMON_TIME, STEPS, SPACINGS["even"])
    decoded = sum(rows)
    monkeypatch.setattr("musicvae_lite.explore.walk.STRIDE", 1)
    every = walk(player, a, b, COMMON_TIME, STEPS, SPACINGS["even"])
    np.testing.assert_array_equal(some.tokens, every.tokens)
    np.testing.assert_array_equal(some.positions, every.positions)
    assert decoded < 0.6 * (sum(rows) - decoded)


@pytest.mark.parametrize("steps", [2, 3, 4, 7, 30])
@pytest.mark.parametrize("stride", [1, 2, 8, 64])
def test_every_place_is_decoded_or_like_one_beside_it(
    model: Codec, ends: tuple[Floats, Floats], steps: int, stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("musicvae_lite.explore.walk.STRIDE", stride)
    way = walk(model, *ends, COMMON_TIME, steps, SPACINGS["even"])
    assert way.tokens.shape == (steps, WINDOWS, 32, 1)
    assert all(melody.is_canonical(window) for step in way.tokens for window in step)
    for tokens, z in ((way.tokens[0], ends[0]), (way.tokens[-1], ends[1])):
        np.testing.assert_array_equal(tokens, model.decode(z, COMMON_TIME))
