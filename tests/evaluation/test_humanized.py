"""A model's performance of stiff beats against the drummer's own, with known errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from musicvae_lite.corpus.windows import Windows
from musicvae_lite.evaluation.humanized import BY_PLACE, DRAWN, LIKELIEST, MODEL, STIFF, measure
from musicvae_lite.inference.config import Config
from musicvae_lite.model.codec import codec
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.notes import COMMON_TIME
from musicvae_lite.tokens import groove

SIZES: dict[str, Any] = {"latent": 4, "embedding": 8, "encoder_hidden": 8, "decoder_hidden": 8, "view_rank": 2}
SOFT, LOUD = 1 + 2 * 15 + 7, 1 + 5 * 15 + 7  # on the grid, 40 and 88
LATE = LOUD + 3  # a fifth of a step


def windows(*rows: tuple[int, int]) -> Windows:
    """Windows of two bars at 150 quarter notes a minute, so that a step is 100 ms: kicks at (step, token)."""
    tokens = np.zeros((1, 32, 9), np.uint8)
    for step, token in rows:
        tokens[0, step, 0] = token
    return Windows(COMMON_TIME, tokens, np.zeros(1, np.int64), np.zeros(1, np.int64), np.full(1, 150.0))


def drummer(token: int) -> MusicVAE:
    """A model that plays every stroke as `token`, and left alone no stroke."""
    torch.manual_seed(0)
    model = MusicVAE(Config(representation="groove", **SIZES)).eval()
    with torch.no_grad():
        model.get_parameter("decoder.output.weight").zero_()
        bias = model.get_parameter("decoder.output.bias").view(9, -1)
        bias[:, 0], bias[:, token] = 200.0, 100.0
    return model


def test_errors_are_in_milliseconds_at_the_windows_tempo_and_of_full_loudness() -> None:
    found = measure(codec(drummer(LATE)), [windows((0, SOFT), (5, LATE))], [], 0)
    assert found is not None
    for way in (MODEL, LIKELIEST, DRAWN):
        errors = found.errors[way]
        assert errors.timing_mean_ms == pytest.approx(10)  # 20 ms late, and right
        assert errors.timing_rms_ms == pytest.approx(20 / math.sqrt(2))
        assert errors.velocity_rms == pytest.approx(48 / 127 / math.sqrt(2))
    assert found.errors[STIFF].timing_mean_ms == pytest.approx(10)
    assert found.errors[STIFF].velocity_rms == pytest.approx(24 / 127)
    assert found.hits_f1 == 0


def test_the_mean_of_drum_and_place_is_that_of_other_windows_where_there_are_any() -> None:
    for others, error in (([windows((0, LOUD))], 20.0), ([], 0.0)):
        found = measure(codec(drummer(LOUD)), [windows((16, LATE))], others, 0)
        assert found is not None
        assert found.errors[BY_PLACE].timing_mean_ms == pytest.approx(error)


def test_the_strokes_are_found_back_where_the_model_strikes_them() -> None:
    model = drummer(LATE)
    with torch.no_grad():
        model.get_parameter("decoder.output.bias").view(9, -1)[0, LATE] = 300.0  # kicks at all 32 steps
    found = measure(codec(model), [windows((0, SOFT), (5, LATE))], [], 0)
    assert found is not None
    assert found.hits_f1 == pytest.approx(2 * 2 / (2 + 32))
    assert found.as_json()["hits_f1"] == found.hits_f1


def test_models_that_say_nothing_of_touch_are_not_measured() -> None:
    assert measure(codec(MusicVAE(Config(**SIZES))), [], [], 0) is None
    assert not np.isnan(groove.TOUCH[1:]).any()
