"""for_solver: a function in the forms that solvers ask for, evaluated once per point."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ._compression import Learned
from ._handed_out import IMMUTABLE
from ._instrument import Reach
from ._leaks import LeakError, leak_message
from ._products import derivative_along, derivative_of, gradient_recorder
from ._run import Run, check_callable
from ._segments import is_tracked
from ._structure import flatten, map_structure
from ._surroundings import Surroundings
from ._tracebacks import public
from ._traced import unwrap


def _copied(value: Any) -> Any:
    """The same values in memory of their own: solvers go on writing into the arrays that they give and get."""
    return map_structure(lambda leaf: np.array(unwrap(leaf)) if isinstance(leaf, np.ndarray) else leaf, value)


def _same(a: Any, b: Any) -> bool:
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return a is b or (type(a) is type(b) and not callable(a) and bool(np.all(a == b)))
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def _refuse_tracked(value: Any) -> None:
    if is_tracked(value):
        raise LeakError(
            leak_message(
                "for_solver is used where a tape follows its arguments or its value, and hands on plain values only",
                "Ways out: npgrad.implicit for the derivative of a solver's answer; npgrad.jacobian and its kin nest; "
                "npgrad.stop_gradient where the value is meant to be constant.",
            )
        )


def _weighted(f: Callable) -> Callable:
    """The sum of the values of a function, each times its weight."""

    def weighted(x: Any, v: Any) -> Any:
        value = f(x)
        if isinstance(value, np.ndarray) and np.size(v) != 1 and np.shape(v) != value.shape:
            raise ValueError(
                f"weighted_hess needs a weight for each value: {getattr(f, '__name__', f)} returned shape {value.shape}, "
                f"and the weights have shape {np.shape(v)}"
            )
        return (value * v).sum()

    return weighted


class _Function:
    """A function with what is remembered of it from point to point."""

    def __init__(self, f: Callable, argnum: int, leaks: str, check_nan: bool) -> None:
        self.f = f
        self.recorded = functools.partial(
            Run, f, argnums=argnum, has_aux=False, leaks=leaks, check_nan=check_nan, reach=Reach()
        )
        self.gradient_recorded = gradient_recorder(f, argnum, leaks, check_nan)
        self.learned, self.gradient_learned = Learned(), Learned()


class _Point:
    """What is known of a function at one point; each part is found when it is first asked for."""

    def __init__(self, function: _Function, args: tuple) -> None:
        self.args = _copied(args)
        self.function = function
        # The questions that have been asked. Whoever asks one again wants to know whether the answer has changed, with what
        # else the function depends on: the next run of a solver often begins where the last one ended.
        self.asked: set[str] = set()
        self.surroundings: Surroundings | None = None

    def has_changed(self) -> bool:
        """Whether something has, on which the function depends besides."""
        return self.surroundings is not None and self.surroundings.changed() is not None

    def _recorded(self, record: Callable[[tuple, dict], Run]) -> Run:
        run = record(self.args, {})
        _refuse_tracked(run.value)
        leaves = flatten(self.args)[0]
        objects = [leaf for leaf in leaves if not isinstance(leaf, np.ndarray) and type(leaf) not in IMMUTABLE]
        self.surroundings = Surroundings([self.function.f, *objects])
        return run

    def is_at(self, args: tuple) -> bool:
        here, there = flatten(self.args)[0], flatten(args)[0]
        return len(here) == len(there) and all(_same(a, b) for a, b in zip(here, there, strict=True))

    @functools.cached_property
    def run(self) -> Run:
        return self._recorded(self.function.recorded)

    @functools.cached_property
    def jac(self) -> Any:
        return self.run.tape._jacobian(self.run.value, self.run.sources, True, "auto", None, self.function.learned)

    @functools.cached_property
    def gradient(self) -> Run:
        return self._recorded(self.function.gradient_recorded)

    @functools.cached_property
    def hess(self) -> Any:
        return derivative_of(self.gradient, self.function.gradient_learned)


class Solvable:
    """A function with its derivatives, in the forms that solvers ask for. Made by `for_solver`."""

    def __init__(self, f: Callable, argnum: int, leaks: str, check_nan: bool) -> None:
        self._function = _Function(f, argnum, leaks, check_nan)
        self._weighted_function = _Function(_weighted(f), 0, leaks, check_nan)
        self._point: _Point | None = None

    def _at(self, args: tuple, question: str | None = None) -> _Point:
        _refuse_tracked(args)
        point = self._point
        if point is None or question in point.asked or not point.is_at(args) or point.has_changed():
            self._point = point = _Point(self._function, args)
        if question is not None:
            point.asked.add(question)
        return point

    @public
    def fun(self, *args: Any) -> Any:
        """The value."""
        return _copied(self._at(args, "value").run.plain_value())

    __call__ = fun

    @public
    def jac(self, *args: Any) -> Any:
        """The Jacobian, which is the gradient of a scalar."""
        return _copied(self._at(args, "jac").jac)

    @public
    def fun_and_jac(self, *args: Any) -> tuple[Any, Any]:
        """Both, for ``jac=True``."""
        return self.fun(*args), self.jac(*args)

    @public
    def hess(self, *args: Any) -> Any:
        """The Hessian of a scalar."""
        return _copied(self._at(args, "hess").hess)

    @public
    def hessp(self, x: Any, p: Any, *args: Any) -> Any:
        """The product of the Hessian of a scalar and a vector."""
        return derivative_along(self._at((x, *args)).gradient, p)

    @public
    def weighted_hess(self, x: Any, v: Any) -> Any:
        """The sum of the Hessians of several values, each times its weight in ``v``, as constraints want it."""
        _refuse_tracked((x, v))
        return _copied(_Point(self._weighted_function, (x, v)).hess)


@public
def for_solver(f: Callable, argnum: int = 0, *, leaks: str = "raise", check_nan: bool = False) -> Solvable:
    """A function with its derivatives as solvers ask for them, evaluated once at each point.

    The value and the Jacobian at one point share a record, in whichever order a solver asks for them, and so do the Hessian
    and its products with vectors. What is asked for a second time is computed anew, and so is all
    that comes after a change of the numbers and arrays that ``f`` uses besides its arguments.

    Parameters
    ----------
    f : callable
        Plain NumPy code that depends on its arguments only.
    argnum : int
        The argument to differentiate by; ``1`` for the right-hand side f(t, y) of an ordinary differential equation.
    leaks : {"raise", "warn", "ignore"}
    check_nan : bool
        See `GradientTape`.

    Returns
    -------
    Solvable
        With ``fun``, ``jac``, ``fun_and_jac`` and ``hess``, all of the arguments of ``f``; ``hessp(x, p, *args)``, and
        ``weighted_hess(x, v)`` for a function of several values.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> s = ng.for_solver(lambda x: (x ** 4).sum())
    >>> x = np.array([1.0, 2.0])
    >>> s.fun(x), s.jac(x), s.hessp(x, np.array([1.0, 0.0]))
    (np.float64(17.0), array([ 4., 32.]), array([12.,  0.]))
    """
    check_callable(f)
    return Solvable(f, argnum, leaks, check_nan)
