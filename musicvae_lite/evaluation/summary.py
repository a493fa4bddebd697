"""Everything that is measured about a model on a folder, in one place: one JSON object, and what the page draws.

windows ─▶ heldout.run ─▶ reconstruction, latent
        ─▶ refine      ─▶ exact after refinement
        ─▶ morphs      ─▶ interpolation
        ─▶ humanized   ─▶ groove
samples ─▶ musical     ─▶ overlap with the corpus, copies
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.corpus.scan import Progress
from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation import heldout, humanized, latent, morphs, musical, rates, samples
from musicvae_lite.evaluation.heldout import Pass
from musicvae_lite.evaluation.unseen import Chosen
from musicvae_lite.explore.morph import Options as MorphOptions
from musicvae_lite.explore.refine import STEPS as REFINE_STEPS
from musicvae_lite.explore.refine import refine
from musicvae_lite.explore.sample import Options as SampleOptions
from musicvae_lite.inference.codec import NATS_PER_BIT, Codec, Posterior
from musicvae_lite.inference.density import Density
from musicvae_lite.model.checkpoint import Checkpoint
from musicvae_lite.model.codec import codec
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import representation

SHIPPED_SPACING = MorphOptions.spacing  # the way of `musicvae interpolate`: its figures are the headline


@dataclass(frozen=True)
class Options:
    """How much is measured, and the seed that everything random follows from."""

    windows: int = 2000  # at most
    samples: int = 1000  # of the prior
    temperature: float = SampleOptions.temperature  # of the samples, as `musicvae sample` has it
    pairs: int = 256  # morphs, at most
    refined: int = 256  # windows that do not come back exactly and are refined, at most …
    refine_steps: int = REFINE_STEPS  # … with so many gradient steps
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All figures, NaN where there is none, and the arrays behind them."""

    windows: int
    new_windows: int  # of which `windows` were taken
    how: str  # they were chosen
    scores: Mapping[str, float]  # as `heldout.scores` names them
    by_meter: Mapping[Meter, tuple[int, Mapping[str, float]]]  # windows, scores
    by_voice: Mapping[str, Mapping[str, float]]  # instrument → scores, as `heldout.by_voice` names them
    exact_refined: float
    kl_by_dimension: NDArray[np.float64]  # bits, the largest first: [Z]
    interpolation: Mapping[str, morphs.Figures]  # spacing (and the data-space mix) → figures
    prior: Mapping[str, samples.Figures]  # density → figures
    fitted_rate: float  # bits a window: KL to the fitted density and not to N(0, I); NaN without one
    prior_ceiling: float  # overlap of one half of the real windows with the other
    corpus: Mapping[str, NDArray[np.float64]]  # descriptor → values of real windows
    rates: Sequence[rates.Rate]  # the same model read from less and less of z, the most first; empty where it cannot be
    morph: tuple[Meter, NDArray[np.int64]] | None  # one path, [S, T, V]
    groove: humanized.Figures | None = None  # stiff beats played by the model; None where tokens do not say how

    def as_json(self) -> dict[str, Any]:
        """The figures as one JSON object; null where a model has none."""
        spacing, density = self.interpolation.get(SHIPPED_SPACING), samples.best(self.prior)
        accuracies = ("teacher_forced", "free_t0", "free_t1", "constant", "shuffled_z")
        figures = {
            "windows": self.windows,
            "token_accuracy": {name: self.scores[name] for name in accuracies},
            "onset_f1": self.scores["onset_f1"],
            "exact": self.scores["exact"],
            "exact_refined": self.exact_refined,
            "kl_bits": self.scores["kl_bits"],
            "active_units": int(self.scores["active_units"]),
            "interpolation": _morph_figures(spacing),
            "prior": _prior_figures(density),
            "rate_fitted_bits": self.fitted_rate,
            "nll_bits": self.scores["nll_bits"],
            "elbo_bits": -self.scores["nll_bits"] - self.scores["kl_bits"],
            "evaluated_on": self.how,
            "new_windows": self.new_windows,
            "by_meter": {str(meter): {"windows": n, **row} for meter, (n, row) in self.by_meter.items()},
            "by_voice": {name: dict(row) for name, row in self.by_voice.items()},
            "interpolation_by_spacing": {name: _morph_figures(each) for name, each in self.interpolation.items()},
            "prior_by_density": {
                name: {**_prior_figures(each), "descriptors": dict(each.by_descriptor)}
                for name, each in self.prior.items()
            },
            "prior_ceiling": self.prior_ceiling,
            "rate_curve": [asdict(rate) for rate in self.rates],
            "groove": self.groove.as_json() if self.groove else None,
        }
        return {name: _plain(value) for name, value in figures.items()}


STAGES = 5


def evaluate(
    checkpoint: Checkpoint, chosen: Chosen, options: Options | None = None, progress: Progress | None = None
) -> Evaluation:
    """Measure everything. The same arguments give the same figures."""
    options, model, player = options or Options(), checkpoint.model, codec(checkpoint.model)
    form, random = representation(model.config.representation), np.random.default_rng(options.seed)
    fitted = Density.from_arrays({name: each.cpu().numpy() for name, each in checkpoint.extra.items()})
    tell = progress or (lambda done, of: None)
    windows = heldout.sample_windows(chosen.windows, options.windows)
    tell(0, STAGES)
    passes = heldout.run(player, windows, options.seed)
    tell(1, STAGES)
    exact_refined = refined_share(player, windows, passes, options)
    tell(2, STAGES)
    pairs, interpolation = _morphs(player, chosen, options.pairs, random)
    tell(3, STAGES)
    corpus = samples.describe(windows, model.config, random)
    sampled = samples.compare(
        player, fitted, windows, corpus, chosen.trained_on, options.samples, options.temperature, random
    )
    tell(4, STAGES)
    evaluation = Evaluation(
        windows=sum(map(len, windows)),
        new_windows=sum(map(len, chosen.windows)),
        how=chosen.how,
        scores=heldout.scores(passes, form.NAME),
        by_meter=_by_meter(passes, form.NAME),
        by_voice=heldout.by_voice(passes, form.NAME),
        exact_refined=exact_refined,
        kl_by_dimension=latent.kl_by_dimension(np.concatenate([p.kl for p in passes])),
        interpolation=interpolation,
        prior=sampled,
        fitted_rate=fitted_rate(fitted, passes, options.seed),
        prior_ceiling=musical.with_itself(corpus, random),
        corpus=corpus,
        rates=rates.curve(player, windows, options.seed),
        morph=_one_morph(player, pairs),
        groove=humanized.measure(player, windows, chosen.others, options.seed),
    )
    tell(STAGES, STAGES)
    return evaluation


def _morphs(
    player: Codec, chosen: Chosen, count: int, random: np.random.Generator
) -> tuple[Sequence[morphs.Pairs], Mapping[str, morphs.Figures]]:
    """`count` pairs of windows at most, and how the ways between them are."""
    form = representation(player.config.representation)
    for_pairs, of_music = morphs.apart(chosen.windows, chosen.others, form)
    pairs = morphs.pair(for_pairs, count, random)
    return pairs, morphs.compare(player, pairs, of_music, random)


def _by_meter(passes: Sequence[Pass], representation: str) -> dict[Meter, tuple[int, Mapping[str, float]]]:
    rows = heldout.by_meter(passes, representation)
    return {p.meter: (len(p.truth), rows[p.meter]) for p in passes}


def fitted_rate(density: Density | None, passes: Sequence[Pass], seed: int) -> float:
    """KL(q(z | x) ‖ fitted density), mean over all windows in bits, one posterior draw each; NaN without a density."""
    if density is None:
        return float("nan")
    random = np.random.default_rng(seed)
    rates = [density.rate(Posterior(p.mu, p.sigma), p.meter, random) for p in passes]
    return float(np.concatenate(rates).mean()) / NATS_PER_BIT


def refined_share(model: Codec, windows: Sequence[Windows], passes: Sequence[Pass], options: Options) -> float:
    """Share of windows that decode exactly from a refined z, at temperature 0.

    Those that are exact from mu stay so. Of the others about `options.refined` are refined, and stand for the rest.
    """
    wrong = [(p.truth != p.free_t0).any((1, 2)) for p in passes]
    failed = [group.select(rows) for group, rows in zip(windows, wrong, strict=True) if rows.any()]
    exact = 1 - float(np.concatenate(wrong).mean())
    if not failed:
        return exact
    solved = []
    for group in heldout.sample_windows(failed, options.refined):
        tokens = group.tokens.astype(np.int64)
        mu = model.encode(tokens, group.meter).mu
        solved.append(refine(model, mu, tokens, group.meter, options.refine_steps).differ == 0)
    return exact + (1 - exact) * float(np.concatenate(solved).mean())


def _one_morph(model: Codec, pairs: Sequence[morphs.Pairs]) -> tuple[Meter, NDArray[np.int64]] | None:
    """The shipped path between the two liveliest of the first meter's pairs: something to look at."""
    if not pairs:
        return None
    form = representation(model.config.representation)
    onsets = np.minimum(form.content(pairs[0].a), form.content(pairs[0].b))
    row = [int(onsets.argmax())]
    pair = morphs.Pairs(pairs[0].meter, pairs[0].a[row], pairs[0].b[row])
    return pair.meter, morphs.decode(model, pair, morphs.SPACINGS[SHIPPED_SPACING])[0]


def _morph_figures(figures: morphs.Figures | None) -> dict[str, float | None]:
    names = ("middle_cost", "largest_jump")
    return {name: getattr(figures, name) if figures else None for name in names}


def _prior_figures(figures: samples.Figures | None) -> dict[str, float | None]:
    names = ("overlap", "copies")
    return {name: getattr(figures, name) if figures else None for name in names}


def _plain(value: Any) -> Any:
    """`value` with null for NaN and four significant places, as JSON has it."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return None if np.isnan(value) else round(value, 4)
    return value
