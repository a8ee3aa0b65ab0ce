"""checkpoint and checkpoint_loop: the derivatives of the plain program, and the published number of steps."""

import functools
import math
import tracemalloc

import numpy as np
import pytest

import npgrad as ng
from npgrad._checkpoint import backwards, first_pass

X = np.array([0.3, 0.5, 0.9])


def wave(x, scale=1.0):
    y = np.empty(x.shape)
    y[:] = np.sin(x) * x[::-1]
    y[0] += x[1] * x[2] * scale
    return y


def deep(function):
    return lambda x: (function(function(function(x), scale=2.0)) ** 2).sum()


def test_values_and_derivatives_are_those_of_the_function():
    plain, kept = deep(wave), deep(ng.checkpoint(wave))
    assert ng.value_and_grad(kept)(X)[0] == plain(X)
    np.testing.assert_array_equal(ng.grad(kept)(X), ng.grad(plain)(X))
    assert ng.jvp(kept, (X,), (X,))[1] == ng.jvp(plain, (X,), (X,))[1]
    assert ng.checkpoint(wave)(X).tolist() == wave(X).tolist()


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobians_and_second_derivatives(mode):
    kept = ng.checkpoint(wave)
    np.testing.assert_allclose(
        ng.jacobian(lambda x: kept(kept(x)), mode=mode)(X), ng.jacobian(lambda x: wave(wave(x)))(X), rtol=1e-14
    )
    np.testing.assert_allclose(ng.hessian(deep(kept), mode=mode)(X), ng.hessian(deep(wave))(X), rtol=1e-13)


def test_nested():
    inner = ng.checkpoint(wave)
    outer = ng.checkpoint(lambda x: inner(inner(x) * x))
    np.testing.assert_allclose(
        ng.jacobian(lambda x: outer(outer(x)))(X),
        ng.jacobian(lambda x: wave(wave(wave(wave(x) * x)) * wave(wave(x) * x)))(X),
        rtol=1e-13,
    )


def test_structures_constants_and_aliases():
    table = np.array([2, 0, 1])

    @ng.checkpoint
    def f(p, q, *, index, power):
        return {"a": p["w"][index] ** power * q, "same": p["w"], "n": power}

    def g(w, s):
        made = f({"w": w}, np.full(3, 2.0), index=table, power=3)
        w *= 0  # the value that was handed in is kept
        table[:] = 0
        made["same"][0] = 5.0
        return (made["a"] * s).sum() + made["same"].sum() + made["n"]

    by_w, by_s = ng.grad(g, (0, 1))(X, 1.5)
    np.testing.assert_allclose(by_w, 9 * X**2 + [0, 1, 1])
    np.testing.assert_allclose(by_s, (2 * X**3).sum())


def test_memory_is_that_of_the_arguments():
    def many(x):
        for _ in range(50):
            x = np.sin(x) * 1.01
        return x

    def peak(f):
        with ng.GradientTape() as tape:
            x = tape.watch(np.ones(10_000))
            tracemalloc.start()
            y = x
            for _ in range(4):
                y = f(y)
            kept = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
        return kept, tape.gradient(y, x)

    (plain, wanted), (kept, found) = peak(many), peak(ng.checkpoint(many))
    np.testing.assert_array_equal(found, wanted)
    assert kept < plain / 20


def test_what_would_be_lost_is_refused():
    with ng.GradientTape() as tape:
        x, w = tape.watch((X, 2.0))
        with pytest.raises(ValueError, match="not among its arguments"):
            ng.checkpoint(lambda x: x * w)(x)
        with pytest.raises(ValueError, match="not among its arguments"):
            ng.checkpoint_loop(lambda u, i: u * w, x, 3, 2)
        for write in (lambda x: x.__imul__(2), lambda x: x.__setitem__(0, 1.0), lambda x: x.sort()):
            with pytest.raises(ValueError, match=r"test_checkpoint.py:\d+: <lambda> writes into .* read-only .* a copy"):
                ng.checkpoint(write)(x)
        with pytest.raises(ValueError, match=r"test_checkpoint.py:\d+: <lambda> writes into .* read-only .* a copy"):
            ng.checkpoint_loop(lambda u, i, k: k.__imul__(2), x, 3, 2, w * X)
        with pytest.raises(ValueError, match="a state like"):
            ng.checkpoint_loop(lambda u, i: (u, u), x, 3, 2)


def test_functions_that_do_not_repeat_are_found():
    rng = np.random.default_rng(0)
    for f in (
        lambda x: (ng.checkpoint(lambda x: x * rng.random())(x)).sum(),
        lambda x: ng.checkpoint(lambda x: x[0] * rng.random())(x),
        lambda x: ng.checkpoint_loop(lambda u, i: u * rng.random(), x, 10, 3).sum(),
    ):
        with pytest.raises(RuntimeError, match="gave other values"):
            ng.grad(f)(X)


# --- Loops -----------------------------------------------------------------------------------------------------------


def step(u, i, k):
    u[1:-1] += k * (u[2:] - 2 * u[1:-1] + u[:-2]) + 0.01 * i * np.sin(u[1:-1])
    return u


def looped(u, k):
    u = u.copy()
    for i in range(20):
        u = step(u, i, k)
    return (u**3).sum()


U = np.random.default_rng(3).random(6)


@pytest.mark.parametrize("snapshots", [1, 2, 3, 5, 19, 40])
def test_loop(snapshots):
    def kept(u, k):
        return (ng.checkpoint_loop(step, u, 20, snapshots, k) ** 3).sum()

    assert kept(U, 0.1) == looped(U.copy(), 0.1)
    for argnum in (0, 1):
        value, gradient = ng.value_and_grad(kept, argnum)(U, 0.1)
        assert value == looped(U, 0.1)
        np.testing.assert_allclose(gradient, ng.grad(looped, argnum)(U, 0.1), rtol=1e-13)
        forward = ng.jacobian(kept, argnum, mode="forward")(U, 0.1)
        np.testing.assert_allclose(forward, gradient, rtol=1e-13)
    np.testing.assert_array_equal(U, np.random.default_rng(3).random(6))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_second_derivatives_of_a_loop(mode):
    def kept(u, k):
        return (ng.checkpoint_loop(step, u, 20, 3, k) ** 3).sum()

    for argnum in (0, 1):
        wanted = ng.hessian(looped, argnum)(U, 0.1)
        np.testing.assert_allclose(ng.hessian(kept, argnum, mode=mode)(U, 0.1), wanted, rtol=1e-12)


def test_a_state_of_several_parts_swept_twice():
    def move(state, i):
        q, p, n = state
        p = p - 0.1 * q**3
        return q + 0.1 * p, p, n + 1

    def plain(q, p):
        for i in range(15):
            q, p, _ = move((q, p, 0), i)
        return q * p

    with ng.GradientTape(persistent=True) as tape:
        q = tape.watch(np.array([1.0, 0.5]))
        q15, p15, n = ng.checkpoint_loop(move, (q, np.array([0.2, 0.3]), 0), 15, 3)
        y = q15 * p15
    assert n == 15
    wanted = ng.jacobian(plain)(np.array([1.0, 0.5]), np.array([0.2, 0.3]))
    for mode in ("reverse", "forward", "reverse"):
        np.testing.assert_allclose(tape.jacobian(y, q, mode=mode), wanted, rtol=1e-13)
    np.testing.assert_allclose(tape.jacobian(y, q, mode="reverse", max_bytes=1), wanted, rtol=1e-13)


def test_numbers_in_the_state():
    def move(state, i, dt):
        u, t = state
        return u + dt * np.sin(t * u), t + dt

    def kept(dt, t):
        return ng.checkpoint_loop(move, (np.ones(2), t), 9, 3, dt)[0].sum()

    def plain(dt):
        state = (np.ones(2), np.float64(0.5))
        for i in range(9):
            state = move(state, i, dt)
        return state[0].sum()

    value, gradient = ng.value_and_grad(lambda dt: kept(dt, np.float64(0.5)))(0.1)
    assert value == plain(0.1)
    np.testing.assert_allclose(gradient, ng.grad(plain)(0.1), rtol=1e-14)
    with pytest.raises(ValueError, match=r"begins as np\.float64"):
        ng.grad(lambda dt: kept(dt, 0.5))(0.1)


def test_loops_that_do_nothing():
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = ng.checkpoint_loop(lambda u, i: u / 0, x, 0, 3)
    np.testing.assert_array_equal(tape.gradient(y, x), 1)
    for n, snapshots in ((-1, 2), (3, 0)):
        with pytest.raises(ValueError, match="n >= 0 and snapshots >= 1"):
            ng.checkpoint_loop(lambda u, i: u, X, n, snapshots)


def published_optimum(steps: int, snapshots: int) -> int:
    """Forward steps besides those recorded: r l - binom(c + r, r - 1), r the smallest with binom(c + r, c) >= l
    (Griewank and Walther 2000)."""
    r = 0
    while math.comb(snapshots + r, snapshots) < steps:
        r += 1
    return r * steps - (math.comb(snapshots + r, r - 1) if r else 0)


def schedule(steps: int, snapshots: int) -> tuple[int, int]:
    """Steps gone on the way, the value's own last one left out; and the most states alive at a time."""
    gone, alive, most = 0, set(), 0

    class State(int):
        def __new__(cls, value):
            nonlocal most
            made = int.__new__(cls, value)
            alive.add(id(made))
            most = max(most, len(alive))
            return made

        def __del__(self):
            alive.discard(id(self))

    def advance(state, low, high):
        nonlocal gone
        assert state == low
        gone += high - low
        return State(high)

    taken, final = first_pass(steps, snapshots, State(0), advance)
    assert final == steps
    del final
    order = []
    for number, state in backwards(steps, snapshots, State(0), advance, taken):
        assert state == number
        order.append(number)
    assert order == list(range(steps))[::-1]
    return gone - 1, most


@pytest.mark.parametrize("snapshots", [1, 2, 3, 4, 7, 10])
def test_the_number_of_steps_is_the_published_optimum(snapshots):
    for steps in [*range(1, 60), 286, 287, 300]:
        gone, alive = schedule(steps, snapshots)
        assert gone == published_optimum(steps, snapshots)
        assert alive <= snapshots + 2  # the working one, and the one it is made from


@pytest.mark.parametrize(("snapshots", "per_step"), [(5, 6.28), (10, 3.64), (20, 2.75), (50, 1.95)])
def test_published_figures_for_a_thousand_steps(snapshots, per_step):
    gone, _ = schedule(1000, snapshots)
    assert round(gone / 1000, 2) == per_step


def test_a_loop_takes_the_steps_of_the_schedule():
    calls = []

    def counted(u, i):
        calls.append(i)
        return u + 0.01 * np.sin(u)

    ng.grad(lambda x: ng.checkpoint_loop(counted, x, 100, 4).sum())(X)
    # The last step once for the value, and each once to be recorded.
    assert len(calls) == published_optimum(100, 4) + 1 + 100


def test_memory_of_a_loop():
    def kept_by(snapshots):
        with ng.GradientTape() as tape:
            x = tape.watch(np.ones(20_000))
            tracemalloc.start()
            y = ng.checkpoint_loop(lambda u, i: np.sin(u) * 1.01, x, 200, snapshots).sum()
            tape.gradient(y, x)
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return most

    assert kept_by(5) < 20 * 20_000 * 8


# --- Aliases and work arrays


def both(plain, kept):
    """Value, gradient in both modes and Hessian of two programs that mean the same."""
    assert kept(X) == plain(X)
    value, gradient = ng.value_and_grad(kept)(X)
    assert value == plain(X)
    np.testing.assert_allclose(gradient, ng.grad(plain)(X), rtol=1e-13)
    np.testing.assert_allclose(ng.jacobian(kept, mode="forward")(X), gradient, rtol=1e-13)
    wanted = ng.hessian(plain)(X)
    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(ng.hessian(kept, mode=mode)(X), wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("start", [lambda x: (y := x * 2.0, y), lambda x: (x * 2.0, x * 3.0)])
def test_an_array_that_is_in_the_state_twice(start):
    def move(state, i):
        a, b = state
        if i % 2:
            a[0] += 0.1 * b[1] ** 2  # seen by the other name, where it is the same array
            b[1] *= 1.1
            return a, b
        a = a * 1.2 if a is not b else a
        return a, (a if i == 2 else b)

    def plain(x):
        state = start(x)
        for i in range(6):
            state = move(state, i)
        return state[0].sum() + 2 * state[1].sum()

    def kept(x):
        a, b = ng.checkpoint_loop(move, start(x), 6, 2)
        return a.sum() + 2 * b.sum()

    both(plain, kept)


def test_a_result_that_is_there_twice():
    def f(x):
        y = np.sin(x)
        return {"a": y, "b": y}

    def script(f):
        def run(x):
            made = f(x)
            made["a"][0] = 0.0
            made["b"][1] *= x[2]
            return (made["a"] * [1.0, 2.0, 3.0]).sum() + made["b"].sum()

        return run

    both(script(f), script(ng.checkpoint(f)))


def test_parts_of_one_array_are_not_written_apart():
    def overlapping(x):
        y = x * 1.0
        return ng.checkpoint_loop(lambda s, i: (s[0].__imul__(2.0), s[1]), (y, y[:2]), 3, 2)[1].sum()

    for f in (overlapping, ng.grad(overlapping)):
        with pytest.raises(ValueError, match=r"test_checkpoint.py:\d+: <lambda> writes into .* read-only .* a copy"):
            f(X)

    def apart(x):
        y = x * 1.0
        a, b = ng.checkpoint_loop(lambda s, i: (s[0].__imul__(2.0), s[1].__imul__(3.0)), (y[::2], y[1::2]), 3, 2)
        return a.sum() + b.sum()

    np.testing.assert_array_equal(ng.grad(apart)(X), [8.0, 27.0, 8.0])


def test_work_arrays_that_are_written_before_they_are_read():
    work = np.zeros(3)

    def step(u, i):
        work[:] = u
        work[1:] *= u[:-1]
        made = np.zeros(3)
        made[0] = work[1]
        made[1:] = work[1:] + i
        return made

    def plain(x):
        for i in range(6):
            x = step(x, i)
        return x.sum()

    # The first step leaves tracked data in the work array.
    both(plain, lambda x: ng.checkpoint_loop(lambda u, i: step(u, i + 1), step(x, 0), 5, 2).sum())
    both(lambda x: step(step(x, 0), 1).sum(), lambda x: ng.checkpoint(step)(step(x, 0), 1).sum())


@pytest.mark.parametrize(
    "write",
    [
        lambda work, u: None,
        lambda work, u: work.__setitem__(0, u[0]),
        lambda work, u: np.modf(u[1:], work[1:], np.zeros(2)),
        lambda work, u: np.add.at(work, [0, 1, 2], u),
        lambda work, u: np.copyto(work, u, where=u > 0.7),
    ],
)
def test_work_arrays_whose_tracked_data_is_read_are_refused(write):
    work = np.zeros(3)

    def step(u, i):
        write(work, u)
        return u * work

    def f(x):
        work[:] = x
        return ng.checkpoint_loop(step, x * 2, 3, 2).sum()

    with pytest.raises(ValueError, match="not among its arguments"):
        ng.grad(f)(X)


def test_values_of_all_kinds():
    @ng.checkpoint
    def f(x):
        return x * 1.0, np.arange(3), None, "text", np.ones(2), 5, x[0], float(len(x))

    def g(x):
        a, whole, nothing, text, ones, five, first, size = f(x)
        assert nothing is None and text == "text" and five == 5 and size == 3.0 and whole.dtype.kind == "i"
        return (a**2).sum() + ones.sum() + 3 * first

    np.testing.assert_allclose(ng.grad(g)(X), 2 * X + [3, 0, 0])
    np.testing.assert_allclose(ng.jacobian(g, mode="forward")(X), 2 * X + [3, 0, 0])


def test_after_an_error_all_is_as_before():
    fails = [True]

    def step(u, i):
        u *= 2
        if i == 3 and fails[0]:
            raise KeyError("mine")
        return u

    def script(x):
        try:
            return ng.checkpoint_loop(step, x, 6, 2).sum()
        except KeyError:
            return (x * x).sum()

    np.testing.assert_array_equal(ng.grad(script)(X), 2 * X)
    fails[0] = False
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        y = script(x)
    fails[0] = True
    for _ in range(2):
        with pytest.raises(KeyError):
            tape.gradient(y, x)
    fails[0] = False
    np.testing.assert_array_equal(tape.gradient(y, x), [64.0] * 3)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
@pytest.mark.parametrize("snapshots", [1, 2, 7])
def test_short_loops(n, snapshots):
    def plain(x):
        u = x * 1.0
        for i in range(n):
            u = step(u, i, 0.1)
        return (u**3).sum()

    both(plain, lambda x: (ng.checkpoint_loop(step, x * 1.0, n, snapshots, 0.1) ** 3).sum())


def test_a_loop_in_a_loop():
    def outer(u, i, run):
        return run(u, i) * np.cos(u[0])

    def inner(u, i):
        u = u * 1.0
        for k in range(3):
            u = step(u, k + i, 0.1)
        return u

    def kept_inner(u, i):
        return ng.checkpoint_loop(lambda u, k: step(u, k + i, 0.1), u * 1.0, 3, 2)

    def plain(x):
        for i in range(4):
            x = outer(x, i, inner)
        return (x**2).sum()

    both(plain, lambda x: (ng.checkpoint_loop(lambda u, i: outer(u, i, kept_inner), x, 4, 2) ** 2).sum())

# --- Objects and functions among the arguments


class Space:
    def __init__(self):
        self.work = np.zeros(3)

    def cubed(self, u):
        self.work[:] = u**2
        return self.work * u

    kept = ng.checkpoint(cubed)


SPACE, SLOT = Space(), np.zeros(3)
CELLS = np.empty(1, object)
CELLS[0] = np.zeros(3)


def cubed_in(u, work):
    work[:] = u**2
    return work * u


def by_slot(u):
    return cubed_in(u, SLOT)


def step_in(u, i, space):
    return space.cubed(u) / u


HELD = {
    "a method's self": SPACE.kept,
    "an object": lambda u: ng.checkpoint(lambda u, space: space.cubed(u))(u, SPACE),
    "by keyword": lambda u: ng.checkpoint(lambda u, *, space: space.cubed(u))(u, space=SPACE),
    "in a list": lambda u: ng.checkpoint(lambda u, held: held[0]["a"].cubed(u))(u, [{"a": SPACE}]),
    "a method": lambda u: ng.checkpoint(lambda call, u: call(u))(SPACE.cubed, u),
    "a function": lambda u: ng.checkpoint(lambda call, u: call(u))(by_slot, u),
    "a partial": lambda u: ng.checkpoint(lambda call, u: call(u))(functools.partial(cubed_in, work=SLOT), u),
    "an array of objects": lambda u: ng.checkpoint(lambda u, cells: cubed_in(u, cells[0]))(u, CELLS),
    "a loop": lambda u: ng.checkpoint_loop(lambda u, i, space: space.cubed(u), u, 1, 1, SPACE),
}


@pytest.mark.parametrize("name", HELD)
def test_work_arrays_of_what_is_among_the_arguments(name):
    """The sweep comes when what the call reached has been put back."""
    f = HELD[name]
    before = SPACE.work, SLOT, CELLS[0]
    np.testing.assert_allclose(ng.vjp(f, X)[1](np.ones(3))[0], 3 * X**2)
    np.testing.assert_allclose(ng.jvp(f, (X,), (np.ones(3),))[1], 3 * X**2)
    np.testing.assert_allclose(ng.linearize(f, X).jvp((np.ones(3),)), 3 * X**2)
    np.testing.assert_allclose(ng.for_solver(lambda u: f(u).sum()).jac(X), 3 * X**2)
    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(ng.hessian(lambda u: f(u).sum(), mode=mode)(X), np.diag(6 * X))
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = f(x)
    np.testing.assert_allclose(tape.gradient(y, x), 3 * X**2)
    for now, then in zip((SPACE.work, SLOT, CELLS[0]), before, strict=True):
        assert now is then and type(now) is np.ndarray


def test_work_arrays_of_arguments_of_a_loop():
    def f(u):
        return ng.checkpoint_loop(step_in, u, 3, 2, SPACE).sum()  # u ** 8 by three squarings

    np.testing.assert_allclose(ng.vjp(f, X)[1](1.0)[0], 8 * X**7)
    np.testing.assert_allclose(ng.hessian(f)(X), np.diag(56 * X**6))
    np.testing.assert_allclose(ng.hvp(f, (X,), (np.ones(3),))[0], 56 * X**6)


def test_what_cannot_be_reached_among_the_arguments_is_not_written_unseen():
    def buffers():
        work = np.zeros(3)
        while True:
            yield work

    endless = buffers()
    next(endless)
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = ng.checkpoint(lambda u, source: cubed_in(u, next(source)))(x, endless)
    with pytest.raises(ng.LeakError, match="an array is written that is held where npgrad cannot follow it"):
        tape.gradient(y, x)


def test_what_is_left_in_an_argument():
    def f(u):
        space = Space()
        y = ng.checkpoint(lambda u, space: vars(space).update(work=u**2) or space.work * u)(u, space)
        return (y + space.work).sum()

    with pytest.raises(ng.LeakError, match="has left data in an array that is used after it"):
        ng.grad(f)(X)


KEPT = np.zeros(3)


def squares_in_place(u):
    KEPT[:] = u**2
    return KEPT * u


def test_what_is_left_in_a_work_array():
    run = ng.checkpoint(squares_in_place)
    np.testing.assert_allclose(ng.grad(lambda u: (run(u) + run(2 * u)).sum())(X), 27 * X**2)
    with pytest.raises(ng.LeakError, match="has left data in an array that is used after it"):
        ng.grad(lambda u: (run(u) + KEPT).sum())(X)
