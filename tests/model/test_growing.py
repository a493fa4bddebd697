"""A model of many bars begins as several of few bars, side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.config import Config
from musicvae_lite.model.growing import grow
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.positions import Views
from musicvae_lite.music.notes import COMMON_TIME
from tests.model.conftest import random_tokens

SHORT = Config(bars=2, latent=8, embedding=8, encoder_hidden=8, decoder_hidden=16, view_rank=4)


def short_model(config: Config = SHORT) -> MusicVAE:
    """One whose every weight does something: views are born as zeros."""
    torch.manual_seed(0)
    model = MusicVAE(config).eval()
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    return model


def views(part: nn.Module) -> Views:
    found = part.views
    assert isinstance(found, Views)
    return found


def grown(short: MusicVAE, config: Config) -> MusicVAE:
    model = MusicVAE(config).eval()
    model.load_state_dict(grow(short, config))
    return model


def test_a_model_grown_to_its_own_size_is_the_same() -> None:
    short = short_model()
    same = grown(short, SHORT).state_dict()
    assert all(torch.equal(weights, same[name]) for name, weights in short.state_dict().items())


def test_each_window_of_a_grown_model_sees_its_own_part_of_z_as_the_short_one_did() -> None:
    short = short_model()
    long = grown(short, replace(SHORT, bars=6, latent=24))
    z = torch.randn(1, 24)
    seen = views(long.decoder)(z, 6, 16).unflatten(1, (3, -1))[0]  # [3 windows, T, H]
    assert torch.allclose(seen, views(short.decoder)(z.view(3, 8), 2, 16), atol=1e-5)


def test_each_window_is_read_into_its_own_part_of_z() -> None:
    short = short_model()
    long = grown(short, replace(SHORT, bars=4, latent=16))
    states = torch.randn(1, 64, 16)
    mu, width = views(long.encoder).gather(states, 4, 16).view(2, 2, 8)
    expected = views(short.encoder).gather(states.view(2, 32, 16), 2, 16)
    assert torch.allclose(torch.cat([mu, width], 1), expected, atol=1e-5)


def test_the_first_window_of_a_grown_model_is_decoded_as_before() -> None:
    short, z = short_model(), torch.randn(3, 16)
    long = grown(short, replace(SHORT, bars=4, latent=16))
    expected = short.decode(z[:, :8], COMMON_TIME)
    assert torch.equal(long.decode(z, COMMON_TIME)[:, :32], expected)


def test_a_smaller_share_of_z_keeps_its_liveliest_dimensions() -> None:
    short = short_model()
    with torch.no_grad():
        views(short.decoder).by_bar[:, ::2] = 0
    long = grown(short, replace(SHORT, bars=4, latent=8))
    assert torch.equal(views(long.decoder).by_bar[:2, :4], views(short.decoder).by_bar[:, 1::2])


def test_with_an_encoder_for_each_voice_its_dimensions_lie_together_for_all_windows() -> None:
    config = replace(SHORT, representation="trio", latent=9, encoder_per_voice=True, decoder_per_voice=True)
    short = short_model(config)
    long = grown(short, replace(config, bars=6, latent=18))  # of three dimensions a voice the two that weigh most
    reading, before = (model.encoder.get_submodule("parts.1") for model in (long, short))
    writing, wrote = (model.decoder.get_submodule("parts.1") for model in (long, short))
    strength = [views(part).by_bar.square().sum((0, 2)) for part in short.decoder.get_submodule("parts").children()]
    alive = torch.stack(strength).topk(2).indices.sort().values  # [voices, kept]
    states, z = torch.randn(1, 96, 16), torch.randn(1, 18)
    read = views(reading).gather(states, 6, 16).view(2, 3, 2)  # [μ and σ, windows, kept]
    expected = views(before).gather(states.view(3, 32, 16), 2, 16).view(3, 2, 3)[:, :, alive[1]]
    torch.testing.assert_close(read.transpose(0, 1), expected)
    shares = torch.zeros(3, 3, 3).scatter(2, alive[None].expand(3, -1, -1), z.view(3, 3, 2).transpose(0, 1))
    seen = views(writing)(z[:, 6:12], 6, 16).view(3, 32, 16)
    torch.testing.assert_close(seen, views(wrote)(shares[:, 1], 2, 16))
    assert torch.equal(long.decode(z, COMMON_TIME)[:, :32], short.decode(shares[:1].flatten(1), COMMON_TIME))


@pytest.mark.parametrize("voices", [False, True], ids=["one encoder", "one for each voice"])
def test_where_bars_view_their_own_share_each_window_is_what_it_was(voices: bool) -> None:
    trio = replace(SHORT, representation="trio", latent=12, encoder_per_voice=True, decoder_per_voice=True)
    short = short_model(trio if voices else SHORT)
    config = replace(short.config, bars=6, latent=3 * short.config.latent)
    long, whole = (grown(short, replace(config, view_bars=bars)) for bars in (2, 0))
    assert sum(p.numel() for p in long.parameters()) < sum(p.numel() for p in whole.parameters())
    z, tokens = torch.randn(2, long.config.latent), random_tokens(long.config, COMMON_TIME)
    assert torch.equal(long.decode(z, COMMON_TIME), whole.decode(z, COMMON_TIME))
    torch.testing.assert_close(long.encode(tokens, COMMON_TIME).mu, whole.encode(tokens, COMMON_TIME).mu)
    torch.testing.assert_close(long.encode(tokens, COMMON_TIME).sigma, whole.encode(tokens, COMMON_TIME).sigma)


def test_shares_are_those_of_the_short_models_bars() -> None:
    with pytest.raises(MusicVAEError, match="view_bars can be 0 or 2 then"):
        grow(short_model(), replace(SHORT, bars=6, latent=24, view_bars=3))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bars": 3, "latent": 12}, "cannot become one of 3 bars"),
        ({"bars": 4, "latent": 64}, "64 dimensions"),
        ({"decoder_hidden": 32}, "decoder_hidden 16 and not 32"),
        ({"bars": 4, "latent": 16, "representation": "drums"}, "representation melody and not drums"),
    ],
)
def test_a_model_that_cannot_become_the_other_is_refused(changes: dict[str, int | str], said: str) -> None:
    with pytest.raises(MusicVAEError, match=said):
        grow(short_model(), replace(SHORT, **changes))  # type: ignore[arg-type]


def test_a_decoder_without_views_cannot_be_grown() -> None:
    plain = replace(SHORT, view_rank=0)
    with pytest.raises(MusicVAEError, match="only a flat decoder with views"):
        grow(short_model(plain), replace(plain, bars=4, latent=16))


def test_a_grown_model_can_look_back_further_and_begins_as_if_it_did_not() -> None:
    short = short_model()
    long = grown(short, replace(SHORT, bars=4, latent=16, lookback=2))
    without = grown(short, replace(SHORT, bars=4, latent=16))
    z = torch.randn(3, 16)
    assert torch.equal(long.decode(z, COMMON_TIME), without.decode(z, COMMON_TIME))
    with pytest.raises(MusicVAEError, match="has lookback 1 and not 0"):
        grow(short_model(replace(SHORT, lookback=1)), replace(SHORT, bars=4, latent=16))
