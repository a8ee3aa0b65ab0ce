"""Elements as NumPy hands them to Python: to the function of a ``np.vectorize`` or ``np.frompyfunc``, to an array of
objects."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from ._traced import PythonNumber, TracedArray, standing_for


def in_double(traced: TracedArray) -> Any:
    """The array in the precision of Python's numbers, or its own if that is higher."""
    double = np.result_type(traced.dtype, np.float64)
    return traced if traced.dtype == double else traced.astype(double)


def number(element: Any) -> Any:
    """What NumPy makes an object of for an element of an array: a number of Python's, if it is of double precision."""
    is_double = isinstance(element, TracedArray) and element.dtype.char in "dD"
    return standing_for(PythonNumber, element) if is_double else element


def boxed(traced: TracedArray) -> ndarray:
    """An array of objects with the elements, each followed by itself."""
    made = np.empty_like(traced._bare, object)
    source = in_double(traced)
    for index in np.ndindex(traced.shape):
        made[index] = number(source[index])
    return made
