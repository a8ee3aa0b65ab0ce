"""Views of traced arrays as arrays of other classes, as the user's own subclasses of ndarray: they take no tracked data."""

from __future__ import annotations

import sys
from typing import Any

from numpy import ndarray

from ._callers import is_for_program
from ._guards import guard_class
from ._holders import lend
from ._leaks import refuse
from ._moves import tracked_by
from ._record import recording
from ._scipy import is_called_by_sparse_code
from ._traced import TracedArray

_HOLD_AN_ARRAY = "Let the class hold an array in an attribute in place of being one, or work on the array itself."


def as_class(traced: TracedArray, dtype: Any, kind: type) -> Any:
    """What ``traced.view(dtype, kind)`` is for a class that is not ours."""
    records = tracked_by(traced)
    if kind is ndarray and recording() and is_for_program(sys._getframe(3)):  # past `entry_point`
        return traced.view() if dtype is None else traced.view(dtype)
    if records and kind is ndarray:
        if dtype is None and is_called_by_sparse_code(sys._getframe(2)):
            return traced
        refuse(records, "view(ndarray) hands out the memory of a traced array")
    elif records:
        refuse(records, f"view({kind.__name__}) makes an array of a class that no tape follows", _HOLD_AN_ARRAY)
    bare = traced._bare
    if recording() and kind is not ndarray and not records:
        bare = lend(traced, writable=True)
        if not kind.__module__.startswith("numpy"):
            guard_class(kind)
    return ndarray.view(bare, kind) if dtype is None else bare.view(dtype, kind)
