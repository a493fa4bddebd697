"""One model at many rates: less of z is fewer bits, and at level 0 the figures are the model's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation import heldout, rates
from musicvae_lite.inference.codec import Codec
from musicvae_lite.inference.config import Config
from musicvae_lite.model.codec import codec
from musicvae_lite.model.musicvae import MusicVAE


def test_at_level_0_the_figures_are_the_models_own(player: Codec, groups: tuple[Windows, ...]) -> None:
    found, own = rates.curve(player, groups)[0], heldout.scores(heldout.run(player, groups))
    assert found.level == 0
    assert (found.free_t0, found.exact) == (own["free_t0"], own["exact"])
    assert found.kl_bits == pytest.approx(own["kl_bits"], rel=1e-5)


def test_the_less_of_z_is_heard_the_fewer_bits_it_carries(player: Codec, groups: tuple[Windows, ...]) -> None:
    bits = [rate.kl_bits for rate in rates.curve(player, groups)]
    assert len(bits) == len(rates.LEVELS)
    assert bits == sorted(bits, reverse=True)
    assert bits[-1] < 0.5 * bits[0]


def test_a_model_that_cannot_be_told_has_no_such_curve(groups: tuple[Windows, ...]) -> None:
    config = Config(latent=8, embedding=8, encoder_hidden=8, decoder_hidden=16, view_rank=4)
    assert rates.curve(codec(MusicVAE(replace(config, noise_conditioning=False))), groups) == []


def test_without_windows_there_is_none(player: Codec) -> None:
    assert rates.curve(player, []) == []
