"""Differences against derivatives known in closed form."""

import numpy as np
import pytest

from npgrad import finite_difference as fd

POINT = np.array([0.7, -1.3, 2.1])


def wave(x):
    return np.array([np.sin(x[0]) * x[1], np.exp(x[1] * x[2] / 4), x[2] ** 3, 5.0])


def wave_jacobian(x):
    a, b, c = x
    e = np.exp(b * c / 4) / 4
    return np.array([[np.cos(a) * b, np.sin(a), 0], [0, c * e, b * e], [0, 0, 3 * c**2], [0, 0, 0]])


def legacy(x):
    """Fills a complex-capable buffer and destroys its argument."""
    out = np.empty(3, x.dtype)
    for i in range(3):
        x[i] *= x[i]
        out[i] = x[i] * x[0]
    x[:] = np.nan
    return out


def legacy_jacobian(x):
    a, b, c = x
    return np.array([[4 * a**3, 0, 0], [2 * a * b**2, 2 * b * a**2, 0], [2 * a * c**2, 0, 2 * c * a**2]])


ACCURACY = {"2-point": 1e-6, "3-point": 1e-9, "richardson": 1e-11, "complex-step": 1e-15}


@pytest.mark.parametrize("method", ACCURACY)
@pytest.mark.parametrize("f, exact", [(wave, wave_jacobian), (legacy, legacy_jacobian)])
def test_accuracy_and_error_estimate(method, f, exact):
    result = fd.jacobian(f, method=method, return_error=True)(POINT)
    wrong = np.abs(result.derivative - exact(POINT))
    assert wrong.max() < ACCURACY[method] * np.abs(exact(POINT)).max()
    assert (wrong <= 10 * result.error + 1e-15).all()
    assert result.error.max() < 100 * ACCURACY[method] * np.abs(exact(POINT)).max()
    np.testing.assert_array_equal(fd.jacobian(f, method=method)(POINT), result.derivative)


@pytest.mark.parametrize("method, without, with_error", [("2-point", 4, 7), ("3-point", 7, 13), ("complex-step", 4, 4)])
def test_evaluations_are_counted(method, without, with_error):
    calls = []

    def f(x):
        calls.append(x)
        return x * x

    fd.jacobian(f, method=method)(POINT)
    assert len(calls) == without
    calls.clear()
    assert fd.jacobian(f, method=method, return_error=True)(POINT).evaluations == len(calls) == with_error


def test_the_point_and_fixed_arguments_are_not_touched():
    x, work = POINT.copy(), np.ones(3)

    def f(work, x, *, scale):
        work += x
        x[:] = 0
        scale *= 2
        return work * scale

    scale = np.ones(3)
    rows = fd.jacobian(f, argnums=1)(work, x, scale=scale)
    np.testing.assert_allclose(rows, 2 * np.eye(3), atol=1e-9)
    np.testing.assert_array_equal([x, work, scale], [POINT, np.ones(3), np.ones(3)])


def test_a_returned_buffer_that_every_call_overwrites():
    buffer = np.zeros(2)

    def f(x):
        buffer[0] = x[0] * x[1]
        buffer[1] = x[1]
        return buffer

    np.testing.assert_allclose(fd.jacobian(f)(np.array([2.0, 3.0])), [[3, 2], [0, 1]], atol=1e-8)


@pytest.mark.parametrize("method", ["2-point", "3-point", "richardson"])
@pytest.mark.parametrize("x", [[0.0, 4.0], [1e-9, 4.0 - 1e-9], [0.0, 4.0 - 1e-3]])
def test_bounds_are_never_left(method, x):
    def f(x):
        assert (x >= 0).all() and (x <= 4).all()
        return x * np.exp(x) - x**2

    x = np.array(x)
    rows = fd.jacobian(f, method=method, bounds=(0, [5, 4]))(x)
    np.testing.assert_allclose(rows, np.diag((1 + x) * np.exp(x) - 2 * x), rtol=1e-4, atol=1e-6)


def test_bounds_and_steps_are_checked():
    with pytest.raises(ValueError, match="outside of the bounds"):
        fd.jacobian(wave, bounds=(0, 1))(POINT)
    with pytest.raises(ValueError, match="step must be positive"):
        fd.jacobian(wave, step=[1e-3, 0, 1e-3])(POINT)
    with pytest.raises(ValueError, match="method must be one of"):
        fd.jacobian(wave, method="4-point")
    with pytest.raises(ValueError, match="called with 1 positional"):
        fd.jacobian(wave, argnums=1)(POINT)


def test_a_step_per_element():
    # A function that is linear beyond |x| = 0.1 in its first element only shows it to a step that is small enough.
    def f(x):
        return np.array([np.where(abs(x[0]) < 0.1, np.sin(x[0]), np.nan), x[1] ** 3])

    point = np.array([0.05, 100.0])
    rows = fd.jacobian(f, method="richardson", step=[0.01, 10.0])(point)
    np.testing.assert_allclose(rows, [[np.cos(0.05), 0], [0, 3e4]], rtol=1e-11)


def test_scalars_structures_and_dtypes():
    def f(x):
        return {"a": x**2, "b": (np.array([x, 1 / x]), 3)}

    rows = fd.jacobian(f)(2.0)
    assert isinstance(rows["a"], np.float64)
    np.testing.assert_allclose(rows["a"], 4.0)
    np.testing.assert_allclose(rows["b"][0], [1, -0.25], rtol=1e-9)
    assert rows["b"][1] == 0

    single = fd.jacobian(lambda x: x * x)(np.array([1.5, 2.5], np.float32))
    np.testing.assert_allclose(single, np.diag([3, 5]), rtol=1e-4)

    quarter = fd.jacobian(lambda x: x.reshape(4)[::2])(np.arange(4.0).reshape(2, 2))
    np.testing.assert_allclose(quarter, [[[1, 0], [0, 0]], [[0, 0], [1, 0]]], atol=1e-9)

    spiral = fd.jacobian(lambda x: np.exp(1j * x), method="richardson")(0.3)
    np.testing.assert_allclose(spiral, 1j * np.exp(0.3j), rtol=1e-11)


def test_several_arguments():
    def f(x, n, y):
        return x**n * y

    by_x, by_y = fd.jacobian(f, argnums=(0, 2))(2.0, 3, 5.0)
    np.testing.assert_allclose([by_x, by_y], [60, 8], rtol=1e-9)
    both = fd.jacobian(f, argnums=(0, -1), return_error=True)(2.0, 3, 5.0)
    assert both.evaluations == 10 and len(both.error) == 2


def test_grad():
    np.testing.assert_allclose(fd.grad(lambda x: (x**3).sum())(POINT), 3 * POINT**2, rtol=1e-9)
    np.testing.assert_allclose(fd.grad(lambda x: x[:1] ** 2)(POINT), [1.4, 0, 0], atol=1e-9)
    with pytest.raises(TypeError, match=r"shape \(3,\); grad needs a scalar"):
        fd.grad(lambda x: x)(POINT)
    with pytest.raises(TypeError, match="NoneType; grad needs a scalar"):
        fd.grad(lambda x: None)(POINT)


def test_refusals():
    with pytest.raises(TypeError, match="int64; differences need a real"):
        fd.jacobian(wave)(np.arange(3))
    with pytest.raises(TypeError, match="complex128; differences need a real"):
        fd.jacobian(wave)(POINT + 0j)
    with pytest.raises(TypeError, match="returned str"):
        fd.jacobian(lambda x: "text")(POINT)
    with pytest.raises(TypeError, match="returned NoneType"):
        fd.jacobian(lambda x: None)(POINT)


def test_the_complex_step_refuses_what_it_cannot_see():
    def through_a_buffer(x):
        out = np.zeros(3)
        out[:] = x
        return out * x

    for blind in (np.abs, lambda x: x.real, lambda x: x.sum().real, through_a_buffer):
        with pytest.raises(TypeError, match="dropped the imaginary part"):
            fd.jacobian(blind, method="complex-step")(POINT)
    with pytest.raises(TypeError, match="real for real arguments"):
        fd.jacobian(lambda x: np.exp(1j * x), method="complex-step")(POINT)


HESSIAN_ACCURACY = {"2-point": 1e-4, "3-point": 1e-6, "richardson": 1e-9, "complex-step": 1e-9}


@pytest.mark.parametrize("method", HESSIAN_ACCURACY)
def test_hessian(method):
    def f(x):
        out = np.empty(2, x.dtype)
        out[0] = np.exp(x[0, 0] * x[0, 1])
        out[1] = x[0, 0] ** 3 * x[1, 0]
        return out.sum()

    a, b, c = 0.7, 0.5, 1.2
    e = np.exp(a * b)
    exact = np.zeros((4, 4))
    exact[0, 0], exact[1, 1] = b * b * e + 6 * a * c, a * a * e
    exact[0, 1] = exact[1, 0] = e + a * b * e
    exact[0, 2] = exact[2, 0] = 3 * a**2
    point = np.array([[a, b], [c, 0.0]])
    found = fd.hessian(f, method=method, return_error=True)(point)
    assert found.derivative.shape == (2, 2, 2, 2)
    wrong = np.abs(found.derivative.reshape(4, 4) - exact)
    assert wrong.max() < HESSIAN_ACCURACY[method] * np.abs(exact).max()
    assert (wrong <= 10 * found.error.reshape(4, 4) + 1e-12).all()
    np.testing.assert_array_equal(fd.hessian(f, method=method)(point), found.derivative)


def test_hessian_counts_and_keeps_to_bounds():
    calls = []

    def f(x):
        assert (x >= 0).all()
        calls.append(x)
        return np.sum(x**3)

    found = fd.hessian(f, bounds=(0, np.inf), return_error=True)(np.array([0.0, 2.0]))
    np.testing.assert_allclose(found.derivative, np.diag([0.0, 12.0]), atol=1e-3)
    assert found.evaluations == len(calls) > 8
    with pytest.raises(ValueError, match="method must be one of"):
        fd.hessian(f, method="4-point")
