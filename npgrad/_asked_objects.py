"""Calls of NumPy's functions that NumPy leaves to an object of the user's: to its ``__array_function__``, or to its method
of the function's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._functions import looks_into
from ._handed_out import NO_OBJECTS
from ._own_answers import answers_functions
from ._twins import twin

# What these ask their first argument for, before they make an array of it.
_METHODS: dict[Callable, str] = {
    **{getattr(np, name): name for name in (
        "all", "any", "argmax", "argmin", "argpartition", "argsort", "choose", "clip", "compress", "cumprod", "cumsum",
        "imag", "max", "mean", "min", "nonzero", "prod", "put", "real", "repeat", "reshape", "round", "searchsorted",
        "squeeze", "std", "sum", "swapaxes", "take", "transpose", "var",
    )},
    np.amax: "max", np.amin: "min", np.around: "round", np.permute_dims: "transpose",
}  # fmt: skip


def answering(function: Callable, args: tuple, kwargs: dict) -> Callable | None:
    """What answers a call as NumPy would, if it asks an object: its own code then, in which the object is asked."""
    if NO_OBJECTS.issuperset(map(type, args)) and not kwargs:
        return None
    for key, value in (*enumerate(args), *kwargs.items()):
        kind = type(value)
        if kind is list or kind is tuple:
            if not NO_OBJECTS.issuperset(map(type, value)) and _is_asked(value) and looks_into(function, key):
                return function
        elif answers_functions(value):
            return function
    method = _METHODS.get(function)
    first = args[0] if args else next(iter(kwargs.values()))
    if method is None or type(first) in NO_OBJECTS or isinstance(first, (ndarray, list, tuple, np.generic)):
        return None
    return twin(function) if hasattr(first, method) else None


def _is_asked(values: Any) -> bool:
    return any(_is_asked(v) if type(v) is list or type(v) is tuple else answers_functions(v) for v in values)


def asking(function: Callable, traced: Callable) -> Callable:
    """What follows a function, where no object answers the call."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return (answering(function, args, kwargs) or traced)(*args, **kwargs)

    return call
