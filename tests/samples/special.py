"""scipy.special: every ufunc with a rule, and the Python functions that lead to them. Nothing where SciPy is absent."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import numpy as np

from npgrad._libraries import declare_loaded

from . import A, C, D, S

_ROUGH = {"leave_out": ("reverse", "forward"), "why": "SciPy's sums are too rough for them: see tests/test_special.py"}
_ENDLESS = {"leave_out": ("float32",), "why": "SciPy's own loop does not end for single precision"}
_DEPRECATED = {"leave_out": ("float32",), "why": "SciPy takes the integer for another number in single precision, and warns"}
_SINGLE = {"leave_out": ("float32",), "why": "SciPy's own values are NaN in single precision"}


def _real(s: Any) -> list[S]:
    anywhere = "gamma gammaln loggamma rgamma psi erf erfc erfcx erfi dawsn fresnel ndtr log_ndtr sici shichi spence cbrt"
    anywhere += " exp2 exp10 expm1 log1p cosm1 exprel sindg cosdg tandg cotdg expit log_expit j0 j1 y0 y1 i0 i1 k0 k1"
    anywhere += " i0e i1e k0e k1e ber bei ker kei berp beip kerp keip airy airye exp1 expi wrightomega entr modfresnelp"
    anywhere += " modfresnelm kelvin"
    unit = "erfinv ndtri logit ellipk ellipe ellipkm1"
    signed = "gamma gammaln rgamma psi erf erfc erfcx dawsn ndtr log_ndtr exprel expit log_expit j0 j1 i0 i1 airy expi cosm1"
    integrals = "iti0k0 itj0y0 it2i0k0 it2j0y0 itstruve0 itmodstruve0 it2struve0"
    return [
        *[S(getattr(s, name), A(2, 3)) for name in anywhere.split()],
        *[S(getattr(s, name), D(0.7)) for name in anywhere.split()[:12]],
        *[S(getattr(s, name), A(2, 3, low=0.1, high=0.9)) for name in unit.split()],
        *[S(getattr(s, name), D([-2.4, -0.6])) for name in signed.split()],
        S(s.erfcinv, A(2, 3, low=0.3, high=1.7)),
        S(s.ndtri_exp, A(2, 3, low=-3.0, high=-0.3)),
        S(s.ellipe, D([-1.5, 0.0])),
        S(s.ellipk, D([-1.5, 0.0])),
        S(s.exprel, D([0.0, 1e-9])),
        S(s.rgamma, D([0.0, -1.0, -2.0])),
        S(s.spence, D([1.0])),
        S(s.sici, A(3), f=lambda x: s.sici(x)[0]),
        S(s.itairy, A(2, 3, low=0.8, high=1.6), order=1, **_ROUGH),
        *[S(getattr(s, name), A(2, 3, low=0.8, high=1.6), order=1) for name in integrals.split()],
    ]


def _complex(s: Any) -> list[S]:
    names = "gamma loggamma rgamma psi erf erfc erfcx erfi dawsn wofz fresnel log_ndtr ndtr exp1 expi sici shichi spence"
    names += " expm1 log1p wrightomega airy airye"
    orders = "jv yv iv kv jve yve ive kve hankel1 hankel2 hankel1e hankel2e"
    return [
        *[S(getattr(s, name), C(2, 3)) for name in names.split()],
        *[S(getattr(s, name), D([-1.3 + 0.4j, -0.6 - 0.8j])) for name in ("psi", "gamma", "rgamma", "airye")],
        *[S(getattr(s, name), 1.5, C(2, 3)) for name in orders.split()],
        *[S(getattr(s, name), 0.5, D([-1.2 - 0.4j])) for name in ("jve", "yve", "ive", "kve")],
        *[S(getattr(s._ufuncs, f"_spherical_{n}{d}"), 2, C(2, 3)) for n in ("jn", "yn", "in", "kn") for d in ("", "_d")],
        S(s.elliprc, C(2, 3), C(3, seed=1), order=1),
        S(s.elliprc, D([-0.4 + 0.3j, 0.7 + 0.6j]), D([-0.4 + 0.3j, -1.2 - 0.5j]), order=1),
        S(s.elliprf, C(2, 3), C(3, seed=1), C(2, 1, seed=2), order=1),
        S(s.xlogy, C(2, 3), C(3, seed=1)),
        S(s.xlog1py, C(2, 3), C(3, seed=1)),
        S(s.hyp0f1, 1.3, C(2, 3)),
        S(s.hyp1f1, 0.7, 1.3, C(2, 3)),
        S(s.hyp2f1, 0.7, 0.4, 1.3, D([0.2 + 0.3j, -0.4 - 0.2j])),
        S(s._ufuncs._lambertw, C(2, 3), 0, 1e-12),
        S(s._ufuncs._lambertw, C(2, 3), -1, 1e-12, f=lambda z, k, tol: s.lambertw(z, k, tol)),
    ]


def _orders(s: Any) -> list[S]:
    """Of a fixed order, by the argument."""
    orders = "jv yv iv kv jve yve ive kve struve modstruve"
    return [
        *[S(getattr(s, name), 1.5, A(2, 3)) for name in orders.split()],
        *[S(getattr(s, name), np.array([0.0, 1.0, 2.0]), A(2, 3)) for name in orders.split()],
        *[S(getattr(s, name), 1.5, A(2, 3), order=1, f=getattr(s, name)) for name in ("hankel1", "hankel2e")],
        *[S(getattr(s, name), np.array([0, 1, 3]), A(2, 3)) for name in ("kn", "yn", "expn")],
        *[S(getattr(s._ufuncs, f"_spherical_{n}{d}"), 2, A(2, 3)) for n in ("jn", "yn", "in", "kn") for d in ("", "_d")],
        S(s.besselpoly, A(2, 3), 0.7, 1.5),
        S(s._ufuncs._zeta, 2.5, A(2, 3)),
        S(s._ufuncs._zeta, 2.5, A(2, 3), f=lambda x, q: s.zeta(x, q)),
        *[S(getattr(s, name), 1.3, A(2, 3)) for name in ("gammainc", "gammaincc")],
        *[S(getattr(s, name), 1.3, A(2, 3, low=0.2, high=0.8)) for name in ("gammaincinv", "gammainccinv")],
        *[
            S(getattr(s, name), 1.3, 0.8, A(2, 3, low=0.2, high=0.8))
            for name in ("betainc", "betaincc", "betaincinv", "betainccinv")
        ],
        S(s.hyp0f1, 1.3, A(2, 3)),
        S(s.hyp1f1, 0.7, 1.3, A(2, 3)),
        S(s.hyperu, 0.7, 1.3, A(2, 3)),
        S(s.hyp2f1, 0.7, 0.4, 1.3, A(2, 3, low=-0.8, high=0.8)),
        S(s.wright_bessel, 0.7, 1.3, A(2, 3)),
        S(s.log_wright_bessel, 0.7, 1.3, A(2, 3)),
    ]


def _several(s: Any) -> list[S]:
    """By several arguments."""
    pairs = "beta betaln binom poch powm1 xlogy xlog1py boxcox boxcox1p inv_boxcox inv_boxcox1p rel_entr kl_div pseudo_huber"
    pairs += " owens_t ellipkinc ellipeinc agm"
    return [
        *[S(getattr(s, name), A(2, 3, high=0.9), A(3, seed=1, low=0.2, high=0.8)) for name in pairs.split()],
        S(s.huber, A(2, 3), A(3, seed=1, low=-2.5, high=2.5)),
        S(s.boxcox, A(3), D([0.0, -0.5, 1.0])),
        S(s.inv_boxcox, A(3), D([0.0, 0.5, 1.0])),
        S(s.ellipkinc, A(3), D([0.0, 1e-4, -0.7])),
        S(s.ellipeinc, D([0.4, 2.5, -1.0]), D([0.0, 1e-4, -0.7])),
        S(s.ellipj, A(2, 3), A(3, seed=1, low=0.2, high=0.8)),
        S(s.radian, A(2, 3), A(3, seed=1), A(2, 1, seed=2)),
        S(s.radian, 0.0, 0.7, A(2, 3)),  # whose seconds alone weigh enough
        S(s.voigt_profile, A(2, 3), A(3, seed=1), A(2, 1, seed=2)),
        S(s.elliprf, A(2, 3), A(3, seed=1), A(2, 1, seed=2), order=1),
        S(s.elliprc, A(2, 3), A(3, seed=1, low=0.5, high=2.0), order=1),
        S(s.elliprc, A(2), D([-0.7, -1.4]), order=1),
        S(s.xlogy, C(2), D([-0.7, 1.4])),
        S(s.it2struve0, D([0.0, 0.8]), order=1, leave_out=("reverse", "forward"), why="zero is an end of it"),
    ]


def _polynomials(s: Any) -> list[S]:
    names = "chebyt chebyu chebyc chebys sh_chebyt sh_chebyu legendre sh_legendre laguerre hermite hermitenorm"
    points = A(2, 4, low=0.1, high=0.9)
    degrees = np.array([0, 1, 2, 5])
    return [
        *[S(getattr(s, f"eval_{name}"), degrees, points) for name in names.split()],
        *[S(getattr(s, f"eval_{name}"), 2.5, points) for name in ("legendre", "chebyt", "laguerre")],
        *[S(getattr(s, f"eval_{name}"), 2.5, C(2, 2)) for name in names.split()[:-2]],
        S(s.eval_gegenbauer, 2.5, 0.7, C(2, 2)),
        S(s.eval_genlaguerre, 2.5, 0.7, C(2, 2)),
        S(s.eval_jacobi, 2.5, 0.7, 0.3, C(2, 2)),
        S(s.eval_sh_jacobi, 2.5, 1.7, 1.3, C(2, 2)),
        *[S(getattr(s, f"eval_{name}"), degrees, 0.7, points) for name in ("gegenbauer", "genlaguerre")],
        S(s.eval_jacobi, degrees, 0.7, 0.3, points),
        S(s.eval_sh_jacobi, degrees, 1.7, 1.3, points),
        S(s.lpmv, 1, 2.5, points),
    ]


def _equations(s: Any) -> list[S]:
    mathieu = [f"mathieu_{name}" for name in ("modcem1", "modcem2", "modsem1", "modsem2")]
    return [
        *[S(getattr(s, name), 0.7, A(2, 3)) for name in ("pbdv", "pbvv", "pbwa")],
        *[S(getattr(s, name), 1, 0.8, A(2, 3, low=20.0, high=60.0), **_SINGLE) for name in ("mathieu_cem", "mathieu_sem")],
        *[S(getattr(s, name), 1, 0.8, A(2, 3), **_SINGLE) for name in mathieu],
        *[S(getattr(s, name), 1, 2, 0.9, A(2, 3, low=0.2, high=0.8), **_ENDLESS) for name in ("pro_ang1", "obl_ang1")],
        *[S(getattr(s, name), 1, 2, 0.9, A(2, 3, low=1.3, high=1.8), **_ENDLESS) for name in ("pro_rad1", "obl_rad1")],
    ]


def _distributions(s: Any) -> list[S]:
    unit = A(2, 3, low=0.2, high=0.8)
    return [
        *[S(getattr(s, name), 2.0, 5, unit, **_DEPRECATED) for name in ("bdtr", "bdtrc", "bdtri")],
        *[S(getattr(s, name), 2.0, 5, unit) for name in ("nbdtr", "nbdtrc", "nbdtri")],
        *[S(getattr(s, name), 3.0, 4.5, A(2, 3)) for name in ("fdtr", "fdtrc")],
        S(s.fdtri, 3.0, 4.5, unit),
        *[S(getattr(s, name), 2.0, A(2, 3)) for name in ("pdtr", "pdtrc", "chdtr", "chdtrc", "stdtr")],
        *[S(getattr(s, name), 2.0, unit) for name in ("pdtri", "chdtri", "stdtrit")],
        *[S(getattr(s, name), A(2, 3), 1.3, A(3, seed=1)) for name in ("gdtr", "gdtrc")],
        S(s.gdtrix, A(2, 3), 1.3, A(3, low=0.2, high=0.8, seed=1)),
        S(s.gdtria, unit, 1.3, A(3, seed=1)),
        S(s.chndtr, A(2, 3), 2.5, A(3, seed=1)),
        S(s.chndtrix, unit, 2.5, A(3, seed=1), order=1),
        S(s.tklmbda, A(2, 3, low=-0.8, high=0.8), 0.6, order=1),
        S(s.nrdtrimn, unit, A(3, seed=1), A(2, 1, seed=2)),
        S(s.nrdtrisd, A(3, seed=1), A(2, 3, low=0.6, high=0.9), A(2, 1, seed=2, low=2.0, high=3.0)),
    ]


SAMPLES: list[S] = []
if importlib.util.find_spec("scipy") is not None:
    _special = importlib.import_module("scipy.special")
    declare_loaded()
    for _family in (_real, _complex, _orders, _several, _polynomials, _equations, _distributions):
        SAMPLES += _family(_special)
