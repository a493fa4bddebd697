"""Groove: a performance on nine kinds of drum, one token a kind and step. Notes on the grid ↔ int64 [T, V], V = 9.

    token 0                          the kind is not struck at this step
    token 1 + velocity · O + offset  it is, as loud as one of `VELOCITIES`, as early or late as one of `OFFSETS`

What GrooVAE learns (Gillick et al. 2019, arXiv 1905.06118, §3.2: hits, velocities and offsets of nine kinds of drum on
a grid of sixteenths), there as two real numbers beside each hit, here as one of K tokens, so that velocity and offset
can have any distribution, together. Strokes go to the nearest step, as in the paper; of several of one kind at one
step the loudest stays. The middle of the offsets is the grid itself. Which drum is of which kind: `tokens.drums`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.music.descriptors import STROKE_DESCRIPTORS
from musicvae_lite.music.grid import PARTS, GridNotes
from musicvae_lite.tokens.drums import INSTRUMENTS as INSTRUMENTS
from musicvae_lite.tokens.drums import KIND_OF, PITCHES, UNKNOWN
from musicvae_lite.tokens.drums import LABELS as LABELS
from musicvae_lite.tokens.drums import LANES as LANES
from musicvae_lite.tokens.drums import headroom as headroom
from musicvae_lite.tokens.drums import lane as lane
from musicvae_lite.tokens.drums import take as take
from musicvae_lite.tokens.drums import takes as takes
from musicvae_lite.tokens.drums import transpose as transpose
from musicvae_lite.tokens.drums import without_key as without_key
from musicvae_lite.tokens.protocol import mixed as mixed

Tokens = NDArray[np.integer[Any]]

BIN = 8  # parts of a step: 1/15
OFFSETS = BIN * np.arange(-7, 8)  # [O], in parts of a step: together they cover a whole one
VELOCITIES = 8 + 16 * np.arange(8)  # the middles of 0–15, 16–31, … 112–127
STANDARD = 5  # the velocity of a stiff stroke: 88, of 80–95

NAME = "groove"
VOICES = len(PITCHES)  # V
VOCABULARY = 1 + len(VELOCITIES) * len(OFFSETS)  # K
GIVEN = np.zeros(VOICES, bool)
START = np.zeros(VOICES, np.int64)
LEGAL = np.ones((1, VOCABULARY), bool)
NEXT_STATE = np.zeros((1, VOCABULARY), np.int64)
DESCRIPTORS = STROKE_DESCRIPTORS
STIFF = np.full(VOCABULARY, 1 + STANDARD * len(OFFSETS) + len(OFFSETS) // 2)
STIFF[0] = 0
TOUCH = np.full((VOCABULARY, 2), np.nan)
TOUCH[1:, 0] = np.repeat(VELOCITIES, len(OFFSETS)) / 127
TOUCH[1:, 1] = np.tile(OFFSETS, len(VELOCITIES)) / PARTS


def encode(notes: GridNotes, steps: int) -> NDArray[np.int64]:
    """Tokens [T, 9] of the strokes at steps 0 … `steps`-1; of several of one kind at one step, the loudest."""
    kinds = KIND_OF[notes.pitch]
    inside = (notes.start >= 0) & (notes.start < steps) & (kinds != UNKNOWN)
    heard, kinds = notes.select(inside), kinds[inside]
    velocity = np.clip(heard.velocity, 0, 127) // 16
    offset = np.clip(np.rint(heard.offset / BIN), -7, 7).astype(np.int64) + 7
    order = np.argsort(heard.velocity, kind="stable")  # the last one written stays
    tokens = np.zeros((steps, VOICES), np.int64)
    tokens[heard.start[order], kinds[order]] = (1 + velocity * len(OFFSETS) + offset)[order]
    return tokens


def decode(tokens: Tokens, velocity: int = 80) -> GridNotes:
    """Strokes of tokens [T, 9], one step long, as loud and as far off the grid as they say: the inverse of `encode`.

    `velocity` is for tokens that carry none, of which there are none here.
    """
    values = np.asarray(tokens).astype(np.int64)
    start, kind = np.nonzero(values)
    loudness, offset = np.divmod(values[start, kind] - 1, len(OFFSETS))
    pitch = PITCHES[kind]
    found = GridNotes(pitch, VELOCITIES[loudness], start, start + 1, offset=OFFSETS[offset])
    return found.select(np.lexsort((pitch, start)))


def window(tokens: Tokens, start: int, steps: int) -> Tokens:
    """Tokens [steps, 9] from step `start` on: one row of `windows`."""
    only: Tokens = windows(tokens, np.array([start]), steps)[0]
    return only


def windows(tokens: Tokens, starts: NDArray[np.int64], steps: int) -> Tokens:
    """Windows [N, steps, 9] of tokens [T, 9], one from each step of `starts` on; after the last token is silence."""
    values = np.asarray(tokens)
    silence = max(int(starts.max(initial=0)) + steps - len(values), 0)
    cut: Tokens = np.pad(values, ((0, silence), (0, 0)))[starts[:, None] + np.arange(steps)]
    return cut


def content(tokens: Tokens) -> NDArray[np.int64]:
    """Number of strokes in each window of [N, T, 9]; 0 where all is silent."""
    return np.asarray(onsets(tokens).sum((1, 2)), np.int64)


def common(one: Tokens, other: Tokens) -> NDArray[np.int64]:
    """Number of strokes of the same kind at the same step in each two windows of [N, T, 9], however they are played."""
    return np.asarray((onsets(one) & onsets(other)).sum((1, 2)), np.int64)


def onsets(tokens: Tokens) -> NDArray[np.bool_]:
    """Where a kind is struck: bool of the shape of `tokens`."""
    return np.asarray(np.asarray(tokens) > 0)
