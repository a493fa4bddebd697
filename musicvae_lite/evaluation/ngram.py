"""How surprising is a melody, by what has followed what in a corpus? tokens [N, T, V] → bits a token.

A 5-gram over the steps of each voice, as in MusicVAE's study of interpolations (Roberts et al. 2018, §5.2), with
every pitch spelled as the interval from the pitch before it in the window, so that a key means nothing. Smoothing is
interpolated Witten–Bell (Witten & Bell 1991; Chen & Goodman 1999, eq. 17), which has nothing to tune:

    P(w | h) = (count(h, w) + kinds(h) · P(w | h without its first)) / (count(h) + kinds(h))

with kinds(h) the number of different symbols seen after h, ending in the uniform distribution over the alphabet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.tokens import Representation

ORDER = 5
WIDEST = 127  # semitones between two MIDI pitches

Tokens = NDArray[np.integer[Any]]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Counts:
    """What followed contexts of one length: sorted codes, and how often each occurred."""

    context: Codes  # [contexts]
    total: Codes  # [contexts]
    kinds: Codes  # [contexts]
    gram: Codes  # [grams], a context and what followed
    count: Codes  # [grams]


@dataclass(frozen=True, eq=False)
class NGram:
    """What `fit` has counted: for each voice, contexts of 0, 1, … ORDER - 1 symbols."""

    representation: Representation
    voices: tuple[tuple[Counts, ...], ...]

    def cost(self, tokens: Tokens) -> NDArray[np.float64]:
        """−log2 P of each window of [N, T, V], in bits a token: [N]."""
        symbols, alphabet = intervals(tokens, self.representation), alphabet_size(self.representation)
        voices = [_chances(symbols[:, :, v], counts, alphabet) for v, counts in enumerate(self.voices)]
        return np.asarray(-np.log2(np.stack(voices, -1)).mean((1, 2)), np.float64)


def fit(groups: Sequence[Tokens], representation: Representation) -> NGram:
    """The n-gram model of all windows of `groups`, [N, T, V] each, of any lengths."""
    alphabet = alphabet_size(representation)
    spelled = [intervals(tokens, representation) for tokens in groups]
    voices = range(representation.VOICES)
    return NGram(representation, tuple(_count([s[:, :, v] for s in spelled], alphabet) for v in voices))


def intervals(tokens: Tokens, representation: Representation) -> Codes:
    """Tokens [N, T, V] with each pitch as its distance from the one before in its voice; other tokens stay as they are.

    A pitch is a token that transposition moves. Distances are K + WIDEST + semitones; the first pitch of a window has
    a symbol of its own, the last of the alphabet.
    """
    values = np.asarray(tokens).astype(np.int64)
    pitched = representation.transpose(values, np.ones(len(values), np.int64)) != values
    steps = np.arange(1, values.shape[1] + 1)[:, None]
    latest = np.maximum.accumulate(np.where(pitched, steps, 0), 1)
    before = np.concatenate([np.zeros_like(latest[:, :1]), latest[:, :-1]], 1)  # 0: no pitch yet
    previous = np.take_along_axis(values, np.maximum(before - 1, 0), 1)
    distance = representation.VOCABULARY + WIDEST + values - previous
    first = alphabet_size(representation) - 1
    return np.where(pitched, np.where(before > 0, distance, first), values)


def alphabet_size(representation: Representation) -> int:
    """How many symbols `intervals` can give."""
    return representation.VOCABULARY + 2 * WIDEST + 2


def _count(voice: Sequence[Codes], alphabet: int) -> tuple[Counts, ...]:
    tables = []
    for length in range(ORDER):
        pairs = [_codes(symbols, length, alphabet) for symbols in voice]
        context, gram = (np.concatenate([np.empty(0, np.int64), *column]) for column in zip(*pairs, strict=True))
        grams, first, count = np.unique(gram, return_index=True, return_counts=True)
        contexts, total = np.unique(context, return_counts=True)
        kinds = np.unique(context[first], return_counts=True)[1]
        tables.append(Counts(contexts, total, kinds, grams, count))
    return tuple(tables)


def _chances(symbols: Codes, tables: Sequence[Counts], alphabet: int) -> NDArray[np.float64]:
    """P of each symbol given those before it in its window: [N, T]."""
    chances = np.full(symbols.size, 1 / alphabet)
    for length, table in enumerate(tables):
        context, gram = _codes(symbols, length, alphabet)
        total, kinds = _look_up(context, table.context, table.total), _look_up(context, table.context, table.kinds)
        seen = total > 0
        smoothed = (_look_up(gram, table.gram, table.count) + kinds * chances) / np.maximum(total + kinds, 1)
        chances = np.where(seen, smoothed, chances)
    return chances.reshape(symbols.shape)


def _codes(symbols: Codes, length: int, alphabet: int) -> tuple[Codes, Codes]:
    """One number for the `length` symbols before each step, and one for those and the step's own: [N · T] each."""
    base = alphabet + 1  # `alphabet` itself stands before a window's first step
    assert base**ORDER < 2**63
    padded = np.pad(symbols, ((0, 0), (length, 0)), constant_values=alphabet)
    context = np.zeros_like(symbols)
    for back in range(length):
        context = context * base + padded[:, back : back + symbols.shape[1]]
    return context.ravel(), (context * base + symbols).ravel()


def _look_up(codes: Codes, known: Codes, values: Codes) -> Codes:
    """The value of each code, 0 for one that is not `known` (sorted)."""
    if not len(known):
        return np.zeros_like(codes)
    place = np.minimum(np.searchsorted(known, codes), len(known) - 1)
    return np.where(known[place] == codes, values[place], 0)
