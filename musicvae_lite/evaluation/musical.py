"""Are samples like the corpus, and not copied from it? Functions of tokens [N, T, V] and of descriptor values [N].

Distributions of descriptors are compared by their overlapping area (Yang & Lerch 2018, "On the evaluation of
generative models in music", Neural Computing and Applications 32, §3). They smooth with kernels and compare distances
between pieces; here the descriptors themselves are compared, over a histogram: most are shares with spikes at 0 and
1, which a kernel smears over the edge. A corpus compared with itself (two halves) says what a perfect model would
score with as many windows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.music.descriptors import Frame
from musicvae_lite.tokens import Representation

BINS = 20
TAIL = 0.5  # percent of the reference beyond either end of the evenly spaced bins
SEMITONES_DOWN, SEMITONES_UP = 6, 5  # an octave of keys

Tokens = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
Values = Mapping[str, Floats]  # descriptor → [N], NaN where a window has no such value


def descriptors(tokens: Tokens, frame: Frame, representation: Representation) -> dict[str, Floats]:
    """The representation's descriptors of each window of [N, T, V]: name → [N]; NaN where one is undefined."""
    notes = [representation.decode(window) for window in tokens]
    return {
        name: np.array([function(each, frame) for each in notes], np.float64)
        for name, function in representation.DESCRIPTORS.items()
    }


def pool(parts: Sequence[Values]) -> dict[str, Floats]:
    """Values of several groups of windows, one behind the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}


def in_any_key(tokens: Tokens, representation: Representation, random: np.random.Generator) -> Tokens:
    """Each window of [N, T, V] moved by −6 … 5 semitones at random, as far as the notes of MIDI allow.

    A model that was trained in all keys is not to be blamed for the keys of a corpus; both sides of a comparison pass
    here.
    """
    values = np.asarray(tokens).astype(np.int64)
    down, up = representation.headroom(values)
    shift = random.integers(np.maximum(down, -SEMITONES_DOWN), np.minimum(up, SEMITONES_UP) + 1)
    return representation.transpose(values, shift)


def bin_edges(reference: Floats) -> Floats:
    """Edges of `BINS` bins of equal width over all but the tails of `reference`; below and above are two more bins.

    Where the reference is one value, its bin holds that value only. No edges if all values are undefined.
    """
    known = reference[~np.isnan(reference)]
    if not len(known):
        return np.empty(0)
    low, high = np.percentile(known, [TAIL, 100 - TAIL])
    starts = np.linspace(low, high, BINS, endpoint=False) if high > low else np.array([low])
    return np.append(starts, np.nextafter(high, np.inf))  # the last bin holds its upper end


def histogram(values: Floats, edges: Floats) -> Floats:
    """Share of `values` below the edges, between each two, above them, and undefined: [edges + 2], sum 1."""
    known = values[~np.isnan(values)]
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return np.append(counts, len(values) - len(known)) / max(len(values), 1)


def overlap(values: Floats, reference: Floats) -> float:
    """Overlapping area Σ min(p, q) of the histograms of two sets of values: 0 … 1, 1 for equal distributions.

    Bins follow from `reference`. Undefined values are an outcome like others: a sample without an interval is unlike a
    corpus in which every window has one. NaN if either set is empty or the reference is undefined throughout.
    """
    edges = bin_edges(reference)
    if not len(edges) or not len(values):
        return float("nan")
    return float(np.minimum(histogram(values, edges), histogram(reference, edges)).sum())


def overlaps(values: Values, reference: Values) -> dict[str, float]:
    """`overlap` of each descriptor."""
    return {name: overlap(values[name], reference[name]) for name in reference if name in values}


def mean_overlap(by_descriptor: Mapping[str, float]) -> float:
    """Mean over the descriptors that are defined; NaN if none is."""
    known = [value for value in by_descriptor.values() if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def with_itself(values: Values, random: np.random.Generator) -> float:
    """`mean_overlap` of one random half with the other: what a perfect model could score with so few windows."""
    count = len(next(iter(values.values()), ()))
    order = random.permutation(count)
    one, other = order[: count // 2], order[count // 2 :]
    return mean_overlap(overlaps({n: v[one] for n, v in values.items()}, {n: v[other] for n, v in values.items()}))


def copies(fingerprints: NDArray[np.uint64], known: NDArray[np.uint64]) -> float:
    """Share of windows that are among the `known` ones in any key, by `corpus.splits.fingerprints`; NaN without any."""
    return float(np.isin(fingerprints, known).mean()) if len(fingerprints) else float("nan")
