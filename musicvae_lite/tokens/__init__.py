"""Notes on the grid ↔ integers. One file a representation, one row in `REPRESENTATIONS`.

A representation is a module or an object that satisfies `Representation`; everything after tokens works through that
protocol, so that a new one is one file here and one row below. No later stage asks for a representation's name.
"""

from __future__ import annotations

import numpy as np

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.tokens import drums, groove, melody
from musicvae_lite.tokens.melody_chords import MELODY_CHORDS
from musicvae_lite.tokens.protocol import Representation as Representation
from musicvae_lite.tokens.protocol import Tokens as Tokens
from musicvae_lite.tokens.trio import TRIO

_ALL: tuple[Representation, ...] = (melody, drums, groove, TRIO, MELODY_CHORDS)
REPRESENTATIONS: dict[str, Representation] = {each.NAME: each for each in _ALL}


def representation(name: str) -> Representation:
    """The representation of that name; an unknown one is a `MusicVAEError` that lists the known ones."""
    if name not in REPRESENTATIONS:
        raise MusicVAEError(f"unknown representation {name!r}: expected one of {', '.join(sorted(REPRESENTATIONS))}")
    return REPRESENTATIONS[name]


def words(form: Representation, voice: int) -> int:
    """One more than the last token that a voice can say, from its first state on."""
    seen, reached = set[int](), {int(form.START[voice])}
    while reached - seen:
        here = (reached - seen).pop()
        seen.add(here)
        reached |= set(form.NEXT_STATE[here, form.LEGAL[here]].tolist())
    return int(np.flatnonzero(form.LEGAL[sorted(seen)].any(0))[-1]) + 1


def read_by(form: Representation, part: int) -> list[int]:
    """The voices that are read where only that one of the predicted voices is: itself, and those that are given."""
    own = np.flatnonzero(~form.GIVEN)[part]
    return [voice for voice in range(form.VOICES) if form.GIVEN[voice] or voice == own]


def has_touch(form: Representation) -> bool:
    """Whether its tokens say how notes are played: how loud, how early or late."""
    return not np.isnan(form.TOUCH).all()
