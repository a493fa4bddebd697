"""A prepared corpus, in memory and on disk: shards of tensors (safetensors) and one JSON.

    <cache>/<folder's name>-<hash of its path and the settings>/<key>/corpus.json
                                                                      train-4-4.safetensors, heldout-6-8.safetensors,
                                                                      lent-0-4-4.safetensors, …

Each shard holds `tokens` [N, T, V], `piece` [N], `start_bar` [N] and `qpm` [N]; `corpus.json` holds the path and the
tracks of every piece, so each window can be traced to where it came from. Loading copies the shards into memory (56 MB
for a million two-bar melody windows); they can be mapped with `safetensors.safe_open`.

The key is a hash of what the corpus was made from: names, sizes and times of change of the files, the settings, and the
code that reads them. With one of these changed it is made afresh, and the old one is removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from musicvae_lite.corpus.report import Report
from musicvae_lite.corpus.scan import Settings
from musicvae_lite.corpus.windows import COLUMNS, Windows
from musicvae_lite.music.notes import Meter

FORMAT = 4
INDEX = "corpus.json"


@dataclass(frozen=True, eq=False)
class Corpus:
    """Windows ready for training: one `Windows` a meter on each side, the meter with most windows first.

    `lent` are windows [N, T, 1] of one voice each, for training only, from files that have not all voices.
    """

    train: tuple[Windows, ...]
    heldout: tuple[Windows, ...]
    pieces: tuple[str, ...]  # path relative to the folder, by the number in `Windows.piece`
    tracks: tuple[tuple[int, ...], ...]  # those that were taken, by the same number
    report: Report
    settings: Settings
    lent: tuple[tuple[Windows, ...], ...] = ()  # by voice; empty if there are none of any


def default_cache() -> Path:
    """$MUSICVAE_CACHE, or `musicvae-lite` in $XDG_CACHE_HOME or ~/.cache."""
    if chosen := os.environ.get("MUSICVAE_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "musicvae-lite"


def place(cache_folder: Path, folder: Path, files: Sequence[str], settings: Settings) -> Path:
    """Where the corpus of these files with these settings is, or belongs."""
    name = f"{folder.resolve().name}-{_hash(str(folder.resolve()), asdict(settings))}"
    return (
        cache_folder / name / _hash(FORMAT, _code(), asdict(settings), [_state(folder / file) for file in files], files)
    )


def load(at: Path) -> Corpus | None:
    """The corpus saved there; None if there is none, or none that can be read."""
    try:
        index = json.loads((at / INDEX).read_text(encoding="utf-8"))
        sides = {side: _load_shards(at, index[side]) for side in _SIDES}
        lent = tuple(_load_shards(at, rows) for rows in index["lent"])
    except (OSError, ValueError, KeyError):
        return None
    return Corpus(
        **sides,
        lent=lent,
        pieces=tuple(index["pieces"]),
        tracks=tuple(map(tuple, index["tracks"])),
        report=Report(**index["report"]),
        settings=Settings(**index["settings"]),
    )


def save(corpus: Corpus, at: Path) -> None:
    """Write `corpus` to `at`, all or nothing, in place of what was made from the same folder before.

    A cache that cannot be written is a warning: everything works without it, only slower.
    """
    try:
        at.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=at.parent, ignore_cleanup_errors=True) as made:
            _write(corpus, Path(made))
            for older in at.parent.glob("[!.]*"):  # with a dot: another process is writing it
                shutil.rmtree(older, ignore_errors=True)
            os.rename(made, at)
    except OSError as error:
        warnings.warn(
            f"the prepared corpus is not kept ({error}): point MUSICVAE_CACHE to a folder with room", stacklevel=2
        )


_SIDES = ("train", "heldout")


def _write(corpus: Corpus, at: Path) -> None:
    from safetensors.numpy import save_file

    index: dict[str, Any] = {"format": FORMAT, "settings": asdict(corpus.settings), "report": asdict(corpus.report)}

    def shards(name: str, groups: Sequence[Windows]) -> list[dict[str, Any]]:
        rows = []
        for group in groups:
            file = f"{name}-{group.meter.numerator}-{group.meter.denominator}.safetensors"
            save_file({column: np.ascontiguousarray(getattr(group, column)) for column in COLUMNS}, at / file)
            rows.append({"file": file, "meter": group.meter, "windows": len(group)})
        return rows

    index |= {side: shards(side, getattr(corpus, side)) for side in _SIDES}
    index["lent"] = [shards(f"lent-{voice}", groups) for voice, groups in enumerate(corpus.lent)]
    index |= {"pieces": corpus.pieces, "tracks": corpus.tracks}
    (at / INDEX).write_text(json.dumps(index), encoding="utf-8")


def _load_shards(at: Path, rows: Sequence[Mapping[str, Any]]) -> tuple[Windows, ...]:
    return tuple(_load_shard(at / row["file"], row["meter"]) for row in rows)


def _load_shard(path: Path, meter: Sequence[int]) -> Windows:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        columns = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged") from error
    return Windows(Meter(*meter), **{column: columns[column] for column in COLUMNS})


def _state(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


@cache
def _code() -> str:
    """A hash of the code between a file and its windows: who changes it must not be served what the old code made."""
    package = Path(__file__).parent.parent
    sources = sorted(path for room in ("music", "tokens", "corpus") for path in (package / room).glob("*.py"))
    return _hash(*(path.read_text(encoding="utf-8") for path in sources))


def _hash(*what: object) -> str:
    return hashlib.blake2b(json.dumps(what).encode(), digest_size=8).hexdigest()
