"""np.nditer while a tape records: its elements are views of traced arrays, for reading and for writing."""

from __future__ import annotations

from builtins import type
from typing import Any

import numpy as np
import pytest
from comparisons import assert_same_bits

import npgrad as ng
from npgrad.testing import check_gradients

X = np.array([0.4, 0.7, 1.2, 1.9])


def reads(x: Any) -> Any:
    total = 0.0
    for value in np.nditer(x):
        total = total + value * value * total + value
    return total


def reads_in_the_order_of_memory(x: Any) -> Any:
    m = np.outer(x, x[:2])
    return [v * (i + 1) for order in "CFK" for i, v in enumerate(np.nditer(m.T, order=order))]


def reads_loops(x: Any) -> Any:
    m = np.outer(x, x)[::2]
    return [v * v.sum() for v in np.nditer(m, ["external_loop"], order="F")]


def broadcasts(x: Any) -> Any:
    return [a * b + c for a, b, c in np.nditer([x, np.outer(x, x), np.arange(4)])]


def writes_into_a_new_array(x: Any) -> Any:
    y = np.zeros(4)
    for plain, out in np.nditer([np.arange(4.0), y], [], [["readonly"], ["writeonly"]]):
        out[...] = plain * x[1]
    return y * x


def writes_into_what_is_watched(x: Any) -> Any:
    x = x * 1.0
    with np.nditer(x, op_flags=["readwrite"]) as it:
        for value in it:
            value[...] = 2 * value * x[0]
    return x


def writes_by_index(x: Any) -> Any:
    y = np.full((2, 4), 0.5, order="F")
    it = np.nditer(y, ["multi_index", "c_index"], ["readwrite"])
    while not it.finished:
        i, j = it.multi_index
        it[0] = x[j] * it[0] * (it.index + it.iterindex) + y[i - 1, j]
        it.iternext()
    return y


def allocates(x: Any) -> Any:
    it = np.nditer([x.reshape(2, 2), [x[0], 2.0], x[3], None])
    assert len(it) == it.nop == 4
    for a, b, c, out in it:
        out[...] = a * b * c
    return it.operands[3] * it.operands[0]


def allocates_for_plain_data(x: Any) -> Any:
    it = np.nditer([np.arange(4.0), None])
    for plain, out in it:
        out[...] = plain * x[2]
    return it.operands[1]


def reduces(x: Any) -> Any:
    m = np.outer(x, x)
    it = np.nditer([m, None], ["reduce_ok"], [["readonly"], ["readwrite", "allocate"]], op_axes=[None, [0, -1]])
    it.operands[1][...] = 0
    it.reset()
    for value, total in it:
        total[...] += value
    return it.operands[1]


def nests(x: Any) -> Any:
    y = np.outer(x, x)
    outer, inner = np.nested_iters([y, y + x], [[0], [1]], op_flags=[["readwrite"], ["readonly"]])
    for _ in outer:
        for value, factor in inner:
            value[...] = value * factor
    return y


def starts_in_the_middle(x: Any) -> Any:
    it = np.nditer(x, ["multi_index"])
    it.multi_index = (2,)
    other = it.copy()
    it.reset()
    return np.array([it.value, other[0], *other[0:1], other.value]) * x



PROGRAMS = [
    reads, reads_in_the_order_of_memory, reads_loops, broadcasts, writes_into_a_new_array, writes_into_what_is_watched,
    writes_by_index, allocates, allocates_for_plain_data, reduces, nests, starts_in_the_middle,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_value_and_derivatives(program: Any) -> None:
    plain = program(X.copy())
    with ng.GradientTape() as tape:
        found = program(tape.watch(X.copy()))
    for a, b in zip(found, plain, strict=True) if isinstance(plain, list) else [(found, plain)]:
        assert_same_bits(a, b)
    check_gradients(program, X)


def test_elements_that_are_only_read_refuse_writes() -> None:
    with ng.GradientTape() as tape:
        it = np.nditer(tape.watch(X))
        with pytest.raises(ValueError, match="read-only"):
            it[0] = 1.0


@pytest.mark.parametrize(
    "program",
    [
        lambda x: [1.0 * v for v in np.nditer(x, ["buffered"], op_dtypes=["f4"], casting="same_kind")],
        lambda x: [
            v.__setitem__(..., x[0])
            for v in np.nditer(np.zeros(4), ["buffered"], [["writeonly"]], op_dtypes=["f4"], casting="unsafe")
        ],
    ],
)
def test_buffers_are_refused(program: Any) -> None:
    with pytest.raises(ng.LeakError, match="nditer with buffers"):
        ng.jacobian(program)(X)


def test_plain_data_in_a_tape_and_no_tape() -> None:
    it = np.nditer(X)
    with ng.GradientTape():
        inside = np.nditer(np.arange(3))
        assert type(inside) is type(it)
    assert isinstance(np.nditer(X), np.nditer)
    assert list(map(float, it)) == X.tolist()
