"""Teacher forcing looks back only; decoding emits nothing but music, the same as a slow and plain decoder would."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.config import Config
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.playing import choose
from musicvae_lite.music.grid import bar_steps
from musicvae_lite.music.notes import COMMON_TIME, Meter
from musicvae_lite.tokens import melody, representation
from tests.model.conftest import METERS, TINY, WALTZ, flat, is_legal, random_tokens, random_z, shaken

PLAIN = replace(TINY, metrical_positions=False, view_rank=0)
DEEP = replace(TINY, decoder_layers=2, bars=3)
LOOKING_BACK = replace(TINY, bars=3, lookback=2)


@pytest.mark.parametrize("config", [TINY, PLAIN, DEEP, LOOKING_BACK], ids=["views", "plain", "deep", "looking back"])
def test_the_logits_of_a_step_have_seen_the_tokens_before_it_and_never_its_own(config: Config) -> None:
    model, z, tokens = shaken(config), random_z(config), random_tokens(config, WALTZ)
    before = model.logits(z, tokens, WALTZ)
    for t in range(tokens.shape[1]):
        changed = tokens.clone()
        changed[:, t] = (tokens[:, t] + 1) % melody.VOCABULARY
        after = model.logits(z, changed, WALTZ)
        torch.testing.assert_close(after[:, : t + 1], before[:, : t + 1])
        if t + 1 < tokens.shape[1]:
            assert not torch.allclose(after[:, t + 1], before[:, t + 1])


def test_no_gradient_of_a_logit_reaches_its_own_token_or_a_later_one() -> None:
    model, z, tokens = shaken(), random_z(TINY, 1), torch.arange(24).reshape(1, 24, 1)  # every token another one
    for t in range(24):
        model.zero_grad()
        model.logits(z, tokens, WALTZ)[0, t].square().sum().backward()
        table = flat(model).embedding.table.weight.grad
        assert table is not None
        reached = set(table.abs().sum(1).nonzero().flatten().tolist())
        assert reached == {melody.VOCABULARY, *range(t)}  # the start of the sequence, and what came before


def test_hiding_every_token_leaves_z_alone_to_speak() -> None:
    model, z = shaken(), random_z(TINY)
    one, other = (random_tokens(TINY, WALTZ, seed=seed) for seed in (0, 1))
    hidden = [model.logits(z, tokens, WALTZ, token_dropout=1.0) for tokens in (one, other)]
    torch.testing.assert_close(*hidden)


@pytest.mark.parametrize("config", [TINY, LOOKING_BACK, replace(TINY, conductor_hidden=8)], ids=str)
def test_tokens_can_be_taken_for_others(config: Config) -> None:
    model, z = shaken(config), random_z(config)
    tokens, others = (random_tokens(config, WALTZ, seed=seed) for seed in (0, 1))
    mistaken = model.logits(z, tokens, WALTZ, heard=others)
    torch.testing.assert_close(mistaken, model.logits(z, others, WALTZ))
    assert not torch.allclose(mistaken, model.logits(z, tokens, WALTZ))


def test_a_generator_decides_which_tokens_are_hidden() -> None:
    model, z, tokens = shaken(), random_z(TINY), random_tokens(TINY, WALTZ)

    def logits(seed: int) -> Tensor:
        return model.logits(z, tokens, WALTZ, 0.5, torch.Generator().manual_seed(seed))

    assert torch.equal(logits(1), logits(1))
    assert not torch.equal(logits(1), logits(2))


def plainly(model: MusicVAE, z: Tensor, meter: Meter) -> list[list[int]]:
    """Melodies [B][T] at temperature 0: `nn.LSTM` stepped token by token, one window at a time, everything by hand."""
    decoder, length = flat(model), bar_steps(meter, model.config.steps_per_quarter)
    melodies = []
    for window in z:
        state_h, state_c = torch.tanh(decoder.initial_state(window)).view(2, decoder.layers, 1, -1)
        token, sounding, found = melody.VOCABULARY, False, list[int]()
        for t in range(model.config.bars * length):
            x = decoder.embedding.table.weight[token] + decoder.latent_input(window)
            if decoder.positions is not None:
                x = x + decoder.positions(meter, model.config.bars, length)[t]
            if decoder.views is not None:
                row = min(t % length, len(decoder.views.by_step) - 1)
                x = x + window @ decoder.views.by_bar[t // length] @ decoder.views.by_step[row]
            for distance, way in enumerate(decoder.lookback.ways if decoder.lookback else ()):
                if t >= length << distance:
                    x = x + way(decoder.embedding.table.weight[found[t - (length << distance)]])
            top, (state_h, state_c) = decoder.lstm(x.view(1, 1, -1), (state_h, state_c))
            logits = decoder.output(top).flatten().tolist()
            allowed = [k for k in range(melody.VOCABULARY) if sounding or k != melody.NOTE_OFF]
            token = max(allowed, key=logits.__getitem__)
            sounding = token < melody.PITCHES or (sounding and token == melody.HOLD)
            found.append(token)
        melodies.append(found)
    return melodies


@pytest.mark.parametrize("meter", [COMMON_TIME, Meter(5, 8), Meter(12, 4)], ids=str)
@pytest.mark.parametrize("config", [TINY, PLAIN, DEEP, LOOKING_BACK], ids=["views", "plain", "deep", "looking back"])
def test_decoding_is_what_a_slow_and_plain_decoder_does(config: Config, meter: Meter) -> None:
    model, z = shaken(config), random_z(config, 2)
    assert model.decode(z, meter)[..., 0].tolist() == plainly(model, z, meter)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 1000),
    scale=st.sampled_from([0.0, 0.1, 1.0, 30.0]),
    meter=st.sampled_from(METERS[:7]),
    temperature=st.sampled_from([0.0, 1.0, 5.0]),
)
def test_only_canonical_melodies_are_decoded(seed: int, scale: float, meter: Meter, temperature: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    tokens = shaken(seed=seed, scale=scale).decode(random_z(TINY, 4, seed), meter, temperature, generator)
    assert all(melody.is_canonical(window) for window in tokens.numpy())


@pytest.mark.parametrize("temperature", [0.0, 1.0, 5.0])
def test_a_note_off_in_silence_is_not_decoded_however_much_the_model_wants_it(temperature: float) -> None:
    model = shaken()
    with torch.no_grad():
        flat(model).output.bias[melody.NOTE_OFF] = 1e6
    tokens = model.decode(random_z(TINY, 50), COMMON_TIME, temperature, torch.Generator().manual_seed(0))
    assert all(melody.is_canonical(window) for window in tokens.numpy())


@pytest.mark.parametrize("meter", METERS, ids=str)
def test_any_meter_is_decoded(meter: Meter) -> None:
    tokens = shaken().decode(random_z(TINY), meter)
    assert tokens.shape == (3, 2 * bar_steps(meter, 4), 1)
    assert tokens.dtype == torch.int64
    assert all(melody.is_canonical(window) for window in tokens.numpy())


def test_temperature_0_is_the_argmax_of_what_is_legal_given_what_was_decoded() -> None:
    model, z = shaken(), random_z(TINY)
    tokens = model.decode(z, COMMON_TIME)
    logits = model.logits(z, tokens, COMMON_TIME)[..., 0, :]
    for row, line in enumerate(tokens[..., 0].tolist()):
        state = melody.SILENT
        for t, token in enumerate(line):
            legal = torch.from_numpy(melody.LEGAL[state])
            assert token == int(logits[row, t].masked_fill(~legal, -torch.inf).argmax())
            state = int(melody.NEXT_STATE[state, token])


def test_a_batch_is_decoded_like_its_rows_one_by_one() -> None:
    model, z = shaken(), random_z(TINY, 5)
    together = model.decode(z, COMMON_TIME)
    assert torch.equal(together, torch.cat([model.decode(row[None], COMMON_TIME) for row in z]))


def test_no_window_at_all_is_decoded_to_none() -> None:
    assert shaken().decode(random_z(TINY, 0), WALTZ).shape == (0, 24, 1)


def test_a_seed_decides_what_is_decoded_at_a_temperature() -> None:
    model, z = shaken(), random_z(TINY)

    def decoded(seed: int) -> Tensor:
        return model.decode(z, COMMON_TIME, 1.0, torch.Generator().manual_seed(seed))

    assert torch.equal(decoded(1), decoded(1))
    assert not torch.equal(decoded(1), decoded(2))


def test_draws_follow_the_softmax_of_the_scaled_logits() -> None:
    logits = torch.tensor([0.0, 1.0, -torch.inf]).expand(20_000, 3)
    drawn = choose(logits, 2.0, torch.Generator().manual_seed(0))
    expected = torch.softmax(torch.tensor([0.0, 0.5]), 0)
    shares = drawn.bincount(minlength=3) / len(drawn)
    assert shares[2] == 0
    assert shares[1].item() == pytest.approx(expected[1].item(), abs=0.02)


def test_a_temperature_below_0_is_refused() -> None:
    with pytest.raises(MusicVAEError, match="temperature of -1"):
        shaken().decode(random_z(TINY), COMMON_TIME, -1.0)


@pytest.mark.parametrize("temperature", [0.0, 1.0, 5.0])
def test_two_voices_are_no_special_case(duo: Config, temperature: float) -> None:
    model, z, tokens = shaken(duo), random_z(duo, 6), random_tokens(duo, WALTZ, 6)
    assert model.encode(tokens, WALTZ).mu.shape == (6, duo.latent)
    assert model.logits(z, tokens, WALTZ).shape == (6, 24, 2, 5)
    decoded = model.decode(z, WALTZ, temperature, torch.Generator().manual_seed(0))
    assert decoded.shape == (6, 24, 2)
    assert is_legal(decoded, representation("duo"))
    assert not torch.equal(decoded[..., 0], decoded[..., 1])


@pytest.mark.parametrize("voice", [0, 1])
def test_a_step_hears_both_voices_before_it_and_neither_of_its_own(duo: Config, voice: int) -> None:
    model, z, tokens = shaken(duo), random_z(duo), random_tokens(duo, WALTZ)
    changed = tokens.clone()
    changed[:, 7, voice] = (tokens[:, 7, voice] + 1) % 5
    before, after = (model.logits(z, each, WALTZ) for each in (tokens, changed))
    torch.testing.assert_close(after[:, :8], before[:, :8])
    assert not torch.allclose(after[:, 8, 0], before[:, 8, 0])
    assert not torch.allclose(after[:, 8, 1], before[:, 8, 1])


def test_two_voices_with_swapped_parts_are_another_window(duo: Config) -> None:
    model, tokens = shaken(duo), random_tokens(duo, WALTZ)
    assert not torch.allclose(model.encode(tokens, WALTZ).mu, model.encode(tokens.flip(-1), WALTZ).mu)
