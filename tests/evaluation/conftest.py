"""An untrained model of the smallest size, and windows in two meters to try it on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.inference.codec import Codec
from musicvae_lite.inference.config import Config
from musicvae_lite.model.checkpoint import Checkpoint
from musicvae_lite.model.codec import codec
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import melody

SCALE = np.array([60, 62, 64, 65, 67, 69, 71, 72])


def random_windows(meter: Meter, bar_steps: int, count: int, pieces: int, seed: int) -> Windows:
    """Distinct windows of two bars with a note at every other step, dealt out to `pieces` in order."""
    random = np.random.default_rng(seed)
    tokens = np.full((count, 2 * bar_steps, 1), melody.HOLD, np.uint8)
    tokens[:, ::2] = random.choice(SCALE, (count, bar_steps, 1))
    return Windows(meter, tokens, np.arange(count) * pieces // count, np.arange(count))


@pytest.fixture(scope="session")
def model() -> MusicVAE:
    torch.manual_seed(0)
    return MusicVAE(Config(latent=8, embedding=8, encoder_hidden=8, decoder_hidden=16, view_rank=4)).eval()


@pytest.fixture(scope="session")
def player(model: MusicVAE) -> Codec:
    return codec(model)


@pytest.fixture(scope="session")
def checkpoint(model: MusicVAE) -> Checkpoint:
    return Checkpoint(model)


@pytest.fixture(scope="session")
def groups() -> tuple[Windows, ...]:
    """Twelve windows in 4/4 of six pieces and four in 3/4 of two of them."""
    return random_windows(Meter(4, 4), 16, 12, 6, 0), random_windows(Meter(3, 4), 12, 4, 2, 1)
