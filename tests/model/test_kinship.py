"""Kinship: what one way to play a stroke learns, its kin learn with it; and folded, the model is the same without."""

from __future__ import annotations

import pytest
import torch

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.config import Config
from musicvae_lite.model.decoder import Decoder
from musicvae_lite.model.kinship import Kinship
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.notes import COMMON_TIME
from musicvae_lite.tokens import groove

TINY = Config(
    representation="groove",
    bars=2,
    latent=4,
    embedding=8,
    encoder_hidden=8,
    decoder_hidden=8,
    view_rank=2,
    kinship=True,
)
SOFT_ON_THE_GRID, LOUD_ON_THE_GRID, LOUD_AND_LATE = 8, 8 + 7 * 15, 15 + 7 * 15


def kin() -> Kinship:
    torch.manual_seed(0)
    return Kinship(groove, 4, 1.0)


def test_tokens_share_a_row_for_the_stroke_for_its_velocity_and_for_its_offset() -> None:
    rows = kin().rows
    alike = {pair: (rows[pair[0]] == rows[pair[1]]).tolist() for pair in [(8, 113), (113, 120), (8, 120), (0, 8)]}
    assert (SOFT_ON_THE_GRID, LOUD_ON_THE_GRID, LOUD_AND_LATE) == (8, 113, 120)
    assert alike == {
        (8, 113): [True, False, True],
        (113, 120): [True, True, False],
        (8, 120): [True, False, False],
        (0, 8): [False, False, False],
    }


def test_what_one_token_learns_reaches_its_kin_and_no_other_voice() -> None:
    shared = kin()
    shared()[3, LOUD_AND_LATE].sum().backward()
    assert shared.table.grad is not None
    moved = shared.table.grad[:, shared.rows].sum((-2, -1))  # [V, K]
    assert moved[3, LOUD_AND_LATE] > moved[3, LOUD_ON_THE_GRID] > moved[3, SOFT_ON_THE_GRID] > 0
    assert moved[3, 0] == 0
    assert not moved[[0, 1, 2, 4, 5, 6, 7, 8]].any()


@pytest.mark.parametrize("conductor", [0, 8], ids=["flat", "hierarchical"])
def test_folded_it_is_the_same_model_without_kinship(conductor: int) -> None:
    torch.manual_seed(0)
    model = MusicVAE(Config(**{**TINY.to_dict(), "conductor_hidden": conductor})).eval()
    plain = model.folded()
    tokens = torch.randint(groove.VOCABULARY, (3, 32, 9))
    with torch.no_grad():
        for one, other in zip(
            (model.encode(tokens, COMMON_TIME).mu, model.logits(torch.ones(3, 4), tokens, COMMON_TIME)),
            (plain.encode(tokens, COMMON_TIME).mu, plain.logits(torch.ones(3, 4), tokens, COMMON_TIME)),
            strict=True,
        ):
            torch.testing.assert_close(one, other)
    assert not plain.config.kinship
    assert not [name for name in plain.state_dict() if "kin" in name]
    assert not plain.training


def test_a_model_without_kinship_is_folded_already() -> None:
    model = MusicVAE(Config(latent=4, embedding=8, encoder_hidden=8, decoder_hidden=8, view_rank=2))
    assert model.folded() is model


def test_kinship_needs_tokens_that_say_how_they_are_played() -> None:
    with pytest.raises(MusicVAEError, match="those of melody do not"):
        Config(kinship=True)


def test_without_kinship_a_decoder_has_the_parameters_that_it_always_had() -> None:
    names = {name for name, _ in Decoder(Config(representation="groove")).named_parameters()}
    assert not [name for name in names if "kin" in name]
