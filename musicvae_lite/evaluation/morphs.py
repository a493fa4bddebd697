"""Morphs between unseen tunes, made in bulk to be measured by `interpolation`: pairs of windows → paths [N, S, T, V].

How z becomes a path is an argument, a `DecodePath`, so that another spacing, line or decoder is measured by the same
yardstick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation import interpolation, ngram
from musicvae_lite.evaluation.heldout import sample_windows
from musicvae_lite.evaluation.ngram import NGram
from musicvae_lite.explore import walk as walks
from musicvae_lite.explore.walk import Spacing, walk
from musicvae_lite.inference.codec import Codec, Floats, Ints
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import Representation

STEPS = 8  # S
CHUNK = 512  # windows, of all steps together, walked to at a time

Tokens = NDArray[np.integer[Any]]
# z_a, z_b [B, Z], meter, what given voices play at both ends [2, B, T, V] → tokens int64 [B, S, T, V]
DecodePath = Callable[[Codec, Floats, Floats, Meter, Ints], Ints]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of windows of one meter: row i of `a` with row i of `b`, [N, T, V] each."""

    meter: Meter
    a: NDArray[np.int64]
    b: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Figures:
    """What one way of making paths scores; curves are by step [S], costs relative to real windows."""

    middle_cost: float
    largest_jump: float
    cost: NDArray[np.float64]
    from_a: NDArray[np.float64]
    from_b: NDArray[np.float64]


def decode_path(model: Codec, a: Floats, b: Floats, meter: Meter, given: Ints, spacing: Spacing) -> Ints:
    """The straight way from a to b [B, Z] as `musicvae interpolate` goes it, without refinement: [B, S, T, V]."""
    return walk(model, a, b, meter, STEPS, spacing, given=given).tokens.swapaxes(0, 1)


SPACINGS: Mapping[str, DecodePath] = {
    name: partial(decode_path, spacing=spacing) for name, spacing in walks.SPACINGS.items()
}
MIX = "data-space mix"


def pair(groups: Sequence[Windows], count: int, random: np.random.Generator) -> list[Pairs]:
    """About `count` pairs of different windows of one meter, each window in one pair at most, meters in proportion."""
    found = []
    for group in sample_windows(groups, 2 * count):
        rows = random.permutation(len(group))[: len(group) // 2 * 2]
        tokens = group.tokens[rows].astype(np.int64)
        if len(rows):
            found.append(Pairs(group.meter, tokens[::2], tokens[1::2]))
    return found


def decode(model: Codec, pairs: Pairs, path: DecodePath) -> NDArray[np.int64]:
    """The paths [N, S, T, V] between the posterior means of each pair."""
    paths = []
    for start in range(0, len(pairs.a), CHUNK // STEPS):
        given = np.stack([end[start : start + CHUNK // STEPS] for end in (pairs.a, pairs.b)])
        a, b = (model.encode(end, pairs.meter).mu for end in given)
        paths.append(path(model, a, b, pairs.meter, given))
    return np.concatenate(paths)


def measure(pairs: Sequence[Pairs], paths: Sequence[Tokens], of_music: NGram | None) -> Figures:
    """Figures over the pairs of all meters, `paths` [N, S, T, V] in their order; no costs without `of_music`."""
    cost = np.full(paths[0].shape[1], np.nan)
    if of_music is not None:
        real = np.concatenate([of_music.cost(np.concatenate([p.a, p.b])) for p in pairs]).mean()
        cost = np.concatenate([interpolation.costs(path, of_music) for path in paths]).mean(0) / real
    jumps = np.concatenate([interpolation.jumps(path) for path in paths])
    weights = np.array([len(path) for path in paths], float)
    from_a, from_b = (
        np.average([interpolation.distance_from(end, path) for end, path in zip(ends, paths, strict=True)], 0, weights)
        for ends in ([p.a for p in pairs], [p.b for p in pairs])
    )
    return Figures(interpolation.middle(cost), interpolation.mean_jump(jumps), cost, from_a, from_b)


def compare(
    model: Codec,
    pairs: Sequence[Pairs],
    of_music: NGram | None,
    random: np.random.Generator,
    spacings: Mapping[str, DecodePath] = SPACINGS,
) -> dict[str, Figures]:
    """`Figures` of every spacing and of the data-space mix, by name; empty without pairs."""
    if not pairs:
        return {}
    ways = {name: partial(decode, model, path=path) for name, path in spacings.items()}
    figures = {name: measure(pairs, [way(each) for each in pairs], of_music) for name, way in ways.items()}
    mixes = [interpolation.mix(each.a, each.b, STEPS, random) for each in pairs]
    return figures | {MIX: measure(pairs, mixes, of_music)}


def apart(
    windows: Sequence[Windows], others: Sequence[Windows], form: Representation
) -> tuple[list[Windows], NGram | None]:
    """Windows to make pairs of, and the n-gram model of the rest of the folder, with no piece on both sides.

    At most half of the pieces are taken for pairs, so that there is music left to learn what is usual. None if no other
    piece remains.
    """
    pieces = np.unique(np.concatenate([group.piece for group in (*windows, *others)]))
    mine = np.unique(np.concatenate([group.piece for group in windows]))[: max(1, len(pieces) // 2)]
    for_pairs = [group.select(np.isin(group.piece, mine)) for group in windows]
    rest = [group.tokens[~np.isin(group.piece, mine)] for group in (*windows, *others)]
    learned = ngram.fit([tokens for tokens in rest if len(tokens)], form) if any(map(len, rest)) else None
    return [group for group in for_pairs if len(group)], learned
