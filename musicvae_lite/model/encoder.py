"""Tokens [B, T, V] → Posterior(mu, sigma), each [B, Z]: bidirectional LSTMs (Roberts et al. 2018, eq. 6).

The original reads the two final states. Here every step is read, through the transposed views of its position, so that
each part of the window has its own way into z; without views the states are averaged.

Several voices may have an encoder each, which reads its voice alone and writes its own share of z: how a voice is read
then does not depend on what others play beside it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musicvae_lite.inference.config import Config
from musicvae_lite.model.kinship import Kinship
from musicvae_lite.model.positions import MetricalPositions, Views
from musicvae_lite.model.posterior import Posterior
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import Representation, read_by, representation, words

EMBEDDED, OWN = 0.5, 0.1  # at first, the spread of what related tokens have in common, and of what is their own


class Encoder(nn.Module):
    """q(z | x); with `part` the share of z of that predicted voice, which with given voices is all that it reads."""

    def __init__(self, config: Config, part: int | None = None) -> None:
        super().__init__()
        rep = representation(config.representation)
        self.bars, latent = config.bars, config.share(part)
        kin = Kinship(rep, config.embedding, EMBEDDED) if config.kinship else None
        self.embedding = TokenEmbedding(rep, config.embedding, kin, None if part is None else read_by(rep, part))
        self.positions: MetricalPositions | None = None
        if config.metrical_positions:
            self.positions = MetricalPositions(config.bar_positions, config.bars, config.embedding)
        self.lstm = nn.LSTM(config.embedding, config.encoder_hidden, batch_first=True, bidirectional=True)
        self.average = nn.Linear(2 * config.encoder_hidden, 2 * latent)
        self.views: Views | None = None
        if config.view_rank:
            sizes = (config.bar_positions, config.bars, 2 * latent, config.view_rank, 2 * config.encoder_hidden)
            self.views = Views(*sizes, config.shares)

    def forward(self, tokens: Tensor, meter: Meter) -> Posterior:
        """The posterior of tokens int64 [B, T, V], T a whole number of bars of `meter`."""
        bar_steps = tokens.shape[1] // self.bars
        x = self.embedding(tokens)  # [B, T, E]
        if self.positions is not None:
            x = x + self.positions(meter, self.bars, bar_steps)
        states, _ = self.lstm(x)  # [B, T, 2H]
        read = self.average(states.mean(1))  # [B, 2Z]
        if self.views is not None:
            read = read + self.views.gather(states, self.bars, bar_steps)
        mu, width = read.float().chunk(2, -1)
        return Posterior(mu, F.softplus(width) + 1e-4)


class EncoderEnsemble(nn.Module):
    """q(z | x), the same to its users as `Encoder`: one for each predicted voice, their shares of z side by side."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.parts = nn.ModuleList(Encoder(config, part) for part in range(config.predicted))

    def forward(self, tokens: Tensor, meter: Meter) -> Posterior:
        """The posterior of tokens int64 [B, T, V], T a whole number of bars of `meter`."""
        shares: list[Posterior] = [part(tokens, meter) for part in self.parts]
        return Posterior(torch.cat([each.mu for each in shares], -1), torch.cat([each.sigma for each in shares], -1))


class TokenEmbedding(nn.Module):
    """int64 [..., V] → [..., E]: the sum of one embedding a voice; index K is the start of a sequence.

    A voice with fewer words than K has as many rows, and one for the start.
    """

    SHARING = "table.weight"  # what `kin` adds to
    offset: Tensor  # the first row of each voice that is read …
    last: Tensor  # … and its start's place among them

    def __init__(
        self, form: Representation, size: int, kin: Kinship | None = None, voices: list[int] | None = None
    ) -> None:
        """Of all voices, or of these alone."""
        super().__init__()
        self.voices = list(range(form.VOICES)) if voices is None else voices
        last = torch.tensor([words(form, voice) for voice in self.voices])
        self.kin = kin
        self.table = nn.Embedding(int((last + 1).sum()), size)
        if kin is not None:
            nn.init.normal_(self.table.weight, std=OWN)
        self.register_buffer("last", last, persistent=False)
        self.register_buffer("offset", torch.cumsum(last + 1, 0) - last - 1, persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """[..., E] of int64 [..., V]."""
        read = torch.minimum(tokens[..., self.voices], self.last)
        return F.embedding(read + self.offset, self.whole()).sum(-2)

    def whole(self) -> Tensor:
        """The vectors [Σ (words + 1), E], with what kin have in common; a start has none."""
        if self.kin is None:
            return self.table.weight
        return self.table.weight + F.pad(self.kin()[self.voices], (0, 0, 0, 1)).flatten(0, 1)


def encoder(config: Config) -> Encoder | EncoderEnsemble:
    """The encoder that a config asks for."""
    return EncoderEnsemble(config) if config.encoder_per_voice else Encoder(config)
