"""What training minimises, in nats a window: −log p(x | z) + β · max(KL − free, 0).

Cross-entropy is summed over steps and voices, KL over dimensions (Kingma & Welling 2014); β after Higgins et al. 2017;
free bits over the whole of z, as in MusicVAE (Roberts et al. 2018, eq. 3), so that `free` is the rate the model may use
unpaid. The bound is on the batch's mean KL, not on each window's: a busy window may spend what a sparse one saves.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from musicvae_lite.model.posterior import Posterior

NATS_PER_BIT = 0.6931471805599453


@dataclass(frozen=True, eq=False)
class Loss:
    """Means over the batch, in nats a window."""

    total: Tensor
    cross_entropy: Tensor
    kl: Tensor


def cross_entropy(logits: Tensor, tokens: Tensor) -> Tensor:
    """−log p(x | z) of each window in nats, [B], from logits [B, T, V, K] and tokens [B, T, V]."""
    losses = F.cross_entropy(logits.float().flatten(0, 2), tokens.flatten(), reduction="none")
    return losses.view(tokens.shape).sum((1, 2))


def touch_cross_entropy(logits: Tensor, tokens: Tensor, stiff: Tensor) -> Tensor:
    """The part of `cross_entropy` that is about how strokes are played, and not which: −log p(x | z, strokes), [B].

    `stiff` [K] is a representation's table of tokens without expression: those alike in it are one stroke.
    """
    ways = torch.bincount(stiff, minlength=len(stiff))[stiff]  # [K]: in how many ways each token's stroke is played
    rows = ways[tokens] > 1  # [B, T, V]
    played = tokens[rows]
    allowed = logits[rows].float().masked_fill(stiff != stiff[played][:, None], -torch.inf)
    losses = logits.new_zeros(tokens.shape, dtype=torch.float32)
    losses[rows] = F.cross_entropy(allowed, played, reduction="none")
    return losses.sum((1, 2))


def objective(
    logits: Tensor,
    tokens: Tensor,
    posterior: Posterior,
    beta: float,
    free_nats: float,
    stiff: Tensor | None = None,
    touch_weight: float = 1.0,
) -> Loss:
    """The loss of one batch; see the formula above.

    With a `touch_weight` below 1 how a stroke is played counts so much less than that it is; `stiff` is as in
    `touch_cross_entropy`.
    """
    reconstruction = cross_entropy(logits, tokens).mean()
    kl = posterior.kl().sum(-1).mean()
    total = reconstruction + beta * torch.clamp(kl - free_nats, min=0)
    if stiff is not None and touch_weight != 1:
        total = total - (1 - touch_weight) * touch_cross_entropy(logits, tokens, stiff).mean()
    return Loss(total, reconstruction, kl)
