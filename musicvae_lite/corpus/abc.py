"""ABC as people write it → what lies between two bar lines (`Segment`) → ABC of the plainest kind.

Only the melody is kept: grace notes, chord symbols, decorations, words, all voices but the first and all notes of a
chord but the highest are left out, and no onset shifts for them. Each written bar comes once: repeats are not played,
and of several endings the last is kept. Reading spells out every length (broken rhythm, unit length), so writing
needs neither. Source: ABC standard 2.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.notes import Meter

NAMED_METERS = {"C": Meter(4, 4), "C|": Meter(2, 2)}
DENOMINATORS = (1, 2, 4, 8, 16, 32)
# (p is p notes in the time of q; for the sizes that are not here q depends on the meter.
TUPLET_TIME = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
MAX_LENGTH = 64  # whole notes, and the same in fractions of one: beyond is a slip of the pen
MAX_BROKEN_SIGNS = 3

_PITCH = r"(?:\^\^?|__?|=)?[A-Ga-g][,']*"
_LENGTH = r"\d{0,4}(?:/+\d{0,4})?"
_TOKEN = re.compile(
    "|".join(
        (
            r'(?P<left_out>"[^"]*"|\{[^}]*\}|!\w[^!|]{0,20}!|&[^|]*)',
            r"\[(?P<field>[A-Za-z]):(?P<value>[^\]]*)\]",
            r"(?P<bar>:*\|[|:\]]*|::+|\[\|[|:\]]*)(?:\s*(?P<bar_ending>\d)(?![\d/]))?",
            r"\[\s*(?P<ending>\d)[-,.\d\s]*",
            r"\((?P<p>[2-9])(?::(?P<q>\d?))?(?::(?P<r>\d?))?",
            rf"\[(?P<chord>[^\]|:]*)\](?P<chord_length>{_LENGTH})",
            rf"\+(?P<old_chord>(?:{_PITCH}{_LENGTH})+)\+",
            r"(?P<decoration>\+\w[^+|]{0,20}\+)",
            rf"(?P<pitch>{_PITCH}|[xz])(?P<length>{_LENGTH})",
            r"Z(?P<bars>\d{0,3})",
            r"(?P<tie>-)",
            r"(?P<broken>>+|<+)",
        )
    )
)
_CHORD_NOTE = re.compile(rf"(?P<pitch>{_PITCH})(?P<length>{_LENGTH})")
_FIELD_LINE = re.compile(r"([A-Za-z]):(?![|:])(.*)")
_COMMENT = re.compile(r"(?<!\\)%.*")
_METER = re.compile(r"\(?(\d+(?:\s*\+\s*\d+)*)\)?\s*/\s*(\d+)")
_MAILED_SIGN = "=3D"  # what e-mail once made of "=", a natural
_QUOTED = re.compile(r'"[^"]*"')
_TEMPO = re.compile(r"(?:(\d+)/(\d+)\s*=\s*)?(\d+)\s*$")


class AbcError(MusicVAEError):
    """A tune that cannot be used; the message is a reason, short and the same for every tune with the same fault."""


@dataclass(frozen=True)
class Sound:
    """A note or a rest ("z"); `before` is what its ABC starts with (a key change, a tuplet)."""

    pitch: str
    length: Fraction  # whole notes, as it is written
    scale: Fraction = Fraction(1)  # what a tuplet makes of it
    tied: bool = False
    before: str = ""

    @cached_property
    def duration(self) -> Fraction:
        """How long it sounds, in whole notes."""
        return self.length * self.scale


@dataclass(frozen=True)
class Segment:
    """What lies between two bar lines; `section`: the one in front of it is a double bar or a repeat."""

    meter: Meter
    section: bool
    sounds: tuple[Sound, ...] = ()

    @cached_property
    def duration(self) -> Fraction:
        """How long it lasts, in whole notes."""
        return sum((sound.duration for sound in self.sounds), Fraction(0))

    @property
    def bar(self) -> Fraction:
        """How long its meter says that it lasts, in whole notes."""
        return Fraction(self.meter.numerator, self.meter.denominator)


@dataclass(frozen=True)
class Tune:
    """A tune as it is written; `qpm` (quarter notes a minute) is None where it names no tempo."""

    title: str
    key: str
    qpm: float | None
    segments: tuple[Segment, ...]


def split(book: str) -> Iterator[tuple[str, str]]:
    """(number, ABC text) of each tune of a book, in order; the number is what follows X:."""
    for text in re.split(r"^(?=X:)", book, flags=re.MULTILINE)[1:]:
        first_line, _, _ = text[2:].partition("\n")
        yield _COMMENT.sub("", first_line).strip(), text


def read(text: str) -> Tune:
    """The tune of one ABC text; `AbcError` where it has no key, no meter, or a length that cannot be."""
    header, body = _header_and_body(text)
    if "K" not in header:
        raise AbcError("no key")
    reader = _Reader(_meter(header.get("M", "")), header.get("L", ""))
    for line in body:
        reader.read(line)
    segments = tuple(segment for segment in reader.segments if segment.sounds)
    return Tune(header.get("T", ""), header["K"], _qpm(header.get("Q", "")), segments)


def write(key: str, bars: Sequence[Segment]) -> str:
    """ABC of one voice, a line a bar, every length spelled out in quarter notes."""
    lines = ["X:1", f"M:{bars[0].meter}", "L:1/4", f"K:{key}"]
    for i, bar in enumerate(bars):
        change = f"[M:{bar.meter}]" if i and bar.meter != bars[i - 1].meter else ""
        lines.append(change + " ".join(map(_spell, bar.sounds)) + " |")
    return "\n".join(lines) + "\n"


def rests(duration: Fraction) -> tuple[Sound, ...]:
    """A rest that lasts `duration` whole notes, in a tuplet of its own where its length needs one; none for 0."""
    if not duration:
        return ()
    odd = duration.denominator // (duration.denominator & -duration.denominator)
    if odd == 1:
        return (Sound("z", duration),)
    if odd > 9:
        raise AbcError("lengths that fit into no bar")
    scale = Fraction(2, odd)
    return (Sound("z", duration / scale, scale, before=f"({odd}:2:1"),)


def _spell(sound: Sound) -> str:
    quarters = sound.length * 4
    return f"{sound.before}{sound.pitch}{quarters.numerator}/{quarters.denominator}{'-' if sound.tied else ''}"


def _header_and_body(text: str) -> tuple[dict[str, str], list[str]]:
    """The first field of each letter up to the key, and the lines after it."""
    lines = [_COMMENT.sub("", line).strip() for line in text.replace(_MAILED_SIGN, "=").splitlines()]
    header: dict[str, str] = {}
    for i, line in enumerate(lines):
        if match := _FIELD_LINE.match(line):
            header.setdefault(match[1], match[2].strip())
            if match[1] == "K":
                return header, lines[i + 1 :]
    return header, []


def _meter(value: str) -> Meter:
    if value in NAMED_METERS:
        return NAMED_METERS[value]
    match = _METER.fullmatch(value)
    if not match:
        raise AbcError("no meter" if value.lower() in ("", "none", "free") else "a meter that is none")
    meter = Meter(sum(map(int, match[1].split("+"))), int(match[2]))
    if not 1 <= meter.numerator <= MAX_LENGTH or meter.denominator not in DENOMINATORS:
        raise AbcError("a meter that is none")
    return meter


def _is_compound(meter: Meter) -> bool:
    return meter.denominator >= 8 and meter.numerator % 3 == 0


def _unit(value: str, meter: Meter) -> Fraction:
    """The length of a note without a number, in whole notes."""
    top, _, bottom = value.partition("/")
    if top.isdecimal() and bottom.isdecimal() and int(bottom):
        return Fraction(int(top), int(bottom))
    return Fraction(1, 16) if meter.bar_quarters < 3 else Fraction(1, 8)


def _length(text: str) -> Fraction:
    """How many unit lengths: '' is 1, '3' is 3, '/' is 1/2, '//' is 1/4, '3/2' is 3/2."""
    top, slash, rest = text.partition("/")
    bottom = rest.lstrip("/")
    divisor = int(bottom) if bottom else 2 ** len(slash + rest)
    if not 0 < divisor <= MAX_LENGTH:
        raise AbcError("a note length that is none")
    return Fraction(int(top or 1), divisor)


def _height(pitch: str) -> int:
    """Steps of the scale above C; accidentals aside."""
    letter = pitch.lstrip("^_=")[0]
    octave = letter.islower() + pitch.count("'") - pitch.count(",")
    return "CDEFGAB".index(letter.upper()) + 7 * octave


def _qpm(value: str) -> float | None:
    """Quarter notes a minute of "1/4=100", "3/8=100 \\"Slow\\"" or "100"; None where no number says it."""
    match = _TEMPO.search(_QUOTED.sub("", value).strip())
    if not match:
        return None
    beat = Fraction(int(match[1]), max(int(match[2]), 1)) if match[1] else Fraction(1, 4)
    return float(beat * 4 * int(match[3]))


class _Reader:
    """What the lines read so far have come to: segments, and what holds for the next sound."""

    def __init__(self, meter: Meter, unit: str) -> None:
        self.segments = [Segment(meter, section=True)]
        self.unit = _unit(unit, meter)
        self.voice: str | None = None
        self.is_other_voice = False
        self.ending: int | None = None  # where the first of several endings starts, while they last
        self.before = ""
        self.broken = Fraction(1)
        self.tuplet = (Fraction(1), 0)  # scale, sounds to go

    def read(self, line: str) -> None:
        """Take in one line: a field or music."""
        if match := _FIELD_LINE.match(line):
            self._field(match[1], match[2].strip())
            return
        for token in _TOKEN.finditer(line):
            if token["field"]:
                self._field(token["field"], token["value"].strip())
            elif not self.is_other_voice:
                self._music(token)

    def _field(self, name: str, value: str) -> None:
        if name == "V":
            voice = value.partition(" ")[0]
            self.voice = voice if self.voice is None else self.voice
            self.is_other_voice = voice != self.voice
        elif self.is_other_voice:
            return
        elif name == "L":
            self.unit = _unit(value, self.segments[-1].meter)
        elif name == "K":
            self.before += f"[K:{value}]"
        elif name == "M":
            self._bar_line(section=False)
            self.segments[-1] = replace(self.segments[-1], meter=_meter(value))

    def _music(self, token: re.Match[str]) -> None:
        if token["bar"]:
            self._bar_line(section=token["bar"] != "|")
        if ending := token["ending"] or token["bar_ending"]:
            self._start_ending(int(ending))
        elif token["p"]:
            self._start_tuplet(int(token["p"]), int(token["q"] or 0), int(token["r"] or 0))
        elif token["chord"]:
            self._chord(token["chord"], token["chord_length"])
        elif token["old_chord"]:
            self._chord(token["old_chord"], "")
        elif token["pitch"]:
            self._sound(token["pitch"].replace("x", "z"), _length(token["length"]) * self.unit)
        elif token["bars"] is not None:
            self._sound("z", self.segments[-1].bar * int(token["bars"] or 1))
        elif token["tie"]:
            self._tie()
        elif token["broken"]:
            self._break(token["broken"])

    def _bar_line(self, section: bool) -> None:
        last = self.segments[-1]
        if last.sounds:
            self.segments.append(Segment(last.meter, section))
        else:
            self.segments[-1] = replace(last, section=last.section or section)

    def _start_ending(self, number: int) -> None:
        self._bar_line(section=False)
        if number > 1 and self.ending is not None:
            del self.segments[self.ending : -1]
            self.segments[-1] = replace(self.segments[-1], section=False)
        self.ending = len(self.segments) - 1

    def _start_tuplet(self, p: int, q: int, r: int) -> None:
        q = q or TUPLET_TIME.get(p) or (3 if _is_compound(self.segments[-1].meter) else 2)
        self.tuplet = (Fraction(q, p), r or p)
        self.before += f"({p}:{q}:{r or p}"

    def _sound(self, pitch: str, length: Fraction) -> None:
        segment = self.segments[-1]
        if segment.section and not segment.sounds and self.ending != len(self.segments) - 1:
            self.ending = None
        scale, to_go = self.tuplet
        sound = Sound(pitch, length * self.broken, scale if to_go else Fraction(1), before=self.before)
        if not 0 < sound.length <= MAX_LENGTH:
            raise AbcError("a note length that is none")
        self.segments[-1] = replace(segment, sounds=(*segment.sounds, sound))
        self.tuplet, self.broken, self.before = (scale, max(to_go - 1, 0)), Fraction(1), ""

    def _chord(self, inside: str, length: str) -> None:
        """The highest note of a chord, which is as long as its first note says."""
        notes = list(_CHORD_NOTE.finditer(inside))
        if notes:
            highest = max((note["pitch"] for note in notes), key=_height)
            self._sound(highest, _length(notes[0]["length"]) * _length(length) * self.unit)
            if "-" in inside:
                self._tie()

    def _tie(self) -> None:
        self._change_last(lambda sound: replace(sound, tied=sound.pitch != "z"))

    def _break(self, signs: str) -> None:
        """a>b: a is half as long again and b half as long; each further sign halves what is left of b."""
        short = Fraction(1, 2 ** min(len(signs), MAX_BROKEN_SIGNS))
        first, second = (2 - short, short) if signs[0] == ">" else (short, 2 - short)
        if self._change_last(lambda sound: replace(sound, length=sound.length * first)):
            self.broken = second

    def _change_last(self, change: Callable[[Sound], Sound]) -> bool:
        """Whether there is a sound in front of here, in this bar, to change."""
        segment = self.segments[-1]
        if segment.sounds:
            *others, last = segment.sounds
            self.segments[-1] = replace(segment, sounds=(*others, change(last)))
        return bool(segment.sounds)
