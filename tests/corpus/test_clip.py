"""One tune ↔ its windows: what goes in comes out, whatever lies across a window's edge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae_lite.corpus.clip import Clip, Part, clip_song, cut_clip, distinct, fill, join, until
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.music.notes import COMMON_TIME, Meter, MeterChange, Note, Notes, Song, TempoChange, Track
from musicvae_lite.tokens import drums, melody

if TYPE_CHECKING:
    from tests.conftest import MakeSong

WALTZ = Meter(3, 4)
GridRow = tuple[int, int, int]  # pitch, start, end in steps


def cut(song: Song, part: Part | None = None, window_bars: int = 2) -> Clip:
    return cut_clip(song, melody, 4, window_bars, part)


def notes_of(clip: Clip) -> list[GridRow]:
    """(pitch, start, end) in steps of what a clip's windows hold."""
    notes = until(join(clip.windows, clip.tied, melody), clip.steps)
    return list(zip(notes.pitch.tolist(), notes.start.tolist(), notes.end.tolist(), strict=True))


@st.composite
def lines(draw: st.DrawFn) -> GridNotes:
    """A monophonic line of up to 12 notes on the grid, repeated and long ones among them, after up to a bar of rest."""
    gaps = draw(st.lists(st.integers(0, 6), min_size=1, max_size=12))
    lengths = draw(st.lists(st.integers(1, 40), min_size=len(gaps), max_size=len(gaps)))
    start = np.cumsum(np.array(gaps)) + np.cumsum([0, *lengths[:-1]])
    pitch = draw(st.lists(st.sampled_from([60, 62, 64]), min_size=len(gaps), max_size=len(gaps)))
    return GridNotes(np.array(pitch), np.full(len(gaps), 80), start, start + np.array(lengths))


def song_of(line: GridNotes, meter: Meter = COMMON_TIME) -> Song:
    notes = Notes(line.pitch, line.velocity, line.start / 4, line.end / 4)
    return Song((Track(notes),), meters=(MeterChange(0.0, meter),))


@given(lines(), st.integers(1, 4), st.sampled_from([COMMON_TIME, WALTZ, Meter(6, 8), Meter(5, 4)]))
def test_every_line_comes_back_from_its_windows(line: GridNotes, window_bars: int, meter: Meter) -> None:
    clip = cut(song_of(line, meter), Part(start_bar=1), window_bars)
    assert notes_of(clip) == list(zip(line.pitch.tolist(), line.start.tolist(), line.end.tolist(), strict=True))
    assert all(melody.is_canonical(window) for window in clip.windows)


@given(lines(), st.integers(1, 3), st.integers(1, 9))
def test_a_loop_starts_over_at_the_first_bar_however_long_the_windows_are(
    line: GridNotes, window_bars: int, more: int
) -> None:
    clip = cut(song_of(line), Part(start_bar=1), window_bars)
    looped = fill(clip, clip.bars + more, True, melody)
    once, period = notes_of(clip), clip.steps
    again = [(p, s + turn * period, e + turn * period) for turn in range(more + 2) for p, s, e in once]
    assert notes_of(looped) == [(p, s, min(e, looped.steps)) for p, s, e in again if s < looped.steps]
    assert looped.velocity.shape == (looped.windows.shape[0] * looped.windows.shape[1], 1)
    assert (looped.velocity == 80).all()


def test_a_note_held_across_a_window_boundary_is_one_note(make_song: MakeSong) -> None:
    clip = cut(make_song([(60, 0, 6), (67, 6, 10), (65, 10, 12)]))
    assert clip.windows[1, 0, 0] == 67
    assert clip.tied.tolist() == [[False], [True]]
    assert notes_of(clip) == [(60, 0, 24), (67, 24, 40), (65, 40, 48)]


def test_a_note_repeated_at_a_window_boundary_stays_two_notes(make_song: MakeSong) -> None:
    clip = cut(make_song([(67, 6, 8), (67, 8, 10)]), Part(start_bar=1))
    assert clip.tied.tolist() == [[False], [False]]
    assert notes_of(clip) == [(67, 24, 32), (67, 32, 40)]


def test_a_note_longer_than_a_window_is_one_note(make_song: MakeSong) -> None:
    clip = cut(make_song([(67, 2, 22)]))
    assert clip.tied.tolist() == [[False], [True], [True]]
    assert notes_of(clip) == [(67, 8, 88)]


def test_two_repeated_notes_of_one_step_do_not_merge(make_song: MakeSong) -> None:
    assert notes_of(cut(make_song([(60, 0, 0.25), (60, 0.25, 0.5)]))) == [(60, 0, 1), (60, 1, 2)]


def test_a_last_note_at_the_end_of_the_bar_is_neither_lost_nor_longer(make_song: MakeSong) -> None:
    assert notes_of(cut(make_song([(60, 0, 1), (72, 3.75, 4)]))) == [(60, 0, 4), (72, 15, 16)]


def test_silent_bars_inside_and_rests_at_either_end_are_kept(make_song: MakeSong) -> None:
    clip = cut(make_song([(60, 1, 2), (62, 21, 22)]))
    assert clip.bars == 6
    assert clip.windows.shape == (3, 32, 1)
    assert notes_of(clip) == [(60, 4, 8), (62, 84, 88)]


def test_a_tune_starts_at_its_first_bar_with_a_note_and_ends_with_its_last(make_song: MakeSong) -> None:
    clip = cut(make_song([(60, 11, 12), (62, 12, 13)]))
    assert (clip.start_bar, clip.bars) == (3, 2)
    assert notes_of(clip) == [(60, 12, 16), (62, 16, 20)]


def test_a_first_bar_that_is_shorter_than_the_next_is_an_upbeat_and_made_whole(make_song: MakeSong) -> None:
    rows = [(67, 0, 1), (72, 1, 4), (74, 4, 5)]
    for upbeat in (Meter(1, 4), COMMON_TIME):
        clip = cut(make_song(rows, [(0.0, upbeat), (1.0, COMMON_TIME)]))
        assert (clip.meter, clip.start_bar, clip.bars) == (COMMON_TIME, 1, 2)
        assert notes_of(clip) == [(67, 12, 16), (72, 16, 28), (74, 28, 32)]


def test_bars_are_chosen_by_number_from_1(make_song: MakeSong) -> None:
    clip = cut(make_song([(60 + bar, 4 * bar, 4 * bar + 4) for bar in range(8)]), Part(start_bar=3, bars=2))
    assert (clip.start_bar, clip.bars) == (3, 2)
    assert notes_of(clip) == [(62, 0, 16), (63, 16, 32)]


def test_a_part_starts_with_the_note_that_is_held_into_it_and_cuts_the_one_held_out_of_it(make_song: MakeSong) -> None:
    clip = cut(make_song([(60, 0, 6), (62, 6, 12)]), Part(start_bar=2, bars=1))
    assert notes_of(clip) == [(60, 0, 8), (62, 8, 16)]


def test_a_part_ends_with_the_song_at_the_latest(make_song: MakeSong) -> None:
    assert cut(make_song([(60, 0, 12)]), Part(start_bar=2, bars=64)).bars == 2


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (Part(start_bar=4), "bar 4 is asked for, but the song has bars 1 to 3"),
        (Part(start_bar=2, bars=1), "no note in bars 2 to 2: choose others with --start-bar and --bars"),
    ],
)
def test_a_part_beyond_the_end_or_without_a_note_is_refused(make_song: MakeSong, part: Part, message: str) -> None:
    with pytest.raises(MusicVAEError, match=message):
        cut(make_song([(60, 0, 4), (62, 8, 12)]), part)


@pytest.mark.parametrize(("start_bar", "bars"), [(0, None), (None, 0), (None, -1)])
def test_bars_below_1_are_refused(start_bar: int | None, bars: int | None) -> None:
    with pytest.raises(MusicVAEError, match="expected 1 or more"):
        Part(start_bar, bars)


def test_a_change_of_meter_inside_a_part_is_refused_with_the_bar_and_a_part_before_it_is_not(
    make_song: MakeSong,
) -> None:
    song = make_song([(60, 0, 4), (62, 4, 8), (64, 8, 11)], [(0.0, COMMON_TIME), (8.0, WALTZ)])
    with pytest.raises(MusicVAEError, match=r"the meter changes at bar 3 .4/4 to 3/4.: choose a part before or after"):
        cut(song)
    assert cut(song, Part(bars=2)).bars == 2
    assert cut(song, Part(start_bar=3)).meter == WALTZ


def test_a_bar_cut_short_by_a_change_is_refused_with_its_number(make_song: MakeSong) -> None:
    song = make_song([(60, 0, 4), (62, 4, 12)], [(0.0, COMMON_TIME), (6.0, COMMON_TIME)])
    with pytest.raises(MusicVAEError, match="the meter changes within bar 2 of 4/4, which it cuts short"):
        cut(song)


def test_a_song_can_be_read_in_another_meter_than_it_says(make_song: MakeSong) -> None:
    song = make_song([(60, 0, 4), (62, 4, 12)], [(0.0, COMMON_TIME), (6.0, Meter(5, 32))])
    with pytest.raises(MusicVAEError, match=r"a bar of 5/32 is not a whole number of steps .* another meter with --me"):
        cut(song)
    clip = cut(song, Part(meter=WALTZ))
    assert (clip.meter, clip.bars, clip.windows.shape) == (WALTZ, 4, (2, 24, 1))


def test_fill_adds_rests_and_ends_the_last_note_where_it_ended(make_song: MakeSong) -> None:
    clip = cut(make_song([(60, 0, 4), (62, 4, 8), (64, 8, 12)]))  # three bars, to the very end
    longer = fill(clip, 7, False, melody)
    assert (longer.bars, longer.windows.shape) == (7, (4, 32, 1))
    assert notes_of(longer) == notes_of(clip) == [(60, 0, 16), (62, 16, 32), (64, 32, 48)]
    assert fill(longer, 7, False, melody) is longer


def test_velocities_tempo_meter_and_instrument_come_back() -> None:
    rows = [Note(60, 31, 0, 1), Note(62, 127, 1, 3), Note(64, 1, 3, 9), Note(62, 80, 9, 10)]
    song = Song(
        (Track(Notes.of(rows), "melody", 40),), (TempoChange(0.0, 87.0),), (MeterChange(0.0, WALTZ),)
    )  # a violin
    clip = cut(song)
    back = clip_song(join(clip.windows, clip.tied, melody), clip, melody)
    assert back == replace(song, tempos=back.tempos)
    assert back.tempos[0].qpm == pytest.approx(87.0)


def test_a_looped_tune_loops_its_velocities(make_song: MakeSong) -> None:
    song = Song((Track(Notes.of([Note(60, 10, 0, 2), Note(62, 20, 2, 4)])),))
    looped = fill(cut(song), 3, True, melody)
    assert looped.velocity[:48, 0].tolist() == [*[10] * 8, *[20] * 8] * 3


def test_the_tempo_of_a_part_is_the_mean_over_its_time(make_song: MakeSong) -> None:
    song = replace(make_song([(60, 0, 12)]), tempos=(TempoChange(0.0, 60.0), TempoChange(8.0, 120.0)))
    assert cut(song, Part(start_bar=1, bars=2)).qpm == pytest.approx(60)
    assert cut(song).qpm == pytest.approx(60 * 12 / (8 + 2))


def test_the_track_can_be_chosen_by_number_and_by_name(make_song: MakeSong) -> None:
    parts = (Track(Notes.of([Note(80, 80, 0, 4)]), "flute"), Track(Notes.of([Note(40, 80, 0, 4)]), "bass"))
    song = Song(parts)
    assert notes_of(cut(song)) == notes_of(cut(song, Part(track=0))) == [(80, 0, 16)]
    assert notes_of(cut(song, Part(track="bass"))) == notes_of(cut(song, Part(track=1))) == [(40, 0, 16)]
    with pytest.raises(MusicVAEError, match='no melodic track "oboe"'):
        cut(song, Part(track="oboe"))


# --- drums ----------------------------------------------------------------------------------------------------------


def drummed(*rows: tuple[int, int, float]) -> Song:
    """A drum track of (pitch, velocity, start), each stroke a sixteenth long."""
    return Song((Track(Notes.of((p, v, start, start + 0.25) for p, v, start in rows), "kit", 8, True),))


def test_a_beat_comes_back_stroke_by_stroke_with_the_velocity_of_each_drum_and_as_drums() -> None:
    song = drummed((36, 110, 0.0), (42, 50, 0.0), (42, 40, 0.5), (38, 100, 1.0), (42, 45, 1.0), (36, 90, 9.5))
    clip = cut_clip(song, drums, 4, 2)
    assert clip.windows.shape == (2, 32, 1)
    assert not clip.tied.any()
    assert clip_song(join(clip.windows, clip.tied, drums), clip, drums, "kit") == song


def test_of_a_flam_the_louder_stroke_is_heard() -> None:
    clip = cut_clip(drummed((38, 30, 1.0), (38, 90, 1.03)), drums, 4, 2)
    (track,) = clip_song(join(clip.windows, clip.tied, drums), clip, drums).tracks
    assert [(n.velocity, n.start) for n in track.notes] == [(90, 1.0)]


def test_a_drum_that_a_beat_has_not_is_as_loud_as_what_it_has() -> None:
    clip = cut_clip(drummed((36, 110, 0.0), (38, 40, 1.0)), drums, 4, 2)
    ride = list(drums.LABELS[0].values()).index("ride")
    assert clip.velocity[:8, ride].tolist() == [110] * 4 + [40] * 4


def test_a_long_written_stroke_makes_a_beat_no_longer() -> None:
    song = Song((Track(Notes.of([(36, 80, 0.0, 30.0)]), is_drum=True),))
    assert cut_clip(song, drums, 4, 2).bars == 1


def test_a_looped_beat_starts_over() -> None:
    clip = fill(cut_clip(drummed((36, 110, 0.0), (38, 40, 1.0)), drums, 4, 2), 3, True, drums)
    assert np.flatnonzero(clip.windows.reshape(-1)).tolist() == [0, 4, 16, 20, 32, 36]
    assert clip.velocity.shape == (64, drums.LANES)


def test_equal_windows_are_found_and_all_that_is_asked_of_them_counts() -> None:
    windows, other = np.array([[1, 2], [3, 4], [1, 2]])[:, :, None], np.array([7, 7, 8])
    first, place = distinct(windows)
    np.testing.assert_array_equal(windows[first][place], windows)
    assert len(first) == 2
    assert place[0] == place[2] != place[1]
    assert len(distinct(windows, other)[0]) == 3
