"""What tables, objects and classes of a module hold, in a form that can be compared from tape to tape.

To search them anew for each tape would cost more than all else that a tape does; to look at what they hold, little.
"""

from __future__ import annotations

import collections
import itertools
import operator
import types
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from ._bare_looks import filled_slots, has_odd_class, names_of
from ._leaks import is_users_code
from ._mentions import contents_of

# Tables with more entries are data; and so are what lies deeper, and what comes after so many in one name.
_LONGEST, _DEEPEST, _MOST = 64, 3, 256
_DATA: frozenset[Any] = frozenset([
    bool, int, float, complex, str, bytes, type(None), ndarray, range, slice, np.dtype, *np.sctypeDict.values(),
])  # fmt: skip
# How Python itself goes over what its own classes hold, whatever the user's class that is derived from one does.
_ITERATING: dict[Any, Any] = {
    dict: dict.values, list: list.__iter__, tuple: tuple.__iter__, set: set.__iter__, frozenset: frozenset.__iter__,
    collections.deque: collections.deque.__iter__,
}  # fmt: skip


def is_named(value: Any) -> bool:
    """Whether it is one of those for which a module is looked through: functions, classes and modules."""
    if has_odd_class(value):
        return False
    kind = type(value)
    return issubclass(kind, (types.ModuleType, type)) or (callable(value) and not is_users_code(kind.__module__))


def _is_data(value: Any) -> bool:
    return not has_odd_class(value) and type(value) in _DATA


class _OfFunction:
    """What a function has besides its code."""

    def __init__(self, function: types.FunctionType) -> None:
        self._function = function

    def __iter__(self) -> Iterator:
        function = self._function
        cells = [held for cell in function.__closure__ or () for held in contents_of(cell)]
        named = function.__kwdefaults__ or {}
        return itertools.chain(function.__defaults__ or (), named.values(), vars(function).values(), cells)


class _InSlots:
    def __init__(self, value: Any) -> None:
        self._value = value

    def __iter__(self) -> Iterator:
        return iter([held for _, held in filled_slots(self._value)])


class _InTable:
    """What an object holds that is a table of Python's by a class of the user's, used as Python itself does."""

    def __init__(self, value: Any, base: Any) -> None:
        self._value, self._base = value, base

    def __iter__(self) -> Iterator:
        values: Iterator = iter(_ITERATING[self._base](self._value))
        return values


def _views(value: Any, module: str) -> list[Iterable]:
    """Of a table, of an object of a class of the user's, and of a class or function of the module: what goes over all that
    it holds at that time. Of all else there is none."""
    if has_odd_class(value) or _is_data(value):
        return []
    kind = type(value)
    if kind is types.FunctionType:
        view = _OfFunction(value)
        return [view] if value.__module__ == module and not all(map(_is_data, view)) else []
    if issubclass(kind, type):
        return [vars(value).values()] if value.__module__ == module else []
    base = next((base for base in _ITERATING if issubclass(kind, base)), None)
    if base is not None and base.__len__(value) > _LONGEST:
        return []
    if kind is base:
        return [value.values() if kind is dict else value]
    if not is_users_code(kind.__module__) and kind is not types.SimpleNamespace:
        return []
    found: list[Iterable] = [] if base is None else [_InTable(value, base)]
    return [*found, names_of(value).values(), *([_InSlots(value)] if filled_slots(value) else [])]


def _all_views(value: Any, module: str) -> list[Iterable]:
    """The same of what it holds, too, as far as there is not too much of it."""
    found: list[Iterable] = []
    todo, left = collections.deque([(value, _DEEPEST)]), _MOST
    while todo and left > 0:
        holder, depth = todo.popleft()
        for view in _views(holder, module):
            found.append(view)
            items = list(view)  # at once: another thread may add to it
            left -= len(items)
            if depth > 1:
                todo += [(item, depth - 1) for item in items if not _is_data(item) and not issubclass(type(item), type)]
    return found


def holds_named(value: Any, names: dict[str, Any]) -> bool:
    """Whether there is a function, a class or a module in what a module with these names holds."""
    return any(is_named(held) for view in _all_views(value, names.get("__name__") or "") for held in list(view))


class HeldValues:
    """What is held by what a module has by its names, as it was at the last look."""

    __slots__ = ("_names", "_views", "_loose", "_ids", "_kinds", "_kept")

    def __init__(self, own: dict[str, Any]) -> None:
        module = own.get("__name__") or ""
        # Names of what holds more than data; what goes over it; and names of what holds data only, which is not kept alive.
        self._names: list[str] = []
        self._views: list[Iterable] = []
        self._loose: list[str] = []
        for name, value in list(own.items()):
            if name.startswith("__") or not _views(value, module):
                continue
            if is_named(value):
                self._views += _all_views(value, module)
            elif holds_named(value, own):
                self._names.append(name)
                self._views += _all_views(value, module)
            else:
                self._loose.append(name)
        values = self._now(own)
        self._ids, self._kinds = list(map(id, values)), list(map(type, values))
        # Alive, so that nothing else gets their identity.
        self._kept = [value for value in values if is_named(value) or holds_named(value, own)]

    def _now(self, own: dict[str, Any]) -> list:
        found = list(map(own.get, self._names))
        for view in self._views:
            found += view
        for name in self._loose:
            for view in _all_views(own.get(name), own.get("__name__") or ""):
                found += view
        return found

    def is_same(self, own: dict[str, Any]) -> bool:
        values = self._now(own)
        return list(map(id, values)) == self._ids and all(map(operator.is_, map(type, values), self._kinds))

    def has_changed(self, own: dict[str, Any]) -> bool:
        """Whether anything but data has come or gone since."""
        values = self._now(own)
        before = dict(zip(self._ids, self._kinds, strict=True))
        ids = set(map(id, values))
        come = [value for value in values if before.get(id(value)) is not type(value)]
        return any(id(value) not in ids for value in self._kept) or any(is_named(v) or holds_named(v, own) for v in come)
