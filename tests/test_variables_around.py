"""NumPy's functions, types and generators in the variables of the function that enters a tape; they are back afterwards.

This module compares nothing by ``is``, before which types of numbers stay themselves.
"""

import asyncio
import contextlib
import functools
import gc
import operator
import sys
import weakref
from builtins import type
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import npgrad as ng

X = np.array([2.0, 3.0])


def filled(out, x):
    out[:] = x
    return out


# Each enters a tape and has the derivatives of x[0] * x[1].
def by_type(kind=np.float32):
    single = kind
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = single(x[0]) * x[1]
    assert operator.is_(single, np.float32)
    return tape.gradient(y, x)


def by_creator():
    make, like = np.zeros, np.zeros_like
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = filled(make(2), x).prod() * filled(like(X), x)[0] / x[0]
    assert operator.is_(make, np.zeros)
    return tape.gradient(y, x)


def by_ufunc():
    multiply, reduced = np.multiply, np.multiply.reduce
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = multiply([x[0]], [x[1]])[0] * reduced(x) / multiply(x[0], x[1])
    assert operator.is_(multiply, np.multiply)
    return tape.gradient(y, x)


def by_table():
    table = {"kinds": (np.float32, [np.complex64])}
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = table["kinds"][0](x[0]) * table["kinds"][1][0](x[1]).real
    assert operator.is_(table["kinds"][0], np.float32) and operator.is_(table["kinds"][1][0], np.complex64)
    return tape.gradient(y, x)


def by_object():
    class Box:
        def __init__(self):
            self.kind = np.float32

        def value(self):
            with ng.GradientTape() as tape:
                x = tape.watch(X)
                y = self.kind(x[0]) * x[1]
            return tape.gradient(y, x)

    box = Box()
    found = box.value()
    assert operator.is_(box.kind, np.float32)
    return found


def by_function_of_its_own():
    kind = np.complex64

    def real(value, single=np.float32):
        return single(kind(value).real)

    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = real(x[0]) * x[1]
    assert operator.is_(kind, np.complex64) and operator.is_(real.__defaults__[0], np.float32)
    return tape.gradient(y, x)


def by_shared_variable():
    kind = np.float32

    def value(x):
        return kind(x[0])

    def inner():
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            y = kind(value(x)) * x[1]
        return tape.gradient(y, x)

    found = inner()
    assert operator.is_(kind, np.float32)
    return found


def by_partial():
    single = functools.partial(np.float32)
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = single(x[0]) * x[1]
    assert operator.is_(single.func, np.float32)
    return tape.gradient(y, x)


def by_exit_stack():
    kind = np.float32
    with contextlib.ExitStack() as stack:
        tape = stack.enter_context(ng.GradientTape())
        x = tape.watch(X)
        y = kind(x[0]) * x[1]
    assert operator.is_(kind, np.float32)
    return tape.gradient(y, x)


def by_nested_tapes():
    kind = np.float32
    with ng.GradientTape() as outer:
        x = outer.watch(X)
        with ng.GradientTape() as inner:
            inner.watch(x)
            y = kind(x[0]) * x[0] * x[1] / 2
        z = inner.gradient(y, x)[0]  # x[0] * x[1]
    assert operator.is_(kind, np.float32)
    return outer.gradient(z, x)


def by_generator():
    def rows() -> Iterator[Any]:
        kind = np.float32
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            yield
            y = kind(x[0]) * x[1]
        assert operator.is_(kind, np.float32)
        yield tape.gradient(y, x)

    return list(rows())[1]


def by_coroutine():
    async def step() -> Any:
        kind = np.float32
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            await asyncio.sleep(0)
            y = kind(x[0]) * x[1]
        assert operator.is_(kind, np.float32)
        return tape.gradient(y, x)

    return asyncio.run(step())


WAYS = [
    by_type, by_creator, by_ufunc, by_table, by_object, by_function_of_its_own, by_shared_variable, by_partial,
    by_exit_stack, by_nested_tapes, by_generator, by_coroutine,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_variables_hold_is_followed(way: Callable) -> None:
    for _ in range(2):
        np.testing.assert_allclose(way(), [3.0, 2.0], rtol=1e-6)


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
def test_a_generator_refuses_tracked_parameters(make: Callable) -> None:
    generator, again = make(0), make(0)
    draw = generator.normal
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        for refused in (generator.normal, draw):
            with pytest.raises(ng.LeakError, match="random generator"):
                refused(x, 1.0)
        first = generator.normal(0.0, 1.0)
    assert [first, generator.normal(), draw()] == [again.normal(), again.normal(), again.normal()]
    assert type(generator) == type(again)  # noqa: E721


def test_what_the_block_changes_stays() -> None:
    kind, make, gone, kept = np.float32, np.zeros, np.ones, 1
    with ng.GradientTape():
        kind = len
        made = make
        del gone
        kept += 1
    assert kind([1]) == 1 and kept == 2 and operator.is_(make, np.zeros)
    assert made(2).tolist() == [0.0, 0.0]
    with pytest.raises(UnboundLocalError):
        print(gone)  # noqa: F821


def test_they_are_back_after_an_error() -> None:
    kind, table = np.float32, [np.zeros]
    with pytest.raises(ZeroDivisionError), ng.GradientTape():
        assert type(kind).__name__ == "FormOfClass"
        raise ZeroDivisionError
    assert operator.is_(kind, np.float32) and operator.is_(table[0], np.zeros)


def test_what_locals_has_given_stays() -> None:
    kind = np.float32
    given = locals()
    given["more"] = 1
    with ng.GradientTape():
        pass
    assert given["more"] == 1 and given["kind"] == kind


def test_variables_are_not_kept() -> None:
    """Neither by the tape nor by what Python makes for those who ask for variables."""
    kind, array = np.float32, np.zeros(3)
    gone = weakref.ref(array)
    with ng.GradientTape():
        kind(1.0)
    with ng.GradientTape():
        del array
        gc.collect()
        assert operator.is_(gone(), None)


def test_the_functional_api_leaves_variables_of_its_caller() -> None:
    kind, found = np.float32, []

    def looks(x):
        found.append(type(sys._getframe(depth).f_locals["kind"]))
        return x * 2.0

    depth = 0
    while depth < 50 and not found:
        depth += 1
        with contextlib.suppress(KeyError, ValueError):
            ng.grad(looks)(1.0)
    assert found == [type] and operator.is_(kind, np.float32)
