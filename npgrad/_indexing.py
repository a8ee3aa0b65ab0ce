"""Entry points: reading and writing by index, iteration."""

from __future__ import annotations

import functools
import opcode
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from ._flat import Flat
from ._handed_out import NO_OBJECTS, handed_out
from ._moves import assemble, copied, gather, move, read_element, write
from ._objects import ObjectArray
from ._traced import SeenArray, TracedArray, again, entry_point, index_view, same_memory, short_entry_point, unwrap, view_of

_BASIC = {int, slice, type(None), types.EllipsisType, *{np.dtype(code).type for code in np.typecodes["AllInteger"]}}


def _is_basic(key: Any) -> bool:
    kind = type(key)
    if kind is tuple:
        for part in key:  # noqa: SIM110 (a generator would cost more than the loop)
            if type(part) not in _BASIC:
                return False
        return True
    return kind in _BASIC


def _plain_key(key: Any) -> Any:
    if isinstance(key, TracedArray):
        return key._bare
    if type(key) is tuple:
        return tuple([_plain_key(k) for k in key])
    if type(key) is SeenArray:
        return key.view(ndarray)
    return key


@short_entry_point
def __getitem__(self: TracedArray, key: Any) -> Any:
    try:
        bare = self._bare
    except AttributeError:
        return again(__getitem__, self, key)
    kind = type(key)
    if kind is int or kind is slice or _is_basic(key):
        r = bare[key]
        if type(r) is ndarray:
            if type(bare) is ndarray:
                return index_view(self, r, key)
            return move(self, r)  # a NumPy scalar indexed with None: a new array
        if type(bare) is not ndarray:
            return self  # a NumPy scalar indexed with () or an ellipsis
        return read_element(self, key, r)
    key = _plain_key(key)
    r = bare[key]
    if not isinstance(r, ndarray):
        return read_element(self, _exact_key(key), r) if isinstance(r, np.generic) else r
    if type(bare) is not ndarray:
        return move(self, r)
    if same_memory(r, self):
        return view_of(self, r)
    return gather(self, key, r)


def _exact_key(key: Any) -> Any:
    if type(key) is tuple:
        return tuple([_exact_key(k) for k in key])
    if isinstance(key, bool | np.bool_):
        return key
    return key.__index__() if isinstance(key, ndarray) and key.dtype.kind in "iu" and not key.ndim else key


@short_entry_point
def __setitem__(self: TracedArray, key: Any, value: Any) -> None:
    try:
        if type(value) not in NO_OBJECTS:
            value = handed_out(value)
            if type(value) is list or type(value) is tuple:
                value = assemble(value)
            elif type(value) is ObjectArray:
                value = value.astype(self.dtype)
        if type(self._bare) is not ndarray:
            raise TypeError(f"'numpy.{type(self._bare).__name__}' object does not support item assignment")
        kind = type(key)
        if kind is int or kind is slice or _is_basic(key):
            write(self, key, value, True)
        else:
            write(self, _plain_key(key), value, False)
    except AttributeError:
        again(__setitem__, self, key, value)


def _iterated(self: TracedArray) -> Iterator:
    if not self._bare.ndim:
        if type(self._bare) is ndarray:
            raise TypeError("iteration over a 0-d array")
        raise TypeError(f"'numpy.{type(self._bare).__name__}' object is not iterable")
    return (self[i] for i in range(len(self._bare)))


_LOAD_CONST, _GET_LEN = opcode.opmap["LOAD_CONST"], opcode.opmap["GET_LEN"]


class _Iteration:
    """An element has no ``__iter__``, as NumPy's scalars have none, for ``hasattr(x, "__iter__")``. For ``iter(x)`` it must
    have one: Python would try indices in its place, and find an empty sequence."""

    def __get__(self, traced: Any, owner: Any = None) -> Any:
        if traced is None:
            return ndarray.__iter__
        if type(unwrap(traced)) is not ndarray and _is_named(sys._getframe(1), "__iter__"):
            raise AttributeError("an element of an array has no attribute '__iter__'")
        return functools.partial(_iterated, traced)


def _is_named(frame: types.FrameType, name: str) -> bool:
    """Whether the name is among the last arguments of the call that a frame is making."""
    code = frame.f_code
    before = code.co_code[max(frame.f_lasti - 10, 0) : frame.f_lasti]
    pairs = zip(before[::2], before[1::2], strict=True)
    return any(op == _LOAD_CONST and code.co_consts[place] == name for op, place in pairs)


TracedArray.__iter__ = _Iteration()  # type: ignore[method-assign, assignment]


@entry_point
def __contains__(self: TracedArray, item: Any) -> bool:
    return unwrap(item) in self._bare


class _NoLength(TypeError, AttributeError):
    """To ``len(x)`` the one, by whose name it is shown, to ``hasattr(x, "__len__")`` the other."""

    __module__ = "builtins"


_NoLength.__name__ = _NoLength.__qualname__ = "TypeError"


class _Length:
    """What an element of an array does not have, as NumPy's scalars do not: programs tell numbers from arrays by it."""

    def __get__(self, traced: Any, owner: Any = None) -> Any:
        if traced is None:
            return ndarray.__len__
        bare = unwrap(traced)
        if type(bare) is ndarray:
            return bare.__len__
        frame = sys._getframe(1)
        if frame.f_code.co_code[frame.f_lasti] == _GET_LEN:
            # `case [a, b]:` asks what is of a class of sequences, as arrays are since NumPy 2.5: of no pattern's length.
            return lambda: sys.maxsize
        raise _NoLength(f"object of type 'numpy.{type(bare).__name__}' has no len()")


TracedArray.__len__ = _Length()  # type: ignore[method-assign, assignment]


@entry_point
def __delitem__(self: TracedArray, key: Any) -> None:
    raise ValueError("cannot delete array elements")


def _get_flat(self: TracedArray) -> Flat:
    return Flat(self)


def _set_flat(self: TracedArray, value: Any) -> None:
    if isinstance(value, TracedArray) and self._bare.flags.f_contiguous and not value._bare.flags.f_contiguous:
        value = copied(value)  # as NumPy does, so that elements are not read after they were written
    Flat(self)[:] = value


TracedArray.flat = property(_get_flat, _set_flat)  # type: ignore[assignment,method-assign]

