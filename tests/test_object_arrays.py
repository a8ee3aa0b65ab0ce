"""Arrays of objects that are made of traced data: shapes, items and their types are NumPy's, and each item is followed."""

import collections
import math
from builtins import type
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npgrad as ng
from npgrad import finite_difference

X = np.array([0.5, 1.5, 2.5])


class Wrapped:
    """Gives an array when it is asked for one."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.values


class Sequence:
    """Has a length and items."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, place: int) -> Any:
        return self.values[place]


# What stays an object, because the lengths differ, and what becomes a table of elements.
ROWS: dict[str, Callable] = {
    "arrays": lambda x: [x[:1], x[1:]],
    "arrays of one length": lambda x: [x[:2], x[1:]],
    "single precision": lambda x: [x[:2].astype(np.float32), x[1:].astype(np.float32)],
    "complex": lambda x: [x[:2] * 1j, x[1:] * (1 + 2j)],
    "an array and a list": lambda x: [x[:1], [1.0, 2.0]],
    "lists": lambda x: [[x[0]], [x[1], 2.0]],
    "lists of one length": lambda x: [[x[0], x[1]], [x[1], 2.0]],
    "polynomials": lambda x: [np.poly1d(x[:2]), np.poly1d(x)],
    "polynomials of one degree": lambda x: [np.poly1d(x[:2]), np.poly1d(x[1:])],
    "wrapped": lambda x: [Wrapped(x[:1]), Wrapped(x)],
    "wrapped, of one length": lambda x: [Wrapped(x[:2]), Wrapped(x[1:])],
    "sequences": lambda x: [Sequence(x[:1]), Sequence(x)],
    "sequences of one length": lambda x: [Sequence(x[:2]), Sequence(x[1:])],
    "an element and an array": lambda x: [x[0], x[1:]],
    "an array beside nothing": lambda x: [x, 1.0, None],
    "a tuple": lambda x: (x[:1], x),
    "a deque": lambda x: collections.deque([x[:1], x]),
    "text": lambda x: [x[0], "a"],
    "a table of arrays": lambda x: [[x[:1], x], [x, x[:1]]],
    "a table of lists": lambda x: [[[x[0]], [x[1]]], [[x[1], x[0]], [x[1]]]],
    "an array and a matrix": lambda x: [x[:2].reshape(1, 2), x[:2]],
    "a dict": lambda x: [{"a": x[0]}, x],
}


def described(value: Any) -> Any:
    """The shapes and the types of items; a traced array passes for NumPy's."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        return value.shape, [described(item) for item in value.ravel()]
    if isinstance(value, (list, tuple)):
        return [described(item) for item in value]
    if isinstance(value, (float, complex)):
        return isinstance(value, np.inexact), isinstance(value, complex)
    return (np.ndarray, value.shape) if isinstance(value, np.ndarray) else type(value)


def numbers(value: Any) -> list:
    """All the numbers in it, as rows."""
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.dtype == object):
        return [row for item in (value.ravel() if isinstance(value, np.ndarray) else value) for row in numbers(item)]
    if isinstance(value, (Wrapped, Sequence)):
        return numbers(value.values)
    if isinstance(value, (dict, np.poly1d)):
        return numbers(list(value.values()) if isinstance(value, dict) else value.coeffs)
    return [np.ravel(value)] if isinstance(value, (np.ndarray, float, complex)) else []


@pytest.mark.parametrize("make", [np.array, np.asarray], ids=["array", "asarray"])
@pytest.mark.parametrize("rows", ROWS.values(), ids=list(ROWS))
def test_items_are_numpys_and_followed(rows: Callable, make: Any) -> None:
    def f(x: Any) -> Any:
        made = getattr(np, make.__name__)(rows(x), dtype=object)
        seen.append(described(made))
        joined = np.concatenate(numbers(made))
        return joined.real * joined.real + joined.imag

    seen: list = []
    expected = f(X)
    for mode in ("reverse", "forward"):
        value, jacobian = ng.value_and_jacobian(f, mode=mode)(X)
        assert seen[-1] == seen[0]
        np.testing.assert_array_equal(value, expected)
        step, tolerance = (1e-2, 1e-3) if rows is ROWS["single precision"] else (1e-5, 1e-8)
        differences = finite_difference.jacobian(f, method="3-point", step=step)(X)
        np.testing.assert_allclose(jacobian, differences, atol=tolerance)


def test_functions_of_objects_get_numbers_of_pythons() -> None:
    def ratio(a: Any, b: Any) -> Any:
        seen.append((isinstance(a, float), isinstance(a, np.floating)))
        try:
            return a / b
        except ZeroDivisionError:
            return a * a

    seen: list = []
    of_objects = np.frompyfunc(ratio, 2, 1)
    for x in (X, X.astype(np.float32)):
        plain = [of_objects(x, x - 0.5).astype(float), (x * np.array([2, 3.0, 4], dtype=object)).astype(float)]
        value, jacobian = ng.value_and_jacobian(
            lambda x: [of_objects(x, x - 0.5).astype(float), (x * np.array([2, 3.0, 4], dtype=object)).astype(float)]
        )(x)
        np.testing.assert_array_equal(value, plain)
        np.testing.assert_allclose(jacobian[0], np.diag([2 * 0.5, -0.5 / 1.0**2, -0.5 / 2.0**2]), rtol=1e-6)
        np.testing.assert_allclose(jacobian[1], np.diag([2.0, 3.0, 4.0]))
    assert set(seen) == {(True, False)}


EXPONENTIAL = np.frompyfunc(math.exp, 1, 1)
LENGTH = np.frompyfunc(math.hypot, 2, 1)
BRANCHING = np.frompyfunc(lambda a, b: a * b if a > b else a + b, 2, 1)
OBJECTS = np.empty(3, dtype=object)
OBJECTS_HELD = {"work": [np.array([0.0] * 3, dtype=object)]}


def filled(made: Any, value: Any) -> Any:
    made[...] = value
    return made


def multiplied(made: Any, key: Any, value: Any) -> Any:
    made[key] *= value
    return made


def put(made: Any, value: Any) -> Any:
    made.put([0, 2], value)
    return made


def written_by(write: Callable, *args: Any, **kwargs: Any) -> Any:
    """An array of numbers as objects, into which one of NumPy's functions writes."""
    made = np.array([[1.0, 2.0, 3.0]] * 3, dtype=object)
    write(made, *args, **kwargs)
    return made


def added_at(made: Any, value: Any) -> Any:
    np.add.at(made, [0, 0, 1], value)
    return made


CASTS: dict[str, Callable] = {
    "astype": lambda x: x.astype(object) * 3.0,
    "array": lambda x: np.array(x, dtype=object) ** 2,
    "asarray of rows": lambda x: np.asarray(x.reshape(1, 3), dtype="O").T @ np.ones((1, 2)),
    "transposed": lambda x: multiplied(np.stack([x, x * x]).T.astype(object), 0, 2.0),
    "an element": lambda x: [np.array(x[0], dtype=object) * 2, x[1].astype(object) * x[2]],
    "and back into numbers": lambda x: filled(np.zeros(3), x.astype(object) * x[0]),
    "a whole": lambda x: filled(np.empty(3, dtype=object), x) * x[1],
    "a part": lambda x: multiplied(filled(np.full(3, 0.0, dtype=object), x[0]), slice(1, 3), x[:2]),
    "in place": lambda x: multiplied(np.array([1, 2.0, 3], dtype=object), [0, 2], x[1:]),
    "flat": lambda x: filled(np.empty((1, 3), dtype=object).flat, x).base * x[0],
    "a part of flat": lambda x: sum(filled(x.astype(object).flat, x[1])) * x[:1],
    "put": lambda x: put(np.array(x, dtype=object), x[1]),
    "copyto": lambda x: written_by(np.copyto, x) * x[0],
    "copyto where": lambda x: written_by(np.copyto, x[1], where=[True, False, True]) * x[0],
    "put by a function": lambda x: written_by(np.put, [0, 4], x) * x[0],
    "place": lambda x: written_by(np.place, np.eye(3) > 0, x[:2]) * x[0],
    "putmask": lambda x: written_by(np.putmask, np.eye(3) > 0, x * x) * x[0],
    "a diagonal": lambda x: written_by(np.fill_diagonal, x) * x[0],
    "along an axis": lambda x: written_by(np.put_along_axis, np.array([[2], [0], [1]]), x[:, None], 1) * x[0],
    "arrays as elements": lambda x: filled(np.empty(2, dtype=object), [x[:1], x[1:]]) * x[0],
    "arrays of one length as elements": lambda x: filled(np.empty(2, dtype=object), [x[:2], x[1:]]) * x[0],
    "rows and numbers": lambda x: filled(np.empty((2, 3), dtype=object), [x, [x[2], 1.0, x[0]]]) * x[1],
    "add.at": lambda x: added_at(x.astype(object), x[2]),
    "accumulated": lambda x: np.add.accumulate(x.astype(object)),
    "sorted and multiplied": lambda x: np.sort(x.astype(object)[::-1])[:2] * x[0],
    "as a list": lambda x: np.array(x.astype(object).tolist()),
    "complex": lambda x: [abs(v) ** 2 for v in (x * (1 + 2j)).astype(object)],
    "frompyfunc of math": lambda x: EXPONENTIAL(x),
    "frompyfunc reduced": lambda x: [LENGTH.reduce(x), BRANCHING.reduce(x)],
    "frompyfunc reduced by rows": lambda x: BRANCHING.reduce(np.stack([x, 1 / x]), axis=0),
    "frompyfunc reduced from a start": lambda x: BRANCHING.reduce(x, initial=3 * x[0]),
    "frompyfunc accumulated": lambda x: BRANCHING.accumulate(x),
    "frompyfunc reduceat": lambda x: LENGTH.reduceat(x, [0, 2]),
    "frompyfunc outer": lambda x: LENGTH.outer(x, [1.0, 2.0]),
    "frompyfunc made inside": lambda x: np.frompyfunc(math.pow, 2, 1)(x, x[::-1]),
}
KEPT: dict[str, Callable] = {
    "a whole, from before": lambda x: filled(OBJECTS, x) * x[1],
    "in place, from before": lambda x: multiplied(filled(OBJECTS_HELD["work"][0], 2.0), slice(1, 3), x[:2]),
}


def as_rows(made: Any) -> Any:
    return np.concatenate(numbers(made))


@pytest.mark.parametrize("program", CASTS.values(), ids=list(CASTS))
def test_casts_to_objects_are_followed_on_a_tape(program: Callable) -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(X.copy())
        y = as_rows(program(x))
    np.testing.assert_array_equal(np.array(y), as_rows(program(X)))
    assert described(program(X)) == described(program(X.copy()))
    expected = finite_difference.jacobian(lambda x: as_rows(program(x)), method="3-point")(X)
    np.testing.assert_allclose(tape.jacobian(y, x), expected, atol=1e-7)


@pytest.mark.parametrize("program", {**CASTS, **KEPT}.values(), ids=list({**CASTS, **KEPT}))
def test_casts_to_objects_are_followed_in_functions(program: Callable) -> None:
    expected = finite_difference.jacobian(lambda x: as_rows(program(x)), method="3-point")(X)
    for mode in ("reverse", "forward"):
        shown = []

        def f(x: Any, shown: list = shown) -> Any:
            made = program(x)
            shown.append(described(made))
            return as_rows(made)

        value, jacobian = ng.value_and_jacobian(f, mode=mode)(X)
        np.testing.assert_array_equal(value, f(X))
        assert shown[0] == shown[-1]
        np.testing.assert_allclose(jacobian, expected, atol=1e-7)
    assert [type(item) for item in OBJECTS] in ([type(None)] * 3, [float] * 3)


def test_constants_cast_to_objects_are_heard_later() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        work = np.zeros(3).astype(object)
        work[1:] = x[:2]
        y = (work * work).astype(float).sum()
    np.testing.assert_array_equal(tape.gradient(y, x), [1.0, 3.0, 0.0])
