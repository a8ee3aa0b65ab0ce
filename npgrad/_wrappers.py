"""What stands for functions that NumPy and Python have by name, by what is to be followed of a call.

Each wrapper acts only where a tape records in this thread or task, and gives what the function itself gives where nothing of
a call is traced.
"""

from __future__ import annotations

import functools
import pkgutil
import sys
import warnings
from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any

import numpy as np
from numpy.lib import stride_tricks

from ._asked_objects import answering, asking
from ._callers import acts_for, is_for_program, of_plain_data
from ._compat import implementation_of
from ._dispatch import check_outside, tracking
from ._functions import assembled, call_function, taken
from ._holders import held_like, refuse_tracked
from ._leaks import refuse
from ._own_answers import handed_back
from ._poly1d import coefficients_of
from ._record import recording
from ._registry import VIEWS
from ._scipy import as_compiled_code_takes_it, is_followed
from ._traced import PythonNumber, TracedArray, again, completing, traced_leaves

# Where NumPy's `as_strided` is, the one function for traced arrays that reaches no protocol and is imported by its name.
_strided: Any = implementation_of(stride_tricks.as_strided)
_AS_STRIDED = _strided.__globals__["__name__"]


class FormOfBuiltin:
    """What stands for a function of C's, which a class that has it does not bind: ``make = np.zeros`` is no method, as a
    function of Python's would be. Python calls what is in the slot, with no frame of ours between."""

    __slots__ = ("__call__", "__dict__")

    def __init__(self, form: Callable, original: Callable) -> None:
        self.__call__ = form
        functools.update_wrapper(self, original)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(vars(self)["__wrapped__"])

    def __repr__(self) -> str:
        return repr(vars(self)["__wrapped__"])

    def __reduce__(self) -> Any:
        return pkgutil.resolve_name, (f"{self.__module__}:{self.__qualname__}",)  # type: ignore[attr-defined]


def unbound(form: Any, original: Any) -> Any:
    """A form that a class binds only if it binds what it stands for."""
    is_bound = type(form) is FunctionType and not hasattr(type(original), "__get__")
    return FormOfBuiltin(form, original) if is_bound else form


def creator_in_place(original: Callable, traced: Callable) -> Callable:
    completed = completing(traced)

    @functools.wraps(original)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        if not recording():
            check_outside(*traced_leaves(args))
            return original(*args, **kwargs)
        frame = sys._getframe(1)
        if not is_for_program(frame):
            return _made_for_library(original, completed, args, kwargs, frame)
        try:
            return traced(*args, **kwargs)
        except AttributeError:
            return again(traced, *args, **kwargs)

    return in_place


def _made_for_library(original: Callable, traced: Callable, args: tuple, kwargs: dict, frame: FrameType) -> Any:
    caller = frame.f_globals.get("__name__") or ""
    if acts_for(caller, frame.f_code.co_filename):  # SciPy's code
        if is_followed(original, frame, args, kwargs):
            return traced(*args, **kwargs)
        args, kwargs = as_compiled_code_takes_it(frame, (args, kwargs))
    elif caller.startswith("numpy.ma.") and not (kwargs.get("subok") and type(args[0]) is TracedArray):
        refuse_tracked(list(args), "numpy.ma makes a plain array of traced data", "Use np.where in place of a mask.")
    elif caller == _AS_STRIDED and traced_leaves(args):
        refuse(tracking(traced_leaves(args)), "as_strided, imported before the tape, sees only the memory")
    return original(*args, **kwargs)


def seen_in_place(original: Callable, traced: Callable) -> Callable:
    @functools.wraps(original)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        if not recording():
            return original(*args, **kwargs)
        if not args or type(args[0]) is not TracedArray:
            return _called_in_place(original, traced, args, kwargs, sys._getframe(1))
        if _HAS_NO_HOOK.issuperset(map(type, args)) and (not kwargs or _HAS_NO_HOOK.issuperset(map(type, kwargs.values()))):
            try:  # as NumPy would after a search for other hooks
                return call_function(original, args, {**kwargs})
            except (AttributeError, TypeError, ValueError, IndexError):
                with np.errstate(all="ignore"), warnings.catch_warnings():  # it has warned
                    warnings.simplefilter("ignore")
                    return original(*args, **kwargs)  # which says why the call is refused
        return handed_back(original, args, kwargs, original(*args, **kwargs))

    return in_place


_HAS_NO_HOOK = frozenset([TracedArray, np.ndarray, bool, int, float, complex, str, type(None), np.float64])


def _called_in_place(original: Callable, traced: Callable, args: tuple, kwargs: dict, frame: FrameType) -> Any:
    """A function that sees traced data among its arguments, or makes new arrays of plain data for its caller."""
    if not recording():
        return original(*args, **kwargs)
    answer = answering(original, args, kwargs)
    if answer is not None:
        return answer(*args, **kwargs)
    given, named = args, kwargs
    args, kwargs = taken(original, args, kwargs)
    if not traced_leaves((args, kwargs) if kwargs else args):
        return of_plain_data(original(*args, **kwargs), (*args, *kwargs.values()), frame)
    return handed_back(original, given, named, traced(*args, **kwargs))


def of_polynomials_in_place(original: Callable, traced: Callable) -> Callable:
    """A function that gives a poly1d where it is given one, in whose coefficients there may be traced data."""

    @functools.wraps(original)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        values = (*args, *kwargs.values())
        polynomials = [value for value in values if isinstance(value, np.poly1d)]
        if polynomials and recording() and traced_leaves(coefficients_of(values)):
            return traced(*args, **kwargs)
        return _called_in_place(original, traced, args, kwargs, sys._getframe(1))

    return in_place


def of_lists_in_place(original: Callable, traced: Callable) -> Callable:
    """A function whose results have no derivative: of lists of traced numbers it sees the values, and nothing is lost."""

    @functools.wraps(original)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        for a in (*args, *kwargs.values()) if kwargs else args:
            kind = type(a)
            if (kind is list or kind is tuple) and recording() and traced_leaves(a):
                return call_function(original, args, kwargs)
        made = original(*args, **kwargs)
        if not isinstance(made, (np.ndarray, tuple)) or not recording():
            return made
        return of_plain_data(made, (*args, *kwargs.values()), sys._getframe(1))

    return in_place


def seen_first_in_place(original: Callable, traced: Callable) -> Callable:
    @functools.wraps(original)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = taken(original, args, kwargs)
        if not traced_leaves((args, kwargs)):
            made = original(*args, **kwargs)
            return held_like(args[0], made) if args and recording() else made
        args, kwargs = assembled(original, args, kwargs)
        return traced(*args, **kwargs)

    return in_place


def operator_in_place(original: Callable, traced: Callable) -> Callable:
    @functools.wraps(original)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        for arg in (*args, *kwargs.values()) if kwargs else args:
            if isinstance(arg, TracedArray):
                return traced(*args, **kwargs)
        return original(*args, **kwargs)

    return in_place


def asking_creator_in_place(original: Callable, traced: Callable) -> Callable:
    def made(*args: Any, **kwargs: Any) -> Any:
        return handed_back(original, args, kwargs, traced(*args, **kwargs))

    return creator_in_place(original, asking(original, made))


def calling_in_place(original: Callable, traced: Callable) -> Callable:
    traced = asking(original, traced)

    @functools.wraps(original)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        return (traced if recording() else original)(*args, **kwargs)

    return in_place


def called(function: Callable) -> Callable:
    if function in VIEWS:  # of a list there is none until it is an array
        return completing(lambda *args, **kwargs: call_function(function, *assembled(function, args, kwargs)))

    def call(*args: Any, **kwargs: Any) -> Any:
        for value in (*args, *kwargs.values()):
            if type(value) is PythonNumber:  # it knows what it is cast to
                return value.__array_function__(function, (PythonNumber,), args, kwargs)
        return call_function(function, args, kwargs)

    return completing(call)
