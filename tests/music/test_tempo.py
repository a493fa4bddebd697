from __future__ import annotations

import numpy as np
import pytest

from musicvae_lite.music.notes import TempoChange
from musicvae_lite.music.tempo import mean_qpm, seconds_at

SLOWER = (TempoChange(0.0, 120.0), TempoChange(4.0, 60.0), TempoChange(6.0, 240.0))


def test_one_quarter_at_120_lasts_half_a_second() -> None:
    assert seconds_at(1.0, (TempoChange(0.0, 120.0),)) == 0.5


@pytest.mark.parametrize(("quarters", "seconds"), [(0, 0), (3, 1.5), (4, 2), (5, 3), (6, 4), (10, 5)])
def test_each_stretch_of_the_piece_runs_at_its_own_tempo(quarters: float, seconds: float) -> None:
    assert seconds_at(quarters, SLOWER) == pytest.approx(seconds)


def test_the_shape_of_the_times_is_kept() -> None:
    times = np.array([[0.0, 4.0], [6.0, 10.0]])
    assert seconds_at(times, SLOWER).tolist() == [[0.0, 2.0], [4.0, 5.0]]
    assert seconds_at(np.zeros(0), SLOWER).shape == (0,)


def test_later_is_never_earlier() -> None:
    assert np.all(np.diff(seconds_at(np.linspace(0, 20, 500), SLOWER)) > 0)


def test_the_mean_tempo_of_a_part_is_how_long_it_really_takes() -> None:
    faster = (TempoChange(0.0, 60.0), TempoChange(4.0, 120.0))  # 4 s for the first four quarters, 2 s for the next
    assert mean_qpm([0.0, 0.0, 4.0], [4.0, 8.0, 8.0], faster).tolist() == pytest.approx([60, 80, 120])
