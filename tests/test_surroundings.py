"""What functions use besides their arguments, and what becomes of it between a call and the derivative: an error where the
derivative would be that of another function, and none where it would not."""

from __future__ import annotations

import functools
import types

import numpy as np
import pytest

import npgrad as ng

X = np.array([1.0, 2.0, 3.0])
ZERO = np.zeros(3)
FACTOR = 2.0
TABLE = np.array([1.0, 2.0, 3.0])


class Model:
    def __init__(self):
        self.k, self.table, self.calls = 2.0, np.array([1.0, 2.0, 3.0]), 0

    def product(self, ct):
        return ct * self.k * self.table


def change_global():
    global FACTOR
    FACTOR += 1.0


def closure():
    k = 2.0

    def change():
        nonlocal k
        k += 1.0

    return (lambda z: z * k), change


def helper():
    k = 2.0

    def inner(z):
        return z * k

    def change():
        nonlocal k
        k = 5.0

    return (lambda z: inner(z)), change


NUMBERS = {"global": lambda: ((lambda z: z * FACTOR), change_global), "closure": closure, "helper": helper}


def array():
    k = np.array([1.0, 2.0, 3.0])
    return (lambda z: z * k), lambda: np.multiply(k, 2.0, out=k)


def global_array():
    return (lambda z: z * TABLE), lambda: np.multiply(TABLE, 2.0, out=TABLE)


def view():
    k = np.arange(6.0)
    part = k[::2]
    return (lambda z: z * part), lambda: np.multiply(k, 2.0, out=k)


def traced():
    k = ng.array([1.0, 2.0, 3.0])
    return (lambda z: z * k), lambda: k.__setitem__(0, 7.0)


def variable():
    k = ng.Variable([1.0, 2.0, 3.0], trainable=False)
    return (lambda z: z * k), lambda: k.assign([2.0, 2.0, 2.0])


def in_dict():
    k = {"k": 2.0}
    return (lambda z: z * k["k"]), lambda: k.update(k=3.0)


def in_list():
    k = [np.array([1.0, 2.0, 3.0])]
    return (lambda z: z * k[0]), lambda: k.__setitem__(0, np.ones(3))


def attribute():
    model = Model()
    return (lambda z: z * model.k), lambda: setattr(model, "k", 3.0)


def namespace():
    model = types.SimpleNamespace(k=np.array([1.0, 2.0, 3.0]))
    return (lambda z: z * model.k), lambda: np.multiply(model.k, 2.0, out=model.k)


def method_of_attribute():
    model = Model()
    return (lambda z: model.product(z)), lambda: setattr(model, "k", 3.0)


def method():
    model = Model()
    return model.product, lambda: setattr(model, "k", 3.0)


def partial():
    k = np.array([1.0, 2.0, 3.0])
    return functools.partial(lambda k, z: z * k, k), lambda: np.multiply(k, 2.0, out=k)


def default():
    k = np.array([1.0, 2.0, 3.0])

    def times(z, k=k):
        return z * k

    return times, lambda: np.multiply(k, 2.0, out=k)


ALL = NUMBERS | {
    f.__name__: f
    for f in (
        array, global_array, view, traced, variable, in_dict, in_list, attribute, namespace, method,
        method_of_attribute, partial, default,
    )
}  # fmt: skip


def custom(times):
    return ng.custom_gradient(lambda x: (times(x), times))


@pytest.mark.parametrize("made", ALL)
def test_gradient_functions(made):
    times, change = ALL[made]()
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(ZERO)  # whose value does not tell
        y = custom(times)(x)
    expected = times(np.ones(3))
    np.testing.assert_array_equal(tape.gradient(y, x), expected)
    change()
    with pytest.raises(RuntimeError, match="has been changed since the call"):
        tape.gradient(y, x)


WRAPPERS = {
    "checkpoint": ng.checkpoint,
    "checkpoint_loop": lambda times: lambda x: ng.checkpoint_loop(lambda u, i: times(u), x, 2, 1),
    "black_box": ng.black_box,
    "implicit": lambda times: ng.implicit(times, lambda y, x: y - times(x)),
}


@pytest.mark.parametrize("at", [X, ZERO], ids=["", "at zero"])
@pytest.mark.parametrize("made", NUMBERS)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_functions_that_use_other_numbers(wrapper, made, at):
    times, change = NUMBERS[made]()
    with ng.GradientTape() as tape:
        x = tape.watch(at)
        y = WRAPPERS[wrapper](times)(x)
    change()
    with pytest.raises(RuntimeError, match=r"changed since the call|other values"):
        tape.gradient(y, x)


@pytest.mark.parametrize("made", ALL)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_functions_that_use_other_data(wrapper, made):
    times, change = ALL[made]()
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = WRAPPERS[wrapper](times)(x)
    change()
    with pytest.raises(RuntimeError, match=r"changed since the call|other values|another value"):
        tape.gradient(y, x)


def test_an_equation_that_has_changed_a_little():
    k = np.array([2.0, 2.0, 2.0])
    root = ng.implicit(lambda x: x * k, lambda y, x: y - x * k)
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = root(x)
    k *= 1 + 1e-6
    with pytest.raises(RuntimeError, match="other values than in the call"):
        tape.gradient(y, x)


def test_the_variable_of_a_loop():
    with ng.GradientTape() as tape:
        x = tape.watch(ZERO)
        y = x
        for n in range(1, 3):
            y = ng.custom_gradient(lambda x: (x * n, lambda ct: ct * n))(y)  # noqa: B023
    with pytest.raises(RuntimeError, match="uses n, which has been changed"):
        tape.gradient(y, x)


def test_what_is_nobody_elses_or_does_not_matter_is_let_be():
    calls, work, log = 0, np.zeros(3), []
    count = {"calls": 0}

    @ng.custom_gradient
    def f(x):
        root = np.sqrt(x)

        def pull(ct):
            nonlocal calls
            calls += 1
            count["calls"] += 1
            log.append(calls)
            return ct / (2 * root)

        return root, pull

    @ng.checkpoint
    def g(x):
        nonlocal calls
        calls += 1
        work[:] = x
        log.append("g")
        return (work * x).sum()

    np.testing.assert_allclose(ng.grad(lambda x: g(f(f(x))) + g(2 * x))(X), 0.5 * X**-0.5 + 8 * X)


@pytest.mark.parametrize("made", ALL)
@pytest.mark.parametrize("questions", [("fun", "jac"), ("jac", "fun"), ("fun", "hess"), ("hess", "jac")])
def test_solvers_ask_anew(made, questions):
    times, change = ALL[made]()
    solvable = ng.for_solver(lambda x: (times(x) * x * x).sum())
    first, second = questions
    getattr(solvable, first)(X)
    change()
    k = np.ones(3) * times(np.ones(3))
    expected = {"fun": (k * X**3).sum(), "jac": 3 * k * X**2, "hess": np.diag(6 * k * X)}
    np.testing.assert_allclose(getattr(solvable, second)(X), expected[second])
    np.testing.assert_allclose(solvable.hessp(X, X), 6 * k * X * X)


def test_attributes_that_are_not_mentioned_do_not_matter():
    class Clock(Model):
        def __init__(self):
            super().__init__()
            self.time, self.state = 0.0, np.zeros(3)

    clock = Clock()
    with ng.GradientTape() as tape:
        x = y = tape.watch(X)
        for _ in range(2):
            y = ng.custom_gradient(lambda x: (clock.product(x), lambda ct: clock.product(ct)))(y)
            clock.time += 0.5
            clock.state[:] = clock.time
    np.testing.assert_array_equal(tape.gradient(y, x), 4 * clock.table**2)


def test_solvers_whose_arguments_are_objects():
    solvable, model = ng.for_solver(lambda x, model: (x**3).sum() * model.k), Model()
    solvable.fun(X, model)
    model.k = 5.0
    np.testing.assert_allclose(solvable.jac(X, model), 15 * X**2)
