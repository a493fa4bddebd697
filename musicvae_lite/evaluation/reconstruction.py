"""Does a window come back? Functions of tokens, int64 or uint8 [N, T, V], truth first.

Some 60–70 % of melody tokens are "hold", so every accuracy here is read beside two controls: what a constant answer
scores, and what the same model scores with z shuffled among the windows (it must fall to the constant's, or z is
ignored).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.music.grid import GridNotes
from musicvae_lite.tokens import Representation

Tokens = NDArray[np.integer[Any]]


def token_accuracy(truth: Tokens, decoded: Tokens) -> float:
    """Share of equal tokens (Roberts et al. 2018, table 1); NaN without tokens."""
    return float((truth == decoded).mean()) if truth.size else float("nan")


def constant_accuracy(truth: Tokens) -> float:
    """Token accuracy of the best constant answer: the share of each voice's commonest token."""
    if not truth.size:
        return float("nan")
    return float(np.mean([np.bincount(voice.ravel()).max() / voice.size for voice in np.moveaxis(truth, -1, 0)]))


def exact(truth: Tokens, decoded: Tokens) -> float:
    """Share of windows reproduced token for token."""
    return float((truth == decoded).all((1, 2)).mean()) if truth.size else float("nan")


def onset_f1(truth: Tokens, decoded: Tokens, representation: Representation) -> float:
    """F1 of (step, pitch) onsets over all windows (mir_eval's onset and pitch match, on a grid); NaN without onsets.

    Of drums, each one struck at a step is an onset of its own.
    """
    right = int(representation.common(truth, decoded).sum())
    total = int(representation.content(truth).sum() + representation.content(decoded).sum())
    return 2 * right / total if total else float("nan")


def predicted(tokens: Tokens, representation: Representation) -> Tokens:
    """Tokens [N, T, P] of [N, T, V] without the voices that a model is given: nothing to be right about."""
    return tokens[..., ~representation.GIVEN]


def alone(tokens: Tokens, voice: int, representation: Representation) -> Tokens:
    """Tokens [N, T, V] with all voices silent but one."""
    silence = representation.encode(GridNotes.joined([]), tokens.shape[1])  # [T, V]
    return np.where(np.arange(tokens.shape[-1]) == voice, tokens, silence)
