"""What is in place while at least one tape of the process records, and taken away when the last one stops."""

from __future__ import annotations

import threading
from collections.abc import Callable


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

    def enter(self, tape: object) -> None:
        with self.lock:
            first = not self.tapes
            self.tapes.add(id(tape))
            if first:
                self._put()

    def leave(self, tape: object) -> None:
        with self.lock:
            if self.tapes <= {id(tape)}:
                self._take_away()
            self.tapes.discard(id(tape))

    def forget_others(self, tapes: set[int]) -> None:
        """In a process that was forked: the tapes of other threads are not there."""
        with self.lock:
            if self.tapes and not self.tapes & tapes:
                self._take_away()
            self.tapes &= tapes
