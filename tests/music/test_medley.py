"""Several songs become one, each behind the other with its tempo and its instruments."""

from __future__ import annotations

from musicvae_lite.music.medley import medley
from musicvae_lite.music.notes import Meter, MeterChange, Note, Notes, Song, TempoChange, Track

WALTZ = (MeterChange(0.0, Meter(3, 4)),)


def song(pitch: int, qpm: float, *programs: int) -> Song:
    """A note a quarter long in each track."""
    tracks = tuple(Track(Notes.of([Note(pitch + i, 80, 0, 1)]), "step", each) for i, each in enumerate(programs))
    return Song(tracks, (TempoChange(0.0, qpm),), WALTZ)


def test_each_song_keeps_its_notes_and_its_tempo_and_has_a_marker() -> None:
    whole, markers = medley([song(60, 100.0, 0), song(62, 90.0, 0)], 6.0, "both")
    (track,) = whole.tracks
    assert (track.name, track.program) == ("both", 0)
    assert list(track.notes) == [Note(60, 80, 0, 1), Note(62, 80, 6, 7)]
    assert whole.tempos == (TempoChange(0.0, 100.0), TempoChange(6.0, 90.0))
    assert whole.meters == WALTZ
    assert markers == [(0.0, "1 of 2"), (6.0, "2 of 2")]


def test_a_voice_has_a_track_for_each_instrument_that_plays_it() -> None:
    whole, _ = medley([song(60, 100.0, 0, 32), song(62, 100.0, 40, 32)], 6.0, "both")
    assert [(track.program, len(track.notes)) for track in whole.tracks] == [(0, 1), (32, 2), (40, 1)]


def test_a_song_without_a_note_keeps_its_place() -> None:
    silent = Song((Track(Notes.of([]), "step"),), (TempoChange(0.0, 100.0),))
    whole, _ = medley([song(60, 100.0, 0), silent, song(60, 100.0, 0)], 4.0, "all")
    assert list(whole.tracks[0].notes) == [Note(60, 80, 0, 1), Note(60, 80, 8, 9)]
