"""Which tracks of a song are its drums, and all their notes as one part.

General MIDI's channel 10 is what says drums (`Track.is_drum`); many files spread a kit over several tracks of it, and
what is heard is all of them together.
"""

from __future__ import annotations

import numpy as np

from musicvae_lite.music.notes import Notes, Song, Track
from musicvae_lite.music.voices import Instrument, NoVoice, Voice, described, matching


class NoDrums(NoVoice):
    """A song without usable drums."""


def drum_tracks(song: Song, track: int | str | None = None) -> Voice:
    """All drum tracks as one voice, or those that `track` means: an index in `song.tracks` or a part of a name.

    A track that is asked for is taken for drums whatever its channel, but drum tracks go before others of that name.
    `NoDrums` if there are none.
    """
    sounding = [index for index, each in enumerate(song.tracks) if len(each.notes)]
    if not sounding:
        raise NoDrums("no notes", "expected a drum track")
    found = sounding if track is None else matching(song, sounding, track)
    drums = [index for index in found if song.tracks[index].is_drum]
    if not found or (track is None and not drums):
        reason = "no drums" if track is None else f'no track "{track}"'
        raise NoDrums(
            reason,
            "expected notes on channel 10, or a track named with --track where the drums are on another channel, "
            f"of: {described(song, sounding)}",
        )
    taken = drums or found
    first = song.tracks[taken[0]]
    why = "asked for" if track is not None else "the drums" if len(taken) == 1 else "all drum tracks together"
    return Voice(_merged([song.tracks[index] for index in taken]), tuple(taken), _instrument(first), why)


def _instrument(track: Track) -> Instrument:
    return Instrument(track.name, track.program if track.is_drum else 0, True)


def _merged(tracks: list[Track]) -> Notes:
    """The notes of all tracks, sorted by (start, pitch)."""
    columns = (
        np.concatenate([getattr(each.notes, name) for each in tracks]) for name in ("pitch", "velocity", "start", "end")
    )
    notes = Notes(*columns)
    return notes.select(np.lexsort((notes.pitch, notes.start)))
