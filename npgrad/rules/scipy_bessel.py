"""``scipy.special``: Bessel functions and their kin: spherical ones, Struve, Kelvin and Airy functions, integrals of them.

Formulas: the NIST Digital Library of Mathematical Functions (DLMF), by number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._libraries import Library
from .._registry import Custom, custom

special = Library("scipy.special")

_PI = math.pi

# --- Bessel functions ----------------------------------------------------------------------------------------------


def _neighbours(name: str, sign: int) -> Callable:
    """(f(v - 1) + sign f(v + 1)) / 2."""

    def slope(x: Any, y: Any) -> Any:
        function = getattr(special, name)
        return (function(x - 1, y) + sign * function(x + 1, y)) / 2

    return slope


def _scaled(slope: Callable, exponent: Callable) -> Custom:
    """The maps of a function g(z) exp(-|Re q z|): ``slope`` is g' times the factor, and ``exponent`` of z is q, with the
    sign that Re q z has. The factor is not holomorphic."""

    def forward(tangent: Any, z: Any, h: Any, ans: Any) -> Any:
        return tangent * h - np.real(exponent(z) * tangent) * ans

    def reverse(ct: Any, z: Any, h: Any, ans: Any) -> Any:
        return ct * np.conjugate(h) - np.conjugate(exponent(z)) * np.real(np.conjugate(ct) * ans)

    return custom(
        lambda ct, x, y, ans: reverse(ct, y, slope(x, y), ans),
        lambda tangent, x, y, ans: forward(tangent, y, slope(x, y), ans),
    )


def _along_real(z: Any) -> Any:
    return np.sign(np.real(z))


def _along_imaginary(z: Any) -> Any:
    return -1j * np.sign(np.imag(z)) if np.iscomplexobj(z) else 0.0


# DLMF 10.6.1, 10.29.1.
for _name, _sign in (("jv", -1), ("yv", -1), ("hankel1", -1), ("hankel2", -1), ("iv", 1)):
    special.elementwise(_name, special.no_partial(_name, "v"), _neighbours(_name, _sign))
special.elementwise("kv", special.no_partial("kv", "v"), lambda x, y: -_neighbours("kv", 1)(x, y))
special.elementwise("kn", special.no_partial("kn", "n"), lambda x, y: -_neighbours("kv", 1)(x, y))
special.elementwise("yn", special.no_partial("yn", "n"), _neighbours("yv", -1))
# Scaled by exp(-|Im z|), exp(-|Re z|), exp(z), exp(-+iz).
for _name in ("jve", "yve"):
    special.elementwise(_name, special.no_partial(_name, "v"), _scaled(_neighbours(_name, -1), _along_imaginary))
special.elementwise("ive", special.no_partial("ive", "v"), _scaled(_neighbours("ive", 1), _along_real))
special.elementwise("kve", special.no_partial("kve", "v"), lambda x, y, ans: ans - _neighbours("kve", 1)(x, y))
for _name, _i in (("hankel1e", -1j), ("hankel2e", 1j)):
    special.elementwise(
        _name,
        special.no_partial(_name, "v"),
        lambda x, y, ans, name=_name, i=_i: _neighbours(name, -1)(x, y) + i * ans,
    )
# DLMF 10.6.3, 10.29.3.
special.elementwise("j0", lambda x: -special.j1(x))
special.elementwise("j1", lambda x: (special.j0(x) - special.jv(2, x)) / 2)
special.elementwise("y0", lambda x: -special.y1(x))
special.elementwise("y1", lambda x: (special.y0(x) - special.yv(2, x)) / 2)
special.elementwise("i0", lambda x: special.i1(x))
special.elementwise("i1", lambda x: (special.i0(x) + special.iv(2, x)) / 2)
special.elementwise("k0", lambda x: -special.k1(x))
special.elementwise("k1", lambda x: -(special.k0(x) + special.kv(2, x)) / 2)
special.elementwise("i0e", lambda x, ans: special.i1e(x) - np.sign(x) * ans)
special.elementwise("i1e", lambda x, ans: (special.i0e(x) + special.ive(2, x)) / 2 - np.sign(x) * ans)
special.elementwise("k0e", lambda x, ans: ans - special.k1e(x))
special.elementwise("k1e", lambda x, ans: ans - (special.k0e(x) + special.kve(2, x)) / 2)

# --- Spherical Bessel functions -------------------------------------------------------------------------------------

# DLMF 10.47.1 (sign -1), 10.47.2 (sign 1).


def _spherical_curvature(n: Any, x: Any, slope: Any, name: str, sign: int) -> Any:
    """By the differential equation (DLMF 10.47.1, 10.47.2), and at 0 by the series (10.53.1, 10.53.3)."""
    at_zero = (x == 0) & (name in ("_spherical_jn", "_spherical_in"))
    y = np.where(at_zero, 1.0, x)
    value = (n * (n + 1) / (y * y) + sign) * getattr(special._ufuncs, name)(n, y) - 2 / y * slope
    return np.where(at_zero, np.where(n == 0, sign / 3, np.where(n == 2, 2 / 15, 0.0)), value)


for _name, _sign in (("jn", -1), ("yn", -1), ("in", 1), ("kn", 1)):
    special.elementwise(
        f"_ufuncs._spherical_{_name}",
        special.no_partial(f"spherical_{_name}", "n"),
        lambda x, y, name=f"_spherical_{_name}_d": getattr(special._ufuncs, name)(x, y),
    )
    special.elementwise(
        f"_ufuncs._spherical_{_name}_d",
        special.no_partial(f"spherical_{_name}", "n"),
        lambda x, y, ans, name=f"_spherical_{_name}", sign=_sign: _spherical_curvature(x, y, ans, name, sign),
    )

def _ratio(part: Any, x: Any, limit: Any) -> Any:
    return np.where(x == 0, limit, part / np.where(x == 0, 1, x))


# --- Struve and Kelvin functions, integrals of Bessel functions -------------------------------------------------------


def _struve_term(v: Any, x: Any) -> Any:
    return (x / 2) ** v / (math.sqrt(_PI) * special.gamma(v + 1.5))


# DLMF 11.4.23 to 11.4.28: the sum of the two recurrences has no 1 / x.
special.elementwise(
    "struve",
    special.no_partial("struve", "v"),
    lambda x, y: (special.struve(x - 1, y) - special.struve(x + 1, y) + _struve_term(x, y)) / 2,
)
special.elementwise(
    "modstruve",
    special.no_partial("modstruve", "v"),
    lambda x, y: (special.modstruve(x - 1, y) + special.modstruve(x + 1, y) + _struve_term(x, y)) / 2,
)
# DLMF 10.61.3.
special.elementwise("ber", lambda x: special.berp(x))
special.elementwise("bei", lambda x: special.beip(x))
special.elementwise("ker", lambda x: special.kerp(x))
special.elementwise("kei", lambda x: special.keip(x))
special.elementwise("berp", lambda x, ans: -special.bei(x) - _ratio(ans, x, 0.0))
special.elementwise("beip", lambda x, ans: special.ber(x) - _ratio(ans, x, 0.5))
special.elementwise("kerp", lambda x, ans: -special.kei(x) - ans / x)
special.elementwise("keip", lambda x, ans: special.ker(x) - _ratio(ans, x, 0.0))
for _i in (0, 1):
    special.elementwise("kelvin", lambda x, i=_i: special.kelvin(x)[i + 2], output=_i)
    special.elementwise(
        "kelvin", lambda x, ans, i=_i: 1j * special.kelvin(x)[i] - _ratio(ans, x, 0.5j * (1 - i)), output=_i + 2
    )


# By their definitions, as integrals from 0, or to infinity for those with a minus.
for _name, _partials in {
    "iti0k0": (lambda x: special.i0(x), lambda x: special.k0(x)),
    "itj0y0": (lambda x: special.j0(x), lambda x: special.y0(x)),
    "it2i0k0": (lambda x: _ratio(special.i0(x) - 1, x, 0.0), lambda x: -special.k0(x) / x),
    "it2j0y0": (lambda x: _ratio(1 - special.j0(x), x, 0.0), lambda x: -special.y0(x) / x),
    "itstruve0": (lambda x: special.struve(0, x),),
    "itmodstruve0": (lambda x: special.modstruve(0, x),),
    "it2struve0": (lambda x: _ratio(-special.struve(0, x), x, -2 / np.pi),),
    "itairy": (
        lambda x: special.airy(x)[0],
        lambda x: special.airy(x)[2],
        lambda x: special.airy(-x)[0],
        lambda x: special.airy(-x)[2],
    ),
}.items():
    for _i, _partial in enumerate(_partials):
        special.elementwise(_name, _partial, output=_i)

# The integral of x^lmb J_nu(2 a x), by 10.6.1 under the integral.
special.elementwise(
    "besselpoly",
    lambda x, y, z: special.besselpoly(x, y + 1, z - 1) - special.besselpoly(x, y + 1, z + 1),
    *[special.no_partial("besselpoly", argument) for argument in ("lmb", "nu")],
)

# --- Airy functions ------------------------------------------------------------------------------------------------


def _airy_exponent(z: Any) -> Any:
    """Of exp(-|Re (2/3) z^(3/2)|), with the sign of what stands inside."""
    root = np.sqrt(z) if np.iscomplexobj(z) else np.sqrt(np.maximum(z, 0))
    return root * np.sign(np.real(z * root))


# DLMF 9.2.1: w'' = z w. The functions of airye are scaled by exp((2/3) z^(3/2)) and by the factor above.
for _i in (0, 2):
    special.elementwise("airy", lambda x, i=_i: special.airy(x)[i + 1], output=_i)
    special.elementwise("airy", lambda x, i=_i: x * special.airy(x)[i], output=_i + 1)
special.elementwise("airye", lambda x, ans: special.airye(x)[1] + np.sqrt(x) * ans, output=0)
special.elementwise("airye", lambda x, ans: x * special.airye(x)[0] + np.sqrt(x) * ans, output=1)


def _scaled_airy(slope: Callable) -> Custom:
    maps = _scaled(lambda _, z: slope(z), _airy_exponent)
    return custom(
        lambda ct, x, ans: maps.vjp(ct, None, x, ans),
        lambda tangent, x, ans: maps.jvp(tangent, None, x, ans),
    )


special.elementwise("airye", _scaled_airy(lambda z: special.airye(z)[3]), output=2)
special.elementwise("airye", _scaled_airy(lambda z: z * special.airye(z)[2]), output=3)
