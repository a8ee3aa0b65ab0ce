"""What stands for a function or method of SciPy's that has a rule, while a tape records."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from ._callers import acts_for, of_plain_data
from ._dispatch import call_rule, tracking
from ._following import FOLLOWED, LibraryRule
from ._record import recording
from ._scipy import called_from, is_followed_by_name
from ._traced import complete, traced_leaves, unwrap

# Arguments that permit a function to spoil its input, which a tape may have saved.
_PERMISSION = "overwrite_"


def following_form(function: Any) -> Callable | None:
    """The form of a function that has a rule; None for anything else."""
    try:
        rule = FOLLOWED.get(function)
    except TypeError:  # not hashable
        return None
    return None if rule is None else recorded_by(function, rule)


@functools.lru_cache(2048)
def recorded_by(function: Callable, rule: LibraryRule) -> Callable:
    """A function with its calls recorded by a rule; what it makes of plain data can be written into, too."""

    @functools.wraps(function)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        if not recording() or not _is_heard(sys._getframe(1)):
            return function(*args, **kwargs)
        complete([args, kwargs])
        leaves = traced_leaves([args, kwargs])
        if not leaves:
            return of_plain_data(function(*args, **kwargs), args, sys._getframe(1))
        given = rule.arguments(args, kwargs)
        if given is None or any(tracking(traced_leaves(value)) for name, value in given.items() if name not in rule.vjps):
            return function(*args, **kwargs)

        def compute(**_: Any) -> Any:
            return function(*unwrap(args), **unwrap(_without_permission(kwargs)))

        return call_rule(rule, compute, (), given)

    return in_place


def _is_heard(frame: FrameType) -> bool:
    """Whether the user's code calls, or code of SciPy's that is followed like it."""
    caller = frame.f_globals.get("__name__") or ""
    if caller.startswith("scipy."):
        return is_followed_by_name(called_from(frame))
    return acts_for(caller, frame.f_code.co_filename)


def _without_permission(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: False if name.startswith(_PERMISSION) else value for name, value in kwargs.items()}
