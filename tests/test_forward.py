"""ForwardAccumulator, jvp, vjp, linearize, hvp, hessian: forward mode and second derivatives of whole programs."""

import dataclasses

import numpy as np
import pytest

import npgrad as ng
from npgrad import finite_difference


def legacy(x):
    """Buffers, views, aliases, in-place updates and a loop."""
    u = np.zeros(len(x) + 2, x.dtype)
    u[1:-1] = x
    for _ in range(3):
        inner = u[1:-1]
        inner *= 0.9
        inner += 0.05 * (u[2:] + u[:-2])
        u[0] = u[1] * u[2]
    return u


def energy(x):
    u = legacy(x)
    return np.sum(u**3) + np.sin(u[1]) * u[2]


X = np.array([0.3, 0.7, 1.1, 0.4])
V = np.array([1.0, -2.0, 0.5, 0.3])


def richardson(f, x=X):
    return finite_difference.jacobian(f, method="richardson")(x)


def test_item_36_forward_accumulator_gives_the_directional_derivative():
    x = ng.array(X)
    with ng.ForwardAccumulator(x, V) as accumulator:
        y = legacy(x)
        inside = accumulator.jvp(y)
    np.testing.assert_allclose(accumulator.jvp(y), richardson(legacy) @ V, rtol=1e-8, atol=1e-10)
    assert np.array_equal(inside, accumulator.jvp(y))


def test_item_36_unrelated_targets_and_bad_input():
    x = ng.array(X)
    with ng.ForwardAccumulator(x, V) as accumulator:
        x * 2
        other = np.zeros(3)
    assert accumulator.jvp(other) is None
    assert np.array_equal(accumulator.jvp(other, unconnected_gradients="zero"), np.zeros(3))
    with pytest.raises(ValueError, match="given twice"):
        ng.ForwardAccumulator([x, x], [V, V])
    with pytest.raises(ValueError, match="shape"):
        ng.ForwardAccumulator(x, V[:2])
    with pytest.raises(ValueError, match="2 tangents for 1 primals"):
        ng.ForwardAccumulator(x, [V, V])
    with pytest.raises(TypeError, match=r"npgrad\.array"):
        ng.ForwardAccumulator(X, V)
    with pytest.raises(TypeError, match="complex tangent"):
        ng.ForwardAccumulator(x, 1j * V)
    with pytest.raises(RuntimeError, match="nothing"):
        ng.ForwardAccumulator(x, V).jvp(x)


def test_forward_over_reverse_and_reverse_over_forward_agree():
    hessian = richardson(finite_difference.grad(energy, method="complex-step"))
    x = ng.array(X)
    with ng.ForwardAccumulator(x, V) as accumulator:
        with ng.GradientTape() as tape:
            tape.watch(x)
            y = energy(x)
        gradient = tape.gradient(y, x)
    np.testing.assert_allclose(accumulator.jvp(gradient), hessian @ V, rtol=1e-7)
    with ng.GradientTape() as tape:
        tape.watch(x)
        with ng.ForwardAccumulator(x, V) as accumulator:
            y = energy(x)
        slope = accumulator.jvp(y)
    np.testing.assert_allclose(tape.gradient(slope, x), hessian @ V, rtol=1e-7)


def test_forward_over_forward():
    x = ng.array(X)
    with ng.ForwardAccumulator(x, V) as outer:
        with ng.ForwardAccumulator(x, V) as inner:
            y = energy(x)
        slope = inner.jvp(y)
    hessian = richardson(finite_difference.grad(energy, method="complex-step"))
    np.testing.assert_allclose(outer.jvp(slope), V @ hessian @ V, rtol=1e-7)


def test_variables_as_primals():
    w = ng.Variable([1.0, 2.0])
    with ng.ForwardAccumulator(w, np.array([1.0, 0.0])) as accumulator:
        y = w * w[0]
    assert np.array_equal(accumulator.jvp(y), [2.0, 2.0])


def test_jvp_vjp_and_linearize_agree_with_each_other():
    value, tangent = ng.jvp(legacy, (X,), (V,))
    assert type(value) is np.ndarray and type(tangent) is np.ndarray
    assert np.array_equal(value, legacy(X))
    cotangent = np.arange(6.0)
    _, pullback = ng.vjp(legacy, X)
    (back,) = pullback(cotangent)
    assert cotangent @ tangent == pytest.approx(back @ V, rel=1e-12)
    at = ng.linearize(legacy, X)
    rows = at.jvp((np.eye(4),))
    np.testing.assert_allclose(rows.T, richardson(legacy), rtol=1e-8, atol=1e-10)
    assert np.array_equal(at.jvp((np.eye(4).reshape(2, 2, 4),)).reshape(4, 6), rows)


def test_structures_and_several_arguments():
    @dataclasses.dataclass
    class Point:
        a: np.ndarray
        b: float

    def f(p, y):
        return {"sum": p.a.sum() * p.b, "product": p.a * y}

    point, direction = Point(np.array([1.0, 2.0]), 3.0), Point(np.array([0.0, 1.0]), 0.5)
    value, tangent = ng.jvp(f, (point, 2.0), (direction, 1.0))
    assert value["sum"] == 9.0
    assert tangent["sum"] == pytest.approx(1.0 * 3.0 + 3.0 * 0.5)
    assert np.allclose(tangent["product"], [0 * 2 + 1.0, 1 * 2 + 2.0])
    _, pullback = ng.vjp(f, point, 2.0)
    back, by_y = pullback({"sum": 1.0, "product": np.array([1.0, 0.0])})
    assert np.allclose(back.a, [3.0 + 2.0, 3.0]) and back.b == 3.0 and by_y == 1.0


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_hessian(mode):
    expected = richardson(finite_difference.grad(energy, method="complex-step"))
    found = ng.hessian(energy, mode=mode)(X)
    assert type(found) is np.ndarray
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found, found.T, rtol=1e-12, atol=1e-14)
    (product,) = ng.hvp(energy, (X,), (V,))
    np.testing.assert_allclose(product, found @ V, rtol=1e-12)


def test_hessian_of_two_arguments():
    found = ng.hessian(lambda x, y: (x**2).sum() * y, argnums=(0, 1))(np.array([1.0, 2.0]), 3.0)
    (xx, xy), (yx, yy) = found
    assert np.array_equal(xx, 6 * np.eye(2)) and np.array_equal(xy, [2.0, 4.0])
    assert np.array_equal(yx, [2.0, 4.0]) and yy == 0


def test_hessian_over_a_custom_gradient_goes_in_reverse():
    @ng.custom_gradient
    def cube(x):
        return x**3, lambda ct: ct * 3 * x**2

    assert np.allclose(ng.hessian(lambda x: cube(x).sum())(np.array([1.0, 2.0])), np.diag([6.0, 12.0]))


COMPLEX = {
    "to real": (lambda z: np.abs(z) ** 2 * z.real[0], np.array([1 + 2j, 3.0 - 1j])),
    "holomorphic": (lambda z: np.concatenate([z * z[0], np.exp(z / 3), np.fft.fft(z)]), np.array([1 + 2j, 3.0 - 1j])),
    "of both parts": (lambda z: np.conj(z) * z[1] + z.imag, np.array([1 + 2j, 3.0 - 1j])),
    "from real": (lambda x: np.exp(1j * x) * x[0], np.array([0.3, 0.7, 1.1])),
}


@pytest.mark.parametrize("name", COMPLEX)
@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_the_jacobian_of_complex_arrays_is_that_of_the_real_part_in_each_mode(mode, name):
    f, z = COMPLEX[name]
    h = 1e-6
    units = np.eye(z.size, dtype=z.dtype)
    expected = [(f(z + h * e).real - f(z - h * e).real) / (2 * h) for e in units]
    if z.dtype.kind == "c":
        along = [(f(z + 1j * h * e).real - f(z - 1j * h * e).real) / (2 * h) for e in units]
        expected = [a + 1j * b for a, b in zip(expected, along, strict=True)]
    for max_bytes in (None, 300):
        found = ng.jacobian(f, mode=mode, max_bytes=max_bytes)(z)
        assert found.dtype == z.dtype
        assert np.allclose(found, np.stack(expected, -1), rtol=1e-8, atol=1e-8)


def test_errors_of_products():
    with pytest.raises(TypeError, match="tuple"):
        ng.jvp(legacy, X, V)
    with pytest.raises(ValueError, match="does not fit"):
        ng.jvp(legacy, (X,), (V[:2],))
    with pytest.raises(ValueError, match="must match"):
        ng.jvp(legacy, (X,), (V, V))
    with pytest.raises(TypeError, match="functions"):
        ng.hvp(3.0, (X,), (V,))
    with pytest.raises(ValueError, match="scalar"):
        ng.hessian(legacy)(X)


def test_an_accumulator_that_fails_to_begin_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    before = np.zeros
    accumulator = ng.ForwardAccumulator(ng.array([1.0]), np.ones(1))

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(accumulator._tape, "watch", interrupted)
    with pytest.raises(KeyboardInterrupt), accumulator:
        pass
    assert np.zeros is before
