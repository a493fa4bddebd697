"""Bytes → file, complete or not at all: whoever reads it, or kills the writer, never sees half of one."""

from __future__ import annotations

import os
from pathlib import Path

from musicvae_lite.errors import MusicVAEError


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file under a temporary name beside it, then rename it; `MusicVAEError` where that cannot be."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise MusicVAEError(
            f"{path}: cannot be written ({error.strerror}): "
            "expected a file in a folder that exists and may be written to"
        ) from error
