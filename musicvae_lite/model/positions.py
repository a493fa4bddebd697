"""Where a step stands in the meter, and what of z it sees there.

Counting steps and routing each part of z to its place is what a plain LSTM decoder spends most of its training on.
Both are known beforehand, so the model is told: every step's place in the meter is an input, and every place looks at z
through a matrix of its own. Tables are by **step in the bar** and by **number of the bar**, factored: any meter can use
them, and a longer window adds a row for each bar, none for its steps. Steps past a table's end share its last row.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from musicvae_lite.music.notes import Meter

NUMERATORS = 33
DENOMINATORS = 7  # 1, 2, 4, … 64


class MetricalPositions(nn.Module):
    """The sum of four embeddings: step in the bar, number of the bar, numerator, denominator. [n·S, D]."""

    def __init__(self, bar_positions: int, bars: int, size: int) -> None:
        super().__init__()
        self.step = nn.Embedding(bar_positions, size)
        self.bar = nn.Embedding(bars, size)
        self.numerator = nn.Embedding(NUMERATORS, size)
        self.denominator = nn.Embedding(DENOMINATORS, size)
        for table in (self.step, self.bar, self.numerator, self.denominator):
            # A meter, a bar or a step that training never saw adds nothing.
            nn.init.zeros_(table.weight)

    def forward(self, meter: Meter, bars: int, bar_steps: int) -> Tensor:
        """[T, D] for `bars` bars of `bar_steps` steps, T = bars · bar_steps."""
        step, bar = first(self.step.weight, bar_steps), first(self.bar.weight, bars)
        numerator = self.numerator.weight[min(meter.numerator, NUMERATORS - 1)]
        denominator = self.denominator.weight[min(meter.denominator.bit_length() - 1, DENOMINATORS - 1)]
        return torch.flatten(bar[:, None] + (step + numerator + denominator)[None], 0, 1)


class Views(nn.Module):
    """What each position sees of z: V(b, s) z = A_s C_b z, with C_b [R, Z] by bar and A_s [D, R] by step in the bar.

    With several `shares` z is as many parts [W, Z/W], one for so many bars each, and a bar sees its own; C_b is then
    [R, Z/W].
    """

    def __init__(self, bar_positions: int, bars: int, latent: int, rank: int, size: int, shares: int = 1) -> None:
        super().__init__()
        self.shares = shares
        self.by_bar = nn.Parameter(torch.randn(bars, latent // shares, rank) * (latent // shares) ** -0.5)
        self.by_step = nn.Parameter(torch.zeros(bar_positions, rank, size))

    def forward(self, z: Tensor, bars: int, bar_steps: int) -> Tensor:
        """[B, T, D] of z [B, Z]."""
        by_bar, by_step = first(self.by_bar, bars), first(self.by_step, bar_steps)
        parts, own = z.unflatten(1, (self.shares, -1)), by_bar.unflatten(0, (self.shares, -1))
        seen = torch.einsum("bwz,wnzr->bwnr", parts, own).flatten(1, 2)
        return torch.einsum("bnr,srd->bnsd", seen, by_step).flatten(1, 2)

    def gather(self, states: Tensor, bars: int, bar_steps: int) -> Tensor:
        """[B, Z] of states [B, T, D]: the transposed map, Σ over positions of C_bᵀ A_sᵀ states(b, s).

        Of several shares the first halves come first, and then the second halves: mu of all of them, and the widths.
        """
        by_bar, by_step = first(self.by_bar, bars), first(self.by_step, bar_steps)
        # Two plain products. As einsum("bnsd,srd->bnr") it is a small one for each step, summed: half as fast.
        parts = states.reshape(len(states) * bars, -1) @ by_step.transpose(0, 1).flatten(1).t()  # [B·n, R]
        if self.shares == 1:
            return parts.view(len(states), -1) @ by_bar.transpose(1, 2).flatten(0, 1)
        own = by_bar.unflatten(0, (self.shares, -1)).transpose(2, 3).flatten(1, 2)  # [W, n/W·R, Z/W]
        found = torch.einsum("bwr,wrz->bwz", parts.view(len(states), self.shares, -1), own)
        return torch.flatten(found.unflatten(2, (2, -1)).transpose(1, 2), 1)


def first(table: Tensor, count: int) -> Tensor:
    """The first `count` rows of a table; those past its end are its last one again. A view where it can be."""
    missing = count - len(table)
    if missing <= 0:
        return table[:count]
    return torch.cat([table, table[-1:].expand(missing, *table.shape[1:])])
