"""What each voice can say, and what may follow what: `model.grammar`."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from musicvae_lite.inference.codec import Floats, Ints
from musicvae_lite.tokens import Representation, words


class Grammar:
    """The automata of all voices, and which of them are given."""

    def __init__(self, form: Representation, number_type: DTypeLike) -> None:
        self.vocabulary, self.first = form.VOCABULARY, form.START
        self.predicted = np.flatnonzero(~form.GIVEN).tolist()  # [P], the voices that are not given
        self.words = [words(form, voice) for voice in self.predicted]  # [P], how many tokens each has
        self._given = form.GIVEN if form.GIVEN.any() else None
        self._forbidden = np.where(form.LEGAL, 0, -np.inf).astype(number_type)  # [states, K]
        self._next = form.NEXT_STATE

    def allow(self, logits: Floats, place: Ints) -> None:
        """Make the logits [B, V, K] of what may not follow where the automata are, [B, V], −∞, in place."""
        logits += self._forbidden[place]

    def after(self, place: Ints, tokens: Ints) -> Ints:
        """Where the automata are after `tokens`, [B, V]."""
        return self._next[place, tokens]

    def heard(self, previous: Ints, tokens: Ints) -> Ints:
        """What is heard at steps of `tokens` [..., V]: of given voices the step itself, of others what was before."""
        return previous if self._given is None else np.where(self._given, tokens, previous)

    def completed(self, logits: Floats, tokens: Ints) -> Floats:
        """Logits [..., V, K] of those of the predicted voices, [..., P, K]; the given ones say `tokens` [..., V]."""
        if self._given is None:
            return logits
        whole = np.full((*tokens.shape, self.vocabulary), -np.inf, logits.dtype)
        np.put_along_axis(whole, tokens[..., None], 0, -1)
        whole[..., self.predicted, :] = logits
        return whole


class Rows:
    """Where the vectors of tokens stand in a table of voices: each voice's words, then the start of a sequence."""

    def __init__(self, form: Representation, voices: list[int] | None = None) -> None:
        self._voices = list(range(form.VOICES)) if voices is None else voices
        self._last = np.array([words(form, voice) for voice in self._voices])
        self._offset = np.cumsum(self._last + 1) - self._last - 1
        self.count = int((self._last + 1).sum())

    def __call__(self, tokens: Ints) -> Ints:
        """A row for each voice of the table for tokens [..., V], of which those past a voice's words are its start."""
        read = tokens if len(self._voices) == tokens.shape[-1] else tokens[..., self._voices]
        rows: Ints = np.minimum(read, self._last) + self._offset
        return rows
