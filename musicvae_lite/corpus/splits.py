"""Which pieces are held out, and which windows are the same music: decided by content, never by name or order.

Two windows are the same if one is a transposition of the other. Held-out means: of another tune, and not a window that
occurs in training in any key. Tunes that begin alike (`tune_id`) are one tune: they stay on one side.

A folder may bring an official split: a .csv file with the columns `midi_filename` (paths from its own folder) and
`split`, as the Groove MIDI Dataset, E-GMD and MAESTRO have. Then its test files are held out and no others; its
validation files are neither held out nor trained on, so that they stay new to the model.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.corpus.windows import Windows, join
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.tokens import Representation, Tokens

HELD_OUT_SHARE = 0.05
INCIPIT_QUARTERS = 16
REPEATED = "the same as another window in some key"
LEAKED = "held out, but also in training in some key"
VALIDATION = "validation in the official split: not trained on, nor held out"
TRAIN_SIDE, TEST_SIDE, VALIDATION_SIDE = "train", "test", "validation"
SIDES = (TRAIN_SIDE, TEST_SIDE, VALIDATION_SIDE)
FILE_COLUMN, SPLIT_COLUMN = "midi_filename", "split"
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


def split_tables(folder: Path, files: Sequence[str]) -> tuple[str, ...]:
    """The tables of official splits in `folder` and in the folders on the way to `files`, relative to it and sorted."""
    folders = {parent for file in files for parent in Path(file).parents}
    tables = (table for each in folders for table in (folder / each).glob("*.csv") if _is_split_table(table))
    return tuple(sorted(os.path.relpath(table, folder) for table in tables))


def official_sides(folder: Path, tables: Sequence[str]) -> dict[str, str]:
    """File (relative to `folder`) → its side, one of `SIDES`; any other in a table is a `MusicVAEError`."""
    sides: dict[str, str] = {}
    for table in tables:
        for row in _rows(folder / table):
            side = row[SPLIT_COLUMN].strip().lower()
            if side not in SIDES:
                raise MusicVAEError(f"{folder / table}: a split {side!r}: expected one of {', '.join(SIDES)}")
            sides[os.path.normpath(Path(table).parent / row[FILE_COLUMN])] = side
    return sides


def held_out_pieces(tunes: Mapping[str, str], sides: Mapping[str, str]) -> dict[str, bool]:
    """Which files (path → tune) are held out: the test ones of the official `sides`; of all others, as `hold_out`."""
    free = [path for path in tunes if path not in sides]
    chosen = dict(zip(free, hold_out([tunes[path] for path in free]).tolist(), strict=True))
    return {path: chosen[path] if path in chosen else sides[path] == TEST_SIDE for path in tunes}


def may_be_lent(path: str, sides: Mapping[str, str]) -> bool:
    """Whether the voices of a file may be learned from: not if an official split has it for something else."""
    return sides.get(path, TRAIN_SIDE) == TRAIN_SIDE


def _is_split_table(path: Path) -> bool:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return {FILE_COLUMN, SPLIT_COLUMN} <= set(next(csv.reader(file), ()))


def _rows(table: Path) -> list[dict[str, str]]:
    """Rows that name a file: some have audio only."""
    with table.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return [row for row in csv.DictReader(file) if row[FILE_COLUMN] and row[SPLIT_COLUMN]]


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
