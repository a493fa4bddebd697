"""What a run measured: `metrics.jsonl`, one JSON object a validation, in the order of its steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from musicvae_lite.files import write_bytes
from musicvae_lite.model.checkpoint import to_json

METRICS_FILE = "metrics.jsonl"


def append(row: Mapping[str, Any], folder: Path) -> None:
    """Add one line; a value that is not finite becomes null."""
    with (folder / METRICS_FILE).open("a", encoding="utf-8") as file:
        file.write(to_json(row) + "\n")


def read(folder: Path) -> list[dict[str, Any]]:
    """The rows; a line that a killed run left unfinished is none."""
    file = folder / METRICS_FILE
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    return [row for row in map(_parsed, lines) if "step" in row]


def rewind(folder: Path, step: int) -> None:
    """Forget what was measured after `step`: a run that goes on from there measures it again."""
    kept = [row for row in read(folder) if row["step"] <= step]
    write_bytes(folder / METRICS_FILE, "".join(to_json(row) + "\n" for row in kept).encode())


def _parsed(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        return {}
    return row if isinstance(row, dict) else {}
