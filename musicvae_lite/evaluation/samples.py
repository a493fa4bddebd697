"""Samples of a latent density, decoded and held against real windows: how like them, how many copied from training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.corpus.splits import fingerprints
from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation import musical
from musicvae_lite.explore.sample import Options, decode
from musicvae_lite.inference.codec import Codec, Floats
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.density import Density
from musicvae_lite.music.descriptors import Frame
from musicvae_lite.music.grid import bar_steps
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import representation

Draw = Callable[[int, Meter, np.random.Generator], Floats]  # (count, meter, random) → z [count, Z]
Values = dict[str, NDArray[np.float64]]

NORMAL, FITTED = "standard normal", "fitted density"


@dataclass(frozen=True, eq=False)
class Figures:
    """How samples of one density compare; NaN where it cannot be said."""

    overlap: float  # mean over the descriptors, 0 … 1
    copies: float  # share that occurs in training in some key
    by_descriptor: Mapping[str, float]
    values: Mapping[str, NDArray[np.float64]]  # descriptor → [N]


def best(figures: Mapping[str, Figures]) -> Figures | None:
    """Those of the density that the model is sampled from: the fitted one where there is one."""
    return figures.get(FITTED, figures.get(NORMAL))


def densities(latent: int, fitted: Density | None) -> dict[str, Draw]:
    """N(0, I), and the density fitted after training where there is one."""

    def normal(count: int, meter: Meter, random: np.random.Generator) -> Floats:
        return random.standard_normal((count, latent), np.float32)

    return {NORMAL: normal} if fitted is None else {NORMAL: normal, FITTED: fitted.sample}


def compare(
    model: Codec,
    fitted: Density | None,
    windows: Sequence[Windows],
    corpus: Values,
    trained_on: NDArray[np.uint64] | None,
    count: int,
    temperature: float,
    random: np.random.Generator,
) -> dict[str, Figures]:
    """`Figures` of about `count` samples of each of `densities`, with the meters of `windows` in proportion."""
    config, figures = model.config, {}
    form = representation(config.representation)
    for name, sample in densities(config.latent, fitted).items():
        samples = draw(model, sample, windows, count, temperature, random)
        values = describe(samples, config, random)
        overlaps = musical.overlaps(values, corpus)
        copies = float("nan")
        if trained_on is not None:
            copies = musical.copies(np.concatenate([fingerprints(s.tokens, form) for s in samples]), trained_on)
        figures[name] = Figures(musical.mean_overlap(overlaps), copies, overlaps, values)
    return figures


def draw(
    model: Codec,
    sample: Draw,
    windows: Sequence[Windows],
    count: int,
    temperature: float,
    random: np.random.Generator,
) -> list[Windows]:
    """About `count` decoded samples in the meters of `windows`, in proportion."""
    return [
        _in_meter(model, sample, meter, each, temperature, random) for meter, each in _shares(windows, count).items()
    ]


def describe(groups: Sequence[Windows], config: Config, random: np.random.Generator) -> Values:
    """The descriptors of all windows, each in a random key: name → [N]."""
    form, grid = representation(config.representation), config.steps_per_quarter
    parts = []
    for group in groups:
        frame = Frame(group.tokens.shape[1], grid, bar_steps(group.meter, grid))
        parts.append(musical.descriptors(musical.in_any_key(group.tokens, form, random), frame, form))
    return musical.pool(parts)


def _shares(windows: Sequence[Windows], count: int) -> dict[Meter, int]:
    total = sum(map(len, windows))
    return {group.meter: max(1, round(count * len(group) / total)) for group in windows}


def _in_meter(
    model: Codec, sample: Draw, meter: Meter, count: int, temperature: float, random: np.random.Generator
) -> Windows:
    options = Options(meter=meter, temperature=temperature)
    tokens = decode(model, sample(count, meter, random), options, random)
    return Windows(meter, tokens, np.zeros(count, np.int64), np.zeros(count, np.int64))
