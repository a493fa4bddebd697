"""Stiff beats played by a model, and measured by `groove` beside what needs no model: windows → figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation import groove
from musicvae_lite.explore.touch import play
from musicvae_lite.inference.codec import Codec
from musicvae_lite.music.grid import bar_steps
from musicvae_lite.tokens import has_touch, representation

CHUNK = 512  # windows played at a time
MODEL, LIKELIEST, DRAWN = "model", "likeliest tokens", "temperature 1"
STIFF, BY_PLACE = "stiff", "mean of drum and place"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Errors:
    """How far the strokes of one answer are from the drummer's."""

    velocity_rms: float  # 0 … 1
    timing_rms_ms: float
    timing_mean_ms: float


@dataclass(frozen=True, eq=False)
class Figures:
    """Errors of the model's ways to play and of the controls, by name; and the strokes themselves."""

    errors: Mapping[str, Errors]
    hits_f1: float  # of (step, drum), decoded freely from the stiff window

    def as_json(self) -> dict[str, Any]:
        """The model's errors, and those of everything beside it."""
        others = {name: vars(errors) for name, errors in self.errors.items() if name != MODEL}
        return {**vars(self.errors[MODEL]), "hits_f1": self.hits_f1, "beside": others}


def measure(codec: Codec, windows: Sequence[Windows], others: Sequence[Windows], seed: int) -> Figures | None:
    """`Figures` of windows that are played from their strokes alone; None where tokens do not say how.

    The truth is what tokens say of a stroke, so within half a bin of what the drummer did.
    The means of drum and place are those of the `others`, and where there are none of that meter those of the windows
    themselves, which then know more than they should.
    """
    form = representation(codec.config.representation)
    if not has_touch(form):
        return None
    random = np.random.default_rng(seed)
    rows: dict[str, list[Floats]] = {}
    right = total = 0
    for group in windows:
        found, decoded = _of_one_meter(codec, group, others, random)
        for name, values in found.items():
            rows.setdefault(name, []).append(values)
        right += int(form.common(group.tokens, decoded).sum())
        total += int((form.content(group.tokens) + form.content(decoded)).sum())
    columns = {name: np.concatenate(values) for name, values in rows.items()}
    truth, step_ms = columns.pop("truth"), columns.pop("step_ms")
    columns[STIFF] = groove.stiff(truth)
    errors = {name: _errors(truth, touch, step_ms) for name, touch in columns.items()}
    return Figures(errors, 2 * right / total if total else float("nan"))


def _of_one_meter(
    codec: Codec, group: Windows, others: Sequence[Windows], random: np.random.Generator
) -> tuple[dict[str, Floats], NDArray[np.int64]]:
    """The touch of each stroke, in truth and by each way to play, [n, 2] each; and the windows as freely decoded."""
    form = representation(codec.config.representation)
    steps = bar_steps(group.meter, codec.config.steps_per_quarter)
    ways: dict[str, dict[str, Any]] = {
        MODEL: {},
        LIKELIEST: {"mean": False},
        DRAWN: {"temperature": 1.0, "random": random},
    }
    parts: dict[str, list[Floats]] = {way: [] for way in ways}
    decoded = []
    for start in range(0, len(group.tokens), CHUNK):
        tokens = group.tokens[start : start + CHUNK].astype(np.int64)
        for way, options in ways.items():
            played = play(codec, tokens, group.meter, **options)
            parts[way].append(np.stack([played.velocity, played.offset], -1))
        decoded.append(codec.decode(codec.encode(form.STIFF[tokens], group.meter).mu, group.meter))
    touch = form.TOUCH[group.tokens]  # [N, T, V, 2]
    struck = ~np.isnan(touch[..., 0])
    known = [form.TOUCH[other.tokens] for other in others if other.meter == group.meter] or [touch]
    places = np.tile(groove.by_place(known, steps), (codec.config.bars, 1, 1))  # [T, V, 2]
    step_ms = 60_000 / (group.qpm * codec.config.steps_per_quarter)
    found = {name: np.concatenate(values)[struck] for name, values in parts.items()}
    found[BY_PLACE] = np.broadcast_to(places, touch.shape)[struck]
    found |= {"truth": touch[struck], "step_ms": np.broadcast_to(step_ms[:, None, None], struck.shape)[struck]}
    return found, np.concatenate(decoded)


def _errors(truth: Floats, touch: Floats, step_ms: Floats) -> Errors:
    return Errors(
        groove.velocity_rms(truth, touch),
        groove.timing_rms(truth, touch, step_ms),
        groove.timing_mean(truth, touch, step_ms),
    )
