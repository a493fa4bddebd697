"""A model of many bars that begins as several models of few bars side by side.

Reading and writing a bar is the same in a window of two bars and in one of sixteen; what a long window has of its own
is what its bars have in common. So a long model need not learn the first again: z is n parts, each the z of one short
window with its liveliest dimensions, and every bar sees its own part as the short model did. Training then ties the
parts together (after "progressive growing", Karras et al. 2018, arXiv 1710.10196, along time).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.config import Config
from musicvae_lite.model.musicvae import MusicVAE

MAY_DIFFER = {"bars", "latent", "lookback"}


@torch.no_grad()
def grow(short: MusicVAE, config: Config) -> dict[str, Tensor]:
    """Weights for a `MusicVAE` of `config`, which has n times the bars of `short`; its own if nothing differs.

    It may look back further than `short` does. A config that differs in anything else, or whose Z is not n times
    1 … the short one's, is a `MusicVAEError`.
    """
    windows, kept = _windows(short.config, config), config.latent * short.config.bars // config.bars
    weights = {name: value.clone() for name, value in short.state_dict().items()}
    further = replace(short.config, lookback=config.lookback)
    weights |= {
        name: torch.zeros_like(value) for name, value in MusicVAE(further).state_dict().items() if name not in weights
    }
    if windows == 1 and kept == short.config.latent:
        return weights
    share = _Share(windows, short.config.latent, _liveliest(weights, kept))
    for name, value in weights.items():
        change = next((change for ending, change in CHANGES.items() if name.endswith(ending)), None)
        weights[name] = value if change is None else change(value, share)
    return weights


@dataclass(frozen=True, eq=False)
class _Share:
    """What of a short window's z is one window's share of a long one's, and how many windows there are."""

    windows: int
    latent: int  # Z of the short model
    alive: Tensor  # [kept]: its dimensions that are kept

    @property
    def both(self) -> Tensor:
        """Rows of mu and of the width, in what the encoder puts out."""
        return torch.cat([self.alive, self.alive + self.latent])


def _again(table: Tensor, share: _Share) -> Tensor:
    """A row a bar [n, D] → for every window the same rows, [W·n, D]."""
    return table.repeat(share.windows, 1)


def _first(matrix: Tensor, share: _Share) -> Tensor:
    """What is seen of z as a whole, [D, Z] → the same of the first share, nothing of the others, [D, W·kept]."""
    first = matrix[:, share.alive]
    return torch.cat([first, first.new_zeros(len(first), (share.windows - 1) * len(share.alive))], 1)


def _nothing(matrix: Tensor, share: _Share) -> Tensor:
    """[2Z, D] → 0, [2·W·kept, D]: an average over a long window says little of any part of it."""
    return matrix.new_zeros(share.windows * len(share.both), matrix.shape[1])


def _each(bias: Tensor, share: _Share) -> Tensor:
    """[2Z] → the same for every window, mu first, [2·W·kept]."""
    return bias[share.both].view(2, 1, -1).repeat(1, share.windows, 1).flatten()


def _gain(gain: Tensor, share: _Share) -> Tensor:
    """[P, Z] → the same for every window, [P, W·kept]."""
    return gain[:, share.alive].repeat(1, share.windows)


def _read(by_bar: Tensor, share: _Share) -> Tensor:
    """[n, 2Z, R] → each window's bars are read into its own share of mu and of the width, [W·n, 2·W·kept, R]."""
    return _side_by_side(by_bar[:, share.both], share.windows, 2)


def _written(by_bar: Tensor, share: _Share) -> Tensor:
    """[n, Z, R] → each window's bars see its own share of z, [W·n, W·kept, R]."""
    return _side_by_side(by_bar[:, share.alive], share.windows, 1)


CHANGES = {  # by how a weight's name ends; all others stay as they are
    "encoder.average.weight": _nothing,
    "encoder.average.bias": _each,
    "encoder.views.by_bar": _read,
    ".views.by_bar": _written,
    ".positions.bar.weight": _again,
    ".latent_input.weight": _first,
    ".initial_state.weight": _first,
    ".noise.gain": _gain,
}


def _windows(short: Config, config: Config) -> int:
    """How many windows of `short` are one of `config`."""
    before, after = short.to_dict(), config.to_dict()
    other = sorted(name for name in before if before[name] != after[name] and name not in MAY_DIFFER)
    other += ["lookback"] * (config.lookback < short.lookback)
    if other:
        found = ", ".join(f"{name} {before[name]} and not {after[name]}" for name in other)
        raise MusicVAEError(
            f"the model to begin from has {found}: choose one that is equal but for its bars, or begin from nothing"
        )
    windows, rest = divmod(config.bars, short.bars)
    if rest or config.latent % config.bars or config.latent > windows * short.latent:
        raise MusicVAEError(
            f"the model to begin from has {short.bars} bars and {short.latent} dimensions: it cannot become one of "
            f"{config.bars} bars and {config.latent} dimensions (whole times the bars, at most so many times the rest)"
        )
    if windows > 1 and (config.conductor_hidden or not config.view_rank):
        raise MusicVAEError("only a flat decoder with views of z can be grown: each bar must see its own part of z")
    return windows


def _liveliest(weights: dict[str, Tensor], count: int) -> Tensor:
    """The `count` dimensions of z that the decoder's views weigh most, in their own order."""
    seen = (by_bar for name, by_bar in weights.items() if name.startswith("decoder.") and name.endswith("views.by_bar"))
    strength = torch.stack([by_bar.square().sum((0, 2)) for by_bar in seen]).sum(0)
    return strength.topk(count).indices.sort().values


def _side_by_side(by_bar: Tensor, windows: int, parts: int) -> Tensor:
    """by_bar [n, P·Z, R] of one window → [W·n, P·W·Z, R]: each window's bars see its own share of each of P parts."""
    bars, size, rank = by_bar.shape
    grown = by_bar.new_zeros(windows, bars, parts, windows, size // parts, rank)
    for window in range(windows):
        grown[window, :, :, window] = by_bar.view(bars, parts, -1, rank)
    return grown.view(windows * bars, windows * size, rank)
