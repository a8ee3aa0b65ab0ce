"""``scipy.special``: elliptic integrals and functions, and hypergeometric functions, which are their derivatives.

Formulas: the NIST Digital Library of Mathematical Functions (DLMF), by number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._libraries import Library
from .._registry import over

special = Library("scipy.special")

_PI = math.pi

# --- Elliptic integrals and functions --------------------------------------------------------------------------------


def _k_slope(m: Any) -> Any:
    """DLMF 19.5.1 and 15.5.1."""
    return _PI / 8 * special.hyp2f1(1.5, 1.5, 2, m)


def _km1_slope(p: Any) -> Any:
    """DLMF 19.4.1 where p = 1 - m is small, where the series in m converges slowly."""
    small = p < 0.5
    q = np.where(small, p, 0.25)
    near = -(special.ellipe(1 - q) - q * special.ellipkm1(q)) / (2 * q * (1 - q))
    return np.where(small, near, -_k_slope(np.where(small, 0.5, 1 - p)))


_SMALL = 1e-3


def _small_m(phi: Any, m: Any, coefficients: tuple) -> Any:
    """Half the sum of c_k m^k times the integral of sin^(2k+2): DLMF 19.5.4 to the order of rounding, for small m."""
    total = 0.0
    sine, cosine = np.sin(phi), np.cos(phi)
    integral = phi
    for k, c in enumerate(coefficients):
        integral = ((2 * k + 1) * integral - sine ** (2 * k + 1) * cosine) / (2 * k + 2)
        total = total + c * m**k * integral
    return total / 2


def _f_by_m(phi: Any, m: Any) -> Any:
    """DLMF 19.4.5; at m = 1, where F is the inverse of Gudermann's function, by differentiation under the integral."""
    small, one = np.abs(m) < _SMALL, m == 1
    n = np.where(small | one, 0.5, m)
    root = np.sqrt(1 - n * np.sin(phi) ** 2)
    e, f = special.ellipeinc(phi, n), special.ellipkinc(phi, n)
    value = (e / (1 - n) - f) / (2 * n) - np.sin(2 * phi) / (4 * (1 - n) * root)
    value = np.where(one, (np.sin(phi) / np.cos(phi) ** 2 - special.ellipkinc(phi, np.where(one, m, 0.5))) / 4, value)
    return np.where(small, _small_m(phi, np.where(small, m, 0.0), (1, 3 / 2, 15 / 8, 35 / 16, 315 / 128)), value)


def _e_by_m(phi: Any, m: Any) -> Any:
    """DLMF 19.4.6."""
    small = np.abs(m) < _SMALL
    n = np.where(small, 0.5, m)
    value = (special.ellipeinc(phi, n) - special.ellipkinc(phi, n)) / (2 * n)
    return np.where(small, -_small_m(phi, np.where(small, m, 0.0), (1, 1 / 2, 3 / 8, 5 / 16, 35 / 128)), value)


def _mean_slope(a: Any, b: Any, ans: Any) -> Any:
    """DLMF 19.8.5, in the form agm = (pi / 4) (a + b) / K(((a - b) / (a + b))^2)."""
    there, edge = (a != 0) & (b != 0), np.where((a == 0) & (b != 0), np.inf, 0.0)
    a, b = np.where(there, a, 1.0), np.where(there, b, 1.0)
    total = a + b
    m = ((a - b) / total) ** 2
    value = ans / total - ans * _k_slope(m) / special.ellipk(m) * 4 * b * (a - b) / total**3
    return np.where(there, value, edge)


special.elementwise("ellipk", lambda x: _k_slope(x))
special.elementwise("ellipkm1", lambda x: _km1_slope(x))
special.elementwise("ellipe", lambda x: -_PI / 8 * special.hyp2f1(0.5, 1.5, 2, x))
special.elementwise("ellipkinc", over(lambda x, y: np.sqrt(1 - y * np.sin(x) ** 2)), lambda x, y: _f_by_m(x, y))
special.elementwise("ellipeinc", lambda x, y: np.sqrt(1 - y * np.sin(x) ** 2), lambda x, y: _e_by_m(x, y))
special.elementwise("agm", lambda x, y, ans: _mean_slope(x, y, ans), lambda x, y, ans: _mean_slope(y, x, ans))
# DLMF 22.13: derivatives of sn, cn, dn and am by am, and dn by m; am by m is that of the inverse function.
for _i, _by_am, _by_m in (
    (0, lambda sn, cn, dn, m: cn, lambda sn, dn: 0.0),
    (1, lambda sn, cn, dn, m: -sn, lambda sn, dn: 0.0),
    (2, lambda sn, cn, dn, m: -m * sn * cn / dn, lambda sn, dn: -sn * sn / (2 * dn)),
    (3, lambda sn, cn, dn, m: 1.0, lambda sn, dn: 0.0),
):

    def _by_argument(x: Any, y: Any, slope: Callable = _by_am) -> Any:
        sn, cn, dn, _ = special.ellipj(x, y)
        return slope(sn, cn, dn, y) * dn

    def _by_parameter(x: Any, y: Any, slope: Callable = _by_am, direct: Callable = _by_m) -> Any:
        sn, cn, dn, am = special.ellipj(x, y)
        return direct(sn, dn) - slope(sn, cn, dn, y) * dn * _f_by_m(am, y)

    special.elementwise("ellipj", lambda x, y, f=_by_argument: f(x, y), lambda x, y, f=_by_parameter: f(x, y), output=_i)
# DLMF 19.18.1; R_C(x, y) = R_F(x, y, y).
special.elementwise(
    "elliprf",
    lambda x, y, z: -special.elliprd(y, z, x) / 6,
    lambda x, y, z: -special.elliprd(x, z, y) / 6,
    lambda x, y, z: -special.elliprd(x, y, z) / 6,
)


def _is_below(y: Any) -> Any:
    return (np.real(y) < 0) & (np.imag(y) == 0)


def _elliprc_by_x(x: Any, y: Any, ans: Any) -> Any:
    # At y < 0 the function is a principal value, and RD is not defined; near x = y the difference would cancel.
    below = _is_below(y)
    other = np.where(below, x, y)
    return np.where(below, (ans - 1 / np.sqrt(x)) / (2 * (y - x)), -special.elliprd(other, other, x) / 6)


def _elliprc_by_y(x: Any, y: Any, ans: Any) -> Any:
    below = _is_below(y)
    other = np.where(below, x, y)
    return np.where(below, (np.sqrt(x) / y - ans) / (2 * (y - x)), -special.elliprd(x, other, other) / 3)


special.elementwise("elliprc", _elliprc_by_x, _elliprc_by_y)

# --- Hypergeometric functions ----------------------------------------------------------------------------------------

# DLMF 15.5.1, 13.3.15, 13.3.22; 16.3.1 for 0F1.
special.elementwise(
    "hyp2f1",
    *[special.no_partial("hyp2f1", argument) for argument in "abc"],
    lambda x, y, z, w: x * y / z * special.hyp2f1(x + 1, y + 1, z + 1, w),
)
special.elementwise(
    "hyp1f1",
    *[special.no_partial("hyp1f1", argument) for argument in "ab"],
    lambda x, y, z: x / y * special.hyp1f1(x + 1, y + 1, z),
)
special.elementwise(
    "hyperu",
    *[special.no_partial("hyperu", argument) for argument in "ab"],
    lambda x, y, z: -x * special.hyperu(x + 1, y + 1, z),
)
special.elementwise("hyp0f1", special.no_partial("hyp0f1", "v"), lambda x, y: special.hyp0f1(x + 1, y) / x)
# DLMF 10.46.1, by term.
special.elementwise(
    "wright_bessel",
    *[special.no_partial("wright_bessel", argument) for argument in "ab"],
    lambda x, y, z: special.wright_bessel(x, x + y, z),
)
special.elementwise(
    "log_wright_bessel",
    *[special.no_partial("log_wright_bessel", argument) for argument in "ab"],
    lambda x, y, z, ans: np.exp(special.log_wright_bessel(x, x + y, z) - ans),
)
