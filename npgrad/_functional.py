"""Derivatives of functions: plain arrays in, plain arrays out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal, ParamSpec, TypedDict, TypeVar, Unpack, overload

import numpy as np
from numpy import ndarray

from ._compression import Learned
from ._instrument import Reach
from ._record import recording
from ._run import Run, check_argnums, check_callable, name_of
from ._structure import flatten
from ._tracebacks import public
from ._traced import unwrap

P = ParamSpec("P")
R = TypeVar("R")
Aux = TypeVar("Aux")
Argnums = int | tuple[int, ...]


class _Options(TypedDict, total=False):
    """What the functions of this module can be told by keyword, for type checkers."""

    holomorphic: bool
    leaks: str
    check_nan: bool
    check: bool


class _JacobianOptions(_Options, total=False):
    mode: str
    max_bytes: int | None


def check_scalar(value: Any, function: Callable) -> None:
    value = unwrap(value)  # the questions are not for the tape
    if value is None:
        raise TypeError(f"{name_of(function)} returned None: does it end without return?")
    if not isinstance(value, (ndarray, np.generic, float, int, complex)):
        kind = type(value).__name__
        raise TypeError(f"{name_of(function)} returned {kind}; grad needs a scalar, jacobian takes structures")
    if isinstance(value, ndarray) and value.size != 1:
        raise ValueError(f"{name_of(function)} returned shape {value.shape}; grad needs a scalar: use npgrad.jacobian")
    if isinstance(value, complex) or (isinstance(value, (ndarray, np.generic)) and value.dtype.kind == "c"):
        raise TypeError(f"{name_of(function)} returned a complex value; grad needs a real scalar")


def _verify(f: Callable, run: Run, args: tuple, kwargs: dict, has_aux: bool) -> None:
    from ._leak_search import verify  # when it is asked for: see npgrad's __init__

    verify(f, run, args, kwargs, has_aux)


def check_holomorphic(product: Any, ct: Any, scale: float) -> None:
    """Raise unless a cotangent that has flowed back is the product of its seed with the derivative."""
    if np.abs(product - ct).max(initial=0) > 100 * np.finfo(ct.dtype).eps ** 0.75 * (scale + np.abs(ct).sum()):
        raise ValueError(
            "holomorphic=True, but the value depends on the conjugate of its argument (through real, imag, abs, "
            "conjugate ...): leave it out for the direction of steepest ascent, dL/dRe + i dL/dIm"
        )


def check_complex(arrays: list) -> None:
    """Raise unless all are complex, as the values and arguments of a holomorphic function are."""
    if any(np.asarray(unwrap(array)).dtype.kind != "c" for array in arrays):
        raise TypeError("holomorphic=True is for complex values of complex arguments: leave it out for real ones")


def _complex_derivatives(run: Run, targets: list, mode: str, max_bytes: int | None) -> list:
    """The derivatives dy/dz of complex values by complex arguments; raises where a value is not holomorphic.

    The cotangent that flows back from a holomorphic function is complex linear in the seed; a part of the function that
    depends on the conjugate of its argument flows back with the conjugate of the seed.
    """
    sources, build = flatten(run.sources)
    check_complex([*targets, *sources])
    made = []
    for target in targets:
        rows = run.tape.jacobian(target, sources, unconnected_gradients="zero", mode=mode, max_bytes=max_bytes)
        seed = np.exp(1j * np.random.default_rng(0).uniform(0, 6, np.shape(target)))
        back = run.tape.gradient(target, sources, seed, unconnected_gradients="zero")
        for row, ct in zip(rows, back, strict=True):
            row = np.asarray(unwrap(row))
            check_holomorphic(np.tensordot(seed, row, seed.ndim), unwrap(ct), np.abs(row).sum())
        made.append(build([np.conjugate(row) for row in rows]))
    return made


# Ufuncs come first: of their signatures mypy would take that for scalars.
@overload
def value_and_grad(
    f: np.ufunc, argnums: Argnums = 0, has_aux: Literal[False] = False, **options: Unpack[_Options]
) -> Callable[..., tuple[Any, Any]]: ...
@overload
def value_and_grad(
    f: Callable[P, R], argnums: Argnums = 0, has_aux: Literal[False] = False, **options: Unpack[_Options]
) -> Callable[P, tuple[R, Any]]: ...
@overload
def value_and_grad(
    f: Callable[P, tuple[R, Aux]], argnums: Argnums = 0, *, has_aux: Literal[True], **options: Unpack[_Options]
) -> Callable[P, tuple[tuple[R, Aux], Any]]: ...
@overload
def value_and_grad(
    f: Callable[P, Any], argnums: Argnums = 0, has_aux: bool = False, **options: Unpack[_Options]
) -> Callable[P, tuple[Any, Any]]: ...
@public
def value_and_grad(
    f: Callable,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    holomorphic: bool = False,
    leaks: str = "raise",
    check_nan: bool = False,
    check: bool = False,
) -> Callable[..., Any]:
    """A function that returns the value of a scalar function and its gradient.

    Parameters
    ----------
    f : callable
        Plain NumPy code; its first value (its only one, unless ``has_aux``) is a real scalar.
    argnums : int or tuple of int
        Which positional arguments to differentiate by; each a floating or complex array or number, or a structure of them.
    has_aux : bool
        Whether ``f`` returns ``(value, auxiliary data)``.
    holomorphic : bool
        For a complex value of complex arguments: the complex derivative dy/dz. That there is one is checked.
    leaks : {"raise", "warn", "ignore"}
        See `GradientTape`.
    check_nan : bool
        See `GradientTape`.
    check : bool
        Compare the derivative along one random direction with differences at each call, as `check_leaks` does, with two more
        evaluations of ``f`` (at most 36 where these do not settle it). Only the outermost of nested derivatives is checked.

    Returns
    -------
    callable
        Gives ``(value, gradient)``, or ``((value, aux), gradient)`` with ``has_aux``. The gradient has the structure of the
        argument, or is a tuple for a tuple of ``argnums``; zeros where the value does not depend on it.

    Raises
    ------
    TypeError, ValueError
        When called: for a value that is not a real scalar, or an argument that is not floating.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> ng.value_and_grad(lambda x: (x ** 3).sum())(np.array([1.0, 2.0]))
    (np.float64(9.0), array([ 3., 12.]))
    """

    check_callable(f)
    check_argnums(argnums)
    reach = Reach()

    def derive(run: Run) -> Any:
        if holomorphic:
            return _complex_derivatives(run, [run.value], "auto", None)[0]
        check_scalar(run.value, f)
        return run.tape.gradient(run.value, run.sources, unconnected_gradients="zero")

    @public
    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        run = Run(f, args, kwargs, argnums, has_aux, leaks, check_nan, reach, None if check else derive)
        if check and not recording():
            _verify(f, run, args, kwargs, has_aux)
        gradient = derive(run) if check else run.derived
        value = run.plain_value()
        return ((value, run.aux) if has_aux else value), gradient

    return wrapped


@overload
def grad(
    f: np.ufunc, argnums: Argnums = 0, has_aux: Literal[False] = False, **options: Unpack[_Options]
) -> Callable[..., Any]: ...
@overload
def grad(
    f: Callable[P, Any], argnums: Argnums = 0, has_aux: Literal[False] = False, **options: Unpack[_Options]
) -> Callable[P, Any]: ...
@overload
def grad(
    f: Callable[P, tuple[Any, Aux]], argnums: Argnums = 0, *, has_aux: Literal[True], **options: Unpack[_Options]
) -> Callable[P, tuple[Any, Aux]]: ...
@overload
def grad(
    f: Callable[P, Any], argnums: Argnums = 0, has_aux: bool = False, **options: Unpack[_Options]
) -> Callable[P, Any]: ...
@public
def grad(
    f: Callable,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    holomorphic: bool = False,
    leaks: str = "raise",
    check_nan: bool = False,
    check: bool = False,
) -> Callable[..., Any]:
    """The gradient of a scalar function, as a function of the same arguments.

    Parameters and errors are those of `value_and_grad`; with ``has_aux`` the result is ``(gradient, aux)``.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> def energy(x):
    ...     work = np.empty(3)
    ...     for i in range(3):
    ...         work[i] = x[i] ** 2
    ...     return work.sum()
    >>> ng.grad(energy)(np.array([1.0, 2.0, 3.0]))
    array([2., 4., 6.])
    """
    both = value_and_grad(
        f, argnums, has_aux, holomorphic=holomorphic, leaks=leaks, check_nan=check_nan, check=check
    )

    @public
    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapped


@overload
def value_and_jacobian(
    f: np.ufunc, argnums: Argnums = 0, has_aux: Literal[False] = False, **options: Unpack[_JacobianOptions]
) -> Callable[..., tuple[Any, Any]]: ...
@overload
def value_and_jacobian(
    f: Callable[P, R], argnums: Argnums = 0, has_aux: Literal[False] = False, **options: Unpack[_JacobianOptions]
) -> Callable[P, tuple[R, Any]]: ...
@overload
def value_and_jacobian(
    f: Callable[P, tuple[R, Aux]], argnums: Argnums = 0, *, has_aux: Literal[True], **options: Unpack[_JacobianOptions]
) -> Callable[P, tuple[tuple[R, Aux], Any]]: ...
@overload
def value_and_jacobian(
    f: Callable[P, Any], argnums: Argnums = 0, has_aux: bool = False, **options: Unpack[_JacobianOptions]
) -> Callable[P, tuple[Any, Any]]: ...
@public
def value_and_jacobian(
    f: Callable,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    mode: str = "auto",
    max_bytes: int | None = None,
    holomorphic: bool = False,
    leaks: str = "raise",
    check_nan: bool = False,
    check: bool = False,
) -> Callable[..., Any]:
    """A function that returns the value of ``f`` and its Jacobian; see `jacobian`.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> ng.value_and_jacobian(lambda x: x[1:] * x[0])(np.array([2.0, 3.0]))
    (array([6.]), array([[3., 2.]]))
    """

    check_callable(f)
    check_argnums(argnums)
    reach, learned = Reach(), Learned()

    def derive(run: Run) -> Any:
        targets, build = flatten(run.value)
        if any(t is None for t in targets):
            raise TypeError(f"{name_of(f)} returned None: does it end without return?")
        if holomorphic:
            return build(_complex_derivatives(run, targets, mode, max_bytes))
        return run.tape._jacobian(run.value, run.sources, True, mode, max_bytes, learned)

    @public
    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        run = Run(f, args, kwargs, argnums, has_aux, leaks, check_nan, reach, None if check else derive)
        if check and not recording():
            _verify(f, run, args, kwargs, has_aux)
        rows = derive(run) if check else run.derived
        value = run.plain_value()
        return ((value, run.aux) if has_aux else value), rows

    return wrapped


@overload
def jacobian(
    f: np.ufunc, argnums: Argnums = 0, has_aux: Literal[False] = False, **options: Unpack[_JacobianOptions]
) -> Callable[..., Any]: ...
@overload
def jacobian(
    f: Callable[P, Any], argnums: Argnums = 0, has_aux: Literal[False] = False, **options: Unpack[_JacobianOptions]
) -> Callable[P, Any]: ...
@overload
def jacobian(
    f: Callable[P, tuple[Any, Aux]], argnums: Argnums = 0, *, has_aux: Literal[True], **options: Unpack[_JacobianOptions]
) -> Callable[P, tuple[Any, Aux]]: ...
@overload
def jacobian(
    f: Callable[P, Any], argnums: Argnums = 0, has_aux: bool = False, **options: Unpack[_JacobianOptions]
) -> Callable[P, Any]: ...
@public
def jacobian(
    f: Callable,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    mode: str = "auto",
    max_bytes: int | None = None,
    holomorphic: bool = False,
    leaks: str = "raise",
    check_nan: bool = False,
    check: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of a function, as a function of the same arguments.

    Parameters
    ----------
    f : callable
        Plain NumPy code that returns an array, a number, or a structure of these.
    argnums : int or tuple of int
        Which positional arguments to differentiate by.
    has_aux : bool
        Whether ``f`` returns ``(value, auxiliary data)``; the result is then ``(jacobian, aux)``.
    mode : {"auto", "forward", "reverse"}
    max_bytes : int, optional
        See `GradientTape.jacobian`.
    holomorphic : bool
        For complex values of complex arguments: the complex derivative dy/dz, where a tape has its conjugate. That there is
        one is checked by a random cotangent.
    leaks : {"raise", "warn", "ignore"}
        See `GradientTape`.
    check_nan : bool
        See `GradientTape`.
    check : bool
        Compare the derivative along one random direction with differences at each call, as `check_leaks` does, with two more
        evaluations of ``f`` (at most 36 where these do not settle it). Only the outermost of nested derivatives is checked.

    Returns
    -------
    callable
        Gives an array of shape ``value.shape + argument.shape`` (a structure of them for structures), zeros where the value
        does not depend on the argument.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> ng.jacobian(lambda x: np.array([x[0] * x[1], x[1]]))(np.array([2.0, 3.0]))
    array([[3., 2.],
           [0., 1.]])
    """
    both = value_and_jacobian(
        f,
        argnums,
        has_aux,
        mode=mode,
        max_bytes=max_bytes,
        holomorphic=holomorphic,
        leaks=leaks,
        check_nan=check_nan,
        check=check,
    )

    @public
    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        value, rows = both(*args, **kwargs)
        return (rows, value[1]) if has_aux else rows

    return wrapped
