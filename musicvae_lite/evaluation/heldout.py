"""One pass of a model over windows: how they come back, at what rate, and what the controls score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation import latent, reconstruction
from musicvae_lite.inference.codec import NATS_PER_BIT, Codec, Floats, Ints
from musicvae_lite.inference.density import log_sum_exp
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import Representation, representation

STEPS_AT_ONCE = 2**13  # of windows whose logits are looked at together: more would only take more memory


@dataclass(frozen=True, eq=False)
class Pass:
    """What the model makes of the windows of one meter: tokens [N, T, V], latents [N, Z], rates [N] in bits."""

    meter: Meter
    truth: NDArray[np.int64]
    teacher_forced: NDArray[np.int64]  # decoded from mu, each step given the true tokens before it
    free_t0: NDArray[np.int64]  # decoded from mu, free-running, temperature 0
    free_t1: NDArray[np.int64]  # … temperature 1
    mu: NDArray[np.float32]
    sigma: NDArray[np.float32]
    kl: NDArray[np.float32]  # [N, Z] bits
    nll: NDArray[np.float32]  # [N] bits, one posterior sample
    shuffled_z: NDArray[np.int64]  # free-running at temperature 0 from another window's mu; empty if there is no other


def run(codec: Codec, groups: Sequence[Windows], seed: int = 0) -> list[Pass]:
    """One `Pass` a group of windows; randomness (temperature 1, posterior sample, shuffling) comes from `seed`."""
    random = np.random.default_rng(seed)
    return [_pass(codec, group, random) for group in groups if len(group)]


def scores(passes: Sequence[Pass], form: str = "melody") -> dict[str, float]:
    """Reconstruction and latent figures over all passes, each meter weighted by its windows; undefined is NaN."""
    pooled = _pooled(list(by_meter(passes, form).values()), passes)
    pooled["active_units"] = float(latent.active_units(np.concatenate([p.mu for p in passes])))
    return pooled


def by_meter(passes: Sequence[Pass], form: str = "melody") -> dict[Meter, dict[str, float]]:
    """The same figures, but for the active units, of each meter alone."""
    return {p.meter: _scores(p, form) for p in passes}


def by_voice(passes: Sequence[Pass], form: str = "melody") -> dict[str, dict[str, float]]:
    """How each voice alone comes back, by the name of its instrument, over all passes; a row for one voice too."""
    rep = representation(form)
    voices = [(v, each) for v, each in enumerate(rep.INSTRUMENTS) if not rep.GIVEN[v]]
    return {each.name: _pooled([_voice_scores(p, voice, rep) for p in passes], passes) for voice, each in voices}


def sample_windows(groups: Sequence[Windows], count: int) -> tuple[Windows, ...]:
    """At most about `count` windows, evenly spread over each group, the groups in proportion."""
    total = sum(map(len, groups))
    if total <= count:
        return tuple(groups)
    kept = ((group, max(1, round(count * len(group) / total))) for group in groups if len(group))
    return tuple(group.select(np.linspace(0, len(group) - 1, n).astype(np.int64)) for group, n in kept)


def _scores(p: Pass, form: str) -> dict[str, float]:
    rep = representation(form)
    return {
        **_accuracies(p, ~rep.GIVEN),
        "onset_f1": reconstruction.onset_f1(p.truth, p.free_t0, rep),
        "exact": reconstruction.exact(p.truth, p.free_t0),
        "kl_bits": float(p.kl.sum(1).mean()),
        "nll_bits": float(p.nll.mean()),
    }


def _voice_scores(p: Pass, voice: int, rep: Representation) -> dict[str, float]:
    truth, decoded = (reconstruction.alone(tokens, voice, rep) for tokens in (p.truth, p.free_t0))
    return {
        **_accuracies(p, np.arange(rep.VOICES) == voice),
        "onset_f1": reconstruction.onset_f1(truth, decoded, rep),
    }


def _accuracies(p: Pass, voices: NDArray[np.bool_]) -> dict[str, float]:
    """Shares of equal tokens in some of the voices, and what they are to be read beside."""
    truth = p.truth[..., voices]
    decoded = {name: getattr(p, name)[..., voices] for name in ("teacher_forced", "free_t0", "free_t1", "shuffled_z")}
    shares = {name: reconstruction.token_accuracy(truth[: len(each)], each) for name, each in decoded.items()}
    return {**shares, "constant": reconstruction.constant_accuracy(truth)}


def _pooled(rows: Sequence[dict[str, float]], passes: Sequence[Pass]) -> dict[str, float]:
    """Averages of a row a pass, each weighted by its windows."""
    windows = np.array([len(p.truth) for p in passes], float)
    return {name: _average(np.array([row[name] for row in rows]), windows) for name in rows[0]}


def _average(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    known = ~np.isnan(values)
    return float(np.average(values[known], weights=weights[known])) if known.any() else float("nan")


def _pass(codec: Codec, group: Windows, random: np.random.Generator) -> Pass:
    tokens = group.tokens.astype(np.int64)
    posterior = codec.encode(tokens, group.meter)
    mu, sigma = posterior.mu, posterior.sigma
    likeliest, nll = _told(codec, mu, posterior.sample(random), tokens, group.meter)
    return Pass(
        group.meter,
        truth=tokens,
        teacher_forced=likeliest,
        free_t0=codec.decode(mu, group.meter, given=tokens),
        free_t1=codec.decode(mu, group.meter, 1.0, random, given=tokens),
        mu=mu,
        sigma=sigma,
        kl=posterior.kl() / NATS_PER_BIT,
        nll=nll,
        shuffled_z=_decode_shuffled(codec, mu, tokens, group.meter),
    )


def _told(codec: Codec, mu: Floats, sample: Floats, tokens: Ints, meter: Meter) -> tuple[Ints, Floats]:
    """Teacher-forced: the likeliest tokens [N, T, V] given mu, and the true ones' NLL given `sample` in bits, [N]."""
    likeliest, nll = np.empty_like(tokens), np.empty(len(tokens), mu.dtype)
    rows = max(1, STEPS_AT_ONCE // tokens.shape[1])
    for start in range(0, len(tokens), rows):
        part = slice(start, start + rows)
        likeliest[part] = codec.logits(mu[part], tokens[part], meter)[0].argmax(-1)
        logits, _ = codec.logits(sample[part], tokens[part], meter)
        true = np.take_along_axis(logits, tokens[part, ..., None], -1)[..., 0]
        nll[part] = (log_sum_exp(logits) - true).sum((1, 2)) / NATS_PER_BIT
    return likeliest, nll


def _decode_shuffled(codec: Codec, mu: Floats, tokens: Ints, meter: Meter) -> Ints:
    """Each window decoded from the mu of the one half the group away: neighbours are of one tune and share a bar."""
    others = np.roll(mu, len(mu) // 2, 0) if len(mu) > 1 else mu[:0]
    return codec.decode(others, meter, given=tokens[: len(others)])
