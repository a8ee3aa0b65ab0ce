"""Statistics where a generic sample does not reach: 0-d results that NumPy's own code writes into, refusals, ties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npgrad as ng


@pytest.mark.parametrize("q", [0.3, 0.4])
def test_quantile_at_a_traced_scalar_keeps_the_value(q: float) -> None:
    """NumPy writes into a 0-d array there with where=, below and above one half between two elements."""
    a = np.array([1.0, 2.0, 4.0, 8.0])
    value, slope = ng.value_and_grad(lambda p: np.quantile(a, p))(q)
    assert value == np.quantile(a, q)
    below = int(3 * q)
    assert slope == pytest.approx(3 * (a[below + 1] - a[below]))


@pytest.mark.parametrize("permission", [{"args": (None, None, True)}, {"overwrite_input": True}])
@pytest.mark.parametrize("function", [np.median, np.nanmedian])
def test_the_input_is_not_spoiled_behind_a_saved_value(function: Callable, permission: dict) -> None:
    args, kwargs = permission.get("args", ()), {k: v for k, v in permission.items() if k != "args"}

    def program(x: np.ndarray) -> Any:
        weights = np.empty(4)
        weights[...] = [4.0, 1.0, 3.0, 2.0]
        product = x * weights
        function(weights, *args, **kwargs)
        return product.sum()

    assert ng.grad(program)(np.ones(4)).tolist() == [4.0, 1.0, 3.0, 2.0]


def test_cumprod_into_a_buffer_of_another_dtype() -> None:
    """NumPy multiplies in the precision of the buffer."""
    a = np.array([1.1, 1.3, 1.7], np.float32)

    def program(x: np.ndarray) -> Any:
        return np.cumprod(x, out=np.zeros(3))

    with ng.GradientTape() as tape:
        x = tape.watch(a)
        y = program(x)
    assert np.array_equal(ng.stop_gradient(y), program(a))
    np.testing.assert_allclose(tape.gradient(y, x), [1 + 1.3 + 1.3 * 1.7, 1.1 + 1.1 * 1.7, 1.1 * 1.3], rtol=1e-6)


def test_arguments_by_position_beside_out() -> None:
    x = np.array([1.0, 2.0, 4.0])
    calls = [
        lambda v: np.take(v, [0, 5], 0, None, "wrap"),
        lambda v: np.std(v, 0, None, None, 1),
        lambda v: v.std(0, None, np.zeros(()), 1),
        lambda v: np.cumprod(v, 0, None, None),
    ]
    by_name = [
        lambda v: np.take(v, [0, 5], axis=0, mode="wrap"),
        lambda v: np.std(v, axis=0, ddof=1),
        lambda v: np.std(v, axis=0, ddof=1),
        lambda v: np.cumprod(v, axis=0),
    ]
    for call, named in zip(calls, by_name, strict=True):
        np.testing.assert_array_equal(ng.jacobian(call)(x), ng.jacobian(named)(x))


@pytest.mark.parametrize("method", ["weibull", "hazen", "linear", "closest_observation"])
def test_percentile_beyond_the_ends(method: str) -> None:
    """NumPy asks ``floor(..., out=...)`` for an array here, and writes into it."""
    x = np.array([3.0, 1.0, 2.0], np.float32)
    with ng.GradientTape() as tape:
        traced = tape.watch(x)
        y = np.percentile(traced, 5.0, method=method)
    assert y == np.percentile(x, 5.0, method=method) and y.dtype == np.percentile(x, 5.0, method=method).dtype
    assert tape.gradient(y, traced).sum() == pytest.approx(1, rel=1e-6)


def test_out_by_position() -> None:
    calls = [lambda v, o: np.cumsum(v, 0, None, o), lambda v, o: np.dot(v, np.eye(3), o)]
    for call in calls:
        with ng.GradientTape() as tape:
            x = tape.watch(np.array([1.0, 2.0, 4.0]))
            out = np.zeros(3)
            assert call(x, out) is out
        assert out.tolist() == call(np.array([1.0, 2.0, 4.0]), np.zeros(3)).tolist()
        assert tape.gradient(out, x) is not None


@pytest.mark.parametrize("function", [np.var, np.std])
def test_spreads_of_what_no_truth_values_choose_are_refused(function: Any) -> None:
    """NumPy divides by the sum of the mask: 3 for two elements."""
    with pytest.raises(ng.NoRuleError, match="no array of truth values"):
        ng.grad(lambda x: function(x, where=[2, 0, 1]))(np.array([1.0, 2.0, 4.0]))
