"""How many threads NumPy's products take: one each, and batches side by side.

Decoding is thousands of products too small to share out. OpenBLAS, with its default of a thread a core, has each of
them wait for its slowest thread, which on a busy machine makes decoding 10–20 times slower; whole batches side by side,
each in one thread, lose nothing.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

Given = TypeVar("Given")
Found = TypeVar("Found")
NAMES = ("scipy_openblas_{}_num_threads64_", "scipy_openblas_{}_num_threads", "openblas_{}_num_threads64_")


@contextmanager
def one_thread() -> Iterator[None]:
    """Run the block, or the function that this decorates, with products in one thread, where NumPy has OpenBLAS."""
    get, put = _openblas()
    before = get()
    put(1)
    try:
        yield
    finally:
        put(before)


def side_by_side(work: Callable[[Given], Found], parts: Sequence[Given]) -> list[Found]:
    """`work` on each part, as many at once as there are cores; NumPy lets go of Python's lock in its products."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if min(cores, len(parts)) < 2:
        return [work(part) for part in parts]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(cores) as pool:
        return list(pool.map(work, parts))


@cache
def _openblas() -> tuple[Callable[[], int], Callable[[int], None]]:
    """What tells and what sets OpenBLAS's number of threads; functions that do nothing where it is not to be found."""
    home = Path(np.__file__).parent
    for path in (*home.parent.glob("numpy.libs/*openblas*"), *home.glob(".dylibs/*openblas*")):
        library: Any = ctypes.CDLL(str(path))
        for name in NAMES:
            if hasattr(library, name.format("set")):
                return getattr(library, name.format("get")), getattr(library, name.format("set"))
    return lambda: 1, lambda count: None
