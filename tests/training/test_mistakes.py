"""In training a decoder hears some tokens that are wrong: another window's, or its own."""

from __future__ import annotations

import pytest
import torch

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.notes import COMMON_TIME
from musicvae_lite.tokens import melody
from musicvae_lite.training.mistakes import redrawn, swapped
from musicvae_lite.training.recipe import Recipe
from tests.model.conftest import TINY, flat, random_tokens, random_z, shaken


def drawing(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_share_that_is_asked_for_is_another_window_s() -> None:
    tokens = torch.arange(4)[:, None, None].expand(4, 500, 2)
    found = swapped(tokens, 0.25, drawing())
    others = found != tokens
    assert others.float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert torch.equal(found[others], tokens.roll(1, 0)[others])


def test_what_is_drawn_is_what_the_model_expects_there() -> None:
    model, tokens = shaken(), random_tokens(TINY, COMMON_TIME, 200)
    with torch.no_grad():
        flat(model).output.weight.zero_()
        flat(model).output.bias.fill_(-100.0)
        for token, chance in ((60, 0.25), (melody.HOLD, 0.75)):
            flat(model).output.bias[token] = torch.tensor(chance).log()
    found = redrawn(model, random_z(TINY, 200), tokens, COMMON_TIME, None, 1.0, drawing())
    assert set(found.unique().tolist()) == {60, melody.HOLD}
    assert (found == 60).float().mean().item() == pytest.approx(0.25, abs=0.02)
    half = redrawn(model, random_z(TINY, 200), tokens, COMMON_TIME, None, 0.5, drawing())
    assert 0.4 < (half == tokens).float().mean().item() < 0.7
    assert not found.requires_grad


def test_a_seed_repeats_the_mistakes() -> None:
    model, z, tokens = shaken(), random_z(TINY), random_tokens(TINY, COMMON_TIME)
    one, same, other = (redrawn(model, z, tokens, COMMON_TIME, None, 0.5, drawing(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_recipe_has_one_kind_of_mistake() -> None:
    with pytest.raises(MusicVAEError, match="token_swaps and token_draws"):
        Recipe(token_swaps=0.1, token_draws=0.1)
