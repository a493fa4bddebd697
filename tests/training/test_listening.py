"""While a model learns, there is MIDI to listen to, in the meter of the music and with the notes of the windows."""

from __future__ import annotations

from pathlib import Path

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.music.grid import quantize
from musicvae_lite.music.midi import read
from musicvae_lite.music.notes import Meter
from musicvae_lite.tokens import melody
from musicvae_lite.training.listening import write_examples
from tests.training.conftest import fresh, windows


def test_the_original_has_the_notes_of_the_windows_with_a_bar_of_rest_after_each(tmp_path: Path) -> None:
    group = windows(Meter(3, 4), 12, 2)
    write_examples(fresh().average, [group], tmp_path)
    (track,) = read(tmp_path / "original.mid").tracks
    notes, parts = quantize(track.notes, 4), [melody.decode(window) for window in group.tokens]
    assert notes.start.tolist() == [*parts[0].start.tolist(), *(parts[1].start + 24).tolist()]
    assert notes.pitch.tolist() == [*parts[0].pitch.tolist(), *parts[1].pitch.tolist()]
    assert read(tmp_path / "original.mid").meters[0].meter == Meter(3, 4)


def test_three_files_are_written_for_one_window_or_many(tmp_path: Path, groups: tuple[Windows, ...]) -> None:
    for name, given in {"many": groups, "one": [windows(Meter(4, 4), 16, 1)]}.items():
        write_examples(fresh().average, given, tmp_path / name)
        files = sorted(file.name for file in (tmp_path / name).iterdir())
        assert files == ["interpolation.mid", "original.mid", "reconstruction.mid"]
