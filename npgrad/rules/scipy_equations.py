"""``scipy.special``: orthogonal polynomials, Legendre, Mathieu, spheroidal and parabolic cylinder functions.

Formulas: the NIST Digital Library of Mathematical Functions (DLMF), by number. Where the second output of a function is the
derivative of the first, its own derivative is the differential equation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._libraries import Library

special = Library("scipy.special")

_DEGREE = math.pi / 180

# --- Orthogonal polynomials and Legendre functions --------------------------------------------------------------------


def _ultraspherical(n: Any, a: Any, x: Any) -> Any:
    """The derivative of C_n^(a): DLMF 18.9.19. Of degree -1 is the derivative of a constant."""
    return np.where(n == 0, 0.0, 2 * a * special.eval_gegenbauer(n - 1, a + 1, x))


def _of_degree(n: Any, value: Any) -> Any:
    """n times the polynomial of degree n - 1."""
    return np.where(n == 0, 0.0, n * value)


# DLMF 18.7.3 to 18.7.10 (as ultraspherical polynomials), 18.9.15, 18.9.21, 18.9.23, 18.9.25, 18.9.27.
for _name, _partial in {
    "eval_chebyt": lambda x, y: _of_degree(x, special.eval_chebyu(x - 1, y)),
    "eval_chebyu": lambda x, y: _ultraspherical(x, 1, y),
    "eval_chebyc": lambda x, y: _of_degree(x, special.eval_chebyu(x - 1, y / 2)),
    "eval_chebys": lambda x, y: _ultraspherical(x, 1, y / 2) / 2,
    "eval_sh_chebyt": lambda x, y: 2 * _of_degree(x, special.eval_chebyu(x - 1, 2 * y - 1)),
    "eval_sh_chebyu": lambda x, y: 2 * _ultraspherical(x, 1, 2 * y - 1),
    "eval_legendre": lambda x, y: _ultraspherical(x, 0.5, y),
    "eval_sh_legendre": lambda x, y: 2 * _ultraspherical(x, 0.5, 2 * y - 1),
    "eval_laguerre": lambda x, y: np.where(x == 0, 0.0, -special.eval_genlaguerre(x - 1, 1, y)),
    "eval_hermite": lambda x, y: 2 * _of_degree(x, special.eval_hermite(np.maximum(x - 1, 0), y)),
    "eval_hermitenorm": lambda x, y: _of_degree(x, special.eval_hermitenorm(np.maximum(x - 1, 0), y)),
}.items():
    special.elementwise(_name, special.no_partial(_name, "n"), _partial)
_SEVERAL: tuple[tuple[str, tuple[str, ...], Callable], ...] = (
    ("eval_gegenbauer", ("n", "alpha"), lambda x, y, z: _ultraspherical(x, y, z)),
    (
        "eval_genlaguerre",
        ("n", "alpha"),
        lambda x, y, z: np.where(x == 0, 0.0, -special.eval_genlaguerre(x - 1, y + 1, z)),
    ),
    (
        "eval_jacobi",
        ("n", "alpha", "beta"),
        lambda x, y, z, w: np.where(x == 0, 0.0, (x + y + z + 1) / 2 * special.eval_jacobi(x - 1, y + 1, z + 1, w)),
    ),
    (
        "eval_sh_jacobi",
        ("n", "p", "q"),
        lambda x, y, z, w: _of_degree(x, special.eval_sh_jacobi(x - 1, y + 2, z + 1, w)),
    ),
    # DLMF 14.10.5.
    (
        "lpmv",
        ("m", "v"),
        lambda x, y, z, ans: (y * z * ans - (x + y) * special.lpmv(x, y - 1, z)) / (z * z - 1),
    ),
)
for _name, _arguments, _function in _SEVERAL:
    special.elementwise(_name, *[special.no_partial(_name, argument) for argument in _arguments], _function)

# --- Functions that come with their derivative as second output --------------------------------------------------------


def _mathieu(characteristic: str, sign: int, hyperbolic: Callable) -> Callable:
    """DLMF 28.2.1 (sign -1, with cos) and 28.20.1 (sign 1, with cosh)."""
    return lambda m, q, x: sign * (getattr(special, characteristic)(m, q) - 2 * q * hyperbolic(2 * x))


def _spheroidal(characteristic: str, sign: int) -> Callable:
    """DLMF 30.2.1, and 30.11 for the radial functions; of oblate ones c is imaginary."""

    def second(m: Any, n: Any, c: Any, x: Any, value: Any, slope: Any) -> Any:
        lam = getattr(special, characteristic)(m, n, c)
        width = 1 - x * x
        return (2 * x * slope - (lam - sign * (c * x) ** 2 - m * m / width) * value) / width

    return second


def _oblate_radial(m: Any, n: Any, c: Any, x: Any, value: Any, slope: Any) -> Any:
    """DLMF 30.2.1 at ix."""
    width = 1 + x * x
    return ((special.obl_cv(m, n, c) - (c * x) ** 2 - m * m / width) * value - 2 * x * slope) / width


for _name, _factor in (("pbdv", lambda x, y: y * y / 4 - x - 0.5), ("pbvv", lambda x, y: y * y / 4 - x - 0.5),
                       ("pbwa", lambda x, y: x - y * y / 4)):  # fmt: skip  # DLMF 12.2.2, 12.14.1
    _order = special.no_partial(_name, "a" if _name == "pbwa" else "v")
    special.elementwise(_name, _order, lambda x, y, name=_name: getattr(special, name)(x, y)[1], output=0)
    special.elementwise(
        _name, _order, lambda x, y, name=_name, f=_factor: f(x, y) * getattr(special, name)(x, y)[0], output=1
    )
# The angle of the first two is in degrees, their derivative by radians.
for _name, _factor, _unit in (
    ("mathieu_cem", _mathieu("mathieu_a", -1, lambda t: np.cos(_DEGREE * t)), _DEGREE),
    ("mathieu_sem", _mathieu("mathieu_b", -1, lambda t: np.cos(_DEGREE * t)), _DEGREE),
    ("mathieu_modcem1", _mathieu("mathieu_a", 1, np.cosh), 1.0),
    ("mathieu_modcem2", _mathieu("mathieu_a", 1, np.cosh), 1.0),
    ("mathieu_modsem1", _mathieu("mathieu_b", 1, np.cosh), 1.0),
    ("mathieu_modsem2", _mathieu("mathieu_b", 1, np.cosh), 1.0),
):
    _fixed = special.no_partial(_name, "m"), special.no_partial(_name, "q")
    special.elementwise(
        _name, *_fixed, lambda x, y, z, name=_name, unit=_unit: unit * getattr(special, name)(x, y, z)[1], output=0
    )
    special.elementwise(
        _name,
        *_fixed,
        lambda x, y, z, name=_name, f=_factor, unit=_unit: unit * f(x, y, z) * getattr(special, name)(x, y, z)[0],
        output=1,
    )
for _name, _second in (
    ("pro_ang1", _spheroidal("pro_cv", 1)),
    ("pro_rad1", _spheroidal("pro_cv", 1)),
    ("obl_ang1", _spheroidal("obl_cv", -1)),
    ("obl_rad1", _oblate_radial),
):
    _fixed_three = [special.no_partial(_name, argument) for argument in "mnc"]
    special.elementwise(_name, *_fixed_three, lambda x, y, z, w, name=_name: getattr(special, name)(x, y, z, w)[1], output=0)
    special.elementwise(
        _name,
        *_fixed_three,
        lambda x, y, z, w, ans, name=_name, f=_second: f(x, y, z, w, getattr(special, name)(x, y, z, w)[0], ans),
        output=1,
    )
