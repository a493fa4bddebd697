"""How many processor threads a stretch of work takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Run the block, or the function that this decorates, in one thread; afterwards the number is what it was.

    Decoding is thousands of products too small to share out. With PyTorch's default of a thread a core, every one of
    them waits for the slowest thread, which on a busy machine makes decoding 10–100 times slower.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
