"""A clip of several voices: each keeps its notes, its ties across windows, its velocities and its instrument.

The representation here has two melodies side by side, [T, 2]; nothing outside it knows.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicvae_lite.corpus.clip import clip_song, cut_clip, fill, join, until
from musicvae_lite.corpus.scan import scan_song
from musicvae_lite.music.descriptors import DESCRIPTORS
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.music.notes import Note, Notes, Song, Track
from musicvae_lite.music.voices import Instrument, NoVoice, Voice
from musicvae_lite.tokens import REPRESENTATIONS, Tokens, melody
from musicvae_lite.tokens.protocol import mixed

Ints = NDArray[np.int64]


class Duet:
    """The first two tracks of a song, each as a melody."""

    NAME, VOICES, VOCABULARY = "duet", 2, melody.VOCABULARY
    START, GIVEN = np.array([melody.SILENT] * 2), np.array([False] * 2)
    LEGAL, NEXT_STATE = melody.LEGAL, melody.NEXT_STATE
    STIFF, TOUCH = melody.STIFF, melody.TOUCH
    INSTRUMENTS = (Instrument("upper"), Instrument("lower"))
    LABELS: tuple[dict[int, str], ...] = ({}, {})
    LANES, DESCRIPTORS = 2, DESCRIPTORS

    def take(self, song: Song, track: int | str | None = None) -> tuple[Voice, ...]:
        if len(song.tracks) < 2:
            raise NoVoice("one voice", "expected two")
        parts = enumerate(song.tracks[:2])
        return tuple(Voice(t.notes, (i,), Instrument(t.name, t.program), "of two") for i, t in parts)

    def takes(self, song: Song, track: int | str | None = None) -> tuple[tuple[Voice, ...], ...]:
        return (self.take(song, track),)

    def lane(self, notes: GridNotes) -> Ints:
        return notes.voice

    def encode(self, notes: GridNotes, steps: int) -> Ints:
        return np.concatenate([melody.encode(notes.select(notes.voice == v), steps) for v in (0, 1)], 1)

    def decode(self, tokens: Tokens, velocity: int = 80) -> GridNotes:
        parts = [melody.decode(tokens[:, [v]], velocity) for v in (0, 1)]
        both = GridNotes.joined([part.with_voices(np.full(len(part), v)) for v, part in enumerate(parts)])
        return both.select(np.lexsort((both.pitch, both.start)))

    def window(self, tokens: Tokens, start: int, steps: int) -> Tokens:
        only: Tokens = self.windows(tokens, np.array([start]), steps)[0]
        return only

    def windows(self, tokens: Tokens, starts: Ints, steps: int) -> Tokens:
        return np.concatenate([melody.windows(tokens[:, [v]], starts, steps) for v in (0, 1)], 2)

    def transpose(self, tokens: Tokens, semitones: Tokens) -> Tokens:
        return melody.transpose(tokens, semitones)

    def headroom(self, tokens: Tokens, lowest: int = 0, highest: int = 127) -> tuple[Ints, Ints]:
        return melody.headroom(tokens, lowest, highest)

    def without_key(self, tokens: Tokens) -> Tokens:
        return melody.without_key(tokens)

    def content(self, tokens: Tokens) -> Ints:
        return melody.content(tokens)

    def mixed(self, tokens: Tokens, others: Tokens, lanes: NDArray[np.bool_]) -> Tokens:
        return mixed(tokens, others, lanes)

    def common(self, one: Tokens, other: Tokens) -> Ints:
        return melody.common(one, other)

    def onsets(self, tokens: Tokens) -> NDArray[np.bool_]:
        return melody.onsets(tokens)


DUET = Duet()


def lines() -> st.SearchStrategy[Notes]:
    """A line on a grid of sixteenths, long notes and velocities of their own among them."""
    row = st.tuples(st.sampled_from([60, 62, 64]), st.integers(1, 127), st.integers(0, 6), st.integers(1, 40))

    def build(rows: list[tuple[int, int, int, int]]) -> Notes:
        notes, now = [], 0
        for pitch, velocity, rest, length in rows:
            notes.append(Note(pitch, velocity, (now + rest) / 4, (now + rest + length) / 4))
            now += rest + length
        return Notes.of(notes)

    return st.lists(row, min_size=1, max_size=8).map(build)


@given(lines(), lines())
def test_two_voices_come_back_from_their_windows_with_velocities_and_instruments(one: Notes, other: Notes) -> None:
    song = Song((Track(one, "flute", 73), Track(other, "cello", 42)))
    clip = cut_clip(song, DUET, 4, 2)
    start = 4.0 * (clip.start_bar - 1)
    back = clip_song(until(join(clip.windows, clip.tied, DUET), clip.steps), clip, DUET)
    for track, given_track in zip(back.tracks, song.tracks, strict=True):
        moved = [note._replace(start=note.start + start, end=note.end + start) for note in track.notes]
        assert moved == list(given_track.notes)
        assert (track.name, track.program) == (given_track.name, given_track.program)


def test_one_voice_is_tied_where_the_other_starts_anew() -> None:
    upper, lower = Notes.of([(72, 80, 0, 16)]), Notes.of([(48, 90, 0, 8), (48, 70, 8, 16)])
    clip = cut_clip(Song((Track(upper, "upper"), Track(lower, "lower"))), DUET, 4, 2)
    assert clip.tied.tolist() == [[False, False], [True, False]]
    assert [len(t.notes) for t in clip_song(join(clip.windows, clip.tied, DUET), clip, DUET).tracks] == [1, 2]
    looped = fill(clip, 8, True, DUET)
    assert [len(t.notes) for t in clip_song(join(looped.windows, looped.tied, DUET), looped, DUET).tracks] == [2, 4]


def test_a_new_representation_is_a_row_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    from musicvae_lite.corpus.scan import Settings

    monkeypatch.setitem(REPRESENTATIONS, "duet", DUET)
    scale = [Notes.of((p + i, 80, i, i + 1.0) for i in range(16)) for p in (60, 48)]
    piece = scan_song(Song(tuple(Track(notes) for notes in scale)), Settings("duet"))
    assert piece.windows[0].tokens.shape == (3, 32, 2)
    assert (piece.tracks, piece.timing.onsets) == ((0, 1), 32)
    with pytest.raises(NoVoice, match="one voice: expected two"):
        scan_song(Song((Track(scale[0]),)), Settings("duet"))
