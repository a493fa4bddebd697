"""Exact endpoints: a z whose decoding *is* the given window.

The encoder's mean is a first guess made for all windows alike. A few gradient steps on z through the frozen decoder
make it fit this window (semi-amortised inference, Kim et al. 2018, arXiv 1802.02550), starting from the mean and
staying near it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from musicvae_lite.inference.codec import Codec, Floats, Ints
from musicvae_lite.music.notes import Meter

STEPS = 200
RATE = 0.05
DECAYS = 0.9, 0.999  # of Adam's two averages (Kingma & Ba 2015, arXiv 1412.6980)
MARGIN = 1.0  # nats by which the true token's logit should lead
ENOUGH = 0.01  # … and by which it must
STAY_NEAR = 0.02  # nats a unit of squared distance; less and less, down to 0 at the last step

STEPS_AT_ONCE = 2**14  # of windows that are refined together: more would only take more memory


@dataclass(frozen=True, eq=False)
class Refined:
    """z [B, Z]; tokens that differed before and still differ after, and gradient steps taken, int64 [B] each."""

    z: Floats
    differed: Ints
    differ: Ints
    steps: Ints


def refine(model: Codec, z: Floats, tokens: Ints, meter: Meter, limit: int = STEPS) -> Refined:
    """z moved until the model decodes `tokens` int64 [B, T, V] from it at temperature 0, within `limit` steps.

    Windows that decode exactly already are not touched, and none ends up with more differing tokens than before.
    """
    rows = max(1, STEPS_AT_ONCE // tokens.shape[1])
    parts = [slice(start, start + rows) for start in range(0, len(z), rows)]
    found = [_refine(model, z[part], tokens[part], meter, limit) for part in parts]
    names = ("z", "differed", "differ", "steps")
    return Refined(*(np.concatenate([getattr(each, name) for each in found]) for name in names))


def _refine(model: Codec, z: Floats, tokens: Ints, meter: Meter, limit: int) -> Refined:
    differed = _differing(model, z, tokens, meter)
    found, differ, steps = z.copy(), differed.copy(), np.zeros_like(differed)
    wrong = np.flatnonzero(differed)
    if limit and len(wrong):
        moved, steps[wrong] = _descend(model, z[wrong], tokens[wrong], meter, limit)
        left = _differing(model, moved, tokens[wrong], meter)
        better = left < differed[wrong]
        found[wrong[better]], differ[wrong[better]] = moved[better], left[better]
    return Refined(found, differed, differ, steps)


def _descend(model: Codec, start: Floats, tokens: Ints, meter: Meter, limit: int) -> tuple[Floats, Ints]:
    """For each window the z [B, Z] with the largest least lead on Adam's way from `start`, and the steps taken [B].

    A window is done when every true token leads: then free-running decoding is exact too, by induction over the steps,
    so no decoding is needed to see it.
    """
    best, led = start.copy(), np.full(len(start), -np.inf)
    point, mean, square = start.copy(), np.zeros_like(start), np.zeros_like(start)
    steps, rows = np.zeros(len(start), np.int64), np.arange(len(start))  # rows: of the windows that are not done
    for step in range(limit + 1):
        least, gradient = _missing(model, point[rows], tokens[rows], meter)
        ahead = rows[least > led[rows]]
        best[ahead], led[rows] = point[ahead], np.maximum(led[rows], least)
        going = least < ENOUGH
        if step == limit or not going.any():
            break
        pulled = 2 * STAY_NEAR * (1 - step / limit) * (point[rows] - start[rows])
        slope, rows = (gradient() + pulled)[going], rows[going]
        mean[rows] = DECAYS[0] * mean[rows] + (1 - DECAYS[0]) * slope
        square[rows] = DECAYS[1] * square[rows] + (1 - DECAYS[1]) * slope**2
        unbiased, scale = mean[rows] / (1 - DECAYS[0] ** (step + 1)), square[rows] / (1 - DECAYS[1] ** (step + 1))
        point[rows] -= RATE * unbiased / (np.sqrt(scale) + 1e-8)
        steps[rows] += 1
    return best, steps


def _missing(model: Codec, z: Floats, tokens: Ints, meter: Meter) -> tuple[Floats, Callable[[], Floats]]:
    """By how much the true token's logit leads the best other one where it leads least, teacher-forced, [B]; and the
    gradient [B, Z] of what all leads lack of the margin, together.
    """
    logits, back = model.logits(z, tokens, meter)
    true = np.take_along_axis(logits, tokens[..., None], -1)
    others = logits.copy()
    np.put_along_axis(others, tokens[..., None], -np.inf, -1)
    rival = others.argmax(-1)[..., None]
    lead = true - np.take_along_axis(others, rival, -1)  # [B, T, V, 1]

    def gradient() -> Floats:
        lacks, at_logits = (lead < MARGIN).astype(logits.dtype), np.zeros_like(logits)
        np.put_along_axis(at_logits, tokens[..., None], -lacks, -1)
        np.put_along_axis(at_logits, rival, lacks, -1)
        return back(at_logits)

    return lead.min((1, 2, 3)), gradient


def _differing(model: Codec, z: Floats, tokens: Ints, meter: Meter) -> Ints:
    found: Ints = (model.decode(z, meter, given=tokens) != tokens).sum((1, 2))
    return found
