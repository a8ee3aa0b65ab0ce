"""Entry points: Python's operators. They compute with the same operators on plain data, so that values are those of the
plain program to the last bit (``x ** 2`` and ``np.power(x, 2)`` need not be)."""

from __future__ import annotations

import operator
from collections.abc import Callable
from numbers import Rational
from typing import Any

import numpy as np
from numpy import ndarray

from . import rules as rules  # the declarations must stand before operators are made from them
from ._dispatch import call_rule, check_outside
from ._elementwise import ACCEPTED, binary_operator, in_place_operator, short_in_place_operator, unary_operator
from ._handed_out import handed_out
from ._holders import is_foreign, lent, nothing_tracked
from ._own_answers import wraps
from ._record import note_cut, noting, recording
from ._registry import RULES
from ._traced import PythonNumber, TracedArray, adopt, again, completing, traced_leaves, unwrap

_OPERATORS = {"__divmod__": divmod, **{name: call for name, call in list(vars(operator).items()) if name.startswith("__")}}
# What has less precision than Python's numbers, by the code of its dtype.
_NARROW = frozenset("efF")


def beside(number: Any, *others: Any) -> Any:
    """What stands for a number of Python's among the other operands of a call: cast to their precision, as NumPy does it."""
    if type(number) is not PythonNumber:
        return number
    strong = [v.dtype for v in others if type(v) is not PythonNumber and isinstance(v, (ndarray, np.generic))]
    if not any(dtype.char in _NARROW for dtype in strong):
        return number
    kind = np.result_type(*strong, number._bare.item())
    return number if kind == np.result_type(*strong, number._bare) else number.astype(kind)


def _takes_over(self: TracedArray, other: Any, name: str) -> bool:
    """Whether an operation of an element is left to the other operand, an object that is neither number nor array (a dual
    number, a quantity). NumPy asks it as well, by way of an array of objects."""
    kind = type(other)
    return (
        type(self._bare) is not ndarray
        and hasattr(kind, name)
        and not any(hasattr(kind, mark) for mark in ("__array__", "__array_interface__", "__array_ufunc__", "__len__"))
    )


def _gives_way(self: TracedArray, other: Any) -> bool:
    """Whether NumPy leaves an operation to an object that asks for it by its ``__array_priority__``."""
    if isinstance(other, ndarray) or hasattr(type(other), "__array_ufunc__"):
        return False
    own: float = self._bare.__array_priority__
    return getattr(other, "__array_priority__", own) > own


def _taken(self: TracedArray, other: Any) -> Any:
    """What NumPy takes an object for: beside an element for the array that it gives, which no ``__array_wrap__`` follows."""
    return handed_out(other) if wraps(other) and type(self._bare) is not ndarray else other


def _install(name: str, method: Callable) -> None:
    method.__name__ = name
    method.__qualname__ = f"TracedArray.{name}"
    setattr(TracedArray, name, method)


def _beside_foreign(name: str, self: TracedArray, other: Any) -> Any:
    """The operator with an array of another class, whose own arithmetic computes where no tape tracks either."""
    if not nothing_tracked((self, other)):
        return getattr(ndarray, name)(self, other)  # which refuses
    reflected = name.startswith("__r") and f"__{name[3:]}" in _OPERATORS
    op = _OPERATORS[f"__{name[3:]}" if reflected else name]
    return op(other, lent(self)) if reflected else op(lent(self), other)


def _forward(name: str, call: Callable) -> Callable:
    numpys = getattr(ndarray, name)

    def method(self: TracedArray, other: Any) -> Any:
        try:
            if isinstance(other, TracedArray) or type(other) in ACCEPTED:
                return call(self, beside(other, self))
            if isinstance(other, (str, bytes)):
                return call(self, other)  # a comparison that NumPy makes without a hook, or its error
            if isinstance(other, Rational) and type(self._bare) is not ndarray:
                return call(self, float(other))  # as Python does with a Fraction and a float
            if _gives_way(self, other):
                return NotImplemented
        except AttributeError:
            return again(method, self, other)
        return _beside_foreign(name, self, other) if is_foreign(other) else numpys(self, _taken(self, other))

    return method


def _of_unknown(name: str) -> Callable:
    """The operator for a second operand that is neither an array nor a number of Python's or NumPy's."""
    numpys = getattr(ndarray, name)
    reflected = f"__r{name[2:]}"

    def otherwise(self: TracedArray, other: Any) -> Any:
        if isinstance(other, Rational) and type(self._bare) is not ndarray:
            return getattr(self, name)(float(other))
        if _takes_over(self, other, reflected) or _gives_way(self, other):
            return NotImplemented
        return _beside_foreign(name, self, other) if is_foreign(other) else numpys(self, _taken(self, other))

    return otherwise


def _numpy_complex(op: Callable) -> Callable:
    return lambda a, b: np.complex128(op(a, b))


def _reflected(name: str, call: Callable, complex_call: Callable | None = None) -> Callable:
    """``complex_call`` is for what Python computes by itself, as ``1j + np.float64(2)``: it takes NumPy's doubles for its
    own, and the result is its own complex number."""
    numpys = getattr(ndarray, name)

    def method(self: TracedArray, other: Any) -> Any:
        try:
            if type(other) is complex and complex_call is not None and isinstance(self._bare, float):
                return complex_call(other, self)
            if isinstance(other, TracedArray) or type(other) in ACCEPTED:
                return call(other, self)
            if isinstance(other, Rational) and type(self._bare) is not ndarray:
                return call(float(other), self)
        except AttributeError:
            return again(method, self, other)
        return _beside_foreign(name, self, other) if is_foreign(other) else numpys(self, _taken(self, other))

    return method


def constant_operator(op: Callable) -> Callable:
    """An operator whose result is piecewise constant."""

    def call(a: Any, b: Any) -> Any:
        result = op(unwrap(a), unwrap(b))
        if recording():
            if noting:
                note_cut([t._storage for t in traced_leaves([a, b])], f"{op.__name__} is piecewise constant")
            return tuple(map(adopt, result)) if type(result) is tuple else adopt(result)
        check_outside(a, b)
        return result

    return call


DIFFERENTIABLE = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.divide,
    "mod": np.remainder,
    "pow": np.power,
}

for _name, _ufunc in DIFFERENTIABLE.items():
    _rule = RULES[_ufunc]
    _call = binary_operator(_rule, getattr(operator, _name), _of_unknown(f"__{_name}__"))
    _in_place = in_place_operator(_rule, getattr(operator, f"i{_name}"), _call)
    _install(f"__{_name}__", _call)
    _complex_call = binary_operator(_rule, _numpy_complex(getattr(operator, _name)), None, PythonNumber)
    _reflected_call = binary_operator(_rule, getattr(operator, _name))
    _install(f"__r{_name}__", _reflected(f"__r{_name}__", _reflected_call, _complex_call))
    _general = _forward(f"__i{_name}__", _in_place)
    _install(f"__i{_name}__", short_in_place_operator(_rule, getattr(operator, f"i{_name}"), _general))


def _matmul(a: Any, b: Any) -> Any:
    return call_rule(RULES[np.matmul], operator.matmul, (a, b), {})


_install("__matmul__", _forward("__matmul__", _matmul))
_install("__rmatmul__", _reflected("__rmatmul__", _matmul))


def _matmul_in_place(a: TracedArray, b: Any) -> Any:
    return NotImplemented if isinstance(a._bare, np.generic) else ndarray.__imatmul__(a, b)


_install("__imatmul__", completing(_matmul_in_place))

_floor_divide = constant_operator(operator.floordiv)
_install("__floordiv__", _forward("__floordiv__", _floor_divide))
_install("__rfloordiv__", _reflected("__rfloordiv__", _floor_divide))


def _floor_divide_in_place(a: TracedArray, b: Any) -> Any:
    if isinstance(a._bare, np.generic):
        return NotImplemented  # a NumPy scalar cannot be changed: the name is bound to a new one
    return np.floor_divide(a, b, out=a)


_install("__ifloordiv__", completing(_floor_divide_in_place))


def _divmod(a: Any, b: Any) -> tuple[Any, Any]:
    divmod(unwrap(a), unwrap(b))  # for its warnings
    with np.errstate(all="ignore"):
        return _floor_divide(a, b), a % b


_install("__divmod__", _forward("__divmod__", _divmod))
_install("__rdivmod__", _reflected("__rdivmod__", _divmod))

for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    _install(f"__{_name}__", _forward(f"__{_name}__", constant_operator(getattr(operator, _name))))

UNARY_OPERATORS = {"neg": np.negative, "pos": np.positive, "abs": np.absolute}

for _name, _unary in UNARY_OPERATORS.items():
    _install(f"__{_name}__", unary_operator(RULES[_unary], getattr(operator, _name)))
