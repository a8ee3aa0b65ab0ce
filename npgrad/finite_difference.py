"""Derivatives by differences: the methods to compare with.

The function is called as it stands, one shifted element at a time: nothing is assumed about vectorisation, and every call
gets fresh copies of its arguments because legacy functions overwrite them. What a function keeps elsewhere (an object, a
module's work array) is its own business: it must give the same value for the same arguments.

Steps
-----
With ``eps`` the machine precision of the argument's dtype and ``s = max(1, |x|)`` elementwise (Dennis and Schnabel,
Numerical Methods for Unconstrained Optimization, 1983, section 5.4; Gill, Murray and Wright, Practical Optimization, 1981,
section 8.6):

=============  ======================  =============================================
method         step                    best relative accuracy, evaluations
=============  ======================  =============================================
2-point        ``eps**(1/2) s``        about ``eps**(1/2)``, n + 1
3-point        ``eps**(1/3) s``        about ``eps**(2/3)``, 2 n + 1
richardson     from ``s / 16`` down    about ``eps``, at most 20 n + 1
complex-step   ``1e-20 s``             rounding error, n + 1
=============  ======================  =============================================

Richardson extrapolates central differences of halved steps to step zero and keeps, for each entry, the estimate of
smallest error (Ridders, Advances in Engineering Software 4, 1982). Its first step should be a length over which the
function visibly changes and stays smooth: give ``step`` where ``s / 16`` is not. The complex step (Squire and Trapp, SIAM
Review 40, 1998) needs code that NumPy follows in complex arithmetic and that is real-analytic.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from ._difference_methods import METHODS, Difference as Difference, differences
from ._tracebacks import public


@public
def jacobian(
    f: Callable,
    argnums: int | tuple[int, ...] = 0,
    method: str = "3-point",
    step: Any = None,
    bounds: tuple | None = None,
    *,
    return_error: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of a function by differences, as a function of the same arguments.

    Parameters
    ----------
    f : callable
        Plain NumPy code that returns an array, a number, or a structure of these.
    argnums : int or tuple of int
        Which positional arguments to differentiate by; each a real floating array or number.
    method : {"3-point", "2-point", "richardson", "complex-step"}
        Central or forward differences, their extrapolation to step zero, or complex steps; see the module's page for
        accuracy and cost.
    step : float or array, optional
        Absolute step, for all elements or for each; the largest one for "richardson". The default is the method's power of
        machine precision times ``max(1, |x|)``.
    bounds : (lower, upper), optional
        The function is evaluated only between them (numbers or arrays). Near a bound "3-point" and "richardson" use
        one-sided differences, "2-point" the side with room. The complex step does not leave the point.
    return_error : bool
        Return a `Difference`, with an error estimate for each entry and the number of evaluations. "2-point" and "3-point"
        need a second round of evaluations at half the step for it.

    Returns
    -------
    callable
        Gives an array of shape ``value.shape + argument.shape`` (a structure of them for structures), a tuple of these for
        a tuple of ``argnums``, or a `Difference` of them.

    Raises
    ------
    TypeError
        For an argument that is not real and floating, a value that is not numeric, or a function that drops the imaginary
        part of a complex step.
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
    >>> bool(abs(result.derivative - np.e) < 1e-12), bool(result.error < 1e-11)
    (True, True)
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")

    @public
    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        numbers = (argnums,) if isinstance(argnums, int) else argnums
        found = [differences(f, args, kwargs, n, METHODS[method], step, bounds, return_error) for n in numbers]
        if isinstance(argnums, int):
            return found[0] if return_error else found[0].derivative
        derivatives, errors, evaluations = zip(*found, strict=True)
        return Difference(derivatives, errors, sum(evaluations)) if return_error else derivatives

    return wrapped


@public
def grad(
    f: Callable,
    argnums: int | tuple[int, ...] = 0,
    method: str = "3-point",
    step: Any = None,
    bounds: tuple | None = None,
    *,
    return_error: bool = False,
) -> Callable[..., Any]:
    """The gradient of a real scalar function by differences; parameters and errors are those of `jacobian`.

    Examples
    --------
    >>> import numpy as np
    >>> from npgrad import finite_difference
    >>> finite_difference.grad(lambda x: (x ** 3).sum())(np.array([1.0, 2.0])).round(6)
    array([ 3., 12.])
    """

    @functools.wraps(f)
    def scalar(*args: Any, **kwargs: Any) -> Any:
        value = f(*args, **kwargs)
        if not isinstance(value, (ndarray, np.generic, float, int, complex)) or np.size(value) != 1:
            what = f"shape {np.shape(value)}" if isinstance(value, ndarray) else type(value).__name__
            raise TypeError(f"{getattr(f, '__name__', f)} returned {what}; grad needs a scalar: use jacobian")
        return value if np.ndim(value) == 0 else np.reshape(value, ())

    return jacobian(scalar, argnums, method, step, bounds, return_error=return_error)


@public
def hessian(
    f: Callable,
    argnums: int = 0,
    method: str = "3-point",
    step: Any = None,
    bounds: tuple | None = None,
    *,
    return_error: bool = False,
) -> Callable[..., Any]:
    """The Hessian of a real scalar function by differences of differences, made symmetric.

    Parameters and errors are those of `jacobian`, for one argument. A "2-point" or "3-point" quotient of the same quotient
    has the step ``eps**(1/3)`` or ``eps**(1/4)`` times ``max(1, |x|)`` in both, so that rounding, which is now divided by
    the square of the step, is in balance with what the quotient leaves out. "complex-step" takes central differences of
    the gradient by complex steps (Squire and Trapp), which is the most accurate, and "richardson" extrapolates both.

    Examples
    --------
    >>> import numpy as np
    >>> from npgrad import finite_difference
    >>> finite_difference.hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0])).round(5)
    array([[6., 4.],
           [4., 0.]])
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    quotient = _SECOND.get(method)

    @public
    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        point, calls, largest = np.asarray(args[argnums]), 0, 0.0

        @functools.wraps(f)
        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls, largest
            calls += 1
            value = f(*args, **kwargs)
            if isinstance(value, (ndarray, np.generic, float)):
                largest = max(largest, float(np.max(np.abs(value))))
            return value

        def rows(inner: str, outer: str, h: Any, inner_step: Any, with_error: bool = False) -> Difference:
            gradient = grad(counted, argnums, inner, inner_step, bounds)
            found = jacobian(gradient, argnums, outer, h, bounds, return_error=with_error)(*args, **kwargs)
            parts = found[:2] if with_error else (found, np.zeros_like(found))
            square, error = (np.reshape(part, (point.size, point.size)) for part in parts)
            return Difference((square + square.T) / 2, error + np.abs(square - square.T) / 2, 0)

        if quotient is None:
            outer = "3-point" if method == "complex-step" else method
            found = rows(method, outer, step, None if method == "complex-step" else step, return_error)
        else:
            eps = float(np.finfo(point.dtype).eps) if point.dtype.kind == "f" else 0.0
            h = eps**quotient.power * np.maximum(1, np.abs(point)) if step is None else np.asarray(step)
            found = rows(method, method, h, h)
            if return_error:
                finer = rows(method, method, h / 2, h / 2)
                error = quotient.coarse_over_fine * np.abs(found.derivative - finer.derivative) + found.error
                found = Difference(found.derivative, error + eps * largest / np.min(h) ** 2, 0)
        shape = point.shape * 2
        hessian, error = (part.reshape(shape)[()] for part in found[:2])
        return Difference(hessian, error, calls) if return_error else hessian

    return wrapped


class _Second(NamedTuple):
    power: float
    coarse_over_fine: float


_SECOND = {"2-point": _Second(1 / 3, 2), "3-point": _Second(1 / 4, 4 / 3)}

__all__ = ["Difference", "grad", "hessian", "jacobian"]
