"""Memory of large arrays, kept from one tape for the next.

A tape keeps the arrays that its rules need, so each large result lies in fresh memory, and to touch fresh memory for the
first time costs several times as much as a product. When a record is freed, large arrays to which nobody else refers are
kept here instead of being given back, and elementwise results of a later tape are computed in them. At most `MAX_BYTES` are
kept, only until the next record with large arrays is freed, and only arrays of double precision in C order.

Sweeps compute in memory to which nobody else refers; that a variable is the only reference is seen by Python's count.
"""

from __future__ import annotations

import weakref
from sys import getrefcount
from typing import Any

import numpy as np
from numpy import ndarray

# Results of more bytes are worth it; below, memory is found in the processor's cache.
FROM_BYTES = 1 << 15
MAX_BYTES = 1 << 28

_FLOAT64 = np.dtype(np.float64)

# Free arrays by their shape. Empty for programs with small arrays, which is all that these ask.
free: dict[tuple[int, ...], list[ndarray]] = {}


def _references() -> int:
    """What `getrefcount` says of an array that only a list and a loop over it know."""
    return [getrefcount(array) for array in [np.empty(0)]][0]  # noqa: RUF015 (as below)


_ONLY_LISTED = _references()


def give_back(arrays: list[Any]) -> None:
    """Keep those of the arrays to which nobody else refers, in place of what was kept before."""
    found: dict[tuple[int, ...], list[ndarray]] = {}
    left = MAX_BYTES
    for array in arrays:
        if getrefcount(array) <= _ONLY_LISTED and type(array) is ndarray and _is_usual(array) and array.nbytes <= left:
            left -= array.nbytes
            found.setdefault(array.shape, []).append(array)
    free.clear()
    free.update(found)


def _is_usual(array: ndarray) -> bool:
    owns = array.base is None and array.flags.owndata and array.flags.carray  # other memory is not ours to keep
    return owns and array.dtype is _FLOAT64 and not weakref.getweakrefcount(array)


def computed(ufunc: Any, x: Any, y: Any = None) -> ndarray | None:
    """``ufunc(x)`` or ``ufunc(x, y)`` in free memory, None if there is none for it."""
    if type(x) is not ndarray or x.nbytes <= FROM_BYTES or x.dtype is not _FLOAT64 or not x.flags.c_contiguous:
        return None
    if type(y) is ndarray and (y.dtype is not _FLOAT64 or y.shape != x.shape or not y.flags.c_contiguous):
        return None
    if y is not None and type(y) is not ndarray and type(y) is not float:
        return None
    try:
        memory = free[x.shape].pop()
    except (KeyError, IndexError):
        return None
    return ufunc(x, memory) if y is None else ufunc(x, y, memory)


def fits(array: Any, other: Any) -> bool:
    """Whether the result of an array with another operand fits into the array, if nobody refers to it, neither to its
    memory."""
    if type(array) is not ndarray or array.base is not None or not array.flags.writeable:
        return False
    if not isinstance(other, (ndarray, np.generic)):  # a number of Python's takes the dtype of the array
        return type(other) is not complex or array.dtype.kind == "c"
    return array.dtype == other.dtype and array.shape[array.ndim - other.ndim :] == other.shape


def _held() -> tuple[int, int]:
    """What `getrefcount` says of an array to which one variable refers, and of one that was handed on to a function."""

    def counted(array: ndarray) -> int:
        return getrefcount(array)

    array = np.empty(0)
    return getrefcount(array), counted(array)


HELD_ONCE, HELD_BY_TWO = _held()
