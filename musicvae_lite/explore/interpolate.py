"""The tunes between two: points on a path from z_a to z_b, and which points of it to hear.

Tensors in, tensors out. A path is a function (z_a [..., Z], z_b [..., Z], t [S]) → [S, ..., Z] with exact ends.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Path = Callable[[Tensor, Tensor, Tensor], Tensor]
NEARLY_PARALLEL = 1e-3  # radians


def linear(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """[S, ..., Z]: (1 − t)·a + t·b for positions t [S] in 0 … 1."""
    t = t.view(-1, *[1] * a.dim()).to(a)
    return (1 - t) * a + t * b


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """[S, ..., Z]: along the arc from a to b (Shoemake 1985, over the last dimension), the norm going evenly from |a|
    to |b|.

    Vectors that are parallel, opposite or zero have no one arc between them: there it is `linear`.
    """
    norm_a, norm_b = a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True)
    unit_a, unit_b = a / norm_a.clamp(min=1e-12), b / norm_b.clamp(min=1e-12)
    angle = torch.acos((unit_a * unit_b).sum(-1, keepdim=True).clamp(-1, 1))
    straight = (angle < NEARLY_PARALLEL) | (angle > torch.pi - NEARLY_PARALLEL) | (norm_a * norm_b == 0)
    sine = torch.where(straight, torch.ones_like(angle), torch.sin(angle))
    share = t.view(-1, *[1] * a.dim()).to(a)
    direction = (torch.sin((1 - share) * angle) * unit_a + torch.sin(share * angle) * unit_b) / sine
    arc = direction * ((1 - share) * norm_a + share * norm_b)
    path = torch.where(straight, linear(a, b, t), arc)
    ends = share.expand_as(path)
    return torch.where(ends == 0, a.expand_as(path), torch.where(ends == 1, b.expand_as(path), path))


PATHS: dict[str, Path] = {"linear": linear, "slerp": slerp}


def uniform(steps: int) -> NDArray[np.float64]:
    """Positions 0 … 1, equally far apart in z: [S]."""
    return np.linspace(0.0, 1.0, steps)


def even(tokens: NDArray[np.int64], steps: int) -> NDArray[np.int64]:
    """Which of M candidates along a path to hear, so that neighbours differ by the same amount of music: rows [S].

    `tokens` [M, T, V] are the candidates decoded in order along the path; the first and the last are always chosen.
    Among all ordered choices this is one with the least sum of squared distances between neighbours (share of differing
    tokens), which is least when all are equal; found exactly by dynamic programming over candidates. M must be at least
    S.
    """
    count = len(tokens)
    assert 2 <= steps <= count
    flat = tokens.reshape(count, -1)
    cost = (flat[:, None] != flat[None]).mean(-1) ** 2
    # Of choices that cost the same, the one that is even along the path.
    place = np.linspace(0, 1, count)
    cost += 1e-6 * (place[None] - place[:, None]) ** 2
    cost[np.tril_indices(count)] = np.inf  # only forwards, never the same one twice
    best, came_from = cost[0].copy(), np.zeros((steps, count), np.int64)
    for step in range(2, steps):
        through = best[:, None] + cost
        came_from[step] = through.argmin(0)
        best = through.min(0)
    chosen = [count - 1]
    for step in range(steps - 1, 1, -1):
        chosen.append(int(came_from[step, chosen[-1]]))
    return np.array([0, *reversed(chosen)], np.int64)
