"""check_gradients: derivatives of a function against differences, along random directions.

A few evaluations suffice for any number of arguments: the derivative along one random direction (Kidger and Lyons 2020 use
the same idea). Differences are Richardson's extrapolation of central differences, or complex steps (Squire and Trapp 1998)
where the function is real-analytic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._derivatives import gradients_of, recorded_on, tangents_of
from ._directional import NEGLIGIBLE, difference_along, inexact_leaves as inexact_leaves, largest
from ._flat_function import GIVEN, RETURNED, refuse_followed
from ._instrument import Reach, Reached, ReachOfOurs
from ._segments import unrecorded
from ._structure import flatten
from ._tape import GradientTape
from ._tracebacks import public
from ._traced import TracedArray, is_inexact, unwrap

__all__ = ["GradientCheckError", "check_gradients", "directional_difference"]

# Relative tolerance against differences, and of one sweep against another, by the precision of the arguments in bytes.
_TOLERANCE = {2: 2e-2, 4: 2e-3, 8: 1e-7, 16: 1e-7}
_ROUNDING = {2: 5e-2, 4: 1e-4, 8: 1e-10, 16: 1e-10}


class GradientCheckError(AssertionError):
    """A derivative differs from the difference quotient.

    Examples
    --------
    >>> import npgrad as ng
    >>> from npgrad.testing import GradientCheckError, check_gradients
    >>> try:
    ...     check_gradients(lambda x: x * ng.stop_gradient(x), 3.0)
    ... except GradientCheckError as error:
    ...     print("wrong")
    wrong
    """


# --- Derivatives ---------------------------------------------------------------------------------------------------


class Linearised:
    """A function recorded at a point: products with its Jacobian and with the transpose, for any batch.

    ``sources`` are the watched arguments, ``leaves`` the floating and complex arrays of the ``value``.
    """

    def __init__(self, f: Callable, points: list) -> None:
        # What the program keeps of the call is given back behind the tape.
        with Reached(f, [], ReachOfOurs()), GradientTape(persistent=True) as self.tape:
            self.sources: list[Any] = [
                self.tape.watch(p if isinstance(p, TracedArray) else np.array(p, order="K")[()]) for p in points
            ]
            self.value = f(*self.sources)
        self.leaves = [leaf for leaf in flatten(self.value)[0] if is_inexact(np.asarray(unwrap(leaf)).dtype)]
        record = self.tape._record
        assert record is not None
        self.record = record

    def pull(self, cotangents: list, batch: tuple[int, ...] = ()) -> list:
        """What flows back into each source, with the leading axes of the cotangents."""
        pairs = [(leaf, ct) for leaf, ct in zip(self.leaves, cotangents, strict=True) if recorded_on(self.record, leaf)]
        with np.errstate(all="ignore"):
            found = gradients_of(self.record, pairs, self.sources, batch)
        return [
            np.zeros(batch + s.shape, s.dtype) if r is None else r for r, s in zip(found, self.sources, strict=True)
        ]

    def push(self, tangents: list, batch: tuple[int, ...] = ()) -> list:
        """How each leaf changes, with the leading axes of the tangents."""
        moved = [(source, np.asarray(tangent)) for source, tangent in zip(self.sources, tangents, strict=True)]
        with np.errstate(all="ignore"):
            found = tangents_of(self.record, self.leaves, moved, batch)
        return [
            np.zeros(batch + np.shape(leaf), np.asarray(unwrap(leaf)).dtype) if t is None else t
            for t, leaf in zip(found, self.leaves, strict=True)
        ]

    def random_cotangents(self, rng: np.random.Generator, batch: tuple[int, ...] = ()) -> list:
        return [random_like(rng, leaf, batch) for leaf in self.leaves]


def random_like(rng: np.random.Generator, like: Any, batch: tuple[int, ...] = ()) -> Any:
    """Normally distributed numbers of the shape and dtype of an array, behind leading axes."""
    plain = np.asarray(unwrap(like))
    numbers = rng.standard_normal(batch + plain.shape)
    if plain.dtype.kind == "c":
        numbers = numbers + 1j * rng.standard_normal(batch + plain.shape)
    return np.asarray(numbers).astype(plain.dtype.newbyteorder("="))


def random_direction(rng: np.random.Generator, point: Any) -> Any:
    """A direction that moves each element by about its own size, so that small ones stay on their side of zero."""
    size = np.nan_to_num(np.abs(np.asarray(point)), posinf=0)
    return (random_like(rng, point) * np.where(size == 0, 1, np.maximum(size, 1e-2))).astype(np.asarray(point).dtype)


def derivative_along(f: Callable, mode: str, seed: int) -> Callable:
    """The products of the Jacobian of ``f`` with fixed random cotangents or tangents, as a function to differentiate."""

    def products(*xs: Any) -> list:
        rng = np.random.default_rng(seed)
        linear = Linearised(f, list(xs))
        if mode == "reverse":
            return linear.pull(linear.random_cotangents(rng))
        return linear.push([random_like(rng, x) for x in xs])

    products.__name__ = getattr(f, "__name__", "f")
    return products


# --- Differences ---------------------------------------------------------------------------------------------------


@public
def directional_difference(
    f: Callable, points: list, directions: list, *, method: str = "richardson", step: float = 1e-2
) -> tuple[list, float]:
    """The derivative of a function of arrays along a direction, by differences.

    Parameters
    ----------
    f : callable
        Takes the arrays of ``points``, returns an array or a structure of arrays.
    points, directions : list of arrays of equal shapes
    method : {"richardson", "complex-step"}
        Richardson extrapolates central differences from ``step`` down, halving it (Ridders 1982).
    step : float
        The first and largest step of Richardson's scheme.

    Returns
    -------
    derivative : list of arrays
        One per floating or complex leaf of the value.
    error : float
        An estimate of the largest error, relative to the largest derivative (or to a thousandth of the largest value, or
        to 1e-8); infinite where the function has a kink, a jump or a value that is not finite.

    Raises
    ------
    LeakError
        Where a tape follows a point, a direction or what the function returns: differences are plain numbers.
    TypeError
        For a value without a floating or complex number.

    Examples
    --------
    >>> import numpy as np
    >>> from npgrad.testing import directional_difference
    >>> [slope], error = directional_difference(np.sin, [np.array(0.0)], [np.array(2.0)])
    >>> print(np.round(slope, 9), error < 1e-9)
    2.0 True
    """
    name = "npgrad.testing.directional_difference"
    refuse_followed(name, GIVEN, points, directions, step)

    def checked(*arrays: Any) -> Any:
        value = f(*arrays)
        refuse_followed(name, RETURNED, value)
        return value

    checked.__name__ = _name(f)
    return difference_along(checked, points, directions, method=method, step=step)


# --- The check -----------------------------------------------------------------------------------------------------


@public
def check_gradients(
    f: Callable,
    *args: Any,
    order: int = 2,
    modes: tuple[str, ...] = ("reverse", "forward"),
    method: str = "richardson",
    rtol: float | None = None,
    seed: int = 0,
) -> None:
    """Raise unless npgrad's derivatives of a function agree with differences.

    Several cotangents or tangents at once, as Jacobians use them, must also give what they give one by one.

    Parameters
    ----------
    f : callable
        Takes arrays, returns an array or a structure of arrays.
    *args : floating or complex arrays or numbers
        The point. All are differentiated by.
    order : int
        With 2 the derivatives themselves, of each mode, are differentiated and checked in the same way; and so on.
    modes : tuple of {"reverse", "forward"}
        Which sweeps to check.
    method : {"richardson", "complex-step"}
        The differences to compare first derivatives with; complex steps need real arguments and a function that is
        real-analytic and followed by NumPy in complex arithmetic, and reach rounding error.
    rtol : float, optional
        Relative tolerance; the default depends on the dtype and grows with the differences' own error estimate.
    seed : int
        For the random directions.

    Raises
    ------
    GradientCheckError
        With the mode and order that failed, and both numbers; or because differences cannot judge: the point is at a kink.
    TypeError
        For an argument that is not floating or complex, and for a value without a floating or complex number: a function
        that ends without ``return`` has not been checked.
    ValueError
        Without arguments, and for modes or a method that are not there.

    Examples
    --------
    >>> import numpy as np
    >>> from npgrad.testing import check_gradients
    >>> check_gradients(lambda x: np.sin(x) * x[0], np.array([0.3, 0.7]))
    """
    unknown = set(modes) - {"reverse", "forward"}
    if unknown or not modes:
        raise ValueError(f'modes must be among "reverse" and "forward", got {modes!r}')
    if method not in ("richardson", "complex-step"):
        raise ValueError(f'method must be "richardson" or "complex-step", got {method!r}')
    if not args:
        raise ValueError("check_gradients has no arguments to differentiate by: give the point, check_gradients(f, x)")
    points = [np.array(a)[()] for a in args]
    for number, point in enumerate(points):
        if not is_inexact(point.dtype):
            raise TypeError(f"argument {number} has dtype {point.dtype}: differentiate with respect to a floating array")
        if method == "complex-step" and point.dtype.kind == "c":
            raise ValueError(f"argument {number} is complex: complex steps need real arguments")
    followed = _followed(f)

    def check() -> None:
        check_batches(followed, points, modes, seed)
        _check_order(f, followed, points, order, modes, method, rtol, seed, "order 1")

    unrecorded(check)  # nothing of it is handed on to a tape that records here


def _followed(f: Callable) -> Callable:
    """``f`` with what its module bound or made before swapped for each call, as the functional API does it."""

    def followed(*xs: Any) -> Any:
        with Reached(f, [], Reach()) as here:
            return here.form(f)(*xs)

    followed.__name__ = _name(f)
    return followed


def _precision(points: list) -> int:
    sizes = [np.asarray(p).dtype.itemsize // (2 if np.iscomplexobj(p) else 1) for p in points]
    return min([16, *sizes])


def _check_order(
    f: Callable,
    followed: Callable,
    points: list,
    order: int,
    modes: tuple,
    method: str,
    rtol: float | None,
    seed: int,
    where: str,
) -> None:
    """Compare differences of ``f`` with the derivatives of ``followed``, which is the same function."""
    rng = np.random.default_rng(seed)
    directions = [random_direction(rng, p) for p in points]
    expected, error = difference_along(f, points, directions, method=method)
    tolerance = max(_TOLERANCE[_precision(points)] if rtol is None else rtol, 20 * error)
    if not tolerance <= 0.1:
        raise GradientCheckError(
            f"{_name(f)}, {where}: differences cannot judge this point, they do not settle (relative error {error:.1e}): "
            "there is a kink, a jump or a value that is not finite"
        )
    linear = Linearised(followed, points)
    cotangents = linear.random_cotangents(rng)
    values = [np.asarray(unwrap(leaf)) for leaf in linear.leaves]
    scale = max([NEGLIGIBLE, *[largest(e) for e in expected], *[1e-3 * _finite_largest(v) for v in values]])
    for mode in modes:
        if mode == "reverse":
            found = [_inner(linear.pull(cotangents), directions)]
            wanted = [_inner(cotangents, expected)]
        else:
            found, wanted = linear.push(directions), expected
        worst = max([0.0, *[_nan_is_worst(np.asarray(a) - b) for a, b in zip(found, wanted, strict=True)]])
        if not worst <= tolerance * scale:
            raise GradientCheckError(
                f"{_name(f)}, {where}: {mode} mode gives {_short(found)}, differences give {_short(wanted)} "
                f"(relative difference {worst / scale:.1e}, tolerance {tolerance:.1e})"
            )
    if order > 1:
        for mode in modes:
            inside = f"{where}, then the derivative of {mode} mode's result"
            derived = derivative_along(followed, mode, seed + 1)
            _check_order(derived, derived, points, order - 1, modes, "richardson", rtol, seed, inside)


def check_batches(f: Callable, points: list, modes: tuple[str, ...] = ("reverse", "forward"), seed: int = 0) -> None:
    """Raise unless a sweep with two leading axes gives what one sweep per cotangent or tangent gives."""
    batch = (2, 2)
    rng = np.random.default_rng(seed)
    linear = Linearised(f, points)
    tolerance = _ROUNDING[_precision(points)]
    sweep: Callable[..., list]
    for mode in modes:
        if mode == "reverse":
            sweep, seeds = linear.pull, linear.random_cotangents(rng, batch)
        else:
            sweep, seeds = linear.push, [random_like(rng, p, batch) for p in points]
        together = [np.asarray(part) for part in sweep(seeds, batch)]
        for index in np.ndindex(batch):
            for number, (rows, alone) in enumerate(zip(together, sweep([s[index] for s in seeds]), strict=True)):
                row, alone = rows[index], np.asarray(alone)
                if row.shape != alone.shape or not np.allclose(
                    row, alone, rtol=tolerance, atol=tolerance * max(_finite_largest(alone), 1e-300), equal_nan=True
                ):
                    raise GradientCheckError(
                        f"{_name(f)}: {mode} mode with a batch gives {_short([row])} for array {number}, "
                        f"alone {_short([alone])}: rules take any number of leading axes"
                    )


def _finite_largest(values: np.ndarray) -> float:
    return largest(values[np.isfinite(values)])


def _nan_is_worst(difference: np.ndarray) -> float:
    return np.inf if np.isnan(difference).any() else largest(difference)


def _inner(a: list, b: list) -> np.ndarray:
    """The real inner product of two lists of arrays."""
    return np.array([sum(float(np.real(np.vdot(x, y))) for x, y in zip(a, b, strict=True))])


def _short(arrays: list) -> str:
    return ", ".join(np.array2string(np.asarray(a), precision=10, threshold=8) for a in arrays)


def _name(f: Callable) -> str:
    return getattr(f, "__name__", None) or repr(f)


__all__ = ["GradientCheckError", "check_gradients", "directional_difference"]
