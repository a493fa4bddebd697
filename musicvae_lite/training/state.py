"""What a run needs to go on: weights, their average, the optimizer's moments, how far it is. One file, one rename."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.model.checkpoint import explained, read_tensors, write_tensors
from musicvae_lite.model.config import Config
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.training.recipe import Recipe

STATE_FILE = "training.safetensors"


@dataclass
class State:
    """A training run between two steps. `average` holds the moving average of the weights: the model to use."""

    model: MusicVAE
    average: MusicVAE
    optimizer: torch.optim.AdamW
    recipe: Recipe
    step: int = 0
    minutes: float = 0.0  # spent in training, over all resumptions

    @property
    def progress(self) -> float:
        """Share of the training that is done, 0 … 1, by steps where the recipe has them and else by minutes."""
        return self.step / self.recipe.steps if self.recipe.steps else self.minutes / self.recipe.minutes


def start(config: Config, recipe: Recipe, device: torch.device) -> State:
    """A fresh run; the initial weights are a function of the recipe's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = MusicVAE(config).to(device)
        average = MusicVAE(config).to(device).eval()
    average.load_state_dict(model.state_dict())
    return State(model, average, _optimizer(model, recipe), recipe)


def save(state: State, folder: Path) -> None:
    """Write `folder`/training.safetensors, replacing the last one in one step."""
    tensors = {f"model.{name}": value for name, value in state.model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in state.average.state_dict().items()}
    for index, moments in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in moments.items()}
    header = {
        "config": state.model.config.to_dict(),
        "recipe": state.recipe.to_dict(),
        "step": state.step,
        "minutes": state.minutes,
    }
    write_tensors(tensors, header, folder / STATE_FILE)


def resume(folder: Path, device: torch.device, changes: Mapping[str, Any] | None = None) -> State:
    """The run that `save` left in `folder`; `changes` to its recipe make it go on for longer, say."""
    if not (folder / STATE_FILE).is_file():
        raise MusicVAEError(f"{folder}: nothing to resume there: leave out --resume to start this run")
    tensors, header = read_tensors(folder / STATE_FILE, str(device))
    with explained(folder / STATE_FILE):
        recipe = Recipe.from_dict(header["recipe"] | dict(changes or {}))
        state = start(Config.from_dict(header["config"]), recipe, device)
        state.model.load_state_dict(_under("model.", tensors))
        state.average.load_state_dict(_under("average.", tensors))
        state.optimizer.load_state_dict(state.optimizer.state_dict() | {"state": _moments(tensors)})
        state.step, state.minutes = header["step"], header["minutes"]
    return state


def _moments(tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Parameter number → the optimizer's tensors for it, by name."""
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in _under("optimizer.", tensors).items():
        index, moment = name.split(".")
        moments.setdefault(int(index), {})[moment] = value
    return moments


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _optimizer(model: MusicVAE, recipe: Recipe) -> torch.optim.AdamW:
    return torch.optim.AdamW(
        model.parameters(), lr=recipe.peak_learning_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
    )
