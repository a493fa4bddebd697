"""The tunes between two: points on a path from z_a to z_b, and which points of it to hear.

Arrays in, arrays out. A path is a function (z_a [..., Z], z_b [..., Z], t) → [S, ..., Z] with exact ends. Positions
t, 0 … 1, are [S], or [S, B] with one for each of B rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.inference.codec import Floats

Path = Callable[[Floats, Floats, NDArray[np.float64]], Floats]
OPPOSITE = 1e-6  # radians short of a half turn
JUMP_POWER = 6  # how much more the largest jump counts than smaller ones


def linear(a: Floats, b: Floats, t: NDArray[np.float64]) -> Floats:
    """[S, ..., Z]: (1 − t)·a + t·b, exactly a everywhere if b is a."""
    return _mix(a, b, _beside(t, a).astype(a.dtype))


def slerp(a: Floats, b: Floats, t: NDArray[np.float64]) -> Floats:
    """[S, ..., Z]: along the arc from a to b (Shoemake 1985, over the last dimension), the norm going evenly from |a|
    to |b|.

    Written as cos(tθ)·u + sin(tθ)·w with w at right angles to u = a/|a|, which is exact for parallel vectors too.
    Opposite ones have no one arc between them: there w is any such direction, always the same. A zero vector has no
    direction: there it is `linear`.
    """
    first, second, share = a.astype(np.float64), b.astype(np.float64), _beside(t, a)
    norm_a, norm_b = _norm(first), _norm(second)
    u, v = _unit(first), _unit(second)
    cosine = (u * v).sum(-1, keepdims=True)
    rest = v - cosine * u  # of length sin θ
    sine = _norm(rest)
    angle = np.arctan2(sine, cosine)
    w = np.where(angle > np.pi - OPPOSITE, _at_right_angles(u), _unit(rest))
    direction = np.cos(share * angle) * u + np.sin(share * angle) * w
    arc = (direction * _mix(norm_a, norm_b, share)).astype(a.dtype)
    path = np.where((norm_a == 0) | (norm_b == 0), linear(a, b, t), arc)
    return np.where(share == 0, a, np.where(share == 1, b, path))


PATHS: dict[str, Path] = {"linear": linear, "slerp": slerp}


def levels(z: Floats, a: Floats, b: Floats, t: NDArray[np.float64]) -> Floats:
    """How roughly points z [S, ..., Z] at t on a path from a to b say what is wanted: [S, ...], as in `model.noise`.

    What two tunes do not share cancels out where they are mixed, as noise cancels z in the channel: there 1 − s² of its
    square is left, here |z|² of (1 − t)·|a|² + t·|b|². So s is 0 at both ends, 0 everywhere if b is a or on a path that
    keeps the norm, √½ half-way on the line between two unrelated tunes, and 1 between opposite ones.
    """
    whole = _mix(_square(a), _square(b), _beside(t, a)[..., 0].astype(a.dtype))
    left = _square(z) / np.maximum(whole, np.finfo(z.dtype).tiny)
    return np.sqrt(np.maximum(np.where(whole > 0, 1 - left, 0), 0)).astype(z.dtype)


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
    assert 2 <= steps <= len(set(place.tolist()))
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


def _beside(t: NDArray[np.float64], a: Floats) -> NDArray[np.float64]:
    """Positions [S] or [S, B] with dimensions of length 1 after them, to go with a [..., Z]."""
    return t.reshape(*t.shape, *[1] * (a.ndim + 1 - t.ndim))


def _mix(a: Floats, b: Floats, share: Floats) -> Floats:
    """(1 − share)·a + share·b, exactly a at 0, b at 1, and a everywhere if b is a."""
    return np.where(share < 0.5, a + share * (b - a), b - (1 - share) * (b - a))


def _square(x: Floats) -> Floats:
    found: Floats = np.square(x).sum(-1)
    return found


def _norm(x: Floats) -> Floats:
    found: Floats = np.sqrt(np.square(x).sum(-1, keepdims=True))
    return found


def _unit(x: Floats) -> Floats:
    """Each vector of x [..., Z] at length 1; a zero vector stays zero."""
    found: Floats = x / np.maximum(_norm(x), np.finfo(x.dtype).tiny)
    return found


def _at_right_angles(u: Floats) -> Floats:
    """A unit vector at right angles to each unit vector u [..., Z]: the nearest to u's smallest axis."""
    axis = np.eye(u.shape[-1])[np.abs(u).argmin(-1)]
    return _unit(axis - (axis * u).sum(-1, keepdims=True) * u)
