"""A folder of MIDI files → for each file a `Piece` with its windows, a `Loan`, or the reason why it is not used.

`find` lists the files, `scan_file` is the whole way of one file (read → voices → grid → tokens → windows), and
`scan` does it for all of them in all cores, with a time limit for each. A song without all voices that are asked for
has a `Loan` to give: the voices that it has, to learn from one by one.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from musicvae_lite.corpus import pool
from musicvae_lite.corpus.splits import digest, tune_id
from musicvae_lite.corpus.windows import Windows, cut, join
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.grid import STEPS_PER_QUARTER, bars
from musicvae_lite.music.midi import read
from musicvae_lite.music.notes import Song
from musicvae_lite.music.voices import Instrument, NoVoice, Timing, timing, to_grid
from musicvae_lite.tokens import melody, representation

SUFFIXES = (".mid", ".midi", ".kar")
SECONDS_A_FILE = 20.0
NO_STRETCH = "nowhere {bars} whole bars of one meter with a note in them"

Progress = Callable[[int, int], None]  # (files done, files in all)


@dataclass(frozen=True)
class Settings:
    """What makes two corpora of one folder differ. `track` overrules the representation's choice of tracks."""

    representation: str = melody.NAME
    bars: int = 2  # in each window
    steps_per_quarter: int = STEPS_PER_QUARTER
    track: int | str | None = None

    def __post_init__(self) -> None:
        representation(self.representation)  # raises with the known ones
        for name, value in (("bars", self.bars), ("steps_per_quarter", self.steps_per_quarter)):
            if value < 1:
                raise MusicVAEError(f"{name.replace('_', ' ')} is {value}: give a whole number from 1 on")


@dataclass(frozen=True, eq=False)
class Piece:
    """What one file gives. `tune` is the same for tunes that begin alike in any key, `content` for equal tokens."""

    windows: tuple[Windows, ...]  # one for each meter, at least one
    left_out: dict[str, int]  # reason → windows
    tune: str
    content: str
    tracks: tuple[int, ...]
    choice: str  # which tracks these are, and why
    instruments: tuple[Instrument, ...]  # of all voices that were taken
    timing: Timing


@dataclass(frozen=True, eq=False)
class Loan:
    """What a file without all voices lends: windows of each voice that it has. `reason` says what it lacks."""

    voices: dict[int, tuple[Windows, ...]]  # tokens [N, T, V], silent in all other voices
    content: str  # the same for equal tokens
    tracks: tuple[int, ...]
    reason: str


Outcome = Piece | Loan | str


@dataclass(frozen=True)
class Found:
    """Paths of MIDI files below a folder, relative to it and sorted; and the folders that could not be opened."""

    files: tuple[str, ...]
    closed: tuple[str, ...] = field(default=())


def find(folder: Path) -> Found:
    """Every .mid, .midi and .kar below `folder`, in any case, through links to folders (each folder once)."""
    files: list[str] = []
    closed: list[str] = []
    seen: set[tuple[int, int]] = set()
    for here, folders, names in os.walk(folder, followlinks=True, onerror=lambda e: closed.append(str(e.filename))):
        status = os.stat(here)
        known = (status.st_dev, status.st_ino) in seen
        seen.add((status.st_dev, status.st_ino))
        folders[:] = [] if known else sorted(folders)
        files += [] if known else [os.path.join(here, name) for name in names if name.lower().endswith(SUFFIXES)]
    relative = partial(os.path.relpath, start=folder)
    return Found(tuple(sorted(map(relative, files))), tuple(sorted(map(relative, closed))))


def scan_file(path: Path | str, settings: Settings) -> Piece:
    """The windows of one file; a `MusicVAEError` where it gives none."""
    return scan_song(read(path), settings)


def scan_song(song: Song, settings: Settings) -> Piece:
    """The windows of all that the representation takes of a song; a `MusicVAEError` where it gives none."""
    form = representation(settings.representation)
    takes = form.takes(song, settings.track)
    measures = bars(song, settings.steps_per_quarter)
    tokens = [form.encode(to_grid(take, settings.steps_per_quarter), measures[-1].end) for take in takes]
    cuts = [cut(each, measures, settings.bars, settings.steps_per_quarter, form, tempos=song.tempos) for each in tokens]
    windows = join(group for groups, _ in cuts for group in groups)
    if not windows:
        raise MusicVAEError(_too_short(len(measures), settings.bars))
    voices = list({voice.tracks: voice for take in takes for voice in take}.values())
    return Piece(
        windows=windows,
        left_out=dict(sum((counts for _, counts in cuts), Counter[str]())),
        tune=tune_id(tokens[0], settings.steps_per_quarter, form),
        content=digest(*tokens, *(np.append(group.meter, group.start_bar) for group in windows)),
        tracks=tuple(track for voice in voices for track in voice.tracks),
        choice="; ".join(voice.choice for voice in voices),
        instruments=tuple(voice.instrument for voice in voices),
        timing=timing(voices, settings.steps_per_quarter),
    )


def loan(song: Song, missing: NoVoice, settings: Settings) -> Loan | None:
    """What a song lends that is `missing` a voice; None if it has nothing to lend."""
    form, steps = representation(settings.representation), settings.steps_per_quarter
    measures = bars(song, steps)
    lent, tokens = {}, []
    for number, voice in missing.found.items():
        notes = to_grid([voice], steps)
        alone = form.encode(notes.with_voices(np.full(len(notes), number)), measures[-1].end)
        windows, _ = cut(alone, measures, settings.bars, steps, form, tempos=song.tempos)
        if windows:
            lent[number] = windows
            tokens.append(alone)
    tracks = tuple(track for number in lent for track in missing.found[number].tracks)
    return Loan(lent, digest(*tokens), tracks, missing.reason) if lent else None


def scan(folder: Path, files: Sequence[str], settings: Settings, progress: Progress | None = None) -> list[Outcome]:
    """For each of `files` (relative to `folder`), in their order: what it gives, or the reason why it gives nothing."""
    outcomes: list[Outcome] = [""] * len(files)
    look = partial(_outcome, folder=str(folder), settings=settings)
    for done, (index, outcome) in enumerate(pool.each(look, files, SECONDS_A_FILE, pool.processes(len(files))), 1):
        outcomes[index] = outcome.reason if isinstance(outcome, pool.Lost) else outcome
        if progress:
            progress(done, len(files))
    return outcomes


def _too_short(bars_there: int, bars_asked: int) -> str:
    return f"shorter than {bars_asked} bars" if bars_there < bars_asked else NO_STRETCH.format(bars=bars_asked)


def _outcome(file: str, folder: str, settings: Settings) -> Outcome:
    try:
        song = read(os.path.join(folder, file))
        try:
            return scan_song(song, settings)
        except NoVoice as missing:
            return loan(song, missing, settings) or missing.reason
    except MusicVAEError as error:
        return str(getattr(error, "reason", error))
    except Exception as error:  # one file that we fail on must not stop the scan of ten thousand
        return f"internal error: {type(error).__name__}"
