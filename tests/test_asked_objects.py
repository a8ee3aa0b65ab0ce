"""Functions that ask an object for its method of the same name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import npgrad as ng
from npgrad.testing import check_gradients

POINT = np.array([0.4, 1.3, 2.1, 0.9])


class Given:
    def __init__(self, values: Any) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.values, dtype=dtype)


def with_method(name: str, method: Any) -> type:
    return type("WithMethod", (Given,), {name: method})


# What each is given beside the object.
CALLS: dict[str, tuple] = {
    "all": (), "any": (), "argmax": (), "argmin": (), "argsort": (), "argpartition": (1,), "clip": (0.5, 1.0), "cumprod": (),
    "cumsum": (), "max": (), "amax": (), "min": (), "amin": (), "mean": (), "prod": (), "std": (), "sum": (), "var": (),
    "repeat": (2,), "reshape": ((2, 2),), "round": (), "around": (), "squeeze": (), "swapaxes": (0, 0), "take": ([0, 2],),
    "transpose": (), "permute_dims": (), "nonzero": (), "searchsorted": (0.5,),
}  # fmt: skip
OF_NAME = {"amax": "max", "amin": "min", "around": "round", "permute_dims": "transpose"}


@pytest.mark.parametrize("name", CALLS)
def test_functions_call_the_method_of_an_object(name: str) -> None:
    kind = with_method(OF_NAME.get(name, name), lambda self, *args, **kwargs: 10.0 * self.values.sum())
    function = getattr(np, name)
    args = CALLS[name]

    assert function(kind(POINT), *args) == 10.0 * POINT.sum()
    check_gradients(lambda x: getattr(np, name)(kind(x * x), *args), POINT)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "var"])
def test_the_method_gets_what_numpy_gives_it(name: str) -> None:
    def method(self: Any, **kwargs: Any) -> Any:
        told.append(kwargs)
        return self.values.sum()

    told: list[dict] = []
    kind = with_method(name, method)
    getattr(np, name)(kind(POINT), axis=0, keepdims=True)
    with ng.GradientTape() as tape:
        getattr(np, name)(kind(tape.watch(POINT)), axis=0, keepdims=True)
    assert told[0] == told[1]


@pytest.mark.parametrize("name", ["sort", "diagonal", "ravel", "trace", "median", "dot", "ptp", "average"])
def test_methods_that_numpy_does_not_ask_for(name: str) -> None:
    kind = with_method(name, lambda self, *args, **kwargs: pytest.fail("NumPy does not call it"))
    more = (POINT.reshape(2, 2),) if name == "dot" else ()
    check_gradients(lambda x: getattr(np, name)(kind(x.reshape(2, 2) ** 2), *more), POINT)


def test_a_method_with_other_arguments_is_passed_over() -> None:
    kind = with_method("cumsum", lambda self: pytest.fail("it takes no axis"))
    check_gradients(lambda x: np.cumsum(kind(x * x), 0), POINT)


@pytest.mark.parametrize("name", ["real", "imag"])
def test_attributes_of_an_object(name: str) -> None:
    kind = with_method(name, property(lambda self: 3.0 * self.values))
    check_gradients(lambda x: getattr(np, name)(kind(x * x)), POINT)


def test_put_is_left_to_the_object() -> None:
    kind = with_method("put", lambda self, ind, v, mode: self.values.put(ind, 2.0 * v))

    def program(x: Any) -> Any:
        made = kind(x * 1.0)
        np.put(made, [1], x[0])
        return made.values

    check_gradients(program, POINT)
