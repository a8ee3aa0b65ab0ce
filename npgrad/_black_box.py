"""black_box: a function that npgrad cannot see into, as one recorded call whose derivative comes from differences."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar, overload

import numpy as np
from numpy import ndarray

from . import finite_difference
from ._dispatch import append, tracking
from ._entries import CALL, Call
from ._leaks import user_location, warn
from ._moves import saved_operand
from ._record import apart, recording, token_set
from ._registry import Maps, Spec
from ._segments import check_results, unshared
from ._spoiled import Watched
from ._structure import map_structure
from ._surroundings import Surroundings
from ._tracebacks import public
from ._traced import TracedArray, adopt, as_it_lies, complete, traced_leaves, unwrap

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class BlackBoxWarning(UserWarning):
    """The differences that stand for the derivative of a black box are inaccurate, by their own estimate.

    Examples
    --------
    >>> import warnings, numpy as np, npgrad as ng
    >>> kink = ng.black_box(lambda x: np.abs(x - 1.0000001))
    >>> with warnings.catch_warnings(record=True) as seen:
    ...     warnings.simplefilter("always")
    ...     slope = ng.grad(lambda x: kink(x).sum())(np.array([1.0]))
    >>> [warning.category.__name__ for warning in seen]
    ['BlackBoxWarning']
    """

    __module__ = "npgrad"  # where users find it


class _Differences(Maps):
    """A `Call` rule: the Jacobian by differences at the arguments of the call, taken once, when first asked for."""

    def __init__(self, wrapped: Any, name: str, jacobian: Callable, args: list, numbers: list[int], where: str) -> None:
        self.wrapped = wrapped
        self.name = name
        self.jacobian = jacobian
        self.args = args
        self.ndims = [np.ndim(args[number]) for number in numbers]
        self.where = where
        self.surroundings = Surroundings([wrapped.__wrapped__], deep=False)
        self.found: Any = None

    @property
    def vjps(self) -> dict:
        return {"args": (self._vjp, ("ct", "args", "ans"))}

    @property
    def jvps(self) -> dict:
        return {"args": (self._jvp, ("tangent", "args", "ans"))}

    def _matrices(self, args: list, ans: Any) -> list[ndarray]:
        if tracking(traced_leaves(args)):
            raise NotImplementedError(
                f"{self.where}: {self.name} is a black box and has first derivatives only: give it those of its "
                "derivative with npgrad.custom_gradient"
            )
        if self.found is None:
            self.surroundings.check(f"{self.where}: {self.name}")
            (self.found, errors, _), again = apart(self.jacobian, *self.args)
            self._check_repeated(unwrap(ans), again)
            largest = max(float(np.max(np.abs(matrix), initial=0)) for matrix in self.found)
            error = max(float(np.max(error, initial=0)) for error in errors)
            self.wrapped.error = error / largest if largest else error
            if not self.wrapped.error <= self.wrapped.tolerance:
                warn(
                    f"{self.where}: the differences of {self.name} have an estimated relative error of "
                    f"{self.wrapped.error:.1e}: try another method or step",
                    BlackBoxWarning,
                )
        return self.found

    def _check_repeated(self, before: Any, again: Any) -> None:
        """Raise if what the function uses besides its arguments has been changed since the call."""
        if np.max(np.abs(again - before), initial=0) > self.wrapped.tolerance * np.max(np.abs(before), initial=0):
            raise RuntimeError(
                f"{self.where}: {self.name} gave another value when it was called again for the derivative: a black box "
                "must depend on its arguments only (no random numbers, nothing that is changed later)"
            )

    def _vjp(self, ct: Any, args: list, ans: Any) -> list:
        matrices = self._matrices(args, ans)
        out = [matrix.ndim - ndim for matrix, ndim in zip(matrices, self.ndims, strict=True)]
        # The arguments are real, also where the result is complex.
        return [np.real(np.tensordot(ct, np.conjugate(matrix), n)) for matrix, n in zip(matrices, out, strict=True)]

    def _jvp(self, tangent: list, args: list, ans: Any) -> Any:
        total: Any = 0.0
        for t, matrix, ndim in zip(tangent, self._matrices(args, ans), self.ndims, strict=True):
            inputs = tuple(range(matrix.ndim - ndim, matrix.ndim))
            own = tuple(range(t.ndim - ndim, t.ndim))
            total = total + np.tensordot(t, matrix, (own, inputs))
        return total


class BlackBox(Protocol[P, R_co]):
    """What `black_box` makes of a function."""

    error: float | None
    tolerance: float

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


@overload
def black_box(
    f: Callable[P, R_co], *, method: str = "3-point", step: Any = None, tolerance: float = 1e-4
) -> BlackBox[P, R_co]: ...
@overload
def black_box(
    f: None = None, *, method: str = "3-point", step: Any = None, tolerance: float = 1e-4
) -> Callable[[Callable[P, R_co]], BlackBox[P, R_co]]: ...
@public
def black_box(f: Callable | None = None, *, method: str = "3-point", step: Any = None, tolerance: float = 1e-4) -> Any:
    """A function that npgrad cannot see into (Fortran, C, another process) as one recorded call.

    Parameters
    ----------
    f : callable
        Takes numbers and arrays by position, returns a floating number or array; always the same for the same arguments. It
        gets plain copies. Without it, a decorator.
    method, step
        Of the differences: see `npgrad.finite_difference.jacobian`. They are taken once per call, in the sweep.
    tolerance : float
        `BlackBoxWarning` is given where the differences estimate their relative error as larger.

    Returns
    -------
    callable
        With the same arguments, and the attribute ``error``: the estimate for the last call that was differentiated.

    Examples
    --------
    >>> import math, numpy as np, npgrad as ng
    >>> @ng.black_box
    ... def compiled(x, n):
    ...     return math.fsum(memoryview(x)) ** n
    >>> np.round(ng.grad(lambda x: compiled(x * x, 2))(np.array([1.0, 2.0])), 6)
    array([20., 40.])
    >>> compiled.error < 1e-6
    True
    """
    if f is None:
        return functools.partial(black_box, method=method, step=step, tolerance=tolerance)
    function = f
    name = getattr(f, "__name__", type(f).__name__)

    @public
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        complete([args, kwargs])
        if traced_leaves(kwargs) and tracking(traced_leaves(kwargs)):
            raise TypeError(f"{name} is a black box: give what is differentiated by position, not by keyword")
        numbers = [i for i, a in enumerate(args) if isinstance(a, TracedArray) and tracking([a])]
        records = tracking(traced_leaves(args))
        if records and len(numbers) < sum(bool(tracking(traced_leaves(a))) for a in args):
            raise TypeError(f"{name} is a black box: give it arrays and numbers, not lists of them")
        if any(args[i].dtype.kind == "c" for i in numbers):
            raise TypeError(f"{name} is a black box: it is differentiated by real arguments only")
        kept = map_structure(_copied, list(args))
        options = map_structure(_copied, kwargs)

        def on_copies(*args: Any) -> Any:
            return function(*args, **map_structure(_copied, options))

        watched = Watched([function] if records else [])
        with watched:
            value = apart(on_copies, *map_structure(_copied, kept))
        if not recording():
            return unshared(value)
        made = adopt(np.array(value) if isinstance(value, ndarray) else value)
        if records:
            watched.spoil(name, [args[i] for i in numbers])
            check_results(name, [value], what="a number or an array")
        if not records or not isinstance(made, TracedArray):
            return made
        jacobian = finite_difference.jacobian(
            lambda *args: _with_copy(on_copies(*args)), tuple(numbers), True, method=method, step=step, return_error=True
        )
        rule = _Differences(wrapped, name, jacobian, kept, numbers, user_location())
        saved = {"args": [saved_operand(args[i]) for i in numbers], "ans": saved_operand(made)}
        operands = [("args", item, args[i]._storage, args[i]._view) for item, i in enumerate(numbers)]
        made._storage.tracked = token_set(records)
        constants = {"args_spec": [Spec(kept[i]) for i in numbers]}
        append(records, (CALL, Call(rule, [(made._storage, None)], operands, saved, constants, None, False)))
        return made

    functools.update_wrapper(wrapped, f)
    wrapped.error, wrapped.tolerance = None, tolerance  # type: ignore[attr-defined]
    return wrapped


def _copied(value: Any) -> Any:
    bare = unwrap(value)
    return as_it_lies(bare) if isinstance(bare, ndarray) else bare


def _with_copy(value: Any) -> tuple[Any, Any]:
    """A value, and as auxiliary data what it is now: a function may return memory of its own again and again."""
    return value, np.array(value)
