"""Ufuncs: every one with a rule, broadcasting, awkward points, where=, out=, dtype=, and the methods of ufuncs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npgrad._compat import clip_ufunc

from . import A, C, D, S

_DIFFERENCES = ("reverse", "forward", "second_order")
_KINK = "differences do not settle at a kink; its derivative is fixed in tests/test_kinks.py"
_SHARED_KINK = "with the same array twice every element is a tie"


def _at_kink(function: Callable, *args: Any, **kwargs: Any) -> S:
    return S(function, *args, leave_out=_DIFFERENCES, why=_KINK, **kwargs)


# --- One input -----------------------------------------------------------------------------------------------------

# Tuples of functions: as a whole they have something to stand for them while a tape records, and not each entry.
_EVERYWHERE = (
    np.negative, np.positive, np.square, np.exp, np.exp2, np.expm1, np.sin, np.cos, np.tan, np.arctan, np.sinh, np.cosh,
    np.tanh, np.arcsinh, np.cbrt, np.degrees, np.rad2deg, np.radians, np.deg2rad, np.absolute, np.fabs, np.sign,
    np.conjugate, np.reciprocal,
)  # fmt: skip
_POSITIVE = (np.sqrt, np.log, np.log2, np.log10, np.log1p)
_COMPLEX = (
    np.negative, np.positive, np.square, np.exp, np.exp2, np.expm1, np.sin, np.cos, np.tan, np.arctan, np.sinh, np.cosh,
    np.tanh, np.arcsinh, np.absolute, np.sign, np.conjugate, np.reciprocal, np.sqrt, np.log, np.log2, np.log10, np.log1p,
    np.arcsin, np.arccos, np.arccosh, np.arctanh,
)  # fmt: skip

UNARY = [
    *[S(f, A(2, 3)) for f in _EVERYWHERE + _POSITIVE],
    *[S(f, D([-1.3, -0.4, 0.7])) for f in _EVERYWHERE],
    *[S(f, C(2, 3)) for f in _COMPLEX],
    *[S(f, D([-0.8 - 0.3j, 0.4 - 1.2j])) for f in _COMPLEX],
    *[S(f, D(0.7)) for f in _EVERYWHERE + _POSITIVE],
    *[S(f, A(2, 3, low=-0.9, high=0.9)) for f in (np.arcsin, np.arccos, np.arctanh)],
    S(np.arccosh, A(2, 3, low=1.2, high=3.0)),
    S(np.log1p, A(3, low=-0.8, high=-0.1)),
    *[S(f, A(0, 3)) for f in (np.sin, np.absolute, np.sqrt)],
    *[_at_kink(f, D([-0.0, 0.0, -1.0, 2.0])) for f in (np.absolute, np.fabs, np.sign)],
    _at_kink(np.absolute, D([0j, 1 - 2j])),
    _at_kink(np.sign, D([0j, 1 - 2j])),
    S(np.modf, D([-1.3, 0.4, 2.7])),
    S(np.modf, D(1.25)),
    S(np.frexp, D([-1.3, 0.4, 2.7, 100.0])),
    S(np.expm1, D([1e-9, -1e-9])),
    S(np.tanh, D([0.0, 3.0])),
]

# --- Two inputs ----------------------------------------------------------------------------------------------------

_BINARY = (
    np.add, np.subtract, np.multiply, np.divide, np.power, np.float_power, np.arctan2, np.hypot, np.logaddexp,
    np.logaddexp2, np.remainder, np.fmod, np.copysign, np.maximum, np.minimum, np.fmax, np.fmin,
)  # fmt: skip
_SHAPES = [((2, 3), (2, 3)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (1, 3)), ((4, 1, 1), (2, 3)), ((), (3,)),
           ((3,), ()), ((), ())]  # fmt: skip
_COMPLEX_BINARY = (np.add, np.subtract, np.multiply, np.divide, np.power, np.float_power)


def _binary(f: Callable, first: Any, second: Any) -> S:
    if f in (np.remainder, np.fmod):
        return S(f, first, second, leave_out=("shared",), why="x % x stands on the jump of the quotient")
    return S(f, first, second)


BINARY = [
    *[_binary(f, A(*a), A(*b, seed=1, low=0.45, high=1.9)) for f in _BINARY for a, b in _SHAPES],
    *[_binary(f, A(2, 3), 0.8) for f in _BINARY],
    *[_binary(f, 0.8, A(2, 3, low=0.9)) for f in _BINARY],
    *[S(f, A(2, 3), 2) for f in (np.add, np.multiply, np.divide, np.power, np.maximum)],
    *[S(f, A(3), np.array([[1, 2, 3], [4, 5, 6]])) for f in (np.multiply, np.divide, np.power, np.subtract)],
    *[S(f, C(2, 3), C(3, seed=1)) for f in [*_COMPLEX_BINARY, np.maximum, np.minimum, np.fmax, np.fmin]],
    *[S(f, C(3), A(2, 3)) for f in _COMPLEX_BINARY],
    *[S(f, A(2, 3), C(3)) for f in _COMPLEX_BINARY],
    *[S(f, A(2, 3), 1.5 + 0.5j) for f in _COMPLEX_BINARY],
    *[S(f, D([-1.3, 0.8]), C(2)) for f in (np.power, np.float_power)],
    S(np.power, D([-1.3, 0.8]), D([0.4, -0.7]), dtype=complex),
    S(np.arccos, D([-1.6, 0.4]), dtype=complex),
    *[S(f, D([-2.3, 1.4, 5.1]), D([1.1, -0.6, 2.2]), leave_out=("shared",), why="x % x stands on the jump of the quotient")
      for f in (np.remainder, np.fmod, np.divmod)],
    S(np.divmod, A(2, 3), 0.3),
    S(np.arctan2, D([-1.0, 1.0, -2.0, 0.5]), D([-0.3, -0.7, 0.4, 2.0])),
    S(np.arctan2, D([0.0, 1.0, -1.0]), D([1.0, 0.0, 0.0])),
    S(np.copysign, D([-1.0, 2.0, -3.0]), D([1.0, -1.0, -2.0])),
    S(np.nextafter, A(2, 3), D([0.1, 5.0, -2.0])),
    S(np.nextafter, D(1.5), 2.0),
    S(np.hypot, D([-3.0, 0.0, 1.0]), D([4.0, 2.0, 0.0])),
    S(np.logaddexp, D([-800.0, 0.0, 700.0, -900.0]), D([-801.0, 50.0, 700.0, 3.0])),
    S(np.logaddexp2, D([-800.0, 0.0, 700.0, -900.0]), D([-801.0, 50.0, 700.0, 3.0])),
    S(np.power, D([-2.0, -0.5, 3.0]), 3),
    S(np.power, D([-2.0, -0.5, 3.0]), np.array([2.0, -1.0, 0.0])),
    S(np.power, D([0.0, -1.0, 2.0]), 2.0),
    S(np.power, D([0.0, -1.0, 2.0]), 1),
    S(np.power, D([0.0, -1.0, 2.0]), 0),
    S(np.power, D([0.0, 1.0, 2.0]), np.array([0, 1, 3])),
    S(np.power, 2, A(3)),
    S(np.ldexp, A(2, 3), np.array([1, -2, 3])),
    S(np.ldexp, A(3), 4),
    S(np.heaviside, D([-1.0, 2.0]), A(2)),
    S(np.heaviside, np.array([-1.0, 0.0, 2.0]), A(3)),
    S(np.heaviside, np.array([[-1.0], [0.0]]), A(3)),
    _at_kink(np.heaviside, D([-1.0, 0.0, 2.0]), A(3)),
    *[_at_kink(f, D([1.0, 2.0, 2.0, 3.0]), D([1.0, 3.0, 2.0, 2.0])) for f in (np.maximum, np.minimum, np.fmax, np.fmin)],
    *[S(f, D([1.0, np.nan, 2.0]), D([np.nan, 1.5, 3.0])) for f in (np.fmax, np.fmin)],
    *[S(f, D([1.0, np.nan, 2.0]), D([np.nan, 1.5, 3.0]), leave_out=_DIFFERENCES,
        why="the value is NaN, which has no difference") for f in (np.maximum, np.minimum)],
    _at_kink(np.hypot, D([0.0, 1.0]), D([0.0, -1.0])),
    _at_kink(np.copysign, D([0.0, 1.0]), D([-1.0, -1.0])),
    _at_kink(np.power, D([0.0, 4.0]), D([0.0, 2.0])),
    S(np.power, D([0.0, 4.0]), 0.5, leave_out=(*_DIFFERENCES, "second_order_of_batch"),
      why="the derivative is infinite at 0"),
]  # fmt: skip

# --- The forms of a call -------------------------------------------------------------------------------------------

_MASK = np.array([[True, False, True], [False, True, True]])


def _with_where(function: Callable) -> Callable:
    """where= leaves the other elements of out= as they are, so they need a value first."""

    def call(*inputs: Any) -> Any:
        out = np.full((2, 3), 5.0)
        function(*inputs, where=_MASK, out=out)
        return out

    return call


def _into_half(function: Callable) -> Callable:
    """The output is a view of a buffer that goes on being used."""

    def call(*inputs: Any) -> Any:
        buffer = np.ones((2, 2, 3))
        function(*inputs, out=buffer[1])
        buffer[0] += buffer[1] * 2
        return buffer

    return call


def _into_first_input(function: Callable) -> Callable:
    def call(x: Any, *others: Any) -> Any:
        x = np.array(x)
        function(x, *others, out=x)
        return function(x, *others)

    return call


def _into_where_of_input(function: Callable) -> Callable:
    """The output holds traced values, of which where= keeps some."""

    def call(x: Any, *others: Any) -> Any:
        kept = np.array(x)
        function(x, *others, where=_MASK, out=kept)
        return kept

    return call


def _power_chain(x: Any, y: Any) -> Any:
    out = np.empty((2, 3))
    np.power(x, y, out)
    np.multiply(out, x, out)
    np.subtract(y, out, out=out)
    return out


def _swapped_divmod(x: Any, y: Any) -> Any:
    quotient, rest = np.empty((2, 3)), np.empty((2, 3))
    np.divmod(x, y, quotient, rest)
    return quotient * x + rest


_FORMS = [_with_where, _into_half, _into_first_input, _into_where_of_input]

FORMS = [
    *[S(f, A(2, 3), f=form(f)) for f in (np.sin, np.exp, np.sqrt, np.negative, np.absolute) for form in _FORMS],
    *[S(f, A(2, 3), A(2, 3, seed=1, low=0.45, high=1.9), f=form(f))
      for f in (np.add, np.multiply, np.divide, np.power, np.maximum, np.hypot) for form in _FORMS],
    *[S(f, A(2, 3), A(3, seed=1, low=0.45, high=1.9), f=form(f)) for f in (np.multiply, np.subtract) for form in _FORMS],
    S(np.power, A(2, 3), A(2, 3, seed=1), f=_power_chain),
    S(np.divmod, A(2, 3), A(2, 3, seed=1, low=0.45, high=1.9), f=_swapped_divmod,
      leave_out=("shared",), why="x % x stands on the jump of the quotient"),
    *[S(f, A(2, 3), A(3, seed=1), dtype=np.complex128) for f in (np.add, np.multiply, np.power)],
    *[S(f, A(2, 3), A(3, seed=1), dtype=np.float32, casting="same_kind", order=1,
        leave_out=("reverse", "forward", "adjoint", "batch"), why="float32 has too few digits; the float32 test compares it")
      for f in (np.add, np.multiply)],
    S(np.exp, C(3), dtype=np.complex128),
    S(np.add, A(2, 3), A(2, 3, seed=1), order=2, f=lambda x, y: np.add(x, y, order="F")),
    S(np.add, A(2, 3), A(2, 3, seed=1), f=lambda x, y: x + y),
    S(np.subtract, A(2, 3), f=lambda x: 2 - x),
    S(np.divide, A(2, 3), f=lambda x: 1 / x),
    S(np.power, A(2, 3), f=lambda x: x**2),
    S(np.power, A(2, 3), f=lambda x: 2**x),
    S(np.power, A(2, 3), f=lambda x: x**-1),
    S(np.power, A(2, 3), f=lambda x: x**0.5),
    S(np.remainder, A(2, 3), f=lambda x: x % 0.25),
    S(np.floor_divide, A(2, 3), f=lambda x: x // 0.25 * x),
    S(np.divmod, A(2, 3), f=lambda x: divmod(x, 0.25)),
    S(np.absolute, A(2, 3), f=lambda x: abs(-x)),
    S(np.conjugate, C(2, 3), f=lambda x: x.conj() * x.conjugate()),
    S(np.multiply, A(2, 3), A(3), f=lambda x, y: _in_place(x, y)),
]  # fmt: skip


def _in_place(x: Any, y: Any) -> Any:
    made = np.array(x)
    made *= y
    made += x
    made -= y * y
    made /= x
    made **= 2
    made %= 100.0
    made += made
    made *= made
    return made


# --- clip ----------------------------------------------------------------------------------------------------------

CLIP = [
    S(clip_ufunc(), A(2, 3), A(3, low=0.5, high=0.7, seed=1), A(2, 1, low=1.0, high=1.2, seed=2),
      leave_out=("shared",), why=_SHARED_KINK),
    S(clip_ufunc(), A(2, 3), 0.6, 1.1),
    S(clip_ufunc(), D([0.1, 0.9, 2.0]), D([1.1, 1.2, 1.3]), D([0.5, 0.6, 0.7])),
    _at_kink(clip_ufunc(), D([0.0, 0.5, 1.0, 2.0]), D([0.0, 0.0, 0.0, 0.0]), D([1.0, 1.0, 1.0, 2.0])),
    S(clip_ufunc(), C(2, 3), C(3, seed=1), C(2, 1, seed=2)),
    S(clip_ufunc(), D([0.5 + 0.2j, 0.1 - 0.4j, 0.9 + 0.3j]), 0.2 + 0.1j, D([0.8 - 0.3j, 0.7 + 0.2j, 0.6 + 0.9j])),
    S(np.clip, A(2, 3), 0.6, 1.1),
    S(np.clip, A(2, 3), A(3, low=0.5, high=0.7, seed=1), A(2, 1, low=1.0, high=1.2, seed=2)),
    S(np.clip, A(2, 3), None, 1.1),
    S(np.clip, A(2, 3), A(3, seed=4), None),
    S(np.clip, A(2, 3), f=lambda x: x.clip(0.6, 1.1)),
    S(np.clip, A(2, 3), f=lambda x: x.clip(min=0.6)),
]  # fmt: skip

# --- Methods of ufuncs ---------------------------------------------------------------------------------------------

_REDUCED = (np.add, np.multiply, np.maximum, np.minimum, np.logaddexp, np.hypot)
# NumPy reduces these over one axis only. float_power is power here: NumPy 2.4 reduces np.power wrongly, which is refused.
_ORDERED = (np.subtract, np.divide, np.float_power)


def _method(ufunc: Any, name: str, *args: Any, **kwargs: Any) -> S:
    return S(ufunc, *args, f=_Method(ufunc, name), **kwargs)


class _Method:
    """A ufunc's method, with a name that shows in the test's id."""

    def __init__(self, ufunc: Any, name: str) -> None:
        self.ufunc = ufunc
        self.name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.ufunc, self.name)(*args, **kwargs)

    def __repr__(self) -> str:
        return f"{self.ufunc.__name__}.{self.name}"


class _At(_Method):
    """``ufunc.at`` on a copy of the first argument."""

    def __call__(self, x: Any, indices: Any, *operands: Any) -> Any:
        x = np.array(x)
        self.ufunc.at(x, indices, *operands)
        return x


_REPEATED = np.array([0, 2, 0, 0, 1])

METHODS = [
    *[_method(f, "reduce", A(2, 3, 4), axis=axis) for f in _REDUCED for axis in (0, 1, -1, None, (0, 2), (-1, 1))],
    *[_method(f, "reduce", A(2, 3, 4), axis=axis, keepdims=True) for f in _REDUCED for axis in (0, None, (0, 2))],
    *[_method(f, "reduce", A(2, 3)) for f in _REDUCED + _ORDERED],
    *[_method(f, "reduce", A(2, 3), axis=1) for f in _ORDERED],
    *[_method(f, "reduce", A(2, 3), axis=1, keepdims=True) for f in _ORDERED],
    *[_method(f, "reduce", A(4)) for f in _REDUCED + _ORDERED],
    *[_method(f, "reduce", A(2, 3), axis=1, initial=1.05) for f in _REDUCED + _ORDERED],
    *[_method(f, "reduce", A(2, 3), axis=None, initial=0.4) for f in _REDUCED],
    *[_method(f, "reduce", A(2, 3), axis=axis, where=_MASK) for f in (np.add, np.multiply) for axis in (0, 1, None)],
    *[_method(f, "reduce", A(2, 3), axis=axis, where=_MASK, initial=0.9)
      for f in (np.add, np.multiply, np.maximum, np.minimum, np.logaddexp, np.hypot) for axis in (0, 1)],
    *[_method(f, "reduce", C(2, 3), axis=1) for f in (np.add, np.multiply)],
    *[_method(f, "reduce", A(0, 3)) for f in (np.add, np.multiply)],
    _method(np.multiply, "reduce", D([[0.0, 2.0, 3.0], [0.0, 0.0, 4.0], [0.0, 0.0, 0.0]]), axis=1),
    *[_method(f, "accumulate", A(2, 3)) for f in _REDUCED + _ORDERED],
    *[_method(f, "accumulate", A(2, 3), axis=-1) for f in _REDUCED + _ORDERED],
    *[_method(f, "accumulate", C(2, 3), axis=1) for f in (np.add, np.multiply, np.subtract)],
    *[_method(f, "reduceat", A(6), [0, 3, 1, 5]) for f in _REDUCED + _ORDERED],
    *[_method(f, "reduceat", A(4, 3), [0, 2], axis=0) for f in _REDUCED + _ORDERED],
    *[_method(f, "reduceat", A(3, 4), [0, 2, 2], axis=1) for f in (np.add, np.multiply, np.maximum)],
    *[_method(f, "outer", A(3), A(2, seed=1, low=0.45, high=1.9)) for f in _REDUCED + _ORDERED],
    *[_method(f, "outer", A(2, 2), A(3, seed=1, low=0.45, high=1.9)) for f in _REDUCED + _ORDERED],
    *[_method(f, "outer", A(3), 0.8) for f in (np.add, np.multiply, np.divide)],
    *[S(f, A(3), _REPEATED, A(5, seed=1, low=0.45, high=1.9), f=_At(f, "at")) for f in _REDUCED + _ORDERED],
    *[S(f, A(3), _REPEATED, 0.8, f=_At(f, "at")) for f in (np.add, np.subtract, np.multiply, np.divide, np.power)],
    *[S(f, A(3, 2), [0, 2, 0], A(3, 2, seed=1, low=0.45, high=1.9), f=_At(f, "at"))
      for f in (np.add, np.multiply, np.maximum)],
    *[S(f, A(3, 2), ([0, 2, 0], [1, 1, 1]), A(3, seed=1), f=_At(f, "at")) for f in (np.add, np.subtract, np.multiply)],
    *[S(f, A(3), _REPEATED, f=_At(f, "at")) for f in (np.negative, np.sin, np.sqrt)],
    *[S(f, A(3), np.array([True, False, True]), A(2, seed=1), f=_At(f, "at")) for f in (np.add, np.multiply)],
]  # fmt: skip

SAMPLES = [*UNARY, *BINARY, *FORMS, *CLIP, *METHODS]
