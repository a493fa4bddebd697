"""Models of the smallest size with weights that leave no path dead, token sequences, and a second representation."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor

from musicvae_lite.inference.config import Config
from musicvae_lite.model.decoder import Decoder
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.grid import bar_steps
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import REPRESENTATIONS, Representation, representation

TINY = Config(latent=8, embedding=8, encoder_hidden=8, decoder_hidden=16, view_rank=4)
WALTZ = Meter(3, 4)
# Bars of 2 to 48 steps; the last is longer than the tables of positions.
METERS = (Meter(4, 4), WALTZ, Meter(6, 8), Meter(9, 8), Meter(5, 8), Meter(7, 8), Meter(2, 16), Meter(12, 4))


def shaken(config: Config = TINY, seed: int = 0, scale: float = 0.5) -> MusicVAE:
    """A model in float64 whose every weight is random: fresh models have tables of zeros, behind which bugs hide."""
    generator = torch.Generator().manual_seed(seed)
    model = MusicVAE(config).double().eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, scale, generator=generator)
    return model


def flat(model: MusicVAE) -> Decoder:
    """The model's decoder, which has no conductor over it."""
    assert isinstance(model.decoder, Decoder)
    return model.decoder


def random_z(config: Config, count: int = 3, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, config.latent, generator=generator, dtype=torch.float64)


def random_tokens(config: Config, meter: Meter, count: int = 3, seed: int = 0) -> Tensor:
    """Canonical tokens int64 [count, T, V]: every voice a random walk through the representation's automaton."""
    form, random = representation(config.representation), np.random.default_rng(seed)
    tokens = np.zeros((count, config.bars * bar_steps(meter, config.steps_per_quarter), form.VOICES), np.int64)
    for window in range(count):
        for voice in range(form.VOICES):
            state = form.START[voice]
            for step in range(tokens.shape[1]):
                token = random.choice(np.flatnonzero(form.LEGAL[state]))
                tokens[window, step, voice], state = token, form.NEXT_STATE[state, token]
    return torch.from_numpy(tokens)


def is_legal(tokens: Tensor, form: Representation) -> bool:
    """Whether every voice of every window [B, T, V] walks through the automaton without a forbidden step."""
    for voice, start in enumerate(form.START):
        for line in tokens[:, :, voice].tolist():
            state = start
            for token in line:
                if not form.LEGAL[state, token]:
                    return False
                state = int(form.NEXT_STATE[state, token])
    return True


@pytest.fixture
def duo(monkeypatch: pytest.MonkeyPatch) -> Config:
    """The config of a made-up representation: two voices, five tokens, of which none may come twice in a row."""
    legal = np.vstack([np.ones((1, 5), bool), ~np.eye(5, dtype=bool)])  # state 0 is the start, state k + 1 token k
    following = np.tile(np.arange(5) + 1, (6, 1))
    tables = {"START": np.zeros(2, np.int64), "LEGAL": legal, "NEXT_STATE": following, "GIVEN": np.zeros(2, bool)}
    form = SimpleNamespace(NAME="duo", VOICES=2, VOCABULARY=5, **tables)
    monkeypatch.setitem(REPRESENTATIONS, "duo", cast(Representation, form))
    return Config("duo", latent=8, embedding=8, encoder_hidden=8, decoder_hidden=16, view_rank=4)
