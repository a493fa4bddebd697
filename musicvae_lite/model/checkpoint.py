"""A model on disk: one safetensors file, weights as tensors and everything else as JSON in its header.

<prefix>.<parameter>   tensors; `model.` the network, `density.` the latent density fitted after training
header["musicvae"]     {"format": 1, "config": {...}, "about": {...}}
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.files import write_bytes
from musicvae_lite.model.config import Config
from musicvae_lite.model.musicvae import MusicVAE

FORMAT = 1
HEADER = "musicvae"
MODEL_FILE = "model.safetensors"
UNKNOWN = "not a model of musicvae-lite"
WHAT_TO_DO = f"give the {MODEL_FILE} or the folder that `musicvae train` wrote"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A model, what is known about it, and further tensors kept with it by name (such as `density.…`)."""

    model: MusicVAE
    about: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Tensor] = field(default_factory=dict)


def save(checkpoint: Checkpoint, path: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write one file; floating-point tensors in `dtype` (`torch.float16` halves the file for shipping)."""
    state = {f"model.{name}": value for name, value in checkpoint.model.state_dict().items()} | dict(checkpoint.extra)
    header = {"config": checkpoint.model.config.to_dict(), "about": dict(checkpoint.about)}
    write_tensors({name: v.to(dtype) if v.is_floating_point() else v for name, v in state.items()}, header, path)


def load(path: Path | str, device: str = "cpu") -> Checkpoint:
    """The checkpoint of a file, or of the run folder that holds it, in float32 and ready to use (`eval`)."""
    file = Path(path) / MODEL_FILE if Path(path).is_dir() else Path(path)
    tensors, header = read_tensors(file, device)
    whole = {name: v.float() if v.is_floating_point() else v for name, v in tensors.items()}
    own = {name.removeprefix("model."): v for name, v in whole.items() if name.startswith("model.")}
    with explained(file):
        model = MusicVAE(Config.from_dict(header["config"])).to(device)
        model.load_state_dict(own)
        about = dict(header["about"])
    extra = {name: v for name, v in whole.items() if not name.startswith("model.")}
    return Checkpoint(model.eval(), about, extra)


@contextmanager
def explained(file: Path) -> Iterator[None]:
    """Whatever goes wrong in the block because of what `file` holds is a `MusicVAEError` that names it."""
    try:
        yield
    except MusicVAEError as error:
        raise MusicVAEError(f"{file}: {error}") from error
    except KeyError as error:
        raise MusicVAEError(f"{file}: {UNKNOWN} (it has no {error}): {WHAT_TO_DO}") from error
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise MusicVAEError(f"{file}: {UNKNOWN} ({reason}): {WHAT_TO_DO}") from error


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
    if not path.is_file():
        raise MusicVAEError(f"{path}: no model there: expected a .safetensors file or a folder that training wrote")
    try:
        with safe_open(path, framework="pt", device=device) as file:
            header = json.loads((file.metadata() or {}).get(HEADER, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (OSError, SafetensorError, ValueError) as error:
        raise MusicVAEError(f"{path}: {UNKNOWN} ({error}): {WHAT_TO_DO}") from error
    if not isinstance(header, dict):
        raise MusicVAEError(f"{path}: {UNKNOWN} (its header has no {HEADER!r}): {WHAT_TO_DO}")
    if (found := header.get("format", FORMAT)) != FORMAT:
        raise MusicVAEError(f"{path}: format {found!r}, expected {FORMAT}: update musicvae-lite")
    return tensors, header


def to_json(value: Any) -> str:
    """JSON text of dicts, lists, text and numbers, with null for a number that is not finite: JSON has none."""
    return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
