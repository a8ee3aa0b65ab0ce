"""``scipy.special``: incomplete gamma and beta functions, error functions, exponential integrals, logistic and information
functions, and the distributions whose densities are closed forms.

Formulas: the NIST Digital Library of Mathematical Functions (DLMF), by number; where none is given the derivative follows
from SciPy's definition. Inverse functions have one over the derivative of what they invert.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._libraries import Library
from .._registry import over

special = Library("scipy.special")

_PI = math.pi
_DEGREE = math.pi / 180
_ROOT_PI = math.sqrt(math.pi)
_ROOT_2PI = math.sqrt(2 * math.pi)
_SLOPE = 2 / math.sqrt(math.pi)
_LN10 = math.log(10.0)


# --- Incomplete gamma and beta functions ---------------------------------------------------------------------------


def _gamma_density(a: Any, x: Any) -> Any:
    """DLMF 8.8.13."""
    return np.exp(special.xlogy(a - 1, x) - x - special.gammaln(a))


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    """DLMF 8.17.1."""
    return np.exp(special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b))


special.elementwise("gammainc", special.no_partial("gammainc", "a"), lambda x, y: _gamma_density(x, y))
special.elementwise("gammaincc", special.no_partial("gammaincc", "a"), lambda x, y: -_gamma_density(x, y))
special.elementwise("gammaincinv", special.no_partial("gammaincinv", "a"), over(lambda x, ans: _gamma_density(x, ans)))
special.elementwise("gammainccinv", special.no_partial("gammainccinv", "a"), over(lambda x, ans: -_gamma_density(x, ans)))
for _name, _sign in (("betainc", 1), ("betaincc", -1)):
    _parameters = special.no_partial(_name, "a"), special.no_partial(_name, "b")
    special.elementwise(_name, *_parameters, lambda x, y, z, sign=_sign: sign * _beta_density(x, y, z))
    _parameters = special.no_partial(_name + "inv", "a"), special.no_partial(_name + "inv", "b")
    special.elementwise(_name + "inv", *_parameters, over(lambda x, y, ans, sign=_sign: sign * _beta_density(x, y, ans)))

# --- Error functions -----------------------------------------------------------------------------------------------


def _faddeeva_slope(z: Any) -> Any:
    """DLMF 7.10.2."""
    return 1j * _SLOPE - 2 * z * special.wofz(z)


def _voigt_argument(x: Any, sigma: Any, gamma: Any) -> Any:
    """DLMF 7.19.1: the profile is Re w(z) / (sigma sqrt(2 pi)) at this z."""
    return (x + 1j * gamma) / (sigma * math.sqrt(2))


def _voigt_by_sigma(x: Any, sigma: Any, gamma: Any, ans: Any) -> Any:
    there = np.where(sigma == 0, 1.0, sigma)
    z = _voigt_argument(x, there, gamma)
    return np.where(sigma == 0, 0.0, -(ans + np.real(_faddeeva_slope(z) * z) / (there * _ROOT_2PI)) / there)


def _voigt_slope(x: Any, sigma: Any, gamma: Any) -> Any:
    """Without sigma it is Lorentz's profile, the real part of i / (pi (x + i gamma))."""
    there = np.where(sigma == 0, 1.0, sigma)
    value = _faddeeva_slope(_voigt_argument(x, there, gamma)) / (2 * _ROOT_PI * there * there)
    return np.where(sigma == 0, -1j / (_PI * (x + 1j * gamma) ** 2), value)


# DLMF 7.2.1 to 7.2.6, 7.10.1.
special.elementwise("erf", lambda x: _SLOPE * np.exp(-x * x))
special.elementwise("erfc", lambda x: -_SLOPE * np.exp(-x * x))
special.elementwise("erfcx", lambda x, ans: 2 * x * ans - _SLOPE)
special.elementwise("erfi", lambda x: _SLOPE * np.exp(x * x))
special.elementwise("erfinv", lambda ans: np.exp(ans * ans) / _SLOPE)
special.elementwise("erfcinv", lambda ans: -np.exp(ans * ans) / _SLOPE)
special.elementwise("dawsn", lambda x, ans: 1 - 2 * x * ans)
special.elementwise("wofz", lambda x: _faddeeva_slope(x))
special.elementwise("fresnel", lambda x: np.sin(_PI / 2 * x * x), output=0)
special.elementwise("fresnel", lambda x: np.cos(_PI / 2 * x * x), output=1)
for _name, _i in (("modfresnelp", 1j), ("modfresnelm", -1j)):
    special.elementwise(_name, lambda x, i=_i: -np.exp(i * x * x), output=0)
    special.elementwise(_name, lambda x, ans, i=_i: -2 * i * x * ans - np.exp(-i * _PI / 4) / _ROOT_PI, output=1)
special.elementwise("ndtr", lambda x: np.exp(-x * x / 2) / _ROOT_2PI)
special.elementwise("ndtri", lambda ans: _ROOT_2PI * np.exp(ans * ans / 2))
special.elementwise("log_ndtr", lambda x, ans: np.exp(-x * x / 2 - ans) / _ROOT_2PI)
special.elementwise("ndtri_exp", lambda x, ans: _ROOT_2PI * np.exp(x + ans * ans / 2))
special.elementwise(
    "voigt_profile",
    lambda x, y, z: np.real(_voigt_slope(x, y, z)),
    lambda x, y, z, ans: _voigt_by_sigma(x, y, z, ans),
    lambda x, y, z: -np.imag(_voigt_slope(x, y, z)),
)
special.elementwise(
    "owens_t",
    lambda x, y: -np.exp(-x * x / 2) * special.erf(x * y / math.sqrt(2)) / (2 * _ROOT_2PI),
    lambda x, y: np.exp(-x * x * (1 + y * y) / 2) / (2 * _PI * (1 + y * y)),
)

# --- Exponential integrals -----------------------------------------------------------------------------------------


def _sinhc(x: Any) -> Any:
    return np.where(x == 0, 1.0, np.sinh(x) / np.where(x == 0, 1.0, x))


# DLMF 6.2.1, 6.2.7, 8.19.13 and (for n = 0) 8.19.12, 6.2.9 to 6.2.16, 25.12.1.
special.elementwise("exp1", lambda x: -np.exp(-x) / x)
special.elementwise("expi", lambda x: np.exp(x) / x)
special.elementwise(
    "expn",
    special.no_partial("expn", "n"),
    lambda x, y, ans: -np.where(x == 0, (np.exp(-y) + ans) / y, special.expn(np.where(x == 0, 1, x - 1), y)),
)
special.elementwise("sici", lambda x: np.sinc(x / _PI), output=0)
special.elementwise("sici", lambda x: np.cos(x) / x, output=1)
special.elementwise("shichi", lambda x: _sinhc(x), output=0)
special.elementwise("shichi", lambda x: np.cosh(x) / x, output=1)


def _spence_slope(x: Any) -> Any:
    """log(x) / (1 - x), near x = 1 as a series; SciPy's series is wrong for complex numbers at a distance of about 1."""
    far = np.abs(1 - x) > 0.5
    quotient = np.log(np.where(far, x, 2.0)) / np.where(far, 1 - x, 1.0)
    return np.where(far, quotient, -special.hyp2f1(1, 1, 2, np.where(far, 0.0, 1 - x)))


special.elementwise("spence", lambda x: _spence_slope(x))
# DLMF 4.13.4.
special.elementwise(
    "_ufuncs._lambertw",
    over(lambda ans: np.exp(ans) * (1 + ans)),
    special.no_partial("lambertw", "k"),
    special.no_partial("lambertw", "tol"),
)
special.elementwise("wrightomega", lambda ans: ans / (1 + ans))

# --- Elementary functions, logistic and Box-Cox transformations -----------------------------------------------------


def _exprel_slope(x: Any) -> Any:
    """exprel(x) = 1F1(1; 2; x), and DLMF 13.3.15: no difference of nearly equal numbers at 0."""
    return special.hyp1f1(2, 3, x) / 2


def _log1prel_slope(x: Any) -> Any:
    """Of log(1 + x) / x = 2F1(1, 1; 2; -x), by DLMF 15.5.1."""
    return -special.hyp2f1(2, 2, 3, -x) / 2


def _by_log(x: Any, log: Any) -> Any:
    """Where x = 0 the product x log(y) is 0 for every y."""
    return np.where(x == 0, 0.0, x / log)


def _as_computed(y: Any, ans: Any) -> Any:
    """A real argument counts as a complex one beside a complex one: below zero it has a logarithm."""
    return y + 0j if np.iscomplexobj(ans) and not np.iscomplexobj(y) else y


special.elementwise("cbrt", over(lambda ans: 3 * (ans * ans)))
special.elementwise("exp2", lambda ans: ans * math.log(2.0))
special.elementwise("exp10", lambda ans: ans * _LN10)
special.elementwise("expm1", lambda x: np.exp(x))
special.elementwise("log1p", over(lambda x: 1 + x))
special.elementwise("cosm1", lambda x: -np.sin(x))
special.elementwise("exprel", lambda x: _exprel_slope(x))
special.elementwise(
    "powm1",
    lambda x, y: np.where(y == 0, 0.0, y * x ** (y - 1)),
    lambda x, ans: np.where(x == 0, 0.0, np.log(np.where(x == 0, 1.0, x)) * (ans + 1)),
)
special.elementwise("xlogy", lambda y, ans: np.log(_as_computed(y, ans)), lambda x, y: _by_log(x, y))
special.elementwise("xlog1py", lambda y, ans: np.log1p(_as_computed(y, ans)), lambda x, y: _by_log(x, 1 + y))
special.elementwise("sindg", lambda x: _DEGREE * special.cosdg(x))
special.elementwise("cosdg", lambda x: -_DEGREE * special.sindg(x))
special.elementwise("tandg", lambda ans: _DEGREE * (1 + ans * ans))
special.elementwise("cotdg", lambda ans: -_DEGREE * (1 + ans * ans))
special.elementwise("radian", lambda x: _DEGREE, lambda x: _DEGREE / 60, lambda x: _DEGREE / 3600)
special.elementwise("expit", lambda x, ans: ans * special.expit(-x))
special.elementwise("logit", over(lambda x: x * (1 - x)))
special.elementwise("log_expit", lambda x: special.expit(-x))


def _boxcox_by_y(x: Any, y: Any) -> Any:
    """By ``y``; (x^y - 1) / y at x = 0 is -1 / y."""
    log = np.log(np.where(x == 0, 1.0, x))
    return np.where(x == 0, 1 / (y * y), log**2 * _exprel_slope(y * log))


def _inv_boxcox(x: Any, y: Any, ans: Any) -> Any:
    """(1 + x y)^(1 / y - 1), by what the function itself is where it is not 0."""
    base = 1 + x * y
    at_zero = base == 0
    edge = np.where(at_zero, 0.0, 1.0) ** (1 / np.where(at_zero, y, 1.0) - 1)
    return np.where(at_zero, edge, ans / np.where(at_zero, 1, base))


def _inv_boxcox_by_y(x: Any, y: Any, ans: Any) -> Any:
    at_zero = 1 + x * y == 0
    return np.where(at_zero, x / y * _inv_boxcox(x, y, ans), ans * x * x * _log1prel_slope(np.where(at_zero, 0.0, x * y)))


special.elementwise("boxcox", lambda x, y: x ** (y - 1), lambda x, y: _boxcox_by_y(x, y))
special.elementwise("boxcox1p", lambda x, y: (1 + x) ** (y - 1), lambda x, y: _boxcox_by_y(1 + x, y))
for _name, _one in (("inv_boxcox", 0), ("inv_boxcox1p", 1)):
    special.elementwise(
        _name,
        lambda x, y, ans, one=_one: _inv_boxcox(x, y, ans + one),
        lambda x, y, ans, one=_one: _inv_boxcox_by_y(x, y, ans + one),
    )

# --- Information and losses ----------------------------------------------------------------------------------------


def _root(x: Any, y: Any) -> Any:
    return np.sqrt(1 + (y / x) ** 2)


special.elementwise("entr", lambda x: -np.log(x) - 1)
special.elementwise("rel_entr", lambda x, y: np.log(x / y) + 1, lambda x, y: -x / y)
special.elementwise("kl_div", lambda x, y: np.log(x / y), lambda x, y: 1 - x / y)
special.elementwise(
    "huber",
    lambda x, y: np.where(np.abs(y) > x, np.abs(y) - x, 0.0),
    lambda x, y: np.where(np.abs(y) > x, x * np.sign(y), y),
)
special.elementwise(
    "pseudo_huber",
    lambda x, y: np.where(x == 0, np.abs(y), 2 * x * (_root(x, y) - 1) - y * y / (x * _root(x, y))),
    lambda x, y: np.where(x == 0, 0.0, y / _root(x, y)),
)

# --- Distributions -------------------------------------------------------------------------------------------------


def _binomial(k: Any, n: Any, p: Any) -> Any:
    """DLMF 8.17.5: the sum is a beta function."""
    return _beta_density(np.floor(k) + 1, n - np.floor(k), p)


def _negative_binomial(k: Any, n: Any, p: Any) -> Any:
    return _beta_density(n, np.floor(k) + 1, p)


def _poisson(k: Any, m: Any) -> Any:
    """DLMF 8.4.10: the sum is a gamma function."""
    return _gamma_density(np.floor(k) + 1, m)


def _chi_square(v: Any, x: Any) -> Any:
    return _gamma_density(v / 2, x / 2) / 2


def _fisher(n: Any, d: Any, x: Any) -> Any:
    total = d + n * x
    return _beta_density(n / 2, d / 2, n * x / total) * n * d / (total * total)


def _student(v: Any, t: Any) -> Any:
    return np.exp(-(v + 1) / 2 * np.log1p(t * t / v) - special.betaln(v / 2, 0.5)) / np.sqrt(v)


def _noncentral_chi_square(x: Any, v: Any, c: Any) -> Any:
    series = special.hyp0f1(v / 2, c * x / 4)
    return series * np.exp(special.xlogy(v / 2 - 1, x / 2) - (x + c) / 2 - special.gammaln(v / 2)) / 2


def _noncentral_quantile_by_c(quantile: Any, v: Any, c: Any) -> Any:
    x = np.where(quantile == 0, 1.0, quantile)
    value = (special.chndtr(x, v, c) - special.chndtr(x, v + 2, c)) / (2 * _noncentral_chi_square(x, v, c))
    return np.where(quantile == 0, 0.0, value)


def _tukey(x: Any, lam: Any, ans: Any) -> Any:
    """One over the derivative of the quantile function; 0 outside of the support, which ends at 1 / lam."""
    outside = np.abs(x) * lam >= 1
    inside = np.where(outside, 0.5, ans)
    return np.where(outside, 0.0, 1 / (inside ** (lam - 1) + (1 - inside) ** (lam - 1)))


for _names, _arguments, _density, _sign in (
    (("bdtr", "bdtri"), "kn", _binomial, -1),
    (("bdtrc",), "kn", _binomial, 1),
    (("nbdtr", "nbdtri"), "kn", _negative_binomial, 1),
    (("nbdtrc",), "kn", _negative_binomial, -1),
    (("fdtr", "fdtri"), ("dfn", "dfd"), _fisher, 1),
    (("fdtrc",), ("dfn", "dfd"), _fisher, -1),
    (("pdtr", "pdtri"), "k", _poisson, -1),
    (("pdtrc",), "k", _poisson, 1),
    (("chdtr",), "v", _chi_square, 1),
    (("chdtrc", "chdtri"), "v", _chi_square, -1),
    (("stdtr", "stdtrit"), ("df",), _student, 1),
):
    _last, _inverse = (
        (
            lambda x, y, z, f=_density, sign=_sign: sign * f(x, y, z),
            lambda x, y, ans, f=_density, sign=_sign: sign * f(x, y, ans),
        )
        if len(_arguments) == 2
        else (
            lambda x, y, f=_density, sign=_sign: sign * f(x, y),
            lambda x, ans, f=_density, sign=_sign: sign * f(x, ans),
        )
    )
    for _name, _partial in zip(_names, (_last, over(_inverse)), strict=False):
        special.elementwise(_name, *[special.no_partial(_name, argument) for argument in _arguments], _partial)

special.elementwise(
    "gdtr",
    lambda x, y, z: z * _gamma_density(y, x * z),
    special.no_partial("gdtr", "b"),
    lambda x, y, z: x * _gamma_density(y, x * z),
)
special.elementwise(
    "gdtrc",
    lambda x, y, z: -z * _gamma_density(y, x * z),
    special.no_partial("gdtrc", "b"),
    lambda x, y, z: -x * _gamma_density(y, x * z),
)
special.elementwise(
    "gdtrix",
    lambda x, ans: -ans / x,
    special.no_partial("gdtrix", "b"),
    over(lambda x, y, ans: x * _gamma_density(y, x * ans)),
)
special.elementwise(
    "gdtria",
    over(lambda y, z, ans: z * _gamma_density(y, z * ans)),
    special.no_partial("gdtria", "b"),
    lambda z, ans: -ans / z,
)
special.elementwise(
    "chndtr",
    lambda x, y, z: _noncentral_chi_square(x, y, z),
    special.no_partial("chndtr", "df"),
    lambda x, y, z, ans: (special.chndtr(x, y + 2, z) - ans) / 2,
)
special.elementwise(
    "chndtrix",
    over(lambda y, z, ans: _noncentral_chi_square(ans, y, z)),
    special.no_partial("chndtrix", "df"),
    lambda y, z, ans: _noncentral_quantile_by_c(ans, y, z),
)
special.elementwise("tklmbda", lambda x, y, ans: _tukey(x, y, ans), special.no_partial("tklmbda", "lmbda"))
special.elementwise(
    "nrdtrimn",
    lambda x, y: -y * _ROOT_2PI * np.exp(special.ndtri(x) ** 2 / 2),
    lambda x: -special.ndtri(x),
    lambda x: 1.0,
)
special.elementwise(
    "nrdtrisd",
    over(lambda y: -special.ndtri(y)),
    lambda y, ans: -ans * _ROOT_2PI * np.exp(special.ndtri(y) ** 2 / 2) / special.ndtri(y),
    over(lambda y: special.ndtri(y)),
)
