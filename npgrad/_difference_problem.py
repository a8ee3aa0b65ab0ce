"""What differences are taken with: the method by its name, steps and bounds for all elements, what they make together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._difference_methods import METHODS, Method, Problem
from ._flat_function import FlatFunction


def method_named(name: str) -> Method:
    if name not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {name!r}")
    return METHODS[name]


def steps_for(function: FlatFunction, step: Any) -> ndarray | None:
    """The user's steps for all elements."""
    if step is None:
        return None
    steps = function.beside(step, function.x.dtype)
    if not (steps > 0).all():
        raise ValueError(f"step must be positive, got {step!r}")
    return steps


def limits_for(function: FlatFunction, bounds: Any) -> tuple[ndarray, ndarray]:
    if bounds is not None and function.is_complex:
        raise TypeError("bounds are for real arguments: complex numbers have no order")
    low, high = (-np.inf, np.inf) if bounds is None else bounds
    lower, upper = function.beside(low, function.x.dtype), function.beside(high, function.x.dtype)
    if not ((lower <= function.x) & (function.x <= upper) & (lower < upper)).all():
        raise ValueError("the point lies outside of the bounds, or they leave no room for a step")
    return lower, upper


def problem_at(
    function: FlatFunction, call: Callable, x: ndarray, how: Method, steps: ndarray | None, limits: tuple[ndarray, ndarray]
) -> Problem:
    """``call`` is the function itself, or a derivative of it."""
    value = call(x)
    eps = np.maximum(function.eps, function.value_eps).astype(x.dtype)
    if steps is None:
        steps = np.asarray(how.step(eps) * np.maximum(1, np.abs(x)), x.dtype)
        steps = np.maximum(steps, np.finfo(x.dtype).tiny)  # half precision does not hold that of the complex step
    return Problem(call, function.held, x, value, eps, steps, *limits)


def check_real(function: FlatFunction, what: str) -> None:
    if function.is_complex:
        raise TypeError(f"{what} needs real arguments")
