"""A model of many bars that begins as several models of few bars side by side.

Reading and writing a bar is the same in a window of two bars and in one of sixteen; what a long window has of its own
is what its bars have in common. So a long model need not learn the first again: z is n parts, each the z of one short
window with its liveliest dimensions, and every bar sees its own part as the short model did. Training then ties the
parts together (after "progressive growing", Karras et al. 2018, arXiv 1710.10196, along time).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.inference.config import Config
from musicvae_lite.model.musicvae import MusicVAE

MAY_DIFFER = {"bars", "latent", "lookback", "view_bars"}


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
    share = _share(weights, short.config, windows, kept, bool(config.view_bars))
    for name, value in weights.items():
        change = next((change for pattern, change in CHANGES.items() if re.fullmatch(pattern, name)), None)
        part = re.match(r"(?:encoder|decoder)\.parts\.(\d+)\.", name)
        mine = share if part is None else share.of(int(part[1]))
        weights[name] = value if change is None else change(value, mine)
    return weights


@dataclass(frozen=True, eq=False)
class _Share:
    """What of a short window's z is one window's share of a long one's, and how many windows there are.

    With an encoder for each voice, the dimensions of one voice lie together, in the long z as in the short one.
    """

    windows: int
    latent: int  # Z of the short model
    alive: Tensor  # [voices, kept]: its dimensions that are kept
    viewed: bool  # whether a bar of the long model views no more than that

    @property
    def kept(self) -> Tensor:
        """[K] of all voices, in the order of the short z."""
        return self.alive.flatten()

    @property
    def both(self) -> Tensor:
        """[2K]: rows of mu and of the width, in what an encoder puts out."""
        return torch.cat([self.kept, self.kept + self.latent])

    @property
    def places(self) -> Tensor:
        """[W, K]: where they are in the long z, for each window."""
        voices, kept = self.alive.shape
        return torch.arange(voices * self.windows * kept).view(voices, self.windows, kept).transpose(0, 1).flatten(1)

    def of(self, part: int) -> _Share:
        """The same in what one voice's encoder writes and its decoder sees: all, if the voices have no shares."""
        if len(self.alive) == 1:
            return self
        latent = self.latent // len(self.alive)
        return _Share(self.windows, latent, self.alive[[part]] - part * latent, self.viewed)


def _share(weights: dict[str, Tensor], short: Config, windows: int, kept: int, viewed: bool) -> _Share:
    """The dimensions of z that the decoder's views weigh most, as many of each voice that has an encoder of its own."""
    voices, strength = short.predicted if short.encoder_per_voice else 1, torch.zeros(short.latent)
    for name, by_bar in weights.items():
        if part := re.match(r"decoder\..*?(\d*)\.?views\.by_bar", name):
            strength[short.own(int(part[1]) if part[1] else None)] += by_bar.square().sum((0, 2))
    strength = strength.view(voices, -1)
    alive = strength.topk(kept // voices).indices.sort().values
    return _Share(windows, short.latent, alive + short.latent // voices * torch.arange(voices)[:, None], viewed)


def _again(table: Tensor, share: _Share) -> Tensor:
    """A row a bar [n, D] → for every window the same rows, [W·n, D]."""
    return table.repeat(share.windows, 1)


def _first(matrix: Tensor, share: _Share) -> Tensor:
    """What is seen of z as a whole, [D, Z] → the same of the first share, nothing of the others, [D, W·K]."""
    grown = matrix.new_zeros(len(matrix), share.places.numel())
    grown[:, share.places[0]] = matrix[:, share.kept]
    return grown


def _nothing(matrix: Tensor, share: _Share) -> Tensor:
    """[2Z, D] → 0, [2·W·K, D]: an average over a long window says little of any part of it."""
    return matrix.new_zeros(share.windows * len(share.both), matrix.shape[1])


def _each(bias: Tensor, share: _Share) -> Tensor:
    """[2Z] → the same for every window, mu first, [2·W·K]."""
    return bias[share.both].view(2, 1, -1).repeat(1, share.windows, 1).flatten()


def _gain(gain: Tensor, share: _Share) -> Tensor:
    """[P, Z] → the same for every window, [P, W·K]."""
    grown = gain.new_zeros(len(gain), share.places.numel())
    for places in share.places:
        grown[:, places] = gain[:, share.kept]
    return grown


def _read(by_bar: Tensor, share: _Share) -> Tensor:
    """[n, 2Z, R] → each window's bars are read into its own share of mu and of the width, [W·n, 2·W·K, R].

    Where a bar views its own share only, that is all there is: [W·n, 2·K, R].
    """
    if share.viewed:
        return by_bar[:, share.both].repeat(share.windows, 1, 1)
    mu, width = by_bar[:, share.both].chunk(2, 1)
    return torch.cat([_side_by_side(mu, share), _side_by_side(width, share)], 1)


def _written(by_bar: Tensor, share: _Share) -> Tensor:
    """[n, Z, R] → each window's bars see its own share of z, [W·n, W·K, R], or where that is all, [W·n, K, R]."""
    if share.viewed:
        return by_bar[:, share.kept].repeat(share.windows, 1, 1)
    return _side_by_side(by_bar[:, share.kept], share)


def _side_by_side(by_bar: Tensor, share: _Share) -> Tensor:
    """by_bar [n, K, R] of one window → [W·n, W·K, R]: each window's bars see its own share."""
    bars, _, rank = by_bar.shape
    grown = by_bar.new_zeros(share.windows, bars, share.places.numel(), rank)
    for window, places in enumerate(share.places):
        grown[window, :, places] = by_bar
    return grown.flatten(0, 1)


CHANGES = {  # by a weight's name; all others stay as they are
    r"encoder\..*average\.weight": _nothing,
    r"encoder\..*average\.bias": _each,
    r"encoder\..*views\.by_bar": _read,
    r"decoder\..*views\.by_bar": _written,
    r".*\.positions\.bar\.weight": _again,
    r".*\.latent_input\.weight": _first,
    r".*\.initial_state\.weight": _first,
    r".*\.noise\.gain": _gain,
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
    if config.view_bars not in (0, short.bars) or short.view_bars not in (0, short.bars):
        raise MusicVAEError(f"the model to begin from has {short.bars} bars: view_bars can be 0 or {short.bars} then")
    windows, rest = divmod(config.bars, short.bars)
    kept, voices = config.latent // max(windows, 1), config.predicted if config.encoder_per_voice else 1
    if rest or config.latent % config.bars or kept > short.latent or kept % voices:
        raise MusicVAEError(
            f"the model to begin from has {short.bars} bars and {short.latent} dimensions: it cannot become one of "
            f"{config.bars} bars and {config.latent} dimensions (whole times the bars, at most so many times the rest)"
        )
    if windows > 1 and (config.conductor_hidden or not config.view_rank):
        raise MusicVAEError("only a flat decoder with views of z can be grown: each bar must see its own part of z")
    return windows
