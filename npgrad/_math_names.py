"""Python's functions of numbers on traced scalars: ``math`` and ``cmath`` (the rule of NumPy's ufunc of that name, the value
of Python's function), ``pow`` and ``operator``.

Functions of integers (``comb``, ``gcd`` ...) are not here: they refuse a floating array as they refuse a float.
"""

from __future__ import annotations

import cmath
import functools
import math
import operator
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from . import rules as rules
from ._elementwise import binary_operator, unary_operator
from ._moves import overwrite
from ._record import recording
from ._registry import RULES
from ._traced import PythonNumber, TracedArray, completing, standing_for, unwrap
from .rules.special import SPECIAL

_UNARY: dict[str, np.ufunc] = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log2": np.log2, "log10": np.log10, "log1p": np.log1p,
    "sqrt": np.sqrt, "cbrt": np.cbrt, "fabs": np.fabs, "degrees": np.degrees, "radians": np.radians,
}  # fmt: skip
_BINARY: dict[str, np.ufunc] = {"atan2": np.arctan2, "pow": np.power, "fmod": np.fmod, "copysign": np.copysign}
# Integers, truth values and other things without a derivative.
_PLAIN = ("floor", "ceil", "trunc", "isnan", "isinf", "isfinite", "isclose", "ulp")

# --- Values --------------------------------------------------------------------------------------------------------


def _numbers(value: Any) -> Any:
    """Python's numbers in place of traced scalars."""
    if isinstance(value, TracedArray):
        return value._bare.tolist()
    if isinstance(value, (list, tuple)):
        return type(value)([_numbers(v) for v in value])
    return value


def _operands(value: Any) -> Any:
    """Plain operands: NumPy's scalars, and numbers of Python's for what stands for them (``math.prod`` gives their type)."""
    if type(value) is PythonNumber:
        return value._bare.item()
    if isinstance(value, (list, tuple)):
        return type(value)([_operands(v) for v in value])
    return unwrap(value)


def _scalar(function: Callable, kind: type) -> Callable:
    """A function of Python on NumPy scalars: its value, in NumPy's type."""
    return lambda *args: kind(function(*args))


def _plain(function: Callable) -> Callable:
    return lambda *args, **kwargs: function(*_operands(args), **{name: _operands(v) for name, v in kwargs.items()})


def _valued(made: Any, exact: Any) -> Any:
    """The result of a body of recorded calls, with the value of Python's function."""
    if isinstance(made, TracedArray):
        kind = np.result_type(exact)  # numbers of Python's are of double precision
        made = made if made.dtype == kind else made.astype(kind)
        overwrite(made, kind.type(exact))
        return standing_for(TracedArray if isinstance(exact, np.generic) else PythonNumber, made)
    return exact


def _is_sequence(value: Any) -> bool:
    return bool(value.ndim) if isinstance(value, np.ndarray) else hasattr(value, "__iter__")


def _with_body(function: Callable, body: Callable) -> Callable:
    """A function of several scalars: a body of recorded calls, with the value of Python's function. Iterators can be read
    once only: they become lists before both read them."""

    def call(*args: Any, **kwargs: Any) -> Any:
        args = tuple([list(a) if _is_sequence(a) else a for a in args])
        exact = function(*_operands(args), **{name: _operands(value) for name, value in kwargs.items()})
        with np.errstate(all="ignore"):  # Python has none of NumPy's warnings
            made = body(*args, **kwargs)
        if isinstance(exact, tuple):
            return tuple([_valued(m, e) for m, e in zip(made, exact, strict=True)])
        return _valued(made, exact)

    return call


# --- Bodies of math ------------------------------------------------------------------------------------------------


def _length(*coordinates: Any) -> Any:
    return functools.reduce(np.hypot, coordinates, 0.0)


def _distance(p: Any, q: Any) -> Any:
    return _length(*[a - b for a, b in zip(p, q, strict=True)])


def _product(values: Any, *, start: Any = 1) -> Any:
    return functools.reduce(lambda a, b: a * b, values, start)


def _sum_of_products(p: Any, q: Any) -> Any:
    return sum([a * b for a, b in zip(p, q, strict=True)])


def _remainder(x: Any, y: Any) -> Any:
    """The number of whole parts that are taken off is constant."""
    a, b = _numbers((x, y))
    return x - round((a - math.remainder(a, b)) / b) * y


def _frexp(x: Any) -> Any:
    exponent = math.frexp(_numbers(x))[1]
    return np.ldexp(x, -exponent), exponent


def _modf(x: Any) -> Any:
    whole = math.modf(_numbers(x))[1]
    return x - whole, whole


_MATH_BODIES: dict[str, Callable] = {
    "hypot": _length, "dist": _distance, "ldexp": lambda x, i: np.ldexp(x, i), "fsum": sum, "prod": _product,
    "sumprod": _sum_of_products, "fma": lambda x, y, z: x * y + z, "remainder": _remainder, "frexp": _frexp, "modf": _modf,
    "nextafter": lambda x, y, *, steps=None: np.nextafter(x, y),  # of several steps the value is Python's, too
}  # fmt: skip


def _with_base(log: Callable) -> Callable:
    return lambda x, *base: log(x) / log(base[0]) if base else log(x)


def _log_of(function: Callable, recorded: Callable) -> Callable:
    """Of two arguments one may be plain."""
    return _with_base(lambda x: recorded(x) if isinstance(x, TracedArray) else function(x))


# --- Bodies of cmath -----------------------------------------------------------------------------------------------


def _as_complex(x: Any) -> Any:
    return x if x.dtype.kind == "c" else x.astype(np.complex128)


def _phase(z: Any) -> Any:
    z = _as_complex(z)
    return np.arctan2(z.imag, z.real)


def _polar(z: Any) -> Any:
    return np.abs(z), _phase(z)


def _rect(r: Any, phi: Any) -> Any:
    return r * np.cos(phi) + 1j * (r * np.sin(phi))


_CMATH_BODIES: dict[str, Callable] = {"phase": _phase, "polar": _polar, "rect": _rect}

# --- The tables ----------------------------------------------------------------------------------------------------


def _of_complex(recorded: Callable) -> Callable:
    return lambda x: recorded(_as_complex(x))


def _forms(module: ModuleType, names: Any, make: Callable) -> dict[Callable, Callable]:
    """The function -> what stands for it, for the names that this Python has."""
    return {getattr(module, name): make(name, getattr(module, name)) for name in names if hasattr(module, name)}


def math_forms() -> dict[Callable, Callable]:
    rules_of = {**{name: RULES[ufunc] for name, ufunc in {**_UNARY, **_BINARY}.items()}, **SPECIAL}
    unary = [name for name in rules_of if name not in _BINARY]
    return {
        **_forms(math, unary, lambda name, f: unary_operator(rules_of[name], _scalar(f, np.float64), PythonNumber)),
        **_forms(math, _BINARY, lambda name, f: binary_operator(rules_of[name], _scalar(f, np.float64), None, PythonNumber)),
        **_forms(math, _PLAIN, lambda name, f: _plain(f)),
        **_forms(math, _MATH_BODIES, lambda name, f: _with_body(f, _MATH_BODIES[name])),
        math.log: _log_of(math.log, unary_operator(RULES[np.log], _scalar(math.log, np.float64), PythonNumber)),
    }


def cmath_forms() -> dict[Callable, Callable]:
    def recorded(ufunc: Any, function: Callable) -> Callable:
        return _of_complex(unary_operator(RULES[ufunc], _scalar(function, np.complex128), PythonNumber))

    return {
        **_forms(cmath, _UNARY, lambda name, f: recorded(_UNARY[name], f)),
        **_forms(cmath, _PLAIN, lambda name, f: _plain(f)),
        **_forms(cmath, _CMATH_BODIES, lambda name, f: _with_body(f, _CMATH_BODIES[name])),
        cmath.log: _log_of(cmath.log, recorded(np.log, cmath.log)),
    }


# --- Python's functions that are operators -------------------------------------------------------------------------


def _power(base: Any, exp: Any, mod: Any = None) -> Any:
    return base**exp if mod is None else _PYTHONS_POW(base, exp, mod)


_PYTHONS_POW = pow

# A NumPy scalar asks a traced one for a product or a power in the same way as ``np.power(scalar, traced)`` does, whose last
# bit is another one; the instruction tells them apart. So these functions become that instruction.
OPERATOR_FORMS: dict[Callable, Callable] = {pow: _power, operator.pow: _power, operator.mul: lambda a, b: a * b}

# --- In place -------------------------------------------------------------------------------------------------------


# Functions that go through what they are given.
_OF_ITERABLES = frozenset(["fsum", "prod", "sumprod", "dist"])


def _as_list(arg: Any) -> Any:
    """A list of what comes of an iterator and the like, which may be read once only."""
    is_read = isinstance(arg, (np.ndarray, list, tuple, str, bytes)) or not hasattr(arg, "__iter__")
    return arg if is_read else list(arg)


def math_in_place(original: Callable, traced: Callable) -> Callable:
    traced = completing(traced)
    takes_iterables = original.__name__ in _OF_ITERABLES

    @functools.wraps(original)
    def in_place(*args: Any, **kwargs: Any) -> Any:
        if takes_iterables and recording():
            args = tuple(map(_as_list, args))
        for arg in args:
            kind = type(arg)
            if kind is not float and kind is not int and recording() and _has_traced_scalar(arg):
                return traced(*args, **kwargs)
        return original(*args, **kwargs)

    return in_place


def _has_traced_scalar(arg: Any) -> bool:
    if isinstance(arg, TracedArray):
        return arg.ndim <= 1
    return isinstance(arg, (list, tuple)) and any(isinstance(item, TracedArray) for item in arg)
