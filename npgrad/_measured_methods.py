"""The ways to a Jacobian that `npgrad.compare` measures: npgrad's sweeps, its differences, other packages where installed.

Each gives a matrix of shape (values, elements of the argument), and what it says of its own error if it says so.
"""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from . import finite_difference
from ._flat_function import FlatFunction
from ._functional import value_and_jacobian
from ._progress import Progress
from ._run import check_callable
from ._sparse import jacobian_sparsity, sparse_jacobian
from ._structure import flatten, map_structure

# Every method keeps a whole Jacobian.
_MOST_ENTRIES = 20_000_000


class Problem:
    """The function to differentiate by one of its arguments; its calls are counted.

    A complex value is that of its real and imaginary parts.
    """

    def __init__(
        self, f: Callable, args: tuple, number: int, step: Any, bounds: tuple | None, leaks: str, progress: Progress
    ) -> None:
        check_callable(f)
        if not -len(args) <= number < len(args):
            raise ValueError(f"argnums {number} but there are {len(args)} positional arguments")
        self.args, self.number, self.progress = args, number % len(args), progress
        _check_point(args[self.number], self.number)
        self.step, self.bounds, self.leaks = step, bounds, leaks
        self.name = getattr(f, "__name__", type(f).__name__)
        self._take(f)
        self.complex = self.value.dtype.kind == "c"
        if self.complex:
            self._take(_parts_of(f))
        if not self.value.size:
            raise ValueError(f"{self.name} returned no values: there is nothing to differentiate")
        if self.value.size * self.x.size > _MOST_ENTRIES:
            raise ValueError(
                f"the Jacobian has {self.value.size} x {self.x.size} entries, and compare keeps one for each method: "
                "compare by fewer elements, or a scalar function of the value"
            )

    def _take(self, f: Callable) -> None:
        self.f, self.calls = f, 0

        @functools.wraps(f)
        def counted(*args: Any) -> Any:
            self.calls += 1
            self.progress.tick()
            return f(*args)

        self.counted = counted
        self.flat = FlatFunction(counted, self.args, {}, self.number)
        self.x = self.flat.x
        self.value = self.flat(self.x)

    def copies(self) -> list:
        """The arguments anew: legacy functions overwrite theirs."""
        return [map_structure(lambda leaf: leaf.copy() if isinstance(leaf, ndarray) else leaf, arg) for arg in self.args]

    def known(self, reference: Any) -> ndarray:
        """A derivative that is known otherwise, as `matrix` has it."""
        shapes = [value.shape[self.complex :] + np.shape(self.args[self.number]) for value in self.flat.values]
        given = [np.shape(part) for part in flatten(reference)[0]]
        if [math.prod(shape) for shape in given] != [math.prod(shape) for shape in shapes]:
            raise ValueError(
                f"reference must be the derivative, of shape {', '.join(map(str, shapes))} (value, then argument), "
                f"got {', '.join(map(str, given))}"
            )
        return self.matrix(reference)

    def matrix(self, derivative: Any) -> ndarray:
        """A derivative in the structure of the value as one matrix."""
        parts = [np.asarray(part) for part in flatten(derivative)[0]]
        if self.complex:
            parts = [np.stack([part.real, part.imag]) if np.iscomplexobj(part) else part for part in parts]
        return np.concatenate([np.zeros((0, self.x.size)), *[part.reshape(-1, self.x.size) for part in parts]])

    def first(self, count: int) -> Problem:
        """The same by the first elements only, the others fixed."""
        rest, shape, f = self.x[count:], np.shape(self.args[self.number]), self.f

        def part(*args: Any) -> Any:
            whole = np.concatenate([args[self.number], rest]).reshape(shape)
            return f(*args[: self.number], whole, *args[self.number + 1 :])

        args = (*self.args[: self.number], self.x[:count].copy(), *self.args[self.number + 1 :])
        step = None if self.step is None else self.flat.beside(self.step, self.x.dtype)[:count]
        limits = self.bounds
        bounds = None if limits is None else tuple([self.flat.beside(limit, self.x.dtype)[:count] for limit in limits])
        return Problem(part, args, self.number, step, bounds, self.leaks, self.progress)

    @functools.cached_property
    def usable(self) -> ndarray:
        """Which values can be differentiated at all."""
        return np.isfinite(self.value)

    @functools.cached_property
    def sparse(self) -> Callable:
        return sparse_jacobian(self.f, self.number, leaks=self.leaks)


def _check_point(point: Any, number: int) -> None:
    """One real floating array or number, finite."""
    if not isinstance(point, (ndarray, np.generic, float, int)):
        raise TypeError(
            f"compare differentiates by one array or number, and argument {number} is a {type(point).__name__}: make it an "
            "array, or give a function of one of its parts"
        )
    found = np.asarray(point)
    if found.dtype.kind != "f":
        raise TypeError(f"compare needs a real floating argument, and argument {number} has dtype {found.dtype}")
    if not found.size:
        raise ValueError(f"argument {number} has no elements: there is nothing to differentiate by")
    if not np.isfinite(found).all():
        raise ValueError(f"argument {number} is not finite: there are no differences around such a point")


def _parts_of(f: Callable) -> Callable:
    @functools.wraps(f)
    def parts(*args: Any) -> Any:
        return map_structure(lambda leaf: np.stack([np.real(leaf), np.imag(leaf)]), f(*args))

    return parts


class Method(NamedTuple):
    """How to run it; how to learn its own error where this costs further evaluations; the module that it needs; and for
    which problems it is there, where it is not asked for by name."""

    run: Callable[[Problem], tuple[ndarray, ndarray | None]]
    estimate: Callable[[Problem], ndarray] | None = None
    module: str = ""
    fits: Callable[[Problem], bool] = lambda problem: True

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


def _npgrad_sparse(problem: Problem) -> tuple[ndarray, None]:
    problem.calls += 1
    return problem.sparse(*problem.copies()).toarray(), None


# A pattern is worth its search where the Jacobian is not small and few of its elements may differ from zero.
_LARGE, _DENSE = 8, 0.25


def _is_sparse(problem: Problem) -> bool:
    if min(problem.value.size, problem.x.size) < _LARGE:
        return False
    try:
        pattern = jacobian_sparsity(problem.f, *problem.copies(), argnums=problem.number, leaks=problem.leaks)
    except Exception:  # the dense modes say why
        return False
    return pattern.nnz <= _DENSE * problem.value.size * problem.x.size


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


def _with_rounding(problem: Problem, error: Any) -> ndarray:
    """What another package says of its error, which takes values to be as precise as the argument. Where they are coarser,
    no quotient over a step as long as Richardson's first is better than their rounding over it."""
    claim, coarse = _square(problem, error), problem.flat.value_eps
    if coarse <= np.max(problem.flat.eps):
        return claim
    return claim + np.multiply.outer(coarse * np.abs(problem.value), 16 / np.maximum(1, np.abs(problem.x)))


def _numdifftools(problem: Problem) -> tuple[ndarray, ndarray]:
    # The error stands beside the estimate from release 0.11 on, before that in an object of its own.
    found, error, *_ = importlib.import_module("numdifftools").Jacobian(problem.flat, full_output=True)(problem.x)
    return _square(problem, found), _with_rounding(problem, getattr(error, "error_estimate", error))


def _jacobi(problem: Problem) -> tuple[ndarray, ndarray]:
    found, error = importlib.import_module("jacobi").jacobi(problem.flat, problem.x)
    return _square(problem, found), _with_rounding(problem, error)


NPGRAD = {
    "npgrad reverse": _npgrad("reverse"),
    "npgrad forward": _npgrad("forward"),
    "npgrad sparse": Method(_npgrad_sparse, fits=_is_sparse),
}
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
# Complex steps settle whatever happens.
REAL_DIFFERENCES = DIFFERENCES.keys() - {"complex-step", "scipy cs"}
