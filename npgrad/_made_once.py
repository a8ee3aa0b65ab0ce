"""What stands for something, made when it is first asked for: one for all who ask.

`functools.cache` gives two threads that ask at the same time two objects, and keeps the second; where a program has the
first one, nobody would know it any more.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from typing import TypeVar

_Made = TypeVar("_Made")


def made_once(make: Callable[..., _Made]) -> Callable[..., _Made]:
    """Declare what makes one object, never None, for each tuple of arguments."""
    known: dict[tuple[Hashable, ...], _Made] = {}

    @functools.wraps(make)
    def made(*args: Hashable) -> _Made:
        found = known.get(args)
        return known.setdefault(args, make(*args)) if found is None else found

    return made
