"""Accuracy against rate, of one model: windows read from a z that is known less and less (`model.noise`).

At level s a window reaches the decoder as N(√(1 − s²) μ, (1 − s²) σ² + s²), whose KL to N(0, I) is the rate. It is an
upper bound of what a model trained to that very rate would need.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation import reconstruction
from musicvae_lite.evaluation.heldout import CHUNK, sample_windows
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.noise import expected
from musicvae_lite.model.objective import NATS_PER_BIT
from musicvae_lite.model.posterior import Posterior
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


@torch.no_grad()
def curve(model: MusicVAE, groups: Sequence[Windows], seed: int = 0) -> list[Rate]:
    """A `Rate` a level, the widest first; empty for a model without noise conditioning, or without windows."""
    windows = [group for group in sample_windows(groups, WINDOWS) if len(group)]
    if not model.config.noise_conditioning or not windows:
        return []
    generator = torch.Generator(next(model.parameters()).device).manual_seed(seed)
    return [_at(model, windows, level, generator) for level in LEVELS]


def _at(model: MusicVAE, groups: Sequence[Windows], level: float, generator: torch.Generator) -> Rate:
    rows = [_row(model, group, level, generator) for group in groups]
    weights = torch.tensor([float(len(group)) for group in groups], dtype=torch.float64)
    pooled = (torch.tensor(rows, dtype=torch.float64) * weights[:, None]).sum(0) / weights.sum()
    return Rate(level, *pooled.tolist())


def _row(model: MusicVAE, group: Windows, level: float, generator: torch.Generator) -> tuple[float, ...]:
    """Bits, accuracy at temperatures 0 and 1, and share of exact windows, of the windows of one meter."""
    tokens = torch.from_numpy(group.tokens).long().to(generator.device)
    bits, plain, drawn = [], [], []
    for part in tokens.split(CHUNK):
        posterior = model.encode(part, group.meter)
        levels = torch.full((len(part),), level, device=part.device)
        mean, kept = expected(posterior.mu, levels), 1 - level**2
        heard = Posterior(mean, (kept * posterior.sigma.square() + level**2).sqrt())
        bits.append(heard.kl().sum(-1) / NATS_PER_BIT)
        plain.append(model.decode(mean, group.meter, level=levels, given=part))
        drawn.append(model.decode(mean, group.meter, 1.0, generator, level=levels, given=part))
    form = representation(model.config.representation)
    columns = (tokens, torch.cat(plain), torch.cat(drawn))
    truth, t0, t1 = (reconstruction.predicted(each.cpu().numpy(), form) for each in columns)
    accuracies = (reconstruction.token_accuracy(truth, t0), reconstruction.token_accuracy(truth, t1))
    return (float(torch.cat(bits).mean()), *accuracies, reconstruction.exact(truth, t0))
