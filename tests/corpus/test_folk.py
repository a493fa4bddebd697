"""ABC as people write it becomes MIDI whose bar lines are where the tune has them. All tunes here are made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from musicvae_lite.corpus import folk
from musicvae_lite.corpus.abc import AbcError
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.midi import read
from musicvae_lite.music.notes import Meter, MeterChange

C, D, E, F, G, A, B, C5 = 60, 62, 64, 65, 67, 69, 71, 72
Row = tuple[int, float, float]  # pitch, start, end in quarter notes


def tune(body: str, meter: str = "4/4", key: str = "C", more: str = "", number: int = 1) -> str:
    return f"X:{number}\nT:Made up\nM:{meter}\nL:1/4\n{more}K:{key}\n{body}\n"


def notes(body: str, meter: str = "4/4", key: str = "C") -> list[Row]:
    (track,) = folk.convert(tune(body, meter, key)).tracks
    return [(note.pitch, note.start, note.end) for note in track.notes]


def starts(body: str, meter: str = "4/4") -> list[float]:
    return [start for _, start, _ in notes(body, meter)]


def meters(body: str, meter: str = "4/4") -> list[tuple[float, str]]:
    return [(start, str(meter)) for start, meter in folk.convert(tune(body, meter)).meters]


def test_an_upbeat_is_completed_with_a_rest_in_front() -> None:
    assert notes("G|C4|E3") == [(G, 3, 4), (C, 4, 8), (E, 8, 11)]


def test_the_end_of_a_repeat_without_an_opening_and_the_next_upbeat_are_one_bar() -> None:
    assert notes("G|C4|E3:|F|D4|C3:|") == [(G, 3, 4), (C, 4, 8), (E, 8, 11), (F, 11, 12), (D, 12, 16), (C, 16, 19)]


@pytest.mark.parametrize("lines", ["|:G|C4|E3:|:F|D4|C3:|", "G|:C4|E3 F::D4|C3:|", "G|C4|\nE3||F|\\\nD4|C3|]"])
def test_repeats_and_double_bars_are_written_out_once_whatever_their_signs(lines: str) -> None:
    assert starts(lines) == [3, 4, 8, 11, 12, 16]


def test_a_section_without_an_upbeat_starts_at_a_bar_line_after_one_with_an_upbeat() -> None:
    assert starts("G|C4|E3:|D4|C4|") == [3, 4, 8, 12, 16]


def test_an_upbeat_after_a_full_bar_is_padded_where_it_stands() -> None:
    assert starts("C4|E4||G|C4|") == [0, 4, 11, 12]


def test_a_rest_fills_what_is_missing_between_two_sections() -> None:
    assert starts("C4|E2:|G|C4|") == [0, 4, 7, 8]


def test_of_two_endings_the_last_is_kept() -> None:
    assert notes("|:C4|[1D4:|[2E4||F4|") == notes("|:C4|1 D4:|2 E4|]F4|") == notes("C4|E4|F4|")


def test_an_ending_may_start_within_a_bar() -> None:
    assert notes("|:C2 [1D2:|[2E2||F4|") == notes("C2E2|F4|")


@pytest.mark.parametrize(
    "decorated",
    [
        "{gab}CDEF|GA{d}Bc",
        '"Am"C"^slowly"D"G7"EF|GABc',
        "~C.D !trill!E +fermata+F|TGvA uB Hc",
        "(CD)(EF)|(G(AB)c)",
        "C`D`E`F|GABc % and so on",
        "CDEF|\nw: la la la la\nGABc\nN: a remark",
        "[CE,]D[EC]F|[GEC]A +BG+ c",
        "CDEF & C,4|GABc & C,4",
        "V:1\nCDEF|GABc\nV:2\nC,4|C,4",
        "[V:1]CDEF|\n[V:2]C,4|\n[V:1]GABc\n[V:2]C,4",
        "CD=3DEF|GABc=20\n",
    ],
)
def test_nothing_but_the_melody_moves_an_onset(decorated: str) -> None:
    assert notes(decorated) == notes("CDEF|GABc")


def test_lengths_are_as_written() -> None:
    assert notes("C/D/ E3/2F//G// A3|B4") == [
        (C, 0, 0.5),
        (D, 0.5, 1),
        (E, 1, 2.5),
        (F, 2.5, 2.75),
        (G, 2.75, 3),
        (A, 3, 6),
        (B, 6, 10),
    ]


def test_dotted_pairs_lengthen_one_note_by_what_they_take_from_the_other() -> None:
    assert starts("C>D E<F|G>>A B2") == [0, 1.5, 2, 2.5, 4, 5.75, 6]


def test_tuplets_start_where_thirds_of_a_beat_are() -> None:
    assert starts("(3C/D/E/ F2 G|A4") == pytest.approx([0, 1 / 3, 2 / 3, 1, 3, 4], abs=1e-9)


@pytest.mark.parametrize(
    ("group", "meter", "quarters"), [("(2CD", "6/8", 3), ("(3CDE", "4/4", 2), ("(5:4:5CDEFG", "4/4", 4)]
)
def test_a_tuplet_takes_the_time_of_its_size(group: str, meter: str, quarters: float) -> None:
    assert starts(group + "A4", meter)[-1] == quarters


def test_a_tie_holds_a_note_across_the_bar_line() -> None:
    assert notes("C2D2-|D2E2") == [(C, 0, 2), (D, 2, 6), (E, 6, 8)]


def test_the_key_and_accidentals_until_the_end_of_the_bar_are_heard() -> None:
    pitches = [pitch for pitch, _, _ in notes("F^GGB|G_BBF|[K:C]FB^c,=c'", key="Bb")]
    assert pitches == [F, G + 1, G + 1, B - 1, G, B - 1, B - 1, F, F, B, C + 1, C5 + 12]


def test_a_change_of_meter_starts_a_bar_and_is_in_the_meter_map() -> None:
    assert meters("C4|[M:3/4]D3|E3|\nM:6/8\nF3|") == [(0, "4/4"), (4, "3/4"), (10, "6/8")]
    assert starts("C4|[M:3/4]D3|E3|\nM:6/8\nF3|") == [0, 4, 7, 10]


def test_a_bar_of_odd_length_gets_the_meter_that_it_has() -> None:
    assert meters("C4|D4|E3|F4|G5|A4") == [(0, "4/4"), (8, "3/4"), (11, "4/4"), (15, "5/4"), (20, "4/4")]


def test_a_bar_that_no_usual_meter_fits_is_completed_with_a_rest() -> None:
    assert meters("C4|D3E7/8|F4|") == meters("C4|D3(3:2:1E|F4|") == [(0, "4/4")]
    assert starts("C4|D3E7/8|F4|") == starts("C4|D3(3:2:1E|F4|") == [0, 4, 7, 8]


def test_a_missing_bar_line_changes_nothing() -> None:
    assert meters("C4|D4E4|F4") == [(0, "4/4")]


def test_named_meters_are_known() -> None:
    assert folk.convert(tune("C4", "C")).meters == (MeterChange(0.0, Meter(4, 4)),)
    assert folk.convert(tune("C4", "C|")).meters == (MeterChange(0.0, Meter(2, 2)),)


@pytest.mark.parametrize(
    ("field", "meter", "qpm"),
    [
        ("Q:1/4=90", "4/4", 90),
        ('Q:3/8=80 "Slow"', "6/8", 120),
        ("Q:100", "4/4", 100),
        ("", "6/8", 150),
        ("", "7/8", 120),
        ("Q:9999", "4/4", 120),
        ('Q:"Allegro"', "4/4", 120),
    ],
)
def test_the_tempo_is_that_of_the_tune_or_usual_in_its_meter(field: str, meter: str, qpm: float) -> None:
    (tempo,) = folk.convert(tune("C3|", meter, more=f"{field}\n" if field else "")).tempos
    assert tempo.qpm == qpm


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (tune("C4", "none"), "no meter"),
        (tune("C4", "0/4"), "a meter that is none"),
        (tune("z4|x4"), "no notes"),
        (tune(""), "no notes"),
        (tune("C/0"), "a note length that is none"),
        (tune("C9999"), "a note length that is none"),
        (tune("(7:4:1C (3:2:1D|E4"), "lengths that fit into no bar"),
        (tune("C4", key="H"), "abc2midi cannot play it"),
        ("X:1\nM:4/4\nC4\n", "no key"),
    ],
)
def test_a_tune_that_cannot_be_laid_out_says_why(text: str, reason: str) -> None:
    with pytest.raises(AbcError, match=reason):
        folk.convert(text)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two collections: books of tunes, a broken one among good ones; and a book for each tune."""
    tunes = (tune("G|C4|E3:|"), tune("C4", "none", number=2), tune("D4", number=3))
    (tmp_path / "books" / "airs").mkdir(parents=True)
    (tmp_path / "books" / "airs" / "one.abc").write_text("% an old book\n\n" + "\n".join(tunes))
    (tmp_path / "books" / "airs" / "two.abc").write_bytes(tune("F4").replace("Made up", "Für F").encode("latin-1"))
    (tmp_path / "books" / "reels").mkdir()
    for name in ("this-one.abc", "that-one.abc"):
        (tmp_path / "books" / "reels" / name).write_text(tunes[0])
    return tmp_path / "books"


def test_a_broken_tune_is_named_with_its_reason_and_the_rest_is_written(source: Path, tmp_path: Path) -> None:
    built = folk.build(tmp_path / "out", collections=("airs", "reels"), source=source)
    assert built.counts == {"airs": (3, 1), "reels": (2, 0)}
    assert built.failures == (folk.Failure("airs/one-0002", "no meter"),)
    written = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*"))
    assert [name for name in written if name.startswith("airs/")] == [
        "airs/one-0001.mid",
        "airs/one-0003.mid",
        "airs/two-0001.mid",
    ]
    assert [name for name in written if name.startswith("reels/")] == ["reels/that-one.mid", "reels/this-one.mid"]


def test_what_is_written_is_what_was_converted(source: Path, tmp_path: Path) -> None:
    folk.build(tmp_path / "out", collections=("airs",), source=source)
    assert read(tmp_path / "out" / "airs" / "one-0001.mid") == folk.convert(tune("G|C4|E3:|"))
    assert read(tmp_path / "out" / "airs" / "two-0001.mid").tracks[0].name == "Für F"


def test_building_twice_gives_the_same_bytes(source: Path, tmp_path: Path) -> None:
    for out in ("a", "b"):
        folk.build(tmp_path / out, collections=("airs",), source=source)
    a, b = ([path.read_bytes() for path in sorted((tmp_path / out).rglob("*.mid"))] for out in ("a", "b"))
    assert a == b


def test_building_is_silent_and_tells_how_far_it_is(
    source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    heard: list[tuple[int, int]] = []
    folk.build(
        tmp_path / "out", collections=("airs",), source=source, progress=lambda done, total: heard.append((done, total))
    )
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert capfd.readouterr() == ("", "")


def test_files_that_exist_are_replaced_only_by_force(source: Path, tmp_path: Path) -> None:
    mine = tmp_path / "out" / "airs" / "one-0003.mid"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(MusicVAEError, match=r"one-0003.mid exists .* --force"):
        folk.build(tmp_path / "out", collections=("airs",), source=source)
    assert [path.name for path in mine.parent.iterdir()] == ["one-0003.mid"]
    assert mine.read_text() == "mine"
    folk.build(tmp_path / "out", collections=("airs",), source=source, force=True)
    assert len(read(mine).tracks[0].notes) == 1


def test_an_unknown_collection_is_an_error_that_names_the_known_ones(source: Path, tmp_path: Path) -> None:
    with pytest.raises(MusicVAEError, match="ryansMammoth, oneills1850"):
        folk.build(tmp_path / "out", collections=("airs", "arias"), source=source)
    assert not (tmp_path / "out").exists()


def test_without_music21_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MusicVAEError, match=r'pip install "musicvae-lite\[folk\]"'):
        folk.build(tmp_path / "out")


def test_music21_is_found_and_not_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "music21").mkdir()
    (tmp_path / "music21" / "__init__.py").write_text("raise AssertionError")
    monkeypatch.syspath_prepend(tmp_path)
    assert folk.installed_books() == tmp_path / "music21" / "corpus"
