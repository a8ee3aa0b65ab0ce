"""Complex numbers where a real type is asked for: NumPy computes with their real parts, and so do the derivatives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import npgrad as ng

NARROWED: dict[str, Callable] = {
    **{
        name: lambda x, name=name: getattr(np, name)(x, dtype=float)
        for name in (
            "sum", "prod", "cumsum", "cumprod", "mean", "var", "std", "nansum", "nanprod", "nancumsum", "nancumprod",
            "nanmean", "nanvar", "nanstd", "cumulative_sum", "cumulative_prod",
        )
        if hasattr(np, name)
    },
    "multiply": lambda x: np.multiply(x, x, dtype=float, casting="unsafe"),
    "exp": lambda x: np.exp(x, dtype=float, casting="unsafe"),
    "matmul": lambda x: np.matmul(x, x, dtype=float, casting="unsafe"),
    "einsum": lambda x: np.einsum("i,i->i", x, x, dtype=float, casting="unsafe"),
    "add.reduce": lambda x: np.add.reduce(x, dtype=float),
    "multiply.reduce": lambda x: np.multiply.reduce(x, dtype=float),
    "multiply.accumulate": lambda x: np.multiply.accumulate(x, dtype=float),
    "trace": lambda x: np.trace(np.outer(x, x), dtype=float),
    "concatenate": lambda x: np.concatenate([x, x * x], dtype=float, casting="unsafe"),
    "points of interp": lambda x: np.interp(x, [0.2, 0.9, 1.4, 1.8], [1.0, 3.0, 2.0, 5.0], period=2.0),
    "nodes of interp": lambda x: np.interp([0.3, 0.9, 1.4], x, [1.0, 3.0, 2.0, 5.0], period=2.0),
    "astype": lambda x: (x * x).astype(float),
}  # fmt: skip


@pytest.mark.parametrize("name", NARROWED)
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_complex_numbers_in_a_real_type(name: str) -> None:
    function = NARROWED[name]
    x, v = np.array([1.27 + 0.3j, 0.42 - 0.2j, 1.46 + 0.7j, 1.13]), np.array([0.4 + 0.2j, -0.5 + 0.7j, 0.2 - 0.9j, 1j])
    value, tangent = ng.jvp(function, (x,), (v,))
    np.testing.assert_array_equal(value, function(x))
    slope = (function(x + 1e-6 * v) - function(x - 1e-6 * v)) / 2e-6
    np.testing.assert_allclose(tangent, slope, rtol=1e-7, atol=1e-8)
    weights = np.cos(np.arange(np.size(slope))).reshape(np.shape(slope))
    pulled = np.asarray(ng.vjp(function, x)[1](weights)).reshape(x.shape)
    np.testing.assert_allclose(np.vdot(pulled, v).real, np.sum(weights * slope), rtol=1e-7)
