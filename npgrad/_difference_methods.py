"""How difference quotients are taken: one element of the argument at a time, within bounds, with an error estimate."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from ._structure import flatten, map_structure


class Difference(NamedTuple):
    """A derivative by differences, what its own error may be, and its cost.

    ``error`` has the structure of ``derivative``; it is an estimate, not a bound. ``evaluations`` counts calls of the
    function.

    Examples
    --------
    >>> import numpy as np
    >>> from npgrad import finite_difference
    >>> found = finite_difference.grad(np.sin, return_error=True)(0.5)
    >>> found.evaluations, bool(abs(found.derivative - np.cos(0.5)) < 10 * found.error)
    (5, True)
    """

    derivative: Any
    error: Any
    evaluations: int


class FlatFunction:
    """A function of one flat array, with flat values; counts its calls."""

    def __init__(self, f: Callable, args: tuple, kwargs: dict, number: int) -> None:
        self.f, self.args, self.kwargs, self.number = f, args, kwargs, number
        self.evaluations = 0
        self.point = _real_point(args[number], number)

    def __call__(self, flat: ndarray) -> ndarray:
        args = [map_structure(_copied, arg) for arg in self.args]
        args[self.number] = flat.reshape(self.point.shape).copy() if self.point.ndim else flat[0]
        self.evaluations += 1
        leaves, self.build = flatten(self.f(*args, **{k: map_structure(_copied, v) for k, v in self.kwargs.items()}))
        self.leaves = [np.array(_numeric(leaf, self.f)) for leaf in leaves]
        return np.concatenate([np.zeros(0), *[leaf.ravel() for leaf in self.leaves]])

    def structured(self, columns: ndarray) -> Any:
        """The derivative in the structure of the value, from an array of shape (values, elements of the argument)."""
        parts, start = [], 0
        for leaf in self.leaves:
            part = columns[start : start + leaf.size].reshape(leaf.shape + self.point.shape)
            parts.append(part[()])
            start += leaf.size
        return self.build(parts)


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, ndarray) else value


def _real_point(value: Any, number: int) -> ndarray:
    point = np.array(value)
    if point.dtype.kind != "f":
        raise TypeError(f"argument {number} has dtype {point.dtype}; differences need a real floating argument")
    return point


def _numeric(leaf: Any, f: Callable) -> Any:
    if np.asarray(leaf).dtype.kind not in "biufc":
        raise TypeError(f"{getattr(f, '__name__', f)} returned {type(leaf).__name__}; differences need numbers or arrays")
    return leaf


class Element:
    """The function along one element of its argument: the step, and how much room the bounds leave."""

    def __init__(self, function: FlatFunction, x: ndarray, value: ndarray, index: int, step: Any, bounds: tuple) -> None:
        self.function, self.x, self.value, self.index, self.bounds = function, x, value, index, bounds
        below, above = x[index] - bounds[0], bounds[1] - x[index]
        # Towards the side with more room where both do not fit.
        self.sign = 1 if step <= above or above >= below else -1
        self.two_sided = step <= min(below, above)
        self.step = step if self.two_sided else min(step, max(below, above))
        self.eps = np.finfo(x.dtype).eps

    def at(self, shift: Any) -> ndarray:
        moved = self.x.copy()
        moved[self.index] = np.clip(moved[self.index] + shift, *self.bounds)  # rounding may not leave the bounds either
        return self.function(moved)

    def exact_step(self, h: Any) -> Any:
        """A step that the argument can hold exactly, so that the quotient divides by what was really added."""
        return (self.x[self.index] + self.sign * h) - self.x[self.index]

    def rounding(self, h: Any) -> ndarray:
        return self.eps * np.abs(self.value) / np.abs(h)

    def forward(self, h: Any) -> ndarray:
        h = self.exact_step(h)
        return (self.at(h) - self.value) / h

    def central(self, h: Any) -> ndarray:
        h = self.exact_step(h)
        return (self.at(h) - self.at(-h)) / (2 * h)

    def second_order(self, h: Any) -> ndarray:
        """Central differences, or the one-sided formula of the same order where a bound is near."""
        if self.two_sided:
            return self.central(h)
        h = self.exact_step(h / 2)
        return (4 * self.at(h) - 3 * self.value - self.at(2 * h)) / (2 * h)


def _compared(quotient: Callable, element: Element, order: int, with_error: bool) -> tuple[ndarray, Any]:
    """A difference quotient, and how far it moves when the step is halved (Richardson's estimate of what is left)."""
    column = quotient(element.step)
    if not with_error:
        return column, 0.0
    coarse_over_fine = 2**order / (2**order - 1)
    moved = np.abs(column - quotient(element.step / 2)) * coarse_over_fine
    return column, moved + element.rounding(element.step)


def _two_point(element: Element, with_error: bool) -> tuple[ndarray, Any]:
    return _compared(element.forward, element, 1, with_error)


def _three_point(element: Element, with_error: bool) -> tuple[ndarray, Any]:
    return _compared(element.second_order, element, 2, with_error)


_DROPPED = (
    "the function dropped the imaginary part of its argument (a real buffer, abs, float), so the complex step cannot see "
    'the derivative; use method="richardson"'
)


def _complex_step(element: Element, with_error: bool) -> tuple[ndarray, Any]:
    moved = element.x.astype(np.result_type(element.x, np.complex64))
    moved[element.index] += 1j * element.step
    if np.iscomplexobj(element.value):
        raise TypeError('the complex step needs a function that is real for real arguments; use method="richardson"')
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            value = element.function(moved)
        except np.exceptions.ComplexWarning as warning:
            raise TypeError(_DROPPED) from warning
    if not np.iscomplexobj(value):
        raise TypeError(_DROPPED)
    column = value.imag / element.step
    return column, element.eps * np.abs(column)


_LEVELS = 10


def _richardson(element: Element, with_error: bool) -> tuple[ndarray, Any]:
    quotient, power = (element.central, 2) if element.two_sided else (element.forward, 1)
    previous = [quotient(element.step)]
    best = previous[0]
    error = np.full(best.shape, np.inf)
    for level in range(1, _LEVELS):
        h = element.step / 2**level
        row = [quotient(h)]
        for j, coarse in enumerate(previous, start=1):
            factor = 2.0 ** (power * j)
            row.append((factor * row[-1] - coarse) / (factor - 1))
            # Ridders' estimate; two steps that give the very same quotient still carry the rounding of the values.
            estimate = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - coarse)) + element.rounding(h)
            better = estimate < error
            best, error = np.where(better, row[-1], best), np.where(better, estimate, error)
        if (np.abs(row[-1] - previous[-1]) >= 2 * error).all():
            break
        previous = row
    return best, error


class Method(NamedTuple):
    column: Callable[[Element, bool], tuple[ndarray, Any]]
    step: Callable[[Any], Any]


METHODS = {
    "2-point": Method(_two_point, lambda eps: eps ** (1 / 2)),
    "3-point": Method(_three_point, lambda eps: eps ** (1 / 3)),
    "richardson": Method(_richardson, lambda eps: 1 / 16),
    "complex-step": Method(_complex_step, lambda eps: 1e-20),
}


def _steps(x: ndarray, shape: tuple, method: Method, step: Any) -> ndarray:
    if step is None:
        return np.asarray(method.step(float(np.finfo(x.dtype).eps)) * np.maximum(1, np.abs(x)), x.dtype)
    steps = np.broadcast_to(np.asarray(step, x.dtype), shape).ravel()
    if not (steps > 0).all():
        raise ValueError(f"step must be positive, got {step!r}")
    return steps


def _bounds(x: ndarray, shape: tuple, bounds: Any) -> list[tuple]:
    lower, upper = (-np.inf, np.inf) if bounds is None else bounds
    lower, upper = (np.broadcast_to(np.asarray(b, x.dtype), shape).ravel() for b in (lower, upper))
    if not ((lower <= x) & (x <= upper) & (lower < upper)).all():
        raise ValueError("the point lies outside of the bounds, or they leave no room for a step")
    return list(zip(lower, upper, strict=True))


def differences(
    f: Callable, args: tuple, kwargs: dict, number: int, method: Method, step: Any, bounds: Any, with_error: bool
) -> Difference:
    if not -len(args) <= number < len(args):
        raise ValueError(
            f"argnums {number}, but the function was called with {len(args)} positional arguments; "
            "give what is differentiated by position, not by keyword"
        )
    function = FlatFunction(f, args, kwargs, number % len(args))
    x = function.point.ravel()
    value = function(x)
    steps = _steps(x, function.point.shape, method, step)
    limits = _bounds(x, function.point.shape, bounds)
    columns = np.zeros((value.size, x.size), np.result_type(value, x))
    errors = np.zeros((value.size, x.size), x.dtype)
    for index, (h, limit) in enumerate(zip(steps, limits, strict=True)):
        element = Element(function, x, value, index, h, limit)
        columns[:, index], errors[:, index] = method.column(element, with_error)
    return Difference(function.structured(columns), function.structured(errors), function.evaluations)
