"""Objects that NumPy makes arrays of beside traced arrays: of plain data, and holding traced data."""

from __future__ import annotations

import array
import collections
import operator
from typing import Any

import numpy as np
import pytest

import npgrad as ng
from npgrad.testing import check_gradients


class Given:
    """Gives an array when it is asked for one: of plain data, or of traced data that it holds."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.values, dtype=dtype)


class Interface:
    def __init__(self, values: Any) -> None:
        self.values = values

    @property
    def __array_interface__(self) -> Any:
        return self.values.__array_interface__


POINT = np.array([0.4, 1.3, 2.1])
CONSTANTS = {
    "array": Given,
    "interface": Interface,
    "buffer": lambda values: array.array("d", values),
    "view of a buffer": lambda values: memoryview(array.array("d", values)),
    "sequence": lambda values: collections.UserList(values.tolist()),
}
OPERATIONS: dict[str, Any] = {
    "times": lambda x, other: x * other,
    "power": lambda x, other: x**other,
    "matmul": lambda x, other: x @ other,
    "multiply": lambda x, other: np.multiply(other, x),
    "comparison": lambda x, other: np.where(x > other, x, 2 * x),
    "concatenate": lambda x, other: np.concatenate([x, other]) * 2,
    "dot": lambda x, other: np.dot(x, other),
    "in place": lambda x, other: operator.iadd(x * 1.0, other) * x,
    "stack": lambda x, other: np.stack([other, x]) ** 2,
    "asarray": lambda x, other: np.asarray(other) * x,
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kind", CONSTANTS)
def test_constants_that_become_arrays(kind: str, operation: str) -> None:
    def program(x: Any) -> Any:
        return OPERATIONS[operation](x, other)

    other = CONSTANTS[kind](np.array([0.5, 2.0, 1.5]))
    try:
        program(POINT)
    except TypeError:
        return  # NumPy does not take it either
    check_gradients(program, POINT)


HOLDERS: dict[str, Any] = {
    "asarray": lambda given, x: np.asarray(given) ** 2,
    "array": lambda given, x: np.array(given, dtype=np.float64) ** 2,
    "asanyarray": lambda given, x: np.asanyarray(given) * x,
    "ascontiguousarray": lambda given, x: np.ascontiguousarray(given) * x,
    "concatenate": lambda given, x: np.concatenate([x, given]),
    "stack": lambda given, x: np.stack([given, given]),
    "times": lambda given, x: x * given,
    "constant times": lambda given, x: np.ones(3) * given,
    "multiply": lambda given, x: np.multiply(given, np.ones(3)),
    "mean": lambda given, x: np.mean(given),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_objects_that_hold_traced_arrays(name: str) -> None:
    check_gradients(lambda x: HOLDERS[name](Given(x * x), x), POINT)


def test_operators_with_objects_are_no_leaks() -> None:
    """NumPy asks for the priority of both before it calls a hook, as it does in ``plain.dot(traced)``, which is one."""
    with ng.GradientTape() as tape:
        x = tape.watch(POINT)
        y = x * Given(POINT) + (x > Given(POINT))
    assert tape.gradient(y, x).tolist() == POINT.tolist()
