"""Whatever goes in, mu is a number and sigma a positive one; every way into z is alive."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.config import Config
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.notes import COMMON_TIME, Meter
from musicvae_lite.tokens import representation
from tests.model.conftest import METERS, TINY, WALTZ, random_tokens, random_z, shaken

PLAIN = replace(TINY, metrical_positions=False, view_rank=0)  # MusicVAE's own
WITHOUT_VIEWS = replace(TINY, view_rank=0)


@pytest.mark.parametrize("meter", METERS, ids=str)
@pytest.mark.parametrize("config", [TINY, WITHOUT_VIEWS, PLAIN], ids=["views", "positions", "plain"])
def test_any_meter_is_encoded(meter: Meter, config: Config) -> None:
    posterior = shaken(config).encode(random_tokens(config, meter), meter)
    assert posterior.mu.shape == posterior.sigma.shape == (3, config.latent)
    assert torch.isfinite(posterior.mu).all()
    assert (posterior.sigma > 0).all()


@pytest.mark.parametrize("width", [-1e30, -1e4, -100.0, 0.0, 100.0, 1e4])
def test_sigma_is_positive_and_finite_for_the_most_extreme_answers(width: float) -> None:
    model = MusicVAE(TINY)
    with torch.no_grad():
        model.get_parameter("encoder.average.bias")[TINY.latent :] = width
    posterior = model.encode(random_tokens(TINY, COMMON_TIME), COMMON_TIME)
    assert torch.isfinite(posterior.sigma).all()
    assert (posterior.sigma > 0).all()
    assert torch.isfinite(posterior.kl()).all()


@pytest.mark.parametrize("scale", [1e-30, 10.0, 1e4])
def test_nothing_is_nan_with_the_most_extreme_weights(scale: float) -> None:
    model, tokens = shaken(scale=scale).float(), random_tokens(TINY, COMMON_TIME)
    posterior = model.encode(tokens, COMMON_TIME)
    logits = model.logits(posterior.sample(torch.Generator().manual_seed(0)), tokens, COMMON_TIME)
    assert all(torch.isfinite(found).all() for found in (posterior.mu, posterior.sigma, posterior.kl(), logits))


def test_bfloat16_makes_a_posterior_in_float32() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        posterior = MusicVAE(TINY).encode(random_tokens(TINY, COMMON_TIME), COMMON_TIME)
    assert posterior.mu.dtype == posterior.sigma.dtype == torch.float32


@pytest.mark.parametrize("config", [TINY, WITHOUT_VIEWS, PLAIN], ids=["views", "positions", "plain"])
def test_every_token_has_a_say_in_z(config: Config) -> None:
    model, tokens = shaken(config), random_tokens(config, WALTZ, count=1)
    before = model.encode(tokens, WALTZ)
    for step in range(tokens.shape[1]):
        changed = tokens.clone()
        changed[0, step, 0] = (tokens[0, step, 0] + 1) % 128
        after = model.encode(changed, WALTZ)
        assert not torch.equal(before.mu, after.mu)
        assert not torch.equal(before.sigma, after.sigma)


def without(model: MusicVAE, *paths: str) -> MusicVAE:
    """The model with those parts of its decoder silenced."""
    with torch.no_grad():
        for path in paths:
            for weight in model.decoder.get_submodule(path).parameters():
                weight.zero_()
    return model


def gradients(model: MusicVAE, meter: Meter) -> list[Tensor]:
    """Those of the reconstruction alone, with respect to the encoder's weights."""
    tokens = random_tokens(TINY, meter)
    z = model.encode(tokens, meter).sample(torch.Generator().manual_seed(0))
    model.logits(z, tokens, meter).log_softmax(-1)[..., 0].sum().backward()
    return [weight.grad for weight in model.encoder.parameters() if weight.grad is not None]


@pytest.mark.parametrize("alone", ["latent_input", "initial_state", "views"])
def test_gradients_flow_through_z_into_the_encoder_by_every_path(alone: str) -> None:
    others = {"latent_input", "initial_state", "views"} - {alone}
    found = gradients(without(shaken().float(), *others), COMMON_TIME)
    assert len(found) == len(list(shaken().encoder.parameters()))
    assert all(gradient.abs().sum() > 0 for gradient in found)


def test_without_any_path_no_gradient_reaches_the_encoder() -> None:
    found = gradients(without(shaken().float(), "latent_input", "initial_state", "views"), COMMON_TIME)
    assert all(gradient.abs().sum() == 0 for gradient in found)


def test_a_fresh_model_can_learn_through_every_table() -> None:
    model, tokens = MusicVAE(TINY), random_tokens(TINY, COMMON_TIME)
    z = model.encode(tokens, COMMON_TIME).sample(torch.Generator().manual_seed(0))
    model.logits(z, tokens, COMMON_TIME)[..., 0].sum().backward()
    for part in ("encoder", "decoder"):
        gradient = model.get_parameter(f"{part}.views.by_step").grad
        assert gradient is not None
        assert gradient.abs().sum() > 0


def test_encoding_a_batch_is_encoding_its_windows_one_by_one() -> None:
    model, tokens = shaken(), random_tokens(TINY, WALTZ)
    together = model.encode(tokens, WALTZ)
    for row in range(len(tokens)):
        alone = model.encode(tokens[row : row + 1], WALTZ)
        torch.testing.assert_close(alone.mu[0], together.mu[row])
        torch.testing.assert_close(alone.sigma[0], together.sigma[row])


def test_a_window_of_another_length_or_of_other_voices_is_refused() -> None:
    model, tokens = MusicVAE(TINY), random_tokens(TINY, COMMON_TIME)
    for wrong, meter in ((tokens, WALTZ), (tokens[:, :-1], COMMON_TIME), (tokens.expand(-1, -1, 3), COMMON_TIME)):
        with pytest.raises(ValueError, match="expected"):
            model.encode(wrong, meter)
        with pytest.raises(ValueError, match="expected"):
            model.logits(random_z(TINY).float(), wrong, meter)


def test_an_encoder_for_each_voice_writes_its_share_of_z_and_hears_no_other_voice() -> None:
    config = replace(TINY, representation="trio", latent=9, encoder_per_voice=True)
    model, tokens = shaken(config), random_tokens(config, WALTZ)
    before = model.encode(tokens, WALTZ)
    assert before.mu.shape == before.sigma.shape == (3, 9)
    for voice in range(3):
        changed = tokens.clone()
        changed[..., voice] = random_tokens(config, WALTZ, seed=1)[..., voice]
        after = model.encode(changed, WALTZ)
        others = torch.arange(9) // 3 != voice
        assert torch.equal(after.mu[:, others], before.mu[:, others])
        assert torch.equal(after.sigma[:, others], before.sigma[:, others])
        assert (after.mu != before.mu)[:, ~others].all()


def test_an_encoder_of_a_voice_over_chords_hears_the_chords() -> None:
    config = replace(TINY, representation="melody-chords", encoder_per_voice=True)
    model, tokens = shaken(config), random_tokens(config, WALTZ)
    chords = representation("melody-chords").GIVEN.argmax()
    changed = tokens.clone()
    changed[..., chords] = random_tokens(config, WALTZ, seed=1)[..., chords]
    assert (model.encode(changed, WALTZ).mu != model.encode(tokens, WALTZ).mu).all()


def test_shares_of_z_are_equal() -> None:
    with pytest.raises(MusicVAEError, match="latent is 8: expected a multiple of 3, a share for each voice"):
        replace(TINY, representation="trio", encoder_per_voice=True)
