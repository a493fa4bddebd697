"""What was played at the same place some bars ago, heard again at each step.

Music repeats itself by bars, and an LSTM finds it hard to carry sixteen steps, or a hundred, from one time to the next.
So a step hears, besides the token before it, what was played at its own place 1, 2, 4, … bars ago (the events of
Magenta's Lookback RNN: Waite 2016, "Generating Long-Term Structure in Songs and Stories"); z then need not say again
what a song does again. Of the same tokens the same vectors are heard, each distance through a matrix of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Lookback(nn.Module):
    """The vectors of what was played 1, 2, 4, … bars ago, summed over `distances` such distances."""

    def __init__(self, distances: int, size: int) -> None:
        super().__init__()
        self.ways = nn.ModuleList(nn.Linear(size, size, bias=False) for _ in range(distances))
        for way in self.ways:
            nn.init.zeros_(way.get_parameter("weight"))  # a distance that training never saw adds nothing

    def forward(self, heard: Tensor, bar_steps: int) -> Tensor:
        """[B, T, D] of the vectors that are heard, [B, T, D], each that of the token *before* its step."""
        found = torch.zeros_like(heard)
        for distance, way in enumerate(self.ways):
            ago = bar_steps << distance
            if ago < heard.shape[1]:
                found[:, ago:] += way(heard[:, 1 : heard.shape[1] - ago + 1])
        return found

    def at(self, heard: Sequence[Tensor], bar_steps: int) -> Tensor:
        """[B, D] for the last step of `heard`, [B, D] each."""
        found, t = torch.zeros_like(heard[-1]), len(heard) - 1
        for distance, way in enumerate(self.ways):
            ago = bar_steps << distance
            if ago <= t:
                found = found + way(heard[t - ago + 1])
        return found
