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


def objective(logits: Tensor, tokens: Tensor, posterior: Posterior, beta: float, free_nats: float) -> Loss:
    """The loss of one batch; see the formula above."""
    reconstruction = cross_entropy(logits, tokens).mean()
    kl = posterior.kl().sum(-1).mean()
    return Loss(reconstruction + beta * torch.clamp(kl - free_nats, min=0), reconstruction, kl)
