"""Melody over chords: a tune, and the chords under it, which are given. Notes ↔ int64 [T, V] with V = 2.

    voice 0   the melody     as `tokens.melody`
    voice 1   the chords     as `tokens.chords`; the model hears them and does not predict them

Magenta's `cat-mel_2bar_med_chords`: encoder and decoder are told the chord of each step, so that z says the tune and
not its harmony, and a tune can be had over other chords.
"""

from __future__ import annotations

from musicvae_lite.music.notes import Song
from musicvae_lite.music.voices import Voice
from musicvae_lite.tokens import chords, melody
from musicvae_lite.tokens.together import Together


def takes(song: Song, track: int | str | None = None) -> tuple[tuple[Voice, ...], ...]:
    """(melody, chords) of a song; a song without chords gives its melody over none."""
    (tune,) = melody.take(song, track)
    others = [i for i, each in enumerate(song.tracks) if i not in tune.tracks and not each.is_drum]
    return ((tune, chords.accompaniment(song, others)),)


MELODY_CHORDS = Together(
    NAME="melody-chords",
    PARTS=(melody, chords),
    INSTRUMENTS=(*melody.INSTRUMENTS, *chords.INSTRUMENTS),
    choose=takes,
)
