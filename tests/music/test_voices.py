"""Voices go to the grid and back to tracks, and it is told how far their onsets lie from it."""

from __future__ import annotations

import math

import pytest

from musicvae_lite.music.notes import Note, Notes, Track
from musicvae_lite.music.voices import Instrument, Voice, timing, to_grid, to_tracks

FLUTE, KIT = Instrument("flute", 73), Instrument("kit", 8, True)


def voice(instrument: Instrument, *rows: tuple[int, float, float]) -> Voice:
    return Voice(Notes.of(Note(pitch, 80, start, end) for pitch, start, end in rows), (0,), instrument, "")


TUNE = voice(FLUTE, (72, 0, 1), (74, 1, 3))
BEAT = voice(KIT, (36, 0, 0.25), (42, 0, 0.25), (38, 1, 1.25))


def test_two_voices_on_one_grid_come_back_as_two_tracks_with_their_instruments() -> None:
    grid = to_grid([TUNE, BEAT], 4)
    assert grid.start.tolist() == [0, 0, 0, 4, 4]
    assert grid.voice.tolist() == [1, 1, 0, 1, 0]
    tracks = to_tracks(grid, (FLUTE, KIT), 4)
    assert tracks == (Track(TUNE.notes, "flute", 73), Track(BEAT.notes, "kit", 8, True))


def test_a_title_names_the_only_track_and_stands_before_several() -> None:
    assert [t.name for t in to_tracks(to_grid([TUNE], 4), (FLUTE,), 4, "step 1")] == ["step 1"]
    both = to_tracks(to_grid([TUNE, BEAT], 4), (FLUTE, KIT), 4, "step 1")
    assert [t.name for t in both] == ["step 1, flute", "step 1, kit"]


def test_a_voice_that_is_silent_keeps_its_track() -> None:
    assert [len(t.notes) for t in to_tracks(to_grid([TUNE, voice(KIT)], 4), (FLUTE, KIT), 4)] == [2, 0]


def test_drums_are_a_family_of_their_own() -> None:
    assert [FLUTE.family, KIT.family] == ["pipe", "drums"]


def test_triplets_lie_on_a_finer_grid_and_playing_by_hand_does_not() -> None:
    triplets = timing([voice(FLUTE, (60, 0, 1), (60, 1 / 3, 1), (60, 2 / 3, 1))], 4)
    assert triplets[:3] == pytest.approx((3, 2 / 3, 0))
    by_hand = timing([TUNE, voice(KIT, (36, 0.05, 1), (36, 0.95, 2))], 4)
    assert by_hand == pytest.approx((4, 0.5, 0.5, 0.1))


def test_without_onsets_the_timing_is_undefined() -> None:
    assert math.isnan(timing([voice(KIT)], 4).off_grid)
