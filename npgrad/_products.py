"""Products with derivatives, and second derivatives, of functions: plain arrays in, plain arrays out."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

from ._compression import Learned
from ._derivatives import given, gradients_of, recorded_on, tangents_of
from ._endpoints import checked_leaves, seeds_for
from ._forward import tangent_for
from ._functional import check_scalar, grad, jacobian
from ._instrument import Reach, ReachOfOurs
from ._moves import assemble
from ._run import Run, check_callable, plain
from ._structure import flatten
from ._tracebacks import public

P = ParamSpec("P")
R = TypeVar("R")


def _as_tuple(value: Any, what: str) -> tuple:
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{what} must be a tuple, one item per argument, got {type(value).__name__}")
    return tuple(value)


class Linearized:
    """The derivative of a function at a point, recorded once, for any number of products.

    Made by `linearize`.
    """

    def __init__(self, f: Callable, primals: tuple, leaks: str, check_nan: bool = False) -> None:
        self._run = Run(f, primals, {}, tuple(range(len(primals))), False, leaks, check_nan, reach_of(f))
        self._sources, self._build_sources = flatten(self._run.sources)
        self._targets, self._build_targets = checked_leaves(self._run.value, "value")
        # The value of the function at the point.
        self.value = self._run.plain_value()

    @public
    def jvp(self, tangents: Any) -> Any:
        """The derivative along ``tangents`` (a tuple like the primals), of the structure of the value.

        Tangents may all have the same extra leading axes: many directions in one sweep.
        """
        leaves = flatten(_as_tuple(tangents, "tangents"))[0]
        if len(leaves) != len(self._sources):
            raise ValueError(f"{len(leaves)} tangents for {len(self._sources)} primals: they must match")
        arrays = [t if isinstance(t, (np.ndarray, np.generic)) else assemble(t) for t in leaves]
        batches = {t.shape[: t.ndim - s.ndim] for t, s in zip(arrays, self._sources, strict=True)}
        if len(batches) != 1:
            raise ValueError(f"tangents have different leading axes {sorted(batches)}: give all the same")
        batch = batches.pop()
        for n, (tangent, source) in enumerate(zip(arrays, self._sources, strict=True)):
            if tangent.shape != batch + source.shape:
                raise ValueError(f"tangent {n} of shape {tangent.shape} does not fit a primal of shape {source.shape}")
        moved = [
            (s, tangent_for(np.broadcast_to(s._bare, batch + s.shape), t, ""))
            for s, t in zip(self._sources, arrays, strict=True)
        ]
        record = self._run.record()
        with np.errstate(all="ignore"):
            found = tangents_of(record, self._targets, moved, batch)
        return self._build_targets(
            [_filled(f, np.broadcast_shapes(batch + np.shape(t)), t) for f, t in zip(found, self._targets, strict=True)]
        )

    @public
    def vjp(self, cotangents: Any) -> Any:
        """The product of a cotangent (of the structure of the value) with the derivative: a tuple like the primals."""
        seeds = seeds_for(self._run.value, cotangents)
        record = self._run.record()
        pairs = [(t, s) for t, s in zip(self._targets, seeds, strict=True) if recorded_on(record, t)]
        with np.errstate(all="ignore"):
            found = gradients_of(record, pairs, self._sources, ())
        return self._build_sources(given(found, self._sources, (), True))


def _filled(found: Any, shape: tuple, target: Any) -> Any:
    if found is None:
        dtype = getattr(target, "dtype", np.dtype(float))
        return np.zeros(shape, dtype)[()] if not shape else np.zeros(shape, dtype)
    return plain(found) if hasattr(found, "_bare") else np.array(found)[()] if not shape else np.array(found)


@public
def linearize(f: Callable, *primals: Any, leaks: str = "raise", check_nan: bool = False) -> Linearized:
    """Record a function once at a point, and take as many products with its derivative as wanted.

    Parameters
    ----------
    f : callable
        Plain NumPy code that returns an array, a number, or a structure of these.
    *primals : floating or complex arrays or numbers, or structures of them
        The point.
    leaks : {"raise", "warn", "ignore"}
    check_nan : bool
        See `GradientTape`.

    Returns
    -------
    Linearized
        With ``value``, ``jvp(tangents)`` and ``vjp(cotangents)``.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> at = ng.linearize(lambda x: x[1:] * x[:-1], np.array([1.0, 2.0, 3.0]))
    >>> at.value
    array([2., 6.])
    >>> at.jvp((np.eye(3),))                        # three directions at once
    array([[2., 0.],
           [1., 3.],
           [0., 2.]])
    >>> at.vjp(np.array([1.0, 1.0]))
    (array([2., 4., 2.]),)
    """
    check_callable(f)
    return Linearized(f, primals, leaks, check_nan)


@public
def jvp(
    f: Callable[..., R], primals: tuple, tangents: tuple, *, leaks: str = "raise", check_nan: bool = False
) -> tuple[R, Any]:
    """The value of a function and its derivative along a direction, by forward mode.

    Parameters
    ----------
    f : callable
        Plain NumPy code.
    primals, tangents : tuples of arrays or structures
        One item per argument of ``f``; tangents have the shapes of the primals, or all the same extra leading axes.
    leaks : {"raise", "warn", "ignore"}
    check_nan : bool
        See `GradientTape`.

    Returns
    -------
    value, derivative
        Of the same structure.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> ng.jvp(lambda x: x ** 2, (np.array([1.0, 2.0]),), (np.array([1.0, 0.0]),))
    (array([1., 4.]), array([2., 0.]))
    """
    at = linearize(f, *_as_tuple(primals, "primals"), leaks=leaks, check_nan=check_nan)
    return at.value, at.jvp(tangents)


@public
def vjp(
    f: Callable[..., R], *primals: Any, leaks: str = "raise", check_nan: bool = False
) -> tuple[R, Callable[[Any], tuple[Any, ...]]]:
    """The value of a function, and a function from cotangents of the value to cotangents of the arguments.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> value, pullback = ng.vjp(lambda x, y: x * y, np.array([1.0, 2.0]), 3.0)
    >>> pullback(np.array([1.0, 1.0]))
    (array([3., 3.]), np.float64(3.0))
    """
    at = linearize(f, *primals, leaks=leaks, check_nan=check_nan)
    return at.value, at.vjp


@functools.lru_cache(maxsize=64)
def _remembered(f: Callable) -> Reach:
    return Reach()


def reach_of(f: Callable) -> Reach:
    """What a function reaches: from call to call for those that live as long as their module, for nothing else of the
    user's may be kept alive."""
    lives_on = isinstance(f, types.FunctionType) and vars(sys.modules.get(f.__module__, types)).get(f.__name__) is f
    return _remembered(f) if lives_on else Reach()


def gradient_recorder(f: Callable, argnums: Any, leaks: str, check_nan: bool = False) -> Callable[[tuple, dict], Run]:
    """What makes recorded evaluations of the gradient of a scalar function."""
    reach, nothing = reach_of(f), ReachOfOurs()

    def derive(run: Run) -> Any:
        check_scalar(run.value, f)
        return run.tape.gradient(run.value, run.sources, unconnected_gradients="zero")

    def gradient(*args: Any, **kwargs: Any) -> Any:
        return Run(f, args, kwargs, argnums, False, leaks, check_nan, reach, derive).derived

    return lambda args, kwargs: Run(gradient, args, kwargs, argnums, False, leaks, check_nan, nothing)


@public
def hvp(
    f: Callable, primals: tuple, tangents: tuple, *, leaks: str = "raise", check_nan: bool = False
) -> tuple[Any, ...]:
    """The product of the Hessian of a scalar function and a vector: forward mode over the gradient.

    Parameters
    ----------
    f : callable
        Plain NumPy code that returns a real scalar.
    primals, tangents : tuples of arrays or structures
        One item per argument of ``f``.
    leaks : {"raise", "warn", "ignore"}
    check_nan : bool
        See `GradientTape`.

    Returns
    -------
    tuple like ``primals``

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> ng.hvp(lambda x: (x ** 3).sum(), (np.array([1.0, 2.0]),), (np.array([1.0, 1.0]),))
    (array([ 6., 12.]),)
    """
    check_callable(f)
    primals, tangents = _as_tuple(primals, "primals"), _as_tuple(tangents, "tangents")
    run = gradient_recorder(f, tuple(range(len(primals))), leaks, check_nan)(primals, {})
    return derivative_along(run, tangents)


def derivative_along(run: Run, tangents: Any) -> Any:
    """The derivative of a gradient that was recorded, of the structure of its sources: forwards, or in reverse where
    something has no forward rule, which is the same, for Hessians are symmetric."""
    sources, build = flatten(run.sources)
    given_tangents = flatten(tangents)[0]
    if len(given_tangents) != len(sources):
        raise ValueError(f"{len(given_tangents)} tangents for {len(sources)} primals: they must match")
    moved = [(s, tangent_for(s, t, f" (primal {n})")) for n, (s, t) in enumerate(zip(sources, given_tangents, strict=True))]
    targets = flatten(run.value)[0]
    with np.errstate(all="ignore"):
        try:
            found = tangents_of(run.record(), targets, moved, ())
        except NotImplementedError:
            seeds = [(target, tangent) for target, (_, tangent) in zip(targets, moved, strict=True)]
            found = gradients_of(run.record(), [pair for pair in seeds if recorded_on(run.record(), pair[0])], sources, ())
    return build(given(found, sources, (), True))


@public
def hessian(
    f: Callable[P, Any],
    argnums: int | tuple[int, ...] = 0,
    *,
    mode: str = "auto",
    max_bytes: int | None = None,
    holomorphic: bool = False,
    leaks: str = "raise",
    check_nan: bool = False,
) -> Callable[P, Any]:
    """The Hessian of a scalar function, as a function of the same arguments: one batched sweep over the gradient.

    Parameters
    ----------
    f : callable
        Plain NumPy code that returns a real scalar.
    argnums : int or tuple of int
        Which positional arguments to differentiate by.
    mode : {"auto", "forward", "reverse"}
        The direction of the outer sweep; ``"auto"`` goes forward, or in reverse where something has no forward rule.
    max_bytes : int, optional
        See `GradientTape.jacobian`.
    holomorphic : bool
        For a complex value of complex arguments: the second complex derivatives. That there are any is checked.
    leaks : {"raise", "warn", "ignore"}
    check_nan : bool
        See `GradientTape`.

    Returns
    -------
    callable
        Gives an array of shape ``argument.shape + argument.shape``; for structures and tuples of ``argnums`` a structure of
        structures.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> ng.hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]))
    array([[6., 4.],
           [4., 0.]])
    """
    check_callable(f)
    if holomorphic:
        inner: Callable = grad(f, argnums, holomorphic=True, leaks=leaks, check_nan=check_nan)
        options: Any = {"mode": mode, "max_bytes": max_bytes, "leaks": leaks, "check_nan": check_nan}
        return jacobian(inner, argnums, holomorphic=True, **options)

    recorded, learned = gradient_recorder(f, argnums, leaks, check_nan), Learned()

    @public
    @functools.wraps(f)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> Any:
        return derivative_of(recorded(args, kwargs), learned, mode, max_bytes)

    return wrapped


def derivative_of(run: Run, learned: Learned, mode: str = "auto", max_bytes: int | None = None) -> Any:
    """The Jacobian of a gradient that was recorded."""
    sweep = functools.partial(run.tape._jacobian, run.value, run.sources, True, max_bytes=max_bytes, learned=learned)
    if mode != "auto":
        return sweep(mode=mode)
    try:
        return sweep(mode="forward")
    except (NotImplementedError, ValueError):
        return sweep(mode="reverse")
