"""A morph starts as one tune and ends as the other, note for note, and every step between is a whole tune."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from musicvae_lite.corpus.clip import Clip, Part, cut_clip, fill, join, until
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.explore.morph import Options, between, morph
from musicvae_lite.inference.codec import Codec
from musicvae_lite.inference.config import Config
from musicvae_lite.model.codec import codec
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.grid import GridNotes
from musicvae_lite.music.notes import COMMON_TIME, Meter, MeterChange, Note, Song
from musicvae_lite.tokens import melody

if TYPE_CHECKING:
    from musicvae_lite.model.checkpoint import Checkpoint
    from tests.conftest import MakeSong

BAR = 16  # steps


@pytest.fixture(scope="module")
def held(tunes: dict[str, Song]) -> Clip:
    return cut_clip(tunes["held"], melody, 4, 2)


@pytest.fixture(scope="module")
def repeated(tunes: dict[str, Song]) -> Clip:
    return cut_clip(tunes["repeated"], melody, 4, 2)


@pytest.fixture(scope="module")
def known(learned: Checkpoint) -> Codec:
    return codec(learned.model)


@pytest.fixture(scope="module")
def untrained() -> Codec:
    torch.manual_seed(0)
    return codec(MusicVAE(Config(latent=8, embedding=8, encoder_hidden=8, decoder_hidden=16, view_rank=4)).eval())


@pytest.fixture(scope="module")
def dazed(learned: Checkpoint) -> Codec:
    """The trained model with an encoder that misses by a little."""
    model = deepcopy(learned.model)
    with torch.no_grad():
        model.get_parameter("encoder.average.bias")[: model.config.latent] += 4.0
    return codec(model)


def rows(notes: GridNotes) -> list[tuple[int, int, int]]:
    return list(zip(notes.pitch.tolist(), notes.start.tolist(), notes.end.tolist(), strict=True))


def sounding(song: Song) -> Iterator[Note]:
    return (note for track in song.tracks for note in track.notes)


@pytest.mark.parametrize("spacing", ["even", "uniform"])
@pytest.mark.parametrize("path", ["linear", "slerp"])
def test_both_ends_are_the_given_tunes_note_for_note(
    known: Codec, tunes: dict[str, Song], held: Clip, repeated: Clip, spacing: str, path: str
) -> None:
    result = morph(known, held, repeated, Options(steps=4, spacing=spacing, path=path))
    for song, given in ((result.songs[0], tunes["held"]), (result.songs[-1], tunes["repeated"])):
        assert list(sounding(song)) == list(sounding(given))  # velocities too
        assert song.tempos[0].qpm == pytest.approx(given.tempos[0].qpm)
        assert song.tracks[0].program == given.tracks[0].program
        assert song.meters == given.meters
    assert [end.differ for end in result.ends] == [0, 0]


def test_a_note_held_across_a_window_boundary_is_one_note_in_the_morph(
    known: Codec, held: Clip, repeated: Clip
) -> None:
    assert (67, 24, 40) in rows(morph(known, held, repeated).steps[0])


def test_repeated_notes_of_one_step_stay_apart_in_the_morph(known: Codec, held: Clip, repeated: Clip) -> None:
    last = rows(morph(known, held, repeated).steps[-1])
    assert [row for row in last if row[0] == 72][:8] == [(72, 16 + step, 17 + step) for step in range(8)]


def test_a_note_to_the_end_of_the_last_bar_is_not_lost_in_the_morph(known: Codec, held: Clip, repeated: Clip) -> None:
    assert (64, 48, 64) in rows(morph(known, held, repeated).steps[0])


def test_a_tune_morphed_with_itself_is_that_tune_at_every_step(known: Codec, tunes: dict[str, Song]) -> None:
    for song in tunes.values():
        clip = cut_clip(song, melody, 4, 2)
        for path in ("linear", "slerp"):
            result = morph(known, clip, clip, Options(steps=5, path=path))
            assert all(list(sounding(step)) == list(sounding(song)) for step in result.songs)
            assert {step.tempos[0].qpm for step in result.songs} == {clip.qpm}


def test_a_tune_morphed_with_itself_never_moves_whatever_the_weights(untrained: Codec, held: Clip) -> None:
    for path in ("linear", "slerp"):
        first, *others = morph(untrained, held, held, Options(steps=6, path=path, refine=False)).steps
        assert all(step == first for step in others)


def test_ends_that_the_encoder_misses_are_refined_until_they_are_exact(
    dazed: Codec, held: Clip, repeated: Clip
) -> None:
    result = morph(dazed, held, repeated)
    assert all(end.differed > 0 and end.differ == 0 and end.refinements > 0 for end in result.ends)
    raw = morph(dazed, held, repeated, Options(refine=False))
    assert [(end.differ, end.refinements) for end in raw.ends] == [(end.differed, 0) for end in result.ends]


def test_without_refinement_the_ends_are_what_the_means_decode_to_and_never_a_sample(
    untrained: Codec, held: Clip, repeated: Clip
) -> None:
    options = Options(steps=3, refine=False)
    first, second = (morph(untrained, held, repeated, options) for _ in range(2))
    assert first.steps == second.steps
    for clip, step in ((held, first.steps[0]), (repeated, first.steps[-1])):
        filled = fill(clip, 5, False, melody)
        tokens = untrained.decode(untrained.encode(filled.windows, COMMON_TIME).mu, COMMON_TIME)
        assert step == until(join(tokens, filled.tied, melody), 5 * BAR)


def test_each_step_lies_further_along_every_window_s_path(known: Codec, held: Clip, repeated: Clip) -> None:
    positions = morph(known, held, repeated, Options(steps=6)).positions
    assert positions.shape == (6, 3)
    assert (positions[0] == 0).all()
    assert (positions[-1] == 1).all()
    assert (np.diff(positions, axis=0) > 0).all()


def test_tempo_velocity_and_instrument_go_from_one_tune_s_to_the_other_s(
    known: Codec, held: Clip, repeated: Clip
) -> None:
    songs = morph(known, held, repeated, Options(steps=7)).songs
    tempos = [song.tempos[0].qpm for song in songs]
    assert tempos == pytest.approx([90, 100, 110, 120, 130, 140, 150])
    programs = [song.tracks[0].program for song in songs]
    assert programs == [40] * 3 + [73] * 4
    soft, loud = (replace(held, velocity=np.full_like(held.velocity, v)) for v in (20, 100))
    assert [between(soft, loud, share).velocity[0] for share in (0, 0.25, 0.5, 1)] == [20, 40, 60, 100]


def test_the_shorter_tune_is_followed_by_rests(known: Codec, held: Clip, repeated: Clip) -> None:
    result = morph(known, held, repeated)
    assert result.bars == 5
    assert result.steps[0].end.max() == 4 * BAR


def test_with_loop_the_shorter_tune_starts_over_after_its_last_bar(untrained: Codec, make_song: MakeSong) -> None:
    three = cut_clip(make_song([(60, 0, 4), (62, 4, 8), (64, 8, 12)]), melody, 4, 2)
    seven = cut_clip(make_song([(72, 4 * bar, 4 * bar + 4) for bar in range(7)]), melody, 4, 2)
    result = morph(untrained, three, seven, Options(steps=2, loop=True, refine=False))
    again = cut_clip(make_song([(60 + 2 * (bar % 3), 4 * bar, 4 * bar + 4) for bar in range(7)]), melody, 4, 2)
    assert result.steps[0] == morph(untrained, again, seven, Options(steps=2, refine=False)).steps[0]


def test_nothing_sounds_beyond_the_last_bar_though_windows_reach_further(untrained: Codec, make_song: MakeSong) -> None:
    clips = [cut_clip(make_song([(pitch, 0, 12)]), melody, 4, 2) for pitch in (60, 72)]  # three bars, two windows
    result = morph(untrained, clips[0], clips[1], Options(steps=9, refine=False))
    assert result.bars == 3
    assert all(step.end.max(initial=0) <= 3 * BAR for step in result.steps)
    assert all(song.end <= 12 for song in result.songs)


def test_a_part_of_one_bar_can_be_morphed(known: Codec, tunes: dict[str, Song]) -> None:
    clips = [cut_clip(song, melody, 4, 2, Part(bars=1)) for song in tunes.values()]
    result = morph(known, clips[0], clips[1], Options(steps=2, refine=False))
    assert result.bars == 1
    assert all(song.end <= 4 for song in result.songs)


def test_a_tune_can_be_morphed_in_any_meter(untrained: Codec, make_song: MakeSong) -> None:
    for meter in (Meter(3, 4), Meter(6, 8), Meter(7, 8), Meter(5, 4), Meter(15, 4)):
        clips = [cut_clip(make_song([(p, 0, 9)], [(0.0, meter)]), melody, 4, 2) for p in (60, 62)]
        result = morph(untrained, clips[0], clips[1], Options(steps=3, refine=False))
        assert result.songs[1].meters == (MeterChange(0.0, meter),)


def test_a_temperature_draws_and_a_seed_repeats_the_draw(untrained: Codec, held: Clip, repeated: Clip) -> None:
    warm = Options(steps=3, temperature=1.0, seed=1, refine=False)
    first, same, other = (morph(untrained, held, repeated, o) for o in (warm, warm, replace(warm, seed=2)))
    assert first.steps == same.steps
    assert first.steps != other.steps


def test_at_a_temperature_the_ends_are_reported_as_they_are_heard(known: Codec, held: Clip, repeated: Clip) -> None:
    result = morph(known, held, repeated, Options(steps=2, temperature=50.0))
    assert [end.differed for end in result.ends] == [0, 0]
    assert all(end.differ > 0 for end in result.ends)


def test_decoding_in_parts_changes_nothing(
    known: Codec, held: Clip, repeated: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = morph(known, held, repeated)
    monkeypatch.setattr("musicvae_lite.inference.runtime.ROWS", 1)
    monkeypatch.setattr("musicvae_lite.explore.refine.STEPS_AT_ONCE", 32)
    parts = morph(known, held, repeated)
    assert parts.steps[0] == whole.steps[0]
    assert parts.steps[-1] == whole.steps[-1]
    assert parts.ends == whole.ends


def test_two_steps_are_the_two_tunes_and_many_are_as_many(known: Codec, held: Clip, repeated: Clip) -> None:
    both = morph(known, held, repeated, Options(steps=2)).steps
    many = morph(known, held, repeated, Options(steps=50)).steps
    assert len(many) == 50
    assert (many[0], many[-1]) == both


def test_two_meters_are_refused_with_what_to_do(known: Codec, held: Clip, make_song: MakeSong) -> None:
    waltz = cut_clip(make_song([(60, 0, 3)], [(0.0, Meter(3, 4))]), melody, 4, 2)
    message = "the first tune is in 4/4, the second in 3/4: choose two in the same meter, or .* --meter 4/4"
    with pytest.raises(MusicVAEError, match=message):
        morph(known, held, waltz)


def test_a_clip_on_another_grid_is_refused(known: Codec, tunes: dict[str, Song], held: Clip) -> None:
    triplets = cut_clip(tunes["held"], melody, 12, 2)
    with pytest.raises(MusicVAEError, match="a clip of 12 steps a quarter: the model has 4"):
        morph(known, held, triplets)


@pytest.mark.parametrize(
    "values",
    [
        {"steps": 1},
        {"steps": 201},
        {"path": "curved"},
        {"spacing": "odd"},
        {"temperature": -1.0},
        {"temperature": 1e-30},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"pull": -1.0},
        {"pull": float("nan")},
        {"pull": float("inf")},
        {"seed": -1},
        {"seed": 2**64},
    ],
    ids=str,
)
def test_options_that_mean_nothing_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(MusicVAEError, match="expected"):
        Options(**values)  # type: ignore[arg-type]


def test_what_both_tunes_repeat_comes_back_at_every_step(untrained: Codec, held: Clip, repeated: Clip) -> None:
    equally_long = fill(repeated, held.bars, False, melody)
    a, b = (fill(clip, 3 * held.bars, True, melody) for clip in (held, equally_long))
    for notes in morph(untrained, a, b, Options(steps=5, refine=False)).steps[1:-1]:
        turns = [
            notes.select((notes.start >= at) & (notes.start < at + held.steps)).moved(-at)
            for at in range(0, a.steps, held.steps)
        ]
        assert len(turns) == 3
        assert [turn.start.tolist() for turn in turns] == [turns[0].start.tolist()] * 3
