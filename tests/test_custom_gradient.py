"""custom_gradient: item 37 of the tape's contract."""

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
