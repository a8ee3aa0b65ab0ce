"""Work arrays that a module keeps in objects of Python's: what a function writes there is followed, and put back."""

from __future__ import annotations

import collections
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npgrad as ng

X = np.array([0.3, 0.5, 0.7])


def step(x: Any) -> Any:
    step.work[:] = x**2  # type: ignore[attr-defined]
    step.calls += 1  # type: ignore[attr-defined]
    return step.work.sum()  # type: ignore[attr-defined]


step.work, step.calls = np.zeros(3), 0  # type: ignore[attr-defined]

CELLS = np.empty((2, 2), object)
for place in np.ndindex(2, 2):
    CELLS[place] = np.zeros(3)
NAMES = collections.UserDict(a=np.zeros(3))
LIST = collections.UserList([np.zeros(3)])
CHAIN = collections.ChainMap({"b": 1.0}, {"a": np.zeros(3)})
LOCAL = threading.local()
LOCAL.a = np.zeros(3)
SPACE = types.SimpleNamespace(a=np.zeros(3))


def inner(x: Any) -> Any:
    return 2 * step(x)


PLACES: dict[str, Callable[[], Any]] = {
    "an array of objects": lambda: CELLS[0, 1],
    "UserDict": lambda: NAMES["a"],
    "UserList": lambda: LIST[0],
    "ChainMap": lambda: CHAIN["a"],
    "threading.local": lambda: LOCAL.a,
    "SimpleNamespace": lambda: SPACE.a,
    "attribute of a function": lambda: step.work,  # type: ignore[attr-defined]
}


@pytest.mark.parametrize("name", PLACES)
def test_work_arrays_in_objects_of_pythons(name: str) -> None:
    get = PLACES[name]
    mine = get()

    def program(x: Any) -> Any:
        work = get()
        work[:] = x
        return (get() ** 2).sum()

    for _ in range(2):  # the second call remembers the search of the first
        value, gradient = ng.value_and_grad(program)(X)
        assert value == program(X)
        np.testing.assert_array_equal(gradient, 2 * X)
        assert get() is mine and type(mine) is np.ndarray
        np.testing.assert_array_equal(mine, X)


def test_static_variables_of_functions() -> None:
    calls = step.calls  # type: ignore[attr-defined]
    np.testing.assert_array_equal(ng.grad(inner)(X), 4 * X)
    np.testing.assert_array_equal(ng.hessian(step)(X), 2 * np.eye(3))
    assert step.calls >= calls + 2 and type(step.work) is np.ndarray  # type: ignore[attr-defined]


class Vector(np.ndarray):
    pass


OWN = np.zeros(3).view(Vector)


def test_an_array_of_a_class_of_the_modules_is_refused() -> None:
    def program(x: Any) -> Any:
        OWN[:] = x
        return float(np.sum(OWN))

    with pytest.raises(ng.LeakError, match=r"test_work_arrays.py:\d+: traced data is written into a Vector"):
        ng.grad(program)(X)
    OWN[:] = 0.0
