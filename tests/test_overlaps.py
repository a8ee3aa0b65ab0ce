"""Writes into views whose elements share memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided, sliding_window_view

import npgrad as ng

Array = np.ndarray[Any, Any]
X = np.array([0.6, 1.4, 2.1])


def differences(function: Callable, x: Array) -> Array:
    """Of quadratic functions, to the last digits."""
    steps = np.eye(x.size).reshape(x.size, *x.shape)
    return np.stack([(function(x + step) - function(x - step)) / 2 for step in steps], -1)


def check(function: Callable, x: Array) -> None:
    value, jacobian = ng.value_and_jacobian(function)(x)
    assert value.tobytes() == function(x).tobytes()
    expected = differences(function, x)
    np.testing.assert_allclose(jacobian.reshape(expected.shape), expected, rtol=1e-9, atol=1e-9)
    direction = np.arange(1.0, 1 + x.size).reshape(x.shape)
    pushed = ng.jvp(function, (x,), (direction,))[1]
    np.testing.assert_allclose(pushed, expected @ direction.ravel(), rtol=1e-9, atol=1e-9)


def one_place(x: Any, n: int = 3) -> tuple[Any, Any]:
    """Two elements, of which the first is that of all elements of a view."""
    y = np.zeros(2) + x[0]
    return y, as_strided(y, (n,), (0,))


def windows(x: Any) -> Any:
    y = np.zeros(4)
    sliding_window_view(y, 2, writeable=True)[...] = np.outer(x, [1, 2])
    return y


def windows_of_itself(x: Any) -> Any:
    y = x.copy()
    view = sliding_window_view(y, 2, writeable=True)
    view[:] = view * view
    return y


def parts_of_windows(x: Any) -> Any:
    y = x.copy()
    view = sliding_window_view(y, 2, writeable=True)
    view[0] = view[1] * 2
    view[:, 1] *= x[0]
    return y


def assigned(x: Any) -> Any:
    y, view = one_place(x)
    view[...] = x
    return y


def backwards(x: Any) -> Any:
    y, view = one_place(x)
    view[::-1] = x
    return y


def masked(x: Any) -> Any:
    y, view = one_place(x)
    view[np.array([True, True, False])] = x[1:] * 2
    return y


def masked_by_itself(x: Any) -> Any:
    y, view = one_place(x)
    view[np.array([True, True, False])] = view[1:] * x[2]
    return y


def by_index_arrays(x: Any) -> Any:
    y, view = one_place(x)
    view[[0, 2]] = x[:2] * x[:2]
    return y


def copied_to(x: Any) -> Any:
    y, view = one_place(x)
    np.copyto(view, x)
    return y


def by_flat(x: Any) -> Any:
    y, view = one_place(x)
    view.flat[:] = x
    return y


def filled(x: Any) -> Any:
    y, view = one_place(x)
    view.fill(x[2])
    view[1] = x[1]
    return y


def filled_by_a_constant(x: Any) -> Any:
    y, view = one_place(x)
    view[...] = 3.0
    return y


def added_at(x: Any) -> Any:
    y, view = one_place(x)
    np.add.at(view, [0, 1], x[:2])
    return y


def real_parts(x: Any) -> Any:
    y = np.zeros(2) + 1j * x[0]
    as_strided(y, (3,), (0,)).real[...] = x
    return np.stack([y.real, y.imag])


def on_diagonals(x: Any) -> Any:
    y = np.zeros(2)
    np.fill_diagonal(as_strided(y, (3, 3), (0, 0)), x)
    return y


def along_an_axis(x: Any) -> Any:
    y, view = one_place(x)
    np.put_along_axis(view, np.array([2, 0]), x[:2], 0)
    return y


ASSIGNMENTS = [
    windows, windows_of_itself, parts_of_windows, assigned, backwards, masked, masked_by_itself, by_index_arrays, copied_to,
    by_flat, filled, filled_by_a_constant, added_at, real_parts, on_diagonals, along_an_axis,
]  # fmt: skip


@pytest.mark.parametrize("function", ASSIGNMENTS, ids=lambda function: function.__name__)
def test_what_is_assigned_last_stays(function: Callable) -> None:
    check(function, X)


@pytest.mark.parametrize("seed", range(60))
def test_any_view_keeps_what_numpy_keeps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ndim = int(rng.integers(1, 4))
    shape = tuple(map(int, rng.integers(1, 4, ndim)))
    steps = tuple(map(int, rng.integers(-2, 3, ndim)))
    start = sum(-step * (n - 1) for step, n in zip(steps, shape, strict=True) if step < 0)
    size = start + 1 + sum(step * (n - 1) for step, n in zip(steps, shape, strict=True) if step > 0)
    order = rng.permutation(ndim)
    key: Any = ...
    if rng.random() < 0.5:
        key = tuple(rng.integers(0, n, int(rng.integers(1, 5))) for n in shape[:1])
    chosen = np.empty(shape)[key].shape
    weights = rng.integers(1, 9, (3, *chosen)).astype(float)

    def function(x: Any) -> Any:
        values = np.tensordot(x, weights, 1)
        if key is ...:
            values = np.ascontiguousarray(values.transpose(order)).transpose(np.argsort(order))
        y = np.zeros(size) + x[0]
        as_strided(y[start:], shape, tuple(8 * step for step in steps))[key] = values
        return y

    check(function, X)


def summed_windows(x: Any) -> Any:
    y = np.zeros(4)
    view = sliding_window_view(y, 2, writeable=True)
    view += x[:, None]
    return y


def multiplied_by_a_constant(x: Any) -> Any:
    y, view = one_place(x)
    view *= 2
    return y


def product(x: Any) -> Any:
    y, view = one_place(x)
    np.multiply(x, x, out=view)
    return y


def chosen_sines(x: Any) -> Any:
    y, view = one_place(x)
    np.sin(x, out=view, where=np.array([True, True, False]))
    return y


def cumulative(x: Any) -> Any:
    y, view = one_place(x)
    np.cumsum(x, out=view)
    return y


def accumulated(x: Any) -> Any:
    y, view = one_place(x)
    np.subtract.accumulate(x, out=view)
    return y


def multiplied_at(x: Any) -> Any:
    y, view = one_place(x)
    np.multiply.at(view, [0, 1], x[:2])
    return y


def ordered(x: Any) -> Any:
    y, view = one_place(x)
    view.sort()
    return y


def put(x: Any) -> Any:
    y, view = one_place(x)
    view.put([0], x[1])
    return y


def copied_where(x: Any) -> Any:
    y, view = one_place(x)
    np.copyto(view, x, where=np.array([True, True, False]))
    return y


def taken(x: Any) -> Any:
    y, view = one_place(x)
    np.take(x, [0, 1, 2], out=view)
    return y


def iterated(x: Any) -> Any:
    y = np.zeros(1)
    uses: Any = [["readonly"], ["readwrite"]]
    with np.nditer([x, y], ["reduce_ok", "external_loop"], uses, op_axes=[None, [-1]]) as pairs:
        for part, total in pairs:
            total[...] += part
    return y


ORDER_DECIDES = [
    summed_windows, multiplied_by_a_constant, product, chosen_sines, cumulative, accumulated, multiplied_at, ordered, put,
    copied_where, taken, iterated,
]  # fmt: skip


@pytest.mark.parametrize("function", ORDER_DECIDES, ids=lambda function: function.__name__)
def test_what_depends_on_the_order_of_elements_is_refused(function: Callable) -> None:
    with pytest.raises(ng.NoRuleError, match=rf"{__file__}:\d+: .* elements share memory .*assign it"):
        ng.jacobian(function)(X)


@pytest.mark.parametrize("function", ORDER_DECIDES, ids=lambda function: function.__name__)
def test_without_a_derivative_the_values_are_numpys(function: Callable) -> None:
    with ng.GradientTape():
        value = function(ng.array(X))
    assert value.tobytes() == function(X).tobytes()


def test_views_that_only_look_like_it_are_written() -> None:
    """Steps of two and three: no element meets another one."""

    def function(x: Any) -> Any:
        y = np.zeros(8) + x[0]
        view = as_strided(y, (2, 3), (24, 16))
        view *= x
        return y

    check(function, X)


@pytest.mark.parametrize(("kind", "step"), [(float, 4), (float, 12), (complex, 8)])
def test_elements_made_of_parts_of_others_are_refused(kind: type, step: int) -> None:
    with pytest.raises(ng.NoRuleError, match=r"parts of two others.*multiples of x\.itemsize"):
        ng.grad(lambda x: as_strided(x.astype(kind), (2,), (step,)).sum().real)(X)
