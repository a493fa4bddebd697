"""A model of many bars that begins as several models of few bars side by side.

Reading and writing a bar is the same in a window of two bars and in one of sixteen; what a long window has of its own
is what its bars have in common. So a long model need not learn the first again: z is n parts, each the z of one short
window with its liveliest dimensions, and every bar sees its own part as the short model did. Training then ties the
parts together (after "progressive growing", Karras et al. 2018, arXiv 1710.10196, along time).
"""

from __future__ import annotations

import torch
from torch import Tensor

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.model.config import Config
from musicvae_lite.model.musicvae import MusicVAE

MAY_DIFFER = {"bars", "latent"}


@torch.no_grad()
def grow(short: MusicVAE, config: Config) -> dict[str, Tensor]:
    """Weights for a `MusicVAE` of `config`, which has n times the bars of `short`; its own if nothing differs.

    A config that differs in anything else, or whose Z is not n times 1 … the short one's, is a `MusicVAEError`.
    """
    windows, kept = _windows(short.config, config), config.latent * short.config.bars // config.bars
    weights = {name: value.clone() for name, value in short.state_dict().items()}
    if windows == 1 and kept == short.config.latent:
        return weights
    alive = _liveliest(weights, kept)
    both = torch.cat([alive, alive + short.config.latent])  # rows of mu and of the width
    for name in ("encoder.positions.bar.weight", "decoder.positions.bar.weight"):
        weights[name] = weights[name].repeat(windows, 1)
    weights["encoder.average.weight"] = torch.zeros(2 * config.latent, weights["encoder.average.weight"].shape[1])
    weights["encoder.average.bias"] = (
        weights["encoder.average.bias"][both].view(2, 1, -1).repeat(1, windows, 1).flatten()
    )
    weights["encoder.views.by_bar"] = _side_by_side(weights["encoder.views.by_bar"][:, both], windows, 2)
    weights["decoder.views.by_bar"] = _side_by_side(weights["decoder.views.by_bar"][:, alive], windows, 1)
    for name in ("decoder.latent_input.weight", "decoder.initial_state.weight"):
        first = weights[name][:, alive]
        weights[name] = torch.cat([first, first.new_zeros(len(first), config.latent - kept)], 1)
    if config.noise_conditioning:
        weights["decoder.noise.gain"] = weights["decoder.noise.gain"][:, alive].repeat(1, windows)
    return weights


def _windows(short: Config, config: Config) -> int:
    """How many windows of `short` are one of `config`."""
    before, after = short.to_dict(), config.to_dict()
    other = sorted(name for name in before if before[name] != after[name] and name not in MAY_DIFFER)
    if other:
        found = ", ".join(f"{name} {before[name]} and not {after[name]}" for name in other)
        raise MusicVAEError(f"the model to begin from has {found}: choose one that is equal but for its bars")
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
    strength = weights["decoder.views.by_bar"].square().sum((0, 2))
    return strength.topk(count).indices.sort().values


def _side_by_side(by_bar: Tensor, windows: int, parts: int) -> Tensor:
    """by_bar [n, P·Z, R] of one window → [W·n, P·W·Z, R]: each window's bars see its own share of each of P parts."""
    bars, size, rank = by_bar.shape
    grown = by_bar.new_zeros(windows, bars, parts, windows, size // parts, rank)
    for window in range(windows):
        grown[window, :, :, window] = by_bar.view(bars, parts, -1, rank)
    return grown.view(windows * bars, windows * size, rank)
