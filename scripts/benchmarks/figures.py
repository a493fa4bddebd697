"""What a measurement is, and how one is taken: in turns, a number a round, on one of two clocks."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.tokens import melody

ROOT = Path(__file__).parents[2]
STEPS, K = 32, melody.VOCABULARY
FEW, MANY = 8, 512  # tunes decoded at once
A_ROUND, MOST_CALLS = 0.05, 20  # seconds, at least, unless it would take so many calls


@dataclass(frozen=True)
class Figure:
    """What was measured, a number a round."""

    section: str
    what: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The figure."""
        return median(self.values)


@dataclass(frozen=True)
class Ratio:
    """Two figures of one run, one over the other; `wanted` is what it should at least be (0: nothing was set)."""

    section: str
    what: str
    value: float
    wanted: float = 0.0


@dataclass(frozen=True)
class Options:
    """How to measure."""

    rounds: int
    threads: int
    batch: int
    clock: str
    midi: Path | None
    magenta: Path  # the folder of its environment


Rows = list[Figure | Ratio]


def timed(runs: dict[str, Callable[[], object]], options: Options) -> dict[str, list[float]]:
    """Seconds of a call of each of `runs`, by name, in turns; a first round is not counted.

    What is short is called several times a round, so that caches hold what is its own and not what came before it.
    """
    found: dict[str, list[float]] = {name: [] for name in runs}
    calls = dict.fromkeys(runs, 1)
    for number in range(options.rounds + 1):
        for name, run in runs.items():
            began = now(options)
            for _ in range(calls[name]):
                run()
            seconds = (now(options) - began) / calls[name]
            if number:
                found[name].append(seconds)
            else:
                calls[name] = min(MOST_CALLS, max(1, round(A_ROUND / max(seconds, 1e-9))))
    return found


def now(options: Options) -> float:
    """Seconds on the chosen clock, those of processes that we started and that have ended among them."""
    if options.clock == "wall":
        return time.perf_counter()
    ours, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return ours.ru_utime + ours.ru_stime + theirs.ru_utime + theirs.ru_stime


def random_tokens(count: int, seed: int = 0) -> NDArray[np.int64]:
    """Windows [count, 32, 1] with as many notes as music has."""
    random = np.random.default_rng(seed)
    pitches = random.integers(48, 84, (count, STEPS, 1))
    return np.where(random.random(pitches.shape) < 0.35, pitches, melody.HOLD).astype(np.int64)
