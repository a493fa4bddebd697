"""Several songs → one, each behind the other."""

from __future__ import annotations

from collections.abc import Sequence

from musicvae_lite.music.notes import Notes, Song, TempoChange, Track


def medley(songs: Sequence[Song], length: float, name: str) -> tuple[Song, list[tuple[float, str]]]:
    """One song of them all, each `length` quarters long, with tracks of that name; and a marker (quarter, text) each.

    The tracks of one number are one voice, which has a track for each instrument that plays it on the way. Each has
    its own tempo, its first; the meter is that of the first song.
    """
    tracks: dict[tuple[int, int, bool], list[tuple[int, int, float, float]]] = {}
    tempos, markers = [], []
    for index, song in enumerate(songs):
        start = index * length
        for voice, track in enumerate(song.tracks):
            rows = tracks.setdefault((voice, track.program, track.is_drum), [])
            rows += [(n.pitch, n.velocity, n.start + start, n.end + start) for n in track.notes]
        tempos.append(TempoChange(start, song.tempos[0].qpm))
        markers.append((start, f"{index + 1} of {len(songs)}"))
    parts = tuple(Track(Notes.of(rows), name, program, drum) for (_, program, drum), rows in tracks.items())
    return Song(parts, tuple(tempos), songs[0].meters), markers
