"""Integers and truth values that were made while a tape records.

They have no derivative, but what a program computes of them (``out = 0.0 * np.arange(n)``, ``rho = 1.0 + mask``) it may
write traced data into, and a plain array takes that without asking anybody. So they are arrays of a class whose calls give
traced arrays, which see it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._callers import new_of_plain_data, of_plain_data
from ._record import recording
from ._traced import SeenArray, traced_leaves


def without_seen(value: Any, views: list | None = None) -> Any:
    """Arguments with plain arrays in the place of integers and truth values that are seen; these are noted in ``views``."""
    kind = type(value)
    if kind is SeenArray:
        plain = value.view(ndarray)
        if views is not None:
            views.append((plain, value))
        return plain
    if kind is tuple or kind is list:
        return kind([without_seen(item, views) for item in value])
    return {name: without_seen(item, views) for name, item in value.items()} if kind is dict else value


def given_back(result: Any, views: list) -> Any:
    """A destination that comes back, as the program has it."""
    return next((seen for plain, seen in views if plain is result), result)


def _made(result: Any, args: tuple) -> Any:
    """What the program gets for a result of plain data, in the hook that it has called: what is new can be written into."""
    if not recording() or any(result is a for a in args):
        return result
    return of_plain_data(result, args, sys._getframe(2), keeps_integers=False)


def _array_ufunc(self: SeenArray, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    plain = [a.view(ndarray) if type(a) is SeenArray else a for a in inputs]
    if not kwargs and method == "__call__":
        result = ufunc(*plain)
        if type(result) is ndarray and recording():
            return new_of_plain_data(result, sys._getframe(1))
        return _made(result, ())
    out = kwargs.get("out")
    result = getattr(ufunc, method)(*plain, **without_seen(kwargs))
    if out is None:
        return _made(result, ())
    if type(result) is not tuple:
        return out[0]
    return tuple([r if place is None else place for place, r in zip(out, result, strict=True)])


def _array_function(self: SeenArray, func: Callable, types: Any, args: Any, kwargs: Any) -> Any:
    views: list = []
    plain, named = without_seen(args, views), without_seen(kwargs, views)
    result = given_back(func(*plain, **named), views)
    return _made(result, (*plain, *named.values()))


def _method(name: str) -> Callable:
    numpys = getattr(ndarray, name)

    def method(self: SeenArray, *args: Any, **kwargs: Any) -> Any:
        plain = self.view(ndarray)
        if traced_leaves([*args, *kwargs.values()]):
            if name == "choose" and len(args) > 1:  # the only method that takes a sequence one by one
                args = (args,)
            return getattr(np, name)(plain, *args, **kwargs)  # which sees them
        views: list = []
        result = given_back(numpys(plain, *without_seen(args, views), **without_seen(kwargs, views)), views)
        return _made(result, (plain, *args, *kwargs.values()))

    method.__name__ = name
    return method


# Methods that may give another dtype or arrays of NumPy's own class, or that take several calls of hooks.
_METHODS = (
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "astype", "choose", "clip", "cumprod", "cumsum", "dot",
    "max", "mean", "min", "nonzero", "prod", "searchsorted", "std", "sum", "trace", "var",
)  # fmt: skip
_HOOKS: dict[str, Callable] = {
    "__array_ufunc__": _array_ufunc,
    "__array_function__": _array_function,
    "__repr__": lambda self: repr(self.view(ndarray)),
    "__reduce_ex__": lambda self, protocol: self.view(ndarray).__reduce_ex__(protocol),
    **{name: _method(name) for name in _METHODS},
}
for _name, _hook in _HOOKS.items():
    setattr(SeenArray, _name, _hook)
