"""What a trained model is given to take along: where its latents lie, and which windows it has seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation.unseen import TRAINED_ON, remember
from musicvae_lite.model.density import fit
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.tokens import representation

Keep = Callable[[MusicVAE, Sequence[Windows], int], Mapping[str, Tensor]]  # (model, training windows, seed) → tensors


def keepsakes(model: MusicVAE, groups: Sequence[Windows], seed: int) -> dict[str, Tensor]:
    """For `Checkpoint.extra`: the latent density fitted to the training windows, and their fingerprints."""
    form = representation(model.config.representation)
    density = {name: torch.from_numpy(array) for name, array in fit(model, groups, seed=seed).to_arrays().items()}
    return {TRAINED_ON: remember(groups, form), **density}
