"""What a program keeps of a call of the functional API is what the plain program would have kept."""

from __future__ import annotations

import json
import pickle
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npgrad as ng

X = np.array([0.9, 1.6, 0.35, 2.2])

# A statement of a function of x, in a module with the objects of `HOLDERS`; `b` is an array that was made in the call.
KEEPS = {
    "a buffer that is made when it is first needed": "b = TABLE.setdefault('work', np.empty(4)); b[:] = 2 * x",
    "a name of the module": "global last; last = b",
    "a name that was there": "global name; name = b.sum()",
    "an attribute": "OBJECT.best = b.copy(); OBJECT.count = getattr(OBJECT, 'count', 0) + 1",
    "an attribute of a function": "keeping.best = b",
    "an attribute of a function that had none": "helper(b)",
    "an attribute of a class": "Kind.best = b",
    "a slot": "SLOTS.first = b",
    "a log of numbers": "LIST.append(b.sum()); LIST.append(x[0])",
    "a log of tuples": "LIST.append((1, b.copy(), {'first': b[0]}))",
    "a named tuple": "LIST.append(Pair(b, [b[1]]))",
    "a dataclass": "LIST.append(Data(b, b.sum()))",
    "a partial function": "LIST.append(functools.partial(np.dot, b))",
    "a deque": "DEQUE.append(b.max())",
    "a context variable": "VARIABLE.set(b)",
    "a closure": "remember(b)",
    "a table by numbers": "TABLE[3.5] = b[:2]",
    "views of one array": "TABLE['all'] = b; TABLE['part'] = b[1:]",
    "an array from before": "WORK[:] = x; TABLE['work'] = WORK; LIST.append(WORK)",
    "integers": "TABLE['order'] = np.argsort(b); TABLE['mask'] = b > 1",
    "records": "r = np.zeros(2, [('p', float), ('n', int)]); r['n'] = 3; TABLE['records'] = r",
    "objects": "o = np.empty(2, object); o[:] = [b[0], b[1]]; TABLE['objects'] = o",
    "a number of Python's": "import math; TABLE['exp'] = math.exp(x[0]); TABLE['item'] = x[1].item()",
    "a function of NumPy's": "OBJECT.make = np.zeros; TABLE['exp'] = np.exp; LIST.append(np.float32)",
    "single precision": "TABLE['f4'] = b.astype(np.float32); TABLE['c16'] = b * 1j",
}
SOURCE = """
import collections, contextvars, dataclasses, functools
import numpy as np
class Kind: pass
class Slots: __slots__ = ("first",)
Pair = collections.namedtuple("Pair", "a b")
@dataclasses.dataclass
class Data:
    a: object
    b: object
OBJECT, SLOTS, TABLE, LIST, DEQUE, WORK, name = Kind(), Slots(), {}, [], collections.deque(), np.zeros(4), None
VARIABLE = contextvars.ContextVar("VARIABLE", default=None)
def _closure():
    held = None
    def remember(value):
        nonlocal held
        held = value
    return remember, lambda: held
remember, remembered = _closure()
def helper(value):
    helper.best = value
def keeping(x):
    b = 3 * x
    %s
    return (b ** 2).sum()
def state():
    named = [globals().get("last"), name, WORK, VARIABLE.get(), remembered()]
    tables = [TABLE, LIST, list(DEQUE)]
    return [vars(OBJECT), vars(keeping), vars(helper), Kind.__dict__.get("best"), getattr(SLOTS, "first", 0), tables, named]
def state_of_partials():
    return [[one.func, one.args] for one in LIST if isinstance(one, functools.partial)]
"""


def described(value: Any) -> Any:
    """A structure by the types and bits of what is in it."""
    if isinstance(value, np.ndarray):
        assert value.flags.writeable
        held = [described(one) for one in value.tolist()] if value.dtype.hasobject else value.tobytes()
        return type(value).__name__, value.dtype, value.shape, held
    if isinstance(value, dict):
        return [(described(key), described(one)) for key, one in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [described(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return type(value).__name__, described(vars(value))
    if callable(value):
        return getattr(value, "__name__", "partial")
    return type(value).__name__, repr(value)


WAYS: dict[str, Callable] = {
    "grad": lambda f: ng.grad(f)(X),
    "jvp": lambda f: ng.jvp(f, (X,), (X,)),
    "vjp": lambda f: ng.vjp(f, X)[1](1.0),
    "jacobian": lambda f: ng.jacobian(f)(X),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", KEEPS)
def test_it_is_what_the_plain_program_keeps(what: str, way: str, users_module: Callable) -> None:
    plain, ours = (users_module(SOURCE % KEEPS[what]) for _ in range(2))
    for _ in range(2):
        plain.keeping(X)
        WAYS[way](ours.keeping)
        assert described(ours.state()) == described(plain.state())
        assert described(ours.state_of_partials()) == described(plain.state_of_partials())
    assert ours.keeping(X) == plain.keeping(X)
    assert described(ours.state()) == described(plain.state())


def test_the_same_wrapped_function_is_right_each_time(users_module: Callable) -> None:
    module = users_module(SOURCE % KEEPS["a buffer that is made when it is first needed"])
    gradient = ng.grad(module.keeping)
    for x in (X, 2 * X, X - 1):
        np.testing.assert_allclose(gradient(x), 8 * x, rtol=1e-15)  # b is 2 x there
        assert type(module.TABLE["work"]) is np.ndarray
        np.random.default_rng(0).standard_normal(out=module.TABLE["work"])


def test_aliases_stay_aliases(users_module: Callable) -> None:
    module = users_module(SOURCE % (KEEPS["views of one array"] + "; LIST.append(b); " + KEEPS["an array from before"]))
    ng.grad(module.keeping)(X)
    assert module.TABLE["all"] is module.LIST[0]
    assert np.shares_memory(module.TABLE["all"], module.TABLE["part"])
    assert module.TABLE["work"] is module.WORK is module.LIST[-1]


def test_also_when_the_program_raises(users_module: Callable) -> None:
    module = users_module(SOURCE % "LIST.append(b); TABLE['work'] = b; raise ZeroDivisionError")
    with pytest.raises(ZeroDivisionError):
        ng.grad(module.keeping)(X)
    assert type(module.LIST[0]) is np.ndarray
    assert module.LIST[0] is module.TABLE["work"]


def test_text_and_pickles_of_it(users_module: Callable) -> None:
    module = users_module(SOURCE % KEEPS["a log of numbers"])
    ng.grad(module.keeping)(X)
    assert json.loads(json.dumps(module.LIST)) == [float(3 * X.sum()), 0.9]
    assert b"npgrad" not in pickle.dumps(module.LIST)


def test_a_derivative_that_is_asked_for_later_has_the_values_of_the_call(users_module: Callable) -> None:
    module = users_module(SOURCE % "TABLE['work'] = b")
    _, pull = ng.vjp(module.keeping, X)
    module.TABLE["work"][:] = 0.0
    np.testing.assert_allclose(pull(1.0)[0], 18 * X, rtol=1e-15)


def test_what_users_made_traced_before_stays(users_module: Callable) -> None:
    module = users_module(SOURCE % "OBJECT.count = 1; LIST.append(b)")
    module.TABLE.update(mine=ng.array([1.0]), both=(ng.array([2.0]), []), variable=ng.Variable(3.0))
    mine, both, variable = module.TABLE.values()
    ng.grad(module.keeping)(X)
    assert module.TABLE["mine"] is mine and module.TABLE["both"] is both and module.TABLE["variable"] is variable
    assert type(mine) is type(both[0]) is ng.TracedArray


def test_an_outer_tape_goes_on_with_it(users_module: Callable) -> None:
    module = users_module(SOURCE % "TABLE['work'] = b")
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        inner = ng.grad(module.keeping)(x)
        y = (inner * module.TABLE["work"]).sum()
    np.testing.assert_allclose(tape.gradient(y, x), 2 * 18 * 3 * X, rtol=1e-15)


def test_while_another_thread_records_it_is_let_be(users_module: Callable) -> None:
    module = users_module(SOURCE % "LIST.append(b)")
    recording, done = threading.Event(), threading.Event()
    found = []

    def other() -> None:
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            module.TABLE["of the other"] = 5 * x
            recording.set()
            done.wait(20)
            found.append(tape.gradient(module.TABLE["of the other"].sum(), x))

    thread = threading.Thread(target=other)
    thread.start()
    recording.wait(20)
    ng.grad(module.keeping)(X)
    done.set()
    thread.join()
    assert found[0].tolist() == [5.0] * 4


# --- Results of earlier calls ----------------------------------------------------------------------------------------

MODEL = """
import numpy as np
class Model:
    point = None
    def update(self, x):
        if self.point is None or not np.array_equal(x, self.point):
            self.point, self.residual = x.copy(), %s
    def value(self, x):
        self.update(x)
        return (self.residual ** 2).sum() + %s
model = Model()
"""


@pytest.mark.parametrize("residual", ["3 * x - 1", "(3 * x - 1).sum()"])
@pytest.mark.parametrize("way", WAYS)
def test_what_was_computed_at_the_same_point_before_is_no_constant(residual: str, way: str, users_module: Callable) -> None:
    model = users_module(MODEL % (residual, "0")).model
    first = WAYS[way](model.value)
    with pytest.raises(ng.LeakError, match="what an earlier call of it has computed"):
        WAYS[way](model.value)
    model.point = None
    np.testing.assert_array_equal(WAYS[way](model.value), first)


def test_what_only_goes_on_from_an_earlier_call_is_one(users_module: Callable) -> None:
    """As the start of an iteration is that goes on from where the last call ended."""
    model = users_module(MODEL % ("3 * x - 1", "(x ** 3).sum()")).model
    ng.grad(model.value)(X)
    np.testing.assert_allclose(ng.grad(model.value)(X), 3 * X**2, rtol=1e-15)


def test_numbers_that_are_kept_are_known_for_a_while_only() -> None:
    from npgrad import _kept

    numbers = [np.float64(n) for n in range(_kept._MOST_NUMBERS + 5)]
    for number in numbers:
        _kept.keep(number, frozenset([1]))
    assert len(_kept._numbers) == _kept._MOST_NUMBERS
    assert not _kept.tracked_once(numbers[0]) and _kept.tracked_once(numbers[-1])
    array = np.zeros(3)
    _kept.keep(array, frozenset([2]))
    assert _kept.tracked_once(array) == frozenset([2])
    key = id(array)
    del array
    assert key not in _kept._arrays


def test_nothing_new_is_no_reason_to_search(users_module: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    module: types.ModuleType = users_module(SOURCE % "OBJECT.count = getattr(OBJECT, 'count', 0) + 1")
    gradient = ng.grad(module.keeping)
    gradient(X)
    monkeypatch.setattr("npgrad._instrument.Leftovers", None)
    gradient(X)
    assert module.OBJECT.count == 2


@pytest.mark.parametrize("residual", ["3 * x - 1", "(3 * x - 1).sum()"])
def test_so_it_is_after_many_calls_of_one_wrapped_function(residual: str, users_module: Callable) -> None:
    gradient = ng.grad(users_module(MODEL % (residual, "0")).model.value)
    for n in range(5):
        assert np.isfinite(gradient(X + n)).all()
    with pytest.raises(ng.LeakError, match="what an earlier call of it has computed"):
        gradient(X + 4)
    np.testing.assert_array_equal(gradient(X), ng.grad(lambda x: (eval(residual, {"x": x}) ** 2).sum())(X))


def test_what_an_outer_tape_follows_is_nothing_left() -> None:
    nested = ng.grad(lambda x: ng.grad(lambda y: np.sum(x**2))(x).sum())(X)
    assert nested.tolist() == [0.0] * 4
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = ng.grad(lambda y: np.sum(x**2))(x).sum() + (x**3).sum()
    np.testing.assert_allclose(tape.gradient(y, x), 3 * X**2, rtol=1e-15)
    rows = ng.jacobian(lambda x: ng.jacobian(lambda y: np.stack([x[0] * x[1], y[0] * x[1]]))(x)[0])(X)
    assert not rows.any()


def on_an_inner_tape() -> Any:
    with ng.GradientTape() as tape:
        y = tape.watch(np.array(1.5)) ** 3
    return y


def at_a_root() -> Any:
    return pytest.importorskip("scipy.optimize").root(lambda z: z**3 - 2, 1.0).x[0]


CONSTANTS: dict[str, Callable[[], Any]] = {
    "an inner tape": on_an_inner_tape,
    "an inner gradient": lambda: ng.grad(lambda c: c**3)(1.5),
    "an inner forward derivative": lambda: ng.jvp(lambda c: c**3, (1.5,), (1.0,))[0],
    "a solver": at_a_root,
}


@pytest.mark.parametrize("made", CONSTANTS.values(), ids=CONSTANTS)
def test_nor_is_what_a_tape_inside_of_the_call_leaves_behind(made: Callable) -> None:
    factor = float(made())

    def f(x: Any) -> Any:
        return np.sum(made() * x)

    np.testing.assert_array_equal(ng.hessian(f)(X), np.zeros((4, 4)))
    np.testing.assert_array_equal(ng.grad(f)(X), np.full(4, factor))
    np.testing.assert_array_equal(ng.grad(lambda x: made() + 0 * x[0])(X), np.zeros(4))
    np.testing.assert_array_equal(ng.grad(lambda x: made() * 2)(X), np.zeros(4))


@pytest.mark.parametrize("way", WAYS)
def test_nor_is_it_a_constant_while_the_first_tape_lives(way: str, users_module: Callable) -> None:
    model = users_module(MODEL % ("3 * x - 1", "0")).model
    _, pull = ng.vjp(model.value, X)
    with pytest.raises(ng.LeakError, match="what an earlier call of it has computed"):
        WAYS[way](model.value)
    np.testing.assert_allclose(pull(1.0)[0], 6 * (3 * X - 1), rtol=1e-15)


def test_a_search_that_is_interrupted_replaces_nothing(users_module: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    module = users_module(SOURCE % "LIST.append(b)")
    gradient = ng.grad(module.keeping)
    gradient(X)
    mine = ng.array([1.0])
    module.LIST.append(mine)

    def interrupted(swaps: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("npgrad._swaps.Swaps.run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            gradient(X)
    assert module.LIST[1] is mine
    gradient(X)
    assert module.LIST[1] is mine


# How a program makes, of an array w, what refers to it; and how it gets the array of that again, or writes 10 v by it.
HANDLES = {
    "a flat iterator": ("w.flat", "h[1] = 10 * v"),
    "one that has begun": ("w[:].flat; next(h)", "h[1] = 10 * v"),
    "np.nditer": ("np.nditer(w, op_flags=['readwrite'], flags=['multi_index'])", "h[0] = 10 * v"),
    "np.broadcast": ("np.broadcast(w, 2.0)", "h.reset(); w[1:2] = sum(a for a, b in h) * v"),
    "a weak reference": ("weakref.ref(w)", "h()[1] = 10 * v"),
    "a dict of weak references": ("weakref.WeakValueDictionary(w=w)", "h['w'][1] = 10 * v"),
    "itertools.repeat": ("itertools.repeat(w)", "next(h)[1] = 10 * v"),
    "itertools.repeat so many times": ("itertools.repeat(w, 9)", "next(h)[1] = 10 * v"),
    "itertools.cycle": ("itertools.cycle((w, w))", "next(h)[1] = 10 * v"),
    "an iterator of a tuple": ("iter((w,) * 9)", "next(h)[1] = 10 * v"),
    "zip": ("zip((w,) * 9, range(9))", "next(h)[0][1] = 10 * v"),
    "a generator": ("(one for one in (w,) * 9)", "next(h)[1] = 10 * v"),
    "a generator with a view": ("(one for one in (w[1:],) * 9)", "next(h)[0] = 10 * v"),
    "a cache": ("functools.lru_cache(None)(lambda one: w); h(0)", "h(0)[1] = 10 * v"),
    "a cache of tuples": ("functools.lru_cache(None)(lambda one: (w, w[1:])); h(0)", "h(0)[1][0] = 10 * v"),
    "a cache of few": ("functools.lru_cache(4)(lambda one: [w][0]); h(0)", "h(0)[1] = 10 * v"),
}
HANDLING = """
import functools, itertools, weakref
import numpy as np
kept = {}
def run(x):
    if not kept:
        w = np.zeros(4)
        h = %s
        kept.update(w=w, h=h)
    w, h, v = kept["w"], kept["h"], x[0] * x[2]
    w[:] = x * x
    %s
    return (w * w).sum()
"""


@pytest.mark.parametrize("handle", HANDLES)
def test_what_refers_to_an_array_that_was_made_in_a_call_goes_with_it(handle: str, users_module: Callable) -> None:
    plain, ours = (users_module(HANDLING % HANDLES[handle]) for _ in range(2))
    gradient = ng.grad(ours.run)
    plain.run(X)
    expected = [finite_difference_gradient(plain.run, X)] * 3
    np.testing.assert_allclose([gradient(X) for _ in range(3)], expected, rtol=1e-6)
    assert type(ours.kept["w"]) is np.ndarray and type(ours.kept["h"]) is type(plain.kept["h"])
    assert ours.run(X) == ng.value_and_grad(ours.run)(X)[0]


def finite_difference_gradient(f: Callable, x: np.ndarray) -> np.ndarray:
    """Of a function whose iterators do not last for many calls: two for each element."""
    return np.array([(f(x + step) - f(x - step)) / 2e-6 for step in 1e-6 * np.eye(x.size)])


SHARED = """
import functools
import numpy as np
@functools.lru_cache(%s)
def workspace(n):
    return np.zeros(n)
class Holder:
    buffer = None
def run(x):
    if Holder.buffer is None:
        Holder.buffer = workspace(4)
    Holder.buffer[:] = x * x
    workspace(4)[1] = x[0]
    return Holder.buffer.sum()
"""


@pytest.mark.parametrize("size", ["None", "8"])
def test_an_array_of_a_cache_is_that_which_the_program_keeps_of_it(size: str, users_module: Callable) -> None:
    module = users_module(SHARED % size)
    for _ in range(3):
        np.testing.assert_allclose(ng.grad(module.run)(X), 2 * X * [1, 0, 1, 1] + [1, 0, 0, 0], rtol=1e-15)
    assert np.shares_memory(module.Holder.buffer, module.workspace(4))
    assert size == "8" or module.Holder.buffer is module.workspace(4)
    assert module.run(X) == (X**2)[[0, 2, 3]].sum() + X[0]


def test_a_weak_reference_from_before_is_one_to_what_stands_there(users_module: Callable) -> None:
    source = "import weakref\nimport numpy as np\nwork = np.zeros(4)\nlook = weakref.ref(work)\n"
    module = users_module(source + "def run(x):\n    work[:] = x\n    look()[1] = x[0]\n    return (work ** 2).sum()\n")
    look = module.look
    np.testing.assert_allclose(ng.grad(module.run)(X), 2 * X * [2, 0, 1, 1], rtol=1e-15)
    assert module.look is look and look() is module.work


SECOND_ORDER: dict[str, Callable] = {
    "hessian": lambda f: ng.hessian(f)(X),
    "holomorphic": lambda f: ng.hessian(f, holomorphic=True)(X + 0.5j),
    "hvp": lambda f: ng.hvp(f, (X,), (X,)),
    "sparse_hessian": lambda f: ng.sparse_hessian(f)(X),
    "jacobian of grad": lambda f: ng.jacobian(ng.grad(f))(X),
    "jacobian of hessian": lambda f: ng.jacobian(ng.hessian(f))(X),
    "grad inside": lambda f: ng.grad(lambda x: (ng.grad(lambda y: 2 * f(y))(x) ** 2).sum())(X),
    "two inside": lambda f: ng.grad(lambda x: (ng.grad(f)(x) * ng.grad(lambda y: f(2 * y))(x)).sum())(X),
    "for_solver": lambda f: (s := ng.for_solver(f)) and (s.hess(X), s.hessp(X, X)),
    "check_gradients": lambda f: ng.testing.check_gradients(f, X),
}


@pytest.mark.parametrize("way", SECOND_ORDER)
def test_derivatives_of_derivatives_leave_nothing_traced(way: str, users_module: Callable) -> None:
    module = users_module("""
        import numpy as np
        class Model:
            buffer = None
            def __init__(self):
                self.log = []
            def run(self, x):
                if self.buffer is None:
                    self.buffer, self.make = np.zeros(4, x.dtype), np.zeros
                    self.flat = self.buffer.flat
                self.buffer[:] = x
                self.flat[1] = x[0] * x[1]
                self.log.append((x * x).sum())
                return (self.buffer ** 3).sum()
    """)
    model = module.Model()
    for _ in range(2):
        SECOND_ORDER[way](model.run)
        assert type(model.buffer) is np.ndarray and type(model.flat) is np.flatiter and model.make is np.zeros
        assert {type(number) for number in model.log} <= {np.float64, np.complex128}
    del model.flat, model.make
    assert pickle.loads(pickle.dumps(vars(model)))["log"] == model.log
    fresh = module.Model()
    rows = [(ng.grad(fresh.run)(X + step) - ng.grad(fresh.run)(X - step)) / 2e-6 for step in 1e-6 * np.eye(4)]
    model.buffer = None
    np.testing.assert_allclose(ng.hessian(model.run)(X), rows, atol=1e-6)


@pytest.mark.parametrize("name", ["empty_like", "zeros_like", "empty", "sin", "array"])
def test_a_static_method_that_is_set_in_a_call_is_one_afterwards(name: str, users_module: Callable) -> None:
    module = users_module(f"""
        import numpy as np
        class Tool:
            make = None
            def run(self, x):
                if Tool.make is None:
                    Tool.make = staticmethod(np.{name})
                out = self.make({"4" if name == "empty" else "x"})
                out[:] = x * x
                return out.sum()
    """)
    for _ in range(2):
        np.testing.assert_allclose(ng.grad(module.Tool().run)(X), 2 * X, rtol=1e-15)
        kept = vars(module.Tool)["make"]
        assert type(kept) is staticmethod and kept.__func__ is getattr(np, name)
        assert module.Tool().run(X) == (X * X).sum()


FUNCTIONS = {
    "a static method": ("staticmethod(np.zeros)", "kept.__func__ is np.zeros and kept(2).sum() == 0"),
    "a class method": ("classmethod(np.sin)", "kept.__func__ is np.sin"),
    "a property": ("property(np.shape, doc='its shape')", "kept.fget is np.shape and kept.__doc__ == 'its shape'"),
    "a set": ("{np.exp, np.zeros, math.sin, 1}", "set(map(id, kept)) == set(map(id, (np.exp, np.zeros, math.sin, 1)))"),
    "a cache": ("functools.lru_cache(None)(np.zeros); kept(2)", "kept.__wrapped__ is np.zeros and kept(2) is kept(2)"),
    "a reduction": ("np.add.reduce", "kept == np.add.reduce and kept.__self__ is np.add"),
    "a generator": ("RNG", "kept is RNG"),
    "a method of a generator": ("RNG.normal", "kept == RNG.normal and kept.__self__ is RNG"),
    "one of the old ones": ("STATE.normal", "kept == STATE.normal and kept.__self__ is STATE"),
    "a generator that is made": ("np.random.default_rng(3)", "type(kept) is np.random.Generator"),
}


@pytest.mark.parametrize("what", FUNCTIONS)
def test_functions_of_numpys_are_its_own_wherever_they_are_kept(what: str, users_module: Callable) -> None:
    made, is_right = FUNCTIONS[what]
    module = users_module(f"""
        import functools, math
        import numpy as np
        RNG, STATE, kept = np.random.default_rng(1), np.random.RandomState(1), None
        def run(x):
            global kept
            if kept is None:
                kept = {made}
            return (x * x).sum()
    """)
    for _ in range(2):
        np.testing.assert_allclose(ng.grad(module.run)(X), 2 * X, rtol=1e-15)
        assert eval(is_right, vars(module))
