"""A beat is played as a model would: every stroke stays, and everything that is no stroke stays as it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.explore.humanize import Options, humanize
from musicvae_lite.explore.touch import play
from musicvae_lite.inference.codec import Codec
from musicvae_lite.inference.config import Config
from musicvae_lite.model.codec import TorchCodec, codec
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.notes import COMMON_TIME, Meter, MeterChange, Note, Notes, Song, TempoChange, Track
from musicvae_lite.tokens import groove
from tests.model.conftest import TINY as TINY_MELODY

Stroke = tuple[int, int, float]  # pitch, velocity, start in quarter notes
SIZES: dict[str, Any] = {"latent": 4, "embedding": 8, "encoder_hidden": 8, "decoder_hidden": 8, "view_rank": 2}
LOUD_AND_LATE, SOFT_AND_EARLY = 1 + 7 * 15 + 10, 1 + 2 * 15 + 4  # 120, 3/15 of a step late; 40, 3/15 early


def drummer(*favourites: tuple[int, float], conductor: int = 0) -> Codec:
    """A model that plays every stroke alike, with these chances of these tokens, whatever it hears."""
    torch.manual_seed(0)
    model = MusicVAE(Config(representation="groove", conductor_hidden=conductor, **SIZES)).eval()
    output = next(module for name, module in model.named_modules() if name.endswith("output"))
    assert isinstance(output, torch.nn.Linear)
    with torch.no_grad():
        output.weight.zero_()
        output.bias.fill_(-100.0)
        for token, chance in favourites:
            output.bias.view(9, -1)[:, token] = math.log(chance)
    return codec(model)


def kit(strokes: Sequence[Stroke], meters: Sequence[tuple[float, Meter]] = ((0.0, COMMON_TIME),)) -> Song:
    """A tune, and strokes of a quarter of a quarter note."""
    drums = Notes.of(Note(pitch, velocity, start, start + 0.25) for pitch, velocity, start in strokes)
    tune = Track(Notes.of([Note(60, 80, 0.0, 30.0)]), "tune", 5)
    changes = tuple(MeterChange(start, meter) for start, meter in meters)
    return Song((tune, Track(drums, "kit", 8, True)), (TempoChange(0.0, 90.0),), changes)


def played(song: Song) -> list[Stroke]:
    return [(note.pitch, note.velocity, round(note.start, 6)) for note in song.tracks[1].notes]


BEAT = [(36, 80, 0.0), (42, 80, 0.5), (38, 80, 1.0), (46, 80, 7.75), (36, 80, 21.0)]


@pytest.mark.parametrize("conductor", [0, 8], ids=["flat", "hierarchical"])
def test_every_stroke_stays_and_is_as_loud_and_as_late_as_the_model_plays_it(conductor: int) -> None:
    found = humanize(drummer((LOUD_AND_LATE, 1.0), conductor=conductor), kit(BEAT))
    assert played(found.song) == [(pitch, 120, round(start + 0.05, 6)) for pitch, _, start in BEAT]
    np.testing.assert_allclose(found.late_ms, 1000 * 0.05 * 60 / 90, rtol=1e-6)
    assert found.song.tracks[0] == kit(BEAT).tracks[0]
    assert (found.song.tempos, found.song.meters) == (kit(BEAT).tempos, kit(BEAT).meters)


def test_at_temperature_0_a_stroke_is_played_as_on_average_and_above_it_is_drawn() -> None:
    model = drummer((LOUD_AND_LATE, 0.25), (SOFT_AND_EARLY, 0.75))
    assert played(humanize(model, kit([(36, 80, 1.0)])).song) == [(36, 60, 0.975)]
    drawn = {tuple(played(humanize(model, kit([(36, 80, 1.0)]), Options(1.0, seed)).song)) for seed in range(20)}
    assert drawn == {((36, 120, 1.05),), ((36, 40, 0.95),)}


def test_the_likeliest_way_to_play_is_one_of_the_tokens() -> None:
    model = drummer((LOUD_AND_LATE, 0.25), (SOFT_AND_EARLY, 0.75))
    tokens = np.zeros((1, 32, 9), np.int64)
    tokens[0, 3, 2] = 1
    found = play(model, tokens, COMMON_TIME, mean=False)
    assert np.argwhere(found.tokens).tolist() == [[0, 3, 2]]
    assert found.tokens[0, 3, 2].item() == SOFT_AND_EARLY
    assert found.velocity[0, 3, 2].item() == pytest.approx(40 / 127)
    assert np.isnan(found.offset).sum() == 32 * 9 - 1


def test_the_same_seed_gives_the_same_performance() -> None:
    model = drummer((LOUD_AND_LATE, 0.5), (SOFT_AND_EARLY, 0.5))
    songs = [humanize(model, kit(BEAT), Options(1.0, seed=7)).song for _ in range(2)]
    assert played(songs[0]) == played(songs[1])


def test_how_the_given_strokes_were_played_is_not_heard() -> None:
    torch.manual_seed(1)
    model = codec(MusicVAE(Config(representation="groove", **SIZES)).eval())
    louder = [(pitch, 30 + 10 * i, start + 0.01 * (start > 0)) for i, (pitch, _, start) in enumerate(BEAT)]
    assert played(humanize(model, kit(BEAT)).song) == played(humanize(model, kit(louder)).song)


def test_a_grace_note_stays_as_much_earlier_and_softer_as_it_was() -> None:
    flam = [(38, 20, 1.0), (38, 80, 1.05)]
    found = played(humanize(drummer((LOUD_AND_LATE, 1.0)), kit(flam)).song)
    assert found == [(38, 30, 1.0), (38, 120, 1.05)]


def test_sounds_of_no_known_drum_stay_as_they_are_and_a_pedal_stays_a_pedal() -> None:
    found = played(humanize(drummer((LOUD_AND_LATE, 1.0)), kit([(3, 50, 1.0), (44, 50, 1.0)])).song)
    assert found == [(3, 50, 1.0), (44, 120, 1.05)]


def test_nothing_is_played_before_the_song_starts() -> None:
    found = humanize(drummer((SOFT_AND_EARLY, 1.0)), kit([(36, 80, 0.0), (36, 80, 1.0)]))
    assert played(found.song) == [(36, 40, 0.0), (36, 40, 0.95)]


def test_a_change_of_meter_and_a_bar_cut_short_are_played_through() -> None:
    meters = ((0.0, COMMON_TIME), (12.0, Meter(3, 4)), (16.0, COMMON_TIME))  # a bar of 3/4 and a third of one
    strokes = [(36, 80, float(quarter)) for quarter in range(24)]
    found = humanize(drummer((LOUD_AND_LATE, 1.0)), kit(strokes, meters))
    assert played(found.song) == [(36, 120, round(quarter + 0.05, 6)) for quarter in range(24)]


def test_all_windows_of_a_long_song_are_played() -> None:
    strokes = [(36, 80, 4.0 * bar) for bar in range(1100)]  # more windows than are decoded at once
    found = played(humanize(drummer((LOUD_AND_LATE, 1.0)), kit(strokes)).song)
    assert found == [(36, 120, round(4 * bar + 0.05, 6)) for bar in range(1100)]


def test_a_model_of_melodies_cannot_do_that_and_a_song_without_drums_has_nothing_to_play() -> None:
    with pytest.raises(MusicVAEError, match="a model of melody knows no velocities and no timing"):
        humanize(codec(MusicVAE(TINY_MELODY)), kit(BEAT))
    with pytest.raises(MusicVAEError, match="no drums: expected notes on channel 10"):
        humanize(drummer((LOUD_AND_LATE, 1.0)), Song(kit(BEAT).tracks[:1]))


@pytest.mark.parametrize("options", [{"temperature": -1.0}, {"temperature": math.inf}, {"seed": -1}])
def test_options_that_make_no_sense_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(MusicVAEError, match="expected 0 or more"):
        Options(**options)  # type: ignore[arg-type]


def test_torch_plays_as_numpy_does() -> None:
    torch.manual_seed(1)
    model = MusicVAE(Config(representation="groove", **SIZES)).eval()
    tokens = np.random.default_rng(0).integers(0, groove.VOCABULARY, (5, 32, 9))
    one, other = (play(each, tokens, COMMON_TIME) for each in (codec(model), TorchCodec(model)))
    np.testing.assert_array_equal(one.tokens, other.tokens)
    np.testing.assert_allclose(one.velocity, other.velocity, atol=1e-4)
    np.testing.assert_allclose(one.offset, other.offset, atol=1e-4)
