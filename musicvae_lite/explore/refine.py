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
from musicvae_lite.model.threads import one_thread
from musicvae_lite.music.notes import Meter

STEPS = 200
RATE = 0.05
DECAYS = 0.9, 0.999  # of Adam's two averages (Kingma & Ba 2015, arXiv 1412.6980)
MARGIN = 1.0  # nats by which the true token's logit should lead
ENOUGH = 0.01  # … and by which it must
STAY_NEAR = 0.02  # nats a unit of squared distance; less and less, down to 0 at the last step


@dataclass(frozen=True, eq=False)
class Refined:
    """z [B, Z]; tokens that differed before and still differ after, and gradient steps taken, int64 [B] each."""

    z: Tensor
    differed: Tensor
    differ: Tensor
    steps: Tensor


@one_thread()
def refine(model: MusicVAE, z: Tensor, tokens: Tensor, meter: Meter, limit: int = STEPS) -> Refined:
    """z moved until the model decodes `tokens` int64 [B, T, V] from it at temperature 0, within `limit` steps.

    Windows that decode exactly already are not touched, and none ends up with more differing tokens than before.
    """
    start = z.detach()
    differed = _differing(model, start, tokens, meter)
    found, differ, steps = start.clone(), differed.clone(), torch.zeros_like(differed)
    wrong = differed.nonzero().squeeze(-1)
    if limit and len(wrong):
        moved, steps[wrong] = _descend(model, start[wrong], tokens[wrong], meter, limit)
        left = _differing(model, moved, tokens[wrong], meter)
        better = left < differed[wrong]
        found[wrong[better]], differ[wrong[better]] = moved[better], left[better]
    return Refined(found, differed, differ, steps)


def _descend(model: MusicVAE, start: Tensor, tokens: Tensor, meter: Meter, limit: int) -> tuple[Tensor, Tensor]:
    """For each window the z [B, Z] with the largest least lead on Adam's way from `start`, and the steps taken [B].

    A window is done when every true token leads: then free-running decoding is exact too, by induction over the steps,
    so no decoding is needed to see it.
    """
    best, led = start.clone(), start.new_full((len(start),), -torch.inf)
    point, mean, square = start.clone(), torch.zeros_like(start), torch.zeros_like(start)
    steps = torch.zeros(len(start), dtype=torch.int64, device=start.device)
    rows = torch.arange(len(start), device=start.device)  # of the windows that are not done
    for step in range(limit + 1):
        here = point[rows].requires_grad_()
        lead = _leads(model, here, tokens[rows], meter)
        least = lead.detach().amin((1, 2))
        ahead = least > led[rows]
        best[rows[ahead]], led[rows[ahead]] = here.detach()[ahead], least[ahead]
        going = least < ENOUGH
        if step == limit or not going.any():
            break
        distance = (here - start[rows]).square().sum()
        missing = F.relu(MARGIN - lead).sum() + STAY_NEAR * (1 - step / limit) * distance
        gradient, rows = torch.autograd.grad(missing, here)[0][going], rows[going]
        mean[rows] = torch.lerp(gradient, mean[rows], DECAYS[0])
        square[rows] = torch.lerp(gradient.square(), square[rows], DECAYS[1])
        unbiased, scale = mean[rows] / (1 - DECAYS[0] ** (step + 1)), square[rows] / (1 - DECAYS[1] ** (step + 1))
        point[rows] -= RATE * unbiased / (scale.sqrt() + 1e-8)
        steps[rows] += 1
    return best, steps


def _leads(model: MusicVAE, z: Tensor, tokens: Tensor, meter: Meter) -> Tensor:
    """By how much each true token's logit leads the best other one, teacher-forced: [B, T, V]."""
    logits = model.logits(z, tokens, meter)
    true = logits.gather(-1, tokens[..., None])
    return (true - logits.scatter(-1, tokens[..., None], -torch.inf).amax(-1, keepdim=True)).squeeze(-1)


def _differing(model: MusicVAE, z: Tensor, tokens: Tensor, meter: Meter) -> Tensor:
    return (model.decode(z, meter, given=tokens) != tokens).sum((1, 2))
