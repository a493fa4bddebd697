"""Exact endpoints: a z whose decoding *is* the given window.

The encoder's mean is a first guess made for all windows alike. A few gradient steps on z through the frozen decoder
make it fit this window (semi-amortised inference, Kim et al. 2018, arXiv 1802.02550), starting from the mean and
staying near it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.notes import Meter

STEPS = 200
RATE = 0.03
MARGIN = 1.0  # nats by which the true token's logit should lead
ENOUGH = 0.01  # … and by which it must
STAY_NEAR = 0.02


@dataclass(frozen=True, eq=False)
class Refined:
    """z [B, Z]; tokens that differed before and still differ after, and gradient steps taken, int64 [B] each."""

    z: Tensor
    differed: Tensor
    differ: Tensor
    steps: Tensor


def refine(model: MusicVAE, z: Tensor, tokens: Tensor, meter: Meter, limit: int = STEPS) -> Refined:
    """z moved until the model decodes `tokens` int64 [B, T, V] from it at temperature 0, within `limit` steps.

    Windows that decode exactly already are not touched. Where every teacher-forced argmax is the true token,
    free-running decoding is exact too (by induction over the steps), so no decoding is needed to see when to stop.
    """
    start = z.detach()
    differed = _differing(model, start, tokens, meter)
    point, steps = start.clone().requires_grad_(), torch.zeros(len(z), dtype=torch.int64, device=z.device)
    best, led = start.clone(), _lead(model, start, tokens, meter)
    optimizer = torch.optim.Adam([point], RATE)
    for _ in range(limit):
        active = led < ENOUGH
        if not bool((active & (differed > 0)).any()):
            break
        lead = _leads(model, point, tokens, meter)  # [B, T, V]
        missing = F.relu(MARGIN - lead).sum((1, 2)) + STAY_NEAR * (point - start).square().sum(-1)
        (point.grad,) = torch.autograd.grad((missing * active).sum(), point)
        optimizer.step()
        steps += active & (differed > 0)
        now = _lead(model, point.detach(), tokens, meter)
        better = active & (now > led)
        best, led = torch.where(better[:, None], point.detach(), best), torch.where(better, now, led)
    found = torch.where((differed > 0)[:, None], best, start)
    return Refined(found, differed, _differing(model, found, tokens, meter), steps)


def _leads(model: MusicVAE, z: Tensor, tokens: Tensor, meter: Meter) -> Tensor:
    """By how much each true token's logit leads the best other one, teacher-forced: [B, T, V]."""
    logits = model.logits(z, tokens, meter)
    true = logits.gather(-1, tokens[..., None])
    return (true - logits.scatter(-1, tokens[..., None], -torch.inf).amax(-1, keepdim=True)).squeeze(-1)


@torch.no_grad()
def _lead(model: MusicVAE, z: Tensor, tokens: Tensor, meter: Meter) -> Tensor:
    """The smallest lead in each window: [B]; above 0, the window decodes exactly."""
    return _leads(model, z, tokens, meter).amin((1, 2))


def _differing(model: MusicVAE, z: Tensor, tokens: Tensor, meter: Meter) -> Tensor:
    return (model.decode(z, meter) != tokens).sum((1, 2))
