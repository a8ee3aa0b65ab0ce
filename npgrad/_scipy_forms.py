"""What stands for a function or method of SciPy's that has a rule, while a tape records."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from ._callers import acts_for, of_plain_data
from ._compat import signature_of
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
        rules = FOLLOWED.get(function)
    except TypeError:  # not hashable
        return None
    return None if rules is None else recorded_by(function, rules)


@functools.lru_cache(2048)
def recorded_by(function: Callable, rules: tuple[LibraryRule, ...]) -> Callable:
    """A function with its calls recorded by a rule; what it makes of plain data can be written into, too."""
    names = tuple(signature_of(function).parameters)

    @functools.wraps(function)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        if not recording() or not _is_heard(sys._getframe(1)):
            return function(*args, **kwargs)
        complete([args, kwargs])
        if not traced_leaves([args, kwargs]):
            return of_plain_data(function(*args, **kwargs), args, sys._getframe(1))
        chosen = next(((rule, given) for rule in rules if (given := _covered(rule, args, kwargs)) is not None), None)
        if chosen is None:
            return function(*args, **kwargs)

        def compute(**_: Any) -> Any:
            plain = [False if name.startswith(_PERMISSION) else unwrap(value) for name, value in zip(names, args)]  # noqa: B905
            plain += [unwrap(value) for value in args[len(names) :]]  # of a function that takes any number
            named = {name: False if name.startswith(_PERMISSION) else unwrap(value) for name, value in kwargs.items()}
            return function(*plain, **named)

        rule, given = chosen
        return call_rule(rule, compute, (), given)

    return in_place


def _covered(rule: LibraryRule, args: tuple, kwargs: dict) -> dict[str, Any] | None:
    """What a rule gets of a call, if its maps are for all that is tracked."""
    given = rule.arguments(args, kwargs)
    if given is None or any(tracking(traced_leaves(value)) for name, value in given.items() if name not in rule.vjps):
        return None
    return given


def _is_heard(frame: FrameType) -> bool:
    """Whether the user's code calls, or code of SciPy's that is followed like it."""
    caller = frame.f_globals.get("__name__") or ""
    if caller.startswith("scipy."):
        return is_followed_by_name(called_from(frame))
    return acts_for(caller, frame.f_code.co_filename)
