"""implicit: the derivative of an answer from the equation that it solves."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy import ndarray

from ._instrument import instrumented
from ._jacobians import jacobians_of
from ._leaks import user_location
from ._record import recording
from ._run import check_callable, name_of
from ._segments import (
    Recorded,
    Segment,
    as_recorded,
    is_array,
    is_tracked,
    record_segment,
    unrecorded,
    untracked,
    watched_apart,
)
from ._structure import map_structure
from ._tracebacks import public
from ._traced import unwrap

P = ParamSpec("P")
R = TypeVar("R")
LinearSolve = Callable[[Any, Any], Any]


class _LinearAnswer(Segment):
    """The answer x of a linear solver of the user's, with a x = b for a matrix b."""

    def __init__(self, solve: LinearSolve, a: Any, b: Any) -> None:
        super().__init__(name_of(solve), ((a, b), {}), solve)
        self.solve = solve

    def compute(self, arguments: tuple[tuple, dict]) -> Any:
        return _solved_apart(self.solve, *arguments[0])

    def reverse(self, cts: list, ans: Any, moved: list, fixed: list, batch: tuple) -> list:
        (a, _), _ = self.arguments(moved, fixed)
        back = _solve_rows(self.solve, np.swapaxes(a, -1, -2), cts[0])
        given = (-(back @ np.swapaxes(ans[0], -1, -2)), back)
        return [given[place] for place in self.moved]

    def forward(self, tangents: list, ans: Any, moved: list, fixed: list, batch: tuple) -> list:
        (a, _), _ = self.arguments(moved, fixed)
        changes = [-(t @ ans[0]) if place == 0 else t for place, t in zip(self.moved, tangents, strict=True)]
        return [_solve_rows(self.solve, a, sum(changes[1:], changes[0]))]


def _solved_apart(solve: LinearSolve, a: Any, b: Any) -> ndarray:
    return np.asarray(unrecorded(solve, np.array(unwrap(a)), np.array(unwrap(b))))


def _solve(solve: LinearSolve, a: Any, b: Any) -> Any:
    if solve is np.linalg.solve:
        return solve(a, b)
    if not is_tracked(a, b):
        return _solved_apart(solve, a, b)
    answer = _LinearAnswer(solve, a, b)
    return record_segment(answer, answer.compute)


def _solve_rows(solve: LinearSolve, a: Any, b: Any) -> Any:
    """The answers for right-hand sides of any number of leading axes, as one system."""
    columns = np.moveaxis(b, -2, 0)
    if not columns.size:
        return b + 0.0
    return np.moveaxis(_solve(solve, a, columns.reshape(len(columns), -1)).reshape(columns.shape), 0, -2)


class _Answer(Segment):
    """An answer x with residual(x, *args) = 0. By the implicit function theorem dx = -(dR/dx)^-1 dR.

    Answer and residual are taken as vectors of real numbers, so that complex equations need not be holomorphic.
    """

    def __init__(self, solve: Callable, residual: Callable, linear: LinearSolve, arguments: tuple[tuple, dict]) -> None:
        super().__init__(name_of(solve), arguments, residual)
        self.solve, self.residual, self.linear = solve, residual, linear
        self.where = user_location()
        self.before: Any = None  # what the residual was in the call

    def compute(self, arguments: tuple[tuple, dict]) -> Any:
        args, kwargs = map_structure(unwrap, arguments)
        x = unrecorded(self.solve, *args, **kwargs)
        x = np.float64(x) if isinstance(x, float) else x
        if not is_array(x):
            raise TypeError(f"{name_of(self.solve)} must return one floating or complex array, got {type(x).__name__}")
        x = unwrap(x)
        residual = watched_apart(name_of(self.residual), self.residual, x, *arguments[0], **arguments[1])
        if np.shape(residual) != x.shape or (np.iscomplexobj(residual) and not np.iscomplexobj(x)):
            raise ValueError(
                f"{name_of(self.residual)} must have the shape and kind of the answer, which is {x.dtype} of shape "
                f"{x.shape}; it has shape {np.shape(residual)}"
            )
        self.before = _to_reals(unwrap(residual + 0 * untracked(x)), x.ndim)
        return x

    def _recorded(self, x: Any, moved: list, fixed: list) -> tuple[Recorded, Any]:
        """The residual recorded at the answer, and its matrix dR/dx."""
        shape, is_complex = x.shape, x.dtype.kind == "c"
        with instrumented(self.residual, *self.holders) as form:
            residual = form(self.residual)

            def vector(z: Any, *args: Any, **kwargs: Any) -> Any:
                point = _from_reals(z, shape) if is_complex else z.reshape(shape)
                return _to_reals(residual(point, *args, **kwargs) + 0 * point, len(shape))

            def arguments(sources: list) -> tuple[tuple, dict]:
                args, kwargs = self.arguments(sources[1:], fixed, form)
                return (sources[0], *args), kwargs

            again = Recorded(vector, arguments, [_to_reals(x, len(shape)), *moved])
        matrix = jacobians_of(again.record, again.targets[:1], again.sources[:1], "reverse", None)[0][0]
        self._check_answer(matrix, again)
        return again, matrix

    def _check_answer(self, matrix: Any, again: Recorded) -> None:
        """Raise where a Newton step would move the answer by a hundredth: the solver has failed, or solves another one. And
        where it would move it at all by what has become of the residual since the call."""
        x, residual = (unwrap(array) for array in (again.sources[0], again.targets[0]))
        try:
            steps = np.abs(_solved_apart(self.linear, matrix, np.stack([residual, residual - self.before], axis=-1)))
        except np.linalg.LinAlgError as error:
            raise np.linalg.LinAlgError(
                f"{self.where}: the answer of {name_of(self.solve)} has no derivative here, as the Jacobian of "
                f"{name_of(self.residual)} by it cannot be inverted ({error})"
            ) from error
        step, change = steps.max(axis=0, initial=0)
        size = np.abs(x).max(initial=0)
        if change > np.finfo(x.dtype).eps ** 0.5 * (size + 1e-6):
            raise RuntimeError(
                f"{name_of(self.residual)} has other values than in the call, by which the answer would move by "
                f"{change:.1e}: it must depend on its arguments only"
            )
        if step > 0.01 * size + 1e-6:
            raise RuntimeError(
                f"the answer of {name_of(self.solve)} does not solve {name_of(self.residual)}: a step of Newton's method "
                f"would move it by {step:.1e}, and the derivative would be wrong"
            )

    def reverse(self, cts: list, ans: Any, moved: list, fixed: list, batch: tuple) -> list:
        again, matrix = self._recorded(ans[0], moved, fixed)
        ct = _to_reals(cts[0], np.ndim(unwrap(ans[0])))
        flow = -_solve_rows(self.linear, np.swapaxes(matrix, 0, 1), ct[..., None])[..., 0]
        return again.gradients([flow], batch)[1:]

    def forward(self, tangents: list, ans: Any, moved: list, fixed: list, batch: tuple) -> list:
        again, matrix = self._recorded(ans[0], moved, fixed)
        still = np.zeros(batch + again.sources[0].shape, again.sources[0].dtype)
        change = again.tangents([still, *tangents], batch)[0]
        change = -_solve_rows(self.linear, matrix, change[..., None])[..., 0]
        x = ans[0]
        inner = batch + np.shape(unwrap(x))
        return [_from_reals(change, inner) if x.dtype.kind == "c" else change.reshape(inner)]


def _to_reals(x: Any, ndim: int) -> Any:
    """The last axes as one of real numbers; complex ones as real parts, then imaginary parts."""
    flat = x.reshape(x.shape[: x.ndim - ndim] + (-1,))
    return np.concatenate([np.real(flat), np.imag(flat)], axis=-1) if flat.dtype.kind == "c" else flat


def _from_reals(z: Any, shape: tuple) -> Any:
    half = z.shape[-1] // 2
    return (z[..., :half] + 1j * z[..., half:]).reshape(shape)


@public
def implicit(
    solve: Callable[P, R], residual: Callable[..., Any], linear_solve: LinearSolve | None = None
) -> Callable[P, R]:
    """A solver whose answer has the derivative that its equation gives it, however it was found.

    Parameters
    ----------
    solve : callable
        Any code, compiled or not: ``solve(*args)`` returns the answer x, a floating or complex array or number. It sees
        plain read-only arrays, and nothing of it is recorded.
    residual : callable
        Plain NumPy code: ``residual(x, *args)`` is zero at the answer, and has its shape. For a fixed point x = g(x), the
        residual is ``x - g(x)``.
    linear_solve : callable, optional
        By default `numpy.linalg.solve`. ``linear_solve(a, b)`` solves a x = b, for matrices, with the Jacobian of the
        residual or its transpose.

    Returns
    -------
    callable
        With the arguments of ``solve``, and its value as a copy, with and without a tape. Its derivatives of any order, in
        both modes, are right as far as the residual is zero.

    Raises
    ------
    ValueError, TypeError
        When called: for residuals of another shape, or code that uses tracked arrays that are not among the arguments.
    numpy.linalg.LinAlgError
        In a sweep: where the Jacobian of the residual is singular, and the answer has no derivative.
    RuntimeError
        In a sweep: where a Newton step would move the answer by more than a hundredth of its size, so that it is none.

    Examples
    --------
    >>> import npgrad as ng
    >>> def newton(a):
    ...     x = 1.0
    ...     while abs(x * x - a) > 1e-14:
    ...         x -= (x * x - a) / (2 * x)
    ...     return x
    >>> root = ng.implicit(newton, lambda x, a: x * x - a)
    >>> ng.grad(root)(4.0).round(12), ng.grad(ng.grad(root))(4.0).round(12)       # 1/4, -1/32
    (np.float64(0.25), np.float64(-0.03125))
    """
    linear = np.linalg.solve if linear_solve is None else linear_solve
    for function in (solve, residual, linear):
        check_callable(function)

    @public
    @functools.wraps(solve)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        if not is_tracked(args, kwargs):
            x = as_recorded(solve(*args, **kwargs))
            if recording():  # the derivative by what the residual brings in besides would be lost
                watched_apart(name_of(residual), residual, map_structure(untracked, x), *args, **kwargs)
            return x
        answer = _Answer(solve, residual, linear, (args, kwargs))
        return record_segment(answer, answer.compute)

    return wrapped
