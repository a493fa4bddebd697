"""What the vectors of related tokens have in common: of the same stroke, as loud, as late.

A groove has thousands of tokens (each way to play each drum), most of which training seldom sees, and what it learns
about one way to play a snare holds for the others. So a token's vector, where it is read and where it is written, is
the sum of one of its own and of those that it shares with its kin: a row each for the stroke, its velocity and its
offset. It is for training: `MusicVAE.folded` adds the sums up, and what is left is a model without it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from musicvae_lite.tokens import Representation


class Kinship(nn.Module):
    """[V, K, D]: the shared part of each token's vector."""

    rows: Tensor  # int64 [K, 3]: of the stroke, of the velocity, of the offset

    def __init__(self, form: Representation, size: int, spread: float) -> None:
        super().__init__()
        columns = (form.STIFF, form.TOUCH[:, 0], form.TOUCH[:, 1])
        found = [np.unique(column, return_inverse=True) for column in columns]
        counts = [len(values) for values, _ in found]
        rows = [
            inverse.reshape(-1) + first for (_, inverse), first in zip(found, np.cumsum([0, *counts]), strict=False)
        ]
        self.register_buffer("rows", torch.from_numpy(np.stack(rows, 1)), persistent=False)
        self.table = nn.Parameter(spread * torch.randn(form.VOICES, sum(counts), size))

    def forward(self) -> Tensor:
        """The sums, [V, K, D]."""
        return self.table[:, self.rows].sum(-2)
