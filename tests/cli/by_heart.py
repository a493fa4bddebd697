"""A tiny model that knows the first two bars of a few songs by heart, and 4/4 only: for tests of the commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from musicvae_lite.corpus.clip import cut_clip
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.density import Density
from musicvae_lite.model.checkpoint import Checkpoint, save
from musicvae_lite.model.density import kept
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.objective import cross_entropy
from musicvae_lite.model.threads import one_thread
from musicvae_lite.music.notes import COMMON_TIME, Song
from musicvae_lite.tokens import representation

MOST_STEPS, ENOUGH = 600, 0.6  # nats a window


def learn_by_heart(songs: Sequence[Song], config: Config, file: Path) -> str:
    """Write such a model into `file`; its path as text."""
    torch.manual_seed(0)
    model, form = MusicVAE(config), representation(config.representation)
    clips = [cut_clip(song, form, config.steps_per_quarter, config.bars) for song in songs]
    windows = torch.cat([torch.from_numpy(clip.windows) for clip in clips])
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    with one_thread():
        for _ in range(MOST_STEPS):
            mu = model.encode(windows, COMMON_TIME).mu
            loss = cross_entropy(model.logits(mu, windows, COMMON_TIME), windows).mean() + mu.square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if loss < ENOUGH:
                break
    size = config.latent
    density = Density((COMMON_TIME,), np.zeros((1, 1)), np.zeros((1, size)), np.eye(size)[None])
    save(Checkpoint(model.eval(), {}, kept(density)), file)
    return str(file)
