"""What a trained model is given to take along: where its latents lie, and which windows it has seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation.unseen import TRAINED_ON, remember
from musicvae_lite.model.density import fit, kept
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.tokens import representation

Keep = Callable[[MusicVAE, Sequence[Windows], int], Mapping[str, Tensor]]  # (model, training windows, seed) → tensors


def keepsakes(model: MusicVAE, groups: Sequence[Windows], seed: int) -> dict[str, Tensor]:
    """For `Checkpoint.extra`: the latent density fitted to the training windows, and their fingerprints."""
    form = representation(model.config.representation)
    return {TRAINED_ON: remember(groups, form), **kept(fit(model, groups, seed=seed))}
