"""implicit: derivatives of solvers' answers against those of closed forms, unrolled loops and differences."""

import numpy as np
import pytest
from agreement import difference_jacobian

import npgrad as ng

pytestmark = pytest.mark.once

linalg = pytest.importorskip("scipy.linalg")
optimize = pytest.importorskip("scipy.optimize")

A = np.array([[4.0, 1.0, 0.3], [0.5, 5.0, 0.7], [0.2, 0.4, 3.0]])
B = np.array([1.0, -2.0, 0.5])


def residual(x, b, s):
    r = np.empty_like(x)
    r[:] = A @ x + s * x**3 - b
    r[0] += np.sin(x[1]) * s
    return r


def by_scipy(b, s):
    return optimize.root(residual, np.zeros(3), args=(b, s), tol=1e-14).x


def by_newton(b, s):
    x = np.zeros(3)
    for _ in range(30):
        x = x - np.linalg.solve(ng.jacobian(residual)(x, b, s), residual(x, b, s))
    return x


root = ng.implicit(by_scipy, residual)


@pytest.mark.parametrize("solve", [by_scipy, by_newton])
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_roots_against_differences(solve, mode):
    found = ng.jacobian(ng.implicit(solve, residual), (0, 1), mode=mode)(B, 0.5)
    np.testing.assert_allclose(found[0], difference_jacobian(lambda b: by_newton(b, 0.5), B), rtol=1e-9, atol=1e-10)
    by_s = difference_jacobian(lambda s: by_newton(B, s[0]), np.array([0.5]))[:, 0]
    np.testing.assert_allclose(found[1], by_s, rtol=1e-9, atol=1e-10)


def inverse(a, b):
    return linalg.lu_solve(linalg.lu_factor(a), b)


@pytest.mark.parametrize("linear_solve", [None, inverse])
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_second_derivatives_against_differences(linear_solve, mode):
    def objective(b):
        return (ng.implicit(by_newton, residual, linear_solve)(b, 0.5) ** 2 * B).sum()

    wanted = difference_jacobian(ng.grad(objective), B)
    np.testing.assert_allclose(ng.hessian(objective, mode=mode)(B), wanted, rtol=1e-8, atol=1e-9)


def test_inside_a_script():
    def script(p):
        b = np.zeros(3)
        b[:2] = p
        x = root(b, 0.5)
        x *= 2
        return x.sum() + b[0]

    p = np.array([0.4, 1.1])
    wanted = difference_jacobian(lambda p: 2 * by_newton(np.array([*p, 0.0]), 0.5).sum() + p[0], p)
    np.testing.assert_allclose(ng.grad(script)(p), wanted, rtol=1e-9)
    np.testing.assert_array_equal(root(B, 0.5), by_scipy(B, 0.5))


def test_a_linear_solver():
    solve = ng.implicit(inverse, lambda x, a, b: a @ x - b)
    for mode in ("forward", "reverse"):
        found = ng.jacobian(solve, (0, 1), mode=mode)(A, B)
        wanted = ng.jacobian(np.linalg.solve, (0, 1))(A, B)
        for f, w in zip(found, wanted, strict=True):
            np.testing.assert_allclose(f, w, rtol=1e-12, atol=1e-14)


def test_a_fixed_point():
    def iterate(a, x0):
        x = x0
        for _ in range(200):
            x = np.cos(a * x)
        return x

    fixed = ng.implicit(iterate, lambda x, a, x0: x - np.cos(a * x))
    by_a, by_start = ng.grad(fixed, (0, 1))(0.8, 0.3)
    x = iterate(0.8, 0.3)
    np.testing.assert_allclose(by_a, -x * np.sin(0.8 * x) / (1 + 0.8 * np.sin(0.8 * x)), rtol=1e-13)
    assert by_start == 0.0
    unrolled = ng.grad(ng.grad(iterate))(0.8, 0.3)
    np.testing.assert_allclose(ng.grad(ng.grad(fixed))(0.8, 0.3), unrolled, rtol=1e-10)


@pytest.mark.parametrize("power", [2, 3])
def test_complex_answers(power):
    fixed = ng.implicit(lambda a: a ** (1 / power), lambda x, a: x**power - a)
    a = np.array([0.3 + 0.4j, 1.2 - 0.1j])
    wanted = np.diag(a ** (1 / power - 1) / power)
    np.testing.assert_allclose(ng.jacobian(fixed, holomorphic=True)(a), wanted, rtol=1e-13, atol=1e-16)
    _, tangent = ng.jvp(fixed, (a,), (np.array([1.0, 1j]),))
    np.testing.assert_allclose(tangent, wanted @ [1.0, 1j], rtol=1e-13)


def test_complex_equations_that_are_not_holomorphic():
    # x + conj(x) / 2 = a: x = 2/3 Re a + 2i Im a
    f = ng.implicit(lambda a: 2 / 3 * a.real + 2j * a.imag, lambda x, a: x + np.conj(x) / 2 - a)
    gradient = ng.grad(lambda a: (f(a).real * 3 + f(a).imag * 5).sum())(np.array([0.3 + 0.4j]))
    np.testing.assert_allclose(gradient, [2 + 10j], rtol=1e-14)


def test_what_would_be_lost_is_refused():
    with ng.GradientTape() as tape:
        b, s = tape.watch((B, 0.5))
        with pytest.raises(ValueError, match="not among its arguments"):
            ng.implicit(lambda b: by_newton(B, 0.5), lambda x, b: residual(x, b, s))(b)
        with pytest.raises(ValueError, match=r"shape and kind of the answer, which is float64 of shape \(3,\)"):
            ng.implicit(lambda b: B, lambda x, b: x[:2])(b)
        with pytest.raises(TypeError, match="must return one floating or complex array, got tuple"):
            ng.implicit(lambda b: (b, 1), residual)(b)
        with pytest.raises(ValueError, match="read-only"):
            ng.implicit(lambda b: b.__imul__(2), residual)(b)


def test_no_derivative_at_a_singular_point():
    double = ng.implicit(lambda a: np.sqrt(np.maximum(a, 0)), lambda x, a: x**2 - a)
    with pytest.raises(np.linalg.LinAlgError, match=r"test_implicit.py:\d+: the answer of <lambda> has no derivative here"):
        ng.grad(double)(0.0)


@pytest.mark.parametrize("derivative", [ng.grad, lambda f: ng.jacobian(f, mode="forward")])
def test_answers_that_are_none_are_found(derivative):
    with pytest.raises(RuntimeError, match=r"does not solve <lambda>: a step of Newton's method would move it by 1.5e\+00"):
        derivative(ng.implicit(lambda a: 1.0, lambda x, a: x**2 - a))(4.0)
    with pytest.raises(np.linalg.LinAlgError):
        derivative(ng.implicit(lambda a: 1.0, lambda x, a: a - 4.0))(4.0)
    rough = ng.implicit(lambda a: 2.001, lambda x, a: x**2 - a)
    assert derivative(rough)(4.0) == pytest.approx(1 / 4.002, rel=1e-14)


def test_answers_of_zero():
    zero = ng.implicit(lambda a: np.zeros(2), lambda x, a: np.sinh(x) * (1 + a) - (a - a))
    np.testing.assert_array_equal(ng.jacobian(zero)(np.ones(2)), np.zeros((2, 2)))


def test_a_residual_that_reaches_for_tracked_data_is_refused_whatever_the_arguments_are():
    for b in (lambda s: B, lambda s: B * s):
        with pytest.raises(ValueError, match="uses a tracked array that is not among its arguments"):
            ng.grad(lambda s, b=b: ng.implicit(lambda b: by_newton(b, 0.5), lambda x, b: residual(x, b, s))(b(s)).sum())(0.5)


def test_nothing_to_solve():
    same = ng.implicit(lambda a: a * 1.0, lambda x, a: x - a)
    for mode in ("forward", "reverse"):
        assert ng.jacobian(same, mode=mode)(np.zeros((0, 2))).shape == (0, 2, 0, 2)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_matrices(mode):
    sylvester = ng.implicit(lambda a, b: linalg.solve_sylvester(a, a.T, b), lambda x, a, b: a @ x + x @ a.T - b)
    b = np.arange(9.0).reshape(3, 3)
    for place in (0, 1):
        found = ng.jacobian(sylvester, place, mode=mode)(A, b)
        at = (A, b)

        def moved(flat, place=place, at=at):
            args = [*at]
            args[place] = flat.reshape(3, 3)
            return linalg.solve_sylvester(args[0], args[0].T, args[1]).ravel()

        wanted = difference_jacobian(moved, at[place].ravel())
        np.testing.assert_allclose(found.reshape(9, 9), wanted, rtol=1e-8, atol=1e-9)


def test_an_answer_within_an_equation_and_within_a_loop():
    inner = ng.implicit(np.sqrt, lambda x, a: x * x - a)
    # x + sqrt(x) = b: x = ((sqrt(1 + 4 b) - 1) / 2) ** 2
    closed = lambda b: ((np.sqrt(1 + 4 * b) - 1) / 2) ** 2
    outer = ng.implicit(closed, lambda x, b: x + inner(x) - b)
    b = np.array([1.3, 1.5, 1.9])
    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(ng.jacobian(outer, mode=mode)(b), ng.jacobian(closed)(b), rtol=1e-12, atol=1e-15)
        found = ng.hessian(lambda b: outer(b).prod(), mode=mode)(b)
        np.testing.assert_allclose(found, ng.hessian(lambda b: closed(b).prod())(b), rtol=1e-11, atol=1e-14)

    def script(solve):
        def run(x):
            for i in range(4):
                x = solve(x + 1.0 + i)
            return x.prod()

        return run

    kept = lambda x: ng.checkpoint_loop(lambda x, i: ng.checkpoint(outer)(x + 1.0 + i), x, 4, 2).prod()
    np.testing.assert_allclose(ng.grad(kept)(b), ng.grad(script(closed))(b), rtol=1e-12)
    np.testing.assert_allclose(ng.hessian(kept)(b), ng.hessian(script(closed))(b), rtol=1e-10, atol=1e-14)


class Root:
    def __init__(self):
        self.work = np.zeros(())


def squared_in(z, a, space):
    space.work[...] = z * z
    return space.work + z - a


def test_work_arrays_of_what_is_among_the_arguments():
    """z ** 2 + z = a, and the sweep comes when what the call reached has been put back."""
    space = Root()
    root = ng.implicit(lambda a, space: (np.sqrt(1 + 4 * a) - 1) / 2, squared_in)

    def f(a):
        return root(a, space)

    assert ng.vjp(f, 2.0)[1](1.0)[0] == pytest.approx(1 / 3, rel=1e-14)
    assert ng.jvp(f, (2.0,), (1.0,))[1] == pytest.approx(1 / 3, rel=1e-14)
    for mode in ("forward", "reverse"):
        assert ng.hessian(f, mode=mode)(2.0) == pytest.approx(-2 / 27, rel=1e-14)
    assert type(space.work) is np.ndarray
