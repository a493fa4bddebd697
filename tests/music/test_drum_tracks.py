"""All drum tracks are one part, unless one is asked for."""

from __future__ import annotations

import pytest

from musicvae_lite.music.drum_tracks import NoDrums, drum_tracks
from musicvae_lite.music.notes import Note, Notes, Song, Track


def beat(pitch: int, name: str, is_drum: bool = True, program: int = 0) -> Track:
    return Track(Notes.of(Note(pitch, 80, float(start), start + 0.5) for start in range(4)), name, program, is_drum)


BAND = Song(
    (beat(60, "Piano", False), beat(38, "Snare", program=8), Track(Notes.of([]), "", 0, True), beat(36, "Kick"))
)


def test_all_drum_tracks_are_taken_together_in_order() -> None:
    found = drum_tracks(BAND)
    assert found.notes.pitch.tolist() == [36, 38] * 4
    assert found.tracks == (1, 3)
    assert found.choice == "tracks 1, 3 'Snare': all drum tracks together"
    assert found.instrument == ("Snare", 8, True)


@pytest.mark.parametrize("track", [3, "3", "kick"])
def test_one_of_them_can_be_asked_for_by_number_or_name(track: int | str) -> None:
    found = drum_tracks(BAND, track)
    assert (found.notes.pitch.tolist(), found.choice) == ([36] * 4, "track 3 'Kick': asked for")


def test_a_track_on_another_channel_is_drums_if_it_is_asked_for() -> None:
    found = drum_tracks(Song((beat(36, "Drums", False, program=118),)), "drums")
    assert found.instrument == ("Drums", 0, True)


def test_without_drums_it_is_said_what_there_is() -> None:
    with pytest.raises(NoDrums, match=r'no drums: expected notes on channel 10, .*: 0 "Piano" \(program 0, 4 notes\)$'):
        drum_tracks(Song(BAND.tracks[:1]))
    with pytest.raises(NoDrums, match=r'no track "gong": .* 1 "Snare" \(drums, 4 notes\); 3 "Kick"'):
        drum_tracks(BAND, "gong")
    with pytest.raises(NoDrums, match="no notes: expected a drum track"):
        drum_tracks(Song(()))
