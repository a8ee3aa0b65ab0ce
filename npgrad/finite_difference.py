"""Derivatives by differences: the methods to compare with.

The function is called as it stands, one shifted array at a time: nothing is assumed about vectorisation, and every call
gets fresh copies of its arguments because legacy functions overwrite them. What a function keeps elsewhere (an object, a
module's work array) is its own business: it must give the same value for the same arguments. Differences are plain
numbers: where a tape follows what they are taken of, `LeakError` is raised.

Steps
-----
With ``eps`` the machine precision of the argument's dtype, or of the value's where that is coarser, and
``s = max(1, |x|)`` elementwise (Dennis and Schnabel, Numerical Methods for Unconstrained Optimization, 1983, section 5.4;
Gill, Murray and Wright, Practical Optimization, 1981, section 8.6):

=============  ======================  =============================================
method         step                    best relative accuracy, evaluations
=============  ======================  =============================================
2-point        ``eps**(1/2) s``        about ``eps**(1/2)``, n + 1
3-point        ``eps**(1/3) s``        about ``eps**(2/3)``, 2 n + 1
richardson     from ``s / 16`` down    about ``eps``, at most 20 n + 1
complex-step   ``1e-20 s``             rounding error, n + 1
=============  ======================  =============================================

`sparse_jacobian` takes as many columns at once as its pattern allows: n is then the number of colours.

Richardson extrapolates central differences of halved steps to step zero and keeps, for each entry, the estimate of
smallest error (Ridders, Advances in Engineering Software 4, 1982). Its first step should be a length over which the
function visibly changes and stays smooth: give ``step`` where ``s / 16`` is not. The complex step (Squire and Trapp, SIAM
Review 40, 1998) needs code that NumPy follows in complex arithmetic and that is real-analytic.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from ._coloring import color_columns
from ._difference_methods import METHODS, columns, compressed
from ._difference_problem import check_real, limits_for, method_named, problem_at, steps_for
from ._flat_function import FlatFunction
from ._sparse import columns_between, jacobian_sparsity
from ._sparse_matrix import SparseMatrix, SparsityPattern
from ._tracebacks import public


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


def _by_real_part(by_real: ndarray, by_imaginary: ndarray) -> ndarray:
    """The derivative by a complex element, as `npgrad.jacobian` has it: that of the real part of the value."""
    return by_real.real + 1j * by_imaginary.real


@public
def jacobian(
    f: Callable,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    method: str = "3-point",
    step: Any = None,
    bounds: tuple | None = None,
    return_error: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of a function by differences, as a function of the same arguments.

    Parameters
    ----------
    f : callable
        Plain NumPy code that returns an array, a number, or a structure of these.
    argnums : int or tuple of int
        Which positional arguments to differentiate by; each a floating or complex array or number, or a structure of them.
    has_aux : bool
        Whether ``f`` returns ``(value, auxiliary data)``; the result is then ``(jacobian, aux)``, with that of the point.
    method : {"3-point", "2-point", "richardson", "complex-step"}
        Central or forward differences, their extrapolation to step zero, or complex steps; see the module's page for
        accuracy and cost.
    step : float, array or structure, optional
        Absolute step, for all elements or for each, in the structure of the argument (a tuple of these for a tuple of
        ``argnums``); the largest one for "richardson". The default is the method's power of machine precision times
        ``max(1, |x|)``.
    bounds : (lower, upper), optional
        The function is evaluated only between them (each given as ``step`` is). Near a bound "3-point" and "richardson" use
        one-sided differences, "2-point" the side with room. The complex step does not leave the point.
    return_error : bool
        Return a `Difference`, with an error estimate for each entry and the number of evaluations. "2-point" and "3-point"
        need a second round of evaluations at half the step for it.

    Returns
    -------
    callable
        What the function that `npgrad.jacobian` makes returns: an array of shape ``value.shape + argument.shape``, or a
        structure of them; or a `Difference` of these. By a complex argument it is dy/dRe + i dy/dIm of the real part of the
        value, as there; a complex value by a real argument has its complex derivative.

    Raises
    ------
    LeakError
        Where a tape follows an argument, a step or what the function returns: differences are plain numbers.
    TypeError
        For an argument that is not floating, a value that is not numeric, complex steps of complex arguments, or a function
        that drops the imaginary part of a complex step.
    ValueError
        For a point outside of its bounds, a step that is not positive, or an unknown method.

    Examples
    --------
    >>> import numpy as np
    >>> from npgrad import finite_difference
    >>> finite_difference.jacobian(lambda x: np.array([x[0] * x[1], x[1]]))(np.array([2.0, 3.0])).round(6)
    array([[3., 2.],
           [0., 1.]])
    >>> result = finite_difference.jacobian(np.exp, method="richardson", return_error=True)(1.0)
    >>> bool(abs(result.derivative - np.e) < 10 * result.error), bool(result.error < 1e-11)
    (True, True)
    """
    how = method_named(method)

    @public
    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        function = FlatFunction(f, args, kwargs, argnums, has_aux)
        if method == "complex-step":
            check_real(function, "the complex step")
        problem = problem_at(function, function, function.x, how, steps_for(function, step), limits_for(function, bounds))
        found, errors = columns(problem, how, return_error)
        derivative = function.structured(found, _by_real_part)
        if return_error:
            derivative = Difference(derivative, function.structured(errors, np.add), function.evaluations)
        return (derivative, function.aux) if has_aux else derivative

    return wrapped


def _scalar(f: Callable, has_aux: bool) -> Callable:
    """The function with its value checked to be a scalar, and of shape ()."""

    @functools.wraps(f)
    def scalar(*args: Any, **kwargs: Any) -> Any:
        result = f(*args, **kwargs)
        value, *aux = result if has_aux and isinstance(result, tuple) else (result,)
        if not isinstance(value, (ndarray, np.generic, float, int, complex)) or np.size(value) != 1:
            what = f"shape {np.shape(value)}" if isinstance(value, ndarray) else type(value).__name__
            raise TypeError(f"{getattr(f, '__name__', f)} returned {what}; grad needs a scalar: use jacobian")
        value = value if np.ndim(value) == 0 else np.reshape(value, ())
        return (value, *aux) if has_aux else value

    return scalar


@public
def grad(
    f: Callable,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    method: str = "3-point",
    step: Any = None,
    bounds: tuple | None = None,
    return_error: bool = False,
) -> Callable[..., Any]:
    """The gradient of a scalar function by differences; parameters and errors are those of `jacobian`.

    Examples
    --------
    >>> import numpy as np
    >>> from npgrad import finite_difference
    >>> finite_difference.grad(lambda x: (x ** 3).sum())(np.array([1.0, 2.0])).round(6)
    array([ 3., 12.])
    """
    scalar = _scalar(f, has_aux)
    return jacobian(scalar, argnums, has_aux, method=method, step=step, bounds=bounds, return_error=return_error)


@public
def hessian(
    f: Callable,
    argnums: int | tuple[int, ...] = 0,
    *,
    method: str = "3-point",
    step: Any = None,
    bounds: tuple | None = None,
    return_error: bool = False,
) -> Callable[..., Any]:
    """The Hessian of a real scalar function by differences of differences, made symmetric.

    Parameters and errors are those of `jacobian`, for real arguments; structures and tuples of ``argnums`` give structures
    of structures. A "2-point" or "3-point" quotient of the same quotient has the step ``eps**(1/3)`` or ``eps**(1/4)`` times
    ``max(1, |x|)`` in both, so that rounding, which is now divided by the square of the step, is in balance with what the
    quotient leaves out. "complex-step" takes central differences of the gradient by complex steps (Squire and Trapp), which
    is the most accurate, and "richardson" extrapolates both.

    Examples
    --------
    >>> import numpy as np
    >>> from npgrad import finite_difference
    >>> finite_difference.hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0])).round(5)
    array([[6., 4.],
           [4., 0.]])
    """
    inner = method_named(method)
    outer = METHODS["3-point" if method == "complex-step" else method]
    quotient = _SECOND.get(method)

    @public
    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        function = FlatFunction(_scalar(f, False), args, kwargs, argnums)
        check_real(function, "hessian")
        largest = 0.0

        def value(flat: ndarray) -> ndarray:
            nonlocal largest
            found = function(flat)
            largest = max(largest, float(np.max(np.abs(found))))
            return found

        given, limits = steps_for(function, step), limits_for(function, bounds)

        def rows(outer_steps: Any, inner_steps: Any, with_error: bool) -> tuple[ndarray, ndarray]:
            def gradient(x: ndarray) -> ndarray:
                return columns(problem_at(function, value, x, inner, inner_steps, limits), inner, False)[0][0]

            problem = problem_at(function, gradient, function.x, outer, outer_steps, limits)
            found, error = columns(problem, outer, with_error)
            return (found + found.T) / 2, error + np.abs(found - found.T) / 2

        if quotient is None:
            found, error = rows(given, None if method == "complex-step" else given, return_error)
        else:
            h = function.eps**quotient.power * np.maximum(1, np.abs(function.x)) if given is None else given
            found, error = rows(h, h, False)
            if return_error:
                finer, unevenness = rows(h / 2, h / 2, False)
                error = error + quotient.coarse_over_fine * np.abs(found - finer) + unevenness
                error = error + float(np.max(function.eps)) * largest / np.min(h) ** 2
        hessian = function.twice_structured(found)
        return Difference(hessian, function.twice_structured(error), function.evaluations) if return_error else hessian

    return wrapped


class _Second(NamedTuple):
    power: float
    coarse_over_fine: float


_SECOND = {"2-point": _Second(1 / 3, 2), "3-point": _Second(1 / 4, 4 / 3)}


@public
def sparse_jacobian(
    f: Callable,
    argnums: int | tuple[int, ...] = 0,
    *,
    sparsity: Any = None,
    method: str = "3-point",
    step: Any = None,
    bounds: tuple | None = None,
    return_error: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of a function as a sparse matrix, from differences of many elements at once.

    Elements of which no value depends on two have one colour (Curtis, Powell and Reid, IMA Journal of Applied Mathematics
    13, 1974) and are moved together, so that the number of evaluations grows with the colours and not with the elements.

    Parameters
    ----------
    f, argnums
        As in `npgrad.sparse_jacobian`, for real arguments.
    sparsity : SparsityPattern, sparse matrix of SciPy, or array, optional
        Where the Jacobian may differ from zero, of shape (values, elements). Without it the pattern is that of
        `npgrad.jacobian_sparsity` at the point, for which ``f`` is recorded once in each call.
    method, step, bounds, return_error
        See `jacobian`.

    Returns
    -------
    callable
        Gives a `SparseMatrix`, a tuple of them for a tuple of ``argnums``; or a `Difference` of these.

    Raises
    ------
    ValueError
        For a pattern of another shape, or one that lacks an element by which a value is seen to change.

    Examples
    --------
    >>> import numpy as np
    >>> from npgrad import finite_difference
    >>> found = finite_difference.sparse_jacobian(np.diff, return_error=True)(np.linspace(0.0, 1.0, 1000))
    >>> found.derivative, found.evaluations
    (<SparseMatrix of shape 999x1000 with 1998 elements>, 9)
    """
    how = method_named(method)
    given = None if sparsity is None else _pattern_of(sparsity)
    known: list = []  # the last pattern, with its colours

    @public
    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        function = FlatFunction(f, args, kwargs, argnums)
        check_real(function, "sparse_jacobian")
        problem = problem_at(function, function, function.x, how, steps_for(function, step), limits_for(function, bounds))
        pattern = jacobian_sparsity(f, *args, argnums=argnums, **kwargs) if given is None else given
        shape = (problem.value.size, problem.x.size)
        if pattern.shape != shape:
            raise ValueError(f"the sparsity pattern has the shape {pattern.shape}, the Jacobian {shape}")
        if not (known and _same(known[0], pattern)):
            known[:] = pattern, color_columns(pattern.indices, pattern.indptr, pattern.shape[1])
        elements = compressed(problem, how, return_error, pattern.indices, pattern.rows(), known[1])

        def matrices(data: ndarray) -> Any:
            whole = SparseMatrix(data, pattern.indices.copy(), pattern.indptr.copy(), pattern.shape)
            if not function.several:
                return whole
            ends = np.cumsum([0, *function.sizes()])
            return tuple([columns_between(whole, int(a), int(b)) for a, b in itertools.pairwise(ends)])

        derivative, error = map(matrices, elements)
        return Difference(derivative, error, function.evaluations) if return_error else derivative

    return wrapped


def _same(a: SparsityPattern, b: SparsityPattern) -> bool:
    return a.shape == b.shape and np.array_equal(a.indptr, b.indptr) and np.array_equal(a.indices, b.indices)


def _pattern_of(given: Any) -> SparsityPattern:
    if isinstance(given, SparsityPattern):
        return given
    if hasattr(given, "tocoo"):
        rows, indices = given.tocoo().coords if hasattr(given.tocoo(), "coords") else given.tocoo().nonzero()
        order = np.lexsort((indices, rows))
        rows, indices, shape = rows[order], indices[order], given.shape
    else:
        dense = np.asarray(given)
        if dense.ndim != 2:
            raise ValueError(f"a sparsity pattern has two axes, values and elements, got shape {dense.shape}")
        (rows, indices), shape = np.nonzero(dense), dense.shape
    return SparsityPattern(indices, np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))]), shape)


__all__ = ["Difference", "grad", "hessian", "jacobian", "sparse_jacobian"]
