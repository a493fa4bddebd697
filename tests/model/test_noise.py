"""The channel keeps N(0, I), goes from all of z to nothing of it, and the decoder knows how noisy it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from musicvae_lite.inference.config import Config
from musicvae_lite.model.noise import expected, noised
from musicvae_lite.music.notes import COMMON_TIME
from tests.model.conftest import TINY, random_tokens, random_z, shaken

WITHOUT = replace(TINY, noise_conditioning=False)


def test_at_level_0_the_channel_gives_z_and_at_level_1_nothing_of_it() -> None:
    z = random_z(TINY)
    generator = torch.Generator().manual_seed(1)
    assert torch.equal(noised(z, torch.zeros(3).double(), generator), z)
    one, other = (noised(x, torch.ones(3).double(), torch.Generator().manual_seed(2)) for x in (z, -z))
    assert torch.equal(one, other)


@pytest.mark.parametrize("level", [0.2, 0.5, 0.9])
def test_what_was_standard_normal_stays_so(level: float) -> None:
    z = torch.randn(50_000, 2, generator=torch.Generator().manual_seed(3))
    heard = noised(z, torch.full((len(z),), level), torch.Generator().manual_seed(4))
    torch.testing.assert_close(heard.mean(0), torch.zeros(2), atol=0.02, rtol=0)
    torch.testing.assert_close(heard.var(0), torch.ones(2), atol=0.02, rtol=0)
    share = (heard * z).mean(0)  # cov(heard, z) = √(1 − s²)
    torch.testing.assert_close(share, torch.full((2,), (1 - level**2) ** 0.5), atol=0.02, rtol=0)


def test_on_average_the_channel_only_makes_z_smaller() -> None:
    z, level = random_z(TINY), torch.tensor([0.0, 0.6, 1.0]).double()
    torch.testing.assert_close(expected(z, level), z * torch.tensor([[1.0], [0.8], [0.0]]).double())


def test_at_level_0_the_decoder_does_as_if_it_had_not_been_told() -> None:
    model, z, tokens = shaken(), random_z(TINY), random_tokens(TINY, COMMON_TIME)
    exactly = torch.zeros(len(z)).double()
    assert torch.equal(model.logits(z, tokens, COMMON_TIME, level=exactly), model.logits(z, tokens, COMMON_TIME))
    assert torch.equal(model.decode(z, COMMON_TIME, level=exactly), model.decode(z, COMMON_TIME))


def test_each_row_is_decoded_at_its_own_level() -> None:
    model, z = shaken(), random_z(TINY)
    level = torch.tensor([0.0, 0.4, 0.9]).double()
    together = model.decode(z, COMMON_TIME, level=level)
    alone = [model.decode(z[row, None], COMMON_TIME, level=level[row, None]) for row in range(3)]
    assert torch.equal(together, torch.cat(alone))
    assert not torch.equal(together, model.decode(z, COMMON_TIME))


def test_a_model_without_it_takes_every_z_exactly() -> None:
    model, z = shaken(WITHOUT), random_z(WITHOUT)
    assert torch.equal(model.decode(z, COMMON_TIME, level=torch.ones(len(z)).double()), model.decode(z, COMMON_TIME))


def test_the_config_of_a_model_from_before_means_a_model_without_it() -> None:
    before = {name: value for name, value in TINY.to_dict().items() if name != "noise_conditioning"}
    assert Config.from_dict(before) == WITHOUT
