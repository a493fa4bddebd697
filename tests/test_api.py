"""What the README shows: MIDI in any of three forms goes in, `PrettyMIDI` objects come out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import musicvae_lite
from musicvae_lite.api import Model
from musicvae_lite.errors import MidiError, MusicVAEError
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.runtime import KNOWN_KEYS, Runtime
from musicvae_lite.model.codec import TorchCodec, codec
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.midi import from_pretty_midi, to_pretty_midi, write
from musicvae_lite.music.notes import Meter, Notes, Song, Track

if TYPE_CHECKING:
    from musicvae_lite.model.checkpoint import Checkpoint

    Tunes = dict[str, Song]


@pytest.fixture
def model(learned: Checkpoint) -> Model:
    return Model(codec(learned.model))


@pytest.fixture
def paths(tunes: Tunes, tmp_path: Path) -> list[Path]:
    """The tunes as files, in order."""
    for name, song in tunes.items():
        write(song, tmp_path / f"{name}.mid")
    return [tmp_path / f"{name}.mid" for name in tunes]


def same_notes(midi: Any, song: Song) -> bool:
    """Whether a PrettyMIDI has a song's notes, velocities included, and its instrument and tempo."""
    (track,), (expected,) = from_pretty_midi(midi).tracks, song.tracks
    _, tempos = midi.get_tempo_changes()
    return (track.notes, track.program, tempos.tolist()) == (
        expected.notes,
        expected.program,
        [pytest.approx(song.tempos[0].qpm, rel=1e-5)],
    )


def test_load_takes_a_path_and_refuses_an_unknown_name(model_file: Path) -> None:
    for path in (model_file, str(model_file)):
        assert musicvae_lite.load(path).config.bars == 2
    with pytest.raises(MusicVAEError, match=r"melody-99bar: neither a bundled model .* nor a file or run folder"):
        musicvae_lite.load("melody-99bar")


def test_encode_gives_the_posterior_of_every_window(model: Model, paths: list[Path]) -> None:
    posterior = model.encode(paths[1])
    assert posterior.mu.shape == posterior.sigma.shape == (3, 8)
    assert (posterior.sigma > 0).all()
    assert model.encode(paths[1], musicvae_lite.Part(bars=2)).mu.shape == (1, 8)


def test_midi_is_a_path_a_text_a_pretty_midi_or_a_song(model: Model, tunes: Tunes, paths: list[Path]) -> None:
    song = tunes["held"]
    expected = model.encode(song).mu
    for midi in (paths[0], str(paths[0]), to_pretty_midi(song)):
        np.testing.assert_array_equal(model.encode(midi).mu, expected)


def test_decode_gives_one_tune_for_each_row_and_the_inverse_of_encode(model: Model, tunes: Tunes) -> None:
    tunes_back = model.decode(model.encode(tunes["held"]).mu, qpm=90.0, program=40)
    assert len(tunes_back) == 2
    first = Notes.of(n._replace(velocity=80, end=min(n.end, 8)) for n in tunes["held"].tracks[0].notes if n.start < 8)
    assert from_pretty_midi(tunes_back[0]).tracks[0].notes == first
    assert tunes_back[0].instruments[0].program == 40
    assert tunes_back[0].get_tempo_changes()[1].tolist() == [pytest.approx(90)]


def test_decode_takes_arrays_and_tensors_in_any_precision(model: Model, tunes: Tunes) -> None:
    mu = model.encode(tunes["held"]).mu
    z = torch.from_numpy(mu).double().requires_grad_()
    expected = [from_pretty_midi(tune) for tune in model.decode(mu)]
    for same in (z, mu.astype(np.float64), mu.tolist()):
        assert [from_pretty_midi(tune) for tune in model.decode(same)] == expected
    assert z.grad is None


def test_a_network_that_numpy_does_not_know_is_torch_s_and_plays_the_same(
    model_file: Path, tunes: Tunes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_numpy = musicvae_lite.load(model_file)
    monkeypatch.setattr("musicvae_lite.inference.runtime.KNOWN_KEYS", KNOWN_KEYS - {"bars"})
    with_torch = musicvae_lite.load(model_file)
    assert isinstance(with_numpy.codec, Runtime)
    assert isinstance(with_torch.codec, TorchCodec)
    a, b = tunes.values()
    one, other = (each.morph(a, b) for each in (with_numpy, with_torch))
    assert one.steps == other.steps


def test_decode_in_a_meter_gives_bars_of_that_meter(model: Model) -> None:
    (tune,) = model.decode(np.zeros((1, 8)), Meter(6, 8))
    (change,) = tune.time_signature_changes
    assert (change.numerator, change.denominator) == (6, 8)
    assert from_pretty_midi(tune).end <= 6


def test_a_temperature_draws_and_a_seed_repeats_the_draw(model: Model) -> None:
    first, same, other = (
        from_pretty_midi(model.decode(np.zeros((1, 8)), temperature=2.0, seed=seed)[0]) for seed in (1, 1, 2)
    )
    assert first == same
    assert first != other


def test_interpolate_gives_the_tunes_from_a_to_b_with_both_ends(model: Model, tunes: Tunes, paths: list[Path]) -> None:
    between = model.interpolate(paths[0], paths[1], steps=5)
    assert len(between) == 5
    assert same_notes(between[0], tunes["held"])
    assert same_notes(between[-1], tunes["repeated"])


def test_vary_gives_variations_of_a_tune_as_far_as_asked(model: Model, tunes: Tunes, paths: list[Path]) -> None:
    (tune,) = model.vary(paths[0], count=1, amount=0.0)
    assert same_notes(tune, tunes["held"])
    assert len(model.vary(paths[0], seed=3)) == 8
    found = model.variations(model.clip(paths[0]))
    assert len(found.songs) == len(found.steps) == len(found.changed) == 8


def test_interpolate_takes_the_options_of_a_morph(model: Model, tunes: Tunes) -> None:
    a, b = tunes.values()
    assert len(model.interpolate(a, b, 3, path="slerp", spacing="uniform", loop=True, refine=False)) == 3
    with pytest.raises(TypeError, match="curvature"):
        model.interpolate(a, b, 3, curvature=1)
    with pytest.raises(MusicVAEError, match="1 steps: expected 2"):
        model.interpolate(a, b, 1)


def test_a_morph_says_how_well_its_ends_fit(model: Model, tunes: Tunes) -> None:
    result = model.morph(tunes["held"], model.clip(tunes["repeated"]))
    assert [end.differ for end in result.ends] == [0, 0]


def test_what_cannot_be_used_is_an_error_that_names_it(model: Model, tmp_path: Path) -> None:
    with pytest.raises(MidiError, match=r"nowhere\.mid: no such file"):
        model.encode(tmp_path / "nowhere.mid")
    drums = Song((Track(Notes.of([(36, 80, 0.0, 1.0)]), is_drum=True),))
    write(drums, tmp_path / "drums.mid")
    with pytest.raises(MusicVAEError, match=r"drums\.mid: only drums: expected a track"):
        model.encode(tmp_path / "drums.mid")
    with pytest.raises(MusicVAEError, match="the song: only drums"):
        model.encode(drums)
    with pytest.raises(MusicVAEError, match="the PrettyMIDI object: only drums"):
        model.encode(to_pretty_midi(drums))


def test_drums_are_decoded_as_drums_whatever_the_program() -> None:
    torch.manual_seed(0)
    sizes = {"latent": 4, "embedding": 4, "encoder_hidden": 4, "decoder_hidden": 8, "view_rank": 2}
    model = Model(codec(MusicVAE(Config(representation="drums", **sizes)).eval()))  # type: ignore[arg-type]
    (beat,) = model.decode(np.ones((1, 4)), program=40, temperature=1.0)
    assert [(track.is_drum, track.program) for track in from_pretty_midi(beat).tracks] == [(True, 0)]
    assert model.meters == ()
