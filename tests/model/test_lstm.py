"""One step of products is one step of `nn.LSTM`."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from musicvae_lite.model.lstm import step


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_stepping_through_a_sequence_is_running_the_lstm_over_it(layers: int) -> None:
    torch.manual_seed(0)
    lstm, x = nn.LSTM(5, 7, layers, batch_first=True).double(), torch.randn(3, 9, 5, dtype=torch.float64)
    state = (torch.randn(layers, 3, 7).double(), torch.randn(layers, 3, 7).double())
    expected, (hidden, cell) = lstm(x, state)
    found = []
    for t in range(x.shape[1]):
        top, state = step(lstm, x[:, t], state)
        found.append(top)
    torch.testing.assert_close(torch.stack(found, 1), expected)
    torch.testing.assert_close(state, (hidden, cell))
