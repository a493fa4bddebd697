"""What the later stages ask of a representation: notes on the grid ↔ tokens int64 [T, V], and what tokens can say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.music.descriptors import Descriptor
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.music.notes import Song
from musicvae_lite.music.voices import Instrument, Voice

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
    def GIVEN(self) -> NDArray[np.bool_]: ...  # [V], voices that a model is told and does not predict

    # Which token may follow which: a machine for each voice, all in one table. A token that is legal in none of a
    # voice's states is one that it has not got.
    @property
    def START(self) -> NDArray[np.int64]: ...  # [V], the state that each voice starts in
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
    def takes(self, song: Song, track: int | str | None = ...) -> tuple[tuple[Voice, ...], ...]: ...  # all, best first
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
    def mixed(self, tokens: Tokens, others: Tokens, lanes: NDArray[np.bool_]) -> Tokens: ...  # lanes [N, LANES]: others


def mixed(tokens: Tokens, others: Tokens, lanes: NDArray[np.bool_]) -> Tokens:
    """Windows [N, T, V] with the voices of `lanes` [N, V] from others: `mixed` where each voice is a lane."""
    return np.where(lanes[:, None], others, tokens)
