"""np.poly1d, whose coefficients may be traced: NumPy's functions of polynomials, and its methods while a tape records."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ._dispatch import tracking
from ._handed_out import handed_out
from ._leaks import refuse
from ._moves import assemble
from ._record import recording
from ._traced import adopt, traced_leaves, unwrap

_NUMPYS_POLYVAL, _NUMPYS_INIT, _NUMPYS_ARRAY = np.polyval, np.poly1d.__init__, np.poly1d.__array__
# They give a poly1d where they are given one.
OF_POLYNOMIALS: set[Any] = {np.polyadd, np.polysub, np.polymul, np.polydiv, np.polyder, np.polyint, np.polyval}


def of_polynomials(call: Callable, function: Callable, args: tuple, kwargs: dict) -> Any:
    """One of these functions; ``call`` calls it with coefficients."""
    if function is _NUMPYS_POLYVAL:
        given = dict(zip(("p", "x"), args, strict=False), **kwargs)
        (p,), x = coefficients_of([given["p"]]), given["x"]
        if isinstance(x, np.poly1d):
            return functools.reduce(lambda y, coefficient: y * x + coefficient, p, 0)
        return call(function, (p, x), {})
    made = call(function, coefficients_of(args), dict(zip(kwargs, coefficients_of(kwargs.values()), strict=True)))
    return tuple([np.poly1d(part) for part in made]) if isinstance(made, tuple) else np.poly1d(made)


def coefficients_of(values: Iterable) -> tuple:
    """The values, with the coefficients of polynomials."""
    return tuple([value.coeffs if isinstance(value, np.poly1d) else value for value in values])


# --- Methods while a tape records ----------------------------------------------------------------------------------


def _init(self: np.poly1d, c_or_r: Any, *args: Any, **kwargs: Any) -> None:
    c_or_r = handed_out(c_or_r)
    if type(c_or_r) in (list, tuple) and recording():
        c_or_r = assemble(c_or_r) if traced_leaves(c_or_r) else adopt(np.array(c_or_r))
    _NUMPYS_INIT(self, c_or_r, *args, **kwargs)


def _array(self: np.poly1d, t: Any = None, copy: Any = None) -> Any:
    """C code asks a poly1d for its coefficients and reads their memory."""
    records = tracking(traced_leaves(self.coeffs))
    if records:
        refuse(records, "a poly1d with traced coefficients becomes a plain array", "Pass its attribute coeffs, or call it.")
    return _NUMPYS_ARRAY(self, t, copy)


# NumPy's code of these, with the names in place: lists of traced numbers are seen, and coefficients.


def _call(self: np.poly1d, val: Any) -> Any:
    return np.polyval(self.coeffs, val)


def _integ(self: np.poly1d, m: Any = 1, k: Any = 0) -> Any:
    return np.poly1d(np.polyint(self.coeffs, m=m, k=k))


def _quotient(self: np.poly1d, other: Any) -> Any:
    return np.poly1d(self.coeffs / other) if np.isscalar(other) else np.polydiv(self, np.poly1d(other))


def _of_quotient(self: np.poly1d, other: Any) -> Any:
    return np.poly1d(other / self.coeffs) if np.isscalar(other) else np.polydiv(np.poly1d(other), self)


POLY1D_METHODS: dict[str, Callable] = {
    "__init__": _init,
    "__array__": _array,
    "__repr__": lambda self: f"poly1d({repr(unwrap(self.coeffs))[len('array(') : -1]})",
    "__call__": _call,
    "integ": _integ,
    "__truediv__": _quotient,
    "__rtruediv__": _of_quotient,
}
