"""A conductor over a flat decoder: bars know each other by z, the plans and one token; at once is as one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from musicvae_lite.inference.config import Config
from musicvae_lite.model.conductor import HierarchicalDecoder
from musicvae_lite.model.decoder import Decoder
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.grid import bar_steps
from musicvae_lite.music.notes import COMMON_TIME, Meter
from musicvae_lite.tokens import melody
from tests.model.conftest import METERS, TINY, WALTZ, is_legal, random_tokens, random_z, shaken

FOUR_BARS = replace(TINY, bars=4, conductor_hidden=12)
PLAIN = replace(FOUR_BARS, metrical_positions=False, view_rank=0)
BOTH = pytest.mark.parametrize("config", [FOUR_BARS, PLAIN], ids=["views", "plain"])


def hierarchical(model: MusicVAE) -> HierarchicalDecoder:
    assert isinstance(model.decoder, HierarchicalDecoder)
    return model.decoder


def plainly(model: MusicVAE, z: Tensor, meter: Meter) -> list[list[int]]:
    """Melodies [B][T] at temperature 0, one window, one bar, one step at a time."""
    decoder = hierarchical(model)
    conductor, bars = decoder.conductor, decoder.bar
    assert isinstance(bars, Decoder)
    steps = bar_steps(meter, model.config.steps_per_quarter)
    melodies = []
    for window in z:
        conducting = tuple(torch.tanh(conductor.initial_state(window)).view(2, 1, 1, -1))
        token, sounding, found = melody.VOCABULARY, False, list[int]()
        for bar in range(model.config.bars):
            x = conductor.latent_input(window)
            if conductor.positions is not None and conductor.views is not None:
                x = x + conductor.positions(meter, model.config.bars, 1)[bar]
                x = x + window @ conductor.views.by_bar[bar] @ conductor.views.by_step[0]
            plan, conducting = conductor.lstm(x.view(1, 1, -1), conducting)
            state = tuple(torch.tanh(bars.initial_state(plan.flatten())).view(2, 1, 1, -1))
            for t in range(steps):
                x = bars.embedding.table.weight[token] + bars.latent_input(plan.flatten())
                if bars.positions is not None and bars.views is not None:
                    row = min(t, len(bars.views.by_step) - 1)
                    x = x + bars.positions(meter, 1, steps)[t]
                    x = x + plan.flatten() @ bars.views.by_bar[0] @ bars.views.by_step[row]
                top, state = bars.lstm(x.view(1, 1, -1), state)
                logits = bars.output(top).flatten().tolist()
                allowed = [k for k in range(melody.VOCABULARY) if sounding or k != melody.NOTE_OFF]
                token = max(allowed, key=logits.__getitem__)
                sounding = token < melody.PITCHES or (sounding and token == melody.HOLD)
                found.append(token)
        melodies.append(found)
    return melodies


@BOTH
@pytest.mark.parametrize("meter", [COMMON_TIME, Meter(5, 8)], ids=str)
def test_decoding_is_what_a_slow_and_plain_conductor_does(config: Config, meter: Meter) -> None:
    model, z = shaken(config), random_z(config, 2)
    with torch.no_grad():
        assert model.decode(z, meter)[..., 0].tolist() == plainly(model, z, meter)


@BOTH
def test_all_bars_at_once_have_the_logits_of_one_step_after_the_other(config: Config) -> None:
    """What is decoded is, step by step, the likeliest legal token of the teacher-forced logits."""
    model, z = shaken(config), random_z(config)
    tokens = model.decode(z, WALTZ)
    logits = model.logits(z, tokens, WALTZ).detach()
    chosen = logits.gather(-1, tokens[..., None]).squeeze(-1)
    logits[..., melody.NOTE_OFF] = -torch.inf  # may be the likeliest where it may not follow
    assert (chosen >= logits.amax(-1) - 1e-9).all()


@BOTH
def test_a_bar_knows_of_the_bars_before_it_the_last_token_only(config: Config) -> None:
    model, z, tokens = shaken(config), random_z(config), random_tokens(config, WALTZ)
    steps = bar_steps(WALTZ, config.steps_per_quarter)
    before = model.logits(z, tokens, WALTZ)
    changed = tokens.clone()
    changed[:, : steps - 1] = (tokens[:, : steps - 1] + 1) % melody.VOCABULARY
    after = model.logits(z, changed, WALTZ)
    assert not torch.allclose(after[:, 1:steps], before[:, 1:steps])
    torch.testing.assert_close(after[:, steps:], before[:, steps:])
    changed = tokens.clone()
    changed[:, steps - 1] = (tokens[:, steps - 1] + 1) % melody.VOCABULARY
    after = model.logits(z, changed, WALTZ)
    assert not torch.allclose(after[:, steps], before[:, steps])
    torch.testing.assert_close(after[:, 2 * steps :], before[:, 2 * steps :])


@pytest.mark.parametrize("bars", [1, 8, 32])
@pytest.mark.parametrize("meter", METERS[:4], ids=str)
def test_any_number_of_bars_in_any_meter_is_canonical(bars: int, meter: Meter) -> None:
    config = replace(FOUR_BARS, bars=bars)
    tokens = shaken(config).decode(random_z(config), meter, 1.0, torch.Generator().manual_seed(0))
    assert tokens.shape == (3, bars * bar_steps(meter, config.steps_per_quarter), 1)
    assert is_legal(tokens, melody)


def test_a_longer_window_adds_a_row_for_each_bar_and_nothing_for_its_steps() -> None:
    def size(bars: int) -> int:
        return sum(weight.numel() for weight in MusicVAE(replace(FOUR_BARS, bars=bars)).parameters())

    assert size(32) - size(31) == size(5) - size(4)


def test_the_level_of_noise_reaches_every_bar() -> None:
    model, z, tokens = shaken(FOUR_BARS), random_z(FOUR_BARS), random_tokens(FOUR_BARS, WALTZ)
    exactly, roughly = (
        model.logits(z, tokens, WALTZ, level=torch.full((3,), level, dtype=torch.float64)) for level in (0.0, 0.7)
    )
    torch.testing.assert_close(exactly, model.logits(z, tokens, WALTZ))
    steps = bar_steps(WALTZ, FOUR_BARS.steps_per_quarter)
    for bar in range(FOUR_BARS.bars):
        assert not torch.allclose(exactly[:, bar * steps], roughly[:, bar * steps])
