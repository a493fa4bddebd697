"""Which pieces are held out, and which windows are the same music: decided by content, never by name or order.

Two windows are the same if one is a transposition of the other. Held-out means: of another tune, and not a window that
occurs in training in any key. Tunes that begin alike (`tune_id`) are one tune: they stay on one side.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.corpus.windows import Windows, join
from musicvae_lite.tokens import Representation, Tokens

HELD_OUT_SHARE = 0.05
INCIPIT_QUARTERS = 16
REPEATED = "the same as another window in some key"
LEAKED = "held out, but also in training in some key"
BLOCK = 1 << 16  # windows whose fingerprints are computed at once: bounds the memory for int64 copies


def tune_id(tokens: Tokens, steps_per_quarter: int, representation: Representation) -> str:
    """The same text for tunes whose first `INCIPIT_QUARTERS` from the first onset on are equal in any key.

    `tokens` [T, V] hold at least one onset.
    """
    first = int(np.argmax(representation.content(np.asarray(tokens)[:, None, :]) > 0))
    steps = INCIPIT_QUARTERS * steps_per_quarter
    incipit = representation.window(tokens[first : first + steps], 0, steps)
    return digest(representation.without_key(incipit[None]))


def digest(*arrays: Tokens) -> str:
    """A short text that is the same for equal arrays, on every machine."""
    state = hashlib.blake2b(digest_size=12)
    for array in arrays:
        state.update(np.asarray(array, "<i8").tobytes() + b"|")
    return state.hexdigest()


def fingerprints(tokens: Tokens, representation: Representation) -> NDArray[np.uint64]:
    """One number [N] for each window of [N, T, V]: equal for transpositions of each other.

    Windows are multiplied with fixed random odd numbers, modulo 2⁶⁴. Two different windows share a number with a
    probability below 2⁻⁵⁴ (ten million windows: one wrongly dropped, once in some 300 corpora).
    """
    flat = np.prod(tokens.shape[1:], dtype=int)
    factors = np.random.default_rng(0).integers(1 << 63, size=int(flat), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    blocks = (tokens[start : start + BLOCK] for start in range(0, len(tokens), BLOCK))
    numbers = [representation.without_key(b).reshape(len(b), -1).astype(np.uint64) @ factors for b in blocks]
    return np.concatenate([np.empty(0, np.uint64), *numbers])


def hold_out(tunes: Sequence[str], share: float = HELD_OUT_SHARE) -> NDArray[np.bool_]:
    """Which pieces [P] are held out: about `share` of them, whole tunes, and at least one if there are two tunes.

    Depends on the tunes only, not on their order: they are taken by their ids, and one with too many pieces is passed
    over.
    """
    sizes = Counter(tunes)
    wanted = max(1, round(share * len(tunes)))
    taken: set[str] = set()
    if len(sizes) > 1:
        for tune in sorted(sizes):
            if sizes[tune] <= wanted:
                taken.add(tune)
                wanted -= sizes[tune]
        taken = taken or {min(sizes, key=lambda tune: (sizes[tune], tune))}
    return np.array([tune in taken for tune in tunes], bool)


def split(
    groups: Sequence[Windows], held_out: NDArray[np.bool_], representation: Representation
) -> tuple[tuple[Windows, ...], tuple[Windows, ...], Counter[str]]:
    """Distinct windows for training, those held out (each as `join` has them), how many were left out for each reason.

    `groups` have one meter each; of equal windows the first one stays. `held_out` [P] is asked by `Windows.piece`.
    """
    sides: dict[bool, list[tuple[Windows, NDArray[np.uint64]]]] = {True: [], False: []}
    left_out = Counter[str]()
    for group in groups:
        numbers = fingerprints(group.tokens, representation)
        for side, found in sides.items():
            rows = np.flatnonzero(held_out[group.piece] == side)
            distinct = rows[np.sort(np.unique(numbers[rows], return_index=True)[1])]
            left_out[REPEATED] += len(rows) - len(distinct)
            found.append((group.select(distinct), numbers[distinct]))
    known = np.concatenate([np.empty(0, np.uint64), *(numbers for _, numbers in sides[False])])
    unseen = []
    for windows, numbers in sides[True]:
        new = ~np.isin(numbers, known)
        left_out[LEAKED] += int((~new).sum())
        unseen.append(windows.select(new))
    return join(windows for windows, _ in sides[False]), join(unseen), +left_out
