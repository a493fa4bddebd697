"""The tunes between two: points on a path from z_a to z_b, and which points of it to hear.

Tensors in, tensors out. A path is a function (z_a [..., Z], z_b [..., Z], t) → [S, ..., Z] with exact ends. Positions
t, 0 … 1, are [S], or [S, B] with one for each of B rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

Path = Callable[[Tensor, Tensor, Tensor], Tensor]
OPPOSITE = 1e-6  # radians short of a half turn
JUMP_POWER = 6  # how much more the largest jump counts than smaller ones


def linear(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """[S, ..., Z]: (1 − t)·a + t·b, exactly a everywhere if b is a."""
    return torch.lerp(a, b, _beside(t, a).to(a))


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """[S, ..., Z]: along the arc from a to b (Shoemake 1985, over the last dimension), the norm going evenly from |a|
    to |b|.

    Written as cos(tθ)·u + sin(tθ)·w with w at right angles to u = a/|a|, which is exact for parallel vectors too.
    Opposite ones have no one arc between them: there w is any such direction, always the same. A zero vector has no
    direction: there it is `linear`.
    """
    first, second, share = a.double(), b.double(), _beside(t, a).to(a.device, torch.float64)
    norm_a, norm_b = first.norm(dim=-1, keepdim=True), second.norm(dim=-1, keepdim=True)
    u, v = _unit(first), _unit(second)
    cosine = (u * v).sum(-1, keepdim=True)
    rest = v - cosine * u  # of length sin θ
    sine = rest.norm(dim=-1, keepdim=True)
    angle = torch.atan2(sine, cosine)
    w = torch.where(angle > torch.pi - OPPOSITE, _at_right_angles(u), _unit(rest))
    direction = torch.cos(share * angle) * u + torch.sin(share * angle) * w
    arc = (direction * torch.lerp(norm_a, norm_b, share)).to(a)
    path = torch.where((norm_a == 0) | (norm_b == 0), linear(a, b, t), arc)
    return torch.where(share == 0, a, torch.where(share == 1, b, path))


PATHS: dict[str, Path] = {"linear": linear, "slerp": slerp}


def levels(z: Tensor, a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """How roughly points z [S, ..., Z] at t on a path from a to b say what is wanted: [S, ...], as in `model.noise`.

    What two tunes do not share cancels out where they are mixed, as noise cancels z in the channel: there 1 − s² of its
    square is left, here |z|² of (1 − t)·|a|² + t·|b|². So s is 0 at both ends, 0 everywhere if b is a or on a path that
    keeps the norm, √½ half-way on the line between two unrelated tunes, and 1 between opposite ones.
    """
    whole = torch.lerp(a.square().sum(-1), b.square().sum(-1), _beside(t, a)[..., 0].to(a))
    left = z.square().sum(-1) / whole.clamp(min=torch.finfo(z.dtype).tiny)
    return torch.where(whole > 0, 1 - left, 0.0).clamp(min=0).sqrt()


def uniform(steps: int) -> NDArray[np.float64]:
    """Positions 0 … 1, equally far apart in z: [S]."""
    return np.linspace(0.0, 1.0, steps)


def even(tokens: NDArray[np.int64], steps: int, place: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
    """Which of M candidates along a path to hear, so that neighbours differ by the same amount of music: rows [S].

    `tokens` [M, T, V] are the candidates decoded, in the order of their `place` [M] on the path (default: equally far
    apart); the first and the last are always chosen, and no two of one place. Among all ordered choices this is one
    with the least sum of the distances between neighbours (number of differing tokens) to the power `JUMP_POWER`, which
    the largest jump decides; of several it is the one most even along the path. Found exactly by dynamic programming
    over candidates. There must be at least S places, and S be at least 2.
    """
    count = len(tokens)
    place = uniform(count) if place is None else place
    assert 2 <= steps <= len(np.unique(place))
    flat = tokens.reshape(count, -1)
    distance = np.stack([(flat != row).sum(-1) for row in flat]).astype(np.float64)
    # Powers of distances are whole numbers, squared ways along the path add up to at most 1: half of that breaks ties.
    cost = distance**JUMP_POWER + 0.5 * (place[None] - place[:, None]) ** 2
    cost[place[None] <= place[:, None]] = np.inf  # only forwards
    best, came_from = cost[0], np.zeros((steps, count), np.int64)
    for step in range(2, steps):
        through = best[:, None] + cost
        came_from[step] = through.argmin(0)
        best = through.min(0)
    chosen = [count - 1]
    for step in range(steps - 1, 1, -1):
        chosen.append(int(came_from[step, chosen[-1]]))
    return np.array([0, *reversed(chosen)], np.int64)


def _beside(t: Tensor, a: Tensor) -> Tensor:
    """Positions [S] or [S, B] with dimensions of length 1 after them, to go with a [..., Z]."""
    return t.reshape(*t.shape, *[1] * (a.dim() + 1 - t.dim()))


def _unit(x: Tensor) -> Tensor:
    """Each vector of x [..., Z] at length 1; a zero vector stays zero."""
    return F.normalize(x, dim=-1, eps=torch.finfo(x.dtype).tiny)


def _at_right_angles(u: Tensor) -> Tensor:
    """A unit vector at right angles to each unit vector u [..., Z]: the nearest to u's smallest axis."""
    axis = F.one_hot(u.abs().argmin(-1), u.shape[-1]).to(u)
    return _unit(axis - (axis * u).sum(-1, keepdim=True) * u)
