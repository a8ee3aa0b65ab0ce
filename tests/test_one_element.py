"""Where NumPy wants one element and is given an array: what it takes and what it refuses, in the version that runs."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from agreement import leaves
from comparisons import assert_same_bits

import npgrad as ng
from npgrad.testing import check_gradients


def _written(buffer: Any, write: Callable) -> Any:
    write(buffer)
    return buffer


PLACES: dict[str, Callable] = {
    "fill": lambda v: _written(np.zeros(3), lambda a: a.fill(v)),
    "fill itself": lambda v: _written(v.copy(), lambda a: a.fill(v)),
    "fromiter": lambda v: np.fromiter([v, v], float),
    "fromiter, counted": lambda v: np.fromiter(iter([v, 3.0, v]), np.float64, count=2),
    "fromiter, too short": lambda v: np.fromiter([v], float, count=2),
    "fromiter, endless": lambda v: np.fromiter(itertools.repeat(v), float, count=3),
    "fromiter of subarrays": lambda v: np.fromiter([v, v], np.dtype((float, (2,)))),
    "fromiter of subarrays of one": lambda v: np.fromiter([v, v], np.dtype((float, (1,)))),
    "vectorize": lambda v: np.vectorize(lambda i: v, otypes=[float])(np.arange(3)),
    "vectorize, type found": lambda v: np.vectorize(lambda i: v)(np.arange(3)),
    "vectorize, cached": lambda v: np.vectorize(lambda i: v, cache=True)(np.arange(3)),
    "vectorize, several": lambda v: np.vectorize(lambda i: (v, i), otypes=[float, int])(np.arange(3)),
    "vectorize, objects": lambda v: np.vectorize(lambda i: v, otypes=[object])(np.arange(2)).tolist(),
    "vectorize, signature": lambda v: np.vectorize(lambda i: v, signature="()->()")(np.arange(3)),
    "vectorize, rows": lambda v: np.vectorize(lambda i: v, signature="()->(n)")(np.arange(3)),
    "item": lambda v: _written(np.zeros(3), lambda a: a.__setitem__(0, v)),
    "item of two": lambda v: _written(np.zeros((3, 3)), lambda a: a.__setitem__((0, 1), v)),
    "array": lambda v: np.array([v, 1.0]),
    "full": lambda v: np.full(3, v),
    "arange": lambda v: np.arange(v),
    "arange, steps": lambda v: np.arange(0, v, v),
    "initial": lambda v: np.sum(np.ones(3), initial=v),
    "piecewise": lambda v: np.piecewise(np.arange(3.0), [np.arange(3) > 1], [v, 0]),
    "piecewise, called": lambda v: np.piecewise(np.arange(3.0), [np.arange(3) > 1], [lambda x: v, 0]),
    "left": lambda v: np.interp([-1, 1.0], [0, 1, 2.0], [1.0, 2, 3], left=v),
    "pad": lambda v: np.pad(np.ones(2), 1, constant_values=v),
    "nan": lambda v: np.nan_to_num(np.array([np.nan, 1.0]), nan=v),
    "flat": lambda v: _written(np.zeros(3), lambda a: a.flat.__setitem__(0, v)),
    "put": lambda v: _written(np.zeros(3), lambda a: np.put(a, [0], v)),
    "fill_diagonal": lambda v: _written(np.zeros((3, 3)), lambda a: np.fill_diagonal(a, v)),
    "insert": lambda v: np.insert(np.zeros(3), 1, v),
    "kaiser": lambda v: np.kaiser(5, v),
    "ddof": lambda v: np.var(np.arange(3.0), ddof=v),
    "polyint": lambda v: np.polynomial.polynomial.polyint([1.0, 2.0], k=v),
    "norm": lambda v: np.linalg.norm(np.arange(3.0), v),
}


@pytest.mark.parametrize("value", [2.5, [2.5], [[2.5]], [1.5, 2.5]], ids=repr)
@pytest.mark.parametrize("place", PLACES)
def test_an_array_where_an_element_is_wanted(place: str, value: Any) -> None:
    program, point = PLACES[place], np.array(value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy of some versions takes what it will refuse
        try:
            expected = program(point)
        except Exception as numpys:
            with pytest.raises(type(numpys)), ng.GradientTape() as tape:
                program(tape.watch(point))
            return
        with ng.GradientTape() as tape:
            found = program(tape.watch(point))
        assert_same_bits(leaves(found), leaves(expected))
        if place != "arange":  # it jumps
            check_gradients(program, point)
