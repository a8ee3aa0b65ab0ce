"""Ufuncs: one partial derivative per input.

Formulas: Abramowitz and Stegun, chapters 4 (elementary functions) and 6; ties and kinks as in docs/kinks.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._compat import clip_ufunc
from .._registry import custom, elementwise, over

_LN2 = float(np.log(2.0))
_LN10 = float(np.log(10.0))
_DEGREE = float(np.pi / 180.0)

# --- Arithmetic ----------------------------------------------------------------------------------------------------

elementwise(np.add, 1, 1)
elementwise(np.subtract, 1, -1)
elementwise(np.multiply, "y", "x", exact_zeros=1)
elementwise(np.divide, over("y"), lambda y, ans: -(ans / y))
elementwise(np.negative, -1)
elementwise(np.positive, 1)
elementwise(np.reciprocal, lambda ans: -(ans * ans))
elementwise(np.square, lambda x: 2 * x)
elementwise(np.sqrt, over(lambda ans: 2 * ans))
elementwise(np.cbrt, over(lambda ans: 3 * (ans * ans)))


def _power_by_base(x: Any, y: Any) -> Any:
    if type(y) in (int, float):
        return y * x ** (y - 1) if y else 0.0
    # Where the exponent is 0 the derivative is 0, also at base 0.
    return y * x ** np.where(y == 0, 1, y - 1)


def _power_by_exponent(x: Any, ans: Any) -> Any:
    base = np.where(x == 0, 1, x)
    # A real base counts as a complex one where the exponent is complex: below zero it has a logarithm.
    return ans * np.log(base + 0j if np.iscomplexobj(ans) and not np.iscomplexobj(base) else base)


elementwise(np.power, _power_by_base, _power_by_exponent)
elementwise(np.float_power, _power_by_base, _power_by_exponent)

# x = q y + r with q piecewise constant.
elementwise(np.remainder, 1, lambda x, y: -np.floor_divide(x, y))
elementwise(np.fmod, 1, lambda x, y: -np.trunc(x / y))
elementwise(np.divmod, 1, lambda x, y: -np.floor_divide(x, y), output=1)
elementwise(np.modf, 1)
elementwise(np.frexp, lambda x: _power_of_two(-np.frexp(x)[1], x))
elementwise(np.ldexp, lambda x, y: _power_of_two(y, x), custom(lambda ct: 0 * ct, lambda tangent: 0 * tangent))


def _power_of_two(n: Any, like: Any) -> Any:
    return np.ldexp(np.ones_like(like), n)


# --- Exponentials and logarithms -----------------------------------------------------------------------------------

elementwise(np.exp, "ans")
elementwise(np.exp2, lambda ans: ans * _LN2)
elementwise(np.expm1, lambda ans: ans + 1)
elementwise(np.log, over("x"))
elementwise(np.log2, over(lambda x: x * _LN2))
elementwise(np.log10, over(lambda x: x * _LN10))
elementwise(np.log1p, over(lambda x: x + 1))


def _behind(x: Any, y: Any) -> Any:
    """y - x, where equal infinities share."""
    return np.where(np.isinf(x) & (x == y), 0.0, y - x)


def _share(x: Any, y: Any, exp: Any = np.exp) -> Any:
    """exp(x) / (exp(x) + exp(y)), without overflow here or in what is derived from it."""
    behind = _behind(x, y)
    ratio = exp(np.where(behind > 0, -behind, behind))
    return np.where(behind > 0, ratio, 1) / (1 + ratio)


def _share2(x: Any, y: Any) -> Any:
    return _share(x, y, np.exp2)


elementwise(np.logaddexp, lambda x, y: _share(x, y), lambda x, y: _share(y, x))
elementwise(np.logaddexp2, lambda x, y: _share2(x, y), lambda x, y: _share2(y, x))

# --- Trigonometric and hyperbolic functions ------------------------------------------------------------------------

elementwise(np.sin, np.cos)
elementwise(np.cos, lambda x: -np.sin(x))
elementwise(np.tan, lambda ans: 1 + ans * ans)


def _sine_of_arccos(x: Any) -> Any:
    """sqrt(1 - x^2). With -(x - 1) and not 1 - x the sign of a zero imaginary part says on which side of the branch cut x
    lies; the 0.0 makes -0.0 at 1 and at -1 positive, so that the slope there is +infinity."""
    return (0.0 + np.sqrt(-(x - 1))) * _root_of_next(x)


def _root_of_next(x: Any) -> Any:
    """sqrt(x + 1), for which the same holds."""
    return 0.0 + np.sqrt(-(-x - 1))


elementwise(np.arcsin, over(lambda x: _sine_of_arccos(x)))
elementwise(np.arccos, over(lambda x: -_sine_of_arccos(x)))
elementwise(np.arctan, over(lambda x: 1 + x * x))
elementwise(np.sinh, np.cosh)
elementwise(np.cosh, np.sinh)
elementwise(np.tanh, lambda ans: 1 - ans * ans)
elementwise(np.arcsinh, over(lambda x: np.sqrt(1 + x * x)))
elementwise(np.arccosh, over(lambda x: np.sqrt(x - 1) * _root_of_next(x)))
elementwise(np.arctanh, over(lambda x: (1 - x) * (1 + x)))


def _squared_radius(x: Any, y: Any) -> Any:
    return x * x + y * y


elementwise(np.arctan2, lambda x, y: y / _squared_radius(x, y), lambda x, y: -(x / _squared_radius(x, y)))


def _direction(x: Any, length: Any) -> Any:
    """x / length, 0 at length 0, and so are its derivatives."""
    return np.where(length == 0, 0, x / np.where(length == 0, 1, length))


elementwise(np.hypot, lambda x, ans: _direction(x, ans), lambda y, ans: _direction(y, ans))
elementwise(np.degrees, lambda x: 1 / _DEGREE)
elementwise(np.rad2deg, lambda x: 1 / _DEGREE)
elementwise(np.radians, lambda x: _DEGREE)
elementwise(np.deg2rad, lambda x: _DEGREE)

# --- Absolute values, signs, extremes ------------------------------------------------------------------------------


def _phase(x: Any) -> Any:
    """x / |x|, 0 at 0."""
    return _direction(x, np.abs(x)) if np.iscomplexobj(x) else np.sign(x)


def _turned(change: Any, x: Any) -> Any:
    """How x / |x| changes: not at all for real numbers, at right angles to x for complex ones."""
    if not np.iscomplexobj(x):
        return 0 * change
    phase = _phase(x)
    return _direction(change - phase * np.real(np.conjugate(phase) * change), np.abs(x))


elementwise(
    np.absolute,
    # The result is real, though an ``out`` may be complex.
    custom(lambda ct, x: np.real(ct) * _phase(x), lambda tangent, x: np.real(np.conjugate(_phase(x)) * tangent)),
)
elementwise(np.sign, custom(lambda ct, x: _turned(ct, x), lambda tangent, x: _turned(tangent, x)))
elementwise(np.fabs, lambda x: np.sign(x))
elementwise(np.copysign, lambda x, y: np.where(np.signbit(x) == np.signbit(y), 1.0, -1.0) * (x != 0), lambda x: 0.0)
elementwise(np.nextafter, lambda x: 1.0, lambda x: 0.0)
elementwise(np.conjugate, custom(lambda ct: np.conjugate(ct), lambda tangent: np.conjugate(tangent)))


def _larger(x: Any, y: Any) -> Any:
    """1 where x is chosen as the larger, 1/2 at a tie; NaN is chosen, as NumPy does."""
    return (x > y) + 0.5 * (x == y) + 1.0 * np.isnan(x)


def _smaller(x: Any, y: Any) -> Any:
    return (x < y) + 0.5 * (x == y) + 1.0 * np.isnan(x)


elementwise(np.maximum, lambda x, y: _larger(x, y), lambda x, y: _larger(y, x) * ~np.isnan(x), exact_zeros=2)
elementwise(np.minimum, lambda x, y: _smaller(x, y), lambda x, y: _smaller(y, x) * ~np.isnan(x), exact_zeros=2)
# fmax and fmin pass NaN over.
elementwise(
    np.fmax,
    lambda x, y: (x > y) + 0.5 * (x == y) + 1.0 * np.isnan(y),
    lambda x, y: (y > x) + 0.5 * (x == y) + 1.0 * (np.isnan(x) & ~np.isnan(y)),
    exact_zeros=2,
)
elementwise(
    np.fmin,
    lambda x, y: (x < y) + 0.5 * (x == y) + 1.0 * np.isnan(y),
    lambda x, y: (y < x) + 0.5 * (x == y) + 1.0 * (np.isnan(x) & ~np.isnan(y)),
    exact_zeros=2,
)

# clip(x, low, high) = minimum(maximum(x, low), high): ties share as they do there.
elementwise(
    clip_ufunc(),
    lambda x, y, z: _larger(x, y) * _smaller(np.maximum(x, y), z),
    lambda x, y, z: _larger(y, x) * _smaller(np.maximum(x, y), z),
    lambda x, y, z: _smaller(z, np.maximum(x, y)),
    exact_zeros=3,
)

elementwise(np.heaviside, lambda x: 0.0, lambda x: 1.0 * (x == 0))
