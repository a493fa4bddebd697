"""The folk tunes in the music21 wheel → a folder of ordinary MIDI files, one a tune, with right bar lines.

The wheel carries ABC books as data; music21 itself is never imported. A tune's melody is read (`corpus.abc`), laid out
in whole bars here, and played by symusic's abc2midi: in worker processes, because that is C code which prints, and has
no time limit. Onsets are then checked against the layout, so a tune either has its bar lines right or is not written.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.corpus import abc, pool
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music import midi
from musicvae_lite.music.notes import Meter, MeterChange, Notes, Song, TempoChange, Track

COLLECTIONS = ("ryansMammoth", "oneills1850", "airdsAirs", "miscFolk")
ESSEN = "essenFolksong"  # on request only: its encodings are for non-commercial use
TUNE_SECONDS = 20.0
MAX_BARS = 2000
# Quarter notes a minute where a tune names no tempo: about the speed at which what is in that meter is danced.
QPM_BY_METER = {Meter(2, 4): 100.0, Meter(2, 2): 160.0, Meter(6, 8): 150.0, Meter(9, 8): 150.0, Meter(12, 8): 150.0}
OTHER_QPM = 120.0
QPM_RANGE = (30.0, 400.0)
# The meters that a bar of odd length may get: a finer one fits on no usual grid and would cost the whole tune.
OWN_DENOMINATORS = (1, 2, 4, 8, 16)
MAX_OWN_BEATS = 32
SLACK_QUARTERS = 3 / 480  # abc2midi starts each note a tick late (of 480 a quarter)


class Failure(NamedTuple):
    """A tune that was not written: "collection/name", and why."""

    tune: str
    reason: str


@dataclass(frozen=True)
class Built:
    """What came of each collection: (tunes written, tunes failed); and every failure."""

    counts: dict[str, tuple[int, int]]
    failures: tuple[Failure, ...]


class _Job(NamedTuple):
    collection: str
    text: str
    path: Path


def build(
    out: Path,
    *,
    collections: Sequence[str] = COLLECTIONS,
    source: Path | None = None,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Built:
    """Write OUT/<collection>/<tune>.mid for every tune, the same bytes each time.

    `source` is a folder with a folder of .abc files for each collection; by default the one of the installed music21.
    `progress` hears (tunes done, tunes in all). `MusicVAEError` before anything is written if music21 or a collection
    is missing, or if one of the files exists and `force` is not given.
    """
    source = installed_books() if source is None else source
    jobs = [job for collection in collections for job in _jobs(source, out, collection)]
    existing = [job.path for job in jobs if job.path.exists()]
    if existing and not force:
        raise MusicVAEError(
            f"{existing[0]} exists (one of {len(existing):,}): choose an empty folder, or --force to replace"
        )
    for collection in collections:
        _make(out / collection)
    failures: dict[int, str] = {}
    for done, (i, result) in enumerate(pool.each(_convert, jobs, TUNE_SECONDS, pool.processes(len(jobs))), start=1):
        reason = result.reason if isinstance(result, pool.Lost) else result
        if reason:
            failures[i] = reason
            jobs[i].path.unlink(missing_ok=True)
        if progress:
            progress(done, len(jobs))
    return _built(collections, jobs, failures)


def installed_books() -> Path:
    """The corpus folder of the installed music21, which is found and not imported."""
    spec = importlib.util.find_spec("music21")
    if spec is None or not spec.submodule_search_locations:
        raise MusicVAEError(
            "the folk tunes come with the package music21, which is not installed: "
            'pip install "musicvae-lite[folk]" (Python 3.11 or newer)'
        )
    return Path(spec.submodule_search_locations[0]) / "corpus"


def convert(text: str) -> Song:
    """The song of one ABC text: a track with the melody, and a meter map that has a bar line where the tune has one.

    Upbeats are completed with a rest in front; repeats are not played. `AbcError` with a reason if that cannot be.
    """
    tune = abc.read(text)
    bars = whole_bars(tune.segments)
    if not any(sound.pitch != "z" for bar in bars for sound in bar.sounds):
        raise abc.AbcError("no notes")
    if len(bars) > MAX_BARS:
        raise abc.AbcError(f"more than {MAX_BARS:,} bars")
    qpm = tune.qpm if tune.qpm and QPM_RANGE[0] <= tune.qpm <= QPM_RANGE[1] else None
    tempo = TempoChange(0.0, qpm or QPM_BY_METER.get(bars[0].meter, OTHER_QPM))
    track = Track(_play(tune.key, bars), tune.title)
    return Song((track,), (tempo,), _meter_map(bars))


def whole_bars(segments: Sequence[abc.Segment]) -> tuple[abc.Segment, ...]:
    """The segments as bars, each a whole number of times as long as its meter says.

    Two that complete each other (the end of one section, the upbeat of the next) are one bar; an upbeat gets a rest in
    front, the short end of a section one behind; a bar of odd length amid a section gets the meter that it has.
    """
    bars: list[abc.Segment] = []
    left = list(reversed(segments))
    while left:
        segment = left.pop()
        following = left[-1] if left else None
        if following and _complete_each_other(segment, following, is_first=not bars):
            left.pop()
            gap = abc.rests(segment.bar - segment.duration - following.duration)
            bars.append(replace(segment, sounds=(*segment.sounds, *gap, *following.sounds)))
        else:
            bars.append(_whole(segment, ends_section=following is None or following.section))
    return tuple(bars)


def _complete_each_other(segment: abc.Segment, following: abc.Segment, is_first: bool) -> bool:
    missing = segment.bar - segment.duration - following.duration
    between_sections = following.section and not is_first
    return segment.meter == following.meter and (missing == 0 or (missing > 0 and between_sections))


def _whole(segment: abc.Segment, ends_section: bool) -> abc.Segment:
    missing = -segment.duration % segment.bar
    is_short = segment.duration < segment.bar
    if segment.section and is_short:
        return replace(segment, sounds=(*abc.rests(missing), *segment.sounds))
    own = _own_meter(segment)
    if missing and own and not (ends_section and is_short):
        return replace(segment, meter=own)
    return replace(segment, sounds=(*segment.sounds, *abc.rests(missing)))


def _own_meter(segment: abc.Segment) -> Meter | None:
    """The meter of a bar as long as this one, counted in its own beats or finer; None if no usual one is."""
    denominator = max(segment.meter.denominator, segment.duration.denominator)
    beats = segment.duration * denominator
    is_usual = denominator in OWN_DENOMINATORS and beats.denominator == 1 and beats <= MAX_OWN_BEATS
    return Meter(int(beats), denominator) if is_usual else None


def _meter_map(bars: Sequence[abc.Segment]) -> tuple[MeterChange, ...]:
    starts = accumulate((bar.duration * 4 for bar in bars), initial=Fraction(0))
    changes = [MeterChange(float(start), bar.meter) for start, bar in zip(starts, bars, strict=False)]
    return tuple(c for i, c in enumerate(changes) if i == 0 or c.meter != changes[i - 1].meter)


def _play(key: str, bars: Sequence[abc.Segment]) -> Notes:
    """The notes, each starting and ending exactly where the layout says."""
    from symusic import Score

    # symusic's own annotations leave `Score` without attributes.
    try:
        score: Any = Score.from_abc(abc.write(key, bars))
    except RuntimeError as error:
        raise abc.AbcError("abc2midi cannot play it") from error
    if not score.note_num():
        raise abc.AbcError("abc2midi plays no notes")
    columns = score.tracks[0].notes.numpy()
    start = columns["time"] / score.ticks_per_quarter
    end = start + columns["duration"] / score.ticks_per_quarter
    lengths = (sound.duration * 4 for bar in bars for sound in bar.sounds)
    edges = np.array([float(edge) for edge in accumulate(lengths, initial=Fraction(0))])
    notes = (columns["pitch"], columns["velocity"], _nearest(edges, start), _nearest(edges, end))
    return Notes.of(zip(*(column.tolist() for column in notes), strict=True))


def _nearest(edges: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    after = np.searchsorted(edges, times).clip(1, len(edges) - 1)
    nearest: NDArray[np.float64] = np.where(
        times - edges[after - 1] < edges[after] - times, edges[after - 1], edges[after]
    )
    if (abs(nearest - times) > SLACK_QUARTERS).any():
        raise abc.AbcError("abc2midi plays it in another rhythm")
    return nearest


def _jobs(source: Path, out: Path, collection: str) -> Iterator[_Job]:
    books = sorted((source / collection).glob("*.abc"))
    if not books:
        known = ", ".join((*COLLECTIONS, ESSEN))
        raise MusicVAEError(f"{source / collection}: no .abc files there, expected one of the collections {known}")
    tunes = [(book.stem, number, text) for book in books for number, text in abc.split(_decoded(book))]
    names = _names([(stem, number) for stem, number, _ in tunes])
    for name, (_, _, text) in zip(names, tunes, strict=True):
        yield _Job(collection, text, out / collection / f"{name}.mid")


def _decoded(book: Path) -> str:
    content = book.read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _names(tunes: Sequence[tuple[str, str]]) -> list[str]:
    """A file name for each (book, number): whichever of these comes first that no two tunes share."""
    numbers = [re.sub(r"\W+", "-", number).zfill(4) for _, number in tunes]
    stems = [stem for stem, _ in tunes]
    both = [f"{stem}-{number}" for stem, number in zip(stems, numbers, strict=True)]
    counted = [f"{name}-{i:05d}" for i, name in enumerate(both)]
    return next(names for names in (numbers, stems, both, counted) if len(set(map(str.lower, names))) == len(names))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MusicVAEError(f"{folder}: cannot be made ({error.strerror}): expected a folder to write to") from error
    if not os.access(folder, os.W_OK):
        raise MusicVAEError(f"{folder}: cannot be written to: choose another folder")


def _convert(job: _Job) -> str | None:
    """Write one tune; the reason why not, or None. Runs in a worker process."""
    try:
        with _silenced_stdout():
            song = convert(job.text)
        midi.write(song, job.path)
    except MusicVAEError as error:
        return str(error)
    return None


@contextlib.contextmanager
def _silenced_stdout() -> Iterator[None]:
    """Nothing reaches the terminal, from C code either."""
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _built(collections: Sequence[str], jobs: Sequence[_Job], failures: dict[int, str]) -> Built:
    counts = {}
    for collection in collections:
        failed = [i in failures for i, job in enumerate(jobs) if job.collection == collection]
        counts[collection] = (len(failed) - sum(failed), sum(failed))
    named = (Failure(f"{jobs[i].collection}/{jobs[i].path.stem}", failures[i]) for i in sorted(failures))
    return Built(counts, tuple(named))
