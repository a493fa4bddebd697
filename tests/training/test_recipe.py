"""Recipes refuse what cannot be done, survive JSON, and go with a network as a preset."""

from __future__ import annotations

import json
from typing import Any

import pytest

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.training.recipe import DEFAULT, PRESETS, Recipe, preset


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"minutes": 0.0}, "0 minutes and 0 steps"),
        ({"minutes": -1.0}, "-1 minutes"),
        ({"batch": 1}, "batch of 1"),
        ({"seed": -1}, "seed of -1"),
        ({"seed": 1 << 32}, "seed of 4294967296"),
        ({"narrow_from": 0.7}, "narrow_from"),
        ({"narrow_to": 1.5}, "narrow_to"),
    ],
    ids=str,
)
def test_a_recipe_that_cannot_be_followed_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(MusicVAEError, match=message):
        Recipe(**wrong)


def test_a_recipe_survives_json() -> None:
    recipe = Recipe(minutes=0.5, track="flute")
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_a_key_from_the_future_is_refused_by_name() -> None:
    with pytest.raises(MusicVAEError, match="unknown keys colour"):
        Recipe.from_dict({"colour": 1})


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_a_network(name: str) -> None:
    assert sum(weight.numel() for weight in MusicVAE(preset(name).config).parameters()) > 10_000


def test_a_preset_with_changes_keeps_everything_else() -> None:
    changed, base = preset(DEFAULT, {"bars": 3}, {"seed": 7}), PRESETS[DEFAULT]
    assert changed.config.to_dict() == base.config.to_dict() | {"bars": 3}
    assert changed.recipe.to_dict() == base.recipe.to_dict() | {"seed": 7}


def test_an_unknown_preset_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(MusicVAEError, match="unknown preset 'huge': expected one of melody-2bar, "):
        preset("huge")
