"""Methods of NumPy scalars that are Python code inside of NumPy (``np.float64(1.0).clip(x[0], x[1])``, ``var(mean=...)``).

Compiled code makes an array of the scalar and calls the method of that. If a traced element comes back, it reads the memory,
lets the element go and gives the program a plain scalar, all without a hook. From a method of an array the program gets
the element. So a result that goes away unused within the instruction that has called for it was lost: `gradient` says so.
"""

from __future__ import annotations

import contextlib
import sys
import weakref
from types import FrameType
from typing import Any

import numpy as np

from ._compat import array_methods
from ._dispatch import tracking
from ._leaks import OWN_CODE, LeakError, refuse
from ._traced import TracedArray

_METHODS = array_methods().__name__
_WHAT = "a method of a NumPy scalar takes traced data and gives a plain number"
_CURE = "Write np.clip(number, low, high) in place of number.clip(low, high), and np.var(number, mean=...)."

# What else than the ufunc of three arguments a method calls that bounds a number on one side.
ONE_SIDED = frozenset([np.minimum, np.maximum])
# References to results until they go away, by identity: as keys they would ask the results.
_alive: dict[int, weakref.ref] = {}


def _caller() -> FrameType | None:
    """Whose call of a method NumPy's code works for, if that is what called npgrad."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(OWN_CODE):
        frame = frame.f_back
    if frame is None or frame.f_globals.get("__name__") != _METHODS:
        return None
    while frame is not None and frame.f_globals.get("__name__") == _METHODS:
        frame = frame.f_back
    return frame


def heard_of(made: Any) -> Any:
    """A result of a ufunc, of which it will be known if NumPy makes a plain scalar of it for the program."""
    if type(made) is not TracedArray or made.ndim or (frame := _caller()) is None or not (records := tracking([made])):
        return made
    place = id(frame), frame.f_code, frame.f_lasti
    counts = [(weakref.ref(record), len(record.entries)) for record in records]

    def gone(reference: weakref.ref) -> None:
        del _alive[id(reference)]
        now = sys._getframe().f_back  # none where a thread ends
        unused = [record for known, count in counts if (record := known()) and record.open and len(record.entries) == count]
        if unused and now is not None and (id(now), now.f_code, now.f_lasti) == place:
            with contextlib.suppress(LeakError):  # which nobody could catch here
                refuse(tuple(unused), _WHAT, _CURE)

    reference = weakref.ref(made, gone)
    _alive[id(reference)] = reference
    return made
