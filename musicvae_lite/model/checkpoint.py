"""A model on disk: one safetensors file, weights as tensors and everything else as JSON in its header.

<prefix>.<parameter>   tensors; `model.` the network, `density.` the latent density fitted after training
header["musicvae"]     {"format": 1, "config": {...}, "about": {...}}
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as to_bytes
from torch import Tensor

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.files import write_bytes
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.stored import FORMAT, HEADER, NETWORK, explained, file_of, opened
from musicvae_lite.model.musicvae import MusicVAE


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A model, what is known about it, and further tensors kept with it by name (such as `density.…`)."""

    model: MusicVAE
    about: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Tensor] = field(default_factory=dict)


def save(checkpoint: Checkpoint, path: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write one file; floating-point tensors in `dtype` (`torch.float16` halves the file for shipping)."""
    state = {f"{NETWORK}{name}": value for name, value in checkpoint.model.state_dict().items()} | dict(
        checkpoint.extra
    )
    header = {"config": checkpoint.model.config.to_dict(), "about": dict(checkpoint.about)}
    write_tensors({name: v.to(dtype) if v.is_floating_point() else v for name, v in state.items()}, header, path)


def load(path: Path | str, device: str = "cpu") -> Checkpoint:
    """The checkpoint of a file, or of the run folder that holds it, in float32 and ready to use (`eval`)."""
    file = file_of(path)
    tensors, header = read_tensors(file, device)
    whole = {name: v.float() if v.is_floating_point() else v for name, v in tensors.items()}
    own = {name.removeprefix(NETWORK): v for name, v in whole.items() if name.startswith(NETWORK)}
    with explained(file):
        model = MusicVAE(Config.from_dict(header["config"])).to(device)
        model.load_state_dict(own)
        about = dict(header["about"])
    extra = {name: v for name, v in whole.items() if not name.startswith(NETWORK)}
    return Checkpoint(model.eval(), about, extra)


def write_tensors(tensors: Mapping[str, Tensor], header: Mapping[str, Any], path: Path) -> None:
    """Tensors and a JSON header, complete or not at all, in a folder that is made if need be."""
    whole = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    # Not `save_file`, whose files nobody but their owner may read, whatever the umask says.
    content = to_bytes(whole, {HEADER: to_json({"format": FORMAT, **header})})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MusicVAEError(f"{path}: cannot be written ({error.strerror}): choose another folder") from error
    write_bytes(path, content)


def read_tensors(path: Path, device: str = "cpu") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `write_tensors` wrote; anything else is a `MusicVAEError`."""
    with opened(path, "pt", device) as (file, header):
        return {name: file.get_tensor(name) for name in file.keys()}, header  # noqa: SIM118 (not a mapping)


def to_json(value: Any) -> str:
    """JSON text of dicts, lists, text and numbers, with null for a number that is not finite: JSON has none."""
    return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
