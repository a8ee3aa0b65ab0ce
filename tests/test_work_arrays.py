"""Work arrays that a module keeps in objects of Python's: what a function writes there is followed, and put back."""

from __future__ import annotations

import argparse
import collections
import contextvars
import functools
import itertools
import math
import queue
import threading
import types
import weakref
from builtins import type
from collections.abc import Callable, Iterator
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
OPTIONS = argparse.Namespace(a=np.zeros(3))
FREE: queue.Queue = queue.Queue()
FREE.put(np.zeros(3))
VARIABLE: contextvars.ContextVar = contextvars.ContextVar("VARIABLE")
VARIABLE.set(np.zeros(3))
FROZEN = types.MappingProxyType({"a": np.zeros(3)})
BY_OBJECT: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary({step: np.zeros(3)})
VALUES = {"a": np.zeros(3)}.values()
GET = {"a": np.zeros(3)}.get
ENDLESS = itertools.cycle([np.zeros(3)])


class Sized(type):
    work = np.zeros(3)


class OfSized(metaclass=Sized):
    pass


class Memo:
    """A decorator that keeps what the function has returned."""

    def __init__(self, function: Callable) -> None:
        self.kept: dict = {}
        functools.update_wrapper(self, function)

    def __call__(self, size: int) -> Any:
        if size not in self.kept:
            self.kept[size] = self.__wrapped__(size)  # type: ignore[attr-defined]
        return self.kept[size]


memo = Memo(np.zeros)
memo(3)
unbounded = functools.cache(lambda size: np.zeros(size))
unbounded(3)
bounded = functools.lru_cache(maxsize=4)(lambda size: {"a": [np.zeros(size)]})
bounded(3)


def inner(x: Any) -> Any:
    return 2 * step(x)


def circulated() -> Any:
    FREE.put(work := FREE.get())
    return work


PLACES: dict[str, Callable[[], Any]] = {
    "an array of objects": lambda: CELLS[0, 1],
    "UserDict": lambda: NAMES["a"],
    "UserList": lambda: LIST[0],
    "ChainMap": lambda: CHAIN["a"],
    "threading.local": lambda: LOCAL.a,
    "SimpleNamespace": lambda: SPACE.a,
    "attribute of a function": lambda: step.work,  # type: ignore[attr-defined]
    "Namespace": lambda: OPTIONS.a,
    "Queue": circulated,
    "ContextVar": lambda: VARIABLE.get(),
    "MappingProxyType": lambda: FROZEN["a"],
    "WeakKeyDictionary": lambda: BY_OBJECT[step],
    "values of a dict": lambda: next(iter(VALUES)),
    "method of a dict": lambda: GET("a"),
    "cycle": lambda: next(ENDLESS),
    "metaclass": lambda: OfSized.work,
    "a decorator that is an object": lambda: memo(3),
    "cache": lambda: unbounded(3),
    "lru_cache": lambda: bounded(3)["a"][0],
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


def stepping() -> Iterator[Any]:
    work = np.zeros(3)
    while True:
        yield work


GENERATOR = stepping()
next(GENERATOR)
ACCUMULATED = itertools.accumulate(itertools.repeat(0), lambda work, _: work, initial=np.zeros(3))

HIDING: dict[str, Callable[[], Any]] = {
    "generator": lambda: next(GENERATOR),
    "accumulate": lambda: next(ACCUMULATED),
}


@pytest.mark.parametrize("name", HIDING)
def test_arrays_that_cannot_be_followed_are_not_written_unseen(name: str) -> None:
    get = HIDING[name]

    def program(x: Any) -> Any:
        work = get()
        work[:] = x
        return (work**2).sum()

    for _ in range(2):
        with pytest.raises(ng.LeakError, match=r"test_work_arrays.py:\d+: an array is written that is held where"):
            ng.grad(program)(X)
        assert get().flags.writeable
    assert ng.grad(lambda x: (x * (1.0 + get())).sum())(X).tolist() == [1.0, 1.0, 1.0]  # to read them is right


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


BUFFER = np.zeros(6)
SHOWN = BUFFER[::2]
SHOWN.flags.writeable = False
ROWS = BUFFER.reshape(2, 3)
LOOKS: dict[str, Any] = {
    "read-only": SHOWN,
    "diagonal": np.diagonal(ROWS),
    "broadcast": np.broadcast_to(BUFFER, (2, 6)),
    "windows": np.lib.stride_tricks.sliding_window_view(BUFFER, 3),
    "strided": np.lib.stride_tricks.as_strided(BUFFER, (2, 2), (24, 8)),
    "strided windows": np.lib.stride_tricks.as_strided(BUFFER, (5, 2), (8, 8)),
    "memoryview": np.asarray(memoryview(BUFFER)),
}


@pytest.mark.parametrize("name", LOOKS)
def test_what_looks_at_a_work_array_sees_what_is_written_there(name: str) -> None:
    def program(x: Any) -> Any:
        BUFFER[:3] = x
        BUFFER[3:] = BUFFER[:3] * x[0]
        return np.sum(LOOKS[name] ** 2) * np.sum(LOOKS[name][..., -1])

    expected = ng.finite_difference.grad(program, method="richardson")(X)
    for _ in range(2):
        np.testing.assert_allclose(ng.grad(program)(X), expected, rtol=1e-8)
    assert SHOWN.base is BUFFER and type(LOOKS[name]) is np.ndarray


MASKED = np.ma.array(BUFFER, copy=False)


def test_what_an_array_of_another_class_looks_at_is_not_written_unseen() -> None:
    def program(x: Any) -> Any:
        BUFFER[:3] = x
        return MASKED.sum() * 1.0

    with pytest.raises(ng.LeakError, match=r"test_work_arrays.py:\d+: traced data is written into an array whose memory"):
        ng.grad(program)(X)
    assert ng.grad(lambda x: (MASKED[:3].filled(1.0) * x).sum())(X).tolist() == BUFFER[:3].tolist()


class Made:
    static = staticmethod(np.zeros)
    plain = np.zeros
    sine = math.sin
    exp = staticmethod(np.exp)

    @functools.lru_cache(maxsize=2)  # noqa: B019
    def kept(self, size: int) -> Any:
        return np.ones(size), self.plain(size)


TWICE = functools.partial(np.multiply, 2.0)
BUFFERS = functools.partial(np.zeros, shape=3)


def test_partials_of_functions() -> None:
    def program(x: Any) -> Any:
        work = BUFFERS()
        work[:] = x
        return TWICE([work, x * x]).sum()

    np.testing.assert_allclose(ng.grad(program)(X), 2 + 4 * X, rtol=1e-15)
    assert TWICE.func is np.multiply and BUFFERS.func is np.zeros


def test_functions_and_kept_results_in_classes() -> None:
    made = Made()
    before, kept = dict(vars(Made)), made.kept(3)

    def program(x: Any) -> Any:
        a, b, c = made.static(3), made.plain(3), made.kept(3)[0].copy()
        a[:], b[:], c[:], kept[1][:] = x, made.exp([x[0], x[1], 1.0]), x * x, x
        return (a * b * c * made.kept(3)[1]).sum() + made.sine(x[0])

    expected = ng.finite_difference.grad(program, method="richardson")(X)
    for _ in range(2):
        np.testing.assert_allclose(ng.grad(program)(X), expected, rtol=1e-8)
        assert vars(Made) == before and all(vars(Made)[name] is value for name, value in before.items())
    assert made.kept(3) is kept and made.kept.cache_info().misses == 1


LEGACY = np.random.RandomState(5)
NORMAL, OF_GENERATOR = LEGACY.normal, np.random.default_rng(5).normal


@pytest.mark.parametrize("draw", [lambda x: LEGACY.normal(x), NORMAL, OF_GENERATOR])
def test_generators_of_a_module_refuse_tracked_parameters(draw: Callable) -> None:
    with pytest.raises(ng.LeakError, match="normal of a random generator reads its parameters unseen"):
        ng.grad(lambda x: draw(x).sum())(X)


def test_a_random_state_of_a_module_goes_on_where_it_was() -> None:
    """It keeps a second number of each pair that it draws, beside its bits."""

    def program(x: Any) -> Any:
        assert isinstance(LEGACY, np.random.RandomState)
        noise = LEGACY.randn(3)
        noise[:2] *= x[:2]
        return noise.sum() + LEGACY.normal(0.0, 2.0)

    before = LEGACY.get_state()
    expected = [program(X) for _ in range(3)]
    LEGACY.set_state(before)
    assert [ng.value_and_grad(program)(X)[0], program(X), ng.value_and_grad(program)(X)[0]] == expected
