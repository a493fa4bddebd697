"""Song → samples → WAV: a small additive synthesizer, in tune and in time.

A tone is a sum of partials, a_1·w + a_2·w² + … + a_n·wⁿ with one damped phasor w(t) = exp(-damping·t + i·2π·f·t), so
that it is evaluated like any polynomial and higher partials fade faster, as they do on strings. The numbers behind
each instrument are in `timbres.py`.
"""

from __future__ import annotations

import io
import os
import wave
from collections.abc import Sequence
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.files import write_bytes
from musicvae_lite.music.notes import Song, TempoChange, Track
from musicvae_lite.music.tempo import seconds_at
from musicvae_lite.rendering import timbres
from musicvae_lite.rendering.timbres import Drum, Timbre

Samples = NDArray[np.float32]

SAMPLE_RATE = 22_050  # Hz: the tables of timbres have little to say past 11 kHz, and it renders twice as fast as 44,100
A4_HZ = 440.0
MIDDLE_C = 60
PEAK = 0.89  # of full scale: -1 dB, so that no player's resampling clips
KNEE = 0.6  # of the loudest moments: below it the mix passes unchanged, above it is bent
LOUD_SHARE = 0.001  # share of samples that counts as the loudest moments
DRUM_SECONDS = 1.5
TAIL_SECONDS = 2.0  # after the last written end: longer than any release or stroke
VIBRATO_HZ = 5.4
VIBRATO_SECONDS = 0.35  # until it has built up
MAX_SECONDS = 3600.0
NOISE_SEED = 0  # every render of a song is the same


def render(song: Song, sample_rate: int = SAMPLE_RATE) -> Samples:
    """All tracks of a song as one mono signal, [samples] within ±`PEAK`; it ends once the last note has died away.

    Times go through the song's tempo map, velocity is loudness, and the loudest moment is always `PEAK`. Silence
    without notes is an array of length 0. `MusicVAEError` past an hour of sound.
    """
    seconds = float(seconds_at(song.end, song.tempos))
    if seconds > MAX_SECONDS:
        raise MusicVAEError(
            f"{seconds / 60:.0f} minutes of sound: expected at most {MAX_SECONDS / 60:.0f}; choose a part of the piece"
        )
    mix = np.zeros(round((seconds + TAIL_SECONDS) * sample_rate), np.float32)
    for track in song.tracks:
        _add(track, song.tempos, mix, sample_rate)
    return limit(np.trim_zeros(mix, "b"))


def _add(track: Track, tempos: Sequence[TempoChange], mix: Samples, sample_rate: int) -> None:
    """Add the notes of a track to `mix`, the one array here that is written to."""
    notes = track.notes
    start, end = (np.rint(seconds_at(time, tempos) * sample_rate).astype(int) for time in (notes.start, notes.end))
    gains = ((notes.velocity / 127) ** 1.5).astype(np.float32)
    # Tunes repeat notes; a bounded cache saves most of the work and cannot fill the memory with a performance.
    sound = lru_cache(maxsize=256)(_drum_sound if track.is_drum else partial(tone, timbres.timbre(track.program)))
    lengths = np.maximum(end - start, 1).tolist()
    for first, pitch, length, gain in zip(start.tolist(), notes.pitch.tolist(), lengths, gains, strict=True):
        samples = sound(pitch, length, sample_rate)
        mix[first : first + len(samples)] += gain * samples


def _drum_sound(key: int, length: int, sample_rate: int) -> Samples:
    """A stroke rings as long as it rings: the written length says nothing."""
    return stroke(timbres.drum(key), sample_rate)


def frequency(pitch: int) -> float:
    """Hz of a MIDI pitch in equal temperament with A4 (69) at 440 Hz."""
    return float(A4_HZ * 2 ** ((pitch - 69) / 12))


def tone(timbre: Timbre, pitch: int, length: int, sample_rate: int) -> Samples:
    """A note of `length` samples with its release after it: starts and ends at 0, never beyond ±`timbre.gain`."""
    hz = frequency(pitch)
    held = max(round(length * timbre.held), 1)
    release = round(timbre.release * sample_rate)
    time = np.arange(held + release) / sample_rate
    # Partials above half the sample rate would fold down and be out of tune.
    partials = np.array(timbre.partials)[: max(int(sample_rate / 2 / hz * 0.95), 1)]
    phase = 2 * np.pi * hz * _bent(time, timbre.vibrato)
    phasor = np.exp(1j * phase - timbre.damping * _fading_rate(pitch) * time)
    wave_form = np.polyval([*partials[::-1], 0], phasor).imag / sum(timbre.partials)
    fading = np.exp(-timbre.decay * _fading_rate(pitch) * time)
    envelope = fading * _envelope(held, release, round(timbre.attack * sample_rate))
    return np.asarray(timbre.gain * envelope * wave_form, np.float32)


def _fading_rate(pitch: int) -> float:
    """How fast a string of that pitch fades beside middle C's: long ones ring longer."""
    return float(2 ** ((pitch - MIDDLE_C) / 24))


def _bent(time: NDArray[np.float64], depth: float) -> NDArray[np.float64]:
    """Time that runs up to `depth` faster and slower, more and more: frequencies read from it have vibrato."""
    if not depth:
        return time
    swing = depth / (2 * np.pi * VIBRATO_HZ) * np.minimum(time / VIBRATO_SECONDS, 1)
    return time + swing * np.sin(2 * np.pi * VIBRATO_HZ * time)


def _envelope(held: int, release: int, attack: int) -> NDArray[np.float64]:
    """From 0 to 1 in `attack` samples, on to `held`, and back to 0 in `release` samples, all without corners."""
    rise = np.minimum(np.arange(held + release) / max(attack, 1), 1)
    fall = np.minimum(np.arange(held + release)[::-1] / max(release, 1), 1)
    return np.asarray(np.sin(np.pi / 2 * rise) ** 2 * np.sin(np.pi / 2 * fall) ** 2)


@lru_cache(maxsize=64)
def stroke(drum: Drum, sample_rate: int) -> Samples:
    """A drum stroke; its loudest sample is `drum.gain`."""
    time = np.arange(round(DRUM_SECONDS * sample_rate)) / sample_rate
    # The glide dies away as fast as it matters: its integral is the phase.
    glide = drum.glide * (1 - np.exp(-30 * time)) / 30
    struck = np.sin(2 * np.pi * (drum.tone * time + glide)) * np.exp(-drum.tone_decay * time)
    noise = np.random.default_rng(NOISE_SEED).standard_normal(len(time) + drum.brightness)
    hiss = np.diff(noise, drum.brightness) * np.exp(-drum.noise_decay * time)
    both = (struck + drum.noise * hiss / np.abs(hiss).max()) * _envelope(0, len(time), round(0.001 * sample_rate))
    return np.asarray(drum.gain * both / np.abs(both).max(), np.float32)


def limit(mix: Samples) -> Samples:
    """The mix [samples] bent where it is loudest, its largest sample at ±`PEAK`; silence stays silence."""
    size = np.abs(mix)
    if not size.any():
        return mix
    sounding = size[size > 0]
    rank = int(len(sounding) * (1 - LOUD_SHARE))
    knee = np.float32(KNEE) * np.partition(sounding, rank)[rank]
    room = np.float32(1 / KNEE - 1) * knee  # what lies between the knee and the loudest moments
    bent = np.where(size > knee, knee + room * np.tanh((size - knee) / room), size)
    return np.asarray(np.copysign(bent, mix) * np.float32(PEAK / bent.max()), np.float32)


def write_wav(path: str | os.PathLike[str], samples: Samples, sample_rate: int = SAMPLE_RATE) -> None:
    """Write [samples] in -1 … 1 as a 16-bit mono WAV file; it appears complete or not at all."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    write_bytes(path, content.getvalue())
