"""Entry points: Python's own floats and complex numbers.

NumPy lets a number of Python's take the precision of the array or scalar that it meets: ``1.5 * np.float32(2)`` is a
float32, ``np.float64(1.5) * np.float32(2)`` is not. What a user watches as a number of Python's, and what ``math`` gives,
is a `PythonNumber`: with its like it computes as Python does (and divides by zero as Python does); beside data of less
precision it is cast first, by a recorded call.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from . import rules as rules
from ._elementwise import REFLECTED, binary_operator, is_operator, unary_operator
from ._operators import DIFFERENTIABLE, UNARY_OPERATORS, beside, constant_operator
from ._registry import RULES
from ._traced import PythonNumber, TracedArray, standing_for

_float64, _complex128 = np.float64, np.complex128


def _numbers(operands: tuple) -> list:
    return [v.item() if isinstance(v, np.generic) else v for v in operands]


def _in_python(op: Callable) -> Callable:
    """An operator of Python's on NumPy scalars that stand for its numbers."""

    def call(*operands: Any) -> Any:
        result = op(*_numbers(operands))
        return _complex128(result) if type(result) is complex else _float64(result)

    return call


# Of these NumPy's scalars have the same bits as Python's numbers, the last but where a complex number of Python's is one.
_SAME = {"add": operator.add, "sub": operator.sub, "mul": operator.mul}
_REAL = frozenset([float, PythonNumber, int, bool])
_ARRAYS_AND_NUMBERS = (np.ndarray, np.generic, numbers.Number, list, tuple)


def _install(name: str, of_numbers: Callable, of_complex: Callable, reflected: bool = False) -> None:
    general = getattr(TracedArray, name)

    def method(self: PythonNumber, other: Any) -> Any:
        kind = type(other)
        if kind in _REAL:
            return of_numbers(other, self) if reflected else of_numbers(self, other)
        if kind is complex:
            return of_complex(other, self) if reflected else of_complex(self, other)
        if not reflected and isinstance(other, float) and isinstance(self, complex):
            return of_complex(self, other)  # Python's complex numbers take a double of NumPy's for a float
        if not (isinstance(other, _ARRAYS_AND_NUMBERS) or hasattr(kind, "__array__")):
            return NotImplemented  # as Python's numbers do: else a `timedelta`, which knows only these, would ask for ever
        number = beside(self, other)
        return general(self, other) if number is self else getattr(number, name)(other)

    method.__name__ = name
    method.__qualname__ = f"PythonNumber.{name}"
    setattr(PythonNumber, name, method)


def _of_numbers(name: str, op: Callable) -> Callable:
    return binary_operator(RULES[DIFFERENTIABLE[name]], op, None, PythonNumber)


for _name in (*DIFFERENTIABLE, "floordiv"):
    _op = getattr(operator, _name)
    if _name in DIFFERENTIABLE:
        _exact = _of_numbers(_name, _in_python(_op))
        _call = _of_numbers(_name, _SAME[_name]) if _name in _SAME else _exact
    else:
        _exact = _call = constant_operator(lambda a, b: operator.floordiv(*_numbers((a, b))))
    _install(f"__{_name}__", _call, _exact)
    _install(f"__r{_name}__", _call, _exact, reflected=True)
    # A number cannot be changed: the name is bound to a new one.
    setattr(PythonNumber, f"__i{_name}__", getattr(PythonNumber, f"__{_name}__"))

for _name, _ufunc in UNARY_OPERATORS.items():
    setattr(PythonNumber, f"__{_name}__", unary_operator(RULES[_ufunc], _in_python(getattr(operator, _name)), PythonNumber))



setattr(PythonNumber, "__repr__", lambda self: repr(self._bare.item()))


def _divmod(a: Any, b: Any) -> tuple[Any, Any]:
    return a // b, a % b


_install("__divmod__", _divmod, _divmod)
_install("__rdivmod__", _divmod, _divmod, reflected=True)


def _as_pythons(value: Any) -> Any:
    return standing_for(PythonNumber, value) if isinstance(value, TracedArray) else value.item()


setattr(PythonNumber, "real", property(lambda self: _as_pythons(TracedArray.real.__get__(self))))
setattr(PythonNumber, "imag", property(lambda self: _as_pythons(TracedArray.imag.__get__(self))))
setattr(PythonNumber, "conjugate", lambda self: _as_pythons(TracedArray.conjugate(self)))

# Functions that take arguments for the numbers that they are, from this position on; all others make arrays of them.
_WEAK: dict[Callable, int] = {np.where: 1, np.clip: 1}


def __array_ufunc__(self: PythonNumber, ufunc: Any, method: Any, *inputs: Any, **kwargs: Any) -> Any:
    name = REFLECTED.get(ufunc)
    if name is not None and len(inputs) == 2 and isinstance(inputs[0], np.generic) and is_operator(1):
        return getattr(self, name)(inputs[0])
    if method != "__call__":
        inputs = tuple(map(_as_numpys, inputs))
    elif "dtype" not in kwargs:
        inputs = tuple([beside(v, *inputs) for v in inputs])
    return TracedArray.__array_ufunc__(self, ufunc, method, *inputs, **kwargs)


def __array_function__(self: PythonNumber, func: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
    first = _WEAK.get(func, len(args))
    args = tuple([_as_numpys(v) if i < first else v for i, v in enumerate(args)])
    others = (*args, *kwargs.values())
    args = tuple([beside(v, *others) for v in args])
    kwargs = {name: beside(v, *others) if func in _WEAK else _as_numpys(v) for name, v in kwargs.items()}
    return TracedArray.__array_function__(self, func, types, args, kwargs)


def _as_numpys(value: Any) -> Any:
    return standing_for(TracedArray, value) if type(value) is PythonNumber else value


for _entry in (__array_ufunc__, __array_function__):
    setattr(PythonNumber, _entry.__name__, _entry)
