"""Polynomials by their coefficients, and as objects of NumPy's classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre, polynomial

from . import A, C, D, S

_X = np.array([-0.7, -0.2, 0.1, 0.5, 0.9, 1.3])
_WEIGHTS = np.array([1.0, 2.0, 0.5, 1.0, 3.0, 1.5])
_STRIPPED = "rounding decides how many zeros NumPy strips from the remainder"

_COEFFICIENTS = [
    S(np.polyval, A(4), D(1.3)),
    S(np.polyval, A(4), A(2, 3)),
    S(np.polyval, A(3), C(3)),
    S(np.polyval, [1, 2, 3], A(3)),
    S(np.polyval, A(3), 2),
    S(np.polyadd, A(3), A(3, seed=1)),
    S(np.polyadd, A(4), A(2, seed=1)),
    S(np.polyadd, A(2), A(4, seed=1)),
    S(np.polysub, A(4), A(2, seed=1)),
    S(np.polysub, A(2), A(4, seed=1)),
    S(np.polymul, A(3), A(2, seed=1)),
    S(np.polymul, A(2), A(4, seed=1)),
    S(np.polymul, A(3), [0, 0, 2, 1]),
    S(np.polymul, C(3), A(2, seed=1)),
    S(np.polydiv, A(4), A(2, seed=1), leave_out=("float32",), why=_STRIPPED),
    S(np.polydiv, A(2), A(4, seed=1)),
    S(np.polydiv, [1, 2, 3, 4], A(2, seed=1), leave_out=("float32",), why=_STRIPPED),
    S(np.polyder, A(5)),
    S(np.polyder, A(5), 2),
    S(np.polyder, A(5), m=0),
    S(np.polyint, A(3)),
    S(np.polyint, A(3), D([0.5, 0.7]), f=lambda p, k: np.polyint(p, 2, k=k)),
    S(np.polyint, D(0.3), f=lambda k: np.polyint([1, 2], k=k)),
    S(np.polyint, A(3), 2, k=3.0),
    S(np.poly, A(4)),
    S(np.poly, C(3)),
    S(np.poly, A(3, 3)),
    S(np.roots, D([1.0, -4.5, 5.2, -0.9])),
    S(np.roots, D([1.0, 0.3, 2.0]), f=lambda p: np.sort_complex(np.roots(p))),
    S(np.roots, C(4)),
    S(np.roots, [1.0, -3.0, D(0.5)]),
    S(np.roots, A(1)),
    S(np.roots, A(3), f=lambda p: np.roots(np.concatenate([p * [1, -9, 2], np.zeros(2)]))),
    S(np.vander, A(4)),
    S(np.vander, A(4), 3, increasing=True),
    S(np.vander, C(3), 5),
    S(np.polyfit, _X, A(6), 2),
    S(np.polyfit, D(_X), A(6), 2),
    S(np.polyfit, D(_X), A(6, 2), 1),
    S(np.polyfit, D(_X), A(6), 2, w=D(_WEIGHTS)),
    S(np.polyfit, _X, A(6), 2, w=D(_WEIGHTS)),
    S(np.polyfit, _X, A(6), 1, cov=True),
    S(np.polyfit, _X, A(6, 2), 1, cov=True, w=D(_WEIGHTS)),
    S(np.polyfit, D(_X), A(6, 2), 1, cov="unscaled"),
    S(np.polyfit, D(_X), A(6), 1, w=D(_WEIGHTS), cov="unscaled"),
    S(np.polyfit, _X, A(6), 2, full=True),
]


def _object(f: Any, *args: Any) -> S:
    """A program with a polynomial object; its name stands for what is sampled."""
    return S(np.poly1d, *args, f=f)


_OBJECTS = [
    _object(lambda c, x: np.poly1d(c)(x), A(3), A(4)),
    _object(lambda c, x: np.poly1d(c, r=True)(x), A(3), D(0.4)),
    _object(lambda x: np.poly1d([1.0, -2.0, 3.0])(x), A(4)),
    _object(lambda c, x: np.poly1d(c).deriv()(x), A(4), A(2)),
    _object(lambda c: np.poly1d(c).integ(k=c[0])(c[1]), A(3)),
    _object(lambda c, d: (np.poly1d(c) * np.poly1d(d)).coeffs, A(3), A(2, seed=1)),
    _object(lambda c, d: (np.poly1d(c) + np.poly1d(d) - 2).coeffs, A(3), A(2, seed=1)),
    _object(lambda c, d: (np.poly1d(c) * d - 2).coeffs, A(3), A()),
    _object(lambda c: (np.poly1d(c) ** 3).coeffs, A(3)),
    _object(lambda c: np.poly1d([c[0], 1.0, c[1]])(2.0), A(2)),
    _object(lambda c: (-np.poly1d(c))[1], A(3)),
    _object(lambda c, x: np.poly1d(c)(np.poly1d([2.0, 1.0])).coeffs * x, A(3), A()),
    _object(lambda y, x: np.poly1d(np.polyfit(_X, y, 2))(x), A(6), D(0.4)),
]

_KINDS = {"poly": polynomial, "cheb": chebyshev, "leg": legendre, "lag": laguerre, "herm": hermite, "herme": hermite_e}


def _of_kind(prefix: str, module: Any) -> list[S]:
    """Samples of the functions of one module of numpy.polynomial, which have the same names but for a prefix."""

    def of(name: str) -> Callable:
        return getattr(module, prefix + name)

    return [
        S(of("val"), D(0.4), A(4)),
        S(of("val"), A(2, 3), A(4)),
        S(of("val"), A(3), A(4, 2)),
        S(of("val"), A(2), A(4, 2), tensor=False),
        S(of("val"), 0.3, A(4)),
        S(of("val"), A(3), [1, 2, 0, 1]),
        S(of("val"), A(3), A(1)),
        S(of("val2d"), A(3), A(3, seed=1), A(2, 3, seed=2)),
        S(of("val3d"), A(2), A(2, seed=1), A(2, seed=2), A(2, 2, 2)),
        S(of("grid2d"), A(2), A(3, seed=1), A(2, 3, seed=2)),
        *[S(of("valnd"), [A(2), A(2, seed=1)], A(2, 3, seed=2)) for _ in range(hasattr(module, prefix + "valnd"))],
        S(of("grid3d"), A(2), A(2, seed=1), A(1), A(2, 2, 2)),
        S(of("der"), A(4)),
        S(of("der"), A(4, 2), m=2, scl=D(1.5)),
        S(of("int"), A(3)),
        S(of("int"), A(3), m=2, k=[D(0.4), 0.5], lbnd=D(0.2), scl=D(1.5)),
        S(of("int"), A(2, 3), axis=1),
        S(of("add"), A(3), A(2, seed=1)),
        S(of("sub"), A(2), A(3, seed=1)),
        S(of("mul"), A(3), A(2, seed=1)),
        S(of("mulx"), A(3)),
        S(of("div"), A(4), A(2, seed=1)),
        S(of("pow"), A(2), 3),
        S(of("line"), D(0.3), D(0.7)),
        S(of("line"), A(2), f=lambda x: of("line")(x[0], x[1])),
        S(of("fromroots"), A(3)),
        S(of("roots"), D([-0.3, 0.2, 1.0, 0.9]), f=lambda c: np.sort_complex(of("roots")(c))),
        S(of("roots"), A(2)),
        S(of("companion"), A(4)),
        S(of("vander"), A(3), 3),
        S(of("vander2d"), A(3), A(3, seed=1), [1, 2]),
        S(of("fit"), D(_X), A(6), 2),
        S(of("fit"), D(_X), A(6, 2), [0, 2], w=D(_WEIGHTS)),
        S(of("fit"), _X, A(6), 2, full=True, f=lambda *args, **kw: of("fit")(*args, **kw)[0]),
        S(of("trim"), A(3)),
    ]


def _of_class(kind: Any) -> list[S]:
    """Programs with objects of one class of numpy.polynomial."""
    return [
        S(kind, A(3), A(4), f=lambda c, x: kind(c)(x)),
        S(kind, A(4), f=lambda x: kind([1.0, -2.0, 3.0])(x)),
        S(kind, A(3), f=lambda c: kind([c[0], 1.0, c[1]])(c[2])),
        S(kind, A(3), A(2, seed=1), f=lambda c, d: kind(c, domain=d, window=[-1, 2])(0.3)),
        S(kind, A(3), D(0.4), f=lambda c, x: kind(c).deriv()(x)),
        S(kind, A(3), D(0.4), f=lambda c, x: kind(c).integ(2, k=[x, 1], lbnd=x)(2 * x)),
        S(kind, A(3), A(2, seed=1), f=lambda c, d: (kind(c) * kind(d) - kind(d) + 2).coef),
        S(kind, A(3), A(), f=lambda c, d: (kind(c) * d + d).coef),
        S(kind, A(3), A(), f=lambda c, d: (d * kind(c) - d * 2).coef),
        S(kind, A(3), A(2, seed=1), f=lambda c, d: [p.coef for p in divmod(kind(c), kind(d))]),
        S(kind, A(2), f=lambda c: (kind(c) ** 3 / 2).coef),
        S(kind, A(2), f=lambda c: kind.fromroots(c).coef),
        S(kind, D([-0.3, 0.2, 1.0, 0.9]), f=lambda c: np.sort_complex(kind(c).roots())),
        S(kind, D(_X), A(6), A(), f=lambda x, y, p: kind.fit(x, y, 2)(p)),
        S(kind, A(6), f=lambda y: kind.fit(_X, y, 2, w=_WEIGHTS).convert().coef),
        S(kind, A(3), f=lambda c: kind(c).convert(kind=np.polynomial.Polynomial).coef),
        S(kind, A(3), f=lambda c: np.polynomial.Polynomial(c).convert(kind=kind).coef),
        S(kind, A(3), f=lambda c: kind(c, domain=c[:2]).linspace(4)),
        S(kind, A(3), f=lambda c: (-kind(c)).truncate(2).trim().coef),
    ]


_MODULES = [sample for prefix, module in _KINDS.items() for sample in _of_kind(prefix, module)] + [
    S(polynomial.polyvalfromroots, A(3), A(2, seed=1)),
    S(polynomial.polyvalfromroots, A(3), A(2, 3, seed=1), tensor=False),
    S(chebyshev.chebweight, D([0.1, -0.5])),
    S(chebyshev.cheb2poly, A(4)),
    S(chebyshev.poly2cheb, A(4)),
    S(legendre.leg2poly, A(4)),
    S(legendre.poly2leg, A(4)),
    S(laguerre.lagweight, A(3)),
    S(hermite.hermweight, A(3)),
    S(chebyshev.chebinterpolate, A(2), f=lambda c: chebyshev.chebinterpolate(lambda x: np.exp(c[0] * x) * c[1], 4)),
    S(chebyshev.chebinterpolate, A(2), f=lambda c: chebyshev.chebinterpolate(lambda x, a: np.exp(a * x), 4, args=(c[0],))),
]
_KINDS_OF_CLASSES = [np.polynomial.Polynomial, np.polynomial.Chebyshev, np.polynomial.Legendre]
_KINDS_OF_CLASSES += [np.polynomial.Laguerre, np.polynomial.Hermite, np.polynomial.HermiteE]
_CLASSES = [sample for kind in _KINDS_OF_CLASSES for sample in _of_class(kind)]

SAMPLES = [*_COEFFICIENTS, *_OBJECTS, *_MODULES, *_CLASSES]
