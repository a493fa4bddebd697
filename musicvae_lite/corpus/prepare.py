"""A folder of MIDI files → a `Corpus`: windows for training, windows held out, and a report on every file.

    find ─▶ scan (all cores) ─▶ order by content ─▶ hold out whole tunes ─▶ leave out equal windows ─▶ store

Every decision hangs on the content of the files: names, order and number of processes change nothing but the names.
Only an official split that comes with the files goes by their names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from musicvae_lite.corpus import store
from musicvae_lite.corpus.report import report
from musicvae_lite.corpus.scan import SUFFIXES, Found, Loan, Outcome, Piece, Progress, Settings, find, scan
from musicvae_lite.corpus.splits import (
    VALIDATION,
    VALIDATION_SIDE,
    held_out_pieces,
    may_be_lent,
    official_sides,
    split,
    split_tables,
)
from musicvae_lite.corpus.store import Corpus
from musicvae_lite.corpus.windows import Windows, join
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.tokens import Representation, representation

CLOSED = "a folder that cannot be opened"


def prepare(
    folder: Path | str, settings: Settings | None = None, *, progress: Progress | None = None, cache: Path | None = None
) -> Corpus:
    """The corpus of all MIDI files below `folder`; at once if it was made before and nothing has changed since.

    It is kept in `cache` (default: `store.default_cache()`). `progress` is called with (files done, files in all).
    A folder that is none, cannot be opened or holds no MIDI file is a `MusicVAEError`; one of which no file can be
    used is an empty corpus, whose report has the reasons.
    """
    folder, settings = Path(folder), settings or Settings()
    found = _find(folder)
    tables = split_tables(folder, found.files)
    at = store.place(cache or store.default_cache(), folder, (*found.files, *found.closed, *tables), settings)
    corpus = store.load(at)
    if corpus is None:
        outcomes = scan(folder, found.files, settings, progress)
        by_path: dict[str, Outcome] = dict(zip(found.files, outcomes, strict=True)) | dict.fromkeys(
            found.closed, CLOSED
        )
        corpus = assemble(by_path, settings, official_sides(folder, tables))
        store.save(corpus, at)
    return corpus


def assemble(outcomes: Mapping[str, Outcome], settings: Settings, sides: Mapping[str, str] | None = None) -> Corpus:
    """The corpus of scanned files: path → what it gives, or why it gives nothing; `sides` as `official_sides`."""
    form, sides = representation(settings.representation), sides or {}
    kept_back = dict.fromkeys((path for path, side in sides.items() if side == VALIDATION_SIDE), VALIDATION)
    outcomes = {path: kept_back.get(path, o) if isinstance(o, Piece) else o for path, o in outcomes.items()}
    pieces = {path: piece for path, piece in outcomes.items() if isinstance(piece, Piece)}
    order = sorted(pieces, key=lambda path: (pieces[path].tune, pieces[path].content, path))
    out = held_out_pieces({path: pieces[path].tune for path in order}, sides)
    held_out = np.array([out[path] for path in order], bool)
    train, heldout, left_out = split(_join([pieces[path].windows for path in order]), held_out, form)
    loans = {path: loan for path, loan in outcomes.items() if isinstance(loan, Loan) and may_be_lent(path, sides)}
    lenders = sorted(loans, key=lambda path: (loans[path].content, path))
    reasons = {path: o.reason if isinstance(o, Loan) else o for path, o in outcomes.items() if not isinstance(o, Piece)}
    official = sum(path in sides for path, outcome in outcomes.items() if not isinstance(outcome, Loan))
    return Corpus(
        train=train,
        heldout=heldout,
        pieces=(*order, *lenders),
        tracks=(*(pieces[path].tracks for path in order), *(loans[path].tracks for path in lenders)),
        report=report(pieces, reasons, train, heldout, left_out, official, _voices(loans, form)),
        settings=settings,
        lent=_lent([loans[path] for path in lenders], len(order), form),
    )


def _lent(loans: Sequence[Loan], first: int, form: Representation) -> tuple[tuple[Windows, ...], ...]:
    """By voice the distinct windows [N, T, 1] of all loans, numbered from `first` on."""
    if not loans:
        return ()
    none_held = np.zeros(first + len(loans), bool)
    voices = (_join([loan.voices.get(voice, ()) for loan in loans], first) for voice in range(form.VOICES))
    distinct = (split(groups, none_held, form)[0] for groups in voices)
    return tuple(
        tuple(replace(group, tokens=group.tokens[:, :, [voice]]) for group in groups)
        for voice, groups in enumerate(distinct)
    )


def _voices(loans: Mapping[str, Loan], form: Representation) -> dict[str, int]:
    """How many files lend each voice, by its name."""
    counts = Counter(voice for loan in loans.values() for voice in loan.voices)
    return {instrument.name: counts[voice] for voice, instrument in enumerate(form.INSTRUMENTS) if counts[voice]}


def _join(windows: Sequence[Sequence[Windows]], first: int = 0) -> tuple[Windows, ...]:
    """The windows of all pieces, `Windows.piece` being the place in `windows`, counted from `first`."""
    return join(
        replace(group, piece=np.full_like(group.piece, number))
        for number, groups in enumerate(windows, first)
        for group in groups
    )


def _find(folder: Path) -> Found:
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise MusicVAEError(f"{folder} {what}: give a folder with MIDI files in it")
    found = find(folder)
    if not found.files:
        why = " and cannot be opened" if "." in found.closed else ""
        raise MusicVAEError(f"{folder} holds no MIDI file ({', '.join(SUFFIXES)}){why}: give a folder that does")
    return found
