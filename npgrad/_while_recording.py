"""What is in place while at least one tape of the process records, and taken away when the last one stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

# Seconds; after so many of them a thread blocks on the lock.
_PAUSE, _MOST_PAUSES = 5e-4, 200


def insist(step: Callable, *args: Any) -> None:
    """Do a step that may be repeated; once more, if it was interrupted."""
    try:
        step(*args)
    except BaseException:
        step(*args)
        raise


class WhileRecording:
    """Something that the first tape puts and the last one takes away.

    Both may be interrupted anywhere. Taking away comes first and forgetting the tape afterwards, and both may be
    repeated: an interrupted `leave` is called again, and after an interrupted `enter` it undoes what was done of it.
    """

    def __init__(self, put: Callable[[], None], take_away: Callable[[], None]) -> None:
        self._put = put
        self._take_away = take_away
        self.lock = threading.RLock()  # a signal's handler may use tapes too
        self.tapes: set[int] = set()
        self._holder: int | None = None  # the thread that puts or takes away
        self._thread: int | None = None  # the one that has put it last

    def enter(self, tape: object) -> None:
        if self._holder is not None:
            self._wait()
        with self.lock:
            first = not self.tapes
            self.tapes.add(id(tape))
            if first or threading.get_ident() != self._thread:  # what a thread has bound since another one put this
                self._thread = threading.get_ident()
                self._hold(self._put)

    def leave(self, tape: object) -> None:
        if self._holder is not None:
            self._wait()
        with self.lock:
            if self.tapes <= {id(tape)}:
                self._hold(self._take_away)
            self.tapes.discard(id(tape))

    def _hold(self, step: Callable[[], None]) -> None:
        self._holder = threading.get_ident()
        try:
            step()
        finally:
            self._holder = None

    def put_again(self) -> None:
        """Put it also where there is something new."""
        with self.lock:
            if self.tapes:
                self._put()

    def while_idle(self, step: Callable[[], None]) -> bool:
        """Do a step while no tape of the process records; leave it out if one does. Whether it was done."""
        with self.lock:
            if self.tapes:
                return False
            step()
            return True

    def _wait(self) -> None:
        """Wait without the lock. A thread that blocks on it is given it before it has the interpreter, for which it then
        waits while all others wait for the lock: beside threads that compute, each tape would take many times as long."""
        pauses = 0
        while self._holder not in (None, threading.get_ident()) and pauses < _MOST_PAUSES:
            time.sleep(_PAUSE)
            pauses += 1

    def forget_others(self, tapes: set[int]) -> None:
        """In a process that was forked: the tapes of other threads are not there."""
        with self.lock:
            if self.tapes and not self.tapes & tapes:
                self._take_away()
            self.tapes &= tapes
