"""Threads and tasks: each has its own stack of tapes; names in place act only where a tape records (item 4)."""

import asyncio
import contextlib
import contextvars
import math
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
from builtins import type
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.ma  # NumPy loads them when they are asked for, the first tape does so
import numpy.random
import numpy.rec
import numpy.testing
import pytest
from numpy import zeros

import npgrad as ng
from npgrad import _instrument

X = np.array([1.0, 2.0, 3.0])
# JAX, which the benchmarks load if it is there, says so of each fork.
FORK_OF_JAX = pytest.mark.filterwarnings(r"ignore:os\.fork\(\) was called:RuntimeWarning")
ORIGINALS = {name: getattr(np, name) for name in ("zeros", "array", "asarray", "empty", "ones", "concatenate")}


@pytest.fixture(autouse=True)
def everything_is_put_back() -> Iterator[None]:
    before = dict(vars(np)), dict(vars(math))
    yield
    assert (dict(vars(np)), dict(vars(math))) == before
    assert all(getattr(np, name) is original for name, original in ORIGINALS.items())
    assert ng._record.recording() == ()
    assert not ng._bound_names.in_place.tapes


def in_thread(function: Callable) -> None:
    """Run in a thread of its own, and raise here what is raised there."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(function).result(timeout=60)


def cube_by_buffers(x):
    out = np.zeros(3)
    for i in range(3):
        out[i] = x[i] * math.sqrt(x[i]) * math.sqrt(x[i])
    out *= np.asarray(x)
    return out.sum()


def test_item_04_tapes_in_eight_threads_while_others_run_plain_numpy():
    """Names come and go all the time; nobody sees those of another thread."""
    barrier = threading.Barrier(12)
    stop = threading.Event()

    def records(seed: int) -> None:
        barrier.wait(30)
        for i in range(60):
            values = X + seed + i
            with ng.GradientTape() as tape:
                x = tape.watch(values)
                y = cube_by_buffers(x)
            np.testing.assert_allclose(tape.gradient(y, x), 3 * values**2, rtol=1e-12)

    def computes() -> int:
        barrier.wait(30)
        rounds = 0
        while not stop.is_set():
            for made in (np.zeros(3), np.array([1.0]), np.asarray([2.0]), np.concatenate([X, X]), np.linspace(0, 1, 3)):
                assert type(made) is np.ndarray
            assert type(math.sqrt(np.float64(2.0))) is float
            rounds += 1
        return rounds

    with ThreadPoolExecutor(12) as pool:
        plain = [pool.submit(computes) for _ in range(4)]
        try:
            for future in [pool.submit(records, seed) for seed in range(8)]:
                future.result(timeout=120)
        finally:
            stop.set()
        assert all(future.result(timeout=60) > 0 for future in plain)


def test_item_04_a_traced_array_in_another_thread_raises():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        buffer = np.zeros(3)
        buffer[:] = x
        uses = [
            lambda: x + 1, lambda: np.sin(x), lambda: x[0], lambda: x[[0]], lambda: x.sum(), lambda: np.dot(x, X),
            lambda: x.copy(), lambda: buffer.__setitem__(0, 1.0), lambda: buffer.__iadd__(1.0),
            lambda: np.add.at(buffer, [0], 1.0), lambda: np.concatenate([x, X]), lambda: np.array([x[0]]),
            lambda: float(x[0]), lambda: x.reshape(3, 1) * 2, lambda: np.array(x), lambda: np.asarray(x),
            lambda: np.add.reduce(x), lambda: np.multiply.outer(x, X), lambda: np.maximum.accumulate(x),
            lambda: math.sin(x[0]), lambda: np.copyto(buffer, 1.0), lambda: buffer.fill(1.0), lambda: buffer.sort(),
        ]  # fmt: skip

        def all_raise() -> None:
            for use in uses:
                with pytest.raises(ng.LeakError, match=r"test_concurrency.*another thread.*copy_context"):
                    use()

        in_thread(all_raise)
        y = x * x
    np.testing.assert_array_equal(tape.gradient(y, x), 2 * X)


def test_item_04_a_write_by_out_in_another_thread_is_recorded():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        buffer = np.zeros(3)
        buffer[:] = x
        in_thread(lambda: np.add(X[:2], 1.0, out=buffer[:2]))
        y = buffer * x
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 3.0, 6.0])


def test_item_04_a_tape_of_the_other_thread_does_not_hide_it():
    with ng.GradientTape() as tape:
        x = tape.watch(X)

        def with_a_tape_of_its_own() -> None:
            with ng.GradientTape() as own:
                w = own.watch(X)
                with pytest.raises(ng.LeakError, match="another thread"):
                    x * w
                y = w * w
            np.testing.assert_array_equal(own.gradient(y, w), 2 * X)

        in_thread(with_a_tape_of_its_own)


def test_item_04_after_the_tape_has_stopped_its_arrays_are_free():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = x * x
    made = []
    in_thread(lambda: made.append(y * 2))
    assert type(made[0]) is np.ndarray
    np.testing.assert_array_equal(tape.gradient(y, x), 2 * X)


def test_item_04_the_context_copied_into_a_thread_records():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        made = []
        context = contextvars.copy_context()
        in_thread(lambda: context.run(lambda: made.append(cube_by_buffers(x))))
        y = made[0] * 2
    np.testing.assert_allclose(tape.gradient(y, x), 6 * X**2, rtol=1e-13)


def test_item_04_gradient_in_another_thread():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        y = x**3
    found = []
    in_thread(lambda: found.append(tape.gradient(y, x)))
    np.testing.assert_array_equal(found[0], 3 * X**2)
    assert type(found[0]) is np.ndarray


def test_gradient_in_another_thread_while_the_tape_records_leaves_no_tape_behind():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = x**3
        found = []
        in_thread(lambda: found.append(tape.gradient(y, x)))
    np.testing.assert_array_equal(found[0], 3 * X**2)
    assert type(np.zeros(1)) is np.ndarray


def test_stop_recording_in_another_thread_is_refused():
    def stops(tape: ng.GradientTape) -> None:
        with pytest.raises(RuntimeError, match="not recording here"), tape.stop_recording():
            pass
        with pytest.raises(ValueError, match="not recording"):
            tape.reset()

    with ng.GradientTape() as tape:
        in_thread(lambda: stops(tape))


def test_a_thread_pool_of_functional_calls():
    def energy(x):
        return cube_by_buffers(x)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda k: ng.grad(energy)(X + k), range(40)))
    for k, gradient in enumerate(found):
        np.testing.assert_allclose(gradient, 3 * (X + k) ** 2, rtol=1e-12)


WORK = np.zeros(3)


def by_a_shared_buffer(x):
    WORK[:] = x
    return (WORK**3).sum()


def test_functional_calls_of_functions_that_share_a_buffer_take_turns():
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda k: ng.grad(by_a_shared_buffer)(X + k), range(40)))
    for k, gradient in enumerate(found):
        np.testing.assert_allclose(gradient, 3 * (X + k) ** 2, rtol=1e-12)
    assert type(WORK) is np.ndarray


def test_who_waits_long_for_a_turn_says_so(monkeypatch):
    monkeypatch.setattr(_instrument, "_PATIENCE", 0.01)
    inside, go_on = threading.Event(), threading.Event()

    def slow(x):
        WORK[:] = x
        inside.set()
        assert go_on.wait(30)
        return (WORK**2).sum()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ng.grad(slow), X)
        assert inside.wait(30)
        threading.Timer(0.2, go_on.set).start()
        with pytest.warns(RuntimeWarning, match="waits for another one"):
            second = ng.grad(by_a_shared_buffer)(X)
        np.testing.assert_allclose(first.result(), 2 * X)
    np.testing.assert_allclose(second, 3 * X**2)


@pytest.fixture
def switching():
    """Threads that take turns at every step of the interpreter: what they have in common is met in the middle of things."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_one_variable_in_many_threads(switching):
    v = ng.Variable(X)

    def step(k: int) -> np.ndarray:
        with ng.GradientTape() as tape:
            y = (v * float(k)).sum()
        return tape.gradient(y, v)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(step, range(1, 1000)))
    for k, gradient in enumerate(found, 1):
        np.testing.assert_array_equal(gradient, np.full(3, float(k)))


def test_one_variable_that_is_assigned_after_many_threads_have_used_it(switching):
    v = ng.Variable(X)

    def record(k: int) -> tuple:
        with ng.GradientTape() as tape:
            y = (v * v * float(k)).sum()
        return tape, y

    for _ in range(10):
        before = v.numpy().copy()
        with ThreadPoolExecutor(8) as pool:
            recorded = list(pool.map(record, range(1, 40)))
        v.assign(before + 1)
        for k, (tape, y) in enumerate(recorded, 1):
            np.testing.assert_array_equal(tape.gradient(y, v), 2 * before * k)


def test_one_watched_array_in_many_threads_of_one_tape(switching):
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        contexts = [contextvars.copy_context() for _ in range(200)]
        with ThreadPoolExecutor(8) as pool:
            y = sum(pool.map(lambda context: context.run(lambda: (x * x).sum()), contexts))
        x[:] = 0.0
    np.testing.assert_allclose(tape.gradient(y, x), 2 * X * len(contexts), rtol=1e-13)


def test_a_variable_may_be_used_without_a_tape_in_a_thread_that_has_tapes():
    """A step that is recorded here, and one there that is only evaluated; in which order, nobody knows."""
    v = ng.Variable(X)
    with ng.GradientTape():
        pass
    inside, go_on = threading.Event(), threading.Event()

    def records() -> np.ndarray:
        with ng.GradientTape() as tape:
            y = (v * v).sum()
            inside.set()
            assert go_on.wait(30)
        return tape.gradient(y, v)

    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(records)
        assert inside.wait(30)
        assert (v * v).sum() == 14.0
        with ng.GradientTape() as tape, tape.stop_recording():
            assert (v * 2.0).sum() == 12.0
        go_on.set()
        np.testing.assert_array_equal(found.result(), 2 * X)
    with ng.GradientTape():
        v * 1.0
        with ThreadPoolExecutor(1) as pool, pytest.raises(ng.LeakError, match="in another thread"):
            pool.submit(lambda: v * 2.0).result()


BOUND = zeros  # by another name than NumPy's
TABLE = {"make": np.zeros, "exp": np.exp, "kind": np.float32}
WEIGHTS = ng.Variable(X)


def by_bound_names(x):
    made = BOUND(3)
    made[:] = np.sin(x) * x[0]
    made[1:] *= TABLE["exp"](x[1:])
    other = TABLE["make"](3)
    other[::-1] = made
    return other


def total(x):
    return (by_bound_names(x) ** 2).sum()


def in_two_orders():
    with ng.GradientTape() as outer:
        x = outer.watch(X)
        with ng.GradientTape() as inner:
            inner.watch(x)
            y = total(x)
        gradient = (inner.gradient(y, x) ** 2).sum()
    return outer.gradient(gradient, x)


def by_hand():
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        y = by_bound_names(x) * WEIGHTS
    return tape.jacobian(y, [x, WEIGHTS])


def in_forward_mode():
    x = ng.array(X)
    with ng.ForwardAccumulator(x, np.ones(3)) as accumulator:
        y = by_bound_names(x)
    return accumulator.jvp(y)


def paused():
    with ng.GradientTape() as tape:
        y = (WEIGHTS * WEIGHTS).sum()
        with tape.stop_recording():
            WEIGHTS * 2.0
    return tape.gradient(y, WEIGHTS)


WAYS = {
    "two tapes": in_two_orders,
    "jacobian": by_hand,
    "forward": in_forward_mode,
    "paused": paused,
    "grad": lambda: ng.grad(total)(X),
    "grad with a buffer": lambda: ng.grad(by_a_shared_buffer)(X),
    "hessian": lambda: ng.hessian(total)(X),
    "value and jacobian": lambda: ng.value_and_jacobian(by_bound_names)(X),
    "instrument": lambda: by_instrument(),
}


def by_instrument():
    with ng.instrument(math):
        return ng.grad(total)(X)


def test_all_ways_at_once_give_what_each_gives_by_itself(switching):
    """What one of them puts in place and takes away, another one needs."""
    expected = {name: way() for name, way in WAYS.items()}
    order = random.Random(0).choices(list(WAYS), k=400)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda name: WAYS[name](), order))
    for name, result in zip(order, found, strict=True):
        np.testing.assert_equal(result, expected[name], err_msg=name)
    assert [BOUND, *TABLE.values()] == [np.zeros, np.zeros, np.exp, np.float32]


FIRST_USE = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from numpy import concat, exp, zeros
import npgrad as ng

POINT = np.arange(3.0)
together = threading.Barrier(8)

def f(x):
    made = zeros(3)
    made[:] = exp(concat([x[:1], x[1:]]))
    return (made ** 2).sum()

def by_function():
    together.wait()
    return ng.grad(f)(POINT)

def by_tape():
    together.wait()
    with ng.GradientTape() as tape:
        x = tape.watch(POINT)
        y = f(x)
    return tape.gradient(y, x)

sys.setswitchinterval(1e-6)
with ThreadPoolExecutor(8) as pool:
    for one in [pool.submit(step) for step in (by_function, by_tape) * 4]:
        np.testing.assert_allclose(one.result(), 2 * np.exp(2 * POINT), rtol=1e-14)
for names in range(2):
    bound = {"__name__": "a_program"}
    with ng.GradientTape():
        exec("from numpy import concat, exp, zeros", bound)
    forms = [bound[name] for name in ("concat", "exp", "zeros")]
    assert [ng._namespace.original_of(form) for form in forms] == [np.concat, np.exp, np.zeros], forms
assert concat is np.concatenate and exp is np.exp and zeros is np.zeros
print("right")
"""


@pytest.mark.parametrize("attempt", range(3))
def test_the_first_use_by_many_threads_at_once(attempt):
    done = subprocess.run([sys.executable, "-c", FIRST_USE], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("right\n", "")


def test_item_04_interleaved_tasks_have_tapes_of_their_own():
    async def differentiates(k: int) -> np.ndarray:
        with ng.GradientTape() as tape:
            x = tape.watch(X + k)
            out = np.zeros(3)
            for i in range(3):
                await asyncio.sleep(0)
                out[i] = x[i] ** 2
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        return tape.gradient(out, x)

    async def computes() -> None:
        for _ in range(20):
            assert type(np.zeros(3)) is np.ndarray
            assert ng._record.recording() == ()
            await asyncio.sleep(0)

    async def everything() -> list:
        return await asyncio.gather(*[differentiates(k) for k in range(6)], computes(), computes())

    for k, gradient in enumerate(asyncio.run(everything())[:6]):
        np.testing.assert_array_equal(gradient, 2 * (X + k))


def test_item_04_a_task_started_inside_a_tape_records_on_it():
    async def squares(x, place, out):
        await asyncio.sleep(0)
        out[place] = x[place] ** 2

    async def program() -> np.ndarray:
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            out = np.zeros(3)
            await asyncio.gather(*[squares(x, i, out) for i in range(3)])
        return tape.gradient(out, x)

    np.testing.assert_array_equal(asyncio.run(program()), 2 * X)


def test_a_cancelled_task_leaves_nothing_behind():
    async def program() -> None:
        async def waits():
            with ng.GradientTape() as tape:
                tape.watch(X)
                await asyncio.sleep(60)

        task = asyncio.create_task(waits())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(program())


def test_a_generator_that_holds_a_tape_open_and_is_closed():
    def generates():
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            yield x
            yield tape

    generator = generates()
    x = next(generator)
    y = x * x
    assert isinstance(y, ng.TracedArray)
    generator.close()
    assert type(np.zeros(1)) is np.ndarray


# --- Other processes -----------------------------------------------------------------------------------------------------


def exit_code_of_a_fork(child: Callable[[], bool]) -> int:
    """0 where the child found that all is well; -14 where it hung."""
    number = os.fork()
    if number == 0:
        signal.alarm(20)
        well = False
        try:
            well = child()
        finally:
            os._exit(0 if well else 1)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")


@forks
@FORK_OF_JAX
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_while_other_threads_use_tapes():
    """The child has neither their locks nor what they had in place."""
    stop = threading.Event()

    def works() -> None:
        while not stop.is_set():
            by_a_shared_buffer_gradient()

    def child() -> bool:
        if type(np.zeros(1)) is not np.ndarray or ng._bound_names.in_place.tapes or np.zeros is not ORIGINALS["zeros"]:
            return False
        return ng.grad(lambda x: np.zeros(1)[0] + x * x)(3.0) == 6.0 and by_a_shared_buffer_gradient()

    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(works) for _ in range(3)]
        try:
            codes = [exit_code_of_a_fork(child) for _ in range(20)]
        finally:
            stop.set()
        for future in futures:
            future.result(timeout=60)
    assert codes == [0] * 20


def by_a_shared_buffer_gradient() -> bool:
    return bool(np.array_equal(ng.grad(by_a_shared_buffer)(X), 3 * X**2))


@forks
@FORK_OF_JAX
def test_a_fork_inside_a_tape_goes_on_in_both_processes():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        out = np.zeros(3)

        def child() -> bool:
            out[:] = x * x
            return bool(np.array_equal(tape.gradient(out, x), 2 * X)) and np.zeros is ORIGINALS["zeros"]

        assert exit_code_of_a_fork(child) == 0
        out[:] = x * 3.0
    np.testing.assert_array_equal(tape.gradient(out, x), [3.0, 3.0, 3.0])


@pytest.mark.parametrize("recording", [True, False])
def test_a_pickled_array_is_its_values(recording: bool):
    tape = ng.GradientTape()
    with tape if recording else contextlib.nullcontext():
        x = tape.watch(X) if recording else ng.array(X)
        made = pickle.loads(pickle.dumps(x * 2.0 if recording else x))
    np.testing.assert_array_equal(made, 2.0 * X if recording else X)
    assert isinstance(made, ng.TracedArray) and not made._storage.tracked
    made[0] = 5.0
    assert made[0] == 5.0


def test_fifty_nested_tapes():
    with contextlib.ExitStack() as stack:
        tapes = [stack.enter_context(ng.GradientTape(persistent=True)) for _ in range(50)]
        x = X
        for tape in tapes:
            x = tape.watch(x)
        y = (np.sin(x) * x).sum()
    for tape in tapes:
        np.testing.assert_allclose(tape.gradient(y, x), np.cos(X) * X + np.sin(X), rtol=1e-15)
