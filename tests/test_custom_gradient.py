"""custom_gradient: item 37 of the tape's contract."""

import contextvars
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import npgrad as ng

X = np.array([0.5, 1.0, 2.0])


@ng.custom_gradient
def log1pexp(x):
    e = np.exp(x)
    return np.log(1 + e), lambda ct: ct * (1 - 1 / (1 + e))


def test_item_37_the_users_derivative_is_used():
    assert ng.grad(log1pexp)(100.0) == 1.0
    np.testing.assert_allclose(ng.grad(lambda x: log1pexp(x).sum())(X), 1 / (1 + np.exp(-X)), rtol=1e-14)


def test_item_37_jacobians_are_batches_of_it():
    found = ng.jacobian(lambda x: log1pexp(x) * 2, mode="reverse")(X)
    np.testing.assert_allclose(found, np.diag(2 / (1 + np.exp(-X))), rtol=1e-14)


def test_item_37_forward_mode_says_so():
    with pytest.raises(NotImplementedError, match=r"log1pexp has a custom gradient.*reverse"):
        ng.jacobian(log1pexp, mode="forward")(X)


def test_item_37_auto_mode_takes_reverse():
    def tall(x):
        return np.concatenate([log1pexp(x)] * 4)

    expected = np.tile(np.diag(1 / (1 + np.exp(-X))), (4, 1))
    np.testing.assert_allclose(ng.jacobian(tall)(X), expected, rtol=1e-14)


def test_item_37_several_inputs_and_outputs_in_place_inside():
    @ng.custom_gradient
    def polar(r, angle):
        work = np.empty((2, 3))
        work[0] = r * np.cos(angle)
        work[1] = r * np.sin(angle)
        c, s, radius = np.cos(angle), np.sin(angle), r * 1.0

        def pullback(ct_x, ct_y):
            return ct_x * c + ct_y * s, radius * (ct_y * c - ct_x * s)

        return (work[0], work[1]), pullback

    def program(r, angle):
        x, y = polar(r, angle)
        return (x * y).sum() + x.sum()

    angle = X * 0.7
    by_r, by_angle = ng.grad(program, (0, 1))(X, angle)
    np.testing.assert_allclose(by_r, X * np.sin(2 * angle) + np.cos(angle), rtol=1e-13)
    np.testing.assert_allclose(by_angle, X**2 * np.cos(2 * angle) - X * np.sin(angle), rtol=1e-13)


def test_item_37_only_one_of_several_outputs_is_used():
    @ng.custom_gradient
    def both(x):
        return (x * 2, x * 3), lambda a, b: 2 * a + 3 * b

    np.testing.assert_array_equal(ng.grad(lambda x: both(x)[1].sum())(X), [3, 3, 3])


def test_item_37_none_for_an_argument_without_a_derivative():
    @ng.custom_gradient
    def scaled(x, k):
        return x * k, lambda ct: (ct * k, None)

    by_x, by_k = ng.grad(lambda x, k: scaled(x, k).sum(), (0, 1))(X, 2.0)
    np.testing.assert_array_equal(by_x, [2, 2, 2])
    assert by_k == 0.0


def test_item_37_second_order_follows_the_gradient_function():
    @ng.custom_gradient
    def square(x):
        return x * x, lambda ct: 2 * x * ct

    np.testing.assert_array_equal(ng.jacobian(ng.grad(lambda x: square(x).sum()))(X), 2 * np.eye(3))


def test_item_37_outside_a_tape_it_is_the_function():
    value = log1pexp(X)
    assert type(value) is np.ndarray
    np.testing.assert_array_equal(value, np.log(1 + np.exp(X)))
    assert log1pexp.__name__ == "log1pexp"


@pytest.mark.parametrize(
    ("result", "error", "words"),
    [
        (lambda x: x, TypeError, r"must return \(value, gradient function\)"),
        (lambda x: (x, 3), TypeError, "gradient function"),
        (lambda x: (x * 2, lambda: x), TypeError, "must take 1 cotangents"),
        (lambda x: ((x, x), lambda ct: ct), TypeError, "must take 2 cotangents"),
        (lambda x: (x * 2, lambda ct: (ct, ct)), ValueError, "returned 2 values for 1 arguments"),
        (lambda x: (x * 2, lambda ct: ct[:2]), ValueError, r"shape \(2,\) for argument 0.*\(3,\)"),
        (lambda x: (x * 2, lambda ct: "text"), (TypeError, ValueError), "argument 0"),
    ],
)
def test_item_37_what_does_not_fit_is_said(result, error, words):
    def wrong(x):
        return result(x)

    with pytest.raises(error, match=words) as caught:
        ng.jacobian(ng.custom_gradient(wrong), mode="reverse")(X)
    assert "wrong" in str(caught.value)


def test_item_37_a_complex_cotangent_of_a_real_argument_counts_by_its_real_part():
    @ng.custom_gradient
    def turned(x):
        return x * (2 + 3j), lambda ct: ct * (2 - 3j)

    np.testing.assert_array_equal(ng.grad(lambda x: turned(x).imag.sum())(X), [3, 3, 3])


# --- Second derivatives: what f itself computes belongs to them


def _second(x):
    """The second derivative of log(1 + exp(x)), by differences of the sigmoid at complex arguments."""
    return (1 / (1 + np.exp(-(x + 1e-30j)))).imag / 1e-30


def test_values_that_f_has_computed_are_followed():
    def total(x):
        return log1pexp(x).sum()

    def by_tapes(x):
        with ng.GradientTape() as outer:
            x = outer.watch(x)
            with ng.GradientTape() as inner:
                inner.watch(x)
                y = total(x)
            first = inner.gradient(y, x)
        return outer.jacobian(first, x)

    def by_one_tape(x):
        with pytest.warns(UserWarning, match="inside its own context"), ng.GradientTape(persistent=True) as tape:
            x = tape.watch(x)
            first = tape.gradient(total(x), x)
        return tape.jacobian(first, x)

    for second in (ng.hessian(total), ng.jacobian(ng.grad(total)), by_tapes, by_one_tape):
        np.testing.assert_allclose(second(X), np.diag(_second(X)), rtol=1e-13)
    np.testing.assert_allclose(ng.hvp(total, (X,), (np.ones(3),))[0], _second(X), rtol=1e-13)
    step = 1e-5
    third = (_second(0.5 + step) - _second(0.5 - step)) / (2 * step)
    np.testing.assert_allclose(ng.grad(ng.grad(ng.grad(log1pexp)))(0.5), third, rtol=1e-8)


def test_values_of_several_arguments_and_constants():
    @ng.custom_gradient
    def power(x, n, scale):
        slope = n * x ** (n - 1) * scale
        return x**n * scale, lambda ct: (ct * slope, None, (ct * x**n).sum())

    def total(v):
        return power(v[:2] * v[2], 3, v[2]).sum()

    def plainly(v):
        return ((v[:2] * v[2]) ** 3 * v[2]).sum()

    v = np.array([0.7, 1.2, 1.1])
    np.testing.assert_allclose(ng.hessian(total)(v), ng.hessian(plainly)(v), rtol=1e-12)


def test_what_cannot_be_followed_is_said_when_it_is_needed():
    @ng.custom_gradient
    def exponential(x):
        value = math.exp(float(x))
        return value, lambda ct: ct * value

    assert ng.grad(exponential)(1.0) == math.e
    with pytest.raises(ng.LeakError, match="turned into a plain float") as caught:
        ng.grad(ng.grad(exponential))(1.0)
    assert "exponential has a custom gradient" in caught.value.__notes__[0]
    # The outer tape does not come by here.
    assert ng.grad(lambda y: ng.grad(exponential)(1.0) * y)(2.0) == math.e


# --- What f does not see is not lost


@pytest.mark.parametrize(
    "use",
    [
        lambda u, w: ng.custom_gradient(lambda x: (x * w, lambda ct: ct * w))(u),
        lambda u, w: ng.custom_gradient(lambda x: (x * float(w), lambda ct: ct * w))(u),
        lambda u, w: ng.custom_gradient(lambda x, more: (x * more[0], lambda ct: (ct, None)))(u, (w,)),
        lambda u, w: ng.custom_gradient(lambda x, more: (x * more, lambda ct: (ct, None)))(u, more=w),
        lambda u, w: ng.custom_gradient(lambda x: (x * w, lambda ct: ct))(3.0),
        lambda u, w: ng.custom_gradient(lambda x: (x + ng.grad(lambda v: v * v * w)(1.0), lambda ct: ct))(u),
    ],
    ids=["closure", "a float of it", "in a tuple", "by keyword", "beside plain data", "in an inner tape"],
)
def test_tracked_data_that_is_no_argument_is_refused(use):
    with pytest.raises((ng.LeakError, TypeError), match=r"not among its arguments|by position"):
        ng.grad(use, (0, 1))(1.5, 2.5)


def test_variables_too():
    w = ng.Variable(2.0)
    with ng.GradientTape() as tape:
        x = tape.watch(1.5)
        with pytest.raises(ng.LeakError, match="not among its arguments"):
            ng.custom_gradient(lambda x: (x * w, lambda ct: ct * 2.0))(x)
        y = ng.custom_gradient(lambda x, w: (x * w, lambda ct: (ct * w, ct * x)))(x, w)
    assert tape.gradient(y, [x, w]) == [2.0, 1.5]


# --- The gradient function finds what was there


def test_arguments_that_are_overwritten_later():
    @ng.custom_gradient
    def scaled(x, k):
        return x * k, lambda ct: (ct * k, ct * x)

    def program(x, k):
        y, factor, plain = x * 1.0, k * 1.0, np.array([5.0, 6.0, 7.0])
        z = scaled(y, factor) * scaled(y[::-1], plain)
        y += 1.0
        factor[:] = 0.0
        return (z * y).sum()

    def plainly(x, k):
        return (x * k * x[::-1] * np.array([5.0, 6.0, 7.0]) * (x + 1)).sum()

    for found, expected in zip(ng.grad(program, (0, 1))(X, X + 3), ng.grad(plainly, (0, 1))(X, X + 3), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("size", [3, 5000, 200_000])
def test_constants_that_are_overwritten_later(size):
    @ng.custom_gradient
    def scaled(x, k):
        return x * k, lambda ct: (ct * k, None)

    constant = np.linspace(1.0, 2.0, size)
    with ng.GradientTape() as tape:
        x = tape.watch(np.ones(size))
        y = scaled(x, constant)
        constant *= 10.0
    if size > 131_072:
        with pytest.raises(RuntimeError, match="has been changed since"):
            tape.gradient(y, x)
    else:
        np.testing.assert_array_equal(tape.gradient(y, x), np.linspace(1.0, 2.0, size))


def test_memory_to_work_in_may_be_an_argument():
    @ng.custom_gradient
    def scaled(x, work):
        work[:] = 3.0
        return x * work, lambda ct: (ct * work, None)

    plain = np.zeros(3)
    for make in (lambda: np.zeros(3), lambda: plain):
        np.testing.assert_array_equal(ng.grad(lambda x, make=make: scaled(x, make()).sum())(X), [3, 3, 3])
    with pytest.raises(ValueError, match="read-only"):
        ng.grad(lambda x: scaled(np.ones(3), x).sum())(X)


def test_numbers_of_pythons_keep_their_precision():
    product = ng.custom_gradient(lambda a, s: (a * s, lambda ct: (ct * s, (ct * a).sum())))
    value, slope = ng.value_and_grad(lambda s: product(np.ones(3, np.float32), s).sum())(2.0)
    assert value.dtype == np.float32
    assert slope == 3.0
    assert ng.hessian(lambda s: product(np.ones(3, np.float32), s * s).sum())(2.0) == 6.0


def test_in_another_thread():
    with ng.GradientTape() as tape, ThreadPoolExecutor(1) as pool:
        x = tape.watch(X)
        y = pool.submit(contextvars.copy_context().run, log1pexp, x).result()
    np.testing.assert_allclose(tape.gradient(y, x), 1 / (1 + np.exp(-X)), rtol=1e-14)


def test_products_with_the_hessian_go_in_reverse():
    @ng.custom_gradient
    def square(z):
        return z * z, lambda ct: ct * np.conj(2 * z)

    z, v = np.array([0.3 + 0.4j, 1.0 - 0.7j]), np.array([1.0 + 2.0j, -0.5j])
    (found,) = ng.hvp(lambda z: np.sum(np.abs(square(z)) ** 2 + square(z).real), (z,), (v,))
    (expected,) = ng.hvp(lambda z: np.sum(np.abs(z * z) ** 2 + (z * z).real), (z,), (v,))
    np.testing.assert_allclose(found, expected, rtol=1e-13)


class Space:
    def __init__(self):
        self.work = np.zeros(3)


@ng.custom_gradient
def cubed_in(u, space):
    def back(ct):
        space.work[:] = 3 * u**2
        return ct * space.work, None

    return u**3, back


SPACE = Space()


@ng.custom_gradient
def cubed(u):
    work = np.zeros(3)

    def back(ct):
        work[:] = 3 * u**2
        work[:] = work * ct
        return work * 1

    return u**3, back


@pytest.mark.parametrize("f", [lambda u: cubed_in(u, SPACE), cubed])
def test_work_arrays_of_gradient_functions_are_followed(f):
    x = np.array([1.0, 2.0, 3.0])
    with ng.GradientTape(persistent=True) as outer:
        v, c = outer.watch((x, x * 2))
        with ng.GradientTape() as inner:
            inner.watch(v)
            y = c * f(v)
        g = inner.gradient(y, v)
    np.testing.assert_allclose(outer.gradient(g, v), 6 * x * x * 2)
    np.testing.assert_allclose(outer.gradient(g, c), 3 * x**2)

    def of_factor(c):
        return ng.grad(lambda u: (c * f(u)).sum())(x)

    np.testing.assert_allclose(ng.jacobian(of_factor, mode="reverse")(x), np.diag(3 * x**2))
    assert type(SPACE.work) is np.ndarray
