"""Trio: a melody, a bass and the drums of one song on one grid. Notes ↔ int64 [T, V] with V = 3.

    voice 0   the melody     as `tokens.melody`
    voice 1   the bass       likewise
    voice 2   the drums      as `tokens.drums`

MusicVAE's trios (Roberts et al. 2018, arXiv 1803.05428, §4.1). What they are in tokens is what melodies and drums are;
here is only which tracks of a song they are. A song with several tunes gives a trio with each.
"""

from __future__ import annotations

from musicvae_lite.music.bass_line import bass_line, left_hand
from musicvae_lite.music.drum_tracks import NoDrums
from musicvae_lite.music.melody_line import melody_lines
from musicvae_lite.music.notes import Song
from musicvae_lite.music.voices import Instrument, NoVoice, Voice, described
from musicvae_lite.tokens import drums, melody
from musicvae_lite.tokens.together import Together

MELODY, BASS, DRUMS = range(3)  # voices
BASS_PROGRAM = 33  # fingered electric bass


def takes(song: Song, track: int | str | None = None) -> tuple[tuple[Voice, ...], ...]:
    """(melody, bass, drums) for each tune of the song, the best first; `track` is the melody's.

    `NoVoice` where one of the three is missing, with those that are there.
    """
    pitched = [index for index, each in enumerate(song.tracks) if len(each.notes) and not each.is_drum]
    bass = bass_line(song, pitched)
    others = [index for index in pitched if bass is None or index != bass.track]
    tunes = [melody.as_voice(tune) for tune in melody_lines(song, others, track)]
    low = None if bass is None else melody.as_voice(bass)
    hand = left_hand(song, pitched) if bass is None else bass  # not a bass, but a line to learn from
    there = (tunes[0] if tunes else None, None if hand is None else melody.as_voice(hand))
    found = {voice: each for voice, each in zip((MELODY, BASS), there, strict=True) if each is not None}
    try:
        (kit,) = drums.take(song)
    except NoDrums as missing:
        raise NoVoice(missing.reason, missing.advice, found) from None
    if low is None:
        expected = "expected a track with a program of 32 to 39, one named bass, or a low line"
        raise NoVoice("no bass", f"{expected}, beside the drums: {_described(song, others)}", found | {DRUMS: kit})
    if not tunes:
        reason = "no melody beside the bass" if track is None else f'no melodic track "{track}" beside the bass'
        expected = f"expected a further track with notes that is not drums; {low.choice}"
        raise NoVoice(reason, f"{expected}, others are: {_described(song, others)}", found | {DRUMS: kit})
    return tuple((tune, low, kit) for tune in tunes)


def _described(song: Song, tracks: list[int]) -> str:
    return described(song, tracks) or "none"


TRIO = Together(
    NAME="trio",
    PARTS=(melody, melody, drums),
    INSTRUMENTS=(*melody.INSTRUMENTS, Instrument("bass", BASS_PROGRAM), *drums.INSTRUMENTS),
    choose=takes,
)
