"""Python's cyclic garbage collector while there is a record.

A record has no cycles (a test proves it), but it is many small objects, and the collector would go over all of them each
time their number has grown by a quarter: as much work as recording itself. So as long as a record lives, the collector
looks at new objects less often. It still runs; the user's thresholds are put back when the last record is freed (by the
gradient of a tape that is not persistent, or with the tape), unless he has changed them meanwhile, and a collector that he
has switched off stays off.
"""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Iterator

# Collect after so many new objects; NumPy arrays are none in this sense.
_THRESHOLD = 50_000

lock = threading.RLock()  # a record may be freed anywhere, here too
_records = 0
_users: tuple[int, int, int] | None = None
_ours: tuple[int, int, int] | None = None


def enter() -> None:
    """A record is made."""
    global _records, _users, _ours
    with lock:
        _records += 1
        if _records == 1:
            _users = gc.get_threshold()
            if 0 < _users[0] < _THRESHOLD:
                gc.set_threshold(_THRESHOLD, *_users[1:])
            _ours = gc.get_threshold()


@contextlib.contextmanager
def seldom() -> Iterator[None]:
    """A search makes many objects, too, that it keeps until its end."""
    enter()
    try:
        yield
    finally:
        leave()


def records_live() -> bool:
    """Whether there is a record anywhere in the process."""
    return _records > 0


def leave() -> None:
    """A record is freed."""
    global _records
    with lock:
        _records -= 1
        if _records == 0 and _users is not None and gc.get_threshold() == _ours:
            gc.set_threshold(*_users)
