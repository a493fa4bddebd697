"""Notes on the grid ↔ integers. One file a representation, one row in `REPRESENTATIONS`.

A representation is a module that satisfies `Representation`; everything after tokens works through that protocol, so
that a new one is one file here and one row below.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.tokens import melody

Tokens = NDArray[np.integer[Any]]


class Representation(Protocol):
    """What the later stages ask of a representation; shapes with the package's letters."""

    @property
    def NAME(self) -> str: ...
    @property
    def VOICES(self) -> int: ...  # V
    @property
    def VOCABULARY(self) -> int: ...  # K
    @property
    def LEGAL(self) -> NDArray[np.bool_]: ...  # [states, K]
    @property
    def NEXT_STATE(self) -> NDArray[np.int64]: ...  # [states, K]

    def encode(self, notes: GridNotes, steps: int) -> NDArray[np.int64]: ...
    def decode(self, tokens: Tokens, velocity: int = ...) -> GridNotes: ...
    def window(self, tokens: Tokens, start: int, steps: int) -> Tokens: ...
    def windows(self, tokens: Tokens, starts: NDArray[np.int64], steps: int) -> Tokens: ...
    def transpose(self, tokens: Tokens, semitones: Tokens) -> Tokens: ...
    def headroom(
        self, tokens: Tokens, lowest: int = ..., highest: int = ...
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]: ...
    def without_key(self, tokens: Tokens) -> Tokens: ...
    def content(self, tokens: Tokens) -> NDArray[np.int64]: ...
    def onsets(self, tokens: Tokens) -> NDArray[np.bool_]: ...


REPRESENTATIONS: dict[str, Representation] = {melody.NAME: melody}


def representation(name: str) -> Representation:
    """The representation of that name; an unknown one is a `MusicVAEError` that lists the known ones."""
    if name not in REPRESENTATIONS:
        raise MusicVAEError(f"unknown representation {name!r}: expected one of {', '.join(sorted(REPRESENTATIONS))}")
    return REPRESENTATIONS[name]
