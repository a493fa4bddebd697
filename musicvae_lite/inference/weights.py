"""Arrays of a network by name, each taken exactly once: what is left over, or not there, is a network unknown here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.inference.codec import Floats


class UnknownNetworkError(ValueError):
    """This network is another one than the one that was written down here."""


class Weights:
    """The parameters below one name, such as `decoder.`."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]], prefix: str = "", taken: set[str] | None = None) -> None:
        self._arrays, self._prefix = arrays, prefix
        self._taken = set() if taken is None else taken

    def below(self, name: str) -> Weights:
        """Those of one part."""
        return Weights(self._arrays, f"{self._prefix}{name}.", self._taken)

    def take(self, name: str, shape: tuple[int, ...]) -> Floats:
        """The array of that name, of that shape; else an `UnknownNetworkError`."""
        whole = self._prefix + name
        array = self._arrays.get(whole)
        if array is None or array.shape != shape:
            found = "missing" if array is None else f"of shape {array.shape}, expected {shape}"
            raise UnknownNetworkError(f"{whole} is {found}")
        self._taken.add(whole)
        return np.asarray(array)

    def linear(self, name: str, size: int, out: int) -> tuple[Floats, Floats]:
        """Matrix [size, out] and bias [out] of a linear layer: x @ matrix + bias."""
        part = self.below(name)
        return part.take("weight", (out, size)).T, part.take("bias", (out,))

    def check_all_taken(self) -> None:
        """An `UnknownNetworkError` if there are parameters that nobody asked for."""
        if left := sorted(set(self._arrays) - self._taken):
            raise UnknownNetworkError(f"unknown parameters {', '.join(left)}")
