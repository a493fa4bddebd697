"""What a scan found, in numbers: what would be used, and the reason for everything that would not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from musicvae_lite.corpus.scan import Piece
from musicvae_lite.corpus.windows import Windows

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
    off_grid: float  # share (0–1) of the onsets of all used files; NaN without any
    programs: dict[int, int]  # General MIDI program of the melody → files, most first
    left_out: dict[str, int]  # reason → windows
    reasons: dict[str, int]  # reason → unused files, most first
    unused: dict[str, str]  # path → reason
    loose: dict[str, float]  # path → share of onsets off the grid, where it is over MUCH_OFF_GRID
    choices: dict[str, str]  # path → which track is the melody, and why

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
) -> Report:
    """The counts over used `pieces` and `unused` files (path → piece, path → reason) and the windows made of them."""
    meters: Counter[str] = Counter()
    for group in (*train, *held_out):
        meters[str(group.meter)] += len(group)
    dropped = sum((Counter(piece.left_out) for piece in pieces.values()), Counter[str]())
    onsets = sum(piece.onsets for piece in pieces.values())
    off_grid = sum(piece.off_grid * piece.onsets for piece in pieces.values())
    return Report(
        files=len(pieces) + len(unused),
        used=len(pieces),
        tunes=len({piece.tune for piece in pieces.values()}),
        cut=sum(len(group) for piece in pieces.values() for group in piece.windows),
        windows=sum(meters.values()),
        held_out=sum(map(len, held_out)),
        meters=dict(_most_first(meters)),
        off_grid=off_grid / onsets if onsets else float("nan"),
        programs=dict(_most_first(Counter(piece.program for piece in pieces.values()))),
        left_out=dict(_most_first(dropped + Counter(left_out))),
        reasons=dict(_most_first(Counter(unused.values()))),
        unused=dict(sorted(unused.items())),
        loose={path: piece.off_grid for path, piece in sorted(pieces.items()) if piece.off_grid > MUCH_OFF_GRID},
        choices={path: piece.choice for path, piece in sorted(pieces.items())},
    )


def _most_first(counts: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
