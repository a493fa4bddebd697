"""Is a morph a path of music? Functions of paths, tokens [N, S, T, V]: N pairs, S steps with both ends.

After MusicVAE's study of interpolations (Roberts et al. 2018, §5.2): how far each step is from the two ends, and what
it costs under an n-gram model of real music, beside the same for a mix in data space.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.evaluation.ngram import NGram

Tokens = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]


def distance(one: Tokens, other: Tokens) -> Floats:
    """Share of differing tokens (normalised Hamming distance) of windows [..., T, V]: [...], 0 … 1."""
    return np.asarray((one != other).mean((-2, -1)), np.float64)


def distance_from(end: Tokens, paths: Tokens) -> Floats:
    """Mean distance of each step from `end` [N, T, V], which is one of the two tunes asked for: [S]."""
    return (
        np.asarray(distance(paths, end[:, None]).mean(0), np.float64) if len(paths) else np.full(paths.shape[1], np.nan)
    )


def jumps(paths: Tokens) -> Floats:
    """Of each path, the largest distance between neighbours over that of an even split of the way from end to end: [N].

    At least 1; 1 where each step brings the same amount of change and none is undone; NaN where the two ends are equal.
    """
    neighbours = distance(paths[:, 1:], paths[:, :-1])  # [N, S - 1]
    ends = distance(paths[:, 0], paths[:, -1])
    even = np.where(ends > 0, ends, np.nan) / neighbours.shape[1]
    return np.asarray(neighbours.max(1) / even, np.float64)


def mean_jump(found: Floats) -> float:
    """Mean of `jumps` over the pairs whose ends differ; NaN without any."""
    return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")


def costs(paths: Tokens, ngram: NGram) -> Floats:
    """Bits a token of every step of every path: [N, S]."""
    flat = paths.reshape(-1, *paths.shape[2:])
    return ngram.cost(flat).reshape(paths.shape[:2])


def middle(values: Floats) -> float:
    """Mean of the step in the middle of [S], or of the two if S is even."""
    return float(values[(len(values) - 1) // 2 : len(values) // 2 + 1].mean())


def mix(a: Tokens, b: Tokens, steps: int, random: np.random.Generator) -> Tokens:
    """The mix in data space, [N, S, T, V]: each token copied from b with probability t = 0 … 1, else from a.

    This is the baseline of MusicVAE's figure 4. What comes out need not be canonical.
    """
    t = np.linspace(0, 1, steps)[:, None, None]
    from_b = random.random((len(a), steps, *a.shape[1:])) < t
    return np.where(from_b, b[:, None], a[:, None])
