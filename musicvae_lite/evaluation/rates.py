"""Accuracy against rate, of one model: windows read from a z that is known less and less (`model.noise`).

At level s a window reaches the decoder as N(√(1 − s²) μ, (1 − s²) σ² + s²), whose KL to N(0, I) is the rate. It is an
upper bound of what a model trained to that very rate would need.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation import reconstruction
from musicvae_lite.evaluation.heldout import sample_windows
from musicvae_lite.inference.codec import NATS_PER_BIT, Codec, Posterior
from musicvae_lite.inference.noise import expected
from musicvae_lite.tokens import representation

LEVELS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
WINDOWS = 512  # at most


@dataclass(frozen=True)
class Rate:
    """How windows come back at one level: bits a window, and shares 0 … 1."""

    level: float
    kl_bits: float
    free_t0: float  # tokens right, decoded from the mean at temperature 0
    free_t1: float  # … temperature 1
    exact: float


def curve(codec: Codec, groups: Sequence[Windows], seed: int = 0) -> list[Rate]:
    """A `Rate` a level, the widest first; empty for a model without noise conditioning, or without windows."""
    windows = [group for group in sample_windows(groups, WINDOWS) if len(group)]
    if not codec.config.noise_conditioning or not windows:
        return []
    random = np.random.default_rng(seed)
    return [_at(codec, windows, level, random) for level in LEVELS]


def _at(codec: Codec, groups: Sequence[Windows], level: float, random: np.random.Generator) -> Rate:
    rows = [_row(codec, group, level, random) for group in groups]
    return Rate(level, *np.average(rows, axis=0, weights=[len(group) for group in groups]).tolist())


def _row(codec: Codec, group: Windows, level: float, random: np.random.Generator) -> tuple[float, ...]:
    """Bits, accuracy at temperatures 0 and 1, and share of exact windows, of the windows of one meter."""
    tokens = group.tokens.astype(np.int64)
    posterior, levels = codec.encode(tokens, group.meter), np.full(len(tokens), level, np.float32)
    mean = expected(posterior.mu, levels)
    heard = Posterior(mean, np.sqrt((1 - level**2) * np.square(posterior.sigma) + level**2))
    plain = codec.decode(mean, group.meter, level=levels, given=tokens)
    drawn = codec.decode(mean, group.meter, 1.0, random, level=levels, given=tokens)
    form = representation(codec.config.representation)
    truth, t0, t1 = (reconstruction.predicted(each, form) for each in (tokens, plain, drawn))
    accuracies = (reconstruction.token_accuracy(truth, t0), reconstruction.token_accuracy(truth, t1))
    return (float(heard.kl().sum(-1).mean()) / NATS_PER_BIT, *accuracies, reconstruction.exact(truth, t0))
