"""What NumPy takes an object for: an array that it gives, or a list of its items."""

from __future__ import annotations

import array
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._traced import SeenArray, TracedArray, traced_leaves

# What nobody can change, and with it data as they are and what holds no traced arrays.
IMMUTABLE = frozenset([bool, int, float, complex, str, bytes, slice, range, type(None), *np.sctypeDict.values()])
NO_OBJECTS: frozenset = IMMUTABLE | {TracedArray, SeenArray, ndarray, bytearray, memoryview, array.array, dict}
# Objects that stand for arrays and that C code gets another answer of -> what gives the traced array.
GIVES: dict[type, Callable] = {np.poly1d: lambda polynomial: polynomial.coeffs}


def handed_out(value: Any) -> Any:
    """What NumPy takes an object for: the traced array that one of the user's class gives when it is asked for an array, a
    list of the items of another sequence that holds traced arrays; else, and if nothing traced comes of it, the object
    itself."""
    kind = type(value)
    if kind in NO_OBJECTS:
        return value
    if kind is list or kind is tuple:
        if NO_OBJECTS.issuperset(map(type, value)):
            return value
        items = [handed_out(item) for item in value]
        return value if all(map(operator.is_, items, value)) else kind(items)
    if isinstance(value, (ndarray, np.dtype, str, bytes, dict)):
        return value
    give = GIVES.get(kind) or getattr(kind, "__array__", None)
    if give is not None:
        made = give(value)
        return made if isinstance(made, TracedArray) else value
    if not (hasattr(kind, "__len__") and hasattr(kind, "__getitem__")):
        return value
    try:
        len(value)
    except TypeError:  # a sparse matrix, whose rows are matrices again
        return value
    items = handed_out((tuple if isinstance(value, tuple) else list)(value))
    return items if traced_leaves(items) else value


def with_handed_out(args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The arguments of a call, each as it is `handed_out`."""
    return handed_out(args), {name: handed_out(value) for name, value in kwargs.items()} if kwargs else kwargs
