"""Memory: a dropped tape frees its arrays at once, and nothing grows over many tapes."""

import contextlib
import gc
import tracemalloc
import weakref
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import npgrad as ng


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """Only reference counts may free anything here."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def recorded(tape: ng.GradientTape) -> tuple[list[weakref.ref], ng.TracedArray, ng.TracedArray]:
    """A small program with in-place writes; weak references to everything that only the tape should hold."""
    x = tape.watch(ng.array([1.0, 2.0]))
    squares = x * x
    buffer = np.zeros(2)
    buffer[:] = squares
    buffer *= x
    return [weakref.ref(squares._storage), weakref.ref(buffer._storage)], buffer.sum(), x


def test_item_27_a_dropped_tape_frees_its_arrays_without_the_collector():
    with ng.GradientTape(persistent=True) as tape:
        witnesses, y, x = recorded(tape)
    record = weakref.ref(tape._record)
    assert all(w() is not None for w in witnesses)
    np.testing.assert_allclose(tape.gradient(y, x), [3.0, 12.0])
    assert all(w() is not None for w in witnesses)
    del tape
    assert record() is None
    assert all(w() is None for w in witnesses)


def test_item_18_a_tape_that_is_not_persistent_frees_its_record_as_it_is_used():
    with ng.GradientTape() as tape:
        witnesses, y, x = recorded(tape)
    record = weakref.ref(tape._record)
    np.testing.assert_allclose(tape.gradient(y, x), [3.0, 12.0])
    assert record() is None
    assert all(w() is None for w in witnesses)


def test_item_18_reset_frees_the_record():
    with ng.GradientTape(persistent=True) as tape:
        witnesses, y, x = recorded(tape)
        del y, x
        tape.reset()
        assert all(w() is None for w in witnesses)


def test_a_gradient_in_a_context_with_an_exception_frees_too():
    witnesses = []
    with contextlib.suppress(ZeroDivisionError), ng.GradientTape() as tape:
        found, _, _ = recorded(tape)
        witnesses += found
        raise ZeroDivisionError
    del tape
    assert all(w() is None for w in witnesses)


def test_the_tape_does_not_keep_plain_arrays_after_it_is_used():
    plain = np.array([1.0, 2.0])
    alive = weakref.ref(plain)
    with ng.GradientTape() as tape:
        y = tape.watch(plain) ** 2
    tape.gradient(y, plain)
    del plain, y
    assert alive() is None


def growth(step: Callable[[], None], warm_up: int, repeats: int) -> int:
    """Bytes that stay allocated after ``repeats`` more steps. The interpreter's own free lists fill in the warm-up."""
    tracemalloc.start()
    try:
        for _ in range(warm_up):
            step()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(repeats):
            step()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before


@pytest.mark.once
def test_three_thousand_tapes_do_not_grow_memory():
    """More would show no more: were one of the smallest objects, of 16 bytes, kept for each tape, it would be 48 kB."""
    data = np.array([1.0, 2.0, 3.0])

    def step() -> None:
        with ng.GradientTape() as tape:
            x = tape.watch(data)
            work = np.empty(3)
            work[:] = x
            work += x
            y = work.sum()
        assert tape.gradient(y, x)[0] == 2.0

    assert growth(step, 1500, 3000) < 4_000


@pytest.mark.once
def test_tapes_without_a_gradient_do_not_grow_memory():
    data = np.ones(1000)

    def step() -> None:
        with ng.GradientTape() as tape:
            np.exp(tape.watch(data))

    assert growth(step, 1500, 1000) < 4_000


@pytest.mark.once
def test_a_variable_trained_a_thousand_steps_does_not_grow_memory():
    weights = ng.Variable(np.array([4.0, -3.0]))
    fixed = ng.array(np.zeros(2))

    def step() -> None:
        with ng.GradientTape() as tape:
            fixed[:] = weights - 1.0
            loss = (fixed * fixed).sum()
        weights.assign_sub(0.1 * tape.gradient(loss, weights))

    assert growth(step, 4000, 1000) < 4_000
    np.testing.assert_allclose(weights.numpy(), [1.0, 1.0], atol=1e-12)
    assert len(weights._storage.tracked) <= 1
    assert len(fixed._storage.tracked) <= 1


@pytest.mark.parametrize("write", ["setitem", "in place", "out"])
def test_a_buffer_of_many_tapes_forgets_those_that_are_gone(write):
    buffer = ng.array(np.zeros(2))
    for _ in range(5):
        with ng.GradientTape() as tape:
            x = tape.watch(ng.array([1.0, 2.0]))
            if write == "setitem":
                buffer[:] = x
            elif write == "in place":
                buffer += x
            else:
                np.multiply(x, x, out=buffer)
        assert tape.gradient(buffer, x) is not None
    assert len(buffer._storage.tracked) == 1


@pytest.mark.once
def test_a_million_recorded_calls_are_swept_without_recursion():
    with ng.GradientTape() as tape:
        x = tape.watch(1.0)
        y = x
        for _ in range(1_000_000):
            y = y + x
    assert tape.gradient(y, x) == 1_000_001.0
