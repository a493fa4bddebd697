"""A model on disk: one safetensors file, weights as tensors and everything else as JSON in its header.

<prefix>.<parameter>   tensors; `model.` the network, `density.` the latent density fitted after training
header["musicvae"]     {"format": 1, "config": {...}, "about": {...}}
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.model.config import Config
from musicvae_lite.model.musicvae import MusicVAE

FORMAT = 1
HEADER = "musicvae"
MODEL_FILE = "model.safetensors"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A model, what is known about it, and further tensors kept with it by name (such as `density.…`)."""

    model: MusicVAE
    about: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Tensor] = field(default_factory=dict)


def save(checkpoint: Checkpoint, path: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write one file; floating-point tensors in `dtype` (`torch.float16` halves the file for shipping)."""
    state = {f"model.{name}": value for name, value in checkpoint.model.state_dict().items()} | dict(checkpoint.extra)
    header = {"format": FORMAT, "config": checkpoint.model.config.to_dict(), "about": dict(checkpoint.about)}
    write_tensors({name: v.to(dtype) if v.is_floating_point() else v for name, v in state.items()}, header, path)


def load(path: Path | str, device: str = "cpu") -> Checkpoint:
    """The checkpoint of a file, or of the run folder that holds it, in float32 and ready to use (`eval`)."""
    file = Path(path) / MODEL_FILE if Path(path).is_dir() else Path(path)
    tensors, header = read_tensors(file, device)
    if header.get("format") != FORMAT:
        raise MusicVAEError(f"{file}: model format {header.get('format')!r}, expected {FORMAT}: update musicvae-lite")
    model = MusicVAE(Config.from_dict(header["config"])).to(device)
    own = {name.removeprefix("model."): v.float() for name, v in tensors.items() if name.startswith("model.")}
    model.load_state_dict(own)
    kept = {name: v for name, v in tensors.items() if not name.startswith("model.")}
    extra = {name: v.float() if v.is_floating_point() else v for name, v in kept.items()}
    return Checkpoint(model.eval(), header["about"], extra)


def write_tensors(tensors: Mapping[str, Tensor], header: Mapping[str, Any], path: Path) -> None:
    """Tensors and a JSON header under a temporary name, then renamed: a reader never sees half a file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        save_file(whole, temporary, {HEADER: json.dumps(header)})
        temporary.replace(path)
    except (OSError, SafetensorError) as error:
        temporary.unlink(missing_ok=True)
        raise MusicVAEError(f"{path}: cannot be written ({error}): choose another folder") from error


def read_tensors(path: Path, device: str = "cpu") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `write_tensors` wrote; anything else is a `MusicVAEError`."""
    if not path.is_file():
        raise MusicVAEError(f"{path}: no model there: expected a .safetensors file or a folder that training wrote")
    try:
        with safe_open(path, framework="pt", device=device) as file:
            header = json.loads((file.metadata() or {})[HEADER])
            return {name: file.get_tensor(name) for name in file.keys()}, header  # noqa: SIM118 (not a mapping)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise MusicVAEError(
            f"{path}: not a model of musicvae-lite ({error}): train one with `musicvae train`"
        ) from error
