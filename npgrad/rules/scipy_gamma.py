"""``scipy.special``: the gamma function and what is made of it: psi, beta, binomial coefficients, Pochhammer's symbol, zeta.

Formulas: the NIST Digital Library of Mathematical Functions (DLMF), by number. Quotients of gamma functions have derivatives
also where the functions have poles, at integers: there they are taken by reflection, or with the reciprocal.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._libraries import Library

special = Library("scipy.special")

_PI = math.pi


def _trigamma(x: Any) -> Any:
    """DLMF 25.11.12 for real numbers. For complex ones SciPy has no function: 5.15.5 (recurrence, up to where the series has
    converged), 5.15.6 (reflection, to the right half) and 5.15.8 (asymptotic series)."""
    if not np.iscomplexobj(x):
        return special.zeta(2, x)
    left = np.real(x) < 0.5
    z = np.where(left, 1 - x, x)
    steps = sum([1 / (z + k) ** 2 for k in range(1, 15)], 1 / z**2)
    far = z + 15
    inverse = 1 / (far * far)
    series = 0.0
    for bernoulli in (7 / 6, -691 / 2730, 5 / 66, -1 / 30, 1 / 42, -1 / 30, 1 / 6):
        series = (series + bernoulli) * inverse
    value = 1 / far + inverse / 2 + series / far + steps
    return np.where(left, (_PI / np.sin(_PI * np.where(left, x, 0.5))) ** 2 - value, value)


def _rgamma_slope(x: Any, ans: Any) -> Any:
    """-ans psi(x), by reflection (DLMF 5.5.3) on the left, where ans has its zeros and psi its poles."""
    left = np.real(x) < 0.5
    turned = np.where(left, 1 - x, 1.0)
    reflected = special.gamma(turned) * (np.cos(_PI * x) - special.psi(turned) * np.sin(_PI * x) / _PI)
    return np.where(left, reflected, -ans * special.psi(np.where(left, 1.0, x)))


def _is_pole(x: Any) -> Any:
    return (x <= 0) & (x == np.floor(x)) if not np.iscomplexobj(x) else np.zeros(x.shape, bool)


def _difference_of_psi(x: Any, y: Any) -> Any:
    """psi(x) - psi(y), by reflection (DLMF 5.5.4) where both have poles; NaN where one has."""
    both = _is_pole(x) & _is_pole(y)
    return special.psi(np.where(both, 1 - x, x)) - special.psi(np.where(both, 1 - y, y))


def _slope_of_reciprocal(x: Any) -> Any:
    return _rgamma_slope(x, special.rgamma(x))


def _binom_by_x(x: Any, y: Any, ans: Any) -> Any:
    n, k, rest = x + 1, y + 1, x - y + 1
    pole = _is_pole(rest)
    direct = special.gamma(n) * special.rgamma(k) * _slope_of_reciprocal(rest)
    return np.where(pole, direct, ans * (special.psi(n) - special.psi(np.where(pole, 1.0, rest))))


def _binom_by_y(x: Any, y: Any, ans: Any) -> Any:
    n, k, rest = x + 1, y + 1, x - y + 1
    pole = _is_pole(rest) | _is_pole(k)
    inner = _slope_of_reciprocal(k) * special.rgamma(rest) - special.rgamma(k) * _slope_of_reciprocal(rest)
    others = special.psi(np.where(pole, 1.0, rest)) - special.psi(np.where(pole, 1.0, k))
    return np.where(pole, special.gamma(n) * inner, ans * others)


def _poch_by_x(x: Any, y: Any, ans: Any) -> Any:
    """At a pole of gamma(x) alone by the reciprocal, which is 0 there."""
    pole = _is_pole(x) & ~_is_pole(x + y)
    direct = special.gamma(np.where(pole, x + y, 1.0)) * _slope_of_reciprocal(x)
    return np.where(pole, direct, ans * _difference_of_psi(x + y, np.where(pole, 1.0, x)))


# DLMF 5.2.2, 5.15.1, 5.12.1.
special.elementwise("gamma", lambda x, ans: ans * special.psi(x))
special.elementwise("gammaln", lambda x: special.psi(x))
special.elementwise("loggamma", lambda x: special.psi(x))
special.elementwise("rgamma", lambda x, ans: _rgamma_slope(x, ans))
special.elementwise("psi", lambda x: _trigamma(x))
special.elementwise(
    "beta",
    lambda x, y, ans: ans * _difference_of_psi(x, x + y),
    lambda x, y, ans: ans * _difference_of_psi(y, x + y),
)
special.elementwise("betaln", lambda x, y: _difference_of_psi(x, x + y), lambda x, y: _difference_of_psi(y, x + y))
special.elementwise("binom", lambda x, y, ans: _binom_by_x(x, y, ans), lambda x, y, ans: _binom_by_y(x, y, ans))
special.elementwise("poch", lambda x, y, ans: _poch_by_x(x, y, ans), lambda x, y, ans: ans * special.psi(x + y))
# DLMF 25.11.17.
special.elementwise("_ufuncs._zeta", special.no_partial("zeta", "x"), lambda x, y: -x * special.zeta(x + 1, y))
