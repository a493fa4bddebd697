"""NumPy plays what torch plays, token for token, and hears what it hears; what it does not know, it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference import lstm, runtime
from musicvae_lite.inference.codec import Codec, Pull
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.runtime import KNOWN_KEYS, Runtime
from musicvae_lite.inference.weights import UnknownNetworkError
from musicvae_lite.model import playing
from musicvae_lite.model.codec import TorchCodec, codec
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.grid import bar_steps
from musicvae_lite.music.notes import COMMON_TIME, Meter
from musicvae_lite.tokens import REPRESENTATIONS, representation
from tests.model.conftest import METERS, TINY, WALTZ, is_legal, random_tokens, random_z, shaken

CONDUCTED = replace(TINY, bars=3, conductor_hidden=12)
CONFIGS = {
    "flat": TINY,
    "one bar on a finer grid": replace(TINY, bars=1, steps_per_quarter=12),
    "two layers": replace(TINY, decoder_layers=2),
    "in many blocks": replace(TINY, encoder_hidden=96, decoder_hidden=66, decoder_layers=2),
    "without views": replace(TINY, view_rank=0),
    "as in MusicVAE": replace(TINY, view_rank=0, metrical_positions=False, noise_conditioning=False),
    "drums": replace(TINY, representation="drums"),
    "looking back": replace(TINY, bars=5, lookback=3),
    "a trio looking back": replace(TINY, bars=3, representation="trio", decoder_per_voice=True, lookback=2),
    "a trio": replace(TINY, representation="trio"),
    "a decoder for each voice": replace(TINY, representation="trio", decoder_per_voice=True),
    "an encoder for each voice": replace(
        TINY, representation="trio", latent=9, encoder_per_voice=True, decoder_per_voice=True
    ),
    "an encoder of its own, over chords": replace(TINY, representation="melody-chords", encoder_per_voice=True),
    "views of their own bars": replace(TINY, bars=4, view_bars=2),
    "views of their own bars, voice by voice": replace(
        TINY, representation="trio", bars=4, latent=12, encoder_per_voice=True, decoder_per_voice=True, view_bars=1
    ),
    "views of their own bars, under a conductor": replace(CONDUCTED, bars=4, view_bars=2),
    "over chords": replace(TINY, representation="melody-chords"),
    "an encoder for each voice, with a conductor": replace(
        CONDUCTED, representation="trio", latent=9, encoder_per_voice=True, decoder_per_voice=True
    ),
    "over chords, with a conductor": replace(CONDUCTED, representation="melody-chords"),
    "with a conductor": CONDUCTED,
    "with a conductor, two layers, no views": replace(CONDUCTED, decoder_layers=2, view_rank=0),
}
Arrays = dict[str, NDArray[Any]]


@pytest.fixture(params=list(CONFIGS.values()), ids=list(CONFIGS))
def config(request: pytest.FixtureRequest) -> Config:
    found: Config = request.param
    return found


def weights(model: MusicVAE) -> Arrays:
    return {name: weight.numpy() for name, weight in model.state_dict().items()}


def both(config: Config) -> tuple[MusicVAE, Runtime]:
    """The same network twice, in double precision, its every weight random."""
    model = shaken(config)
    return model, Runtime(config, weights(model))


def levels(config: Config, count: int) -> NDArray[np.float64] | None:
    return np.linspace(0, 1, count) if config.noise_conditioning else None


@pytest.mark.parametrize("meter", METERS, ids=str)
def test_it_decodes_what_torch_decodes_token_for_token(config: Config, meter: Meter) -> None:
    model, player = both(config)
    z, level = random_z(config, 7), levels(config, 7)
    expected = model.decode(z, meter, level=None if level is None else torch.from_numpy(level))
    np.testing.assert_array_equal(player.decode(z.numpy(), meter, level=level), expected.numpy())


def test_it_decodes_what_torch_decodes_in_single_precision_too(config: Config) -> None:
    model = shaken(config).float()
    z = random_z(config, 20).float()
    expected = model.decode(z, COMMON_TIME).numpy()
    np.testing.assert_array_equal(Runtime(config, weights(model)).decode(z.numpy(), COMMON_TIME), expected)


def test_it_leans_as_torch_leans(config: Config) -> None:
    model, player = both(config)
    z = random_z(config, 4)
    tunes = np.stack([random_tokens(config, WALTZ, 4, seed).numpy() for seed in (1, 2)])
    nats = np.array([[0.0, 1.0, 2.0, 3.0], [3.0, 2.0, 1.0, 0.0]])
    pull = playing.Pull(torch.from_numpy(tunes), torch.from_numpy(nats))
    leaning = player.decode(z.numpy(), WALTZ, pull=Pull(tunes, nats))
    np.testing.assert_array_equal(leaning, model.decode(z, WALTZ, pull=pull).numpy())
    assert (leaning != player.decode(z.numpy(), WALTZ)).any()


@pytest.mark.parametrize("meter", METERS, ids=str)
def test_it_reads_what_torch_reads(config: Config, meter: Meter) -> None:
    model, player = both(config)
    tokens = random_tokens(config, meter, 5)
    with torch.no_grad():
        expected = model.encode(tokens, meter)
    found = player.encode(tokens.numpy(), meter)
    np.testing.assert_allclose(found.mu, expected.mu.numpy(), atol=1e-4)
    np.testing.assert_allclose(found.sigma, expected.sigma.numpy(), atol=1e-4)
    assert (found.sigma > 0).all()


@pytest.mark.parametrize("meter", [COMMON_TIME, Meter(7, 8), Meter(12, 4)], ids=str)
def test_its_logits_and_their_way_back_to_z_are_torch_s(config: Config, meter: Meter) -> None:
    model, player = both(config)
    z, tokens = random_z(config, 4).requires_grad_(), random_tokens(config, meter, 4)
    expected = model.logits(z, tokens, meter)
    at_logits = torch.randn(expected.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(expected, z, at_logits)
    logits, back = player.logits(z.detach().numpy(), tokens.numpy(), meter)
    np.testing.assert_allclose(logits, expected.detach().numpy(), atol=1e-9)
    np.testing.assert_allclose(back(at_logits.numpy()), gradient.numpy(), atol=1e-9)


def test_products_that_are_large_are_the_same_in_narrower_blocks(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, player = both(config)
    z, tokens = random_z(config, 5).numpy(), random_tokens(config, WALTZ, 5).numpy()
    (logits, back), mu = player.logits(z, tokens, WALTZ), player.encode(tokens, WALTZ).mu
    at_z = back(logits)
    monkeypatch.setattr(lstm, "SMALL", 0)
    narrow, narrow_back = player.logits(z, tokens, WALTZ)
    np.testing.assert_allclose(narrow, logits, atol=1e-9)
    np.testing.assert_allclose(narrow_back(logits), at_z, atol=1e-9)
    np.testing.assert_allclose(player.encode(tokens, WALTZ).mu, mu, atol=1e-9)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_two_voices_are_no_special_case(duo: Config, temperature: float) -> None:
    for config in (duo, replace(duo, conductor_hidden=8)):
        model, player = both(config)
        z = random_z(config, 6)
        tokens = player.decode(z.numpy(), WALTZ, temperature, np.random.default_rng(0))
        assert is_legal(torch.from_numpy(tokens), representation("duo"))
        if not temperature:
            np.testing.assert_array_equal(tokens, model.decode(z, WALTZ).numpy())
        windows = random_tokens(config, WALTZ)
        with torch.no_grad():
            np.testing.assert_allclose(
                player.encode(windows.numpy(), WALTZ).mu, model.encode(windows, WALTZ).mu.numpy(), atol=1e-4
            )


def test_only_canonical_music_is_drawn_and_a_seed_repeats_it(config: Config) -> None:
    _, player = both(config)
    z = random_z(config, 5).numpy()
    one, same, other = (player.decode(z, WALTZ, 1.0, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert is_legal(torch.from_numpy(one), representation(config.representation))


def test_draws_follow_the_softmax_of_the_scaled_logits() -> None:
    model, player = both(replace(TINY, representation="melody"))
    z, temperature = random_z(TINY, 1), 2.0
    drawn = player.decode(z.repeat(20_000, 1).numpy(), Meter(2, 16), temperature, np.random.default_rng(0))[:, 0, 0]
    with torch.no_grad():
        logits = model.logits(z, random_tokens(TINY, Meter(2, 16), 1), Meter(2, 16))[0, 0, 0].numpy()
    logits[~representation("melody").LEGAL[0]] = -np.inf
    chances = np.exp(logits / temperature)
    found = np.bincount(drawn, minlength=len(logits)) / len(drawn)
    assert np.abs(found - chances / chances.sum()).max() < 0.015


def test_a_temperature_needs_a_generator_and_is_never_below_0() -> None:
    _, player = both(TINY)
    z = random_z(TINY).numpy()
    with pytest.raises(MusicVAEError, match="a temperature of -1: expected 0 or more"):
        player.decode(z, WALTZ, -1.0, np.random.default_rng(0))
    with pytest.raises(MusicVAEError, match="needs a random generator"):
        player.decode(z, WALTZ, 1.0)


def test_many_rows_are_decoded_and_read_as_each_alone(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    _, player = both(config)
    z, tokens = random_z(config, 7).numpy(), random_tokens(config, WALTZ, 7).numpy()
    at_once, read = player.decode(z, WALTZ), player.encode(tokens, WALTZ)
    monkeypatch.setattr(runtime, "ROWS", 3)
    np.testing.assert_array_equal(player.decode(z, WALTZ), at_once)
    np.testing.assert_allclose(player.encode(tokens, WALTZ).mu, read.mu, atol=1e-12)


def test_no_row_at_all_is_decoded_to_none() -> None:
    _, player = both(TINY)
    assert player.decode(np.zeros((0, TINY.latent)), WALTZ).shape == (0, 24, 1)


def test_tokens_of_another_length_or_number_of_voices_are_refused() -> None:
    _, player = both(TINY)
    for shape in ((1, 23, 1), (1, 24, 2)):
        with pytest.raises(ValueError, match=r"expected \(24, 1\): 2 bars of 3/4"):
            player.encode(np.zeros(shape, np.int64), WALTZ)


def test_what_it_was_given_stays_as_it_was(config: Config) -> None:
    model = shaken(config)
    given = weights(model)
    before = {name: array.copy() for name, array in given.items()}
    player = Runtime(config, given)
    z, tokens = random_z(config).numpy(), random_tokens(config, WALTZ).numpy()
    z_before = z.copy()
    player.decode(z, WALTZ)
    player.encode(tokens, WALTZ)
    logits, back = player.logits(z, tokens, WALTZ)
    back(logits)
    assert all(np.array_equal(array, before[name]) for name, array in given.items())
    np.testing.assert_array_equal(z, z_before)


@pytest.mark.parametrize(
    "change",
    [
        {"decoder.chords.weight": np.zeros((2, 2))},
        {"decoder.output.weight": np.zeros((130, 17))},
        {"decoder.views.by_bar": np.zeros((3, 8, 4))},
        {"encoder.positions.step.weight": np.zeros((99, 8))},
    ],
    ids=lambda change: " ".join(change),
)
def test_weights_of_another_network_are_refused(change: Arrays) -> None:
    with pytest.raises(UnknownNetworkError):
        Runtime(TINY, weights(shaken()) | change)


def test_a_missing_weight_is_refused() -> None:
    left = weights(shaken())
    del left["decoder.latent_input.bias"]
    with pytest.raises(UnknownNetworkError, match=r"decoder\.latent_input\.bias is missing"):
        Runtime(TINY, left)


def test_a_setting_that_it_does_not_know_is_torch_s_unless_it_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "KNOWN_KEYS", KNOWN_KEYS - {"noise_conditioning"})
    with pytest.raises(UnknownNetworkError, match="noise_conditioning = True"):
        Runtime(TINY, weights(shaken()))
    assert isinstance(codec(shaken()), TorchCodec)
    assert isinstance(codec(shaken(replace(TINY, noise_conditioning=False))), Runtime)


@pytest.mark.parametrize("voices", [{"START": np.array([0, 3])}, {"GIVEN": np.array([True, False])}], ids=str)
def test_voices_begin_where_they_do_and_given_ones_play_what_is_given(duo: Config, voices: Arrays) -> None:
    vars(REPRESENTATIONS["duo"]).update(voices)
    for config in (duo, replace(duo, decoder_per_voice=True), replace(duo, conductor_hidden=8)):
        model, player = both(config)
        z, given = random_z(config, 5), random_tokens(config, WALTZ, 5)
        expected = model.decode(z, WALTZ, given=given).numpy()
        decoded = player.decode(z.numpy(), WALTZ, given=given.numpy())
        np.testing.assert_array_equal(decoded, expected)
        told = representation("duo").GIVEN
        np.testing.assert_array_equal(decoded[..., told], given.numpy()[..., told])


def players(config: Config) -> tuple[Codec, Codec]:
    model = shaken(config).float()
    return codec(model), TorchCodec(model)


def test_the_adaptor_does_the_same_with_torch(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = players(config)
    z, tokens = random_z(config, 5).float().numpy(), random_tokens(config, WALTZ, 5).numpy()
    monkeypatch.setattr("musicvae_lite.model.codec.STEPS_AT_ONCE", 3 * tokens.shape[1])
    level = levels(config, 5)
    pull = Pull(np.stack([tokens, tokens[::-1]]), np.ones((2, 5), np.float32))
    np.testing.assert_array_equal(
        one.decode(z, WALTZ, pull=pull, level=level), other.decode(z, WALTZ, pull=pull, level=level)
    )
    for name in ("mu", "sigma"):
        mine, theirs = (getattr(each.encode(tokens, WALTZ), name) for each in (one, other))
        np.testing.assert_allclose(mine, theirs, atol=1e-4)
    (mine, back), (theirs, also_back) = (each.logits(z, tokens, WALTZ) for each in (one, other))
    np.testing.assert_allclose(mine, theirs, atol=1e-3)
    at = np.random.default_rng(0).standard_normal(mine.shape, np.float32)
    np.testing.assert_allclose(back(at), also_back(at), rtol=1e-3, atol=1e-2)


def test_the_adaptor_draws_by_the_seed() -> None:
    player, z = TorchCodec(shaken()), random_z(TINY, 5).numpy()
    one, same, other = (player.decode(z, WALTZ, 1.0, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_every_representation_has_a_runtime() -> None:
    for name in REPRESENTATIONS:
        config = replace(TINY, representation=name)
        player = codec(shaken(config))
        assert isinstance(player, Runtime)
        steps = config.bars * bar_steps(COMMON_TIME, config.steps_per_quarter)
        voices = representation(name).VOICES
        assert player.decode(random_z(config, 2).numpy(), COMMON_TIME).shape == (2, steps, voices)
