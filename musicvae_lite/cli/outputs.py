"""A folder of results, complete or not there: made under a temporary name, renamed at the end.

Nobody's files are lost: a folder that holds something is refused, and with `force` files of the same names are replaced
and all others stay.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from musicvae_lite.errors import MusicVAEError


def prepare_output(folder: Path, force: bool) -> Path:
    """`folder`, checked before the work starts: it can be made, or is empty, or `force` allows it to hold something."""
    if folder.exists() and not folder.is_dir():
        raise MusicVAEError(f"{folder}: a file of that name is there already: choose another folder with --out")
    place = _place(folder)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        reason = "may not be written to" if place.is_dir() else "is not a folder"
        raise MusicVAEError(f"{folder}: cannot be written ({place} {reason}): choose another folder with --out")
    if not force and folder.is_dir() and any(folder.iterdir()):
        raise MusicVAEError(f"{folder}: not empty: choose another folder with --out, or replace its files with --force")
    return folder


@contextmanager
def output_folder(folder: Path, force: bool) -> Iterator[Path]:
    """A fresh folder to write into, which becomes `folder` when the block ends well and vanishes when it does not."""
    target = prepare_output(folder, force).absolute()
    made = _place(target) / f".{target.name}.{os.getpid()}.part"
    try:
        made.mkdir()
        yield made
        _publish(made, target)
    except OSError as error:
        reason = error.strerror or error
        raise MusicVAEError(f"{folder}: cannot be written ({reason}): choose another folder with --out") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _place(folder: Path) -> Path:
    """The folder itself, or the nearest one around it that is there: on the disk where the files will stay."""
    return next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())


def _publish(made: Path, target: Path) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        made.rename(target)
        return
    for path in sorted(made.iterdir()):
        path.replace(target / path.name)
