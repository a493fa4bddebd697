"""A model's arrays → a `Codec` in NumPy; `UnknownNetworkError` if they belong to a network that is not known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.inference.codec import Back, Floats, Ints, Pick, Posterior, Pull
from musicvae_lite.inference.conductor import HierarchicalDecoder
from musicvae_lite.inference.config import BEFORE_THEY_WERE_KEYS, Config
from musicvae_lite.inference.encoder import encoder
from musicvae_lite.inference.ensemble import flat
from musicvae_lite.inference.playing import Player, picker
from musicvae_lite.inference.threads import one_thread, side_by_side
from musicvae_lite.inference.weights import UnknownNetworkError, Weights
from musicvae_lite.music.grid import bar_steps
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import representation

ROWS = 60  # in one batch, at most: as many as OpenBLAS multiplies where they lie (`lstm.SMALL`)
KNOWN_KEYS = {
    "representation",
    "steps_per_quarter",
    "bars",
    "latent",
    "embedding",
    "encoder_hidden",
    "decoder_hidden",
    "decoder_layers",
    "conductor_hidden",
    "encoder_per_voice",
    "decoder_per_voice",
    "lookback",
    "metrical_positions",
    "noise_conditioning",
    "view_rank",
    "view_bars",
}


class Runtime:
    """The whole model; `weights` by the names that `MusicVAE.state_dict` gives them, in one floating-point type."""

    @one_thread()
    def __init__(self, config: Config, weights: Mapping[str, NDArray[Any]]) -> None:
        _check_known(config)
        self.config = config
        every = Weights(weights)
        self._voices = representation(config.representation).VOICES
        self._type = np.result_type(*weights.values())
        self._encoder = encoder(every.below("encoder"), config)
        made = HierarchicalDecoder if config.conductor_hidden else flat
        self._decoder: Player | HierarchicalDecoder = made(every.below("decoder"), config)
        every.check_all_taken()

    @one_thread()
    def encode(self, tokens: Ints, meter: Meter) -> Posterior:
        """The posterior of tokens [B, T, V], T being `config.bars` bars of `meter`."""
        self._check(tokens, meter)

        def part(rows: slice) -> Posterior:
            return self._encoder(tokens[rows], meter)

        found = side_by_side(part, _parts(len(tokens)))
        return Posterior(np.concatenate([each.mu for each in found]), np.concatenate([each.sigma for each in found]))

    @one_thread()
    def decode(
        self,
        z: Floats,
        meter: Meter,
        temperature: float = 0.0,
        random: np.random.Generator | None = None,
        pull: Pull | None = None,
        level: Floats | None = None,
        given: Ints | None = None,
        picked: Pick | None = None,
    ) -> Ints:
        """Canonical tokens [B, T, V] of z [B, Z] known at `level` [B] (default: exactly), free-running.

        Voices that are given play what they play in `given` [B, T, V]; without it, their token 0. With `picked` all
        rows are decoded at once, it says which token is taken, and temperature and pull are not asked.
        """
        z, steps = np.asarray(z, self._type), bar_steps(meter, self.config.steps_per_quarter)
        if picked is not None:
            return self._decoder.decode(z, meter, steps, picked, level, given)
        parts = _parts(len(z))
        # A generator of its own for each part: which of them comes first is up to the machine.
        randoms = [None] * len(parts) if random is None else random.spawn(len(parts))

        def part(mine: tuple[slice, np.random.Generator | None]) -> Ints:
            rows, own = mine
            pick = picker(temperature, own, None if pull is None else pull.rows(rows))
            known, told = None if level is None else level[rows], None if given is None else given[rows]
            return self._decoder.decode(z[rows], meter, steps, pick, known, told)

        return np.concatenate(side_by_side(part, list(zip(parts, randoms, strict=True))))

    @one_thread()
    def logits(self, z: Floats, tokens: Ints, meter: Meter) -> tuple[Floats, Back]:
        """Teacher-forced logits [B, T, V, K] of tokens given z, and the way back to a gradient at z."""
        self._check(tokens, meter)
        logits, back = self._decoder.logits(np.asarray(z, self._type), tokens, meter)
        return logits, one_thread()(back)

    def _check(self, tokens: Ints, meter: Meter) -> None:
        # Too few voices would be broadcast, and a part of a bar be read as a shorter bar: wrong without a word.
        expected = (self.config.bars * bar_steps(meter, self.config.steps_per_quarter), self._voices)
        if tuple(tokens.shape[1:]) != expected:
            got = tuple(tokens.shape[1:])
            raise ValueError(f"got tokens of [T, V] {got}, expected {expected}: {self.config.bars} bars of {meter}")


def _parts(count: int) -> list[slice]:
    """Slices of much the same size, in pairs if there are several, as cores are mostly even in number.

    How many there are does not depend on the machine, as what is drawn depends on it.
    """
    number = max(1, -(-count // ROWS))
    number += number % 2 if number > 1 else 0
    return [slice(part * count // number, (part + 1) * count // number) for part in range(number)]


def _check_known(config: Config) -> None:
    """Every setting is known here, or is as it was before it was one."""
    for key in {field.name for field in fields(config)} - KNOWN_KEYS:
        if key not in BEFORE_THEY_WERE_KEYS or getattr(config, key) != BEFORE_THEY_WERE_KEYS[key]:
            raise UnknownNetworkError(f"the config has {key} = {getattr(config, key)!r}")
