"""What this package raises when a person has to do something about it.

Every message says what was got, what was expected, and what to do next; the command line prints it
as one line and exits with code 2. Anything else that escapes is a bug of ours.
"""

from __future__ import annotations

from pathlib import Path


class MusicVAEError(Exception):
    """Something a person can put right: a file, a folder, an option."""


class MidiError(MusicVAEError):
    """A MIDI file that cannot be used; `reason` is short and the same for every file with the same fault."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = Path(path)
        self.reason = reason
