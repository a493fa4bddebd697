"""Notes on the grid ↔ integers. One file a representation, one row in `REPRESENTATIONS`.

A representation is a module that satisfies `Representation`; everything after tokens works through that protocol, so
that a new one is one file here and one row below. No later stage asks for a representation's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.descriptors import Descriptor
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.music.notes import Song
from musicvae_lite.music.voices import Instrument, Voice
from musicvae_lite.tokens import drums, groove, melody

Tokens = NDArray[np.integer[Any]]


class Representation(Protocol):
    """What the later stages ask of a representation; shapes with the package's letters."""

    @property
    def NAME(self) -> str: ...
    @property
    def VOICES(self) -> int: ...  # V
    @property
    def VOCABULARY(self) -> int: ...  # K

    # Which token may follow which, voice by voice: a machine that starts in state 0.
    @property
    def LEGAL(self) -> NDArray[np.bool_]: ...  # [states, K]
    @property
    def NEXT_STATE(self) -> NDArray[np.int64]: ...  # [states, K]

    # How a token is played, where tokens say it.
    @property
    def STIFF(self) -> NDArray[np.int64]: ...  # [K]: the same played without expression; tokens that say none stay
    @property
    def TOUCH(self) -> NDArray[np.float64]: ...  # [K, 2]: velocity 0 … 1, offset in steps; NaN where it says none

    # What a song has of it, and how it is played, drawn and measured.
    @property
    def INSTRUMENTS(self) -> tuple[Instrument, ...]: ...  # of each `Voice`, of music that comes from no file
    @property
    def LABELS(self) -> tuple[Mapping[int, str], ...]: ...  # of each `Voice`, pitch → its row's name; none: piano keys
    @property
    def LANES(self) -> int: ...  # kinds of notes that have velocities of their own
    @property
    def DESCRIPTORS(self) -> Mapping[str, Descriptor]: ...

    def take(self, song: Song, track: int | str | None = ...) -> tuple[Voice, ...]: ...  # or `NoVoice`
    def lane(self, notes: GridNotes) -> NDArray[np.int64]: ...  # [n], 0 … LANES-1; below 0: not taken

    # Notes ↔ tokens [T, V].
    def encode(self, notes: GridNotes, steps: int) -> NDArray[np.int64]: ...
    def decode(self, tokens: Tokens, velocity: int = ...) -> GridNotes: ...
    def window(self, tokens: Tokens, start: int, steps: int) -> Tokens: ...
    def windows(self, tokens: Tokens, starts: NDArray[np.int64], steps: int) -> Tokens: ...

    # Windows [N, T, V]: their keys, and what is played in them.
    def transpose(self, tokens: Tokens, semitones: Tokens) -> Tokens: ...
    def headroom(
        self, tokens: Tokens, lowest: int = ..., highest: int = ...
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]: ...
    def without_key(self, tokens: Tokens) -> Tokens: ...
    def content(self, tokens: Tokens) -> NDArray[np.int64]: ...  # [N] onsets
    def common(self, one: Tokens, other: Tokens) -> NDArray[np.int64]: ...  # [N] onsets that both have
    def onsets(self, tokens: Tokens) -> NDArray[np.bool_]: ...  # of the shape of tokens


REPRESENTATIONS: dict[str, Representation] = {form.NAME: form for form in (melody, drums, groove)}


def representation(name: str) -> Representation:
    """The representation of that name; an unknown one is a `MusicVAEError` that lists the known ones."""
    if name not in REPRESENTATIONS:
        raise MusicVAEError(f"unknown representation {name!r}: expected one of {', '.join(sorted(REPRESENTATIONS))}")
    return REPRESENTATIONS[name]


def has_touch(form: Representation) -> bool:
    """Whether its tokens say how notes are played: how loud, how early or late."""
    return not np.isnan(form.TOUCH).all()
