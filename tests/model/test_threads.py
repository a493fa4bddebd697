"""Decoding takes one thread, no numbers next to nothing, and gives everything back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from musicvae_lite.model import decoder
from musicvae_lite.model.lstm import State
from musicvae_lite.model.threads import flushes_denormals, one_thread, without_denormals
from musicvae_lite.music.notes import COMMON_TIME
from tests.model.conftest import TINY, random_z, shaken


@pytest.fixture(autouse=True)
def _three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_a_block_has_one_thread_and_afterwards_there_are_as_many_as_before() -> None:
    with one_thread():
        assert torch.get_num_threads() == 1
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_an_error_gives_the_threads_back_too() -> None:
    with pytest.raises(KeyError), one_thread():
        raise KeyError
    assert torch.get_num_threads() == 3


def test_decoding_takes_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def step(lstm: torch.nn.LSTM, x: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        threads.append(torch.get_num_threads())
        return x, state

    monkeypatch.setattr(decoder, "step", step)
    shaken().decode(random_z(TINY), COMMON_TIME)
    assert set(threads) == {1}
    assert torch.get_num_threads() == 3


def test_within_a_block_numbers_next_to_nothing_are_nothing_and_afterwards_as_before() -> None:
    tiny = torch.tensor(1e-38)
    assert not flushes_denormals()
    with without_denormals():
        assert (tiny / 10).item() == 0
        with one_thread():
            assert flushes_denormals()
        assert flushes_denormals()
    assert (tiny / 10).item() > 0


def test_an_error_gives_them_back_too() -> None:
    with pytest.raises(KeyError), without_denormals():
        raise KeyError
    assert not flushes_denormals()
