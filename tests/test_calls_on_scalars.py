"""A NumPy scalar is the first argument, or the object whose method is called, and another argument is traced."""

from collections.abc import Callable

import numpy as np
import pytest

import npgrad as ng
from npgrad import finite_difference
from npgrad._traced import unwrap

CAP = np.array([0.1, 0.5, 0.3]).max()
PLAIN = np.array([0.1, 0.5, 0.9])

BY_NAME: dict[str, Callable] = {
    "between": lambda x: np.clip(CAP, x[0], x[1]),
    "above": lambda x: np.clip(CAP, 0.0, x[0]) + x[0],
    "element": lambda x: np.clip(PLAIN[2], x[0], x[2]) * x[2],
    "keywords": lambda x: np.clip(a=np.float64(3.0), a_min=x[0], a_max=x[1]),
    "integer": lambda x: np.clip(np.int64(3), x[0], x[1]),
    "single": lambda x: np.clip(np.float32(3.0), 0.0, x[1]),
    "array bounds": lambda x: np.clip(CAP, x, x + 1.0).sum(),
    "choose": lambda x: np.choose(np.int64(1), [x[2], x[0]]),
    "initial": lambda x: np.max(np.float64(0.1), initial=x[1]) * np.sum(np.float64(0.1), initial=x[0]),
    "mean": lambda x: np.var(np.float64(2.0), mean=x[0]),
}


@pytest.mark.parametrize("name", BY_NAME)
def test_functions_follow_what_is_traced(name: str) -> None:
    f, x = BY_NAME[name], np.array([0.2, 1.0, 0.4])
    expected = finite_difference.grad(f)(x)
    with ng.GradientTape() as tape:
        value = f(watched := tape.watch(x))
    assert type(unwrap(value)) is type(f(x))
    np.testing.assert_allclose(tape.gradient(value, watched), expected, atol=1e-7)
    np.testing.assert_allclose(ng.grad(f)(x), expected, atol=1e-7)
