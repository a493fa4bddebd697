"""Windows to learn from and a run of the smallest size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.inference.config import Config
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import melody
from musicvae_lite.training.recipe import Recipe
from musicvae_lite.training.state import State, start

CPU = torch.device("cpu")
TINY = Config(bars=1, latent=8, embedding=8, encoder_hidden=8, decoder_hidden=16, view_rank=4)
BRIEF = Recipe(steps=6, batch=4, warm_up_steps=2, validations=3, first_free_bits=40.0, free_bits=20.0)
SCALE = np.array([60, 62, 64, 65, 67, 69, 71, 72])


def windows(meter: Meter, bar_steps: int, count: int, pitches: Sequence[int] = tuple(SCALE), seed: int = 0) -> Windows:
    """Distinct windows of one bar with a note at every other step, one a piece."""
    random = np.random.default_rng(seed)
    tokens = np.full((count, bar_steps, 1), melody.HOLD, np.uint8)
    tokens[:, ::2] = random.choice(pitches, (count, (bar_steps + 1) // 2, 1))
    return Windows(meter, tokens, np.arange(count), np.zeros(count, np.int64))


def fresh(recipe: Recipe = BRIEF) -> State:
    return start(TINY, recipe, CPU)


def weights(state: State) -> list[torch.Tensor]:
    """Everything that training changes: weights, their average, the optimizer's moments."""
    by_weight = [state.optimizer.state[weight] for weight in state.model.parameters()]
    moments = [moments[name] for moments in by_weight for name in sorted(moments)]
    return [*state.model.parameters(), *state.average.parameters(), *moments]


@pytest.fixture
def groups() -> tuple[Windows, ...]:
    """Twelve windows in 4/4 and four in 3/4."""
    return windows(Meter(4, 4), 16, 12), windows(Meter(3, 4), 12, 4, seed=1)


@pytest.fixture
def held_out() -> tuple[Windows, ...]:
    return (windows(Meter(4, 4), 16, 4, seed=2),)
