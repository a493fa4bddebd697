"""MIDI files: what is read is what is there, what is written is read again, and what cannot be used has a reason."""

from __future__ import annotations

import os
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicvae_lite.errors import MidiError, MusicVAEError
from musicvae_lite.music import midi
from musicvae_lite.music.notes import COMMON_TIME, Meter, MeterChange, Notes, Song, TempoChange, Track

A_NOTE = bytes.fromhex("00 90 3C 40  60 80 3C 40")  # middle C, 96 ticks
END = bytes.fromhex("00 FF 2F 00")
LONGEST_WAIT = bytes.fromhex("FF FF FF 7F  FF 01 00")  # 2²⁸-1 ticks, then an empty text


def midi_bytes(*tracks: bytes, division: int = 96, kind: int = 1) -> bytes:
    """A MIDI file made by hand: each track's events without the end-of-track."""
    header = b"MThd" + (6).to_bytes(4, "big") + b"".join(n.to_bytes(2, "big") for n in (kind, len(tracks), division))
    return header + b"".join(b"MTrk" + len(t + END).to_bytes(4, "big") + t + END for t in tracks)


def read_bytes(folder: Path, content: bytes) -> Song:
    path = folder / "song.mid"
    path.write_bytes(content)
    return midi.read(path)


def song_of(*notes: tuple[int, int, float, float]) -> Song:
    return Song((Track(Notes.of(notes)),))


# --- round trips ----------------------------------------------------------------------------------------------------

TICK = 1 / midi.TICKS_PER_QUARTER


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    """Notes on ticks, chords and all, but one pitch sounds once at a time: in a file it cannot sound twice."""
    free: dict[int, int] = {}
    rows = []
    numbers = (st.integers(0, 127), st.integers(1, 127), st.integers(0, 960), st.integers(1, 960))
    for pitch, velocity, rest, length in draw(st.lists(st.tuples(*numbers), min_size=1, max_size=12)):
        start = free.get(pitch, 0) + rest
        free[pitch] = start + length
        rows.append((pitch, velocity, start / midi.TICKS_PER_QUARTER, free[pitch] / midi.TICKS_PER_QUARTER))
    name = draw(st.text(max_size=8).filter(str.isprintable))
    return Track(Notes.of(rows), name, draw(st.integers(0, 127)), draw(st.booleans()))


@st.composite
def songs(draw: st.DrawFn) -> Song:
    ticks = st.lists(st.integers(1, 4000), unique=True, max_size=3).map(sorted)
    microseconds = st.integers(50_000, 2_000_000)
    starts = [0, *draw(ticks)]
    qpm = [60_000_000 / m for m in draw(st.lists(microseconds, unique=True, min_size=4, max_size=4))]
    tempos = tuple(TempoChange(t / midi.TICKS_PER_QUARTER, q) for t, q in zip(starts, qpm, strict=False))
    meter = st.builds(Meter, st.integers(1, 15), st.sampled_from([2, 4, 8, 16]))
    meters = tuple(MeterChange(t / midi.TICKS_PER_QUARTER, draw(meter)) for t in [0, *draw(ticks)])
    return Song(tuple(draw(st.lists(tracks(), max_size=4))), tempos, meters)


@given(songs())
@settings(max_examples=50)
def test_reading_what_was_written_gives_the_song_back(tmp_path_factory: pytest.TempPathFactory, song: Song) -> None:
    path = tmp_path_factory.getbasetemp() / "trip.mid"
    midi.write(song, path)
    assert midi.read(path) == song


@given(songs())
@settings(max_examples=50)
def test_a_pretty_midi_turned_back_is_the_song(song: Song) -> None:
    assert midi.from_pretty_midi(midi.to_pretty_midi(song)) == song


def test_forty_instruments_keep_their_notes_names_and_programs(tmp_path: Path) -> None:
    song = Song(tuple(Track(Notes.of([(40 + i, 80, 0, 1)]), f"part {i}", 100 - i) for i in range(40)))
    midi.write(song, tmp_path / "forty.mid")
    assert midi.read(tmp_path / "forty.mid") == song


@pytest.mark.parametrize("name", ["Flöte", "尺八", "a\udcff", "🎵"])
def test_a_name_in_any_script_is_written(tmp_path: Path, name: str) -> None:
    midi.write(Song((Track(Notes.of([(60, 80, 0, 1)]), name),)), tmp_path / "named.mid")
    assert midi.read(tmp_path / "named.mid").tracks[0].name == name.replace("\udcff", "?")


def test_repeated_notes_do_not_swallow_each_other(tmp_path: Path) -> None:
    song = song_of((60, 80, 0, 0.25), (60, 80, 0.25, 0.5), (60, 80, 0.5, 0.75))
    midi.write(song, tmp_path / "repeated.mid")
    assert midi.read(tmp_path / "repeated.mid") == song
    assert len(pretty_midi.PrettyMIDI(str(tmp_path / "repeated.mid")).instruments[0].notes) == 3


def test_a_note_up_to_the_last_bar_line_survives(tmp_path: Path) -> None:
    song = song_of((60, 80, 0, 1), (64, 80, 3.75, 4))
    midi.write(song, tmp_path / "bar.mid")
    assert midi.read(tmp_path / "bar.mid").end == 4.0


def test_a_note_shorter_than_a_tick_lasts_a_tick(tmp_path: Path) -> None:
    midi.write(song_of((60, 80, 1, 1 + TICK / 10)), tmp_path / "short.mid")
    assert list(midi.read(tmp_path / "short.mid").tracks[0].notes) == [(60, 80, 1, 1 + TICK)]


# --- writing --------------------------------------------------------------------------------------------------------


def test_drums_and_nothing_else_are_on_channel_ten(tmp_path: Path) -> None:
    notes = Notes.of([(38, 80, 0, 1)])
    song = Song((*(Track(notes) for _ in range(20)), Track(notes, is_drum=True)))
    midi.write(song, tmp_path / "drums.mid")
    channels = [{m.channel for m in t if not m.is_meta} for t in mido.MidiFile(tmp_path / "drums.mid").tracks[1:]]
    assert channels[-1] == {9}
    assert not any(9 in found for found in channels[:-1])


def test_markers_are_written_at_their_quarter_notes(tmp_path: Path) -> None:
    midi.write(song_of((60, 80, 0, 8)), tmp_path / "marked.mid", markers=[(4.0, "step 2"), (0.0, "step 1")])
    conductor, now, found = mido.MidiFile(tmp_path / "marked.mid").tracks[0], 0, []
    for message in conductor:
        now += message.time
        if message.type == "marker":
            found.append((now, message.text))
    assert found == [(0, "step 1"), (4 * midi.TICKS_PER_QUARTER, "step 2")]


def test_writing_into_a_folder_that_is_not_there_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(MusicVAEError, match=r"nowhere.a\.mid: cannot be written \(No such file"):
        midi.write(song_of((60, 80, 0, 1)), tmp_path / "nowhere" / "a.mid")
    assert os.listdir(tmp_path) == []


def test_writing_onto_a_folder_leaves_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "a.mid").mkdir()
    with pytest.raises(MusicVAEError, match="cannot be written"):
        midi.write(song_of((60, 80, 0, 1)), tmp_path / "a.mid")
    assert os.listdir(tmp_path) == ["a.mid"]


def test_a_song_that_no_midi_file_can_hold_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(b"old")
    slow = Song(song_of((60, 80, 0, 1)).tracks, (TempoChange(0.0, 1.0),))
    with pytest.raises(MusicVAEError, match="cannot be written as MIDI"):
        midi.write(slow, tmp_path / "a.mid")
    assert (tmp_path / "a.mid").read_bytes() == b"old"


# --- pretty_midi ----------------------------------------------------------------------------------------------------


def test_a_pretty_midi_has_seconds_by_the_tempo_map() -> None:
    # One quarter at 120 lasts half a second; from quarter 2 on, at 60, a second.
    notes = Notes.of([(60, 80, 1, 2), (62, 90, 2, 4)])
    tempos = (TempoChange(0.0, 120.0), TempoChange(2.0, 60.0))
    song = Song((Track(notes, "tune", 73),), tempos, (MeterChange(0.0, Meter(6, 8)),))
    pretty = midi.to_pretty_midi(song)
    (instrument,) = pretty.instruments
    assert (instrument.name, instrument.program, instrument.is_drum) == ("tune", 73, False)
    assert [(n.start, n.end) for n in instrument.notes] == [(0.5, 1.0), (1.0, 3.0)]
    assert [(s.numerator, s.denominator, s.time) for s in pretty.time_signature_changes] == [(6, 8, 0.0)]


def test_a_pretty_midi_made_by_hand_is_read_by_its_own_tempo_and_resolution() -> None:
    pretty = pretty_midi.PrettyMIDI(initial_tempo=100.0)  # 0.6 s a quarter, 220 ticks
    flute = pretty_midi.Instrument(73, name="flute")
    flute.notes = [pretty_midi.Note(90, 62, 0.6, 0.9), pretty_midi.Note(80, 60, 0.0, 0.6001)]
    pretty.instruments = [flute, pretty_midi.Instrument(0)]
    song = midi.from_pretty_midi(pretty)
    assert song == Song((Track(Notes.of([(60, 80, 0, 1), (62, 90, 1, 1.5)]), "flute", 73),), (TempoChange(0, 100.0),))


def test_a_pretty_midi_without_anything_is_a_song_without_tracks() -> None:
    assert midi.from_pretty_midi(pretty_midi.PrettyMIDI()) == Song(())


def test_a_pretty_midi_that_cannot_be_used_says_why() -> None:
    pretty = pretty_midi.PrettyMIDI()
    pretty.instruments = [pretty_midi.Instrument(0)]
    pretty.instruments[0].notes = [pretty_midi.Note(80, 60, 1e6, 1e6 + 1)]
    with pytest.raises(MidiError, match="after 20,000 quarter notes"):
        midi.from_pretty_midi(pretty)


# --- reading --------------------------------------------------------------------------------------------------------


def test_ticks_become_quarter_notes(tmp_path: Path) -> None:
    assert list(read_bytes(tmp_path, midi_bytes(A_NOTE, division=96)).tracks[0].notes) == [(60, 64, 0.0, 1.0)]
    assert list(read_bytes(tmp_path, midi_bytes(A_NOTE, division=192)).tracks[0].notes) == [(60, 64, 0.0, 0.5)]


def test_a_file_of_type_0_has_a_track_for_each_channel(tmp_path: Path) -> None:
    three = bytes.fromhex("00 C1 28  00 90 3C 40  00 91 30 40  00 99 24 40  60 80 3C 40  00 81 30 40  00 89 24 40")
    song = read_bytes(tmp_path, midi_bytes(three, kind=0))
    assert [(t.program, t.is_drum, t.notes.pitch.tolist()) for t in song.tracks] == [
        (0, False, [60]),
        (40, False, [48]),
        (0, True, [36]),
    ]


def test_a_note_without_length_is_left_out(tmp_path: Path) -> None:
    nothing = bytes.fromhex("00 90 40 40  00 80 40 40")
    assert read_bytes(tmp_path, midi_bytes(nothing + A_NOTE)).tracks[0].notes.pitch.tolist() == [60]
    assert read_bytes(tmp_path, midi_bytes(nothing)).tracks == ()


def test_maps_start_at_zero_and_the_last_of_two_changes_at_one_time_counts(tmp_path: Path) -> None:
    # After a quarter of nothing: 100 qpm, then 150 qpm; 3/4, then 6/8.
    changes = "60 FF 51 03 09 27 C0  00 FF 51 03 06 1A 80  00 FF 58 04 03 02 18 08  00 FF 58 04 06 03 18 08"
    song = read_bytes(tmp_path, midi_bytes(bytes.fromhex(changes), A_NOTE))
    assert song.tempos == (TempoChange(0.0, 120.0), TempoChange(1.0, 150.0))
    assert song.meters == (MeterChange(0.0, COMMON_TIME), MeterChange(1.0, Meter(6, 8)))


def test_a_midi_file_in_a_riff_wrapper_is_read(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, b"RIFF\0\0\0\0RMIDdata\0\0\0\0" + midi_bytes(A_NOTE)).end == 1.0


def test_a_program_beyond_127_does_not_lose_the_file(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, midi_bytes(bytes.fromhex("00 C0 D0") + A_NOTE)).end == 1.0


def test_names_come_without_control_characters(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, midi_bytes(b"\0\xff\x03\x05a\x1b[\0b" + A_NOTE)).tracks[0].name == "a[b"


@pytest.mark.parametrize("count", [0, 40, 65_535])
def test_any_number_of_silent_tracks_is_a_song_without_tracks(tmp_path: Path, count: int) -> None:
    assert read_bytes(tmp_path, midi_bytes(*[b""] * count)) == Song(())


WHOLE = midi_bytes(A_NOTE * 20)

UNUSABLE = {
    "nothing": (b"", "empty file (0 bytes)"),
    "text": (b"X:1\nT:Not MIDI\nK:C\nCDEF|\n", "not a MIDI file"),
    "riff without midi": (b"RIFF\0\0\0\0WAVEfmt ", "not a MIDI file"),
    "half a header": (WHOLE[:10], "damaged or truncated MIDI file"),
    "half a file": (WHOLE[: len(WHOLE) // 2], "damaged or truncated MIDI file"),
    "a type that does not exist": (midi_bytes(A_NOTE, kind=3), "damaged or truncated MIDI file"),
    "frames": (midi_bytes(A_NOTE, division=0xE728), "SMPTE time division (frames, not quarter notes)"),
    "no ticks": (midi_bytes(A_NOTE, division=0), "0 ticks per quarter note"),
    "a note at tick 2³¹": (
        midi_bytes(LONGEST_WAIT * 8 + A_NOTE),
        "notes or changes before 0 or after 20,000 quarter notes",
    ),
    "a note after tick 2³¹": (
        midi_bytes(LONGEST_WAIT * 9 + A_NOTE),
        "notes or changes before 0 or after 20,000 quarter notes",
    ),
    "a tempo after years": (
        midi_bytes(LONGEST_WAIT + bytes.fromhex("00 FF 51 03 09 27 C0"), A_NOTE),
        "notes or changes before 0 or after 20,000 quarter notes",
    ),
    "tempo 0": (midi_bytes(bytes.fromhex("00 FF 51 03 00 00 00") + A_NOTE), "a tempo of 0 or absurdly fast"),
    "meter 0/4": (midi_bytes(bytes.fromhex("00 FF 58 04 00 02 18 08") + A_NOTE), "a meter that is none (such as 0/4)"),
    "meter 4/2²⁵⁵": (
        midi_bytes(bytes.fromhex("00 FF 58 04 04 FF 18 08") + A_NOTE),
        "a meter that is none (such as 0/4)",
    ),
    "too many bars": (
        midi_bytes(bytes.fromhex("00 FF 58 04 01 06 18 08  80 EA 30 FF 01 00") + A_NOTE, division=1),
        "more than 50,000 bars",
    ),
}


@pytest.mark.parametrize("fault", UNUSABLE)
def test_what_cannot_be_used_has_a_reason(tmp_path: Path, fault: str) -> None:
    content, reason = UNUSABLE[fault]
    with pytest.raises(MidiError) as caught:
        read_bytes(tmp_path, content)
    assert caught.value.reason == reason
    assert str(caught.value) == f"{tmp_path / 'song.mid'}: {reason}"


def test_a_folder_and_a_file_that_is_not_there_have_reasons(tmp_path: Path) -> None:
    with pytest.raises(MidiError, match="a folder, expected a MIDI file"):
        midi.read(tmp_path)
    with pytest.raises(MidiError, match="no such file"):
        midi.read(tmp_path / "nothing.mid")


def test_a_limit_is_kept_before_the_notes_are_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi, "MAX_NOTES", 3)
    read_bytes(tmp_path, midi_bytes(A_NOTE * 3))
    with pytest.raises(MidiError, match="more than 3 notes"):
        read_bytes(tmp_path, midi_bytes(A_NOTE * 4))
    monkeypatch.setattr(midi, "MAX_CHANGES", 1)
    with pytest.raises(MidiError, match="more than 1 changes"):
        read_bytes(tmp_path, midi_bytes(bytes.fromhex("00 FF 51 03 09 27 C0") * 2))
    monkeypatch.setattr(midi, "MAX_BYTES", 10)
    with pytest.raises(MidiError, match="larger than"):
        read_bytes(tmp_path, midi_bytes(A_NOTE))


@given(st.data())
@settings(max_examples=200)
def test_a_damaged_file_is_a_song_or_a_reason(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(midi_bytes(bytes.fromhex("00 FF 51 03 09 27 C0  00 FF 58 04 03 02 18 08") + A_NOTE, A_NOTE * 2))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    try:
        song = read_bytes(tmp_path_factory.getbasetemp(), bytes(content))
    except MidiError:
        return
    for track in song.tracks:
        assert (np.diff(track.notes.start) >= 0).all()
        assert (track.notes.end > track.notes.start).all()
        assert (track.notes.start >= 0).all()
    assert song.tempos[0].start == song.meters[0].start == 0.0
