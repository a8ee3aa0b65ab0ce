"""What stands for ufuncs while a tape records.

A ufunc asks its arguments for their hook, but not what is inside a list: it copies the memory of arrays there, unseen.
Traced arrays themselves are handed to the recorded call at once, which saves NumPy's search for hooks.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy import ndarray

from ._callers import of_plain_data
from ._elementwise import ACCEPTED, plain_calls
from ._handed_out import NO_OBJECTS, handed_out
from ._made_once import made_once
from ._moves import assemble
from ._own_answers import answers_ufuncs, handed_back
from ._record import recording
from ._traced import SeenArray, TracedArray, adopt, traced_leaves


def followed(value: Any) -> Any:
    """The array that NumPy makes of an object or a list with traced arrays inside."""
    value = handed_out(value)
    return assemble(value) if type(value) in (list, tuple) and traced_leaves(value) else value


# What a ufunc takes as it is. What it makes of arrays that are seen is made for the form's caller.
_TAKEN = NO_OBJECTS - {SeenArray}
_OPERANDS = ACCEPTED - {SeenArray}


class _Missing:
    """An argument that was not given."""


_MISSING = _Missing()


def _called(function: Callable, args: tuple, keywords: dict) -> Any:
    """A call in which traced arrays in lists are seen, and whose new arrays are traced, as those of other functions are."""
    kinds = set(map(type, args))
    if _Missing in kinds:
        return function(*[a for a in args if a is not _MISSING], **keywords)  # NumPy's own error
    if kinds <= _TAKEN or not recording():
        return function(*args, **keywords)
    if any(map(answers_ufuncs, args)):
        return function(*args, **keywords)  # NumPy asks it
    made = handed_back(function, args, keywords, function(*map(followed, args), **keywords))
    given = (*args, *keywords.values())
    if not isinstance(made, (ndarray, tuple)) or any(made is a for a in given):
        return made
    return of_plain_data(made, given, sys._getframe(2), keeps_integers=False)


_DOC = property(lambda form: form.__wrapped__.__doc__)


# A ufunc in place: equal to the ufunc, an instance of its class to whoever asks, and with all its attributes.
class UfuncForm:
    __doc__: Any = _DOC
    __slots__ = ("__wrapped__",)

    def __init__(self, ufunc: np.ufunc) -> None:
        self.__wrapped__ = ufunc

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        return _called(self.__wrapped__, args, keywords)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return np.ufunc

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __eq__(self, other: Any) -> Any:
        return self.__wrapped__ == getattr(other, "__wrapped__", other)

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __reduce__(self) -> Any:
        return copy.copy, (self.__wrapped__,)  # which is the ufunc itself

    def reduce(self, array: Any, *args: Any, **keywords: Any) -> Any:
        is_taken = isinstance(array, TracedArray) or answers_ufuncs(array)
        if "initial" in keywords and traced_leaves(keywords["initial"]) and not is_taken:
            made = followed(array)
            array = made if isinstance(made, TracedArray) else adopt(np.array(made))
        return _called(self.__wrapped__.reduce, (array, *args), keywords)

    def accumulate(self, *args: Any, **keywords: Any) -> Any:
        return _called(self.__wrapped__.accumulate, args, keywords)

    def reduceat(self, *args: Any, **keywords: Any) -> Any:
        return _called(self.__wrapped__.reduceat, args, keywords)

    def outer(self, *args: Any, **keywords: Any) -> Any:
        return _called(self.__wrapped__.outer, args, keywords)

    def at(self, *args: Any) -> Any:  # an operand may have an answer of its own
        return _called(self.__wrapped__.at, args, {})


class _OfOne(UfuncForm):
    __doc__ = _DOC
    __slots__ = ()

    def __call__(self, x: Any = _MISSING, /, *args: Any, **keywords: Any) -> Any:
        kind = type(x)
        if kind is TracedArray:
            if not args and not keywords and (call := plain_calls.get(self.__wrapped__)) is not None:
                return call(x)
        elif kind not in _OPERANDS:
            return _called(self.__wrapped__, (x, *args), keywords)
        return self.__wrapped__(x, *args, **keywords)


class _OfTwo(UfuncForm):
    __doc__ = _DOC
    __slots__ = ()

    def __call__(self, x: Any = _MISSING, y: Any = _MISSING, /, *args: Any, **keywords: Any) -> Any:
        first, second = type(x), type(y)
        if (first is not TracedArray and first not in _OPERANDS) or (second is not TracedArray and second not in _OPERANDS):
            return _called(self.__wrapped__, (x, y, *args), keywords)
        if (first is TracedArray or second is TracedArray) and not args and not keywords:
            call = plain_calls.get(self.__wrapped__)
            if call is not None:
                return call(x, y)
        return self.__wrapped__(x, y, *args, **keywords)


_KINDS = {1: _OfOne, 2: _OfTwo}


@made_once
def ufunc_form(ufunc: np.ufunc) -> UfuncForm:
    return _KINDS.get(ufunc.nin, UfuncForm)(ufunc)


def ufunc_forms(module: ModuleType) -> dict[Any, Callable]:
    return {value: ufunc_form(value) for value in list(vars(module).values()) if type(value) is np.ufunc}
