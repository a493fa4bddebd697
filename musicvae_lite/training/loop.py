"""The training loop: batches → steps → checkpoints, metrics and a model folder.

<folder>/model.safetensors      the averaged weights: what to use and to ship
<folder>/training.safetensors   everything needed to go on
<folder>/metrics.jsonl          one line a validation
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.evaluation import heldout
from musicvae_lite.inference.codec import NATS_PER_BIT
from musicvae_lite.inference.stored import MODEL_FILE
from musicvae_lite.model.checkpoint import Checkpoint
from musicvae_lite.model.checkpoint import save as save_model
from musicvae_lite.model.codec import codec
from musicvae_lite.model.noise import noised
from musicvae_lite.model.objective import Loss, objective
from musicvae_lite.model.threads import without_denormals
from musicvae_lite.tokens import representation
from musicvae_lite.training import metrics
from musicvae_lite.training import state as states
from musicvae_lite.training.batches import Batch, Batches
from musicvae_lite.training.finish import Keep, keepsakes
from musicvae_lite.training.mistakes import redrawn, swapped
from musicvae_lite.training.precision import autocast, training_type
from musicvae_lite.training.schedules import ema_decay, free_bits, learning_rate
from musicvae_lite.training.state import State

VALIDATION_WINDOWS = 512


@dataclass(frozen=True)
class Moment:
    """What a listener hears: after every step, and with `scores` after every validation."""

    step: int
    minutes: float
    progress: float  # 0 … 1
    loss_bits: float  # smoothed cross-entropy, bits a window
    scores: dict[str, float] | None = None


@without_denormals()
def train(
    state: State,
    groups: Sequence[Windows],
    held_out: Sequence[Windows],
    folder: Path,
    listen: Callable[[Moment], None] = lambda moment: None,
    keep: Keep = keepsakes,
    lent: Sequence[Sequence[Windows]] = (),
) -> State:
    """Train `state` in place until its recipe is done, and leave a model folder behind; the model takes along `keep`.

    `lent`: `corpus.store.Corpus.lent`, which a recipe that mixes voices draws from besides.

    Killed at any moment, it has lost at most `recipe.checkpoint_minutes`. Too few windows for a batch (before anything
    is written), or a loss that is no longer a number, is a `MusicVAEError`.
    """
    recipe, form = state.recipe, representation(state.model.config.representation)
    shares = (recipe.stiff_share, recipe.mixed_share)
    batches = Batches(groups, form, recipe.batch, recipe.transpose, recipe.seed, *shares, lent)
    validation = heldout.sample_windows(held_out, VALIDATION_WINDOWS)
    smoothed, saved = math.nan, state.minutes
    if state.step == 0:
        states.save(state, folder)  # so that a folder that cannot be written to is no surprise at the end
    metrics.rewind(folder, state.step)
    while state.progress < 1:
        began, validated = time.perf_counter(), int(state.progress * recipe.validations)
        loss = train_step(state, batches[state.step])
        state.step += 1
        state.minutes += (time.perf_counter() - began) / 60
        bits = loss.cross_entropy.item() / NATS_PER_BIT
        smoothed = bits if math.isnan(smoothed) else 0.98 * smoothed + 0.02 * bits
        done = state.progress >= 1
        scores = None
        if done or int(state.progress * recipe.validations) > validated:
            scores = validate(state, validation, smoothed, folder)
        if done or state.minutes - saved >= recipe.checkpoint_minutes:
            saved = state.minutes
            checkpoint(state, folder, scores, keep(state.average.folded(), groups, recipe.seed) if done else {})
        listen(Moment(state.step, state.minutes, min(1.0, state.progress), smoothed, scores))
    return state


def train_step(state: State, batch: Batch) -> Loss:
    """One step of AdamW on one batch; the weights' average follows."""
    recipe, model, device = state.recipe, state.model.train(), next(state.model.parameters()).device
    generator = torch.Generator(device).manual_seed(recipe.seed * 1_000_003 + state.step)
    tokens = torch.from_numpy(batch.tokens).to(device)
    heard = tokens if batch.heard is None else torch.from_numpy(batch.heard).to(device)
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(state.step, state.progress, recipe.peak_learning_rate, recipe.warm_up_steps)
    unpaid = free_bits(state.progress, recipe.first_free_bits, recipe.free_bits, recipe.narrow_from, recipe.narrow_to)
    with autocast(device, training_type(device)):
        posterior = model.encode(heard, batch.meter)
        z, level = posterior.sample(generator), None
        if model.config.noise_conditioning:
            level = noise_levels(len(tokens), recipe.noisy_share, generator)
            z = noised(z, level, generator)
        mistaken = None
        if recipe.token_swaps:
            mistaken = swapped(tokens, recipe.token_swaps, generator)
        if recipe.token_draws:
            mistaken = redrawn(model, z, tokens, batch.meter, level, recipe.token_draws, generator)
        logits = model.logits(z, tokens, batch.meter, recipe.token_dropout, generator, level, mistaken)
        loss = objective(logits, tokens, posterior, recipe.beta, unpaid * NATS_PER_BIT)
    state.optimizer.zero_grad()
    loss.total.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
    if not torch.isfinite(loss.total + norm):
        raise MusicVAEError(
            f"the loss is {loss.total.item():g} at step {state.step:,}, its gradient {norm.item():g}: "
            "go on from the last checkpoint by --resume with a smaller --learning-rate"
        )
    state.optimizer.step()
    with torch.no_grad():
        weight = 1 - ema_decay(state.step, recipe.ema)
        torch._foreach_lerp_(list(state.average.parameters()), list(model.parameters()), weight)
    return loss


def noise_levels(count: int, share: float, generator: torch.Generator) -> torch.Tensor:
    """Levels 0 … 1 of the channel for a batch [B]: uniform for `share` of the windows, 0 for the others."""
    level = torch.rand(count, generator=generator, device=generator.device)
    return torch.where(torch.arange(count, device=generator.device) < share * count, level, 0.0)


def validate(state: State, windows: Sequence[Windows], loss_bits: float, folder: Path) -> dict[str, float]:
    """The averaged model's scores on held-out windows, added to the run's metrics; without windows only the loss."""
    line: dict[str, Any] = {"step": state.step, "minutes": round(state.minutes, 3), "train_bits": loss_bits}
    if windows:
        line |= heldout.scores(heldout.run(codec(state.average.folded()), windows), state.average.config.representation)
    metrics.append(line, folder)
    return line


def checkpoint(
    state: State, folder: Path, scores: dict[str, float] | None, extra: Mapping[str, torch.Tensor] | None = None
) -> None:
    """Write what is needed to go on, and the averaged model with the `extra` tensors it takes along."""
    states.save(state, folder)
    about = {"recipe": state.recipe.to_dict(), "step": state.step, "minutes": state.minutes, "scores": scores or {}}
    save_model(Checkpoint(state.average.folded(), about, extra or {}), folder / MODEL_FILE)
