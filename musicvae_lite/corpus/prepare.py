"""A folder of MIDI files → a `Corpus`: windows for training, windows held out, and a report on every file.

    find ─▶ scan (all cores) ─▶ order by content ─▶ hold out whole tunes ─▶ leave out equal windows ─▶ store

Every decision hangs on the content of the files: names, order and number of processes change nothing but the names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from musicvae_lite.corpus import store
from musicvae_lite.corpus.report import report
from musicvae_lite.corpus.scan import SUFFIXES, Found, Piece, Progress, Settings, find, scan
from musicvae_lite.corpus.splits import hold_out, split
from musicvae_lite.corpus.store import Corpus
from musicvae_lite.corpus.windows import Windows, join
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.tokens import representation

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
    at = store.place(cache or store.default_cache(), folder, (*found.files, *found.closed), settings)
    corpus = store.load(at)
    if corpus is None:
        outcomes = scan(folder, found.files, settings, progress)
        corpus = assemble(dict(zip(found.files, outcomes, strict=True)) | dict.fromkeys(found.closed, CLOSED), settings)
        store.save(corpus, at)
    return corpus


def assemble(outcomes: Mapping[str, Piece | str], settings: Settings) -> Corpus:
    """The corpus of scanned files: path → its piece, or the reason why it is not used."""
    form = representation(settings.representation)
    pieces = {path: piece for path, piece in outcomes.items() if isinstance(piece, Piece)}
    order = sorted(pieces, key=lambda path: (pieces[path].tune, pieces[path].content, path))
    held_out = hold_out([pieces[path].tune for path in order])
    train, heldout, left_out = split(_join([pieces[path] for path in order]), held_out, form)
    unused = {path: reason for path, reason in outcomes.items() if isinstance(reason, str)}
    return Corpus(
        train=train,
        heldout=heldout,
        pieces=tuple(order),
        tracks=tuple(pieces[path].track for path in order),
        report=report(pieces, unused, train, heldout, left_out),
        settings=settings,
    )


def _join(pieces: Sequence[Piece]) -> tuple[Windows, ...]:
    """The windows of all pieces, `Windows.piece` being the place in `pieces`."""
    return join(
        Windows(group.meter, group.tokens, np.full_like(group.piece, number), group.start_bar)
        for number, piece in enumerate(pieces)
        for group in piece.windows
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
