"""Several representations side by side as one: tokens [T, V], each voice written by its own part.

Every part keeps its tokens, its automaton and its descriptors; what is new is only how they stand together: the tables
of all automata below each other (a voice starts in a state of its own), and one key for all parts that have a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.music.descriptors import Descriptor, Frame
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.music.notes import Song
from musicvae_lite.music.voices import Instrument, Voice
from musicvae_lite.tokens.protocol import Representation

Tokens = NDArray[np.integer[Any]]
Ints = NDArray[np.int64]
Take = Callable[[Song, int | str | None], tuple[tuple[Voice, ...], ...]]


@dataclass(frozen=True, eq=False)
class Together:
    """A representation made of `PARTS` of one voice each, a voice each; `choose` finds the voices in a song."""

    NAME: str
    PARTS: tuple[Representation, ...]  # [V]
    INSTRUMENTS: tuple[Instrument, ...]  # [V]
    choose: Take

    @property
    def VOICES(self) -> int:
        return len(self.PARTS)

    @cached_property
    def VOCABULARY(self) -> int:
        return max(part.VOCABULARY for part in self.PARTS)

    @cached_property
    def GIVEN(self) -> NDArray[np.bool_]:
        return np.concatenate([part.GIVEN for part in self.PARTS])

    @cached_property
    def START(self) -> Ints:
        return np.concatenate([part.START + first for part, first in zip(self.PARTS, self._firsts, strict=True)])

    @cached_property
    def LEGAL(self) -> NDArray[np.bool_]:
        """What a part has no word for, it cannot say."""
        return np.concatenate([self._wide(part.LEGAL) for part in self.PARTS])

    @cached_property
    def NEXT_STATE(self) -> Ints:
        return np.concatenate([self._wide(p.NEXT_STATE + n) for p, n in zip(self.PARTS, self._firsts, strict=True)])

    @cached_property
    def STIFF(self) -> Ints:
        """No part of several says how its notes are played."""
        return np.arange(self.VOCABULARY)

    @cached_property
    def TOUCH(self) -> NDArray[np.float64]:
        return np.full((self.VOCABULARY, 2), np.nan)

    @cached_property
    def LABELS(self) -> tuple[Mapping[int, str], ...]:
        return tuple(labels for part in self.PARTS for labels in part.LABELS)

    @cached_property
    def LANES(self) -> int:
        return sum(part.LANES for part in self.PARTS)

    @cached_property
    def DESCRIPTORS(self) -> Mapping[str, Descriptor]:
        """Those of each part, by the name of its instrument and their own."""
        return {
            f"{instrument.name}_{name}": partial(_of_voice, voice=voice, descriptor=descriptor)
            for voice, (part, instrument) in enumerate(zip(self.PARTS, self.INSTRUMENTS, strict=True))
            for name, descriptor in part.DESCRIPTORS.items()
        }

    def take(self, song: Song, track: int | str | None = None) -> tuple[Voice, ...]:
        """The best of `takes`."""
        return self.takes(song, track)[0]

    def takes(self, song: Song, track: int | str | None = None) -> tuple[tuple[Voice, ...], ...]:
        """Every choice of V voices that a song offers, the best first; without any a `NoVoice` with the reason."""
        return self.choose(song, track)

    def lane(self, notes: GridNotes) -> Ints:
        """The lane of each note in its part, after the lanes of the parts before: [n]."""
        lanes, before = np.zeros(len(notes), np.int64), 0
        for voice, part in enumerate(self.PARTS):
            rows = notes.voice == voice
            lanes[rows] = before + part.lane(notes.select(rows))
            before += part.LANES
        return lanes

    def encode(self, notes: GridNotes, steps: int) -> Ints:
        """Tokens [T, V] of notes with their voices."""
        voices = (notes.select(notes.voice == voice) for voice in range(self.VOICES))
        return np.concatenate([part.encode(own, steps) for part, own in zip(self.PARTS, voices, strict=True)], 1)

    def decode(self, tokens: Tokens, velocity: int = 80) -> GridNotes:
        """The notes of all voices: the inverse of `encode`."""
        parts = [part.decode(own, velocity) for part, own in self._split(tokens)]
        notes = GridNotes.joined([own.with_voices(np.full(len(own), voice)) for voice, own in enumerate(parts)])
        return notes.select(np.lexsort((notes.voice, notes.pitch, notes.start)))

    def window(self, tokens: Tokens, start: int, steps: int) -> Tokens:
        """Tokens [steps, V] from step `start` on: one row of `windows`."""
        only: Tokens = self.windows(tokens, np.array([start]), steps)[0]
        return only

    def windows(self, tokens: Tokens, starts: Ints, steps: int) -> Tokens:
        """Windows [N, steps, V] of tokens [T, V], each part's as it cuts them."""
        return np.concatenate([part.windows(own, starts, steps) for part, own in self._split(tokens)], -1)

    def transpose(self, tokens: Tokens, semitones: Tokens) -> Tokens:
        """Windows [N, T, V] with all that has a key moved alike."""
        return np.concatenate([part.transpose(own, semitones) for part, own in self._split(tokens)], -1)

    def headroom(self, tokens: Tokens, lowest: int = 0, highest: int = 127) -> tuple[Ints, Ints]:
        """How far each window of [N, T, V] can be moved down (≤ 0) and up (≥ 0) with all its voices in the range."""
        parts = zip(self._split(tokens), self._keyed, strict=True)
        rooms = [part.headroom(own, lowest, highest) for (part, own), keyed in parts if keyed]
        if not rooms:
            return np.zeros(len(tokens), np.int64), np.zeros(len(tokens), np.int64)
        down, up = zip(*rooms, strict=True)
        return np.max(down, 0), np.min(up, 0)

    def without_key(self, tokens: Tokens) -> Tokens:
        """Windows [N, T, V] moved so that the lowest pitch of all voices is 0."""
        down, _ = self.headroom(tokens)
        return self.transpose(np.asarray(tokens).astype(np.int64), down)

    def content(self, tokens: Tokens) -> Ints:
        """Number of onsets of all voices in each window of [N, T, V]."""
        return np.asarray(np.sum([part.content(own) for part, own in self._split(tokens)], 0), np.int64)

    def common(self, one: Tokens, other: Tokens) -> Ints:
        """Number of onsets that each two windows of [N, T, V] have in common, voice by voice."""
        pairs = zip(self._split(one), self._split(other), strict=True)
        return np.asarray(np.sum([part.common(a, b) for (part, a), (_, b) in pairs], 0), np.int64)

    def onsets(self, tokens: Tokens) -> NDArray[np.bool_]:
        """Where something starts: bool of the shape of `tokens`."""
        return np.concatenate([part.onsets(own) for part, own in self._split(tokens)], -1)

    def mixed(self, tokens: Tokens, others: Tokens, lanes: NDArray[np.bool_]) -> Tokens:
        """Windows [N, T, V] with what is in `lanes` [N, LANES] as it is in `others`."""
        ends = np.cumsum([part.LANES for part in self.PARTS])
        parts = zip(self._split(tokens), self._split(others), np.split(lanes, ends[:-1], 1), strict=True)
        return np.concatenate([part.mixed(own, other, those) for (part, own), (_, other), those in parts], -1)

    @cached_property
    def _firsts(self) -> Sequence[int]:
        """The row of each part's first state."""
        return [sum(len(part.LEGAL) for part in self.PARTS[:voice]) for voice in range(self.VOICES)]

    @cached_property
    def _keyed(self) -> Sequence[bool]:
        """Which parts have a key: whether there is a token of theirs that transposition moves."""
        alphabets = (np.arange(part.VOCABULARY)[None, :, None] for part in self.PARTS)
        one = np.ones(1, np.int64)
        return [bool((p.transpose(a, one) != a).any()) for p, a in zip(self.PARTS, alphabets, strict=True)]

    def _split(self, tokens: Tokens) -> Iterator[tuple[Representation, Tokens]]:
        """Each part and its voice of tokens [..., V], as [..., 1]."""
        values = np.asarray(tokens)
        return ((part, values[..., [voice]]) for voice, part in enumerate(self.PARTS))

    def _wide(self, table: NDArray[Any]) -> NDArray[Any]:
        """A part's table [states, own K] with columns of zeros for the tokens that it lacks: [states, K]."""
        return np.pad(table, ((0, 0), (0, self.VOCABULARY - table.shape[1])))


def _of_voice(notes: GridNotes, frame: Frame, voice: int, descriptor: Descriptor) -> float:
    return descriptor(notes.select(notes.voice == voice), frame)
