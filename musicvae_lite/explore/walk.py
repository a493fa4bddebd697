"""The way from z_a to z_b, decoded: which points of it are heard, and what is heard there.

    z_a, z_b [W, Z] ─▶ candidates [M, W, Z] and levels ─▶ decode, leaning ─▶ choose evenly ─▶ tokens [S, W, T, V]

Half-way between two tunes z says only roughly what is wanted, and the decoder is told how roughly, so that it writes
music there and not a patchwork. Equal steps in z can sit still and then jump: the decoder is discrete, and one changed
note changes those after it. Two remedies, both measured in docs/LOG.md. Many candidates are decoded, on the line and in
its neighbourhood, as wide as z is uncertain there, and those are heard that split the way into the smallest jumps. And
decoding leans a little towards the two tunes themselves, so that where the model is undecided a tune in between has
what a or b have at that place, and not a third thing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.explore.interpolate import PATHS, Path, even, levels, uniform
from musicvae_lite.inference.codec import Codec, Floats, Ints, Pull
from musicvae_lite.music.notes import Meter

CANDIDATES_A_STEP = 24  # points decoded for each one that `even` spacing lets be heard
WAYS = 3  # the line itself, and so many ways less one beside it
ASIDE = 0.5  # their share of the variance that the noisy channel would add at the level of that place
STRIDE = 8  # a power of 2; 259 of 260 morphs came out as with 1, the other no worse
MOST_CANDIDATES = 512  # choosing among M takes S·M² time for each window


@dataclass(frozen=True)
class Spacing:
    """How the points of a walk are chosen. `pull`: nats by which tokens of the two ends are preferred, together."""

    evenly: bool
    pull: float


SPACINGS = {"even": Spacing(True, 8.0), "uniform": Spacing(False, 0.0)}


@dataclass(frozen=True, eq=False)
class Walk:
    """Where each window is on its way at each step, 0 … 1 [S, W], and its tokens there [S, W, T, V]."""

    positions: NDArray[np.float64]
    tokens: NDArray[np.int64]


def walk(
    model: Codec,
    z_a: Floats,
    z_b: Floats,
    meter: Meter,
    steps: int,
    spacing: Spacing,
    along: Path = PATHS["linear"],
    heard: NDArray[np.int64] | None = None,
    given: Ints | None = None,
) -> Walk:
    """S = `steps` tunes from z_a [W, Z] to z_b [W, Z], ends included, decoded at temperature 0.

    What voices that are given play at either end is in `given` [2, W, T, V]: the nearer end's is played on the way.
    Every window is spaced for itself. Of window w only the first `heard[w]` steps count as differing (default: all).
    """
    ways = WAYS if spacing.evenly and steps > 2 and model.config.noise_conditioning else 1
    places = uniform(_places(steps, ways) if spacing.evenly else steps)
    ends = decode(model, np.stack([z_a, z_b]), meter, given=given)  # [2, W, T, V]
    z = along(z_a, z_b, places)  # [P, W, Z]
    level = levels(z, z_a, z_b, places)  # [P, W]
    ahead = _Lines(model, meter, *_beside(z, level, ways), np.tile(ends, (1, ways, 1, 1)), places, spacing.pull)
    tokens = ahead.decode(STRIDE if len(places) > steps else 1)  # [P, ways·W, T, V]
    positions, tokens = places.repeat(ways), tokens.reshape(-1, *ends.shape[1:])  # [P·ways], [P·ways, W, T, V]
    windows = range(len(z_a))
    if len(positions) == steps:
        return Walk(np.repeat(positions[:, None], len(windows), 1), tokens)
    counted = [None if heard is None else heard[w] for w in windows]
    rows = np.stack([even(tokens[:, w, : counted[w]], steps, positions) for w in windows], 1)  # [S, W]
    return Walk(positions[rows], tokens[rows, np.arange(len(windows))])


def decode(
    model: Codec,
    z: Floats,
    meter: Meter,
    temperature: float = 0.0,
    random: np.random.Generator | None = None,
    level: Floats | None = None,
    given: Ints | None = None,
) -> Ints:
    """Tokens [S, W, T, V] of z [S, W, Z] known at `level` [S, W] (default: exactly); `given` [S, W, T, V]."""
    flat = None if level is None else level.ravel()
    told = None if given is None else given.reshape(-1, *given.shape[2:])
    tokens = model.decode(z.reshape(-1, z.shape[-1]), meter, temperature, random, level=flat, given=told)
    return tokens.reshape(*z.shape[:2], *tokens.shape[1:])


def _places(steps: int, ways: int) -> int:
    """At how many places candidates are decoded for `even` to choose from; two steps are the ends, and no choice."""
    return max(steps, min(CANDIDATES_A_STEP * (steps - 1), MOST_CANDIDATES) // ways + 1) if steps > 2 else steps


def _beside(z: Floats, level: Floats, ways: int) -> tuple[Floats, Floats]:
    """z [P, W, Z] and its level [P, W] at each place, and on `ways - 1` ways beside it: [P, ways·W, …] of both.

    Each way keeps to one direction throughout.
    """
    directions = np.random.default_rng(0).standard_normal((ways, 1, z.shape[-1]))
    directions[0] = 0
    aside = ASIDE**0.5 * level[:, None, :, None] * directions.astype(z.dtype)
    lines: Floats = (z[:, None] + aside).reshape(len(z), -1, z.shape[-1])
    return lines, np.tile(level, (1, ways))


@dataclass(frozen=True, eq=False)
class _Lines:
    """L ways through z, with P places each, each between two tunes that decoding leans towards."""

    model: Codec
    meter: Meter
    z: Floats  # [P, L, Z]
    level: Floats  # [P, L]
    ends: Ints  # [2, L, T, V]
    places: NDArray[np.float64]  # [P]
    nats: float

    def decode(self, stride: int) -> Ints:
        """Tokens [P, L, T, V]: at every `stride`-th place, and between two of these only where they differ.

        Halving what lies between two places until both sound the same: what is between these is taken to sound so too.
        """
        tokens = np.empty((len(self.z), *self.ends.shape[1:]), np.int64)
        last = len(tokens) - 1
        self._hear(tokens, np.append(np.arange(0, last, stride), last), np.ones((1, self.z.shape[1]), bool))
        while stride > 1:
            middle = np.arange(stride // 2, last, stride)
            before, after = middle - stride // 2, np.minimum(middle + (stride - stride // 2), last)
            tokens[middle] = tokens[before]
            self._hear(tokens, middle, (tokens[before] != tokens[after]).any((2, 3)))
            stride //= 2
        return tokens

    def _hear(self, tokens: Ints, at: Ints, which: NDArray[np.bool_]) -> None:
        """Decode into `tokens` at these places [n], `which` [n, L] of their lines."""
        row, line = np.nonzero(np.broadcast_to(which, (len(at), which.shape[1])))
        place = at[row]
        if len(place):
            pull = self._leaning(place, line) if self.nats else None
            z, level = self.z[place, line], self.level[place, line]
            nearer = self.ends[(self.places[place] >= 0.5).astype(np.int64), line]  # what given voices play
            tokens[place, line] = self.model.decode(z, self.meter, pull=pull, level=level, given=nearer)

    def _leaning(self, place: Ints, line: Ints) -> Pull:
        """Towards a at the beginning, towards b at the end, in proportion between."""
        share = self.places[place]
        return Pull(self.ends[:, line], (self.nats * np.stack([1 - share, share])).astype(np.float32))
