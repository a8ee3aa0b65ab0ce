"""Differences where a tape records: of what it follows they are refused, of plain data they are what they are."""

import contextlib

import numpy as np
import pytest

import npgrad as ng
from npgrad import finite_difference as fd
from npgrad.testing import directional_difference

POINT = np.array([0.7, 1.3])
ONE = np.array(1.0)
METHODS = ["2-point", "3-point", "richardson", "complex-step"]

GIVEN = {
    "argument": lambda x: fd.grad(np.sin)(x),
    "argument that is held fast": lambda x: fd.grad(lambda u, k: u * k)(1.0, x),
    "keyword": lambda x: fd.grad(lambda u, k: u * k)(1.0, k=x),
    "structure": lambda x: fd.grad(lambda p: p["a"] * p["b"])({"a": x, "b": 2.0})["a"],
    "hessian": lambda x: fd.hessian(lambda u: u**3)(x),
    "sparse": lambda x: fd.sparse_jacobian(lambda u: u**3)(np.reshape(x, 1)).toarray().sum(),
    "step": lambda x: fd.grad(lambda u: u**3, step=x)(1.0),
    "bounds": lambda x: fd.grad(lambda u: u**3, bounds=(0.0, x))(0.1),
    "difference along a direction": lambda x: directional_difference(np.sin, [x], [ONE])[0][0],
    "direction": lambda x: directional_difference(np.sin, [ONE], [x])[0][0],
}
RETURNED = {
    **{method: lambda k, method=method: fd.grad(lambda u: (k * u * u).sum(), method=method)(POINT)[0] for method in METHODS},
    "jacobian": lambda k: fd.jacobian(lambda u: k * u)(POINT)[0, 0],
    "one of several": lambda k: fd.jacobian(lambda u: {"a": u, "b": k * u})(1.0)["b"],
    "with error": lambda k: fd.grad(lambda u: k * u, return_error=True)(1.0).derivative,
    "hessian": lambda k: fd.hessian(lambda u: (k * u * u).sum())(POINT)[0, 0],
    "sparse": lambda k: fd.sparse_jacobian(lambda u: k * u)(POINT).toarray()[0, 0],
    "difference along a direction": lambda k: directional_difference(lambda u: k * u, [ONE], [ONE])[0][0],
}


def derivative_on_a_tape(program, at):
    with ng.GradientTape() as tape:
        x = tape.watch(at)
        y = program(x)
    return tape.gradient(y, x)


def tangent(program, at):
    return ng.jvp(program, (at,), (1.0,))[1]


@pytest.mark.parametrize("derivative", [lambda f, x: ng.grad(f)(x), derivative_on_a_tape, tangent])
@pytest.mark.parametrize("name", GIVEN)
def test_given_what_a_tape_follows(name, derivative):
    with pytest.raises(ng.LeakError, match=r"test_flat_function.py:\d+: .* a tape follows its arguments.*npgrad.grad"):
        derivative(GIVEN[name], 0.3)


@pytest.mark.parametrize("derivative", [lambda f, x: ng.grad(f)(x), derivative_on_a_tape, tangent])
@pytest.mark.parametrize("name", RETURNED)
def test_a_function_that_returns_what_a_tape_follows(name, derivative):
    with pytest.raises(
        ng.LeakError, match=r"test_flat_function.py:\d+: .* follows what the function returns.*stop_gradient"
    ):
        derivative(RETURNED[name], 0.3)


def test_the_same_without_a_tape():
    for program in [*GIVEN.values(), *RETURNED.values()]:
        assert np.isfinite(program(0.3))


def test_variables():
    v = ng.Variable(3.0)
    assert abs(fd.grad(lambda u: v * u * u)(1.0) - 6) < 1e-8
    assert abs(fd.grad(lambda u: u * u)(v) - 6) < 1e-8
    with ng.GradientTape() as tape:
        with pytest.raises(ng.LeakError, match="what the function returns"):
            fd.grad(lambda u: v * u * u)(1.0)
        with pytest.raises(ng.LeakError, match="its arguments"):
            fd.grad(lambda u: u * u)(v)
        with tape.stop_recording():
            constant = fd.grad(lambda u: v * u * u)(1.0)
    assert abs(constant - 6) < 1e-8


def test_what_is_meant_to_be_constant():
    """x times the difference quotient of x**3 or k * x, both held fast."""
    held = ng.grad(lambda x: x * fd.grad(lambda u: u**3)(ng.stop_gradient(x)))
    assert abs(held(2.0) - 12) < 1e-7
    of_closure = ng.grad(lambda k: k * fd.grad(lambda u: ng.stop_gradient(k) * u)(1.0))
    assert abs(of_closure(2.0) - 2) < 1e-8
    ignored = ng.grad(lambda x: x * fd.grad(lambda u: u**3)(x), leaks="ignore")
    assert abs(ignored(2.0) - 12) < 1e-7
    with pytest.warns(ng.LeakWarning, match="plain numbers"):
        ng.grad(lambda x: x * fd.grad(lambda u: u**3)(x), leaks="warn")(2.0)


@pytest.mark.parametrize("method", METHODS)
def test_differences_of_plain_data_on_a_tape(method):
    def weighted(x):
        slopes = fd.jacobian(lambda u: np.array([u[0] * u[1], np.exp(u[0])]), method=method)(POINT)
        return (slopes @ np.array([x, 2 * x])).sum()  # (b + 2 a + e^a) x

    assert abs(ng.grad(weighted)(0.3) - (1.3 + 1.4 + np.exp(0.7))) < 1e-6
    assert abs(derivative_on_a_tape(weighted, 0.3) - (1.3 + 1.4 + np.exp(0.7))) < 1e-6


def test_the_auxiliary_data_is_followed():
    """It is that of the point, and no difference is taken of it."""

    def f(k):
        slope, aux = fd.grad(lambda u: (u * u, k * u), has_aux=True)(3.0)
        return slope * aux

    assert abs(ng.grad(f)(2.0) - 18) < 1e-6


@pytest.mark.parametrize(
    "check",
    [
        lambda f: ng.compare(f, POINT, methods=["npgrad reverse", "richardson"]),
        lambda f: ng.testing.check_gradients(f, POINT),
    ],
)
@pytest.mark.parametrize("on_tape", [True, False])
def test_checks_hand_nothing_on(check, on_tape):
    """A function that uses what a tape follows may be checked while it records: nothing of it is recorded."""
    with ng.GradientTape() if on_tape else contextlib.nullcontext() as tape:
        k = tape.watch(2.0) if on_tape else 2.0
        before = len(tape._record.entries) if on_tape else 0
        found = check(lambda x: k * x**2)
        y = k * k
        after = len(tape._record.entries) if on_tape else 1
    assert found is None or found.agrees
    assert after == before + 1
    if on_tape:
        assert tape.gradient(y, k) == 4
