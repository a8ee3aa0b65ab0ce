"""Work arrays from before a tape that is entered by hand: what its block writes there is followed, and all is put back.

Each place where a program keeps an array, with each way to write there; derivatives are compared with central differences.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import npgrad as ng
from npgrad import _around, _block_swaps

X = np.array([0.3, 0.5, 0.7])
ADD = np.add  # a name of the module's own

GLOBAL = np.zeros(3)
LIST = [1.0, [np.zeros(3)]]
DICT = {"a": {"b": np.zeros(3)}}
TABLE = {"add": np.add}


class Holder:
    of_class = np.zeros(3)

    def __init__(self) -> None:
        self.own = np.zeros(3)

    def get(self) -> Any:
        return self.own


HOLDER = Holder()


def made_in_closure() -> Callable[[], Any]:
    work = np.zeros(3)
    return lambda: work


IN_CLOSURE = made_in_closure()


def in_default(work: Any = np.zeros(3)) -> Any:  # noqa: B008
    return work


def nested() -> Any:
    def inner() -> Any:
        return GLOBAL[:]

    return inner()


PLACES: dict[str, Callable[[], Any]] = {
    "global": lambda: GLOBAL,
    "list": lambda: LIST[1][0],  # type: ignore[index]
    "dict": lambda: DICT["a"]["b"],
    "attribute": lambda: HOLDER.own,
    "attribute of a class": lambda: Holder.of_class,
    "method": HOLDER.get,
    "closure": IN_CLOSURE,
    "default": in_default,
    "partial": functools.partial(in_default, np.zeros(3)),
    "nested function": nested,
}


def by_flat(w: Any, x: Any) -> None:
    w.flat[:] = x**2


def by_mask(w: Any, x: Any) -> None:
    w[np.array([True, False, True])] = x[:2] ** 2


def in_place(w: Any, x: Any) -> None:
    w *= 0.0
    w += x**2


WRITES: dict[str, Callable[[Any, Any], Any]] = {
    "slice": lambda w, x: w.__setitem__(slice(None, 2), x[1:] ** 2),
    "ellipsis": lambda w, x: w.__setitem__(..., x[0] ** 2),
    "element": lambda w, x: w.__setitem__(1, x[0] ** 2),
    "indices": lambda w, x: w.__setitem__([0, 2], x[:2] ** 2),
    "out": lambda w, x: np.multiply(x, x, out=w),
    "out of a method": lambda w, x: x.cumsum(out=w),
    "own name": lambda w, x: ADD(x, x, w),
    "copyto": lambda w, x: np.copyto(w, x**2),
    "put": lambda w, x: w.put([0, 2], x[:2] ** 2),
    "fill": lambda w, x: w.fill(x[0] ** 2),
    "at": lambda w, x: np.add.at(w, [0, 0], x[:2] ** 2),
    "mask": by_mask,
    "flat": by_flat,
    "in place": in_place,
}


def result(work: Any, x: Any) -> Any:
    return (work**2 * x).sum()


def differences(program: Callable[[Any], Any], step: float = 1e-5) -> np.ndarray:
    steps = step * np.eye(3)
    return np.array([(program(X + h) - program(X - h)) / (2 * step) for h in steps])


def differs(write: Callable, get: Callable[[], Any]) -> np.ndarray:
    def program(x: Any) -> Any:
        get()[:] = 0.0
        write(get(), x)
        return result(get(), x)

    return differences(program)


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("place", PLACES)
def test_written_and_put_back(place: str, write: str) -> None:
    get, change = PLACES[place], WRITES[write]
    mine = get()
    whole = mine if mine.base is None else mine.base
    expected = differs(change, get)
    for _ in range(2):  # the second time it is remembered
        mine[:] = 0.0
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            change(get(), x)
            y = result(get(), x)
        np.testing.assert_allclose(tape.gradient(y, x), expected, rtol=1e-7, atol=1e-9)
        again = get()
        assert type(again) is np.ndarray and (again is mine or again.base is whole)
        value = mine.copy()
        mine[:] = 0.0
        change(mine, X)
        np.testing.assert_array_equal(value, mine)


@pytest.mark.parametrize("write", WRITES)
def test_variables_and_arguments(write: str) -> None:
    change = WRITES[write]

    def of_function(argument: Any) -> Any:
        local, shared = np.zeros(3), [np.zeros(3)]
        cell = np.zeros(3)
        mine = argument, local, shared[0], cell

        def writes(x: Any) -> None:
            change(cell, x)

        with ng.GradientTape(persistent=True) as tape:
            x = tape.watch(X)
            for work in (argument, local, shared[0]):
                change(work, x)
            writes(x)
            y = [result(work, x) for work in (argument, local, shared[0], cell)]
        assert all(now is before for now, before in zip((argument, local, shared[0], cell), mine, strict=True))
        assert all(type(array) is np.ndarray for array in mine)
        return [tape.gradient(one, x) for one in y], mine

    expected = differs(change, made_in_closure())
    gradients, arrays = of_function(np.zeros(3))
    for gradient, array in zip(gradients, arrays, strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-9)
        plain = np.zeros(3)
        change(plain, X)
        np.testing.assert_array_equal(array, plain)


SCRIPT = """
import numpy as np
import npgrad as ng
work, other = np.zeros(3), [np.zeros(3)]
mine = work
def f(x):
    work[:] = x ** 2
    return (work * x).sum()
for _ in range(3):
    with ng.GradientTape() as tape:
        x = tape.watch(point)
        other[0][:] = x
        kept = work
        y = f(x) + other[0].sum()
    gradient = tape.gradient(y, x)
    by_plain = type(work), work is mine, kept is work
class Body:
    inside = np.zeros(3)
    with ng.GradientTape() as tape:
        x = tape.watch(point)
        inside[:] = x ** 3
        y = inside.sum()
    cubes = tape.gradient(y, x)
"""


def test_at_module_level_and_in_the_body_of_a_class() -> None:
    names: dict[str, Any] = {"point": X, "__name__": "script"}
    exec(compile(SCRIPT, "script.py", "exec"), names)
    np.testing.assert_allclose(names["gradient"], 3 * X**2 + 1, rtol=1e-15)
    assert names["by_plain"] == (np.ndarray, True, True)
    np.testing.assert_allclose(names["Body"].cubes, 3 * X**2, rtol=1e-15)
    assert type(names["Body"].inside) is np.ndarray


def test_forward_mode() -> None:
    x, work = ng.array(X), np.zeros(3)
    with ng.ForwardAccumulator(x, np.ones(3)) as accumulator:
        work[:] = x**2
        y = work.sum()
    assert accumulator.jvp(y) == 2 * X.sum()
    np.testing.assert_array_equal(accumulator.jvp(work), 2 * X)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_put_back_after_an_exception(error: type[BaseException]) -> None:
    local = mine = np.zeros(3)
    before = GLOBAL, HOLDER.own, LIST[1][0]  # type: ignore[index]
    with pytest.raises(error), ng.GradientTape() as tape:
        local[:] = tape.watch(X)
        HOLDER.own[:] = GLOBAL[:] = LIST[1][0][:] = local  # type: ignore[index]
        raise error
    assert local is mine
    assert all(a is b for a, b in zip((GLOBAL, HOLDER.own, LIST[1][0]), before, strict=True))  # type: ignore[index]
    assert not _block_swaps.in_place
    np.testing.assert_array_equal(local, X)


def test_a_search_that_is_interrupted_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    work = mine = np.zeros(3)

    def interrupted(self: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_block_swaps.BlockSwaps, "run", interrupted)
    tape = ng.GradientTape()
    with pytest.raises(KeyboardInterrupt), tape:
        work[:] = 1.0
    assert work is mine and type(GLOBAL) is np.ndarray and not _block_swaps.in_place
    assert not ng._record.recording() and not ng._bound_names.in_place.tapes
    monkeypatch.undo()
    with tape:
        x = tape.watch(X)
        work[:] = x
        y = work.sum()
    np.testing.assert_array_equal(tape.gradient(y, x), np.ones(3))


# --- Who enters ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def by_generator() -> Iterator[ng.GradientTape]:
    with ng.GradientTape() as tape:
        yield tape


class ByClass:
    def __enter__(self) -> ng.GradientTape:
        self.tape = ng.GradientTape()
        return self.tape.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.tape.__exit__(*error)


@contextlib.contextmanager
def by_stack() -> Iterator[ng.GradientTape]:
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(ng.GradientTape())


@pytest.mark.parametrize("opens", [ng.GradientTape, by_generator, ByClass, by_stack], ids=lambda f: f.__name__)
def test_tapes_that_others_enter(opens: Callable) -> None:
    work = np.zeros(3)
    with opens() as tape:
        x = tape.watch(X)
        work[:] = x**2
        y = (work * x).sum()
    np.testing.assert_allclose(tape.gradient(y, x), 3 * X**2, rtol=1e-15)
    assert type(work) is np.ndarray


def test_a_block_left_by_return_and_entered_by_hand() -> None:
    def gradient() -> np.ndarray:
        work = np.zeros(3)
        tape = ng.GradientTape()
        tape.__enter__()
        x = tape.watch(X)
        work[:] = x**2
        y = work.sum()
        tape.__exit__(None, None, None)
        assert type(work) is np.ndarray
        return tape.gradient(y, x)

    def left() -> Any:
        work = np.zeros(3)
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            work[:] = x**2
            return tape, work.sum(), x

    np.testing.assert_array_equal(gradient(), 2 * X)
    tape, y, x = left()
    np.testing.assert_array_equal(tape.gradient(y, x), 2 * X)


def test_what_the_block_does_not_mention_is_left_alone() -> None:
    other, mentioned = np.zeros(3), np.zeros(3)

    def kinds() -> list:
        return [type(look.f_locals[name]) for name in ("other", "mentioned")]

    look = sys._getframe()
    with ng.GradientTape():
        mentioned[0] = 1.0
        inside = kinds()
    assert inside == [np.ndarray, ng.TracedArray] and kinds() == [np.ndarray, np.ndarray]
    assert type(other) is np.ndarray


class Other:
    """Has a method of the same name as that of a tape, which writes."""

    x: Any = None

    def watch(self, array: Any) -> Any:
        array[:] = self.x**2
        return array


def test_what_is_only_watched_is_left_alone_and_nothing_else() -> None:
    point, work, both = X.copy(), np.zeros(3), X.copy()
    look, other = sys._getframe(), Other()

    def kinds() -> list:
        return [type(look.f_locals[name]) for name in ("point", "work", "both")]

    with ng.GradientTape() as tape:
        inside = kinds()
        other.x = tape.watch(point)
        y = other.watch(work).sum() + (tape.watch(both) * both).sum()
    assert inside == [np.ndarray, ng.TracedArray, ng.TracedArray]
    np.testing.assert_array_equal(tape.gradient(y, point), 2 * X)


def test_nested_tapes_that_end_in_any_order() -> None:
    work = mine = np.zeros(3)
    outer, inner = ng.GradientTape(), ng.GradientTape()
    outer.__enter__()
    inner.__enter__()
    x = inner.watch(outer.watch(X))
    outer.__exit__(None, None, None)
    work[:] = x**2
    y = work.sum()
    inner.__exit__(None, None, None)
    assert work is mine
    np.testing.assert_array_equal(inner.gradient(y, x), 2 * X)
    with ng.GradientTape() as outer:
        x = outer.watch(X)
        with ng.GradientTape() as inner:
            inner.watch(x)
            work[:] = x**3
            y = work.sum()
        slope = inner.gradient(y, x)
    np.testing.assert_allclose(outer.gradient(slope, x), 6 * X, rtol=1e-15)
    assert work is mine


# --- After the block -------------------------------------------------------------------------------------------------------


def test_plain_arrays_are_targets_and_sources() -> None:
    point, work = X.copy(), np.zeros(3)
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(point)
        assert x is not point
        work[:] = x**2
        alias = work
        y = (work**2).sum()
    assert alias is work and type(point) is np.ndarray
    np.testing.assert_array_equal(tape.gradient(work, point), 2 * X)
    np.testing.assert_array_equal(tape.gradient(work[1:], point), [0.0, 1.0, 1.4])
    np.testing.assert_array_equal(tape.jacobian(work, point), np.diag(2 * X))
    np.testing.assert_array_equal(tape.batch_jacobian(work, point), 2 * X)
    np.testing.assert_array_equal(tape.gradient(y, work), 2 * X**2)
    assert tape.explain(work, point).connected
    work[0] = 1.0
    with pytest.raises(RuntimeError, match="followed was changed after the tape"):
        tape.gradient(work, point)
    np.testing.assert_allclose(tape.gradient(y, point), 4 * X**3, rtol=1e-15)


def test_what_is_watched_is_a_copy() -> None:
    """As outside of the search: the program's array is no part of the tape."""
    point, whole = X.copy(), np.arange(6.0)
    with ng.GradientTape(persistent=True) as tape:
        x, part = tape.watch(point), tape.watch(whole[:3])
        x *= 2.0
        part[0] = 5.0
        y = (x**2).sum() + (part**2).sum()
    np.testing.assert_array_equal(point, X)
    np.testing.assert_array_equal(whole, np.arange(6.0))
    np.testing.assert_allclose(tape.gradient(y, x), 8 * X, rtol=1e-15)


def test_a_gradient_inside_of_the_block() -> None:
    point, work = X.copy(), np.zeros(3)
    with ng.GradientTape() as tape:
        tape.watch(point)
        x = tape.watch(point)
        work[:] = x**2
        y = (work * x).sum()
        np.testing.assert_allclose(tape.gradient(y, point), 3 * X**2, rtol=1e-15)
        assert type(work) is np.ndarray  # nothing records any more


def test_a_tape_that_goes_on() -> None:
    work = np.zeros(3)
    tape = ng.GradientTape(persistent=True)
    with tape:
        x = tape.watch(X)
        work[:] = x**2
    with tape:
        y = (work * x).sum()
    np.testing.assert_allclose(tape.gradient(y, x), 3 * X**2, rtol=1e-15)
    work[0] = 9.0
    with pytest.raises(RuntimeError, match="followed was changed after the tape"), tape:
        y = work.sum()
    assert type(work) is np.ndarray


def test_views_that_are_kept_stay_views() -> None:
    """In the next tape as well: what is written by one name is read by the other."""
    work = np.zeros(3)
    kept: Any = None
    for _ in range(3):
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            work[:] = x**2
            kept = work[1:] if kept is None else kept
            y = kept.sum()
        np.testing.assert_array_equal(tape.gradient(y, x), 2 * X * [0, 1, 1])


def test_results_stay_traced_where_something_else_was_before() -> None:
    y: Any = np.zeros(3)
    HOLDER.own = np.zeros(3)
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        y = x**2 + y
        HOLDER.own = y * x
    np.testing.assert_array_equal(tape.gradient(y, x), 2 * X)
    np.testing.assert_allclose(tape.gradient(HOLDER.own, x), 3 * X**2, rtol=1e-15)
    HOLDER.own = np.zeros(3)


def test_buffers_that_change_places() -> None:
    old, new = first, second = np.zeros(3), np.zeros(3)
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        for _ in range(3):
            new[:] = old + x
            old, new = new, old
        y = old.sum()
    np.testing.assert_array_equal(tape.gradient(y, x), [3.0, 3.0, 3.0])
    assert old is second and new is first


def test_what_changes_between_tapes_is_found_again() -> None:
    """A tape that is entered again at its place looks whether there is the same to be followed."""
    work: Any = None
    holder = types.SimpleNamespace(work=None)
    for kind in ("number", "array", "list", "longer list", "dict", "object", "function"):
        array = np.zeros(3)
        held: Any = {
            "number": 1.0, "array": array, "list": [array], "longer list": [0.0, array], "dict": {"a": array},
            "object": holder, "function": lambda array=array: array,
        }[kind]  # fmt: skip
        work, holder.work = held, array
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            if kind != "number":
                array[:] = x**2
            y = array.sum() + x.sum()
            del work
        np.testing.assert_array_equal(tape.gradient(y, x), 2 * X + 1 if kind != "number" else np.ones(3))
        assert type(array) is np.ndarray and type(holder.work) is np.ndarray


def test_arrays_are_not_kept() -> None:
    gc.collect()
    gc.disable()
    try:

        def gradient(holder: Holder, array: Any) -> Any:
            with ng.GradientTape() as tape:
                x = tape.watch(X)
                holder.own[:] = x * array
                y = holder.own.sum()
            return tape.gradient(y, x)

        for _ in range(3):
            holder, array = Holder(), np.ones(3)
            witnesses = [weakref.ref(holder), weakref.ref(holder.own), weakref.ref(array)]
            gradient(holder, array)
            del holder, array
            assert [witness() for witness in witnesses] == [None, None, None]
    finally:
        gc.enable()


@pytest.mark.parametrize("size", [3, 4000])
@pytest.mark.parametrize("part", [slice(None), slice(1, None)])
def test_who_has_an_array_where_no_search_finds_it_writes_there(size: int, part: slice) -> None:
    """As a library that hands out its buffer: what was used before is not what stands there later."""
    constant, ones = np.full(size, 2.0), np.ones(size)
    held = ctypes.py_object(constant)
    with ng.GradientTape() as tape:
        x = tape.watch(ones)
        y = (x[part] * constant[part]).sum() + (constant * x).sum()
        held.value[:] = 100.0
        y = y + (x[part] * constant[part]).sum() + (np.exp(x) * constant).sum()
        constant[:] = x
    held.value[:] = 7.0
    expected = np.full(size, 2.0 + 100.0 * np.e)
    expected[part] += 2.0 + 100.0
    np.testing.assert_allclose(tape.gradient(y, x), expected, rtol=1e-14)


# --- Threads ------------------------------------------------------------------------------------------------------------


def test_threads_have_arrays_of_their_own_and_share_names() -> None:
    """Tapes are open in all of them at once, and end in any order."""
    threads = 6
    opened, failures = threading.Barrier(threads, timeout=30), []

    def works(number: int) -> None:
        work = np.zeros(3)
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            opened.wait()
            for _ in range(number):
                work[:] = x**2
                y = TABLE["add"]([x[0], 1.0], [x[1], work[2]])[1]
            work[:] = x**3
            z = work.sum() + y
        if not np.allclose(tape.gradient(z, x), 3 * X**2 + [0, 0, 1.4]) or type(work) is not np.ndarray:
            failures.append(number)

    pool = [threading.Thread(target=works, args=(1 + 20 * number,)) for number in range(threads)]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join(60)
    assert not failures and not _block_swaps.in_place
    assert TABLE["add"] is np.add


def test_a_tape_holds_nobody_up() -> None:
    """It is open while threads that it waits for open tapes, and differentiate functions, that share its arrays' module."""

    def work(_: int) -> Any:
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            HOLDER.own[:] = 1.0
            y = (x * HOLDER.own).sum()
        return tape.gradient(y, x), ng.grad(lambda x: (x**2).sum() + 0.0 * HOLDER.own.sum())(X)

    found: list = []
    local = np.zeros(3)
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        local[:] = x
        thread = threading.Thread(target=lambda: found.append(work(0)), daemon=True)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()
        y = (local**2).sum()
    np.testing.assert_array_equal(found[0][0], np.ones(3))
    np.testing.assert_array_equal(found[0][1], 2 * X)
    np.testing.assert_array_equal(tape.gradient(y, x), 2 * X)
    assert type(HOLDER.own) is np.ndarray and type(local) is np.ndarray


def test_who_cannot_search_at_once_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_around, "_PATIENCE", 0.01)
    held, go_on = threading.Event(), threading.Event()

    def holds() -> None:
        with _around.placing:
            held.set()
            go_on.wait(30)

    thread = threading.Thread(target=holds)
    thread.start()
    held.wait(30)
    try:
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            y = (x**2).sum()
    finally:
        go_on.set()
        thread.join()
    np.testing.assert_array_equal(tape.gradient(y, x), 2 * X)
