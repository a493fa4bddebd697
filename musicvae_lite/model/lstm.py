"""One LSTM step as plain products.

`nn.LSTM` re-packs its weights at every call, which makes it 2–100 times slower than this when it is stepped one token
at a time for a few sequences. Over whole sequences (training, encoding), and for many at once, `nn.LSTM` itself is
used; both read the same parameters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MANY_ROWS = 128  # from here on packing the weights costs less than oneDNN's faster products save

State = tuple[Tensor, Tensor]  # hidden and cell, [layers, B, H] each


def step(lstm: nn.LSTM, x: Tensor, state: State) -> tuple[Tensor, State]:
    """The top layer's output [B, H] and the new state, for one input [B, D]."""
    if len(x) >= MANY_ROWS:
        top, state = lstm(x[:, None], state)
        return top[:, 0], state
    hiddens, cells = [], []
    for layer in range(lstm.num_layers):
        w_input, w_hidden, b_input, b_hidden = (
            getattr(lstm, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        gates = F.linear(x, w_input, b_input) + F.linear(state[0][layer], w_hidden, b_hidden)
        i, f, g, o = gates.chunk(4, -1)
        cell = torch.sigmoid(f) * state[1][layer] + torch.sigmoid(i) * torch.tanh(g)
        x = torch.sigmoid(o) * torch.tanh(cell)
        hiddens.append(x)
        cells.append(cell)
    return x, (torch.stack(hiddens), torch.stack(cells))
