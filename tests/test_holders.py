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
    "text": lambda: np.array(["1", "2", "3"]).astype(float),
    "bytes": lambda: np.array([b"1", b"2", b"3"]).astype(float),
    "times": lambda: (np.array(["2020-01-02"] * 3, "M8[D]") - np.datetime64("2020-01-01")) / np.timedelta64(1, "D"),
    "days": lambda: np.arange("2020-01-01", "2020-01-04", dtype="M8[D]").astype(float),
    "objects": lambda: np.array([1, 2, 3], dtype=object).astype(float),
    "np.frompyfunc": lambda: np.frompyfunc(lambda i: i * 1.0, 1, 1)(np.arange(3)).astype(float),
    "np.poly1d": lambda: np.poly1d([1.0, 2.0, 3.0]).c,
    "np.poly1d of a list": lambda: np.poly1d([1.0, 2.0, 3.0])([1, 2, 3]),
    "indices": lambda: np.triu_indices(2)[1] * 1.0,
    "indices of a diagonal": lambda: np.diag_indices(3)[0] / 2,
    "nonzero of a list": lambda: np.nonzero([1.0, 2.0, 3.0])[0] * 1.0,
    "the other byte order": lambda: np.zeros(3).byteswap(),
    "a product with integers": lambda: np.arange(3).dot(np.eye(3)),
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
    with pytest.raises(ng.LeakError, match=r"put into a structured array\. Use an array of numbers for each field"):
        ng.grad(lambda x: np.fromiter(((v, 2) for v in x), dtype=FIELDS)["a"].sum())(X)
    with pytest.raises(ng.LeakError, match=r"takes plain numbers from a traced array\. Use an array of numbers for each"):
        ng.grad(lambda x: x.astype(FIELDS)["a"].sum())(X)


FOLLOWED = [
    lambda x: np.frompyfunc(lambda i: x[i] * 2, 1, 1)(np.arange(3)).astype(float),
    lambda x: np.frompyfunc(lambda a, b: a * b, 2, 1).outer(x, np.arange(3)).astype(float),
    lambda x: np.arange(3).dot(x) * np.arange(6).reshape(2, 3).dot(np.outer(x, x)),
    lambda x: np.array([0, 1, 0]).choose([x, 2 * x]),
    lambda x: np.arange(3).clip(0.5, x[1] + 1),
    lambda x: np.array(["1", "2", "3"]).astype(float) * x,
    lambda x: x[np.array(["ab", "bc", "ab"]) == "ab"] * len(np.unique(np.array(["a", "a"]))),
    lambda x: dict(zip(np.array(["ab", "bc", "cd"]), x, strict=True))["bc"],
    lambda x: x[np.char.startswith(np.array(["ab", "bc", "ad"]), "a")],
]

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
@pytest.mark.parametrize("program", [*FOLLOWED, *CONSTANTS])
def test_what_is_made_of_constants_of_other_kinds_is_numpys(program: Any) -> None:
    expected = program(X)
    found, jacobian = ng.value_and_jacobian(program)(X)
    np.testing.assert_array_equal(found, expected, strict=True)
    np.testing.assert_allclose(jacobian, ng.finite_difference.jacobian(program)(X), atol=1e-8)


class Computing(np.ndarray):
    """As NumPy's documentation has it."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        plain = [value.view(np.ndarray) if isinstance(value, Computing) else value for value in inputs]
        made = super().__array_ufunc__(ufunc, method, *plain, **kwargs)
        return made.view(Computing) if isinstance(made, np.ndarray) else made


def _by_flat(a: Any, x: Any) -> None:
    a.flat = x


def _by_part_of_flat(a: Any, x: Any) -> None:
    a.flat[:] = x


def _by_element(a: Any, x: Any) -> None:
    a.flat[0] = x[0]


def _by_real_part(a: Any, x: Any) -> None:
    a.real = x


def _by_view(a: Any, x: Any) -> None:
    a.view(np.ndarray)[...] = x


def _by_array(a: Any, x: Any) -> None:
    np.asarray(a)[...] = x


def _by_split(a: Any, x: Any) -> None:
    np.split(np.asarray(a).reshape(3), 3)[0][:] = x[0]


def _by_nditer(a: Any, x: Any) -> None:
    for element, value in zip(np.nditer(a, op_flags=["readwrite"]), x, strict=True):  # type: ignore[call-overload]
        element[...] = value


def _by_strides(a: Any, x: Any) -> None:
    np.lib.stride_tricks.as_strided(a, (1,), (8,))[:] = x[0]


WAYS = [
    _by_flat, _by_part_of_flat, _by_element, _by_real_part, _by_view, _by_array, _by_split, _by_nditer, _by_strides,
]  # fmt: skip
OF_OTHER_KINDS: dict[str, Callable[[], Any]] = {
    "a field": lambda: np.zeros(3, FIELDS)["a"],
    "a matrix": lambda: np.asmatrix(np.zeros((1, 3))),
    "the array of a matrix": lambda: np.matrix([[0.0, 0.0, 0.0]]).A1,
    "the data of a masked array": lambda: np.ma.zeros(3).data,
    "a class": lambda: np.zeros(3).view(Vector),
}


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", OF_OTHER_KINDS)
def test_no_way_into_such_an_array_loses_a_derivative(kind: str, way: Any) -> None:
    """Neither into one that is made while the tape records nor, for the functional API, into one from before."""

    def inside(x: Any) -> Any:
        a = OF_OTHER_KINDS[kind]()
        way(a, x)
        return np.sum(np.asarray(a))

    kept = OF_OTHER_KINDS[kind]()

    def before(x: Any) -> Any:
        way(kept, x)
        return np.sum(np.asarray(kept))

    assert inside(X) == before(X) > 0
    for program in (inside, before):
        gradient = ng.grad(program)
        for _ in range(2):
            try:
                found = gradient(X)
            except ng.LeakError as error:
                assert re.search(r"test_holders.py:\d+: .*(traced data is|reads its)", str(error))
            else:
                assert found.sum() == (1 if way in (_by_element, _by_split, _by_strides) else 3)
    assert type(vars(Vector).get("flat")) is type(vars(Vector).get("view")) is type(None)


def _constants_in_a_field(x: Any) -> Any:
    field = np.zeros(3, FIELDS)["a"]
    field.flat = [1.0, 2.0, 3.0]
    field.flat[1] = 7.0
    field.real = field * 2
    plain = field.view(np.ndarray)
    plain[0] = 9.0
    for element in np.nditer(field, op_flags=["readwrite"]):  # type: ignore[call-overload]
        element[...] = element + 1
    return (x * field).sum() + sum(field.flat) + np.array(field.flat).sum() + len(field.flat) * (plain @ x)


def _constants_in_a_class(x: Any) -> Any:
    a = np.arange(3.0).view(Vector)
    a.fill(2.0)
    a.flat = [3.0, 4.0, 5.0]
    a.flat[0] = 1.0
    plain = a.view(np.ndarray)
    plain[1] = 8.0
    a.put([2], 6.0)
    return (plain * x).sum() + float(np.sum(a)) + a.view(np.ndarray) @ x + sum(a.flat)


def _arithmetic_of_a_class(x: Any) -> Any:
    a = np.arange(3.0).view(Computing)
    made = a * 2 + np.sqrt(a)
    assert type(made) is Computing
    return (np.asarray(made) * x).sum() + float(made.sum())


def _constants_in_a_masked_array(x: Any) -> Any:
    a = np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0])
    a.flat[0] = 3.0
    a._data[2] = 8.0
    return (x * a.filled(0.0)).sum() + a.mean() + a.std()


@pytest.mark.parametrize(
    "program", [_constants_in_a_field, _constants_in_a_class, _arithmetic_of_a_class, _constants_in_a_masked_array]
)
def test_constants_go_all_these_ways(program: Any) -> None:
    found, gradient = ng.value_and_grad(program)(X)
    assert found == program(X)
    np.testing.assert_allclose(gradient, ng.finite_difference.jacobian(program)(X), rtol=1e-6)


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
