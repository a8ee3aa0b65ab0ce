"""Methods that are put into classes of the user's, whose arrays are made while a tape records, and taken away with the last
tape."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

# Python 3.13 goes on calling the former ``__setitem__`` of a class that has been changed a thousand times. There these stay
# once a tape has put them into a class of the user's; without a tape they do nothing but call what was there.
_STAYING = {"__setitem__", "__setattr__"} if sys.version_info >= (3, 13) else set()
# Of classes of the user's whose arrays are made while a tape records: what they have for a method that is put in its place.
_users_methods: dict[tuple[type, str], Callable | None] = {}


def put_method(cls: type, name: str, form: Callable[[type, str], Any]) -> None:
    """Make what stands for a method of a class of the user's as long as a tape records."""
    if (cls, name) not in _users_methods and not getattr(vars(cls).get(name), "stays", False):
        original, method = vars(cls).get(name), form(cls, name)
        if name in _STAYING:
            method.stays = True  # type: ignore[attr-defined]
        else:
            _users_methods[cls, name] = original
        setattr(cls, name, method)


def put_back_methods() -> None:
    for (cls, name), method in _users_methods.items():
        if method is not None:
            setattr(cls, name, method)
        elif name in vars(cls):
            delattr(cls, name)
    _users_methods.clear()
