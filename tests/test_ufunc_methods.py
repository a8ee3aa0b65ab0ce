"""What the samples of ufunc methods cannot say: refusals, and outputs that carry no derivative."""

import contextlib
import copy
import types
from builtins import type
from typing import Any

import numpy as np
import pytest

import npgrad as ng
from npgrad.testing import check_gradients


def test_a_reduction_that_is_not_one_step_after_the_other_is_refused():
    """NumPy 2.4 on some processors computes np.power.reduce([2., 3., 2.]) as 4: its value has no such derivative."""
    plain = np.array([2.0, 3.0, 2.0])
    is_right = np.power.reduce(plain) == 64
    with contextlib.nullcontext() if is_right else pytest.raises(ng.NoRuleError), ng.GradientTape() as tape:
        x = tape.watch(plain)
        y = np.power.reduce(x)
    if is_right:
        np.testing.assert_allclose(tape.gradient(y, x), [192, 128 * np.log(2), 192 * np.log(2)])


def test_reduce_of_one_row_is_no_view_of_it():
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([[2.0, 3.0]]))
        y = np.hypot.reduce(x)
        y[0] = 7
    assert x[0, 0] == 2
    np.testing.assert_array_equal(tape.gradient(y, x), [[0, 1]])


def test_reduce_with_dtype_has_that_dtype():
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([0.3, 0.4]))
        y = np.logaddexp.reduce(x, dtype=np.float32)
    assert y.dtype == np.float32
    assert tape.gradient(y, x).dtype == np.float64


def test_piecewise_constant_outputs_may_be_plain_arrays():
    exponents = np.zeros(2, np.int32)
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([3.0, 10.0]))
        mantissa = np.empty(2)
        np.frexp(x, mantissa, exponents)
    np.testing.assert_array_equal(exponents, [2, 4])
    np.testing.assert_array_equal(tape.gradient(mantissa, x), [1 / 4, 1 / 16])


def test_methods_of_piecewise_constant_ufuncs_are_plain():
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0, 2.0]))
        assert np.equal.accumulate(x, dtype=bool).tolist() == np.equal.accumulate([1.0, 2.0, 2.0], dtype=bool).tolist()
        assert np.logical_and.reduce(x)


def test_reduceat_without_indices():
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0, 2.0]))
        assert np.subtract.reduceat(x, np.array([], int)).shape == (0,)


def test_nothing_to_reduce():
    with ng.GradientTape() as tape:
        empty = np.zeros((2, 0)) * tape.watch(np.array(2.0))
        assert np.hypot.reduce(empty, axis=1).tolist() == [0.0, 0.0]
        assert np.true_divide.reduce(empty, axis=1, initial=1).tolist() == [1.0, 1.0]


def test_at_of_a_piecewise_constant_ufunc_takes_repeated_indices_in_turn():
    plain = np.arange(1.0, 5.0)
    np.floor_divide.at(plain, [0, 1, 1], [2.0, 0.3, 0.5])
    with ng.GradientTape() as tape:
        x = tape.watch(np.arange(1.0, 5.0))
        y = x.copy()
        np.floor_divide.at(y, [0, 1, 1], [2.0, 0.3, 0.5])
    assert y.tolist() == plain.tolist()
    assert tape.gradient(y, x).tolist() == [0.0, 0.0, 1.0, 1.0]


def test_a_scalar_becomes_an_object():
    x = ng.array([1.5, 2.5])
    with ng.GradientTape():
        assert (x[0] * 1).astype("O") == 1.5


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum])
def test_accumulate_takes_no_scalar(ufunc: np.ufunc):
    with ng.GradientTape() as tape:
        x = tape.watch(2.0)
        for number in (x, np.array(x), x * 1j):
            with pytest.raises(TypeError, match="cannot accumulate on a scalar"):
                ufunc.accumulate(number)


def test_what_where_leaves_out_of_a_reduction_has_no_second_derivative():
    def f(x):
        return np.logaddexp.reduce(x, where=np.array([False, True, True]))

    share = 1 / (1 + np.exp(0.3))
    expected = np.zeros((3, 3))
    expected[1:, 1:] = share * (1 - share) * np.array([[1, -1], [-1, 1]])
    for outer in ("forward", "reverse"):
        for inner in ("forward", "reverse"):
            found = ng.jacobian(ng.jacobian(f, mode=inner), mode=outer)(np.array([0.4, 0.2, 0.5]))
            np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.power], ids=lambda f: f.__name__)
@pytest.mark.parametrize("key", [(), ..., True, None, 0, [0], [-2, 0]], ids=str)
@pytest.mark.parametrize("value", [1.5, np.array([3.0]), np.ones(2)], ids=str)
@pytest.mark.parametrize("point", [np.float64(2.0), np.array(2.0)], ids=["scalar", "array"])
def test_at_of_what_has_no_axes(ufunc: Any, key: Any, value: Any, point: Any) -> None:
    def changed(x: Any) -> Any:
        x = x * 1.0 if np.isscalar(x) else x.copy()
        try:
            ufunc.at(x, key, value)
        except (TypeError, IndexError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        return x

    with ng.GradientTape() as tape:
        found = changed(tape.watch(point))
    np.testing.assert_array_equal(found, changed(point))


def test_gradient_through_at_of_what_has_no_axes() -> None:
    def program(x: Any) -> Any:
        total = np.array(x.sum())
        np.multiply.at(total, (), x[0])
        np.multiply.at(total, ..., x[1])
        return total

    check_gradients(program, np.array([1.0, 2.0, 3.0]))


def test_a_list_of_rows_that_differ_where_numpy_does_not_look() -> None:
    check_gradients(lambda x: np.trapezoid(x, x, [x, x[0, :1], 3.0]), np.array([[1.0, 2.0], [3.0, 5.0]]))


# --- What stands for a ufunc while a tape records ------------------------------------------------------------------------


def test_a_ufunc_in_place_is_the_ufunc_to_whoever_asks() -> None:
    held, point = types.MappingProxyType({"exp": np.exp}), np.array([0.5, 2.0])  # a variable would be swapped
    with ng.GradientTape() as tape:
        x = tape.watch(point)
        exp, before = np.exp, held["exp"]
        assert exp == before and before == exp and {before: 1}[exp] == 1 and np.exp is exp and isinstance(exp, np.ufunc)
        assert (exp.nin, exp.__name__, exp.__doc__, repr(exp)) == (1, "exp", before.__doc__, repr(before))
        assert copy.deepcopy(exp) is before
        assert isinstance(exp(1.0), np.float64) and type(exp(point)) is np.ndarray
        made = exp([1.0, 2.0])
        made[:] = x
    assert np.exp is before and exp([1.0]) == before([1.0])
    np.testing.assert_array_equal(tape.gradient(made, x), [1, 1])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.exp([x, 2 * x]),
        lambda x: np.multiply.outer([x[0], 1.0], x),
        lambda x: np.add.reduce([1.0, 2.0], initial=x[0]),
        lambda x: np.multiply.reduce([x, x * x], axis=1, initial=x[1]),
        lambda x: np.maximum.accumulate(([x[1], x[0]], x * x), axis=1),
        lambda x: np.hypot.reduceat([x[0], 2.0, x[1]], [0, 1]),
        lambda x: np.arctan2([x[0] * 1.0, 2.0], [[1.0], [x[1]]], where=[True, False], out=np.zeros((2, 2))),
        lambda x: np.clip([x, [3.0, 0.1]], x[0], 1.5),
        lambda x: np.divmod([x, 2 * x], [0.3, x[1]])[1],
        lambda x: np.real(np.multiply([x[0] * 1j, 2.0], (x[1] + 1j))),
        lambda x: np.matvec([[x[0], 2.0], [0.5, x[1]]], [1.0, x[0]]),
    ],
)
def test_lists_given_to_ufuncs(function: Any) -> None:
    check_gradients(function, np.array([0.7, 2.0]), order=2)


def test_lists_given_to_ufuncs_from_before() -> None:
    """A table of a program's is reached by the functional API."""
    table = {"exp": np.exp, "add": np.add}
    gradient = ng.grad(lambda x: np.sum(table["add"].reduce([table["exp"]([x, 2 * x]), [x, x * x]])))(np.array([0.5, 2.0]))
    point = np.array([0.5, 2.0])
    np.testing.assert_allclose(gradient, np.exp(point) + 2 * np.exp(2 * point) + 1 + 2 * point)


@pytest.mark.parametrize(
    "write",
    [
        lambda x, y: np.modf(x, y[::2], y[1::2]),
        lambda x, y: np.divmod(x, 0.37, out=(y.reshape(3, 2)[:, 0], y.reshape(3, 2)[:, 1])),
        lambda x, y: np.frexp(x, y[3:], np.zeros(3, np.int32)),
    ],
)
def test_results_lie_beside_one_another(write):
    def f(x):
        y = np.zeros(6)
        write(x, y)
        return y

    check_gradients(f, np.array([1.3, -2.6, 0.7]), order=1)
