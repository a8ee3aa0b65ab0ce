"""Objects of the user's that have an answer of their own to NumPy's calls: NumPy asks them, and so does a tape.

Three protocols ask an object. ``__array_ufunc__`` and ``__array_function__`` hand it the whole call, and ``__array_wrap__``
the result: NumPy itself says to whom it hands which result, in a second call on plain data with a `_Standing` in the place
of each object.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._handed_out import NO_OBJECTS
from ._traced import unwrap


def _has(value: Any, name: str) -> bool:
    kind = type(value)
    return kind not in NO_OBJECTS and hasattr(kind, name) and not isinstance(value, (ndarray, np.generic))


def answers_ufuncs(value: Any) -> bool:
    """Whether an object takes calls of ufuncs over, or wants to be no part of any (None)."""
    return _has(value, "__array_ufunc__")


def answers_functions(value: Any) -> bool:
    return _has(value, "__array_function__")


def wraps(value: Any) -> bool:
    return _has(value, "__array_wrap__") and type(value) is not _Standing


class _Standing:
    """In the place of an object that gives a traced array: with its data, and what NumPy asks for to hand it a result."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        if hasattr(owner, "__array_priority__"):
            self.__array_priority__ = owner.__array_priority__

    def __array__(self, dtype: Any = None, copy: Any = None) -> ndarray:
        return np.array(unwrap(self.owner.__array__()), dtype)

    def __array_wrap__(self, made: Any, *rest: Any) -> _Handed:
        inspect.signature(self.owner.__array_wrap__).bind(made, *rest)  # else NumPy warns and tries again with less
        return _Handed(self.owner, rest)


class _Handed:
    """A result that NumPy hands to an object, with what it says about it."""

    def __init__(self, owner: Any, rest: tuple) -> None:
        self.owner = owner
        self.rest = rest

    def over(self, made: Any, args: tuple) -> Any:
        context = self.rest[0] if self.rest else None
        rest = ((context[0], args, *context[2:]), *self.rest[1:]) if context is not None else self.rest
        return self.owner.__array_wrap__(made if isinstance(made, ndarray) and made.ndim else made.reshape(()), *rest)


def handed_back(function: Callable, args: tuple, kwargs: dict, made: Any) -> Any:
    """The result of a call, in the form that its arguments give it."""
    values = (*args, *kwargs.values())
    if not any(map(wraps, values)) or made is None or kwargs.get("out") is not None or any(made is v for v in values):
        return made
    with np.errstate(all="ignore"):  # it has warned
        asked = function(*map(_plain, args), **{name: _plain(value) for name, value in kwargs.items()})
    return _over(asked, made, args)


def _plain(value: Any) -> Any:
    return _Standing(value) if wraps(value) else unwrap(value)


def _over(asked: Any, made: Any, args: tuple) -> Any:
    if type(asked) is _Handed:
        return asked.over(made, args)
    if not isinstance(asked, tuple):
        return made
    parts = [_over(a, m, args) for a, m in zip(asked, made, strict=True)]
    return type(made)(*parts) if hasattr(made, "_fields") else tuple(parts)
