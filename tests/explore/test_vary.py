"""Variations are a tune that is changed as far as asked, keeps its repeats, and depends on the options alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from musicvae_lite.corpus.clip import Clip, cut_clip
from musicvae_lite.errors import MusicVAEError
from musicvae_lite.explore import vary as varying
from musicvae_lite.explore.vary import Options, Variations, vary
from musicvae_lite.inference.codec import Codec, Floats
from musicvae_lite.inference.density import Density
from musicvae_lite.model.codec import codec
from musicvae_lite.music.notes import COMMON_TIME, MeterChange, Notes, Song, TempoChange, Track
from musicvae_lite.pretrained.registry import DEFAULT
from musicvae_lite.tokens import melody, representation
from tests.model.conftest import TINY, random_tokens, shaken

TUNE = (60, 62, 64, 65, 67, 65, 64, 62)  # two bars of quarters, played twice with two other bars between
OTHER = (72, 71, 69, 67, 65, 64, 62, 60)


@pytest.fixture(scope="module")
def song() -> Song:
    rows = [(pitch, 90, float(i), i + 1.0) for i, pitch in enumerate((*TUNE, *OTHER, *TUNE))]
    return Song((Track(Notes.of(rows), "tune", 40),), (TempoChange(0.0, 96.0),), (MeterChange(0.0, COMMON_TIME),))


@pytest.fixture(scope="module")
def clip(song: Song) -> Clip:
    return cut_clip(song, melody, TINY.steps_per_quarter, TINY.bars)


@pytest.fixture(scope="module")
def bundled() -> tuple[Codec, Density | None]:
    import musicvae_lite

    model = musicvae_lite.load(DEFAULT)
    return model.codec, model.density


def far(found: Variations) -> float:
    return float(np.mean(found.changed))


def test_an_amount_of_0_is_the_tune_and_more_changes_more(bundled: tuple[Codec, Density | None], clip: Clip) -> None:
    none, some, more = (vary(*bundled, clip, Options(count=3, amount=amount)) for amount in (0.0, 0.3, 1.0))
    assert none.changed == (0.0, 0.0, 0.0)
    assert all(steps == none.tune for steps in none.steps)
    assert 0 < far(some) < far(more)
    assert all(share > 0 for share in some.changed)


def test_what_the_tune_repeats_a_variation_repeats(bundled: tuple[Codec, Density | None], clip: Clip) -> None:
    found = vary(*bundled, clip, Options(count=3, amount=0.6))
    for notes in found.steps:
        first, last = (notes.select((notes.start >= at) & (notes.start < at + 32)).moved(-at) for at in (0, 64))
        assert first == last


def test_new_music_is_in_the_tunes_register(bundled: tuple[Codec, Density | None], song: Song) -> None:
    middles = []
    for moved in (-5, 7):
        notes = replace(song.tracks[0].notes, pitch=song.tracks[0].notes.pitch + moved)
        clip = cut_clip(replace(song, tracks=(replace(song.tracks[0], notes=notes),)), melody, 4, 2)
        found = vary(*bundled, clip, Options(count=4, amount=1.0))
        middles.append(float(np.mean([steps.pitch.mean() for steps in found.steps])))
    assert middles[1] - middles[0] > 6


def test_tempo_instrument_and_length_are_the_tunes(bundled: tuple[Codec, Density | None], clip: Clip) -> None:
    for each in (found := vary(*bundled, clip, Options(count=2))).songs:
        assert each.tempos == found.tune_song.tempos == (TempoChange(0.0, 96.0),)
        assert [track.program for track in each.tracks] == [40]
        assert each.end <= 24


def test_a_seed_decides_everything(clip: Clip) -> None:
    model = codec(shaken(TINY).float())
    one, same, other = (vary(model, None, clip, Options(count=2, amount=1.0, seed=seed)) for seed in (1, 1, 2))
    assert one.steps == same.steps
    assert one.steps != other.steps


@pytest.mark.parametrize("name", ["melody", "drums", "trio", "melody-chords", "groove"])
def test_music_is_as_like_itself_as_it_has_voices_that_sound(name: str) -> None:
    form, config = representation(name), replace(TINY, representation=name)
    notes = form.decode(random_tokens(config, COMMON_TIME, 1, seed=1)[0].numpy())
    profile = varying._profile(notes, form.VOICES)
    sounding = np.isin(np.arange(form.VOICES), notes.voice)
    assert sounding.any()
    np.testing.assert_allclose(profile.sum(1), sounding)
    assert varying._likeness(profile, profile) == pytest.approx(sounding.mean())


def test_likeness_falls_with_the_key_and_with_the_register() -> None:
    def profile(*pitches: int) -> Floats:
        found = np.zeros((1, 128))
        found[0, list(pitches)] = 1 / len(pitches)
        return found

    tune = profile(60, 64, 67)
    same, octave, other = (varying._likeness(tune, each) for each in (tune, profile(72, 76, 79), profile(61, 65, 68)))
    assert same == pytest.approx(1)
    assert octave == pytest.approx(0)
    assert other < 0
    assert varying._likeness(tune, np.zeros((1, 128))) == 0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"count": 0}, "0 variations: expected at least 1"),
        ({"amount": 1.5}, "an amount of 1.5: expected 0"),
        ({"amount": float("nan")}, "an amount of nan"),
        ({"prior": "other"}, "unknown prior 'other'"),
        ({"seed": -1}, "a seed of -1"),
    ],
)
def test_options_that_mean_nothing_are_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(MusicVAEError, match=said):
        Options(**values)  # type: ignore[arg-type]


def test_a_clip_on_another_grid_is_refused(song: Song) -> None:
    clip = cut_clip(song, melody, 8, 2)
    with pytest.raises(MusicVAEError, match="a clip of 8 steps a quarter: the model has 4"):
        vary(codec(shaken(TINY).float()), None, clip)


def test_a_density_that_is_asked_for_and_not_there_is_an_error(clip: Clip) -> None:
    with pytest.raises(MusicVAEError, match="no fitted density"):
        vary(codec(shaken(TINY).float()), None, clip, Options(prior="fitted"))
