"""What a scan found, in numbers: what would be used, and the reason for everything that would not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from musicvae_lite.corpus.scan import Piece
from musicvae_lite.corpus.windows import Windows
from musicvae_lite.music.voices import Timing

MUCH_OFF_GRID = 0.3


@dataclass(frozen=True)
class Report:
    """Counts over a folder. Files that are used although much of them is off the grid are named in `loose`."""

    files: int
    used: int  # files that gave at least one window
    tunes: int  # distinct by their beginnings, in any key
    cut: int  # windows of all used files, before equal ones are left out
    windows: int  # distinct ones, for training or held out
    held_out: int
    meters: dict[str, int]  # meter → distinct windows, most first
    official: int  # files whose side a table in the folder decides
    off_grid: float  # share (0–1) of the onsets of all used files; NaN without any, as the next two
    off_finer_grid: float  # the same on a grid that holds triplets too
    moved: float  # steps, on average, from an onset to the nearest step
    instruments: dict[str, int]  # family of what plays a voice → files, most first
    left_out: dict[str, int]  # reason → windows
    reasons: dict[str, int]  # reason → unused files, most first
    unused: dict[str, str]  # path → reason
    loose: dict[str, float]  # path → share of onsets off the grid, where it is over MUCH_OFF_GRID
    choices: dict[str, str]  # path → which tracks are taken, and why
    lent: dict[str, int]  # voice → unused files that lend theirs to training

    def as_json(self) -> dict[str, Any]:
        """The part that programs may rely on."""
        return {
            "files": self.files,
            "used": self.used,
            "windows": self.windows,
            "meters": self.meters,
            "off_grid": None if self.off_grid != self.off_grid else round(self.off_grid, 4),
            "reasons": self.reasons,
            "unused": self.unused,
        }


def report(
    pieces: Mapping[str, Piece],
    unused: Mapping[str, str],
    train: Sequence[Windows],
    held_out: Sequence[Windows],
    left_out: Mapping[str, int],
    official: int = 0,
    lent: Mapping[str, int] | None = None,
) -> Report:
    """The counts over used `pieces` and `unused` files (path → piece, path → reason) and the windows made of them."""
    meters: Counter[str] = Counter()
    for group in (*train, *held_out):
        meters[str(group.meter)] += len(group)
    dropped = sum((Counter(piece.left_out) for piece in pieces.values()), Counter[str]())
    families = Counter(i.family for piece in pieces.values() for i in dict.fromkeys(piece.instruments))
    return Report(
        files=len(pieces) + len(unused),
        used=len(pieces),
        tunes=len({piece.tune for piece in pieces.values()}),
        cut=sum(len(group) for piece in pieces.values() for group in piece.windows),
        windows=sum(meters.values()),
        held_out=sum(map(len, held_out)),
        meters=dict(_most_first(meters)),
        official=official,
        **_mean_timing([piece.timing for piece in pieces.values()]),
        instruments=dict(_most_first(families)),
        left_out=dict(_most_first(dropped + Counter(left_out))),
        reasons=dict(_most_first(Counter(unused.values()))),
        unused=dict(sorted(unused.items())),
        loose={path: p.timing.off_grid for path, p in sorted(pieces.items()) if p.timing.off_grid > MUCH_OFF_GRID},
        choices={path: piece.choice for path, piece in sorted(pieces.items())},
        lent=dict(lent or {}),
    )


def _mean_timing(timings: Sequence[Timing]) -> dict[str, float]:
    """Means over the onsets of all pieces, by the names of the fields."""
    onsets = np.array([timing.onsets for timing in timings])
    names = ("off_grid", "off_finer_grid", "moved")
    if not onsets.sum():
        return dict.fromkeys(names, float("nan"))
    return {name: float(np.average([getattr(t, name) for t in timings], weights=onsets)) for name in names}


def counted(files: Mapping[str, int]) -> str:
    """Counts in words: "melody 2, drums 1"."""
    return ", ".join(f"{name} {count:,}" for name, count in files.items())


def _most_first(counts: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
