"""A step hears what was played at its place 1, 2, 4 … bars ago, and of that nothing that was not played yet."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.config import Config
from musicvae_lite.model.lookback import Lookback
from musicvae_lite.music.notes import Meter
from tests.model.conftest import TINY, flat, random_tokens, random_z, shaken

BAR = 3  # steps


def made(distances: int) -> Lookback:
    """One whose distances of 1, 2, 4 bars add 1, 10, 100 times what they hear."""
    lookback = Lookback(distances, 2)
    with torch.no_grad():
        for distance, way in enumerate(lookback.ways):
            way.get_parameter("weight").copy_(10.0**distance * torch.eye(2))
    return lookback


def test_each_distance_adds_what_was_played_that_many_bars_ago() -> None:
    before = torch.arange(15.0)[None, :, None].expand(1, 15, 2)  # at step t the token before it, that of step t - 1
    found = made(3)(before, BAR)[0, :, 0].tolist()

    def expected(t: int) -> float:
        return sum(10.0**d * (t - (BAR << d) + 1) for d in range(3) if t >= BAR << d)

    assert found == [expected(t) for t in range(15)]


def test_a_step_at_a_time_is_the_same() -> None:
    heard = torch.randn(4, 15, 2, generator=torch.Generator().manual_seed(0))
    lookback = made(3)
    steps = [lookback.at([heard[:, i] for i in range(t + 1)], BAR) for t in range(15)]
    torch.testing.assert_close(torch.stack(steps, 1), lookback(heard, BAR))


def test_a_model_begins_without_it_and_learns_it() -> None:
    config = replace(TINY, bars=3, lookback=2)
    model, z, tokens = shaken(config), random_z(config), random_tokens(config, Meter(3, 4))
    lookback = flat(model).lookback
    assert lookback is not None
    with_it = model.logits(z, tokens, Meter(3, 4))
    with torch.no_grad():
        for way in lookback.ways:
            way.get_parameter("weight").zero_()
    without = model.logits(z, tokens, Meter(3, 4))
    torch.testing.assert_close(without[:, :12], with_it[:, :12])
    assert not torch.allclose(without[:, 13:], with_it[:, 13:])
    without.square().sum().backward()
    for way in lookback.ways:
        gradient = way.get_parameter("weight").grad
        assert gradient is not None
        assert gradient.abs().sum() > 0
    assert all((way.get_parameter("weight") == 0).all() for way in Lookback(2, 4).ways)


def test_under_a_conductor_there_is_nothing_to_look_back_to() -> None:
    with pytest.raises(MusicVAEError, match="set lookback or conductor_hidden to 0"):
        Config(conductor_hidden=8, lookback=1)
