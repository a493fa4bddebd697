"""From a folder of files to pieces and reasons: nothing is dropped without one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from musicvae_lite.corpus.scan import Settings, find, scan, scan_file, scan_song
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.notes import Meter, Notes, Song, Track
from musicvae_lite.music.voices import Instrument, NoVoice
from musicvae_lite.tokens import drums, melody

if TYPE_CHECKING:
    from tests.conftest import MakeMidi, MakeSong

SCALE = [(60 + step, float(step), float(step + 1)) for step in range(16)]  # 4 bars of 4/4


def test_files_are_found_in_any_case_and_any_depth_and_sorted(tmp_path: Path) -> None:
    for name in ("b.MID", "a.midi", "deep/er/c.Kar", "readme.txt", "amid", "z.mid.zip"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find(tmp_path).files == ("a.midi", "b.MID", str(Path("deep/er/c.Kar")))


def test_a_folder_linked_into_itself_is_searched_once(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.mid").touch()
    (tmp_path / "inner" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "outer").symlink_to(tmp_path / "inner", target_is_directory=True)
    assert len(find(tmp_path).files) == 1


def test_a_folder_that_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.mid").touch()
    opened = os.scandir

    def scandir(path: str) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = find(tmp_path)
    assert (found.files, found.closed) == (("a.mid",), ("closed",))


def test_one_file_becomes_windows_with_where_they_come_from(make_midi: MakeMidi) -> None:
    piece = scan_file(make_midi("a.mid", SCALE, program=73), Settings())
    (group,) = piece.windows
    assert (group.meter, group.tokens.shape, group.start_bar.tolist()) == (Meter(4, 4), (3, 32, 1), [0, 1, 2])
    assert melody.decode(group.tokens[1]).pitch.tolist() == [64, 65, 66, 67, 68, 69, 70, 71]
    assert (piece.tracks, piece.instruments) == ((0,), (Instrument("tune", 73),))
    assert piece.timing == (16, 0.0, 0.0, 0.0)
    assert "tune" in piece.choice


def test_a_waltz_on_a_grid_of_triplets_keeps_its_bars(make_song: MakeSong) -> None:
    rows = [(60, i / 3, (i + 1) / 3) for i in range(18)]
    (group,) = scan_song(make_song(rows, [(0.0, Meter(3, 4))]), Settings(steps_per_quarter=12)).windows
    assert (group.meter, group.tokens.shape) == (Meter(3, 4), (1, 72, 1))
    assert melody.decode(group.tokens[0]).start.tolist() == list(range(0, 72, 4))


def test_a_late_note_that_falls_on_the_next_bar_line_is_not_lost(make_song: MakeSong) -> None:
    rows = [(60, 0.0, 1.0), (62, 7.97, 7.99)]  # the second belongs to step 32, where bar 2 begins
    (group,) = scan_song(make_song(rows), Settings(bars=1)).windows
    assert (group.start_bar.tolist(), melody.decode(group.tokens[-1]).pitch.tolist()) == ([0, 2], [62])


def test_transposed_the_tune_is_the_same_and_the_content_is_not(make_song: MakeSong) -> None:
    one, other = (scan_song(make_song([(p + k, s, e) for p, s, e in SCALE]), Settings()) for k in (0, 5))
    assert one.tune == other.tune
    assert one.content != other.content


def test_what_cannot_be_used_has_a_short_reason_of_its_own(make_midi: MakeMidi, tmp_path: Path) -> None:
    make_midi("good.mid", SCALE)
    make_midi("short.mid", SCALE[:3])
    make_midi("odd.mid", SCALE, [(0.0, Meter(5, 32))])
    make_midi("restless.mid", SCALE, [(3.0 * i, Meter(3 + i % 2, 4)) for i in range(6)])
    make_midi("silent.mid", [])
    (tmp_path / "empty.mid").touch()
    (tmp_path / "text.mid").write_text("a letter")
    (tmp_path / "folder.mid").mkdir()
    files = find(tmp_path).files
    calls: list[tuple[int, int]] = []
    outcomes = dict(zip(files, scan(tmp_path, files, Settings(), lambda *call: calls.append(call)), strict=True))
    reasons = {file: outcome for file, outcome in outcomes.items() if isinstance(outcome, str)}
    assert set(files) - set(reasons) == {"good.mid"}
    assert "folder.mid" not in files
    assert reasons["short.mid"] == "shorter than 2 bars"
    assert "5/32" in reasons["odd.mid"]
    assert "2 whole bars" in reasons["restless.mid"]
    assert len(set(reasons.values())) == len(reasons)
    assert all(reason and str(tmp_path) not in reason and len(reason) < 120 for reason in reasons.values())
    assert calls == [(i, len(files)) for i in range(1, len(files) + 1)]


def test_a_fault_of_ours_loses_one_file_and_says_so(make_midi: MakeMidi, monkeypatch: pytest.MonkeyPatch) -> None:
    from musicvae_lite.corpus import scan as module

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "bars", broken)
    path = make_midi("a.mid", SCALE)
    assert module._outcome(path.name, str(path.parent), Settings()) == "internal error: ZeroDivisionError"


def test_the_track_that_is_asked_for_is_taken(make_song: MakeSong) -> None:
    low, high = (make_song([(p + k, s, e) for p, s, e in SCALE]).tracks[0] for k in (-24, 0))
    song = Song((Track(high.notes, "melody"), Track(low.notes, "low")))
    piece = scan_song(song, Settings(track="low"))
    assert piece.tracks == (1,)
    assert int(np.min(piece.windows[0].tokens)) == 36


def beat(bars: int, late: float = 0.0) -> Track:
    """Kick, hat and snare, a hat at each quarter."""
    rows = [(42, 60, q + late, q + late + 0.1) for q in range(4 * bars)]
    rows += [(36 + 2 * (q % 2), 90, q + late, q + late + 0.5) for q in range(4 * bars)]
    return Track(Notes.of(rows), "kit", is_drum=True)


def test_of_a_band_drums_take_the_drums_and_a_melody_takes_the_tune(make_song: MakeSong) -> None:
    song = Song((*make_song(SCALE).tracks, beat(4, late=0.03)))
    piece = scan_song(song, Settings("drums"))
    (group,) = piece.windows
    assert (group.tokens.shape, piece.tracks) == ((3, 32, 1), (1,))
    assert group.tokens.dtype == np.uint16
    assert group.tokens[0, :8, 0].tolist() == [0b101, 0, 0, 0, 0b110, 0, 0, 0]
    assert (len(drums.decode(group.tokens[0])), piece.timing.onsets, piece.timing.off_grid) == (16, 32, 1.0)
    assert scan_song(song, Settings()).tracks == (0,)


def test_drums_where_there_are_none_and_a_tune_where_there_are_drums_only_are_reasons(make_song: MakeSong) -> None:
    with pytest.raises(NoVoice) as found:
        scan_song(make_song(SCALE), Settings("drums"))
    assert found.value.reason == "no drums"
    with pytest.raises(NoVoice) as found:
        scan_song(Song((beat(2),)), Settings())
    assert found.value.reason == "only drums"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bars": 0}, "bars is 0"),
        ({"steps_per_quarter": -4}, "steps per quarter is -4"),
        ({"representation": "chords"}, "melody"),
    ],
)
def test_settings_that_make_no_sense_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(MusicVAEError, match=message):
        Settings(**change)
