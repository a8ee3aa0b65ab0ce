"""Arrays that no tape follows and that are made while one records: constants pass through them, tracked data does not."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npgrad as ng

X = np.array([0.3, 0.5, 0.7])


class Vector(np.ndarray):
    """As programs write them."""

    def __new__(cls, data: Any) -> Any:
        return np.asarray(data, float).view(cls)


FIELDS = np.dtype([("a", float), ("n", "i4")])


def archived(a: Any) -> Any:
    file = io.BytesIO()
    np.savez(file, a=a)
    file.seek(0)
    return np.load(file)["a"]


# Arrays whose parts take what is written into them without asking anybody.
HOLDING: dict[str, Callable[[], Any]] = {
    "np.recarray": lambda: np.recarray(3, FIELDS).a,
    "an item of a np.recarray": lambda: np.recarray(3, FIELDS)["a"],
    "np.rec.array": lambda: np.rec.array([(1.0, 2)] * 3, dtype=FIELDS).a,
    "np.rec.fromarrays": lambda: np.rec.fromarrays([np.zeros(3), np.arange(3)], names="a,n").a,
    "fromiter": lambda: np.fromiter(((v, 2) for v in range(3)), dtype=FIELDS)["a"],
    "sorted": lambda: np.sort(np.zeros(3, FIELDS), order="a")["a"],
    "astype": lambda: np.zeros(3).astype(FIELDS)["a"],
    "filled": lambda: np.ma.zeros(3).filled(0.0),
    "compressed": lambda: np.ma.zeros(3).compressed(),
    "data": lambda: np.ma.zeros(3).data,
    "getdata": lambda: np.ma.getdata(np.ma.zeros(3)),
    "flat": lambda: np.ma.zeros(3).flat,
    "view": lambda: np.ma.zeros(3).view(np.ndarray),
    "asarray of a masked array": lambda: np.asarray(np.ma.zeros(3)),
    "asarray of a matrix": lambda: np.asarray(np.matrix(np.zeros((1, 3))))[0],
    "A": lambda: np.matrix(np.zeros((1, 3))).A[0],
    "A1": lambda: np.matrix(np.zeros((1, 3))).A1,
    "a class": lambda: Vector([0.0, 0.0, 0.0]),
    "a view as a class": lambda: np.zeros(3).view(Vector),
    "an archive": lambda: archived(np.zeros(3)),
    "an array of a masked array": lambda: np.array(np.ma.zeros(3)),
}


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("name", HOLDING)
def test_no_array_that_is_made_while_a_tape_records_loses_a_derivative(name: str) -> None:
    """What is written into it is followed or refused, with the class's own methods back in their places afterwards."""

    def program(x: Any) -> Any:
        made = HOLDING[name]()
        made[:] = x
        return np.sum(np.asarray(made))

    before = dict(vars(Vector))
    try:
        found: Any = ng.grad(program)(X)
    except ng.LeakError as error:
        assert re.search(r"test_holders.py:\d+: traced data is written into a", str(error))
    else:
        np.testing.assert_array_equal(found, np.ones(3))
    assert dict(vars(Vector)) == before or sys.version_info >= (3, 13)
    HOLDING[name]()[:] = 1.0


def test_structured_arrays_of_tracked_data_are_refused() -> None:
    with pytest.raises(ng.LeakError, match="traced data is put into a structured array"):
        ng.grad(lambda x: np.fromiter(((v, 2) for v in x), dtype=FIELDS)["a"].sum())(X)
    with pytest.raises(ng.LeakError, match="takes plain numbers from a traced array"):
        ng.grad(lambda x: x.astype(FIELDS)["a"].sum())(X)


CONSTANTS = [
    lambda x: x[~np.ma.masked_less(np.array([1.0, -1.0, 2.0]), 0).mask],
    lambda x: x * np.ma.masked_array(np.array([1.0, -1.0, 2.0]), mask=[0, 1, 0]).filled(0.0),
    lambda x: x * np.ma.masked_invalid(np.array([1.0, np.nan, 2.0])).std(),
    lambda x: x * (2 * np.ma.masked_invalid(np.array([1.0, np.nan, 2.0])) + np.ones(3)).sum(),
    lambda x: x * (np.ones(3) / np.ma.masked_invalid(np.array([1.0, np.nan, 2.0]))).sum(),
    lambda x: x * np.ma.masked_equal(np.array([1.0, 0.0, 2.0]), 0)[0],
    lambda x: x * np.ma.median(np.ma.array(np.array([1.0, 2.0, 3.0]), mask=[0, 0, 1])),
    lambda x: x * np.ma.log(np.array([1.0, -1.0, 2.0])).sum(),
    lambda x: x * np.sqrt(np.ma.array(np.ones(3), mask=[0, 0, 1])).sum(),
    lambda x: x * np.multiply(np.ones(3), np.ma.array(np.ones(3), mask=[0, 0, 1])).sum(),
    lambda x: np.asarray(np.matrix("1 2 0; 0 1 1; 2 0 1") * np.eye(3)) @ x,
    lambda x: np.asarray(np.eye(3) * np.matrix("1 2 0; 0 1 1; 2 0 1")) @ x,
    lambda x: x * (np.matrix("1; 2; 3").T @ np.ones(3)).sum(),
    lambda x: x * float((Vector([1.0, 2.0, 3.0]) + np.ones(3)).max()),
    lambda x: x * np.asarray(Vector([1.0, 2.0, 3.0]) * 2.0),
]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("number", range(len(CONSTANTS)))
def test_masked_arrays_matrices_and_own_classes_of_constants_are_numpys(number: int) -> None:
    program = CONSTANTS[number]
    expected = program(X)
    found, jacobian = ng.value_and_jacobian(program)(X)
    np.testing.assert_array_equal(found, expected, strict=True)
    np.testing.assert_allclose(jacobian, ng.finite_difference.jacobian(program)(X), atol=1e-8)


def test_memory_that_other_classes_look_at() -> None:
    """They would neither hear that it is tracked, nor leave alone what a derivative needs."""

    def tracked_afterwards(look: Any) -> Any:
        def program(x: Any) -> Any:
            a = np.ones(3)
            seen = look(a)
            a[:] = x
            return seen.sum()

        return program

    def saved(x: Any) -> Any:
        a = np.ones(3)
        seen = a.view(Vector)
        y = x * a
        seen[:] = 5.0
        return (y * a).sum()

    for look in (lambda a: a.view(Vector), np.ma.array, lambda a: np.ma.masked_array(a, [0, 0, 1])):
        with pytest.raises(ng.LeakError, match="memory an array of another class looks at"):
            ng.grad(tracked_afterwards(look))(X)
    with pytest.raises(ng.LeakError, match="an array of another class may overwrite unseen"):
        ng.grad(saved)(X)
