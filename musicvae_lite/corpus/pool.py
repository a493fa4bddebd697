"""One function over many files in several processes, none of which can hold up or take down the others.

A process that works on one file for too long is ended and one that dies is replaced; either way only that file is lost,
and the rest of what it had been given goes to another. Processes are spawned, not forked: the caller may have threads.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from musicvae_lite.errors import MusicVAEError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

A = TypeVar("A")
R = TypeVar("R")

CHUNK = 32  # files handed over at once
FILES_A_PROCESS = 300  # a process takes about as long to start as this many files take to read
START_SECONDS = 60.0
READY = "ready"


class Lost(NamedTuple):
    """What comes instead of a result where a process was ended or died."""

    reason: str


def processes(files: int) -> int:
    """How many processes are worth starting: at most one for each core that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, 1 + files // FILES_A_PROCESS))


def each(
    function: Callable[[A], R], items: Sequence[A], seconds: float, workers: int
) -> Generator[tuple[int, R | Lost], None, None]:
    """(index, result) of every item, in any order; `Lost` where one took over `seconds` or killed its process.

    `function` is importable by name, and takes and gives what can be pickled.
    """
    from multiprocessing.connection import wait

    todo = deque(range(len(items)))
    crew = [_Worker(function) for _ in range(workers)]
    try:
        while todo or any(worker.given for worker in crew):
            for worker in crew:
                if todo and not worker.given:
                    worker.give([todo.popleft() for _ in range(min(CHUNK, len(todo)))], items)
            heard = set(wait([worker.connection for worker in crew if worker.given], timeout=0.5))
            for place, worker in enumerate(crew):
                for index, result in worker.results(seconds, worker.connection in heard):
                    yield index, result
                    if isinstance(result, Lost):
                        todo.extendleft(reversed(worker.given))
                        worker.stop()
                        crew[place] = _Worker(function)
    finally:
        for worker in crew:
            worker.stop()


class _Worker(Generic[A, R]):
    """One process, the indices it was given and has not answered yet, and when it was last heard."""

    def __init__(self, function: Callable[[A], R]) -> None:
        import multiprocessing

        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, function), daemon=True)
        self.process.start()
        theirs.close()
        self.given: deque[int] = deque()
        self.heard = time.monotonic()
        self.ready = False

    def give(self, indices: list[int], items: Sequence[A]) -> None:
        self.given.extend(indices)
        self.heard = time.monotonic()
        with contextlib.suppress(OSError):  # a process that died meanwhile is noticed when it is heard
            self.connection.send([items[index] for index in indices])

    def results(self, seconds: float, spoke: bool) -> Iterator[tuple[int, R | Lost]]:
        """What there is to hear; after a `Lost` the process is of no more use."""
        if spoke:
            yield from self._receive()
        elif self.given and time.monotonic() - self.heard > (seconds if self.ready else START_SECONDS):
            yield self.given.popleft(), self._lost(f"took over {seconds:.0f} s")

    def _receive(self) -> Iterator[tuple[int, R | Lost]]:
        while self.given and self.connection.poll():
            try:
                message = self.connection.recv()
            except (EOFError, OSError):
                yield self.given.popleft(), self._lost("crashed the reader")
                return
            self.heard = time.monotonic()
            if self.ready:
                yield self.given.popleft(), message
            self.ready = True

    def _lost(self, reason: str) -> Lost:
        if not self.ready:
            raise MusicVAEError(
                "no process could be started to read the files: in a script of your own, put the calls "
                'under `if __name__ == "__main__":`'
            )
        return Lost(reason)

    def stop(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.join()


def _work(connection: Connection, function: Callable[[A], R]) -> None:
    """Answer every chunk item by item, until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle: it ends us
    try:
        connection.send(READY)
        while True:
            for item in connection.recv():
                connection.send(function(item))
    except (EOFError, OSError):
        return
