"""Windows → batches: of one meter and length at a time, transposed afresh each time.

Batch number i is a function of (seed, i) and nothing else, so an interrupted run goes on with exactly the batches that
it would have drawn, and no generator's state is kept on disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import Representation, Tokens

LOWEST, HIGHEST = 21, 108  # the piano's keys: augmentation does not leave them


@dataclass(frozen=True, eq=False)
class Batch:
    """int64 tokens [B, T, V] in one meter: what is to be decoded, and what the encoder hears of it."""

    tokens: NDArray[np.int64]
    meter: Meter
    heard: NDArray[np.int64] | None = None  # None: all of it


class Batches:
    """Draws batches from groups of windows, each group as often as it has windows.

    `lent`, by voice, are further windows [N, T, 1] for voices that are mixed.
    """

    def __init__(
        self,
        groups: Sequence[Windows],
        representation: Representation,
        batch: int,
        transpose: int,
        seed: int,
        stiff_share: float = 0.0,
        mixed_share: float = 0.0,
        lent: Sequence[Sequence[Windows]] = (),
    ) -> None:
        total = enough(groups, batch)
        self.groups, self.representation = tuple(groups), representation
        self.batch, self.transpose, self.seed = batch, transpose, seed
        self.stiff_share, self.mixed_share = stiff_share, mixed_share
        self.lent = tuple({group.meter: group.tokens for group in voice} for voice in lent)
        self.shares = np.array([len(group.tokens) for group in groups]) / total

    def __getitem__(self, index: int) -> Batch:
        """Batch number `index`, 0 …; the same for the same seed."""
        random = np.random.default_rng((self.seed, index))
        group = self.groups[int(random.choice(len(self.groups), p=self.shares))]
        tokens = group.tokens[random.integers(0, len(group.tokens), self.batch)]
        played = self._transposed(self._mixed(tokens, group, random), random).astype(np.int64)
        return Batch(played, group.meter, self._stiffened(played, random))

    def _transposed(self, tokens: Tokens, random: np.random.Generator) -> Tokens:
        if not self.transpose:
            return tokens
        wide = tokens.astype(np.int64)
        down, up = self.representation.headroom(wide, LOWEST, HIGHEST)
        shifts = random.integers(np.maximum(down, -self.transpose), np.minimum(up, self.transpose) + 1)
        return self.representation.transpose(wide, shifts)

    def _mixed(self, tokens: Tokens, group: Windows, random: np.random.Generator) -> Tokens:
        """The windows, some with about half of their lanes from another: more music than there is, to learn from.

        A voice of the other window may be one that is lent, as there are more of these or of those.
        """
        if not self.mixed_share:
            return tokens
        mixed = random.random(len(tokens)) < self.mixed_share
        lanes = mixed[:, None] & (random.random((len(tokens), self.representation.LANES)) < 0.5)
        others, own = group.tokens[random.integers(0, len(group.tokens), len(tokens))], len(group.tokens)
        for voice, groups in enumerate(self.lent):
            if (lent := groups.get(group.meter)) is not None:
                drawn = random.integers(0, own + len(lent), len(tokens))
                rows = drawn >= own
                others[rows, :, voice] = lent[drawn[rows] - own, :, 0]
        return self.representation.mixed(tokens, others, lanes)

    def _stiffened(self, tokens: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64] | None:
        """The windows, some as they would be without expression: from such a one the model is to play the whole."""
        if not self.stiff_share:
            return None
        stiff = random.random(len(tokens)) < self.stiff_share
        return np.where(stiff[:, None, None], self.representation.STIFF[tokens], tokens)


def enough(groups: Sequence[Windows], batch: int) -> int:
    """How many windows there are; fewer than one batch is a `MusicVAEError`."""
    total = sum(map(len, groups))
    if total < batch:
        raise MusicVAEError(
            f"{total} windows to train on, fewer than one batch of {batch}: add music (`musicvae check` says what is "
            "not used and why), or use a smaller --batch"
        )
    return total
