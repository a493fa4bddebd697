"""One pass of a model over windows: how they come back, at what rate, and what the controls score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation import latent, reconstruction
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.model.objective import NATS_PER_BIT, cross_entropy
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import Representation, representation

CHUNK = 512  # windows decoded at a time
MU = 4  # the place of mu among the arrays of a `Pass`


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


@torch.no_grad()
def run(model: MusicVAE, groups: Sequence[Windows], seed: int = 0) -> list[Pass]:
    """One `Pass` a group of windows; randomness (temperature 1, posterior sample, shuffling) comes from `seed`."""
    generator = torch.Generator(next(model.parameters()).device).manual_seed(seed)
    model.eval()
    return [_pass(model, group, generator) for group in groups if len(group)]


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


def _pass(model: MusicVAE, group: Windows, generator: torch.Generator) -> Pass:
    tokens = torch.from_numpy(group.tokens.astype(np.int64)).to(generator.device)
    parts = [_chunk(model, chunk, group.meter, generator) for chunk in tokens.split(CHUNK)]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    columns.append(_decode_shuffled(model, torch.from_numpy(columns[MU]).to(tokens.device), tokens, group.meter))
    return Pass(group.meter, *columns)


def _decode_shuffled(model: MusicVAE, mu: torch.Tensor, tokens: torch.Tensor, meter: Meter) -> NDArray[np.int64]:
    """Each window decoded from the mu of the one half the group away: neighbours are of one tune and share a bar."""
    others = mu.roll(len(mu) // 2, 0) if len(mu) > 1 else mu[:0]
    parts = zip(others.split(CHUNK), tokens[: len(others)].split(CHUNK), strict=True)
    decoded = [model.decode(part, meter, given=given).cpu().numpy() for part, given in parts]
    return np.concatenate(decoded)


def _chunk(
    model: MusicVAE, tokens: torch.Tensor, meter: Meter, generator: torch.Generator
) -> tuple[NDArray[np.generic], ...]:
    posterior = model.encode(tokens, meter)
    mu = posterior.mu
    columns = (
        tokens,
        model.logits(mu, tokens, meter).argmax(-1),
        model.decode(mu, meter, given=tokens),
        model.decode(mu, meter, 1.0, generator, given=tokens),
        mu,
        posterior.sigma,
        posterior.kl() / NATS_PER_BIT,
        cross_entropy(model.logits(posterior.sample(generator), tokens, meter), tokens) / NATS_PER_BIT,
    )
    return tuple(column.cpu().numpy() for column in columns)
