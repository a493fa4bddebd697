"""Which windows of a folder a model has not been trained on, in any key.

A checkpoint carries a fingerprint of every window it was trained on (eight bytes each, the same for transpositions),
so that this can be told for any folder, years later, without the training data; and so can whether a sample is a
copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicvae_lite.corpus.splits import fingerprints
from musicvae_lite.corpus.store import Corpus
from musicvae_lite.corpus.windows import Windows, join
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.model.checkpoint import Checkpoint
from musicvae_lite.tokens import Representation, representation

TRAINED_ON = "training.windows"  # of Checkpoint.extra

Fingerprints = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Chosen:
    """The windows to evaluate on, and what is known about all others."""

    windows: tuple[Windows, ...]
    others: tuple[Windows, ...]  # of the folder
    trained_on: Fingerprints | None  # None: the model does not say, and this folder is not what it was trained on
    how: str  # in words
    warning: str = ""


def remember(groups: Sequence[Windows], form: Representation) -> Tensor:
    """What goes into `Checkpoint.extra[TRAINED_ON]`: distinct fingerprints of all training windows, sorted, int64."""
    return torch.from_numpy(np.unique(_of(groups, form)).view(np.int64))


def remembered(checkpoint: Checkpoint) -> Fingerprints | None:
    """The fingerprints that `remember` made, or None if the checkpoint has none."""
    found = checkpoint.extra.get(TRAINED_ON)
    return None if found is None else found.cpu().numpy().view(np.uint64)


def choose(corpus: Corpus, checkpoint: Checkpoint, everything: bool = False) -> Chosen:
    """The windows of a folder that the model has not seen; with `everything`, all of them, seen or not.

    A model without fingerprints is taken to be trained on this folder: its held-out split is what remains. No
    windows, or none that the model has not seen, is a `MusicVAEError`.
    """
    form = representation(checkpoint.model.config.representation)
    all_windows, known = join((*corpus.train, *corpus.heldout)), remembered(checkpoint)
    if not all_windows:
        raise MusicVAEError(_nothing(corpus))
    if everything:
        return Chosen(all_windows, (), known, "all windows, seen in training or not")
    if known is None:
        how, warning = "the held-out split of this folder", _NO_FINGERPRINTS
        chosen = Chosen(corpus.heldout, corpus.train, _of(corpus.train, form), how, warning)
    else:
        new = [~np.isin(fingerprints(group.tokens, form), known) for group in all_windows]
        how = "windows that training did not have in any key"
        chosen = Chosen(_select(all_windows, new), _select(all_windows, [~rows for rows in new]), known, how)
    if not chosen.windows:
        count = sum(map(len, all_windows))
        raise MusicVAEError(
            f"none of the {count} windows is new to this model: give other music, or --all to use them all"
        )
    return chosen


_NO_FINGERPRINTS = (
    "this model does not say which windows it was trained on: the folder is split as for training, which holds for the "
    "folder that it was trained on only; for another one use --all"
)


def _of(groups: Sequence[Windows], form: Representation) -> Fingerprints:
    return np.concatenate([np.empty(0, np.uint64), *(fingerprints(group.tokens, form) for group in groups)])


def _select(groups: Sequence[Windows], rows: Sequence[NDArray[np.bool_]]) -> tuple[Windows, ...]:
    return tuple(group.select(mask) for group, mask in zip(groups, rows, strict=True) if mask.any())


def _nothing(corpus: Corpus) -> str:
    settings, reasons = corpus.settings, list(corpus.report.reasons.items())[:3]
    why = "; ".join(f"{count} × {reason}" for reason, count in reasons)
    grid = f"{settings.bars} bars at {settings.steps_per_quarter} steps a quarter"
    return f"no window of {grid} in {corpus.report.files} files ({why}): `musicvae check` tells more"
