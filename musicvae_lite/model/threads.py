"""How a processor does a stretch of work: in how many threads, and whether it dwells on numbers next to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Run the block, or the function that this decorates, in one thread and `without_denormals`.

    Decoding is thousands of products too small to share out. With PyTorch's default of a thread a core, every one of
    them waits for the slowest thread, which on a busy machine makes decoding 10–100 times slower.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with without_denormals():
            yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def without_denormals() -> Iterator[None]:
    """Run the block, or the function that this decorates, with numbers below 1e-38 taken as zero.

    A trained model is sure of most tokens, and the gradients of what it rules out are such numbers. Some processors
    take a hundred times as long over each, which makes a trained model's steps five times slower than a fresh one's.
    """
    before = flushes_denormals()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def flushes_denormals() -> bool:
    """Whether this thread takes numbers too small for a normal float as zero."""
    smallest = torch.tensor(torch.finfo(torch.float32).tiny)
    return (smallest / 2).item() == 0
