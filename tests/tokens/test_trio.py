"""Trios: three voices in their own words, in one key, and which tracks of a song they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicvae_lite.music.descriptors import Frame
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.music.notes import Notes, Song, Track
from musicvae_lite.music.voices import NoVoice, to_grid, to_tracks
from musicvae_lite.tokens import drums, melody
from musicvae_lite.tokens.trio import TRIO
from tests.tokens.test_drums import sequences, some_strokes
from tests.tokens.test_melody import canonical, lines

Ints = NDArray[np.int64]
MELODY, BASS, DRUMS = range(3)


@st.composite
def played(draw: st.DrawFn) -> tuple[GridNotes, int]:
    """Notes of three voices as `decode` has them, and a number of steps that holds them."""
    parts = [draw(lines()), draw(lines()), (draw(some_strokes()), 24)]
    notes = GridNotes.joined([part.with_voices(np.full(len(part), v)) for v, (part, _) in enumerate(parts)])
    return notes.select(np.lexsort((notes.voice, notes.pitch, notes.start))), max(steps for _, steps in parts)


@st.composite
def tokens(draw: st.DrawFn, min_size: int = 1) -> Ints:
    """Canonical tokens [T, 3]."""
    voices = [draw(canonical(min_size)), draw(canonical(min_size)), draw(sequences(min_size))]
    return np.concatenate([voice[: min(map(len, voices))] for voice in voices], 1)


@given(played())
def test_decoding_gives_back_all_notes_with_their_voices(music: tuple[GridNotes, int]) -> None:
    notes, steps = music
    assert TRIO.decode(TRIO.encode(notes, steps)) == notes


@given(tokens())
def test_encoding_gives_back_every_canonical_sequence(line: Ints) -> None:
    np.testing.assert_array_equal(TRIO.encode(TRIO.decode(line), len(line)), line)


@given(tokens())
def test_each_voice_walks_through_its_own_part_of_the_table(line: Ints) -> None:
    for voice, start in enumerate(TRIO.START):
        state = start
        for token in line[:, voice]:
            assert TRIO.LEGAL[state, token]
            state = TRIO.NEXT_STATE[state, token]


def test_a_voice_can_say_all_its_own_words_and_no_other() -> None:
    for voice, part in enumerate((melody, melody, drums)):
        states, seen = {int(TRIO.START[voice])}, set[int]()
        while states - seen:
            here = (states - seen).pop()
            seen.add(here)
            states |= set(TRIO.NEXT_STATE[here, TRIO.LEGAL[here]].tolist())
        assert np.flatnonzero(TRIO.LEGAL[sorted(seen)].any(0)).tolist() == list(range(part.VOCABULARY))


@given(tokens(min_size=6), st.integers(0, 5), st.integers(1, 8))
def test_a_window_is_the_window_of_each_voice(line: Ints, start: int, steps: int) -> None:
    window = TRIO.window(line, start, steps)
    for voice, part in enumerate((melody, melody, drums)):
        np.testing.assert_array_equal(window[:, [voice]], part.window(line[:, [voice]], start, steps))


def trio(upper: int, lower: int, kit: int = 1) -> Ints:
    """One window of two steps: [1, 2, 3]."""
    return np.array([[[upper, lower, kit], [melody.HOLD, melody.HOLD, 0]]])


def test_melody_and_bass_move_together_and_drums_stay() -> None:
    np.testing.assert_array_equal(TRIO.transpose(trio(60, 36, 5), np.array([-2])), trio(58, 34, 5))


def test_there_is_room_as_far_as_the_nearer_voice_has_it() -> None:
    down, up = TRIO.headroom(trio(100, 23), 21, 108)
    assert (down.tolist(), up.tolist()) == ([-2], [8])
    silent = np.full((1, 2, 3), melody.HOLD)
    silent[..., DRUMS] = 0
    down, up = TRIO.headroom(silent, 21, 108)
    assert (down.tolist(), up.tolist()) == ([-87], [87])


def test_two_trios_are_the_same_without_their_key_if_both_lines_moved_alike() -> None:
    same, moved = TRIO.without_key(trio(60, 36)), TRIO.without_key(trio(65, 41))
    np.testing.assert_array_equal(same, moved)
    assert not np.array_equal(same, TRIO.without_key(trio(65, 36)))
    assert not np.array_equal(same, TRIO.without_key(trio(60, 36, 2)))


@given(tokens(), tokens())
def test_onsets_are_counted_in_every_voice_and_common_ones_in_the_same_voice(one: Ints, other: Ints) -> None:
    steps = min(len(one), len(other))
    a, b = TRIO.window(one, 0, steps)[None], TRIO.window(other, 0, steps)[None]
    notes, others = TRIO.decode(a[0]), TRIO.decode(b[0])
    assert TRIO.content(a).tolist() == [len(notes)]
    assert TRIO.common(a, a).tolist() == [len(notes)]
    pairs = [set(zip(n.start.tolist(), n.pitch.tolist(), n.voice.tolist(), strict=True)) for n in (notes, others)]
    assert TRIO.common(a, b).tolist() == [len(pairs[0] & pairs[1])]
    np.testing.assert_array_equal(TRIO.onsets(a)[..., DRUMS], drums.onsets(a[..., [DRUMS]])[..., 0])


def test_every_voice_has_its_lanes_and_every_drum_its_own() -> None:
    notes = TRIO.decode(np.concatenate([trio(60, 36, 0b101)[0]]))
    assert sorted(zip(notes.voice.tolist(), TRIO.lane(notes).tolist(), strict=True)) == [(0, 0), (1, 1), (2, 2), (2, 4)]
    assert TRIO.LANES == 11


def test_descriptors_are_of_one_voice_each() -> None:
    notes, frame = TRIO.decode(trio(60, 36, 0b101)[0]), Frame(2, 4, 2)
    density = {name: TRIO.DESCRIPTORS[f"{name}_note_density"](notes, frame) for name in ("melody", "bass", "drums")}
    assert density == {"melody": 0.5, "bass": 0.5, "drums": 1.0}


# --- which tracks they are -------------------------------------------------------------------------------------------


def line(*pitches: int, times: int = 4) -> Notes:
    return Notes.of((p, 80, float(i), i + 1.0) for i, p in enumerate(pitches * times))


TUNE = Track(line(60, 62, 64, 65), "flute", 73)
OTHER_TUNE = Track(line(72, 71, 67, 69), "violin", 40)
LOW = Track(line(36, 43), "low", 33)
KIT = Track(line(36, 38), "kit", is_drum=True)
CHORDS = Track(Notes.of((p, 80, float(i), i + 1.0) for i in range(16) for p in (52, 55, 59)), "pad", 89)


def tracks(song: Song, track: str | None = None) -> list[list[int]]:
    return [[voice.tracks[0] for voice in take] for take in TRIO.takes(song, track)]


def test_a_song_gives_its_melody_its_bass_and_its_drums() -> None:
    melodic, bass, kit = TRIO.take(Song((KIT, LOW, CHORDS, TUNE)))
    assert [voice.tracks for voice in (melodic, bass, kit)] == [(3,), (1,), (0,)]
    assert [voice.instrument.program for voice in (melodic, bass)] == [73, 33]
    assert kit.instrument.is_drum
    assert bass.choice == "track 1 'low': bass by its program"


def test_a_song_with_two_tunes_gives_two_trios_and_one_with_the_track_that_is_asked_for() -> None:
    song = Song((TUNE, OTHER_TUNE, CHORDS, LOW, KIT))
    assert sorted(tracks(song)) == [[0, 3, 4], [1, 3, 4]]
    assert tracks(song)[0] == [voice.tracks[0] for voice in TRIO.take(song)]
    assert tracks(song, "violin") == [[1, 3, 4]]


def test_chords_are_a_tune_only_where_there_is_no_line() -> None:
    assert tracks(Song((CHORDS, LOW, KIT))) == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("song", "reason", "said"),
    [
        (Song((TUNE, LOW)), "no drums", "expected notes on channel 10"),
        (Song((TUNE, KIT)), "no bass", 'beside the drums: 0 "flute"'),
        (Song((LOW, KIT)), "no melody beside the bass", "track 0 'low'"),
        (Song((KIT,)), "no bass", "beside the drums: none"),
        (Song(()), "no notes", "expected a drum track"),
    ],
    ids=["no drums", "no bass", "no melody", "drums only", "nothing"],
)
def test_what_is_missing_is_said(song: Song, reason: str, said: str) -> None:
    with pytest.raises(NoVoice) as caught:
        TRIO.takes(song)
    assert caught.value.reason == reason
    assert said in str(caught.value)


def test_an_unknown_track_is_named_with_those_that_there_are() -> None:
    with pytest.raises(NoVoice, match=r'no melodic track "oboe" beside the bass.*0 "flute"'):
        TRIO.takes(Song((TUNE, LOW, KIT)), "oboe")


def test_a_song_comes_back_from_its_tokens_as_three_tracks() -> None:
    song = Song((TUNE, LOW, KIT))
    voices = TRIO.take(song)
    notes = to_grid(voices, 4)
    back = to_tracks(TRIO.decode(TRIO.encode(notes, 64)), [voice.instrument for voice in voices], 4)
    for track, given_track in zip(back[:2], song.tracks[:2], strict=True):
        assert track == given_track
    assert (back[2].is_drum, back[2].notes.pitch.tolist()) == (True, KIT.notes.pitch.tolist())
