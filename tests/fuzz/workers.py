"""Chunks of work in forked processes: one that crashes or hangs (compiled code does) costs one program, not the run."""

from __future__ import annotations

import mmap
import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

CHUNK = 2500  # of which each compiles anew what JAX runs
PATIENCE = 240.0


class _Worker:
    def __init__(self, work: Callable, first: int, last: int) -> None:
        self.first, self.last = first, last
        self.reached = mmap.mmap(-1, 8)
        self.seen, self.since = -1, time.monotonic()
        reader, writer = os.pipe()
        self.process = os.fork()
        if not self.process:
            os.close(reader)
            with os.fdopen(writer, "wb") as pipe:
                pickle.dump(work(first, last, self._tell), pipe)
            os._exit(0)
        os.close(writer)
        self.pipe = reader

    def _tell(self, number: int) -> None:
        self.reached[:8] = number.to_bytes(8, "little")

    @property
    def number(self) -> int:
        return max(self.first, int.from_bytes(self.reached[:8], "little"))

    def watch(self) -> None:
        """End it if it has been at one program for too long."""
        if self.number != self.seen:
            self.seen, self.since = self.number, time.monotonic()
        elif time.monotonic() - self.since > PATIENCE:
            os.kill(self.process, signal.SIGKILL)

    def ended(self) -> bool:
        return os.waitpid(self.process, os.WNOHANG)[0] != 0

    def result(self) -> Any:
        with os.fdopen(self.pipe, "rb") as pipe:
            data = pipe.read()
        return pickle.loads(data) if data else None


def in_chunks(work: Callable[[int, int, Callable], Any], first: int, last: int, jobs: int) -> Iterator[tuple[Any, int]]:
    """``work(first, last, tell)`` over all chunks: (result, last) of each, or (None, number) where a process died at a number."""
    todo = [(a, min(a + CHUNK, last)) for a in range(first, last, CHUNK)][::-1]
    running: list[_Worker] = []
    while todo or running:
        while todo and len(running) < jobs:
            running.append(_Worker(work, *todo.pop()))
        time.sleep(0.05)
        for worker in list(running):
            worker.watch()
            if not worker.ended():
                continue
            running.remove(worker)
            result = worker.result()
            if result is not None:
                yield result, worker.last
                continue
            died = worker.number
            yield None, died
            # What came before it in the chunk is done again, for its counts were lost.
            todo += [(a, b) for a, b in ((died + 1, worker.last), (worker.first, died)) if a < b]
