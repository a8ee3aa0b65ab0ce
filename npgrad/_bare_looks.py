"""What an object is and has, found without running code of its class.

A search meets whatever a program has at module level: objects that stand for others until somebody asks them, and may raise
then; that answer to any name; that refuse to be hashed or compared. ``isinstance``, ``getattr`` and ``len`` would ask them.
"""

from __future__ import annotations

import collections
import contextlib
import types
from typing import Any


def is_a(value: Any, kinds: type | tuple[type, ...]) -> bool:
    """`isinstance`, by what the object is and not by what it says it is."""
    return issubclass(type(value), kinds)


def is_ours(value: Any) -> bool:
    """Whether an object is one of npgrad's, such as what stands for a class or a ufunc."""
    return str(type(value).__module__).startswith("npgrad.")


def names_of(value: Any) -> dict[str, Any]:
    """The ``__dict__`` of an object; an empty one for objects without, and where the class has something else for it."""
    found = [vars(base) for base in type(value).__mro__]
    if any("__dict__" in names and type(names["__dict__"]) not in _DESCRIPTORS for names in found):
        return {}
    of_c = next(get for names in found if type(get := names.get("__getattribute__")) is types.WrapperDescriptorType)
    with contextlib.suppress(AttributeError):
        names = of_c(value, "__dict__")
        return names if type(names) is dict else {}
    return {}


_DESCRIPTORS = (types.GetSetDescriptorType, types.MemberDescriptorType)


def is_hashed_by_code(value: Any) -> bool:
    """Whether to hash an object runs code in Python."""
    return type(type(value).__hash__) is types.FunctionType


def _slots(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple([name for name in names if not name.startswith("__")])


def filled_slots(value: Any) -> list[tuple[str, Any]]:
    """(name, value) of what an object has in slots."""
    found = []
    for base in type(value).__mro__:
        for name in _slots(base):
            member = vars(base).get(name)
            if type(member) is types.MemberDescriptorType:
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


def table_of(value: Any) -> Table | None:
    """The table that an object is; None for others."""
    base = next((base for base in (dict, list, collections.deque) if issubclass(type(value), base)), None)
    return None if base is None else Table(base, value)
