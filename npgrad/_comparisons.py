"""Whether code of the user's may tell a class from what stands for it, which is equal to it but not the same.

All code that the user's modules hold is asked as far as names lead to it from what runs: once, and again when a module
holds other functions or classes, as after a cell of a notebook.
"""

from __future__ import annotations

import functools
import sys
import types
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from ._bare_looks import has_odd_class
from ._creators import INEXACT_TYPES
from ._leaks import is_users_code
from ._mentions import held_functions
from ._uses import may_compare

_WORDS = frozenset([name for name, value in list(vars(np).items()) if isinstance(value, type) and value in INEXACT_TYPES])


# Answers that are kept: those of programs that make code without end are made again.
_MOST_KEPT = 256


def frames() -> Iterator[types.FrameType]:
    """What runs here, innermost first."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def codes_of(names: dict[str, Any]) -> list[types.CodeType]:
    """The code of the functions and methods that a module holds, and of what runs of it."""
    found = {frame.f_code for frame in frames() if frame.f_globals is names}
    seen: dict[int, Any] = {}
    todo = list(names.values())
    while todo:
        value = todo.pop()
        kind = type(value)
        if kind is types.ModuleType or id(value) in seen or has_odd_class(value):
            continue
        seen[id(value)] = value
        if kind is types.FunctionType:
            if value.__globals__ is names:
                found.add(value.__code__)
            todo += held_functions(value)
        elif issubclass(kind, type):
            if value.__module__ == names.get("__name__"):
                todo += vars(value).values()
        elif kind is property:
            todo += [value.fget, value.fset, value.fdel]
        elif kind is staticmethod or kind is classmethod or kind is types.MethodType:
            todo.append(value.__func__)
        elif kind is functools.partial:
            todo.append(value.func)
        elif kind is dict or kind is list or kind is tuple:
            todo += [item for item in (value.values() if kind is dict else value) if type(item) is types.FunctionType]
        elif is_users_code(kind.__module__) or hasattr(kind, "__wrapped__") or kind is functools._lru_cache_wrapper:
            todo += held_functions(value)
    return list(found)


def _is_users(names: dict[str, Any]) -> bool:
    return is_users_code(names.get("__name__"), names.get("__file__") or "")


def _neighbours(names: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The modules of the user's that something in a module is of, or is."""
    for value in list(names.values()):
        kind = type(value)
        if kind is types.FunctionType:
            found = value.__globals__
        else:
            of = value if issubclass(kind, type) else kind
            module = value if kind is types.ModuleType else sys.modules.get(str(of.__module__))
            found = getattr(module, "__dict__", {})
        if found is not names and _is_users(found):
            yield found


class Comparisons:
    """Whether any code of the user's that may run here may compare classes of numbers by ``is``: in the modules of what runs
    and in all to which names lead from these."""

    def __init__(self) -> None:
        self._answers: dict[int, tuple[dict, bool]] = {}
        # To be called when something else runs.
        self.forget = self._answers.clear
        # What modules define, for those who have just looked: see `tell`.
        self._told: dict[int, list] = {}
        # What asks, and what runs -> the answer, and the modules that it was found in with what they defined then.
        self._kept: dict[tuple, tuple[bool, list[tuple[dict, list]]]] = {}
        # module -> what it defined when it was looked through; what was found, and where its names lead.
        self._known = weakref.WeakKeyDictionary[types.ModuleType, tuple[list, tuple[bool, list]]]()

    def __call__(self, names: dict[str, Any]) -> bool:
        """Whether what comes out of a module may be compared, which of other modules than the user's nobody knows."""
        known = self._answers.get(id(names))
        if known is None:
            known = self._answers[id(names)] = names, self._look(names)
        return known[1]

    def tell(self, names: dict[str, Any], now: list) -> None:
        """What a module defines, to be believed until `believe_nothing`: to look costs more than all that is asked of it."""
        self._told[id(names)] = now

    def believe_nothing(self) -> None:
        self._told.clear()

    def _defined(self, names: dict[str, Any]) -> list:
        told = self._told.get(id(names))
        return defined(names) if told is None else told

    def _look(self, names: dict[str, Any]) -> bool:
        if not _is_users(names):
            return True
        key = (id(names), *[(frame.f_code, id(frame.f_globals)) for frame in frames()])
        answer, modules = self._kept.get(key, (False, []))
        if not modules or any(self._defined(module) != before for module, before in modules):
            if len(self._kept) > _MOST_KEPT:
                self._kept.clear()
            answer, searched = self._search(names)
            self._kept[key] = answer, [(module, self._defined(module)) for module in searched]
        return answer

    def _search(self, names: dict[str, Any]) -> tuple[bool, list[dict]]:
        todo, seen = [names], {}
        for frame in frames():
            if is_users_code(frame.f_globals.get("__name__"), frame.f_code.co_filename):
                if _compares(frame.f_code, frame.f_globals):
                    return True, [frame.f_globals]
                todo.append(frame.f_globals)
        while todo:
            names = todo.pop()
            if id(names) not in seen:
                seen[id(names)] = names
                compares, following = self._in(names)
                if compares:
                    return True, list(seen.values())
                todo += following
        return False, list(seen.values())

    def _in(self, names: dict[str, Any]) -> tuple[bool, list]:
        module = sys.modules.get(str(names.get("__name__")))
        if module is None or vars(module) is not names:
            return _looked_through(names)
        before, found = self._known.get(module, (None, (False, [])))
        if before != (now := self._defined(names)):
            found = _looked_through(names)
            self._known[module] = now, found
        return found


def defined(names: dict[str, Any]) -> list:
    """The modules that a module holds, and the functions and classes of the user's; data may change with each call, and what
    stands for NumPy's functions comes and goes."""
    found: list[Any] = []
    for value in names.values():
        kind = type(value)
        if kind is types.FunctionType:
            of = value.__globals__
            if of is names or _is_users(of):
                found.append(value)
        elif issubclass(kind, types.ModuleType) or (issubclass(kind, type) and is_users_code(value.__module__)):
            found.append(value)
    return found


def _looked_through(names: dict[str, Any]) -> tuple[bool, list]:
    return any(_compares(code, names) for code in codes_of(names)), list(_neighbours(names))


def _compares(code: types.CodeType, names: dict[str, Any]) -> bool:
    return may_compare(code, names, INEXACT_TYPES, _WORDS)


compared = Comparisons()
