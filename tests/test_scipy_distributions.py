"""Distributions of SciPy: their Python code is followed, by the argument and by each parameter."""

import numpy as np
import pytest

import npgrad as ng

pytestmark = pytest.mark.once

stats = pytest.importorskip("scipy.stats")

CONTINUOUS = {
    "norm": (), "expon": (), "uniform": (), "laplace": (), "logistic": (), "cauchy": (), "gumbel_r": (), "rayleigh": (),
    "gamma": (1.7,), "chi2": (3.2,), "t": (4.1,), "lognorm": (0.6,), "weibull_min": (1.5,), "pareto": (2.3,),
    "invgauss": (0.8,), "genextreme": (0.2,), "triang": (0.35,), "maxwell": (), "exponpow": (1.3,), "fisk": (2.1,),
}  # fmt: skip
METHODS = ["pdf", "logpdf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf"]
# What SciPy computes in compiled code. Shapes may be refused anywhere: many functions have no derivative by an order.
COMPILED = {(name, method) for name in ("cauchy", "invgauss") for method in ("ppf", "isf")}
REFUSED = (ng.NoRuleError, ng.LeakError)


def difference(f, x, h=2e-4):
    """Of the order h ** 4."""
    d = [np.asarray(f(x + s * h)) for s in (-2, -1, 1, 2)]
    return (d[0] - 8 * d[1] + 8 * d[2] - d[3]) / (12 * h)


def check(f, x, may_refuse):
    plain = f(x)
    try:
        value, rows = ng.value_and_jacobian(f)(x)
    except REFUSED:
        assert may_refuse
        return
    assert value.dtype == plain.dtype and np.array_equal(value, plain)
    found = np.diag(rows) if np.ndim(x) else rows
    np.testing.assert_allclose(found, difference(f, x), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", CONTINUOUS)
@pytest.mark.parametrize("method", METHODS)
def test_continuous(name: str, method: str) -> None:
    distribution = getattr(stats, name)
    f, shapes = getattr(distribution, method), CONTINUOUS[name]
    at = np.array([0.3, 0.6]) if method in ("ppf", "isf") else distribution.ppf([0.3, 0.6], *shapes, 0.1, 1.2)
    parameters = [*shapes, 0.1, 1.2]
    is_compiled = (name, method) in COMPILED
    check(lambda x: f(x, *parameters), at, is_compiled)
    check(lambda x: getattr(distribution(*parameters), method)(x), at, is_compiled)
    for i, parameter in enumerate(parameters):
        check(lambda p, i=i: f(at, *parameters[:i], p, *parameters[i + 1 :]), parameter, is_compiled or i < len(shapes))


DISCRETE = {"poisson": (2.3,), "binom": (7, 0.4), "geom": (0.3,), "nbinom": (4, 0.6)}


@pytest.mark.parametrize("name", DISCRETE)
@pytest.mark.parametrize("method", ["pmf", "logpmf"])
def test_discrete(name: str, method: str) -> None:
    shapes = DISCRETE[name]
    distribution = getattr(stats, name)
    at = np.array([1, 3])
    check(lambda p: getattr(distribution, method)(at, *shapes[:-1], p), shapes[-1], method == "pmf")
    check(lambda p: getattr(distribution(*shapes[:-1], p), method)(at), shapes[-1], method == "pmf")
