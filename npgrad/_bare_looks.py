"""What an object is and has, found without running code of its class.

A search meets whatever a program has at module level: objects that stand for others until somebody asks them, and may raise
then; that answer to any name; that refuse to be hashed or compared. ``isinstance``, ``getattr`` and ``len`` would ask them.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import types
from collections.abc import Callable
from typing import Any


def is_a(value: Any, kinds: type | tuple[type, ...]) -> bool:
    """`isinstance`, by what the object is and not by what it says it is."""
    return issubclass(type(value), kinds)


def is_ours(value: Any) -> bool:
    """Whether an object is one of npgrad's, such as what stands for a class or a ufunc."""
    return str(type(value).__module__).startswith("npgrad.")


def names_of(value: Any) -> dict[str, Any]:
    """The ``__dict__`` of an object; an empty one for objects without, and where the class has something else for it."""
    kind: Any = type(value)
    get = _getting(kind)
    if get is None:
        return {}
    try:
        names = get(value, "__dict__")
    except AttributeError:
        return {}
    return names if type(names) is dict else {}


def has_names(value: Any) -> bool:
    """Whether an object has a ``__dict__``, be it an empty one, that is C's."""
    kind: Any = type(value)
    return kind.__dictoffset__ != 0 and _getting(kind) is not None


@functools.lru_cache(1024)
def _getting(kind: Any) -> Callable | None:
    """How C looks attributes up for objects of a class; None where the class has something else than ``__dict__``."""
    found = [vars(base) for base in kind.__mro__]
    if any("__dict__" in names and type(names["__dict__"]) not in _DESCRIPTORS for names in found):
        return None
    return next(get for names in found if type(get := names.get("__getattribute__")) is types.WrapperDescriptorType)


_DESCRIPTORS = (types.GetSetDescriptorType, types.MemberDescriptorType)


def is_hashed_by_code(value: Any) -> bool:
    """Whether to hash an object runs code in Python, or cannot be done."""
    return type(type(value).__hash__) in (types.FunctionType, type(None))


def has_odd_class(value: Any) -> bool:
    """The same of the class of an object, which is for the metaclass to say."""
    return type(type(value)).__hash__ is not _HASH


_HASH = object.__hash__


# What objects of Python's classes have as others have slots.
_LIKE_SLOTS: dict[Any, str] = {collections.defaultdict: "default_factory", BaseException: "args"}


@functools.lru_cache(1024)
def _members(kind: Any) -> list[tuple[str, Any]]:
    found = []
    for base in kind.__mro__:
        slots = _LIKE_SLOTS.get(base) or vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            if not name.startswith("__") and type(member := vars(base).get(name)) in _DESCRIPTORS:
                found.append((name, member))
    return found


def filled_slots(value: Any) -> list[tuple[str, Any]]:
    """(name, value) of what an object has in slots."""
    kind: Any = type(value)
    found = []
    for name, member in _members(kind):
        with contextlib.suppress(AttributeError):
            found.append((name, member.__get__(value)))
    return found


class Table:
    """A dict, list or deque, used by what Python itself does with it, whatever the user's class does besides."""

    __slots__ = ("get", "is_mapping", "put", "size", "values")

    def __init__(self, base: Any, table: Any) -> None:
        self.is_mapping = base is dict
        names = ("__getitem__", "__setitem__", "__len__", "values" if self.is_mapping else "__iter__")
        own = [getattr(base, name).__get__(table) for name in names]
        self.get, self.put, self.size, self.values = own

    def items(self) -> list[tuple[Any, Any]]:
        return list(dict.items(self.size.__self__) if self.is_mapping else enumerate(self.values()))


_TABLES = (dict, list, collections.deque)


def table_of(value: Any) -> Table | None:
    """The table that an object is; None for others."""
    kind = type(value)
    for base in _TABLES:
        if issubclass(kind, base):
            return Table(base, value)
    return None
