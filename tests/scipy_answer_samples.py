"""Roots and integrals that SciPy finds: samples for the tests of its functions."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np

optimize, integrate = map(importlib.import_module, ("scipy.optimize", "scipy.integrate"))
quad = integrate.quad
V = np.array([1.3, 0.7, 2.1])
START = np.array([1.0, 0.0])
EXACT: dict[str, Any] = {"xtol": 1e-14, "rtol": 1e-14}


def cubic(z: Any, a: Any, b: Any) -> Any:
    return z**3 + b * z - a


def pair(z: Any, v: Any) -> Any:
    return [z[0] ** 3 + v[1] * z[1] - v[0], z[1] + np.sin(z[0]) * v[2] - 1]


def with_slope(z: Any, v: Any) -> Any:
    return z**2 - v, np.diag(2 * z)


def inner(w: Any, v: Any) -> Any:
    return optimize.brentq(lambda z: z**3 - w * v[0] - v[1], 0, 5, **EXACT)


SAMPLES: dict[str, dict[str, tuple[Any, ...]]] = {
    "roots": {
        **{name: (lambda v, f=name: getattr(optimize, f)(lambda z: cubic(z, v[0], v[1]), 0, 2, **EXACT), V)
           for name in ("brentq", "toms748")},
        "brentq, args": (lambda v: optimize.brentq(cubic, -3, v[2], args=(v[0], v[1]), **EXACT) ** 2, V),
        "brentq, math": (lambda v: optimize.brentq(lambda z, a: math.exp(z) - a, -3, 3, v[0], **EXACT), V),
        "brentq, full_output": (lambda v: optimize.brentq(cubic, 0, 2, (v[0], v[1]), full_output=True, **EXACT)[1].root, V),
        "brentq of a brentq": (lambda v: optimize.brentq(lambda z: 2 * z - inner(z, v), 0, 3, **EXACT), V),
        "root_scalar": (lambda v: optimize.root_scalar(cubic, args=(v[0], v[1]), bracket=(0, 2), **EXACT).root, V),
        "root_scalar, fprime=True": (
            lambda v: optimize.root_scalar(lambda z: (z**3 - v[0], 3 * z**2), bracket=(0, 2), fprime=True, method="brentq",
                                           **EXACT).root, V),
        "fsolve": (lambda v: optimize.fsolve(lambda z: pair(z, v), START, xtol=1e-13), V),
        "fsolve, args": (lambda v: optimize.fsolve(pair, START * v[0], args=v, xtol=1e-13, full_output=True)[0], V),
        "root": (lambda v: optimize.root(pair, START, args=(v,), tol=1e-13).x, V),
        "root, lm": (lambda v: optimize.root(pair, START, args=(v,), tol=1e-13, method="lm").x, V),
        "root, jac=True": (lambda v: optimize.root(with_slope, np.ones(3), args=(v,), jac=True, tol=1e-13).x, V),
    },
    "integrals": {
        "quad": (lambda v: quad(lambda t: np.exp(-v[0] * t) * v[1], 0, 1)[0], V),
        "quad, args": (lambda v: quad(lambda t, a, b: math.exp(-a * t) * b, 0, 1, args=(v[0], v[1]))[0], V),
        "quad, ends": (lambda v: quad(lambda t: math.exp(-t * v[2]) * t, v[1], v[0])[0], V),
        "quad, ends in turn": (lambda v: quad(lambda t: t * t, v[0] ** 2, 0.2)[0], V),
        "quad, no interval": (lambda v: quad(lambda t: t * v[1], v[0], v[0].item())[0], V),
        "quad to infinity": (lambda v: quad(lambda t: np.exp(-t * v[2]), v[0], np.inf)[0], V),
        "quad from infinity": (lambda v: quad(lambda t: math.exp(t * v[2]), -np.inf, v[0])[0], V),
        "quad over all": (lambda v: quad(lambda t: np.exp(-((t - v[0]) ** 2) * v[2]), -np.inf, np.inf)[0], V),
        "quad of a peak": (lambda v: quad(lambda t: 1 / (1e-3 + (t - v[1]) ** 2), 0, 2, full_output=1)[0], V),
        "quad, points": (lambda v: quad(lambda t: v[0] * (t > 0.4) * t ** v[1], 0.1, 2, points=[0.4])[0], V),
    },
}  # fmt: skip
