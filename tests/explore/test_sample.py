"""Samples come from the density that the model has, are a function of the options, and are as long as its windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.explore.sample import FITTED, MOST_DRAWS, NORMAL, Options, sample
from musicvae_lite.inference.codec import Codec, Floats, Ints
from musicvae_lite.inference.density import Density
from musicvae_lite.inference.runtime import Runtime
from musicvae_lite.model.codec import codec
from musicvae_lite.music.notes import COMMON_TIME, Meter, MeterChange
from musicvae_lite.tokens import melody
from tests.model.conftest import TINY, shaken

WALTZ = Meter(3, 4)


def density(mean: float = 3.0) -> Density:
    size = TINY.latent
    factors = 0.01 * np.eye(size, dtype=np.float32)[None]
    return Density((COMMON_TIME,), np.zeros((1, 1), np.float32), np.full((1, size), mean, np.float32), factors)


@pytest.fixture(scope="module")
def model() -> Codec:
    return codec(shaken().float())


def test_z_is_drawn_from_the_fitted_density_where_there_is_one(model: Codec) -> None:
    found = sample(model, density())
    assert found.prior == FITTED
    assert found.z.shape == (Options.count, TINY.latent)
    np.testing.assert_allclose(found.z, np.full_like(found.z, 3.0), atol=0.1)


def test_without_one_or_on_request_it_is_drawn_from_the_normal_prior(model: Codec) -> None:
    without, asked = sample(model, None), sample(model, density(), Options(prior=NORMAL))
    assert without.prior == asked.prior == NORMAL
    np.testing.assert_array_equal(without.z, asked.z)
    assert np.abs(without.z).mean() < 2


def test_a_density_that_is_asked_for_and_not_there_is_an_error(model: Codec) -> None:
    with pytest.raises(MusicVAEError, match="no fitted density"):
        sample(model, None, Options(prior=FITTED))


def test_songs_are_what_the_model_decodes_in_the_meter_that_was_asked_for(model: Codec) -> None:
    found = sample(model, density(), Options(count=3, meter=WALTZ, temperature=0.0, level=0.0))
    tokens = model.decode(found.z, WALTZ)
    assert [melody.decode(row) for row in tokens] == list(found.steps)
    for notes, song in zip(found.steps, found.songs, strict=True):
        assert song.meters == (MeterChange(0.0, WALTZ),)
        np.testing.assert_array_equal(song.tracks[0].notes.start, notes.start / TINY.steps_per_quarter)
        assert song.end <= TINY.bars * WALTZ.bar_quarters
    assert found.like == COMMON_TIME


@pytest.mark.parametrize("change", [{"seed": 1}, {"temperature": 2.0}, {"spread": 40.0}], ids=str)
def test_the_same_options_give_the_same_tunes_and_others_give_others(model: Codec, change: dict[str, Any]) -> None:
    assert sample(model, density()).songs == sample(model, density()).songs
    assert sample(model, density()).songs != sample(model, density(), Options(**change)).songs


def test_nothing_outside_is_seeded(model: Codec) -> None:
    np.random.seed(5)
    before = np.random.get_state(legacy=False)["state"]["key"].tolist()
    sample(model, density(), Options(temperature=1.0))
    assert np.random.get_state(legacy=False)["state"]["key"].tolist() == before


def test_the_spread_scales_z_around_the_middle(model: Codec) -> None:
    np.testing.assert_allclose(sample(model, None, Options(spread=0.5)).z, 0.5 * sample(model, None).z)


def test_at_level_1_nothing_of_z_is_heard_only_the_models_own_idea_of_music(model: Codec) -> None:
    at_level = {
        level: sample(model, None, Options(count=4, temperature=0.0, level=level)).steps for level in (0.0, 1.0)
    }
    assert all(notes == at_level[1.0][0] for notes in at_level[1.0])
    assert not all(notes == at_level[0.0][0] for notes in at_level[0.0])


def silence_then_notes(silent_calls: int) -> Any:
    """A stand-in for `Runtime.decode`: the first row is silent that many times, the others never."""
    calls = []

    def decode(self: Runtime, z: Floats, *_: object, **__: object) -> Ints:
        tokens = np.full((len(z), 32, 1), melody.HOLD)
        tokens[:, 0] = 60
        calls.append(len(z))
        if len(calls) <= silent_calls:
            tokens[0] = melody.HOLD
        return tokens

    return decode, calls


def test_silence_is_drawn_again(model: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    decode, calls = silence_then_notes(2)
    monkeypatch.setattr(Runtime, "decode", decode)
    assert [len(notes) for notes in sample(model, density(), Options(count=3)).steps] == [1, 1, 1]
    assert calls == [3, 1, 1]


def test_a_model_that_knows_nothing_but_silence_is_not_asked_for_ever(
    model: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode, calls = silence_then_notes(1000)
    monkeypatch.setattr(Runtime, "decode", decode)
    assert [len(notes) for notes in sample(model, density(), Options(count=2)).steps] == [0, 1]
    assert len(calls) == 1 + MOST_DRAWS


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"count": 0}, "0 samples: expected at least 1"),
        ({"prior": "flat"}, "unknown prior 'flat'"),
        ({"temperature": -1.0}, "expected 0 or more"),
        ({"spread": -1.0}, "expected 0 or more"),
        ({"level": 1.1}, "a level of 1.1: expected 0"),
        ({"seed": -1}, "a seed of -1: expected 0 or more"),
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(MusicVAEError, match=message):
        Options(**wrong)
