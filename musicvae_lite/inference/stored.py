"""A model's file → arrays and what is known about them; see `model.checkpoint`, which writes it.

<prefix>.<parameter>   tensors; `model.` the network, `density.` the latent density fitted after training
header["musicvae"]     {"format": 1, "config": {...}, "about": {...}}
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.config import Config

FORMAT = 1
HEADER = "musicvae"
MODEL_FILE = "model.safetensors"
NETWORK = "model."
UNKNOWN = "not a model of musicvae-lite"
WHAT_TO_DO = f"give the {MODEL_FILE} or the folder that `musicvae train` wrote"

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Stored:
    """A model as it lies on disk: `weights` of the network by name, `extra` arrays kept with it, and `about` it."""

    config: Config
    weights: Arrays
    extra: Arrays
    about: Mapping[str, Any]


def load(path: Path | str) -> Stored:
    """The model of a file, or of the run folder that holds it, in float32; else a `MusicVAEError`."""
    file = file_of(path)
    with opened(file, "numpy") as (tensors, header):
        arrays = {name: _whole(tensors.get_tensor(name)) for name in tensors.keys()}  # noqa: SIM118 (not a mapping)
    with explained(file):
        config, about = Config.from_dict(header["config"]), dict(header["about"])
    weights = {name.removeprefix(NETWORK): array for name, array in arrays.items() if name.startswith(NETWORK)}
    extra = {name: array for name, array in arrays.items() if not name.startswith(NETWORK)}
    return Stored(config, weights, extra, about)


def file_of(path: Path | str) -> Path:
    """The model's file, given it or the run folder that holds it."""
    return Path(path) / MODEL_FILE if Path(path).is_dir() else Path(path)


@contextmanager
def opened(path: Path, framework: str, device: str = "cpu") -> Iterator[tuple[Any, dict[str, Any]]]:
    """An open safetensors file of ours and its header; whatever is wrong with it is a `MusicVAEError`."""
    if not path.is_file():
        raise MusicVAEError(f"{path}: no model there: expected a .safetensors file or a folder that training wrote")
    try:
        with safe_open(path, framework=framework, device=device) as file:
            yield file, checked_header(path, json.loads((file.metadata() or {}).get(HEADER, "null")))
    except (OSError, SafetensorError, ValueError) as error:
        raise MusicVAEError(f"{path}: {UNKNOWN} ({error}): {WHAT_TO_DO}") from error


def checked_header(path: Path, header: Any) -> dict[str, Any]:
    """The header of a file of this format; else a `MusicVAEError`."""
    if not isinstance(header, dict):
        raise MusicVAEError(f"{path}: {UNKNOWN} (its header has no {HEADER!r}): {WHAT_TO_DO}")
    if (found := header.get("format", FORMAT)) != FORMAT:
        raise MusicVAEError(f"{path}: format {found!r}, expected {FORMAT}: update musicvae-lite")
    return header


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


def _whole(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.float32) if np.issubdtype(array.dtype, np.floating) else array
