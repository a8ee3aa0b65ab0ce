"""check_gradients itself: it fails with wrong rules of every sort, and passes for right ones."""

import textwrap
import types
from collections import namedtuple

import numpy as np
import pytest

import npgrad as ng
from npgrad._functions import call_function
from npgrad._registry import RULES, jvp, vjp
from npgrad.testing import GradientCheckError, check_gradients, directional_difference

X = np.array([0.3, 0.7, 1.1])
W = np.array([[0.2, 0.9, 0.4], [1.3, 0.6, 0.8]])
Z = np.array([0.3 + 0.2j, 0.7 - 0.5j, -1.1 + 0.4j])


@pytest.fixture
def declared():
    """A plain function made differentiable by given rules, for the length of a test."""
    known = set(RULES)

    def declare(function, reverse, forward):
        for name, (vjp_map, jvp_map) in zip("xy", zip(reverse, forward, strict=True), strict=False):
            vjp(function, name)(vjp_map)
            jvp(function, name)(jvp_map)
        return lambda *args: call_function(function, args, {})

    yield declare
    for function in set(RULES) - known:
        del RULES[function]


NO_NUMBER = {
    "None": (lambda x: None, "returned None"),
    "an integer": (lambda x: 3, "returned int"),
    "text": (lambda x: "a", "returned str"),
    "an empty list": (lambda x: [], "returned list"),
    "truth values": (lambda x: x > 0, "returned an array of dtype bool"),
    "integers": (lambda x: x.real.astype(int), "returned an array of dtype int"),
    "the place of the largest": (np.argmax, "argmax returned a number of dtype int"),
    "a structure of these": (lambda x: {"a": None, "b": [3]}, "returned dict"),
}


@pytest.mark.parametrize("name", NO_NUMBER)
def test_a_function_that_returns_no_number_has_not_been_checked(name):
    f, words = NO_NUMBER[name]
    for method in ("richardson", "complex-step"):
        with pytest.raises(TypeError, match=f"{words}.*return, or cast to integers"):
            check_gradients(f, X, method=method)
        with pytest.raises(TypeError, match=f"{words}.*return, or cast to integers"):
            directional_difference(f, [X], [X], method=method)


def test_no_arguments_to_differentiate_by():
    with pytest.raises(ValueError, match="no arguments"):
        check_gradients(lambda: 1.0)


def test_values_that_are_constant_or_empty_or_beside_others_are_checked():
    check_gradients(lambda x: 3.0, X)
    check_gradients(lambda x: x[:0], X)
    check_gradients(lambda x: {"a": None, "b": (x**2, 3)}, X)
    with pytest.raises(GradientCheckError):
        check_gradients(lambda x: {"a": None, "b": (x * ng.stop_gradient(x), 3)}, X)


def assert_wrong_in(mode, order, f, *points, match=""):
    """The check fails in this mode from this order on, and only there."""
    other = {"reverse": "forward", "forward": "reverse"}[mode]
    check_gradients(f, *points, modes=(other,))
    if order == 2:
        check_gradients(f, *points, modes=(mode,), order=1)
    with pytest.raises(GradientCheckError, match=match or f"order 1.*{mode}"):
        check_gradients(f, *points, modes=(mode,), order=order)
    with pytest.raises(GradientCheckError):
        check_gradients(f, *points)


# --- Right rules of three functions, and wrong ones ------------------------------------------------------------------


def mixed(x):
    """Every element meets another one: its Jacobian has terms off the diagonal."""
    return x * np.sin(x[::-1])


def mixed_vjp(ct, x):
    return ct * np.sin(x[::-1]) + (ct * x)[..., ::-1] * np.cos(x)


def mixed_jvp(tangent, x):
    return tangent * np.sin(x[::-1]) + x * tangent[..., ::-1] * np.cos(x[::-1])


def scaled(x, y):
    """A vector times each row of a matrix."""
    return x * np.exp(y)


def scaled_vjps(sum_rows):
    return (lambda ct, y: sum_rows(ct * np.exp(y)), lambda ct, ans: ct * ans)


def scaled_jvps():
    return (lambda tangent, y: tangent[..., None, :] * np.exp(y), lambda tangent, ans: tangent * ans)


def powered(x):
    """Holomorphic, with a complex derivative."""
    return x**3 + 2j * x


def powered_vjp(ct, x):
    return ct * np.conjugate(3 * x**2 + 2j)


def powered_jvp(tangent, x):
    return tangent * (3 * x**2 + 2j)


def test_right_rules_pass(declared):
    check_gradients(declared(mixed, [mixed_vjp], [mixed_jvp]), X, order=3)
    check_gradients(declared(scaled, scaled_vjps(lambda rows: rows.sum(axis=-2)), scaled_jvps()), X, W, order=3)
    check_gradients(declared(powered, [powered_vjp], [powered_jvp]), Z, order=3)


@pytest.mark.parametrize("factor", [1.001, 0.999, -1.0, 0.0])
def test_wrong_factor_in_reverse_mode(declared, factor):
    f = declared(mixed, [lambda ct, x: factor * mixed_vjp(ct, x)], [mixed_jvp])
    assert_wrong_in("reverse", 1, f, X)


@pytest.mark.parametrize("factor", [1.001, 0.999, -1.0, 0.0])
def test_wrong_factor_in_forward_mode(declared, factor):
    f = declared(mixed, [mixed_vjp], [lambda tangent, x: factor * mixed_jvp(tangent, x)])
    assert_wrong_in("forward", 1, f, X)


def test_wrong_factor_of_one_argument_among_several(declared):
    x_rule, y_rule = scaled_vjps(lambda rows: rows.sum(axis=-2))
    f = declared(scaled, [x_rule, lambda ct, ans: 1.001 * y_rule(ct, ans)], scaled_jvps())
    assert_wrong_in("reverse", 1, f, X, W)


def test_wrong_sign_off_the_diagonal(declared):
    f = declared(mixed, [lambda ct, x: ct * np.sin(x[::-1]) - (ct * x)[..., ::-1] * np.cos(x)], [mixed_jvp])
    assert_wrong_in("reverse", 1, f, X)
    g = declared(
        mixed, [mixed_vjp], [lambda tangent, x: tangent * np.sin(x[::-1]) - x * tangent[..., ::-1] * np.cos(x[::-1])]
    )
    assert_wrong_in("forward", 1, g, X)


def test_missing_conjugate(declared):
    f = declared(powered, [lambda ct, x: ct * (3 * x**2 + 2j)], [powered_jvp])
    assert_wrong_in("reverse", 1, f, Z)


def test_conjugate_too_many(declared):
    f = declared(powered, [powered_vjp], [lambda tangent, x: tangent * np.conjugate(3 * x**2 + 2j)])
    assert_wrong_in("forward", 1, f, Z)


def test_wrong_second_order(declared):
    f = declared(mixed, [lambda ct, x: mixed_vjp(ct, ng.stop_gradient(x))], [mixed_jvp])
    assert_wrong_in("reverse", 2, f, X)
    g = declared(mixed, [mixed_vjp], [lambda tangent, x: mixed_jvp(tangent, ng.stop_gradient(x))])
    assert_wrong_in("forward", 2, g, X)


def test_second_order_off_by_a_thousandth(declared):
    f = declared(mixed, [lambda ct, x: mixed_vjp(ct, ng.stop_gradient(x) + 1.001 * (x - ng.stop_gradient(x)))], [mixed_jvp])
    assert_wrong_in("reverse", 2, f, X)


@pytest.mark.parametrize("sum_rows", [
    lambda rows: rows.mean(axis=-2), lambda rows: rows[..., 0, :], lambda rows: np.flip(rows.sum(axis=-2), -1),
])  # fmt: skip
def test_wrong_sum_over_what_was_broadcast(declared, sum_rows):
    assert_wrong_in("reverse", 1, declared(scaled, scaled_vjps(sum_rows), scaled_jvps()), X, W)


def test_rule_that_is_right_for_the_shape_of_the_sample_only(declared):
    """Without a batch ``ct[::-1]`` is ``ct[..., ::-1]``."""
    f = declared(mixed, [lambda ct, x: ct * np.sin(x[::-1]) + (ct * x)[::-1] * np.cos(x)], [mixed_jvp])
    assert_wrong_in("reverse", 1, f, X, match="reverse mode with a batch")
    g = declared(mixed, [mixed_vjp], [lambda tangent, x: tangent * np.sin(x[::-1]) + x * tangent[::-1] * np.cos(x[::-1])])
    assert_wrong_in("forward", 1, g, X, match="forward mode with a batch")


def test_sum_over_all_leading_axes(declared):
    """Right without a batch, where the only leading axis is the row."""
    f = declared(scaled, scaled_vjps(lambda rows: rows.reshape(-1, 3).sum(axis=0)), scaled_jvps())
    with pytest.raises((GradientCheckError, ValueError)):
        check_gradients(f, X, W, modes=("reverse",), order=1)


# --- Points that differences cannot judge ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "point"),
    [
        (np.abs, np.array([0.4, 0.0])),
        (lambda x: np.maximum(x, 0), np.array([0.0, 1.0])),
        (np.max, np.array([1.0, 2.0, 2.0])),
        (lambda x: np.hypot(x[0], x[1]), np.zeros(2)),
        (lambda x: np.floor(x) * x, np.array([1.0, 0.5])),
        (lambda x: np.where(x >= 0, 1.0, x), np.array([0.0])),
        (np.sqrt, np.array([0.0, 1.0])),
        (np.log, np.array([-1.0])),
        (lambda x: x / 0.0, np.array([1.0])),
    ],
)
def test_kinks_jumps_and_infinities_are_named(f, point):
    with np.errstate(all="ignore"), pytest.raises(GradientCheckError, match=r"order 1: differences cannot judge.*kink"):
        check_gradients(f, point)


def test_kink_of_the_derivative_is_named():
    def f(x):
        return x * np.abs(x)

    check_gradients(f, np.array([0.0, 0.5]), order=1)
    with pytest.raises(GradientCheckError, match=r"then the derivative of reverse mode's result.*kink"):
        check_gradients(f, np.array([0.0, 0.5]))


# --- Right functions of all sorts ------------------------------------------------------------------------------------


def in_place(x):
    out = np.zeros((2, 3))
    out[0] = x
    out[1, ::-1] = out[0] * x
    out *= x[0]
    return out


Pair = namedtuple("Pair", "sine cosine")


@pytest.mark.parametrize(
    ("f", "points"),
    [
        (in_place, [X]),
        (lambda x: Pair(np.sin(x), {"c": [np.cos(x), 3]}), [X]),
        (lambda x, y: x * y, [0.3, W]),
        (lambda x, y: x * 2, [X, W]),
        (lambda x: 3.0, [X]),
        (lambda x: np.ones(2), [X]),
        (lambda x: np.sin(x) ** 2 + np.cos(x) ** 2, [X]),
        (lambda x: x[:0], [X]),
        (lambda x: np.log(x), [np.array([1e-3, 1.0, 1e6])]),
        (lambda x: np.exp(x) * x, [X.astype(np.float32)]),
        (lambda x: np.abs(x) * x, [Z]),
        (lambda x, z: np.real(z) * x, [X, Z]),
        (lambda x: np.tanh(1e3 * (x - 0.7)), [X]),
    ],
)
def test_right_derivatives_pass(f, points):
    check_gradients(f, *points)


def test_complex_steps_reach_rounding_error():
    def f(x):
        return np.exp(x) / np.sqrt(np.sin(x) ** 3 + np.cos(x) ** 3)

    check_gradients(f, np.array([1.5]), method="complex-step", rtol=1e-14, order=1)
    (slope,), error = directional_difference(f, [np.array(1.5)], [np.array(1.0)], method="complex-step")
    assert error < 1e-14
    np.testing.assert_allclose(slope, 4.05342789389862, rtol=1e-14)  # Squire and Trapp 1998


def test_richardson_knows_its_error():
    (slope,), error = directional_difference(np.exp, [np.array(1.0)], [np.array(1.0)])
    assert abs(slope - np.e) / np.e <= 10 * error < 1e-9


@pytest.mark.parametrize(
    ("f", "evaluations", "settles"),
    [
        (np.exp, 9, True),
        (np.tanh, 9, True),
        (lambda x: np.tanh(30 * (x - 0.99)), 13, True),  # bends within the largest steps: one by one they are halved
        (np.cbrt, 17, False),
        (np.abs, 9, False),  # symmetric: central differences settle at once, and only the one-sided ones see the kink
    ],
)
def test_richardson_stops_where_it_has_settled(f, evaluations, settles):
    calls = []
    at = np.array(0.0 if not settles else 1.0)
    _, error = directional_difference(lambda x: calls.append(1) or f(x), [at], [np.array(1.0)])
    assert len(calls) == evaluations
    assert (error < 1e-9) if settles else error > 0.1


def test_wrong_arguments():
    with pytest.raises(ValueError, match="modes"):
        check_gradients(np.sin, X, modes=("backward",))
    with pytest.raises(ValueError, match="method"):
        check_gradients(np.sin, X, method="central")
    with pytest.raises(ValueError, match="complex"):
        check_gradients(np.sin, Z, method="complex-step")
    with pytest.raises(TypeError, match="dtype int64"):
        check_gradients(np.sin, np.array([1, 2]))


def test_work_arrays_and_names_of_the_module_are_followed():
    legacy = types.ModuleType("legacy")
    code = """
        import numpy as np
        from numpy import zeros
        work = np.ones((2, 2))

        def run(x):
            rest = zeros(2)
            work[0] = x
            work[1] = np.sin(work[0]) * x[0]
            rest[:] = work[1] ** 2
            return rest + work.sum()
    """
    exec(textwrap.dedent(code), vars(legacy))
    check_gradients(legacy.run, np.array([0.3, 0.7]), order=3)
    assert type(legacy.work) is np.ndarray and legacy.zeros is np.zeros
