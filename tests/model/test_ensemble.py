"""A decoder for each voice, in step: each has its own words and hears all, flat and under a conductor."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from musicvae_lite.inference.config import Config
from musicvae_lite.model.decoder import Decoder
from musicvae_lite.model.ensemble import Ensemble
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.objective import cross_entropy
from musicvae_lite.music.notes import COMMON_TIME, Meter
from musicvae_lite.tokens import representation
from tests.model.conftest import TINY, WALTZ, is_legal, random_tokens, random_z, shaken

TRIO = representation("trio")
FLAT = replace(TINY, representation="trio", decoder_per_voice=True)
CONDUCTED = replace(FLAT, bars=3, conductor_hidden=12)
ONE_FOR_ALL = replace(FLAT, decoder_per_voice=False)
ALL = pytest.mark.parametrize("config", [FLAT, CONDUCTED, ONE_FOR_ALL], ids=["flat", "conducted", "one for all"])


def ensemble(model: MusicVAE) -> Ensemble:
    assert isinstance(model.decoder, Ensemble)
    return model.decoder


@ALL
@pytest.mark.parametrize("temperature", [0.0, 1.0, 5.0])
@pytest.mark.parametrize("meter", [WALTZ, COMMON_TIME, Meter(5, 8)], ids=str)
def test_every_voice_decodes_to_its_own_canonical_tokens(config: Config, temperature: float, meter: Meter) -> None:
    decoded = shaken(config).decode(random_z(config, 6), meter, temperature, torch.Generator().manual_seed(0))
    assert is_legal(decoded, TRIO)
    assert decoded[..., 2].max() > 130  # drums are not confined to the words of melodies


@ALL
def test_what_is_decoded_is_the_likeliest_legal_token_of_the_teacher_forced_logits(config: Config) -> None:
    model, z = shaken(config), random_z(config)
    tokens = model.decode(z, WALTZ)
    logits = model.logits(z, tokens, WALTZ).detach()
    chosen = logits.gather(-1, tokens[..., None]).squeeze(-1)
    logits[..., :2, 128] = -torch.inf  # a note-off may be the likeliest where it may not follow
    assert (chosen >= logits.amax(-1) - 1e-9).all()


@ALL
def test_a_voice_gives_no_chance_to_words_that_it_has_not_got(config: Config) -> None:
    logits = shaken(config).logits(random_z(config), random_tokens(config, WALTZ), WALTZ)
    assert (logits[..., :2, 130:] == -torch.inf).all()
    assert logits[..., :2, :130].isfinite().all()
    assert logits[..., 2, :].isfinite().all()


@ALL
@pytest.mark.parametrize("voice", [0, 1, 2])
def test_every_voice_hears_what_each_played_a_step_before_and_nothing_of_its_own_step(
    config: Config, voice: int
) -> None:
    model, z, tokens = shaken(config), random_z(config), random_tokens(config, WALTZ)
    changed = tokens.clone()
    changed[:, 7, voice] = (tokens[:, 7, voice] + 1) % 128
    before, after = (model.logits(z, each, WALTZ)[..., :130] for each in (tokens, changed))
    torch.testing.assert_close(after[:, :8], before[:, :8])
    for heard in range(3):
        assert not torch.allclose(after[:, 8, heard], before[:, 8, heard])


@ALL
def test_losses_are_the_sum_over_voices_and_reach_every_weight(config: Config) -> None:
    model, tokens = shaken(config), random_tokens(config, WALTZ)
    losses = cross_entropy(model.logits(model.encode(tokens, WALTZ).mu.double(), tokens, WALTZ), tokens)
    assert losses.isfinite().all()
    losses.sum().backward()
    # The noise is not told here, and the tables of places that a waltz has not got stay untouched.
    without = [name for name, weight in model.named_parameters() if weight.grad is None]
    assert all("noise" in name for name in without)
    assert all(w.grad.isfinite().all() for w in model.parameters() if w.grad is not None)


def test_a_decoder_alone_has_the_words_of_its_voice() -> None:
    parts = ensemble(MusicVAE(FLAT)).parts
    assert [part.output.out_features for part in parts if isinstance(part, Decoder)] == [130, 130, 512]


def test_the_parts_are_plain_decoders_and_the_ensemble_has_nothing_besides() -> None:
    own, voices = ensemble(MusicVAE(FLAT)), range(3)
    names = {name for name, _ in Decoder(FLAT).named_parameters()}
    assert {name for name, _ in own.named_parameters()} == {f"parts.{v}.{name}" for v in voices for name in names}


def test_the_level_of_noise_reaches_every_voice() -> None:
    model, z, tokens = shaken(FLAT), random_z(FLAT), random_tokens(FLAT, WALTZ)
    exactly, roughly = (
        model.logits(z, tokens, WALTZ, level=torch.full((3,), level, dtype=torch.float64)) for level in (0.0, 0.7)
    )
    torch.testing.assert_close(exactly, model.logits(z, tokens, WALTZ))
    for voice in range(3):
        assert not torch.allclose(exactly[:, :, voice], roughly[:, :, voice])
