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
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicvae_lite.explore.interpolate import PATHS, Path, even, levels, uniform
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.playing import Pull
from musicvae_lite.music.grid import bar_steps
from musicvae_lite.music.notes import Meter

CANDIDATES_A_STEP = 24  # points decoded for each one that `even` spacing lets be heard
WAYS = 3  # the line itself, and so many ways less one beside it
ASIDE = 0.5  # their share of the variance that the noisy channel would add at the level of that place
MOST_CANDIDATES = 512  # choosing among M takes S·M² time for each window
STEPS_AT_ONCE = 2**15  # of windows in one batch: more would only take more memory


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
    model: MusicVAE,
    z_a: Tensor,
    z_b: Tensor,
    meter: Meter,
    steps: int,
    spacing: Spacing,
    along: Path = PATHS["linear"],
    heard: NDArray[np.int64] | None = None,
    given: Tensor | None = None,
) -> Walk:
    """S = `steps` tunes from z_a [W, Z] to z_b [W, Z], ends included, decoded at temperature 0.

    What voices that are given play at either end is in `given` [2, W, T, V]: the nearer end's is played on the way.
    Every window is spaced for itself. Of window w only the first `heard[w]` steps count as differing (default: all).
    """
    ways = WAYS if spacing.evenly and steps > 2 and model.config.noise_conditioning else 1
    positions = uniform(_places(steps, ways) if spacing.evenly else steps)
    ends = decode(model, torch.stack([z_a, z_b]), meter, given=given)  # [2, W, T, V]
    z = along(z_a, z_b, torch.from_numpy(positions))  # [P, W, Z]
    level = levels(z, z_a, z_b, torch.from_numpy(positions))  # [P, W]
    z, level, positions = _beside(z, level, ways), level.repeat_interleave(ways, 0), np.repeat(positions, ways)
    nearer = None if given is None else given[torch.from_numpy((positions >= 0.5).astype(np.int64))]  # [P, W, T, V]
    tokens = decode(model, z, meter, level=level, leaning=_leaning(ends, positions, spacing.pull), given=nearer)
    windows = range(len(z_a))
    if len(positions) == steps:
        return Walk(np.repeat(positions[:, None], len(windows), 1), tokens)
    counted = [None if heard is None else heard[w] for w in windows]
    rows = np.stack([even(tokens[:, w, : counted[w]], steps, positions) for w in windows], 1)  # [S, W]
    return Walk(positions[rows], tokens[rows, np.arange(len(windows))])


def decode(
    model: MusicVAE,
    z: Tensor,
    meter: Meter,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    level: Tensor | None = None,
    leaning: Pull | None = None,
    given: Tensor | None = None,
) -> NDArray[np.int64]:
    """Tokens [S, W, T, V] of z [S, W, Z] known at `level` [S, W] (default: exactly), in batches of bounded memory."""
    rows = max(1, STEPS_AT_ONCE // (model.config.bars * bar_steps(meter, model.config.steps_per_quarter)))
    parts = z.flatten(0, 1).split(rows)
    noise = [None] * len(parts) if level is None else level.flatten().split(rows)
    pulls = [None] * len(parts) if leaning is None else leaning.split(rows)
    told = [None] * len(parts) if given is None else given.flatten(0, 1).split(rows)
    decoded = [
        model.decode(part, meter, temperature, generator, pull, each, now)
        for part, pull, each, now in zip(parts, pulls, noise, told, strict=True)
    ]
    return np.asarray(torch.cat(decoded).unflatten(0, z.shape[:2]).cpu().numpy())


def _places(steps: int, ways: int) -> int:
    """At how many places candidates are decoded for `even` to choose from; two steps are the ends, and no choice."""
    return max(steps, min(CANDIDATES_A_STEP * (steps - 1), MOST_CANDIDATES) // ways + 1) if steps > 2 else steps


def _beside(z: Tensor, level: Tensor, ways: int) -> Tensor:
    """z [P, W, Z] at each place and on `ways - 1` ways beside it, each in one direction throughout: [P·ways, W, Z]."""
    directions = np.random.default_rng(0).standard_normal((ways, 1, z.shape[-1]))
    directions[0] = 0
    aside: Tensor = ASIDE**0.5 * level[:, None, :, None] * torch.from_numpy(directions).to(z)
    return (z[:, None] + aside).flatten(0, 1)


def _leaning(ends: NDArray[np.int64], positions: NDArray[np.float64], nats: float) -> Pull | None:
    """Towards a at the beginning, towards b at the end, in proportion between: for all M·W points."""
    if not nats:
        return None
    count, windows = len(positions), ends.shape[1]
    share = torch.from_numpy(np.repeat(positions, windows)).float()  # [M·W]
    tokens = torch.from_numpy(ends).repeat(1, count, 1, 1)  # [2, M·W, T, V]
    return Pull(tokens, nats * torch.stack([1 - share, share]))
