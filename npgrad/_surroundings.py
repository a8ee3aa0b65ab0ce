"""What a function uses besides its arguments, as it is at a call: to tell later whether it has changed.

A gradient function is called long after it was made, and a name that it shares with the program (a parameter in a module,
the variable of a loop, an attribute) may stand for something else by then: Python's closures keep variables, not values.
"""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any

from numpy import generic, ndarray

from ._handed_out import IMMUTABLE
from ._leaks import is_users_code
from ._mentions import contents_of, names_in
from ._plain_values import COPY_LIMIT, SHARED_COPY_LIMIT, fingerprint
from ._traced import TracedArray, unwrap


class Surroundings:
    """The numbers and arrays that functions and objects refer to, by the functions' names for them.

    Parameters
    ----------
    values : functions and objects
    known : arrays
        Which are looked after elsewhere.
    deep : bool
        Whether arrays, and what lists, dicts and objects hold, belong to them. If not, numbers only: a function may well
        have work arrays and keep a state.
    """

    __slots__ = ("values", "known", "deep", "marks")

    def __init__(self, values: Iterable[Any], known: Iterable[Any] = (), deep: bool = True) -> None:
        self.values, self.known, self.deep = tuple(values), tuple(known), deep
        self.marks = self._look()

    def changed(self) -> str | None:
        """The name of something that is not as it was, None if all is."""
        if not self.marks:
            return None
        now = self._look()
        return next((name for key, (name, mark) in self.marks.items() if key in now and mark != now[key][1]), None)

    def check(self, function: str) -> None:
        """Raise if something has changed."""
        name = self.changed()
        if name is not None:
            raise RuntimeError(
                f"{function} uses {name}, which has been changed since the call, and its derivative would be that of "
                "another function: pass it as an argument"
            )

    def _look(self) -> dict[Any, tuple[str, Any]]:
        found: dict[Any, tuple[str, Any]] = {}
        seen = {id(value) for value in self.known}
        for value, name, place, part in _all_parts(self.values, seen):
            kind = type(part)
            if kind in IMMUTABLE:
                found[id(value), place] = name, (kind, part if part == part else "nan")
            elif self.deep and (part is value or id(part) not in seen):
                mark = _mark(part, 2, _mentioned_by(value))
                if mark:
                    found[id(value), place] = name, mark
        return found


def _all_parts(values: Iterable[Any], seen: set[int]) -> Iterator[tuple[Any, str, Any, Any]]:
    """What `_parts` gives of values, and of the functions that they refer to; ``seen`` are left out."""
    todo = list(values)
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        for name, place, part in _parts(value):
            if type(part) in _FUNCTIONS:
                todo.append(part)
            else:
                yield value, name, place, part


def arrays_around(function: Any) -> list[TracedArray]:
    """The traced arrays that a function refers to."""
    found: list[TracedArray] = []
    for _, _, _, part in _all_parts([function], set()):
        _collect(part, 2, found)
    return found


def _collect(value: Any, depth: int, found: list[TracedArray]) -> None:
    if isinstance(value, TracedArray):
        found.append(value)
    elif depth and type(value) not in IMMUTABLE:
        for _, part in _items(value):
            _collect(part, depth - 1, found)


_FUNCTIONS = {types.FunctionType, types.MethodType, functools.partial}


def _parts(value: Any) -> Iterator[tuple[str, Any, Any]]:
    """What a function or object refers to: a name for messages, where it is, and what is there now."""
    kind = type(value)
    if kind is types.FunctionType:
        if not is_users_code(value.__globals__.get("__name__"), value.__code__.co_filename):
            return
        stored, names = _names(value.__code__)
        closure = value.__closure__ or ()
        for number, name in enumerate(value.__code__.co_freevars):
            if name not in stored and not _is_private(closure, number):
                for part in contents_of(closure[number]):
                    yield name, name, part
        if value.__defaults__ or value.__kwdefaults__:
            defaults = [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
            yield f"a default argument of {value.__name__}", "defaults", defaults
        for name in names:
            if name in value.__globals__:
                yield name, ("global", name), value.__globals__[name]
    elif kind is types.MethodType:
        yield value.__func__.__name__, "function", value.__func__
        yield f"the object of {value.__func__.__name__}", "self", value.__self__
    elif kind is functools.partial:
        yield getattr(value.func, "__name__", "partial"), "function", value.func
        yield "an argument of a partial", "arguments", [*value.args, *value.keywords.values()]
    elif not isinstance(value, ndarray):
        yield f"a {kind.__name__}", "itself", value


@functools.lru_cache(maxsize=1024)
def _names(code: types.CodeType) -> tuple[frozenset[str], tuple[str, ...]]:
    """The variables from outside that code sets, which are its own state, and the module's names that it only reads."""
    stored, read = set(), set()
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("STORE_DEREF", "STORE_GLOBAL"):
            stored.add(instruction.argval)
        elif instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            read.add(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            inner, names = _names(constant)
            stored |= inner
            read.update(names)
    return frozenset(stored), tuple(sorted(read - stored))


def _holders(closure: tuple, number: int) -> tuple[int, int]:
    """How many refer to a cell, and to what it holds."""
    return sys.getrefcount(closure[number]), sys.getrefcount(closure[number].cell_contents)


def _alone() -> tuple[int, int]:
    def made() -> types.FunctionType:
        value = object()
        return lambda: value  # type: ignore[return-value]

    return _holders(made().__closure__ or (), 0)


_ALONE = _alone()


def _is_private(closure: tuple, number: int) -> bool:
    """Whether a cell holds an array that nobody else can come by: it was computed in the call."""
    value = contents_of(closure[number])
    if not value or not isinstance(value[0], ndarray) or value[0].base is not None:
        return False
    del value
    return all(count <= alone for count, alone in zip(_holders(closure, number), _ALONE, strict=True))


def _mentioned_by(value: Any) -> frozenset[str] | None:
    """The names in a function's code, those of attributes among them; None for what is no function."""
    if type(value) is functools.partial:
        return _mentioned_by(value.func)
    function = value.__func__ if type(value) is types.MethodType else value
    return names_in(function.__code__) if type(function) is types.FunctionType else None


def _attributes(value: Any, mentioned: frozenset[str] | None) -> list[tuple[Any, Any]]:
    """The attributes that code mentions, and those that the methods mention that it mentions."""
    own = getattr(value, "__dict__", {})
    if mentioned is None:
        return list(own.items())
    names, todo = set(mentioned), list(mentioned)
    while todo:
        method = getattr(type(value), todo.pop(), None)
        method = method.fget if isinstance(method, property) else method
        if type(method) is types.FunctionType:
            new = names_in(method.__code__) - names
            names |= new
            todo += new
    return [(name, part) for name, part in own.items() if name in names]


def _mark(value: Any, depth: int, mentioned: frozenset[str] | None) -> Any:
    """What to know a value's numbers by, None for what has none. In lists and objects whole numbers do not count, for they
    often count calls."""
    kind = type(value)
    if isinstance(value, ndarray):
        return _mark_of_array(unwrap(value))
    if kind in IMMUTABLE:
        return (kind, value if value == value else "nan") if kind is float or kind is complex or kind in _INEXACT else None
    items = _items(value, mentioned) if depth else []
    marks = {key: mark for key, part in items if (mark := _mark(part, depth - 1, mentioned))}
    return _Several(marks) if marks else None


# Longer lists and dicts are not looked at, which would take too long at each call.
_MOST = 256


def _items(value: Any, mentioned: frozenset[str] | None = None) -> list[tuple[Any, Any]]:
    """What lists, dicts and objects of the user's hold, with where."""
    kind = type(value)
    if isinstance(value, (list, tuple, dict)):
        if len(value) > _MOST:
            return []
        return list(value.items() if isinstance(value, dict) else enumerate(value))
    if kind is types.SimpleNamespace or is_users_code(kind.__module__):
        return _attributes(value, mentioned)
    return []


_INEXACT = {kind for kind in IMMUTABLE if isinstance(kind, type) and issubclass(kind, generic) and kind.__name__[0] in "fcl"}


class _Several(dict):
    """Marks of several values; the same as those of more, which have come later."""

    def __ne__(self, later: object) -> bool:
        return not isinstance(later, dict) or any(later.get(key) != mark for key, mark in self.items())

    __hash__ = None  # type: ignore[assignment]


def _mark_of_array(array: Any) -> Any:
    if not isinstance(array, ndarray):
        return type(array), array.tobytes()
    if not array.flags.writeable or array.dtype.hasobject:
        return None
    if array.nbytes <= COPY_LIMIT:
        return array.shape, array.dtype.str, array.tobytes()
    if array.nbytes <= SHARED_COPY_LIMIT and array.flags.forc:
        return array.shape, array.dtype.str, tuple([part.tobytes() for part in fingerprint(array)])
    return array.shape, array.dtype.str, id(array)
