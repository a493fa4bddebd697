"""What a decoder hears in training in place of the true tokens, so that it learns to go on from a mistake.

Given the truth at every step it never hears what it will hear when it runs free: its own mistakes. Some of the tokens
are therefore those of another window, or drawn by the decoder itself, all steps at once, from what it expects after the
truth (parallel scheduled sampling: Duckworth et al. 2019, arXiv 1906.04331). Either way it learns to ask z.
"""

from __future__ import annotations

import torch
from torch import Tensor

from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.notes import Meter


def swapped(tokens: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Tokens [B, T, V] of which a `share` are those of the window before, at the same step."""
    return _some(tokens, tokens.roll(1, 0), share, generator)


@torch.no_grad()
def redrawn(
    model: MusicVAE,
    z: Tensor,
    tokens: Tensor,
    meter: Meter,
    level: Tensor | None,
    share: float,
    generator: torch.Generator,
) -> Tensor:
    """Tokens [B, T, V] of which a `share` are drawn at temperature 1 from what the model expects there, given the rest.

    They may be against the grammar, which is no matter to one who hears them.
    """
    chances = torch.softmax(model.logits(z, tokens, meter, level=level).float(), -1).cumsum(-1)
    point = torch.rand(tokens.shape, generator=generator, device=tokens.device)
    drawn = (chances < point[..., None] * chances[..., -1:]).sum(-1)
    return _some(tokens, drawn, share, generator)


def _some(tokens: Tensor, others: Tensor, share: float, generator: torch.Generator) -> Tensor:
    chosen = torch.rand(tokens.shape, generator=generator, device=tokens.device) < share
    return torch.where(chosen, others, tokens)
