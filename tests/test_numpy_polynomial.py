"""numpy.polynomial and poly1d: what samples of single calls do not show."""

from __future__ import annotations

from builtins import type
from collections import deque
from typing import Any

import numpy as np
import pytest
from comparisons import assert_like_differences, assert_same_bits
from numpy.polynomial import Chebyshev, Polynomial

import npgrad as ng
from npgrad.testing import Linearised


def test_arithmetic_with_the_element_of_an_object_array() -> None:
    """NumPy gives the element's own result, which is not an array; Polynomial.convert does that."""
    element = np.array(Polynomial([1.0, 2.0]))
    slope = ng.grad(lambda x: (x * element + 0.0 * np.ones(2)[0]).coef[1])(3.0)
    assert slope == 2.0


def test_polynomials_made_before_the_tape_are_evaluated_and_combined() -> None:
    before = Chebyshev([1.0, 2.0, 3.0])
    slope = ng.grad(lambda x: before(x))(0.3)
    assert slope == pytest.approx(before.deriv()(0.3))
    assert ng.grad(lambda x: (before * x + Chebyshev([x]))(0.3))(2.0) == pytest.approx(before(0.3) + 1)


def test_polynomials_made_in_a_tape_serve_behind_it() -> None:
    kept: list[Any] = []

    def program(c: np.ndarray) -> Any:
        kept.append(Polynomial(c))
        return kept[-1](2.0)

    assert ng.grad(program)(np.array([1.0, 2.0, 3.0])).tolist() == [1.0, 2.0, 4.0]
    assert kept[0](2.0) == 17.0
    assert not isinstance(kept[0](2.0), ng.TracedArray)


SERIES = [np.polynomial.Polynomial, Chebyshev, np.polynomial.Legendre, np.polynomial.Hermite, np.polynomial.HermiteE]


@pytest.mark.parametrize("kind", [*SERIES, np.polynomial.Laguerre])
@pytest.mark.parametrize("dtype", ["c16", "c8"])
def test_series_are_fitted_at_complex_points(kind: Any, dtype: str) -> None:
    """Their domain is made of the corners of the points, by Python's ``complex``."""
    parts = np.random.default_rng(0).uniform(-1, 1, (2, 7))
    points = (parts[0] + 1j * parts[1]).astype(dtype)

    def fitted(x: np.ndarray, y: np.ndarray) -> Any:
        series = kind.fit(x, y, 2)
        return series.coef, series.domain, series(0.3 - 0.2j)

    for function, at in (
        (lambda x: fitted(x, parts[0]), points),
        (lambda y: fitted(points, y), points**2),
        (lambda x: fitted(list(x), x * x), points),
    ):
        linear = Linearised(function, [at])
        assert_same_bits(linear.value, function(at))
        if dtype == "c16":
            assert_like_differences(function, [at], linear, ("reverse", "forward"), np.random.default_rng(0))


def test_outside_a_tape_numpy_polynomial_is_untouched() -> None:
    with ng.GradientTape():
        pass
    assert type(Polynomial([1.0, 2.0]).coef) is np.ndarray
    assert type(np.poly1d([1.0, 2.0]).coeffs) is np.ndarray


@pytest.mark.parametrize(
    "read",
    [
        lambda p: np.polyval(p, 2.0),
        lambda p: np.asarray(p),
        lambda p: np.array(p),
        lambda p: np.polymul(p, [1.0, 2.0]),
        lambda p: np.convolve(p, [1.0, 2.0]),
        lambda p: np.polyadd(p, 1.0),
        lambda p: np.polydiv(p, [1.0, 2.0])[0],
        lambda p: (p / np.poly1d([1.0, 2.0]))[0],
        lambda p: np.roots(p),
        lambda p: np.sum(p),
        lambda p: np.float64(1.0) * p,
    ],
)
def test_the_memory_of_a_poly1d_is_not_read_unseen(read: Any) -> None:
    """C code converts the object without asking: followed, or refused."""
    at = np.array([1.0, -3.0, 2.0])

    def program(c: np.ndarray) -> Any:
        value = read(np.poly1d(c))
        return np.sum(value.coeffs if isinstance(value, np.poly1d) else value)

    try:
        found = ng.grad(program)(at)
    except ng.LeakError:
        return
    direction = np.array([0.3, 0.2, -0.1])
    h = 1e-6
    expected = (program(at + h * direction) - program(at - h * direction)) / (2 * h)
    assert found @ direction == pytest.approx(expected, rel=1e-6)


P = np.poly1d
OF_POLYNOMIALS = {
    "polyadd": lambda x: (np.polyadd(x, P(x)), np.polyadd(P([1.0, 2.0]), x), np.polyadd(P(x), P(x[:2]))),
    "polysub": lambda x: (np.polysub(x, P(2 * x)), np.polysub(P(x), P([1.0, 2.0]))),
    "polymul": lambda x: (np.polymul(x, P(x)), np.polymul(P([1.0, 2.0]), x), np.polymul(P(x), P(x))),
    "polydiv": lambda x: (np.polydiv(x, P(x[1:])), np.polydiv(P(x), [1.0, 2.0]), np.polydiv(P(x), P([1.0, 2.0]))),
    "polyder": lambda x: (np.polyder(P(x)), np.polyder(P(x), m=2)),
    "polyint": lambda x: (np.polyint(P(x)), np.polyint(P([1.0, 2.0]), k=x[0]), np.polyint(p=P(x), m=2, k=[x[1], 1.0])),
    "polyval": lambda x: (np.polyval(P(x), x), np.polyval(x, P([1.0, 2.0])), np.polyval(P([1.0, 2.0]), P(x))),
    "composed": lambda x: (np.polyval(P(x), P(x)), P(x)(P(x)), np.polyval(p=P(x), x=P([1.0, 2.0]))),
    "operators": lambda x: (P(x) * P(x) + x[0], P(x) ** 2 - P([1.0, 2.0]), -P(x), x[0] * P(x), P(x) + [x[0], 1.0]),
    "division": lambda x: (P(x) / P([1.0, 2.0]), P(x) / x[0], [1.0, 2.0, 3.0] / P(x[:2]), P(x) / [x[0], 1.0]),
    "methods": lambda x: (P(x).deriv(), P(x).integ(k=x[0]), P(x, True), P(x).roots, P(x)[1] * 1.0),
    "plain": lambda x: (np.polyadd(P([1.0, 2.0]), P([3.0])), P([1.0, 2.0]) / P([3.0]), np.polyder(P([1.0, 2.0]))),
}


@pytest.mark.parametrize("name", OF_POLYNOMIALS)
def test_functions_of_polynomials_give_polynomials(name: str) -> None:
    """Where NumPy does, with its values, and followed whichever polynomial is traced."""
    program, at = OF_POLYNOMIALS[name], np.array([1.5, 3.0, 2.0])

    def leaves(x: Any) -> tuple:
        return tuple([v.coeffs if isinstance(v, P) else v for v in _each(program(x))])

    with ng.GradientTape() as tape:
        kinds = [type(v) is P for v in _each(program(tape.watch(at)))]
    assert kinds == [type(v) is P for v in _each(program(at))]
    linear = Linearised(leaves, [at])
    assert_same_bits(linear.value, leaves(at))
    assert_like_differences(leaves, [at], linear, ("reverse", "forward"), np.random.default_rng(0))


def _each(values: Any) -> list:
    return [v for value in values for v in _each(value)] if isinstance(values, tuple) else [values]


def test_traced_arrays_in_another_kind_of_sequence_are_found() -> None:
    """NumPy's dispatch looks into any sequence, so a call that holds no traced array in sight may concern one."""
    assert ng.grad(lambda x: np.concatenate(deque([x, 2 * x])).sum())(np.ones(2)).tolist() == [3.0, 3.0]
    roots = ng.jacobian(lambda c: np.roots(np.poly1d(c)))(np.array([1.0, -3.0, 2.0]))
    np.testing.assert_allclose(roots @ np.array([0.0, 0.0, 1.0]), [-1.0, 1.0], rtol=1e-12)


def test_a_leak_inside_numpys_own_code_names_the_users_line() -> None:
    """Also where a twin of that code ran."""
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        with pytest.raises(ng.LeakError, match=r"test_numpy_polynomial\.py"):
            np.linalg.cond(np.outer(x, x), x[0])


@pytest.mark.filterwarnings("ignore::npgrad.DegenerateWarning")
@pytest.mark.parametrize("kind", ["poly", "cheb", "herm", "herme", "lag", "leg"])
@pytest.mark.parametrize("roots", [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0]], ids=str)
def test_terms_of_series_keep_the_derivatives_of_their_last_zeros(kind: str, roots: list) -> None:
    """The terms of a sum are trimmed in NumPy, which takes away numbers that are zero at one point only."""
    modules = {"poly": "polynomial", "cheb": "chebyshev", "herm": "hermite", "herme": "hermite_e", "lag": "laguerre"}
    module = getattr(np.polynomial, modules.get(kind, "legendre"))
    from_roots = getattr(module, f"{kind}fromroots")
    linear = Linearised(from_roots, [np.array(roots)])
    assert_same_bits(linear.value, from_roots(np.array(roots)))
    assert_like_differences(from_roots, [np.array(roots)], linear, ("reverse", "forward"), np.random.default_rng(0))


@pytest.mark.parametrize("kind", ["polynomial.poly", "chebyshev.cheb", "hermite.herm", "laguerre.lag", "legendre.leg"])
def test_differences_of_complex_and_real_series_have_numpys_bits(kind: str) -> None:
    module, prefix = kind.split(".")
    subtract = getattr(getattr(np.polynomial, module), f"{prefix}sub")
    long, short = np.array([1.5, 0.5, 2.0]), np.array([0.5 + 0j, 0.25 + 0j])
    for pair in ((short, long), (long, short), (long, long + 1j), (long * 1j, long)):
        with ng.GradientTape() as tape:
            made = [subtract(*[tape.watch(a) if i == n else a for i, a in enumerate(pair)]) for n in (0, 1)]
        for one in made:
            assert_same_bits(np.signbit(one.real), np.signbit(subtract(*pair).real))
            assert_same_bits(np.signbit(np.imag(one)), np.signbit(np.imag(subtract(*pair))))


@pytest.mark.parametrize(
    "program",
    [
        lambda x: np.polynomial.legendre.legfromroots(x),
        lambda x: np.polynomial.hermite.hermmul(x[[1, 0]], [1.0, 1.0]),
        lambda x: (np.polynomial.Laguerre(x[[1, 0]]) * np.polynomial.Laguerre([1.0, 2.0])).coef,
        lambda x: np.polynomial.polynomial.polymulx(x[[1, 0]]),
        lambda x: np.polynomial.chebyshev.chebadd(x, -x),
    ],
)
def test_what_is_trimmed_with_its_derivative_is_said(program: Any) -> None:
    x = np.array([0.0, -1.0, 1.0, 0.0, 2.0])
    with pytest.warns(ng.DegenerateWarning, match="takes off leading coefficients"):
        ng.jacobian(program)(x)
    with ng.GradientTape():
        program(x)  # plain data have none
