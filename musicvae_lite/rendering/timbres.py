"""What each program and each drum sounds like: tables of numbers, read by `audio.render`.

Programs and drum keys are General MIDI's (level 1), counted from 0 as in a `Track`; a family is eight programs.
"""

from __future__ import annotations

from typing import NamedTuple


class Timbre(NamedTuple):
    """A tone: its partials at 1, 2, 3 … times the pitch, and how they come and go."""

    partials: tuple[float, ...]  # amplitudes; scaled so that they sum to 1
    decay: float = 0.0  # how fast the first partial fades, in nepers a second at middle C; 0 sustains
    damping: float = 0.0  # how much faster each further partial fades, in nepers a second
    attack: float = 0.004  # seconds from silence to full
    release: float = 0.08  # seconds from full to silence, once the note has been held
    held: float = 1.0  # share of the written length that is held; under 1, repeated notes stay apart
    vibrato: float = 0.0  # largest deviation from the pitch, as a share of it
    gain: float = 1.0


class Drum(NamedTuple):
    """A stroke: a tone that glides down from `tone + glide`, and noise, each fading away."""

    tone: float = 0.0  # Hz; 0 for none
    glide: float = 0.0  # Hz above `tone` at the stroke
    tone_decay: float = 10.0  # nepers a second
    noise: float = 0.0  # amplitude beside a tone of 1
    noise_decay: float = 20.0  # nepers a second
    brightness: int = 0  # how many times the noise is differentiated: 0 is white, 2 hisses
    gain: float = 1.0


PIANO = Timbre((1, 0.55, 0.35, 0.22, 0.14, 0.1, 0.06, 0.04), decay=1.1, damping=0.9)
BELL = Timbre((1, 0.1, 0.02, 0.35, 0, 0, 0.05, 0.02), decay=1.8, damping=1.2, release=0.25, gain=0.8)
ORGAN = Timbre((1, 0.7, 0.3, 0.35, 0, 0.18, 0, 0.2), attack=0.008, release=0.03, held=0.95, gain=0.7)
PLUCKED = Timbre((1, 0.7, 0.5, 0.35, 0.25, 0.2, 0.12, 0.1), decay=2.2, damping=1.6, attack=0.003)
BASS = Timbre((1, 0.6, 0.25, 0.1, 0.04), decay=1.0, damping=2.5, attack=0.005, release=0.05, held=0.97, gain=1.3)
BOWED = Timbre((1, 0.6, 0.45, 0.3, 0.25, 0.15, 0.1), attack=0.018, release=0.07, held=0.92, vibrato=0.003, gain=0.8)
BRASS = Timbre((0.8, 1, 0.85, 0.6, 0.4, 0.28, 0.18, 0.1), attack=0.014, release=0.05, held=0.9, gain=0.75)
REED = Timbre((1, 0.5, 0.7, 0.35, 0.3, 0.12, 0.08), attack=0.012, release=0.05, held=0.9, vibrato=0.0015, gain=0.8)
HOLLOW_REED = Timbre((1, 0.04, 0.55, 0.03, 0.3, 0.02, 0.15), attack=0.012, release=0.05, held=0.92, gain=0.8)
PIPE = Timbre((1, 0.3, 0.12, 0.04, 0.02), attack=0.014, release=0.05, held=0.9, vibrato=0.002)
PAD = Timbre((1, 0.5, 0.3, 0.15, 0.08), attack=0.02, release=0.2, held=1.0, vibrato=0.002, gain=0.8)
LEAD = Timbre((1, 0.5, 0.33, 0.25, 0.2, 0.17, 0.14, 0.12), attack=0.006, release=0.04, held=0.95, gain=0.6)

FAMILIES = (
    PIANO,  # 0 piano
    BELL,  # 8 chromatic percussion
    ORGAN,  # 16 organ, accordion
    PLUCKED,  # 24 guitar
    BASS,  # 32 bass
    BOWED,  # 40 strings
    BOWED,  # 48 ensemble
    BRASS,  # 56 brass
    REED,  # 64 saxophone, oboe
    PIPE,  # 72 flute
    LEAD,  # 80 synth lead
    PAD,  # 88 synth pad
    PAD,  # 96 synth effects
    PLUCKED,  # 104 sitar, banjo
    BELL,  # 112 percussive
    PAD,  # 120 sound effects
)
# Programs that sound unlike their family.
EXCEPTIONS = {
    6: PLUCKED,  # harpsichord
    45: PLUCKED,  # pizzicato
    46: PLUCKED,  # harp
    47: BASS,  # timpani
    71: HOLLOW_REED,  # clarinet
    109: REED,  # bagpipe
    110: BOWED,  # fiddle
    111: REED,  # shanai
}

KICK = Drum(tone=52, glide=110, tone_decay=11, noise=0.08, noise_decay=90, gain=1.3)
STICK = Drum(tone=820, tone_decay=70, noise=0.5, noise_decay=90, brightness=1, gain=0.5)
SNARE = Drum(tone=185, glide=60, tone_decay=22, noise=0.9, noise_decay=17, brightness=1, gain=0.7)
CLAP = Drum(noise=1, noise_decay=24, brightness=1, gain=0.6)
CLOSED_HAT = Drum(noise=1, noise_decay=55, brightness=2, gain=0.3)
OPEN_HAT = Drum(noise=1, noise_decay=9, brightness=2, gain=0.3)
RIDE = Drum(tone=3100, tone_decay=9, noise=1.5, noise_decay=7, brightness=2, gain=0.2)
CRASH = Drum(noise=1, noise_decay=3, brightness=1, gain=0.4)
COWBELL = Drum(tone=560, tone_decay=16, gain=0.4)
SHAKER = Drum(noise=1, noise_decay=38, brightness=2, gain=0.25)
BLOCK = Drum(tone=1050, tone_decay=45, gain=0.5)


def _tom(tone: float) -> Drum:
    return Drum(tone=tone, glide=tone * 0.6, tone_decay=9, noise=0.1, noise_decay=50, gain=0.9)


DRUMS = {
    **dict.fromkeys((35, 36), KICK),
    **dict.fromkeys((31, 37), STICK),
    **dict.fromkeys((38, 40), SNARE),
    **dict.fromkeys((28, 39), CLAP),
    **dict.fromkeys((22, 42, 44), CLOSED_HAT),  # 22 and 26: a Roland TD-11's, played at the edge
    **dict.fromkeys((26, 46), OPEN_HAT),
    **dict.fromkeys((51, 53, 59), RIDE),
    **dict.fromkeys((49, 52, 55, 57), CRASH),
    **{key: _tom(tone) for key, tone in zip((41, 43, 45, 47, 48, 50), (82, 98, 117, 139, 165, 196), strict=True)},
    56: COWBELL,
    **{key: _tom(tone) for key, tone in zip((60, 61, 62, 63, 64), (330, 240, 300, 270, 200), strict=True)},
    **dict.fromkeys((54, 69, 70, 82), SHAKER),
    **dict.fromkeys((75, 76, 77), BLOCK),
}
OTHER_DRUM = STICK


def timbre(program: int) -> Timbre:
    """How a program 0–127 sounds."""
    return EXCEPTIONS.get(program, FAMILIES[program // 8])


def drum(key: int) -> Drum:
    """How a drum key 0–127 sounds; one that the table leaves out is a stick."""
    return DRUMS.get(key, OTHER_DRUM)
