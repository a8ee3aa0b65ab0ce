"""``scipy.integrate.solve_ivp``: methods that are Python code are followed step by step, the others refused."""

from __future__ import annotations

import functools
import importlib
import itertools
from builtins import type
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from comparisons import assert_same_bits

import npgrad as ng

pytest.importorskip("scipy", reason="scipy is not installed: its solvers are not tested")
integrate, sparse = importlib.import_module("scipy.integrate"), importlib.import_module("scipy.sparse")

POINT = np.array([1.5, 0.7, 1.1])
TIMES = np.linspace(0, 2, 5)
ACCURATE, LOOSE = {"rtol": 1e-9, "atol": 1e-11}, {"rtol": 1e-5, "atol": 1e-7}
FOLLOWED = ("RK23", "RK45", "DOP853", "BDF")
METHODS = (*FOLLOWED, "Radau", "LSODA")


def rates(t: float, u: np.ndarray, a: float, b: float) -> np.ndarray:
    """Prey and predators, written into a buffer."""
    du = np.empty(2)
    du[0] = a * u[0] - b * u[0] * u[1]
    du[1] = u[0] * u[1] - u[1] + 0.1 * np.sin(t)
    return du


def by_arguments(x: Any, method: Any, **options: Any) -> Any:
    return integrate.solve_ivp(rates, (0, 2), [x[2], 0.8], method, args=(x[0], x[1]), t_eval=TIMES, **options)


def by_closure(x: Any, method: Any, **options: Any) -> Any:
    return integrate.solve_ivp(lambda t, u: list(rates(t, u, x[0], x[1])), (0, 2), [x[2], 0.8], method=method, **options)


def dense(x: Any, method: Any, **options: Any) -> Any:
    return by_closure(x, method, dense_output=True, **options).sol(TIMES[1:4])


def differences(f: Any, x: np.ndarray, step: float) -> np.ndarray:
    return np.stack([(f(x + step * e) - f(x - step * e)) / (2 * step) for e in np.eye(len(x))], -1)


PROGRAMS = {
    "arguments": lambda x, method, **options: by_arguments(x, method, **options).y,
    "closure": lambda x, method, **options: by_closure(x, method, **options).y[:, -1],
    "dense": dense,
}


@pytest.mark.parametrize("method", FOLLOWED)
@pytest.mark.parametrize("name", PROGRAMS)
def test_derivatives_are_those_of_differences(name: str, method: str) -> None:
    def f(x: Any) -> Any:
        return PROGRAMS[name](x, method, **(LOOSE if method in ("RK23", "BDF") else ACCURATE))

    value = f(POINT)
    expected = differences(f, POINT, 1e-5)
    with ng.GradientTape() as tape:
        x = tape.watch(POINT)
        y = f(x)
    assert_same_bits(ng.stop_gradient(y), value)
    np.testing.assert_allclose(tape.jacobian(y, x), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ng.jacobian(f, mode="forward")(POINT), expected, rtol=1e-5, atol=1e-5)


def test_the_steps_are_part_of_the_program() -> None:
    """Also with few of them: what is differentiated is the program as it runs, with its choice of steps, whose rounding
    differences over a small step would show."""

    def f(x: Any) -> Any:
        found = by_closure(x, integrate.RK45)
        return np.concatenate([found.t[1:-1], found.y[0]])

    np.testing.assert_allclose(ng.jacobian(f)(POINT), differences(f, POINT, 1e-4), rtol=1e-6, atol=1e-6)


def test_second_derivatives() -> None:
    def f(x: Any) -> Any:
        return np.sum(by_arguments(x, "RK45", **ACCURATE).y ** 2)

    np.testing.assert_allclose(ng.hessian(f)(POINT), differences(ng.grad(f), POINT, 1e-5), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("method", ["Radau", "LSODA"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_compiled_methods_are_refused(name: str, method: str) -> None:
    with pytest.raises(ng.LeakError, match=r"scipy\.integrate\.solve_ivp takes"):
        ng.jacobian(lambda x: PROGRAMS[name](x, method))(POINT)


def _crosses(t: float, u: np.ndarray) -> Any:
    return u[0] - 0.6


_crosses.terminal = True  # type: ignore[attr-defined]


def _plain_runs(method: str) -> Iterator[Any]:
    def run(**options: Any) -> Any:
        return integrate.solve_ivp(lambda t, u: -(u**2), (0, 2), [1.0, 2.0], method, **options)

    yield run(events=_crosses, dense_output=True).sol(0.3)
    yield run(t_eval=[1, 2]).y
    if method in ("BDF", "Radau"):
        yield run(jac_sparsity=np.eye(2)).y
        yield run(jac=lambda t, u: sparse.csc_matrix(np.diag(-2 * u))).y
        yield run(jac=lambda t, u: np.diag(-2 * u)).y
    if method == "LSODA":
        yield run(lband=0, uband=0).y


@pytest.mark.parametrize("method", METHODS)
def test_plain_data_goes_through_all_methods(method: str) -> None:
    for number, expected in enumerate(_plain_runs(method)):
        with ng.GradientTape() as tape:
            tape.watch(np.ones(2))
            assert_same_bits(ng.stop_gradient(next(itertools.islice(_plain_runs(method), number, None))), expected)


def test_plain_data_is_followed_by_nobody() -> None:
    """What no tracked data comes into is SciPy's own, with arrays in which compiled code may do as it likes."""
    matrix = np.array([[0.0, 1.0], [-1.0, 0.0]])

    def fun(t: float, u: Any) -> Any:
        assert type(u) is np.ndarray
        return matrix.dot(u)

    with ng.GradientTape() as tape:
        tape.watch(np.ones(2))
        integrate.solve_ivp(fun, (0, 1), [1.0, 0.0])


class Decay:
    def __init__(self, rate: Any) -> None:
        self.rate = rate

    def __call__(self, t: float, u: Any) -> Any:
        return -self.rate * u

    def of(self, t: float, u: Any) -> Any:
        return self(t, u)


def _decays(rate: Any) -> Iterator[Any]:
    yield lambda t, u: -rate * u
    yield Decay(rate).of
    yield Decay(rate)
    yield functools.partial(lambda rate, t, u: -rate * u, rate)
    decay = Decay(rate)
    yield lambda t, u, decay=decay: decay(t, u)


@pytest.mark.parametrize("number", range(5))
def test_wherever_the_function_has_it_from(number: int) -> None:
    def end(rate: Any) -> Any:
        fun = next(itertools.islice(_decays(rate), number, None))
        return integrate.solve_ivp(fun, (0, 1), [1.0], rtol=1e-8, atol=1e-10).y[0, -1]

    np.testing.assert_allclose(ng.grad(end)(1.5), -np.exp(-1.5), rtol=1e-6)


def test_one_inside_another() -> None:
    """A compiled method inside of one that is followed is not followed by its name."""

    def outer(x: Any) -> Any:
        def fun(t: float, u: Any) -> Any:
            slow = integrate.solve_ivp(lambda s, v: -v, (0, 1), [1.0], "LSODA", rtol=1e-6).y[0, -1]
            return -x[0] * u * slow

        return integrate.solve_ivp(fun, (0, 1), [x[1]], rtol=1e-6, atol=1e-8).y[0, -1]

    gradient = ng.grad(outer)(POINT[:2])
    np.testing.assert_allclose(gradient, differences(outer, POINT[:2], 1e-5), rtol=1e-6)
