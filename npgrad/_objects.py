"""Arrays of objects: NumPy computes with their elements one by one, and each traced one is followed by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from ._elements import boxed, in_double, number
from ._moves import assemble, tracked_by
from ._record import recording
from ._traced import PLAIN_CLASS, TracedArray, adopt, is_inexact, traced_leaves


class ObjectArray(ndarray):
    """An array of objects that was made while a tape records. Some of these may be traced: NumPy's ``astype`` would ask each
    for a plain number."""

    __slots__ = ()
    __class__ = PLAIN_CLASS  # type: ignore[assignment]

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        plain = self.view(ndarray)
        items = plain.tolist()
        if recording() and plain.ndim and is_inexact(np.dtype(dtype)) and traced_leaves(items):
            return assemble(items, np.dtype(dtype))
        made = plain.astype(dtype, *args, **kwargs)
        return adopt(made) if recording() else made

    def __setitem__(self, key: Any, value: Any) -> None:
        """One object is kept as it is; of an array that is written as a whole NumPy would take plain numbers."""
        if not _is_one(key, self.ndim) and recording() and traced_leaves(value):
            part = ndarray.__getitem__(self, key)
            value = items_of(value, part.ndim if np.may_share_memory(part, self) else _ALL)
        ndarray.__setitem__(self, key, value)

    def put(self, indices: Any, values: Any, mode: Any = "raise") -> None:
        ndarray.put(self, indices, items_of(values) if recording() and traced_leaves(values) else values, mode)

    def trace(  # type: ignore[override]
        self, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None
    ) -> Any:
        """NumPy's own makes a plain number of the sum."""
        return self.diagonal(offset, axis1, axis2).sum(-1, dtype, out)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(issubclass(kind, TracedArray) for kind in types):
            return NotImplemented  # the traced array beside it knows what to do
        return ndarray.__array_function__(self, func, types, args, kwargs)

    def __array_wrap__(self, made: Any, context: Any = None, return_scalar: bool = False) -> Any:
        if return_scalar or made.ndim == 0:
            return made[()]
        return made.view(ObjectArray) if made.dtype.kind == "O" else made

    def __repr__(self) -> str:
        return repr(self.view(ndarray))


def _is_one(key: Any, ndim: int) -> bool:
    """Whether an index is that of one element."""
    keys = key if type(key) is tuple else (key,)
    return len(keys) == ndim and all(isinstance(one, (int, np.integer)) and type(one) is not bool for one in keys)


_ALL = 64


def items_of(value: Any, depth: int = _ALL) -> Any:
    """What is written, with arrays of objects for arrays. In lists NumPy goes so deep; what is further down it keeps."""
    if not isinstance(value, TracedArray):
        return [_inside(one, depth - 1) for one in value] if type(value) in (list, tuple) else value
    if isinstance(value._bare, ndarray):
        return boxed(value)
    cell = ndarray((), object)
    cell[()] = value  # a scalar stays of NumPy's type
    return cell


def _inside(value: Any, depth: int) -> Any:
    """The same of what is in a list, where elements are kept as they are."""
    return value if depth <= 0 or (isinstance(value, TracedArray) and not value.ndim) else items_of(value, depth)


def objects(traced: TracedArray) -> ndarray:
    """The elements, for arithmetic with arrays of objects."""
    return boxed(traced).view(ObjectArray)


def cast_to_objects(traced: TracedArray, plain: Any) -> Any:
    """What NumPy's ``plain`` array of objects, or number of Python's, is of a traced array or scalar."""
    if not tracked_by(traced):
        return plain.view(ObjectArray) if isinstance(plain, ndarray) and recording() else plain
    if not isinstance(plain, ndarray):
        return number(in_double(traced))
    made = plain.view(ObjectArray)
    ndarray.__setitem__(made, ..., items_of(traced))
    return made


def is_of_objects(ufunc: np.ufunc) -> bool:
    """Whether it calls a function of the user's with objects, as those of np.frompyfunc do. Those of text name no types."""
    return bool(ufunc.types) and all(set(types.replace("->", "")) == {"O"} for types in ufunc.types)


def holds_objects(values: Iterable[Any]) -> bool:
    """Whether one of the arguments of a call, or of the arrays in a list of them, is an array of objects."""
    for value in values:
        for item in value if type(value) is list or type(value) is tuple else (value,):
            if isinstance(item, ndarray) and item.dtype.kind == "O":
                return True
    return False


def as_objects(value: Any) -> Any:
    """Arguments for a call with arrays of objects."""
    kind = type(value)
    if kind is list or kind is tuple:
        return kind([as_objects(item) for item in value])
    if kind is dict:
        return {name: as_objects(item) for name, item in value.items()}
    return objects(value) if isinstance(value, TracedArray) else value
