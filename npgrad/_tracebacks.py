"""Tracebacks with the user's frames only: an error points at a line of the program, not at how npgrad came to raise it.

Frames are taken out where an error leaves npgrad: at the public functions, and at the end of a tape's ``with``, through
which all errors of recorded calls come. A recorded call that goes well pays nothing for it.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, TypeVar

from ._leaks import OWN_CODE, is_internal

P = ParamSpec("P")
R = TypeVar("R")

# With the value "full" it keeps all frames.
SETTING = "NPGRAD_TRACEBACK"


def shorten(error: BaseException | None) -> None:
    """Take the frames of npgrad, and of what it calls, out of the tracebacks of an error and of those that led to it."""
    if error is None or os.environ.get(SETTING) == "full":
        return
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.__traceback__ = _users_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def users_place(error: BaseException) -> str:
    """``file:line`` of the user's code where an error came up."""
    place = "<unknown>"
    trace = error.__traceback__
    while trace is not None:
        if not _is_inside(trace, True):
            place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _users_frames(trace: TracebackType | None) -> TracebackType | None:
    kept = []
    inside = False
    while trace is not None:
        inside = _is_inside(trace, inside)
        if not inside:
            kept.append(trace)
        trace = trace.tb_next
    below: TracebackType | None = None
    for trace in reversed(kept):
        below = TracebackType(below, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)
    return below


def _is_inside(trace: TracebackType, inside: bool) -> bool:
    """Whether a frame is npgrad's, or that of a library between it and the user's next one; ``inside`` says this of the
    frame above."""
    file = trace.tb_frame.f_code.co_filename
    if file.startswith(OWN_CODE):
        return True
    module = trace.tb_frame.f_globals.get("__name__") or ""
    return inside and (is_internal(module, file) or module.partition(".")[0] in sys.stdlib_module_names - {"__main__"})


def public(function: Callable[P, R]) -> Callable[P, R]:
    """Declare what users call: errors leave it as `shorten` leaves them."""

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            shorten(error)
            raise  # which does not add this frame again

    return called
