"""A config is refused where it contradicts itself, and survives JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.config import Config
from musicvae_lite.model.musicvae import MusicVAE
from tests.model.conftest import TINY


def size(config: Config) -> int:
    return sum(weight.numel() for weight in MusicVAE(config).parameters())


def test_a_config_survives_json() -> None:
    assert Config.from_dict(json.loads(json.dumps(TINY.to_dict()))) == TINY


def test_a_key_from_the_future_is_refused_by_name() -> None:
    with pytest.raises(MusicVAEError, match=r"unknown keys colour.*newer version"):
        Config.from_dict(TINY.to_dict() | {"colour": 1})


@pytest.mark.parametrize("name", ["bars", "latent", "embedding", "encoder_hidden", "decoder_layers"])
def test_a_size_below_one_is_refused_by_name(name: str) -> None:
    with pytest.raises(MusicVAEError, match=f"{name} is 0"):
        Config.from_dict(TINY.to_dict() | {name: 0})


def test_views_without_positions_are_refused() -> None:
    with pytest.raises(MusicVAEError, match="view_rank"):
        replace(TINY, metrical_positions=False)


def test_an_unknown_representation_is_refused() -> None:
    with pytest.raises(MusicVAEError, match="unknown representation 'harp'"):
        Config("harp")


def test_a_longer_window_adds_a_row_for_each_bar_and_nothing_for_its_steps() -> None:
    a_bar = size(replace(TINY, bars=3)) - size(replace(TINY, bars=2))
    positions = TINY.embedding + TINY.decoder_hidden
    views = (2 * TINY.latent + TINY.latent) * TINY.view_rank
    assert a_bar == positions + views
    assert size(replace(TINY, bars=16)) == size(TINY) + 14 * a_bar


def test_without_positions_the_length_adds_nothing() -> None:
    plain = replace(TINY, metrical_positions=False, view_rank=0)
    assert size(replace(plain, bars=16)) == size(plain)


def test_views_of_a_part_of_a_bar_or_of_a_dimension_are_refused() -> None:
    with pytest.raises(MusicVAEError, match="views of 2 of 3 bars and of 8 dimensions: expected a whole number"):
        replace(TINY, bars=3, view_bars=2)
    with pytest.raises(MusicVAEError, match="views of 1 of 3 bars and of 8 dimensions"):
        replace(TINY, bars=3, view_bars=1)
