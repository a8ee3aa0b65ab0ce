"""Arrays changed at every moment between their use and the sweep: the derivative is that of the program, or an error.

Random programs use plain arrays, views of them, traced arrays and views of those, and overwrite them while the tape records,
while it is paused, and after it, by name and through aliases that no hook sees. The derivative is compared with the complex
step of the same program on plain arrays.
"""

from __future__ import annotations

import array
import collections
import contextlib
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import npgrad as ng
from npgrad import _plain_values
from npgrad.testing import check_gradients

unhooked_asarray = np.asarray  # bound before any tape, as compiled code has it
STEP = 1e-30
# A small plain array is copied when a rule needs it; one of middling size once, while it does not change; a large one is
# checked.
SMALL, MIDDLING, LARGE = SIZES = 4, 2500, 5000

State = dict[str, Any]

# What makes a new traced array from the last one and a plain array, or from an earlier one.
USES: dict[str, Callable[[State], Any]] = {
    "times plain": lambda s: s["last"] * s["plain"],
    "times plain view": lambda s: s["last"] * s["plain view"],
    "times itself": lambda s: s["last"] * s["last"],
    "times first": lambda s: s["last"] * s["first"],
    "times view": lambda s: s["last"] * s["last"][::-1],
    "sin": lambda s: np.sin(s["last"]),
    "exp": lambda s: np.exp(s["last"] * 0.1),
    "divide": lambda s: s["last"] / (2.0 + s["plain"]),
    "plain function": lambda s: np.multiply(s["plain"], s["last"], where=s["plain"] > 0.5, out=np.ones_like(s["last"])),
}

# What overwrites an array with constants: by its name, a view, or an alias that no hook sees.
CHANGES: dict[str, Callable[[State], None]] = {
    "plain": lambda s: s["plain"].__setitem__(slice(1, 3), 0.25),
    "plain in place": lambda s: np.multiply(s["plain"], 0.5, out=s["plain"]),
    "plain view": lambda s: s["plain view"].__setitem__(0, 0.75),
    "last": lambda s: s["last"].__setitem__(0, 0.5),
    "last in place": lambda s: np.multiply(s["last"], 0.5, out=s["last"]),
    "first": lambda s: s["first"].__setitem__(slice(None, None, 2), 0.125),
    "first filled": lambda s: s["first"].fill(0.3),
    "view of last": lambda s: s["last"][::-1][:2].__setitem__(..., 0.6),
    "alias of last": lambda s: unhooked_asarray(s["last"]).__setitem__(0, 0.9),
    "alias of first": lambda s: unhooked_asarray(s["first"][1:]).__setitem__(0, 0.9),
    "memory of last": lambda s: memoryview(s["last"]).__setitem__(0, 0.9),
}  # fmt: skip

steps = st.lists(
    st.one_of(
        st.tuples(st.just("use"), st.sampled_from(sorted(USES))),
        st.tuples(st.just("change"), st.sampled_from(sorted(CHANGES))),
        # What is computed from traced data while the tape is paused is constant by definition.
        st.tuples(st.just("change while paused"), st.sampled_from(sorted(CHANGES.keys() - {"last in place"}))),
    ),
    max_size=8,
)


def run(x: Any, n: int, program: list[tuple[str, str]], paused: Callable = contextlib.nullcontext) -> tuple[Any, State]:
    plain = np.linspace(0.3, 0.9, n)
    state: State = {"first": x, "last": x, "plain": plain, "plain view": plain[::-1]}
    total: Any = 0.0
    for kind, name in program:
        if kind == "use":
            state["last"] = USES[name](state)
            total = total + state["last"].sum()
        elif kind == "change":
            CHANGES[name](state)
        else:
            with paused():
                CHANGES[name](state)
    return total + (state["last"] * state["plain"]).sum() + state["first"].sum(), state


@pytest.fixture(scope="module", autouse=True)
def _large_arrays_are_soon_large() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as context:
        context.setattr(_plain_values, "SHARED_COPY_LIMIT", 1 << 15)
        yield


@settings(max_examples=300, deadline=None, derandomize=True)
@given(n=st.sampled_from(SIZES), program=steps, after=st.lists(st.sampled_from(sorted(CHANGES)), max_size=3))
def test_right_or_an_error(n: int, program: list, after: list) -> None:
    point, direction = np.linspace(0.4, 0.8, n), np.cos(np.arange(n))
    tape = ng.GradientTape()
    try:
        with tape:
            x = tape.watch(point.copy())
            target, state = run(x, n, program, tape.stop_recording)
        for name in after:
            CHANGES[name](state)
        gradient = tape.gradient(target, x)
    except (ValueError, TypeError, RuntimeError) as error:
        assert any(text in str(error) for text in ("read-only", "has been changed since", "memory of a traced array"))
        return
    reference = run(point + STEP * 1j * direction, n, program)[0]
    np.testing.assert_allclose(gradient @ direction, reference.imag / STEP, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("change", sorted(CHANGES))
@pytest.mark.parametrize("use", sorted(USES))
def test_each_change_after_each_use(use: str, change: str, size: int) -> None:
    """After the tape, nothing that is done to an array reaches its record."""
    point = np.linspace(0.4, 0.8, size)

    def gradient(after: Callable[[State], None]) -> np.ndarray:
        with ng.GradientTape() as tape:
            x = tape.watch(point)
            target, state = run(x, size, [("use", "sin"), ("use", use)])
        after(state)
        return tape.gradient(target, x)

    expected = gradient(lambda state: None)
    try:
        found = gradient(CHANGES[change])
    except (ValueError, TypeError, RuntimeError) as error:
        assert "read-only" in str(error) or (size == LARGE and "has been changed since" in str(error))
        return
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [float, np.float32, complex, ">f8", int, bool])
def test_one_copy_while_nothing_changes(dtype: Any, order: str) -> None:
    """A constant of middling size is copied once, and again after each change; also one that goes back and forth."""
    n = MIDDLING * 8 // np.dtype(dtype).itemsize
    constant = np.array(np.arange(n).reshape(-1, 10) % 7 > 2, dtype, order=order) + np.array(0, dtype)
    assert constant.dtype == np.dtype(dtype) or dtype in (">f8", bool)
    constant = constant.astype(dtype, order="K")
    x = np.ones(constant.shape)
    with ng.GradientTape() as tape:
        y = tape.watch(x)
        total, entries = 0.0, []
        for flips in (False, False, True, True, False):
            if flips:
                constant[...] = 1 - constant
            total = total + (y * constant).real.sum()
            entries.append(tape._record.entries)
    values = [value for e in entries[-1] for storage, value in e[0].values(e) if storage is None]
    copies = [value for value in values if np.shape(value) == x.shape]
    assert [np.array_equal(c, copies[0]) for c in copies] == [True, True, False, True, True]
    assert copies[0] is copies[1] and copies[3] is copies[4]
    assert all(c is not constant and c.strides == constant.strides and c.dtype == constant.dtype for c in copies)
    flipped = 1 - constant.real.astype(float)
    np.testing.assert_array_equal(tape.gradient(total, y), 4 * constant.real + flipped)


def test_an_array_that_took_the_place_of_another_is_copied() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.ones(MIDDLING))
        total = 0.0
        for k in range(50):
            constant = np.full(MIDDLING, float(k))  # often where the last one was
            total = total + (x * constant).sum()
            if k % 2:
                constant.shape = (2, -1)
                total = total + (x.reshape(2, -1) * constant).sum()
            del constant
    np.testing.assert_array_equal(tape.gradient(total, x), np.full(MIDDLING, sum(range(50)) + sum(range(1, 50, 2))))


@pytest.mark.parametrize("of", [lambda y: y, lambda y: y[1:], lambda y: y.T, lambda y: y.reshape(2, 1)])
def test_aliases_past_the_hooks_are_read_only(of: Callable) -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        y = x * x
        target = (y * y).sum()
        with tape.stop_recording():
            paused = unhooked_asarray(of(y))
    for alias in (paused, np.asarray(of(y)), np.array(of(y), copy=False)):
        assert np.shares_memory(alias, y)
        with pytest.raises(ValueError, match="read-only"):
            alias[...] = 0.0
    y[0] = 5.0  # by its own name it may be written: the saved value is kept first
    assert np.asarray(y).tolist() == [5.0, 4.0]
    assert tape.gradient(target, x).tolist() == [4.0, 32.0]


def test_the_users_own_array_stays_writeable() -> None:
    mine = np.array([1.0, 2.0])
    with ng.GradientTape() as tape:
        x = tape.watch(mine)
        y = x * x
        y[0] = 3.0
        np.add(y, 1.0, out=y)
    assert x.flags.writeable and y.flags.writeable and mine.flags.writeable
    mine[0] = 9.0
    assert tape.gradient(y, x).tolist() == [0.0, 4.0]


# --- Constants that are no arrays ------------------------------------------------------------------------------------------


class Holder:
    def __init__(self, held: Any) -> None:
        self.held = held

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.held


def _ours(values: list) -> Any:
    return [np.array(values), np.array([4.0, 5.0])]


# What the program holds, and the object of which it changes the first item.
KINDS: dict[str, Callable[[list], tuple[Any, Any]]] = {
    "list": lambda v: (v, v),
    "deque": lambda v: 2 * (collections.deque(v),),
    "UserList": lambda v: 2 * (collections.UserList(v),),
    "array": lambda v: 2 * (array.array("d", v),),
    "memoryview": lambda v: 2 * (memoryview(array.array("d", v)),),
    "Holder": lambda v: (Holder(made := np.array(v)), made),
    "tuple of lists": lambda v: ((v, [4.0, 5.0]), v),
    "list of arrays": lambda v: (made := _ours(v), made[0]),
    "tuple of arrays": lambda v: (tuple(made := _ours(v)), made[0]),
    "deque of arrays": lambda v: (collections.deque(made := _ours(v)), made[0]),
    "asarray of an array": lambda v: (np.asarray(made := array.array("d", v)), made),
    "frombuffer": lambda v: (np.frombuffer(made := array.array("d", v)), made),
}
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "dot": np.dot, "multiply": np.multiply, "operator": lambda c, x: x * c, "matmul": np.matmul, "outer": np.outer,
    "einsum": lambda c, x: np.einsum("...i,i->...", c, x), "convolve": np.convolve, "solve": np.linalg.solve,
    "polyval": np.polyval, "average": lambda c, x: np.average(x, weights=c), "kron": np.kron, "vdot": np.vdot,
    "tensordot": lambda c, x: np.tensordot(c, x, 1), "power": lambda c, x: np.power(x, c), "hypot": np.hypot,
    "trapezoid": lambda c, x: np.trapezoid(x, c), "multi_dot": lambda c, x: np.linalg.multi_dot([c, x]),
    "correlate": lambda c, x: np.correlate(x, c), "inner": np.inner, "cov": lambda c, x: np.cov(x, c),
    "at": lambda c, x: (u := x * 1.0, np.multiply.at(u, [0, 1], c))[0],
    "in place": lambda c, x: operator.imul(x * 1.0, c), "asarray": lambda c, x: np.convolve(x, np.asarray(c)),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", KINDS)
def test_constants_that_are_no_arrays(kind: str, call: str) -> None:
    """Lists, queues, buffers and what holds arrays may change after they were used."""
    point, step = np.array([1.3, 0.7]), 1e-6
    try:
        ahead, behind = (CALLS[call](KINDS[kind]([2.0, 3.0])[0], point + h) for h in (step, -step))
    except (TypeError, ValueError, np.linalg.LinAlgError):
        return  # NumPy does not take it
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(point)
        constant, changing = KINDS[kind]([2.0, 3.0])
        y = CALLS[call](constant, x)
        changing[0] = 100.0
    found = tape.jacobian(y, x) @ np.ones(2)
    np.testing.assert_allclose(found, (np.asarray(ahead) - behind) / (2 * step), rtol=1e-5, atol=1e-7)


def test_a_buffer_is_written_as_by_numpy() -> None:
    def program(x: Any) -> Any:
        buffer = bytearray(24)
        w = np.frombuffer(buffer)
        w[:] = x * 2.0
        first = np.convolve(w, x)[:3]
        w[0] = x[1]
        w *= x
        second = np.exp(w) * w
        w[1:] = 0.0
        return first + second + w, np.frombuffer(bytes(buffer))

    point = np.array([0.3, 0.5, 0.8])
    check_gradients(lambda x: program(x)[0], point)
    with ng.GradientTape() as tape:
        x = tape.watch(point)
        assert program(x)[1].tolist() == program(point)[1].tolist()
