"""Forks of a process that uses tapes in several threads.

The child has the forking thread only. What the others were doing must be finished before, or its locks would stay locked in
the child for ever; and what they had in place is taken away there.
"""

from __future__ import annotations

import os
from typing import Any

from . import _collector, _instrument, _libraries, _namespace, _record
from ._bound_names import in_place
from ._record import opened

# In the order in which they are taken one inside the other.
_LOCKS: tuple[Any, ...] = (
    _instrument.lock, in_place.lock, _namespace.lock, _libraries.lock, _record.lock, _collector.lock
)  # fmt: skip


def _before() -> None:
    for lock in _LOCKS:
        lock.acquire()


def _after() -> None:
    for lock in reversed(_LOCKS):
        lock.release()


def _after_in_child() -> None:
    _after()
    in_place.forget_others({id(record) for record in opened()})


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after_in_child)
