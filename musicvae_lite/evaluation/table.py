"""The figures as people read them: rows of (figure, value, control, what it means)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from musicvae_lite.evaluation import humanized, morphs, samples
from musicvae_lite.evaluation.summary import SHIPPED_SPACING, Evaluation

NONE = "–"


class Row(NamedTuple):
    """One line of the table; `control` is what the figure has to be read beside."""

    figure: str
    value: str
    control: str
    meaning: str


def rows(evaluation: Evaluation) -> list[Row]:
    """Every figure, in the order of the questions: does it come back, at what rate, is the way musical, are samples?"""
    return [
        *_reconstruction(evaluation),
        *_voices(evaluation),
        *_groove(evaluation),
        *_latent(evaluation),
        *_interpolation(evaluation),
        *_prior(evaluation),
    ]


def percent(value: float, digits: int = 1) -> str:
    """A share as people read it; a dash for NaN."""
    return NONE if math.isnan(value) else f"{value:.{digits}%}"


def number(value: float, digits: int = 2) -> str:
    """A number with so many digits; a dash for NaN."""
    return NONE if math.isnan(value) else f"{value:,.{digits}f}"


def _controls(scores: Mapping[str, float]) -> str:
    return f"constant {percent(scores['constant'])}, shuffled z {percent(scores['shuffled_z'])}"


def _reconstruction(e: Evaluation) -> Iterator[Row]:
    controls = _controls(e.scores)
    for name, figure, meaning in (
        ("teacher_forced", "tokens, teacher-forced", "share of equal tokens, each given the true ones before it"),
        ("free_t0", "tokens, free-running", "share of equal tokens, decoded from μ at temperature 0"),
        ("free_t1", "tokens, temperature 1", "the same with tokens drawn from what the model thinks likely"),
    ):
        yield Row(figure, percent(e.scores[name]), controls, meaning)
    yield Row("onsets, F1", percent(e.scores["onset_f1"]), "", "the right pitch at the right step, temperature 0")
    exact = percent(e.scores["exact"])
    yield Row("exact windows", exact, "", "every token right, temperature 0")
    yield Row("exact after refinement", percent(e.exact_refined), f"before {exact}", "z fitted to the window")


def _groove(e: Evaluation) -> Iterator[Row]:
    if e.groove is None:
        return
    for field, figure, digits, unit in (
        ("timing_mean_ms", "humanized: timing, mean", 1, " ms"),
        ("timing_rms_ms", "humanized: timing, RMS", 1, " ms"),
        ("velocity_rms", "humanized: velocity, RMS", 3, ""),
    ):
        values = {name: number(getattr(errors, field), digits) + unit for name, errors in e.groove.errors.items()}
        beside = ", ".join(f"{name} {value}" for name, value in values.items() if name != humanized.MODEL)
        yield Row(figure, values[humanized.MODEL], beside, "error of a beat that is played from its strokes alone")
    yield Row("hits from a stiff beat, F1", number(e.groove.hits_f1, 3), "", "decoded freely, temperature 0")


def _voices(e: Evaluation) -> Iterator[Row]:
    """The same of each voice, where there are several."""
    for name, scores in e.by_voice.items() if len(e.by_voice) > 1 else ():
        controls = _controls(scores)
        yield Row(f"{name}: tokens, free-running", percent(scores["free_t0"]), controls, "of this voice alone")
        yield Row(f"{name}: tokens, temperature 1", percent(scores["free_t1"]), controls, "")
        yield Row(f"{name}: onsets, F1", percent(scores["onset_f1"]), "", "temperature 0")


def _latent(e: Evaluation) -> Iterator[Row]:
    kl, nll = e.scores["kl_bits"], e.scores["nll_bits"]
    fitted = f"to the fitted density {number(e.fitted_rate, 1)}"
    yield Row("KL, bits a window", number(kl, 1), fitted, "what z carries, at the price of N(0, I)")
    yield Row("NLL, bits a window", number(nll, 1), "", "what z leaves open; one posterior sample")
    yield Row("bound, bits a window", number(kl + nll, 1), "", "KL + NLL, the negative ELBO")
    active, size = int(e.scores["active_units"]), len(e.kl_by_dimension)
    yield Row("active units", f"{active} of {size}", "", "dimensions with Var[μ] > 0.01")


def _interpolation(e: Evaluation) -> Iterator[Row]:
    for spacing in [name for name in morphs.SPACINGS if name in e.interpolation]:
        found, mix = e.interpolation[spacing], e.interpolation[morphs.MIX]
        name = f"{spacing} steps{' (default)' if spacing == SHIPPED_SPACING else ''}"
        cost, jump = (f"{morphs.MIX} {number(value)}" for value in (mix.middle_cost, mix.largest_jump))
        yield Row(f"morph's middle, {name}", number(found.middle_cost), cost, "5-gram cost; real windows cost 1")
        yield Row(f"largest jump, {name}", number(found.largest_jump), jump, "between neighbours; 1 for an even split")


def _prior(e: Evaluation) -> Iterator[Row]:
    for density, found in e.prior.items():
        itself = f"the corpus with itself {percent(e.prior_ceiling)}"
        yield Row(f"samples, {density}: overlap", percent(found.overlap), itself, "with real windows, by descriptors")
        yield Row(f"samples, {density}: copies", percent(found.copies), "", "equal to a training window in some key")
    if samples.FITTED not in e.prior:
        yield Row(f"samples, {samples.FITTED}: overlap", NONE, "", "this model carries none")
