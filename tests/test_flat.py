"""``x.flat``: one iterator, as NumPy's."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npgrad as ng

ARRAYS = [
    np.arange(1.0, 7.0),
    np.arange(6.0).reshape(2, 3),
    np.arange(6.0).reshape(2, 3).T[::2],
    np.array(2.0),
    np.zeros((2, 0)),
]


def numbers(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [numbers(item) for item in value]
    return np.array(ng.stop_gradient(value)).tolist() if isinstance(value, np.ndarray) else value


STEPS: dict[str, Callable] = {
    "all": list,
    "all twice": lambda f: [*f, *f],
    "the rest": lambda f: [next(f, None), list(f), next(f, None)],
    "pairs": lambda f: list(zip(f, f, strict=False)),
    "itself": lambda f: iter(f) is f,
    "places": lambda f: [f.index, f.coords, [(v, f.index, f.coords) for v in f], f.index, f.coords],
    "begins again after a read": lambda f: [next(f, None), f[:2], f.index, list(f), f[[0, 0][: f.base.size]], list(f)],
    "begins again after a write": lambda f: [next(f, None), f.__setitem__(slice(0, 1), 5.0), f.index, list(f)],
    "goes on after a copy": lambda f: [next(f, None), f.copy(), f == 1.0, len(f), f.index, list(f)],
    "goes on after a search": lambda f: [1.0 in f, list(f)],
}


@pytest.mark.parametrize("array", ARRAYS, ids=range(len(ARRAYS)))
@pytest.mark.parametrize("step", STEPS)
def test_it_goes_on_where_numpys_goes_on(array: Any, step: str) -> None:
    expected = numbers(STEPS[step](array.copy(order="K").flat))
    with ng.GradientTape() as tape:
        assert numbers(STEPS[step](tape.watch(array).flat)) == expected


@pytest.mark.parametrize("compare", [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge])
@pytest.mark.parametrize("other", [2.0, [1.0, 2.0, 3.0], np.array([3.0, 2.0, 1.0])], ids=["number", "list", "array"])
def test_comparisons_are_those_of_the_elements(compare: Callable, other: Any) -> None:
    x = np.array([1.0, 2.0, 3.0])
    with ng.GradientTape() as tape:
        traced = tape.watch(x)
        found = compare(traced.flat, other)
        swapped = compare(traced if isinstance(other, np.ndarray) else other, traced.flat)
        beside = compare(traced.flat, traced[::-1].flat)
    assert found.dtype == bool
    assert found.tolist() == compare(x.flat, other).tolist()
    assert swapped.tolist() == compare(x if isinstance(other, np.ndarray) else other, x.flat).tolist()
    assert beside.tolist() == compare(x.flat, x[::-1].flat).tolist()


def test_what_is_read_has_derivatives() -> None:
    x = np.array([1.0, 2.0, 3.0])

    def function(x: Any) -> Any:
        places = np.outer(x, x).T[::2].flat
        first = next(places)
        return first * places[2] * next(places) + sum(places) + x[x.flat > 1.0].prod()

    def closed(x: Any) -> Any:
        a, b, c = x
        return a * a * (a * c) * a * a + (a * b + a * c + c * a + c * b + c * c) + b * c

    steps = 1e-5 * np.eye(3)
    differences = [(closed(x + step) - closed(x - step)) / 2e-5 for step in steps]
    value, gradient = ng.value_and_grad(function)(x)
    assert value == function(x) == closed(x)
    np.testing.assert_allclose(gradient, differences, rtol=1e-8)


def test_it_cannot_be_reversed() -> None:
    with ng.GradientTape() as tape:
        flat = tape.watch(np.ones(3)).flat
    with pytest.raises(TypeError, match="not reversible"):
        reversed(flat)
