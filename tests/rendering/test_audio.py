from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.notes import Note, Notes, Song, TempoChange, Track
from musicvae_lite.rendering import timbres
from musicvae_lite.rendering.audio import KNEE, PEAK, SAMPLE_RATE, limit, render, write_wav

Signal = NDArray[np.float32]
PIANO, ORGAN, BASS, VIOLIN, TRUMPET, OBOE, CLARINET, FLUTE = 0, 19, 33, 40, 56, 68, 71, 73
PROGRAMS = (PIANO, ORGAN, BASS, VIOLIN, TRUMPET, OBOE, CLARINET, FLUTE)
AT_120 = (TempoChange(0.0, 120.0),)


def song(*notes: Note, program: int = PIANO, is_drum: bool = False, tempos: tuple[TempoChange, ...] = AT_120) -> Song:
    return Song((Track(Notes.of(notes), program=program, is_drum=is_drum),), tempos)


def spectrum_peak(samples: Signal) -> float:
    """Hz of the strongest partial."""
    size = 4 * SAMPLE_RATE  # padded with zeros to a resolution of a quarter of a hertz
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), size))
    return float(np.argmax(spectrum)) * SAMPLE_RATE / size


def loudness(samples: Signal, begin: float, end: float) -> float:
    """Root mean square between two times in seconds."""
    return float(np.sqrt(np.mean(samples[int(begin * SAMPLE_RATE) : int(end * SAMPLE_RATE)] ** 2)))


def first_sound(samples: Signal, after: float) -> float:
    """Seconds of the first sample after `after` that is a tenth as loud as the loudest."""
    begin = int(after * SAMPLE_RATE)
    return (begin + int(np.argmax(np.abs(samples[begin:]) > 0.1 * np.abs(samples).max()))) / SAMPLE_RATE


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("pitch", [36, 57, 69, 84, 96])
def test_a_note_has_the_frequency_of_its_pitch(program: int, pitch: int) -> None:
    heard = spectrum_peak(render(song(Note(pitch, 100, 0.0, 2.0), program=program)))
    hz = 440 * 2 ** ((pitch - 69) / 12)
    # The strongest partial may be a higher one (as a trumpet's is): it is in tune if it is a multiple of the pitch.
    partial = max(round(heard / hz), 1)
    assert partial <= 2
    assert heard == pytest.approx(partial * hz, rel=0.01)


@pytest.mark.parametrize("program", PROGRAMS)
def test_notes_sound_at_their_time_by_the_tempo_map(program: int) -> None:
    slowing = (TempoChange(0.0, 120.0), TempoChange(4.0, 60.0))
    starts_quarters, starts_seconds = (1.0, 3.0, 6.0), (0.5, 1.5, 4.0)
    notes = [Note(60, 100, start, start + 0.5) for start in starts_quarters]
    samples = render(song(*notes, program=program, tempos=slowing))
    for seconds in starts_seconds:
        assert first_sound(samples, seconds - 0.2) == pytest.approx(seconds, abs=0.01)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_note_falls_silent_after_its_end(program: int) -> None:
    samples = render(song(Note(60, 100, 0.0, 1.0), Note(60, 100, 6.0, 7.0), program=program))
    assert loudness(samples, 0.2, 0.4) > 0.02
    assert loudness(samples, 0.8, 2.9) == 0.0


@pytest.mark.parametrize("program", [ORGAN, VIOLIN, FLUTE])
def test_sustained_instruments_hold_and_plucked_ones_fade(program: int) -> None:
    def kept(of: int) -> float:
        samples = render(song(Note(72, 100, 0.0, 4.0), program=of))
        return loudness(samples, 1.5, 1.7) / loudness(samples, 0.2, 0.4)

    assert kept(program) > 0.9
    assert kept(PIANO) < 0.5


@pytest.mark.parametrize("program", PROGRAMS)
def test_repeated_notes_are_heard_apart(program: int) -> None:
    samples = render(song(Note(72, 100, 0.0, 1.0), Note(72, 100, 1.0, 2.0), program=program))
    before, gap, after = (loudness(samples, t, t + 0.012) for t in (0.42, 0.492, 0.53))
    assert gap < 0.95 * after
    assert gap < 0.95 * before or after > 1.2 * before


@pytest.mark.parametrize("program", range(0, 128, 8))
def test_no_note_starts_or_ends_with_a_click(program: int) -> None:
    samples = render(song(Note(48, 100, 0.0, 0.6), Note(55, 100, 1.0, 1.4), program=program))
    padded = np.concatenate(([0.0], samples, [0.0]))
    inside = np.abs(np.diff(samples[int(0.02 * SAMPLE_RATE) : int(0.2 * SAMPLE_RATE)])).max()
    assert np.abs(np.diff(padded)).max() < 2 * inside


def test_a_louder_velocity_sounds_louder() -> None:
    samples = render(song(*(Note(60, velocity, 2.0 * i, 2.0 * i + 1) for i, velocity in enumerate((30, 60, 120)))))
    soft, medium, loud = (loudness(samples, t, t + 0.4) for t in (0.0, 1.0, 2.0))
    assert soft < medium < loud
    assert loud > 2 * soft


@pytest.mark.parametrize("key", [*sorted(timbres.DRUMS), 27, 81])
def test_every_drum_is_heard_at_once_and_dies_away(key: int) -> None:
    samples = render(song(Note(key, 100, 2.0, 2.1), is_drum=True))
    assert first_sound(samples, 0.0) == pytest.approx(1.0, abs=0.01)
    assert loudness(samples, 1.0, 1.05) > 0.02
    assert loudness(samples, 2.3, 2.6) < 0.02


def test_a_kick_is_deep_and_a_hat_is_high() -> None:
    assert spectrum_peak(render(song(Note(36, 100, 0.0, 1.0), is_drum=True))) < 120
    assert spectrum_peak(render(song(Note(42, 100, 0.0, 1.0), is_drum=True))) > 4000


def test_the_peak_is_the_same_for_one_soft_note_and_forty_loud_ones() -> None:
    soft = render(song(Note(60, 1, 0.0, 1.0)))
    crowd = render(song(*(Note(40 + i, 127, 0.0, 4.0) for i in range(40))))
    assert np.abs(soft).max() == pytest.approx(PEAK)
    assert np.abs(crowd).max() == pytest.approx(PEAK)


def test_one_crash_does_not_make_the_rest_inaudible() -> None:
    quiet = np.full(10_000, 0.1, np.float32)
    quiet[5000] = 5.0
    bent = limit(quiet)
    assert bent[0] > 0.4
    assert bent[5000] == pytest.approx(PEAK)


def test_what_is_below_the_knee_keeps_its_shape() -> None:
    ramp = np.linspace(-1, 1, 10_001, dtype=np.float32)
    low = np.abs(ramp) < 0.99 * KNEE
    gain = limit(ramp)[low] / np.where(ramp[low] == 0, 1, ramp[low])
    assert np.ptp(gain[gain != 0]) == pytest.approx(0, abs=1e-5)


def test_every_render_is_the_same_and_melody_and_drums_mix() -> None:
    melody = Track(Notes.of([Note(60, 90, 0.0, 2.0)]), program=FLUTE)
    drums = Track(Notes.of([Note(38, 90, 1.0, 1.1)]), is_drum=True)
    both = Song((melody, drums))
    assert render(both).dtype == np.float32
    assert np.array_equal(render(both), render(both))
    assert loudness(render(both), 0.5, 0.6) > loudness(render(both), 0.3, 0.4)


def test_silence_has_no_samples() -> None:
    assert len(render(Song(()))) == 0
    assert len(render(song())) == 0


def test_the_shortest_and_the_highest_notes_are_no_trouble() -> None:
    samples = render(song(Note(127, 100, 0.0, 1e-6), Note(0, 100, 1.0, 1.01), Note(127, 127, 2.0, 3.0)))
    assert np.all(np.isfinite(samples))
    assert loudness(samples, 1.0, 1.4) > 0.02


def test_more_than_an_hour_is_refused_with_its_length() -> None:
    with pytest.raises(MusicVAEError, match="100 minutes of sound"):
        render(song(Note(60, 80, 0.0, 100.0), tempos=(TempoChange(0.0, 1.0),)))


def test_a_wav_file_holds_the_samples_in_16_bits(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    write_wav(path, np.array([0.0, 0.5, -0.5, 1.0, -2.0], np.float32), 8000)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        assert np.frombuffer(file.readframes(9), "<i2").tolist() == [0, 16384, -16384, 32767, -32767]
    assert list(tmp_path.iterdir()) == [path]


def test_a_wav_file_that_cannot_be_written_is_our_own_error(tmp_path: Path) -> None:
    with pytest.raises(MusicVAEError, match="cannot be written"):
        write_wav(tmp_path / "missing" / "tone.wav", np.zeros(3, np.float32))
    with pytest.raises(MusicVAEError, match="cannot be written"):
        write_wav(tmp_path, np.zeros(3, np.float32))
    assert not list(tmp_path.iterdir())
