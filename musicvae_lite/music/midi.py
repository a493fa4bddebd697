"""MIDI file ↔ `Song`, and `pretty_midi.PrettyMIDI` ↔ `Song`. Times become quarter notes here and ticks nowhere else.

Files are read with symusic (fast, and it survives what fuzzers make) and written with mido. Whatever cannot be used is
a `MidiError` with one of the reasons below, found before anything of the size of the piece is allocated.
Source: the Standard MIDI File specification 1.0 (RP-001): header, tempo, time signature, port and marker events.
"""

from __future__ import annotations

import io
import itertools
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from musicvae_lite.errors import MidiError, MusicVAEError
from musicvae_lite.files import write_bytes
from musicvae_lite.music.notes import (
    COMMON_TIME,
    DEFAULT_QPM,
    Marker,
    Meter,
    MeterChange,
    Notes,
    Song,
    TempoChange,
    Track,
)

if TYPE_CHECKING:
    import mido
    import pretty_midi
    from symusic.core import ScoreTick

TICKS_PER_QUARTER = 480  # what we write: divisible by 3 and by 32, so triplets and 128th notes are exact
MICROSECONDS_PER_MINUTE = 60_000_000
DRUM_CHANNEL = 9  # counted from 0
MELODIC_CHANNELS = (*range(9), *range(10, 16))  # more tracks than these go to the next port

MAX_BYTES = 64 * 2**20
MAX_QUARTERS = 20_000  # 2 h 46 min at 120 qpm; pretty_midi refuses files longer than that at our ticks
MAX_NOTES = 1_000_000
MAX_BARS = 50_000
MAX_CHANGES = 100_000
MAX_QPM = 60_000.0
MAX_NUMERATOR = 128
DENOMINATORS = (1, 2, 4, 8, 16, 32, 64)

Value = TypeVar("Value")


class _UnusableError(Exception):
    """The reason why a piece cannot be used; `read` adds the path."""


def read(path: str | os.PathLike[str]) -> Song:
    """The song of a MIDI file (.mid, .midi, .kar, and .rmi, which wraps one), times in quarter notes.

    Each pair of track and channel is a track, and each program in it; tracks without notes and notes without length
    are left out. A note-off ends the oldest note of its pitch. `MidiError` with a reason if the file cannot be used.
    """
    try:
        return _song(_score(_content(path)))
    except _UnusableError as unusable:
        raise MidiError(Path(path), str(unusable)) from unusable


def _content(path: str | os.PathLike[str]) -> bytes:
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise _UnusableError("a folder, expected a MIDI file")
        if not stat.S_ISREG(status.st_mode):
            raise _UnusableError("not a file")
        if status.st_size > MAX_BYTES:
            raise _UnusableError(f"larger than {MAX_BYTES // 2**20} MiB")
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a NUL in the name
        raise _UnusableError("no such file") from error
    except OSError as error:
        raise _UnusableError(f"cannot be read ({error.strerror})") from error


def _score(content: bytes) -> ScoreTick:
    import symusic

    if not content:
        raise _UnusableError("empty file (0 bytes)")
    if content[:4] == b"RIFF":
        content = content[max(content.find(b"MThd"), 0) :]
    if content[:4] != b"MThd":
        raise _UnusableError("not a MIDI file")
    division = int.from_bytes(content[12:14], "big")
    if division & 0x8000:
        raise _UnusableError("SMPTE time division (frames, not quarter notes)")
    try:
        score = cast("ScoreTick", symusic.Score.from_midi(content, sanitize_data=True))
    except Exception as error:  # symusic raises several builtin types, none of its own
        raise _UnusableError("damaged or truncated MIDI file") from error
    if not division:
        raise _UnusableError("0 ticks per quarter note")
    return score


def _song(score: ScoreTick) -> Song:
    ticks = score.ticks_per_quarter
    if score.note_num() > MAX_NOTES:
        raise _UnusableError(f"more than {MAX_NOTES:,} notes")
    if len(score.tempos) + len(score.time_signatures) > MAX_CHANGES:
        raise _UnusableError(f"more than {MAX_CHANGES:,} changes of tempo and meter")
    tracks = (Track(_notes(t.notes.numpy(), ticks), _printable(t.name), t.program, t.is_drum) for t in score.tracks)
    tempos = ((t.time / ticks, MICROSECONDS_PER_MINUTE / t.mspq if t.mspq else 0.0) for t in score.tempos)
    meters = ((m.time / ticks, Meter(m.numerator, m.denominator)) for m in score.time_signatures)
    markers = sorted(Marker(each.time / ticks, _printable(each.text)) for each in score.markers)
    return _checked_song(tracks, tempos, meters, markers)


def _printable(text: str) -> str:
    """Names are printed and shown: without the NULs and control characters that files have in them."""
    return "".join(filter(str.isprintable, text))


def _notes(columns: Mapping[str, NDArray[Any]], ticks: int) -> Notes:
    """Notes of symusic's columns: `time` and `duration` in ticks, `pitch` and `velocity`."""
    pitch, velocity, start, duration = (columns[c].astype(np.int64) for c in ("pitch", "velocity", "time", "duration"))
    order = np.lexsort((duration, start * 128 + pitch))
    if duration.min(initial=1) < 1:
        order = order[duration[order] > 0]
    return Notes(pitch[order], velocity[order], start[order] / ticks, (start + duration)[order] / ticks)


def _checked_song(
    tracks: Iterable[Track],
    tempos: Iterable[tuple[float, float]],
    meters: Iterable[tuple[float, Meter]],
    markers: Iterable[Marker] = (),
) -> Song:
    """A song that keeps its promises, or the reason why there is none."""
    tempo_map = tuple(TempoChange(*change) for change in _from_zero(tempos, DEFAULT_QPM))
    meter_map = tuple(MeterChange(*change) for change in _from_zero(meters, COMMON_TIME))
    song = Song(tuple(track for track in tracks if len(track.notes)), tempo_map, meter_map, tuple(markers))
    for reason, is_true in _REFUSALS.items():
        if is_true(song):
            raise _UnusableError(reason)
    return song


def _from_zero(changes: Iterable[tuple[float, Value]], default: Value) -> list[tuple[float, Value]]:
    """Changes sorted by time, the last of each time only, with the default at 0.0 if none is there."""
    by_time = {0.0: default} | dict(changes)
    return [(time, by_time[time]) for time in sorted(by_time)]


def _has_absurd_times(song: Song) -> bool:
    changes = [song.tempos[0].start, song.tempos[-1].start, song.meters[0].start, song.meters[-1].start]
    starts = [float(t.notes.start[0]) for t in song.tracks]
    return min(starts + changes) < 0 or max(song.end, *changes) > MAX_QUARTERS


def _has_absurd_meter(song: Song) -> bool:
    meters = {change.meter for change in song.meters}
    return any(not 1 <= m.numerator <= MAX_NUMERATOR or m.denominator not in DENOMINATORS for m in meters)


def _bar_count(song: Song) -> float:
    """Bars at most: each change of meter starts one."""
    end = song.end
    starts = [min(change.start, end) for change in song.meters] + [end]
    lengths = (change.meter.bar_quarters for change in song.meters)
    return sum((b - a) / bar + 1 for a, b, bar in zip(starts, starts[1:], lengths, strict=False))


_REFUSALS: dict[str, Callable[[Song], bool]] = {
    f"notes or changes before 0 or after {MAX_QUARTERS:,} quarter notes": _has_absurd_times,
    "a tempo of 0 or absurdly fast": lambda song: not all(0 < tempo.qpm <= MAX_QPM for tempo in song.tempos),
    "a meter that is none (such as 0/4)": _has_absurd_meter,
    f"more than {MAX_BARS:,} bars": lambda song: _bar_count(song) > MAX_BARS,
}  # in this order: each relies on those before it


def write(song: Song, path: str | os.PathLike[str], *, markers: Sequence[tuple[float, str]] = ()) -> None:
    """Write a song as a MIDI file of type 1, with its markers, and `markers` (quarter notes, text) besides.

    `read` gives the same song back if its times are multiples of 1/480 quarter note and its tempos whole microseconds
    a quarter; other times go to the nearest. The file appears complete or not at all; `MusicVAEError` says why not.
    """
    content = io.BytesIO()
    try:
        _file(song, markers).save(file=content)
    except ValueError as error:
        raise MusicVAEError(f"{path}: this song cannot be written as MIDI: {error}") from error
    write_bytes(path, content.getvalue())


def _file(song: Song, markers: Sequence[tuple[float, str]]) -> mido.MidiFile:
    import mido

    midi = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_QUARTER, charset="utf-8")
    midi.tracks.append(_deltas(_conductor(song, markers)))
    melodic = itertools.count()
    for track in song.tracks:
        port, slot = (0, None) if track.is_drum else divmod(next(melodic), len(MELODIC_CHANNELS))
        channel = DRUM_CHANNEL if slot is None else MELODIC_CHANNELS[slot]
        midi.tracks.append(_deltas(_events(track, port, channel)))
    return midi


def _deltas(events: Iterable[mido.Message]) -> mido.MidiTrack:
    """A track of messages whose `time` is in ticks from the start, each made relative to the one before."""
    import mido

    now, track = 0, mido.MidiTrack()
    for event in sorted(events, key=lambda event: event.time):
        track.append(event.copy(time=event.time - now))
        now = event.time
    return track


def _conductor(song: Song, markers: Sequence[tuple[float, str]]) -> Iterator[mido.Message]:
    from mido import MetaMessage

    for start, meter in song.meters:
        numbers = {"numerator": meter.numerator, "denominator": meter.denominator}
        yield MetaMessage("time_signature", time=_ticks(start), **numbers)
    for start, qpm in song.tempos:
        yield MetaMessage("set_tempo", time=_ticks(start), tempo=_microseconds(qpm))
    for start, text in (*song.markers, *markers):
        yield MetaMessage("marker", time=_ticks(start), text=_encodable(text))


def _events(track: Track, port: int, channel: int) -> Iterator[mido.Message]:
    from mido import Message, MetaMessage

    if track.name:
        yield MetaMessage("track_name", name=_encodable(track.name))
    if port:
        yield MetaMessage("midi_port", port=port)
    yield Message("program_change", program=track.program, channel=channel)
    notes = [(n.pitch, n.velocity, _ticks(n.start), max(_ticks(n.end), _ticks(n.start) + 1)) for n in track.notes]
    # Offs come first and sorting is stable, so that at equal ticks a note ends before its pitch starts again.
    for pitch, _, _, end in notes:
        yield Message("note_off", note=pitch, velocity=0, time=end, channel=channel)
    for pitch, velocity, start, _ in notes:
        yield Message("note_on", note=pitch, velocity=velocity, time=start, channel=channel)


def _ticks(quarters: float) -> int:
    return round(quarters * TICKS_PER_QUARTER)


def _microseconds(qpm: float) -> int:
    """Microseconds a quarter note: what a tempo is in a file."""
    return round(MICROSECONDS_PER_MINUTE / qpm)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def to_pretty_midi(song: Song) -> pretty_midi.PrettyMIDI:
    """The song as pretty_midi has it, times in seconds: instruments with names, tempo changes, time signatures."""
    import pretty_midi

    return pretty_midi.PrettyMIDI(mido_object=_file(song, ()), charset="utf-8")


def from_pretty_midi(midi: pretty_midi.PrettyMIDI) -> Song:
    """The song of a PrettyMIDI, its seconds turned into quarter notes by its own tempo changes and resolution.

    The inverse of `to_pretty_midi`; as there, and as in a file, times are whole ticks and tempos whole microseconds.
    `MidiError` with a reason if it cannot be used.
    """
    seconds, qpm = midi.get_tempo_changes()
    tempos = [MICROSECONDS_PER_MINUTE / _microseconds(value) for value in qpm.tolist()]
    meters = [Meter(change.numerator, change.denominator) for change in midi.time_signature_changes]
    meter_ticks = _ticks_at(midi, [change.time for change in midi.time_signature_changes])
    tracks = (Track(_instrument_notes(midi, i.notes), i.name, i.program, i.is_drum) for i in midi.instruments)
    try:
        return _checked_song(
            tracks,
            zip((_ticks_at(midi, seconds) / midi.resolution).tolist(), tempos, strict=True),
            zip((meter_ticks / midi.resolution).tolist(), meters, strict=True),
        )
    except _UnusableError as unusable:
        raise MidiError("PrettyMIDI object", str(unusable)) from unusable


def _instrument_notes(midi: pretty_midi.PrettyMIDI, notes: Sequence[pretty_midi.Note]) -> Notes:
    """Notes of one instrument; as in a file, one that is shorter than a tick lasts a tick."""
    numbers = np.array([(n.pitch, n.velocity) for n in notes], np.int64).reshape(-1, 2)
    start, end = (_ticks_at(midi, [getattr(n, name) for n in notes]) for name in ("start", "end"))
    columns = {"pitch": numbers[:, 0], "velocity": numbers[:, 1], "time": start, "duration": np.maximum(end - start, 1)}
    return _notes(columns, midi.resolution)


def _ticks_at(midi: pretty_midi.PrettyMIDI, times: ArrayLike) -> NDArray[np.int64]:
    """The nearest tick of each time in seconds."""
    seconds, qpm = midi.get_tempo_changes()
    times = np.asarray(times, np.float64)
    elapsed = np.append(0.0, np.cumsum(np.diff(seconds) * qpm[:-1] / 60))  # quarter notes at each change
    section = np.maximum(np.searchsorted(seconds, times, "right") - 1, 0)
    quarters = elapsed[section] + (times - seconds[section]) * qpm[section] / 60
    return np.asarray(np.round(quarters * midi.resolution), np.int64)
