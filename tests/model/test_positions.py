"""Every step of every meter has its own place, and a place looks at z through its own matrix."""

from __future__ import annotations

from typing import TypeVar

import pytest
import torch
from torch import Tensor, nn

from musicvae_lite.model.positions import MetricalPositions, Views
from musicvae_lite.music.notes import COMMON_TIME, Meter

BARS, BAR_STEPS, Z, R, D = 2, 6, 5, 3, 4


M = TypeVar("M", bound=nn.Module)


def filled(module: M) -> M:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in module.parameters():
            weight.normal_(generator=generator)
    return module.double()


def test_views_are_the_products_that_they_are_said_to_be() -> None:
    views, z = filled(Views(8, BARS, Z, R, D)), torch.randn(2, Z, dtype=torch.float64)
    seen = views(z, BARS, BAR_STEPS)
    for bar in range(BARS):
        for step in range(BAR_STEPS):
            expected = z @ views.by_bar[bar] @ views.by_step[step]
            torch.testing.assert_close(seen[:, bar * BAR_STEPS + step], expected)


def test_gathering_is_the_transpose_of_looking() -> None:
    views, z = filled(Views(8, BARS, Z, R, D)), torch.randn(1, Z, dtype=torch.float64)
    states = torch.randn(1, BARS * BAR_STEPS, D, dtype=torch.float64)
    one = (views(z, BARS, BAR_STEPS) * states).sum()
    other = (z * views.gather(states, BARS, BAR_STEPS)).sum()
    torch.testing.assert_close(one, other)


def test_of_several_shares_a_bar_sees_its_own() -> None:
    views, z = filled(Views(8, 4, 6, R, D, shares=2)), torch.randn(2, 6, dtype=torch.float64)
    seen = views(z, 4, BAR_STEPS)
    for bar in range(4):
        own = z.chunk(2, 1)[bar // 2]
        expected = own @ views.by_bar[bar] @ views.by_step[0]
        torch.testing.assert_close(seen[:, bar * BAR_STEPS], expected)


def test_of_several_shares_each_is_read_from_its_own_bars_mu_of_all_first() -> None:
    views, states = filled(Views(8, 4, 12, R, D, shares=2)), torch.randn(3, 4 * BAR_STEPS, D, dtype=torch.float64)
    mu, width = views.gather(states, 4, BAR_STEPS).chunk(2, 1)
    for share in range(2):
        expected = torch.zeros(3, 6, dtype=torch.float64)  # of its mu, and of its width
        for bar in (2 * share, 2 * share + 1):
            for step in range(BAR_STEPS):
                expected += states[:, bar * BAR_STEPS + step] @ views.by_step[step].T @ views.by_bar[bar].T
        half = slice(3 * share, 3 * share + 3)
        torch.testing.assert_close(torch.cat([mu[:, half], width[:, half]], 1), expected)


@pytest.mark.parametrize("bar_steps", [6, 8, 10], ids=["shorter than the table", "as long", "longer"])
def test_gathering_in_two_products_is_the_sum_over_places(bar_steps: int) -> None:
    views, states = filled(Views(8, BARS, Z, R, D)), torch.randn(2, BARS * bar_steps, D, dtype=torch.float64)
    expected = torch.zeros(2, Z, dtype=torch.float64)
    for bar in range(BARS):
        for step in range(bar_steps):
            here = states[:, bar * bar_steps + step]
            expected += here @ views.by_step[min(step, 7)].T @ views.by_bar[bar].T
    torch.testing.assert_close(views.gather(states, BARS, bar_steps), expected)


def rows(meter: Meter, bar_steps: int, table: int = 8) -> Tensor:
    found: Tensor = filled(MetricalPositions(table, BARS, D))(meter, BARS, bar_steps)
    return found


def test_no_two_steps_of_a_window_share_a_place() -> None:
    places = rows(COMMON_TIME, 8)
    assert len(places.unique(dim=0)) == BARS * 8


def test_meters_with_bars_of_one_length_differ() -> None:
    assert not torch.equal(rows(Meter(3, 4), 6), rows(Meter(6, 8), 6))


def test_steps_past_the_end_of_the_table_share_its_last_row() -> None:
    places = rows(Meter(12, 4), 12)
    assert (places[7:12] == places[7]).all()
    assert not torch.equal(places[6], places[7])


@pytest.mark.parametrize("meter", [Meter(99, 64), Meter(1, 1), Meter(3, 128)], ids=str)
def test_the_oddest_meter_has_a_place_too(meter: Meter) -> None:
    assert torch.isfinite(rows(meter, 4)).all()


def test_what_training_never_saw_adds_nothing() -> None:
    assert not MetricalPositions(8, BARS, D)(COMMON_TIME, BARS, 8).any()
    assert not Views(8, BARS, Z, R, D)(torch.randn(2, Z), BARS, 8).any()
