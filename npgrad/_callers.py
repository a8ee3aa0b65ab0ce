"""Whose code calls a name in place, and what that means for new arrays."""

from __future__ import annotations

import functools
from types import FrameType
from typing import Any

import numpy as np
from numpy import ndarray

from ._holders import HOLDING
from ._leaks import OWN_CODE
from ._traced import adopt, is_inexact, new_array, seen

# NumPy's Python code that reaches no protocol and does nothing but call ``np.name``: followed like the user's own.
_FOLLOWED_NUMPY = "numpy.polynomial."
_KINDS = frozenset("fcbiuSUTmMVO")  # floating arrays are traced, structured ones held, others seen


def acts_for(caller: str, file: str) -> bool:
    """Names in place are for the user's code, and for our rules; not for NumPy's code nor for npgrad's core."""
    if caller.startswith("numpy.") or caller == "numpy":
        return caller.startswith(_FOLLOWED_NUMPY)
    return not caller.startswith("npgrad.") or caller.startswith("npgrad.rules.") or not file.startswith(OWN_CODE)


@functools.lru_cache(4096)
def _is_for_program(caller: str, file: str) -> bool:
    return not caller.startswith("scipy.") and acts_for(caller, file)


def is_for_program(frame: FrameType) -> bool:
    """Whether the frame is one of the user's code, or of NumPy's that is followed like it."""
    return _is_for_program(frame.f_globals.get("__name__") or "", frame.f_code.co_filename)


def new_of_plain_data(made: ndarray, frame: FrameType) -> Any:
    """As `of_plain_data`, for an array that shares its memory with no other."""
    if not is_for_program(frame):
        return made
    holding = HOLDING.get(made.dtype.kind)
    return adopt(made) if holding is None else made.view(holding)


def of_plain_data(made: Any, args: tuple, frame: FrameType, keeps_integers: bool = True) -> Any:
    """New arrays that the user's code makes of plain data are traced, so that a later write of traced data is seen. Integers
    among the arguments that come back are the user's own, unless they stand for what is seen."""
    parts = made if isinstance(made, (tuple, list)) else (made,)
    if not any(type(part) is ndarray and part.dtype.kind in _KINDS for part in parts):
        return made
    if not is_for_program(frame):
        return made
    given = [a for arg in args for a in (arg if isinstance(arg, (tuple, list)) else (arg,)) if isinstance(a, ndarray)]
    new = [_new(part, given, keeps_integers) for part in parts]
    return new[0] if parts is not made else type(made)(*new) if hasattr(made, "_fields") else type(made)(new)


def _new(part: Any, given: list, keeps_integers: bool) -> Any:
    if type(part) is not ndarray:
        return part
    holding = HOLDING.get(part.dtype.kind)
    if holding is not None:
        return part if any(part is a for a in given) else part.view(holding)
    if not is_inexact(part.dtype):
        return part if keeps_integers and any(part is a for a in given) else seen(part)
    return part if any(np.may_share_memory(part, a) for a in given) else new_array(part)
