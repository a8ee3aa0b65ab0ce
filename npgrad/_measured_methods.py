"""The ways to a Jacobian that `npgrad.compare` measures: npgrad's sweeps, its differences, other packages where installed.

Each gives a matrix of shape (values, elements of the argument), and what it says of its own error if it says so.
"""

from __future__ import annotations

import functools
import importlib
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from . import finite_difference
from ._flat_function import FlatFunction
from ._functional import value_and_jacobian
from ._structure import flatten, map_structure


class Progress:
    """What is being done, on a terminal, once it takes longer than a moment."""

    def __init__(self, shown: bool) -> None:
        self.shown, self.label, self.started, self.last = shown, "", time.perf_counter(), 0.0
        self.width = 0

    def start(self, label: str) -> None:
        self.label, self.started, self.calls = label, time.perf_counter(), 0

    def tick(self) -> None:
        self.calls += 1
        now = time.perf_counter()
        if self.shown and now - self.started > 1 and now - self.last > 0.5:
            self.last = now
            self._write(f"{self.label}: {self.calls} evaluations, {now - self.started:.0f} s")

    def clear(self) -> None:
        if self.width:
            self._write("")

    def _write(self, text: str) -> None:
        sys.stderr.write("\r" + text.ljust(self.width) + ("" if text else "\r"))
        sys.stderr.flush()
        self.width = len(text)


class Problem:
    """The function to differentiate by one of its arguments; its calls are counted."""

    def __init__(
        self, f: Callable, args: tuple, number: int, step: Any, bounds: tuple | None, leaks: str, progress: Progress
    ) -> None:
        if not -len(args) <= number < len(args):
            raise ValueError(f"argnums {number} but there are {len(args)} positional arguments")
        self.f, self.args, self.number = f, args, number % len(args)
        self.step, self.bounds, self.leaks = step, bounds, leaks
        self.calls = 0

        @functools.wraps(f)
        def counted(*args: Any) -> Any:
            self.calls += 1
            progress.tick()
            return f(*args)

        self.counted = counted
        self.flat = FlatFunction(counted, args, {}, self.number)
        self.x = self.flat.x
        self.value = self.flat(self.x)

    def copies(self) -> list:
        """The arguments anew: legacy functions overwrite theirs."""
        return [map_structure(lambda leaf: leaf.copy() if isinstance(leaf, ndarray) else leaf, arg) for arg in self.args]

    def matrix(self, derivative: Any) -> ndarray:
        """A derivative in the structure of the value as one matrix."""
        rows = [np.asarray(part).reshape(-1, self.x.size) for part in flatten(derivative)[0]]
        return np.concatenate([np.zeros((0, self.x.size)), *rows])


class Method(NamedTuple):
    """How to run it; how to learn its own error where this costs further evaluations; the module that it needs."""

    run: Callable[[Problem], tuple[ndarray, ndarray | None]]
    estimate: Callable[[Problem], ndarray] | None = None
    module: str = ""

    def is_there(self) -> bool:
        """Whether its package is installed; it is imported, so that no measurement has to."""
        try:
            return not self.module or bool(importlib.import_module(self.module))
        except ImportError:
            return False


def _npgrad(mode: str) -> Method:
    def run(problem: Problem) -> tuple[ndarray, None]:
        both = value_and_jacobian(problem.f, problem.number, mode=mode, leaks=problem.leaks)
        _, derivative = both(*problem.copies())
        problem.calls += 1
        return problem.matrix(derivative), None

    return Method(run)


def _differences(problem: Problem, method: str, step: Any, with_error: bool) -> Any:
    differentiate = finite_difference.jacobian(
        problem.counted, problem.number, method=method, step=step, bounds=problem.bounds, return_error=with_error
    )
    return differentiate(*problem.args)


def _in_two_runs(method: str) -> Method:
    """Quotients that need a second round of evaluations to know their error."""

    def run(problem: Problem) -> tuple[ndarray, None]:
        return problem.matrix(_differences(problem, method, None, False)), None

    def estimate(problem: Problem) -> ndarray:
        return problem.matrix(_differences(problem, method, None, True).error)

    return Method(run, estimate)


def _in_one_run(method: str) -> Method:
    def run(problem: Problem) -> tuple[ndarray, ndarray]:
        found = _differences(problem, method, problem.step if method == "richardson" else None, True)
        return problem.matrix(found.derivative), problem.matrix(found.error)

    return Method(run)


def _square(problem: Problem, rows: Any) -> ndarray:
    return np.asarray(rows).reshape(problem.value.size, problem.x.size)


_SCIPY = "scipy.optimize._numdiff"


def _scipy(method: str) -> Method:
    def run(problem: Problem) -> tuple[ndarray, None]:
        module = importlib.import_module(_SCIPY)
        bounds = (-np.inf, np.inf) if problem.bounds is None else problem.bounds
        return _square(problem, module.approx_derivative(problem.flat, problem.x, method, bounds=bounds)), None

    return Method(run, module=_SCIPY)


def _numdifftools(problem: Problem) -> tuple[ndarray, ndarray]:
    # The error stands beside the estimate from release 0.11 on, before that in an object of its own.
    found, error, *_ = importlib.import_module("numdifftools").Jacobian(problem.flat, full_output=True)(problem.x)
    return _square(problem, found), _square(problem, getattr(error, "error_estimate", error))


def _jacobi(problem: Problem) -> tuple[ndarray, ndarray]:
    found, error = importlib.import_module("jacobi").jacobi(problem.flat, problem.x)
    return _square(problem, found), _square(problem, error)


NPGRAD = {"npgrad reverse": _npgrad("reverse"), "npgrad forward": _npgrad("forward")}
DIFFERENCES = {
    "2-point": _in_two_runs("2-point"),
    "3-point": _in_two_runs("3-point"),
    "richardson": _in_one_run("richardson"),
    "complex-step": _in_one_run("complex-step"),
    "scipy 2-point": _scipy("2-point"),
    "scipy 3-point": _scipy("3-point"),
    "scipy cs": _scipy("cs"),
    "numdifftools": Method(_numdifftools, module="numdifftools"),
    "jacobi": Method(_jacobi, module="jacobi"),
}
METHODS = NPGRAD | DIFFERENCES
