"""What each voice can say, and what may follow what: a representation's automata as tensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musicvae_lite.tokens import Representation, words


class Grammar(nn.Module):
    """The automata of all voices; nothing in it is learned or saved."""

    legal: Tensor  # [states, K]
    next_state: Tensor  # [states, K]
    first: Tensor  # [V], the state that each voice starts in
    given: Tensor  # bool [V], the voices that are told and not predicted

    def __init__(self, form: Representation) -> None:
        super().__init__()
        self.vocabulary = form.VOCABULARY
        self.predicted = np.flatnonzero(~form.GIVEN).tolist()  # [P], the voices that are not given
        self.words = [words(form, voice) for voice in self.predicted]  # [P], how many tokens each has
        self.register_buffer("legal", torch.from_numpy(form.LEGAL), persistent=False)
        self.register_buffer("next_state", torch.from_numpy(form.NEXT_STATE), persistent=False)
        self.register_buffer("first", torch.from_numpy(form.START), persistent=False)
        self.register_buffer("given", torch.from_numpy(form.GIVEN), persistent=False)

    def allowed(self, logits: Tensor, place: Tensor) -> Tensor:
        """The logits [B, V, K] with −∞ for what may not follow where the automata are, [B, V]."""
        return logits.masked_fill(~self.legal[place], -torch.inf)

    def after(self, place: Tensor, tokens: Tensor) -> Tensor:
        """Where the automata are after `tokens`, [B, V]."""
        return self.next_state[place, tokens]

    def heard(self, previous: Tensor, tokens: Tensor) -> Tensor:
        """What is heard at steps of `tokens` [..., V]: of given voices the step itself, of others what was before."""
        return torch.where(self.given, tokens, previous)

    def completed(self, logits: Tensor, tokens: Tensor) -> Tensor:
        """Logits [..., V, K] of those of the predicted voices, [..., P, K].

        The given ones say `tokens` [..., V] and can say nothing else: their cross-entropy is 0, and decoding obeys.
        """
        if len(self.predicted) == len(self.given):
            return logits
        whole = logits.new_full((*tokens.shape, self.vocabulary), -torch.inf).scatter(-1, tokens[..., None], 0.0)
        whole[..., self.predicted, :] = logits
        return whole

    def spelled(self, scores: Tensor, words: Sequence[int]) -> Tensor:
        """Logits [..., n, K] of scores [..., Σ words], n `words`: −∞ for tokens that a voice with fewer has not got."""
        if set(words) == {self.vocabulary}:
            equal: Tensor = scores.unflatten(-1, (len(words), self.vocabulary))
            return equal
        missing = (self.vocabulary - size for size in words)
        voices = zip(scores.split(list(words), -1), missing, strict=True)
        return torch.stack([F.pad(voice, (0, lacks), value=-torch.inf) for voice, lacks in voices], -2)
