"""The model: tokens [B, T, V] → Posterior → z [B, Z] → tokens (Roberts et al. 2018, arXiv 1803.05428)."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from musicvae_lite.inference.config import Config
from musicvae_lite.model.conductor import HierarchicalDecoder
from musicvae_lite.model.decoder import Decoder
from musicvae_lite.model.encoder import TokenEmbedding, encoder
from musicvae_lite.model.ensemble import flat
from musicvae_lite.model.playing import Pick, Pull
from musicvae_lite.model.posterior import Posterior
from musicvae_lite.music.grid import bar_steps
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import representation


class MusicVAE(nn.Module):
    """A sequence VAE for windows of `config.bars` bars in any meter."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config, self.voices = config, representation(config.representation).VOICES
        self.encoder = encoder(config)
        self.decoder = HierarchicalDecoder(config) if config.conductor_hidden else flat(config)

    def encode(self, tokens: Tensor, meter: Meter) -> Posterior:
        """The posterior of int64 tokens [B, T, V]; T must be `config.bars` bars of `meter`."""
        self._check(tokens, meter)
        posterior: Posterior = self.encoder(tokens, meter)
        return posterior

    def logits(
        self,
        z: Tensor,
        tokens: Tensor,
        meter: Meter,
        token_dropout: float = 0.0,
        generator: torch.Generator | None = None,
        level: Tensor | None = None,
        heard: Tensor | None = None,
    ) -> Tensor:
        """Teacher-forced logits [B, T, V, K] of tokens [B, T, V] given z [B, Z].

        `token_dropout` hides that share of the tokens from the decoder, which then has to ask z (Bowman et al. 2016,
        §3.1); `heard` [B, T, V] are what it takes the tokens for, if not for what they are.
        """
        self._check(tokens, meter)
        logits: Tensor = self.decoder(z, tokens, meter, token_dropout, generator, level, heard=heard)
        return logits

    def decode(
        self,
        z: Tensor,
        meter: Meter,
        temperature: float = 0.0,
        generator: torch.Generator | None = None,
        pull: Pull | None = None,
        level: Tensor | None = None,
        given: Tensor | None = None,
        picked: Pick | None = None,
    ) -> Tensor:
        """Canonical int64 tokens [B, T, V] of z [B, Z], free-running, leaning towards the tunes of `pull`.

        Voices that are given, as chords are, play what they play in `given` [B, T, V]; without it, their token 0. With
        `picked` it says which token is taken at each step, and temperature and pull are not asked.
        """
        steps = bar_steps(meter, self.config.steps_per_quarter)
        return self.decoder.decode(z, meter, steps, temperature, generator, pull, level, given, picked)

    def folded(self) -> MusicVAE:
        """The same model without `config.kinship`: what related tokens have in common added to each; itself if so."""
        if not self.config.kinship:
            return self
        tensors = self.state_dict()
        for name, module in self.named_modules():
            if isinstance(module, TokenEmbedding | Decoder):
                tensors[f"{name}.{module.SHARING}"] = module.whole()
                del tensors[f"{name}.kin.table"]
        plain = MusicVAE(replace(self.config, kinship=False)).to(next(self.parameters()).device)
        plain.load_state_dict(tensors)
        return plain.train(self.training)

    def _check(self, tokens: Tensor, meter: Meter) -> None:
        # Too few voices would be broadcast, and a part of a bar be read as a shorter bar: wrong without a word.
        expected = (self.config.bars * bar_steps(meter, self.config.steps_per_quarter), self.voices)
        if tuple(tokens.shape[1:]) != expected:
            got = tuple(tokens.shape[1:])
            raise ValueError(f"got tokens of [T, V] {got}, expected {expected}: {self.config.bars} bars of {meter}")
