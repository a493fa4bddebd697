"""Voices that are given: heard at their own step, never predicted, and obeyed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from musicvae_lite.inference.config import Config
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.objective import cross_entropy
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import representation
from tests.model.conftest import TINY, WALTZ, is_legal, random_tokens, random_z, shaken

FLAT = replace(TINY, representation="melody-chords")
CONDUCTED = replace(FLAT, bars=3, conductor_hidden=12)
ENSEMBLE = replace(FLAT, decoder_per_voice=True)
ALL = pytest.mark.parametrize("config", [FLAT, CONDUCTED, ENSEMBLE], ids=["flat", "conducted", "ensemble"])
MELODY, CHORD = 0, 1


@ALL
@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("meter", [WALTZ, Meter(5, 8)], ids=str)
def test_what_is_given_is_played_and_the_rest_is_canonical(config: Config, temperature: float, meter: Meter) -> None:
    model, given = shaken(config), random_tokens(config, meter)
    decoded = model.decode(random_z(config), meter, temperature, torch.Generator().manual_seed(0), given=given)
    assert torch.equal(decoded[..., CHORD], given[..., CHORD])
    assert is_legal(decoded, representation("melody-chords"))


@ALL
def test_a_step_hears_the_chord_of_its_own_and_the_melody_of_the_step_before(config: Config) -> None:
    model, z, tokens = shaken(config), random_z(config), random_tokens(config, WALTZ)
    before = model.logits(z, tokens, WALTZ)[..., MELODY, :]
    for voice, first in ((CHORD, 7), (MELODY, 8)):
        changed = tokens.clone()
        changed[:, 7, voice] = (tokens[:, 7, voice] + 1) % 25
        after = model.logits(z, changed, WALTZ)[..., MELODY, :]
        torch.testing.assert_close(after[:, :first], before[:, :first])
        assert not torch.allclose(after[:, first], before[:, first])


@ALL
def test_what_is_decoded_is_the_likeliest_legal_token_of_the_teacher_forced_logits(config: Config) -> None:
    model, z, given = shaken(config), random_z(config), random_tokens(config, WALTZ)
    tokens = model.decode(z, WALTZ, given=given)
    logits = model.logits(z, tokens, WALTZ).detach()
    chosen = logits.gather(-1, tokens[..., None]).squeeze(-1)
    logits[..., MELODY, 128] = -torch.inf  # a note-off may be the likeliest where it may not follow
    assert (chosen >= logits.amax(-1) - 1e-9).all()


@ALL
def test_other_chords_make_another_melody_of_the_same_z(config: Config) -> None:
    model, z = shaken(config), random_z(config)
    one, other = (model.decode(z, WALTZ, given=random_tokens(config, WALTZ, seed=seed)) for seed in (0, 1))
    assert not torch.equal(one[..., MELODY], other[..., MELODY])


@ALL
def test_given_voices_cost_nothing_and_the_gradient_is_finite(config: Config) -> None:
    model, tokens = shaken(config), random_tokens(config, WALTZ)
    logits = model.logits(random_z(config), tokens, WALTZ)
    losses = cross_entropy(logits, tokens)
    melody = cross_entropy(logits[..., :1, :], tokens[..., :1])
    torch.testing.assert_close(losses, melody)
    losses.sum().backward()
    assert all(w.grad.isfinite().all() for w in model.parameters() if w.grad is not None)


def test_a_chord_is_never_hidden_from_the_decoder() -> None:
    model, z, tokens = shaken(FLAT), random_z(FLAT), random_tokens(FLAT, WALTZ)
    changed = tokens.clone()
    changed[:, 7, CHORD] = (tokens[:, 7, CHORD] + 1) % 25
    before, after = (model.logits(z, each, WALTZ, token_dropout=1.0)[..., MELODY, :] for each in (tokens, changed))
    assert not torch.allclose(after[:, 7], before[:, 7])


def test_the_output_has_words_of_the_melody_alone() -> None:
    assert [w.shape[0] for name, w in MusicVAE(FLAT).named_parameters() if name == "decoder.output.weight"] == [130]
