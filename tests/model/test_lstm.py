"""One step of products is one step of `nn.LSTM`."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from musicvae_lite.model.lstm import MANY_ROWS, step


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("rows", [3, MANY_ROWS])
def test_stepping_through_a_sequence_is_running_the_lstm_over_it(layers: int, rows: int) -> None:
    torch.manual_seed(0)
    lstm, x = nn.LSTM(5, 7, layers, batch_first=True).double(), torch.randn(rows, 9, 5, dtype=torch.float64)
    state = (torch.randn(layers, rows, 7).double(), torch.randn(layers, rows, 7).double())
    expected, (hidden, cell) = lstm(x, state)
    found = []
    for t in range(x.shape[1]):
        top, state = step(lstm, x[:, t], state)
        found.append(top)
    torch.testing.assert_close(torch.stack(found, 1), expected)
    torch.testing.assert_close(state, (hidden, cell))
