"""Arrays of objects: NumPy computes with their elements one by one, and each traced one is followed by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from ._traced import TracedArray


def objects(traced: TracedArray) -> ndarray:
    """An object array of the elements, for arithmetic with object arrays."""
    made = np.ndarray(traced.shape, object)
    for index in np.ndindex(traced.shape):
        made[index] = traced[index]
    return made


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
