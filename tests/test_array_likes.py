"""Objects that NumPy makes arrays of beside traced arrays: of plain data, and holding traced data."""

from __future__ import annotations

import array
import collections
import operator
from typing import Any, NamedTuple

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
    # NumPy's dispatch sees the array beside it, or nothing at all.
    "dot": lambda given, x: np.dot(x, given) + np.dot(given, x),
    "outer": lambda given, x: np.outer(x, given),
    "where": lambda given, x: np.where([True, False, True], given, 0.0),
    "norm": lambda given, x: np.linalg.norm(given),
    "solve": lambda given, x: np.linalg.solve(np.diag(x), given),
    "convolve": lambda given, x: np.convolve(x, given),
    "einsum": lambda given, x: np.einsum("i,i", x, given),
    "interp": lambda given, x: np.interp(0.7, [0.0, 1.0, 2.0], given),
    "full": lambda given, x: np.full((2, 3), given),
    "full_like": lambda given, x: np.full_like(x, given),
    "linspace": lambda given, x: np.linspace(x, given, 3),
    "list": lambda given, x: np.array([x, given]) + np.array([[given], [x]])[:, 0],
    "polyval": lambda given, x: np.polyval(given, 0.5),
    "cumsum": lambda given, x: np.cumsum(given),
    "repeat": lambda given, x: np.repeat(given, 2),
    "reshape": lambda given, x: np.reshape(given, (3, 1)),
    "broadcast_to": lambda given, x: np.broadcast_to(given, (2, 3)) * 1.0,
    "windows": lambda given, x: np.lib.stride_tricks.sliding_window_view(given, 2) * 1.0,
    "fft": lambda given, x: np.abs(np.fft.fft(given)) ** 2,
    "sqrt": lambda given, x: np.emath.sqrt(given),
    "block": lambda given, x: np.block([[given, x], [x, given]]),
    "method": lambda given, x: x.dot(given),
    "store": lambda given, x: _stored(np.zeros(3), given),
    "store of a part": lambda given, x: _stored(np.zeros((2, 3))[0], given),
    "copyto": lambda given, x: _changed(np.zeros(3), lambda u: np.copyto(u, given)),
    "put": lambda given, x: _changed(np.zeros(3), lambda u: np.put(u, [0, 2], given)),
    "add.at": lambda given, x: _changed(np.zeros(3), lambda u: np.add.at(u, [0, 2, 2], given)),
    "diagonal": lambda given, x: _changed(np.zeros((3, 3)), lambda u: np.fill_diagonal(u, given)),
    "flat": lambda given, x: _changed(np.zeros(3), lambda u: u.flat.__setitem__(slice(None), given)),
    "outer of a ufunc": lambda given, x: np.multiply.outer(x, given),
    "out": lambda given, x: _changed(np.zeros(3), lambda u: np.multiply(given, x, out=u)),
}


def _stored(target: Any, value: Any) -> Any:
    target[...] = value
    return target * 1.0


def _changed(target: Any, change: Any) -> Any:
    change(target)
    return target * 1.0


@pytest.mark.parametrize("name", HOLDERS)
def test_objects_that_hold_traced_arrays(name: str) -> None:
    check_gradients(lambda x: HOLDERS[name](Given(x * x), x), POINT)


# --- Sequences that are neither lists nor tuples --------------------------------------------------------------------------


class State(NamedTuple):
    a: Any
    b: Any
    c: Any


class Rows(list):
    """A list of the user's own class."""


class Indexed:
    """What NumPy asks for its length and its items, which is all there is."""

    def __init__(self, items: Any) -> None:
        self.items = list(items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, position: int) -> Any:
        return self.items[position]


SEQUENCES: dict[str, Any] = {
    "deque": collections.deque, "UserList": collections.UserList, "namedtuple": lambda items: State(*items), "Rows": Rows,
    "Indexed": Indexed,
}  # fmt: skip
OF_SEQUENCES: dict[str, Any] = {
    "array": lambda items, x: np.array(items),
    "asarray": lambda items, x: np.asarray(items) ** 2,
    "array in a list": lambda items, x: np.array([items, items]),
    "stack": lambda items, x: np.stack(items),
    "vstack": lambda items, x: np.vstack(items),
    "column_stack": lambda items, x: np.column_stack(items),
    "sum": lambda items, x: np.sum(items, axis=0),
    "mean": lambda items, x: np.mean(items),
    "median": lambda items, x: np.median(items),
    "max": lambda items, x: np.max(items, axis=0),
    "norm": lambda items, x: np.linalg.norm(items),
    "dot": lambda items, x: np.dot(items, x),
    "where": lambda items, x: np.where(True, items, 0.0),
    "average": lambda items, x: np.average(items, axis=0),
    "cumsum": lambda items, x: np.cumsum(items),
    "sort": lambda items, x: np.sort(items, axis=0),
    "full": lambda items, x: np.full((3,) * np.ndim(np.array(list(items))), items),
    "polyval": lambda items, x: np.polyval(items, 0.5),
    "outer": lambda items, x: np.outer(items, x),
    "einsum": lambda items, x: np.einsum("...i->...", items) * 1.0,
    "linspace": lambda items, x: np.linspace(0.0, items, 3),
    "tile": lambda items, x: np.tile(items, 2),
    "insert": lambda items, x: np.insert(np.zeros((3, 3)), 0, items, axis=0),
    "diff": lambda items, x: np.diff(items, axis=0),
    "add": lambda items, x: np.add(items, x),
    "store": lambda items, x: _stored(np.zeros((3, 3)), items),
    "copyto": lambda items, x: _changed(np.zeros((3, 3)), lambda u: np.copyto(u, items)),
    "block": lambda items, x: np.block(items),
}


@pytest.mark.parametrize("name", OF_SEQUENCES)
@pytest.mark.parametrize("kind", SEQUENCES)
@pytest.mark.parametrize("items", ["rows", "numbers"])
def test_sequences_that_hold_traced_data(kind: str, name: str, items: str) -> None:
    def program(x: Any) -> Any:
        held = [x * x, x[::-1] * 2.0, np.sin(x)] if items == "rows" else [x[0] * x[1], x[2] * 1.5, np.sin(x[1])]
        return OF_SEQUENCES[name](SEQUENCES[kind](held), x)

    try:
        program(POINT)
    except (TypeError, ValueError):
        return  # NumPy does not take it either
    check_gradients(program, POINT)


@pytest.mark.parametrize("name", ["dot", "sum", "stack", "concatenate", "take", "where", "asarray"])
def test_flat_iterators_stand_for_their_elements(name: str) -> None:
    more = {"dot": (2.0,), "take": ([0, 3],), "where": (0.0,)}.get(name, ())

    def program(m: Any) -> Any:
        flat = m.T.flat
        first = ([flat, flat],) if name in ("stack", "concatenate") else (True, flat) if name == "where" else (flat,)
        return getattr(np, name)(*first, *more) ** 2

    check_gradients(program, np.array([[0.4, 1.3], [2.1, 0.7]]))


def test_what_numpy_does_not_iterate_is_given_on_as_it_is() -> None:
    table = {"a": 1.0}
    with ng.GradientTape():
        assert np.array(table).dtype == object and np.array("abc").shape == () and np.array(range(3)).shape == (3,)
        assert np.zeros(2, np.dtype([("a", float)])).dtype.names == ("a",)
        assert np.sum([1.0, 2.0], axis=State(0, 0, 0)[:1]) == 3.0


def test_operators_with_objects_are_no_leaks() -> None:
    """NumPy asks for the priority of both before it calls a hook, as it does in ``plain.dot(traced)``, which is one."""
    with ng.GradientTape() as tape:
        x = tape.watch(POINT)
        y = x * Given(POINT) + (x > Given(POINT))
    assert tape.gradient(y, x).tolist() == POINT.tolist()
