"""npgrad.extend: derivatives of functions that npgrad cannot see into, declared by the user."""

import gc
import math
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import npgrad as ng
from npgrad import extend
from npgrad._elementwise import plain_calls, unary_calls
from npgrad._registry import RULES, UNSUPPORTED
from npgrad.testing import check_gradients

X = np.array([0.5, 1.0, 2.0])


def weighted(batch: bool) -> Any:
    """x * k + floor(t) by a function that no tape could follow."""

    @extend.differentiable
    def made(x, k=2.0, *, t=0.0):
        flat = [float(a) * float(b) for a, b in zip(np.ravel(x), np.ravel(k * np.ones_like(x)), strict=True)]
        return np.array(flat).reshape(np.shape(x)) + math.floor(t)

    if batch:

        @extend.vjp(made, "x", batch=True)
        def by_x(ct, k):
            return ct * k

        @extend.vjp(made, "k", batch=True)
        def by_k(ct, x, x_spec):
            return np.sum(ct * x, axis=tuple(range(-x_spec.ndim, 0)))
    else:

        @extend.vjp(made, "x", "k")
        def by_both(ct, x, k):
            return ct * k, np.sum(ct * x)

    @extend.jvp(made, "x", batch=batch)
    def along_x(tangent, k):
        return tangent * k

    @extend.jvp(made, "k", batch=batch)
    def along_k(tangent, x, x_spec):
        return np.reshape(tangent, np.shape(tangent) + (1,) * x_spec.ndim) * x

    extend.steps(made, "t")
    return made


@pytest.mark.parametrize("batch", [False, True])
def test_both_modes_and_second_derivatives(batch):
    f = weighted(batch)

    def program(x, k):
        y = np.zeros(3)
        y[:] = f(x * x, k=np.sin(k))
        y *= f(x, t=x[0])
        return y

    check_gradients(program, X, 0.7)
    for mode in ("forward", "reverse"):
        found = ng.jacobian(program, (0, 1), mode=mode)(X, 0.7)
        np.testing.assert_allclose(found[0], np.diag(6 * X**2 * np.sin(0.7)), rtol=1e-13)
        np.testing.assert_allclose(found[1], 2 * X**3 * np.cos(0.7), rtol=1e-13)
    (product,) = ng.hvp(lambda x: program(x, 0.7).sum(), (X,), (X,))
    np.testing.assert_allclose(product, 12 * X**2 * np.sin(0.7), rtol=1e-13)


def test_values_and_types_are_those_of_the_function():
    f = weighted(True)
    assert f(3.0, t=1.5) == 7.0
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        plain, y = f(np.ones(2)), f(x)
    np.testing.assert_array_equal(plain, [2.0, 2.0])
    np.testing.assert_array_equal(y, 2 * X)
    assert tape.gradient(plain, x) is None

    @extend.differentiable
    def total(x):
        return math.fsum(x)

    extend.vjp(total, "x")(lambda ct, x: ct * np.ones_like(x))
    value, gradient = ng.value_and_grad(lambda x: total(x) * np.float32(2))(X)
    assert value.dtype == np.float32  # a number of Python's is weak
    np.testing.assert_array_equal(gradient, [2, 2, 2])


def test_several_results_and_several_arrays():
    @extend.differentiable
    def sums(*arrays):
        return math.fsum([a.sum() for a in arrays]), np.array([a[0] * a[-1] for a in arrays])

    @extend.vjp(sums, "arrays")
    def back(ct, arrays):
        found = []
        for n, a in enumerate(arrays):
            unit = np.zeros_like(a)
            unit[0] += a[-1]
            unit[-1] += a[0]
            found.append(ct[0] + ct[1][n] * unit)
        return found

    @extend.jvp(sums, "arrays")
    def on(tangent, arrays):
        products = [t[0] * a[-1] + a[0] * t[-1] for t, a in zip(tangent, arrays, strict=True)]
        return sum([t.sum() for t in tangent]), np.stack(products)

    def program(x, y):
        first, second = sums(x, y * y, np.ones(2))
        return np.append(second, first * first)

    check_gradients(program, X, X[:2])


def test_a_result_that_is_the_argument():
    @extend.differentiable
    def turned(x):
        return x

    extend.vjp(turned, "x", batch=True)(lambda ct: -ct)
    np.testing.assert_array_equal(ng.grad(lambda x: turned(x).sum())(X), [-1, -1, -1])

    @extend.differentiable
    def half(x):
        return x[1:]

    extend.vjp(half, "x")(lambda ct: np.concatenate([[0.0], 5 * ct]))
    np.testing.assert_array_equal(ng.grad(lambda x: half(x).sum())(X), [0, 5, 5])


def test_overwritten_arguments():
    f = weighted(True)

    def program(x):
        k, y = np.array(3.0), x * 1.0
        z = f(y, k)
        y += 1.0
        k += 1.0
        return (z * y).sum()

    np.testing.assert_allclose(ng.grad(program)(X), 3 * (X + 1) + 3 * X, rtol=1e-15)


def test_a_solver_of_scipys():
    linalg = pytest.importorskip("scipy.linalg")

    @extend.differentiable
    def solve(ab, b):
        return linalg.solve_banded((1, 1), ab, b)

    @extend.vjp(solve, "b")
    def by_b(ct, ab):
        back = np.zeros_like(ab)  # the transpose, in the same form
        back[0, 1:], back[1], back[2, :-1] = ab[2, :-1], ab[1], ab[0, 1:]
        return solve(back, ct)

    @extend.vjp(solve, "ab")
    def by_ab(ct, ab, ans):
        g = by_b(ct, ab)
        return np.stack([
            -np.concatenate([[0.0], g[:-1] * ans[1:]]), -g * ans, -np.concatenate([g[1:] * ans[:-1], [0.0]])
        ])  # fmt: skip

    ab = np.array([[0.0, 0.3, -0.2], [2.0, 3.0, 4.0], [0.5, 0.1, 0.0]])
    numbers = np.flatnonzero(ab)

    def program(v, b):
        banded = np.zeros(9, v.dtype)
        banded[numbers] = v
        return solve(banded.reshape(3, 3), b * b)

    point = ab.ravel()[numbers], X
    found = ng.jacobian(program, (0, 1))(*point)
    expected = ng.finite_difference.jacobian(program, (0, 1), method="complex-step")(*point)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
    second = ng.hessian(lambda b: (program(point[0], b) ** 2).sum())(X)
    by_differences = ng.finite_difference.jacobian(ng.grad(lambda b: (program(point[0], b) ** 2).sum()))(X)
    np.testing.assert_allclose(second, by_differences, rtol=1e-7)


# --- Ufuncs of other libraries


@pytest.fixture
def kolmogorov() -> Iterator[Any]:
    ufunc = pytest.importorskip("scipy.special").kolmogorov
    with pytest.raises(ng.NoRuleError, match="kolmogorov"):
        ng.grad(ufunc)(1.0)
    reason = UNSUPPORTED[ufunc]
    yield ufunc
    RULES.pop(ufunc, None)
    UNSUPPORTED[ufunc] = reason
    extend._declared.discard(ufunc)
    for calls in (plain_calls, unary_calls):
        calls.pop(ufunc, None)


def test_ufuncs(kolmogorov):
    def slope(x):
        n = np.arange(1, 20).reshape(-1, *[1] * np.ndim(x))
        return np.sum((-1.0) ** n * 8 * n**2 * x * np.exp(-2 * n**2 * x**2), axis=0)

    extend.elementwise(kolmogorov, slope)
    x = np.array([0.8, 1.0, 1.3])
    check_gradients(lambda x: kolmogorov(x)[1:] * x[0], x)
    check_gradients(lambda x: kolmogorov(x, where=x > 0.9, out=np.zeros(3)), x)
    extend.elementwise(kolmogorov, lambda x: 2 * slope(x))  # another time, as in a notebook
    np.testing.assert_allclose(ng.grad(kolmogorov)(1.0), 2 * slope(1.0), rtol=1e-14)


# --- Work arrays of maps


class Held:
    work = np.zeros(3)


WORK, HELD = np.zeros(3), Held()
HELD.work = np.zeros(3)


def in_name(values):
    WORK[:] = values
    return WORK


def in_object(values):
    HELD.work[:] = values
    return HELD.work


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("kept", [in_name, in_object])
def test_work_arrays_of_maps_are_followed(kept, batch):
    cube = extend.differentiable(lambda x: x**3)
    extend.vjp(cube, "x", batch=batch)(lambda ct, x: ct * kept(3 * x**2))
    extend.jvp(cube, "x", batch=batch)(lambda tangent, x: tangent * kept(3 * x**2))

    def f(x):
        return cube(x).sum()

    wanted = np.diag(6 * X)
    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(ng.hessian(f, mode=mode)(X), wanted)
        np.testing.assert_allclose(ng.jacobian(ng.grad(f), mode=mode)(X), wanted)
        np.testing.assert_allclose(ng.jacobian(ng.jacobian(cube, mode="forward"), mode=mode)(X).sum(axis=0), wanted)
    np.testing.assert_allclose(ng.vjp(ng.grad(f), X)[1](X)[0], 6 * X**2)
    np.testing.assert_allclose(ng.hvp(f, (X,), (X,))[0], 6 * X**2)
    np.testing.assert_allclose(ng.for_solver(f).hess(X), wanted)
    assert type(WORK) is type(HELD.work) is np.ndarray


def test_work_arrays_of_partials_are_followed(kolmogorov):
    def slope(x):
        return in_name(np.sin(x))

    extend.elementwise(kolmogorov, slope)
    np.testing.assert_allclose(ng.jacobian(ng.grad(lambda x: kolmogorov(x).sum()))(X), np.diag(np.cos(X)))
    np.testing.assert_allclose(ng.hessian(lambda x: kolmogorov(x).sum())(X), np.diag(np.cos(X)))


# --- What is said


def test_what_is_not_declared():
    f = extend.differentiable(lambda x, k: x * k)
    with pytest.raises(ng.NoRuleError, match="by its argument k"):
        ng.grad(lambda x: f(1.0, x))(2.0)
    extend.vjp(f, "x")(lambda ct, k: ct * k)
    extend.jvp(f, "k")(lambda tangent, x: x * tangent)
    with pytest.raises(NotImplementedError, match=r"no derivative in forward mode.*npgrad.extend.jvp"):
        ng.jacobian(lambda x: f(x, 2.0), mode="forward")(3.0)
    with pytest.raises(NotImplementedError, match=r"no derivative in reverse mode.*npgrad.extend.vjp"):
        ng.grad(lambda x: f(2.0, x))(3.0)
    assert ng.jacobian(lambda x: f(x, 2.0))(3.0) == 2.0
    assert ng.jvp(lambda x: f(2.0, x), (3.0,), (1.0,))[1] == 2.0


def test_what_is_no_argument_is_refused():
    f = extend.differentiable(lambda x: x * captured[0])
    extend.vjp(f, "x")(lambda ct: ct)
    captured: list = []

    def program(x, k):
        captured[:] = [k]
        return f(x)

    with pytest.raises(ng.LeakError, match="not among its arguments"):
        ng.grad(program, (0, 1))(1.0, 2.0)


def test_writes_into_arguments_are_refused():
    @extend.differentiable
    def doubled(x):
        x *= 2
        return x

    extend.vjp(doubled, "x")(lambda ct: 2 * ct)
    with pytest.raises(ValueError, match="read-only"):
        ng.grad(lambda x: doubled(x).sum())(X)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (lambda f: extend.vjp(f, "z"), ValueError, "no argument 'z': its arguments are x, k"),
        (lambda f: extend.vjp(np.sin, "x"), TypeError, "not what npgrad.extend.differentiable has made"),
        (lambda f: extend.jvp(3, "x"), TypeError, "not what npgrad.extend.differentiable has made"),
        (lambda f: extend.steps(f, "z"), ValueError, "no argument 'z'"),
        (lambda f: extend.vjp(f, "x")(lambda ct, y: ct), TypeError, "asks for y: there is"),
        (lambda f: extend.jvp(f, "x")(lambda ct: ct), TypeError, "asks for ct: there is"),
        (lambda f: extend.vjp(f, "x")(np.cos), TypeError, "named parameters, got ufunc"),
        (lambda f: extend.differentiable(3.0), TypeError, "functions, got float"),
        (lambda f: extend.differentiable(max), TypeError, "wrap it in a function with named parameters"),
        (lambda f: extend.elementwise(f, 1), TypeError, "got function"),
        (lambda f: extend.elementwise(np.matmul, 1, 1), TypeError, "signature"),
        (lambda f: extend.elementwise(np.add, 1, 1), ValueError, "numpy.add has a rule already"),
        (lambda f: extend.elementwise(np.floor, 1), ValueError, "numpy.floor has a rule already"),
        (lambda f: extend.elementwise(np.add, 1), ValueError, "2 inputs and 1 outputs, got 1 partial"),
        (lambda f: extend.elementwise(np.frompyfunc(f, 1, 1), lambda u: u), TypeError, "asks for u: there is ans, x"),
        (lambda f: extend.elementwise(np.frompyfunc(f, 1, 1), 3.0), TypeError, "got float"),
    ],
)
def test_declarations_that_cannot_be(wrong, error, words):
    f = extend.differentiable(lambda x, k=1.0: x * k)
    with pytest.raises(error, match=words):
        wrong(f)


@pytest.mark.parametrize(
    ("map_", "words"),
    [
        (lambda ct: ct[:2], r"the ct of .* by x has shape \(2,\), and must have shape \(3,\)"),
        (lambda ct: (ct, ct), r"has shape \(2, 3\)"),
        (lambda ct: 0.0, r"has shape \(\)"),
    ],
)
def test_cotangents_that_do_not_fit(map_, words):
    f = extend.differentiable(lambda x: x * 2)
    extend.vjp(f, "x")(map_)
    with pytest.raises(ValueError, match=words):
        ng.grad(lambda x: f(x).sum())(X)


def test_cotangents_and_tangents_of_several_that_do_not_fit():
    f = extend.differentiable(lambda x, k: x * k)
    extend.vjp(f, "x", "k")(lambda ct: ct)
    with pytest.raises(ValueError, match="by x, k must return 2 cotangents"):
        ng.grad(lambda x: f(x, 2.0).sum())(X)
    extend.jvp(f, "x", batch=True)(lambda tangent: tangent[..., :1])
    with pytest.raises(ValueError, match=r"the tangent of .* has shape \(3, 1\), .* shape \(3, 3\) \(with the batch\)"):
        ng.jacobian(lambda x: f(x, 2.0), mode="forward")(X)
    g = extend.differentiable(lambda *arrays: sum(a.sum() for a in arrays))
    extend.vjp(g, "arrays")(lambda ct: [ct])
    with pytest.raises(ValueError, match="must be a sequence of 2 arrays"):
        ng.grad(lambda x: g(x, x))(X)


def test_nothing_is_kept():
    f = weighted(False)
    extend.vjp(f, "x")(lambda ct, k: f(ct, k))  # refers to the function itself
    here = weakref.ref(f)
    ng.grad(lambda x, f=f: f(x).sum())(X)
    f = None
    gc.collect()
    assert here() is None


def test_a_map_that_is_declared_anew_may_ask_for_something_else():
    @ng.extend.differentiable
    def cube(x):
        return x**3

    x = np.array([1.0, 2.0])
    ng.extend.vjp(cube, "x")(lambda ct: ct)
    assert ng.grad(lambda x: cube(x).sum())(x).tolist() == [1.0, 1.0]
    ng.extend.vjp(cube, "x")(lambda ct, x: 3 * ct * x**2)
    assert ng.grad(lambda x: cube(x).sum())(x).tolist() == [3.0, 12.0]
    ng.extend.jvp(cube, "x")(lambda tangent, ans, x: 3 * tangent * ans / x)
    np.testing.assert_allclose(ng.jacobian(cube, mode="forward")(x), np.diag(3 * x**2))
    ng.extend.steps(cube, "x")
    for mode in ("reverse", "forward"):
        assert not ng.jacobian(cube, mode=mode)(x).any()
    ng.extend.vjp(cube, "x")(lambda ct, x: 3 * ct * x**2)
    assert ng.grad(lambda x: cube(x).sum())(x).tolist() == [3.0, 12.0]


def test_keywords_that_have_no_names_are_not_asked_for():
    @ng.extend.differentiable
    def scaled(x, **options):
        return x * options["k"]

    with pytest.raises(TypeError, match="asks for options"):
        ng.extend.vjp(scaled, "x")(lambda ct, options: ct * options["k"])
    with pytest.raises(ValueError, match="no argument 'options'"):
        ng.extend.vjp(scaled, "options")
    ng.extend.vjp(scaled, "x")(lambda ct, x, ans: ct * ans / x)
    assert ng.grad(lambda x: scaled(x, k=3.0).sum())(np.ones(2)).tolist() == [3.0, 3.0]


def test_ufuncs_of_python_objects_have_no_elementwise_rule():
    square = np.frompyfunc(lambda a: a * a, 1, 1)
    with pytest.raises(TypeError, match="no floating numbers"):
        ng.extend.elementwise(square, lambda x: 2 * x)
    assert ng.grad(lambda x: square(x).sum())(np.array([1.0, 2.0])).tolist() == [2.0, 4.0]
