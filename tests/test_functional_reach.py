"""What the functional API reaches: names and arrays that a function's module, object or closure made before any tape."""

import collections
import functools
import gc
import sys
import types
import weakref
from builtins import type

import numpy as np
import pytest

import npgrad as ng
from npgrad import _swaps

X = np.array([1.0, 2.0, 3.0])

# Each program computes sum(x**2) in its own way.

BUFFER = np.zeros(3)
ROWS = np.zeros((2, 3))
ROW, COLUMN, ACROSS = ROWS[1], ROWS[:, 0], ROWS.T
HALF = np.zeros(3, np.float16)
LONG = np.zeros(3, np.longdouble)
LISTED, MAPPED, PAIRED = [np.zeros(3)], {"work": np.zeros(3)}, (np.zeros(3), "text")
Named = collections.namedtuple("Named", "work")
NAMED = Named(np.zeros(3))
QUEUED = collections.deque([np.zeros(3)])
SPACE = types.SimpleNamespace(work=np.zeros(3))
ZEROS = np.zeros
STATE = np.zeros(3)


def through(work, x):
    work[:] = x
    return (work * work).sum()


def module_buffer(x):
    return through(BUFFER, x)


def module_views(x):
    ROW[:] = x
    ACROSS[0, 1] = 0.0
    COLUMN[1] += x[0]
    return (ROWS**2).sum()


def bound_name(x):
    return through(ZEROS(3), x)


def default(x, work=np.zeros(3)):  # noqa: B008 (what is tested)
    return through(work, x)


def keyword_default(x, *, work=np.zeros(3)):  # noqa: B008
    return through(work, x)


def closure():
    work = np.zeros(3)
    return lambda x: through(work, x)


def half_precision(x):
    HALF[:] = x
    LONG[:] = HALF
    return (LONG * x).sum()


def with_buffer(work, x):
    return through(work, x)


@functools.wraps(module_buffer)
def wrapper(*args):
    return module_buffer(*args)


class Model:
    shared = np.zeros(3)

    def __init__(self):
        self.work = np.zeros(3)

    def energy(self, x):
        return through(self.work, x)

    def shared_energy(self, x):
        return through(Model.shared, x)

    @property
    def buffer(self):
        return self.work

    def by_property(self, x):
        return through(self.buffer, x)

    @staticmethod
    def static(x):
        return through(BUFFER, x)

    @classmethod
    def of_class(cls, x):
        return through(cls.shared, x)

    def __call__(self, x):
        return self.energy(x)


class Slotted:
    __slots__ = ("work",)

    def __init__(self):
        self.work = np.zeros(3)

    def energy(self, x):
        return through(self.work, x)


class Chained:
    def __init__(self):
        self.model = Model()

    def energy(self, x):
        return self.model.energy(x)


PROGRAMS = {
    "plain": lambda x: (x * x).sum(),
    "module buffer": module_buffer,
    "views of a module's buffer": module_views,
    "name bound before": bound_name,
    "default": default,
    "keyword-only default": keyword_default,
    "closure": closure(),
    "half and long double": half_precision,
    "list": lambda x: through(LISTED[0], x),
    "dict": lambda x: through(MAPPED["work"], x),
    "tuple": lambda x: through(PAIRED[0], x),
    "namedtuple": lambda x: through(NAMED.work, x),
    "deque": lambda x: through(QUEUED[0], x),
    "namespace": lambda x: through(SPACE.work, x),
    "partial": functools.partial(with_buffer, np.zeros(3)),
    "partial by keyword": functools.partial(keyword_default, work=np.zeros(3)),
    "partial of a partial": functools.partial(functools.partial(with_buffer, np.zeros(3))),
    "wrapped": wrapper,
    "method": Model().energy,
    "lambda over an object": (lambda model: lambda x: model.energy(x))(Model()),
    "class attribute": Model().shared_energy,
    "property": Model().by_property,
    "static method": Model.static,
    "class method": Model.of_class,
    "callable object": Model(),
    "slots": Slotted().energy,
    "object in an object": Chained().energy,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_function_reaches_is_followed(name):
    f = PROGRAMS[name]
    before = np.array(X)
    for _ in range(2):
        value, gradient = ng.value_and_grad(f)(X)
        assert value == 14.0
        np.testing.assert_array_equal(gradient, 2 * X)
    np.testing.assert_array_equal(X, before)


def test_arrays_and_names_are_the_users_own_again():
    buffers = [BUFFER, ROWS, ROW, LISTED[0], MAPPED["work"], PAIRED[0], NAMED.work, SPACE.work, Model.shared, HALF]
    names = (np.zeros, np.array, ZEROS)
    for f in PROGRAMS.values():
        ng.grad(f)(X)
    after = [BUFFER, ROWS, ROW, LISTED[0], MAPPED["work"], PAIRED[0], NAMED.work, SPACE.work, Model.shared, HALF]
    assert all(a is b for a, b in zip(buffers, after, strict=True))
    assert all(type(buffer) is np.ndarray for buffer in after)
    assert names == (np.zeros, np.array, ZEROS)


def test_a_program_leaves_the_state_that_it_leaves_without_npgrad():
    BUFFER[:] = 0
    ng.grad(module_buffer)(X)
    np.testing.assert_array_equal(BUFFER, X)


def rebinding(x):
    global STATE
    STATE = STATE + x
    return (STATE**2).sum()


def test_a_name_that_the_program_binds_anew_holds_a_plain_array():
    global STATE
    STATE = np.zeros(3)
    np.testing.assert_array_equal(ng.grad(rebinding)(X), 2 * X)
    assert type(STATE) is np.ndarray
    np.testing.assert_array_equal(STATE, X)
    np.testing.assert_array_equal(ng.grad(rebinding)(X), 4 * X)


def test_everything_is_put_back_after_an_exception():
    def fails(x):
        BUFFER[:] = x
        raise KeyboardInterrupt

    buffer, zeros = BUFFER, np.zeros
    with pytest.raises(KeyboardInterrupt):
        ng.grad(fails)(X)
    assert BUFFER is buffer
    assert np.zeros is zeros
    assert type(np.zeros(2)) is np.ndarray


def test_objects_and_functions_among_the_arguments_are_reached():
    def program(x, model, function):
        return model.energy(x) + function(x)

    np.testing.assert_array_equal(ng.grad(program)(X, Slotted(), closure()), 4 * X)


def test_an_array_of_objects_among_the_arguments():
    held = np.empty(2, object)
    held[0] = work = np.zeros(3)

    def f(x, held):
        held[0][:] = x**2
        return (held[0] * x).sum()

    np.testing.assert_array_equal(ng.grad(f)(X, held), 3 * X**2)
    np.testing.assert_array_equal(ng.grad(f)(X, held=held), 3 * X**2)
    assert held[0] is work and type(work) is np.ndarray


def test_a_module_among_the_arguments_is_left_alone():
    def program(x, xp):
        return xp.sum(x * xp.ones(3))

    names = dict(vars(np))
    np.testing.assert_array_equal(ng.grad(program)(X, np), np.ones(3))
    assert names == dict(vars(np))


def test_long_chains_of_objects_are_searched_without_recursion():
    class Node:
        def __init__(self, following):
            self.following = following
            self.work = np.zeros(3)

    chain = None
    for _ in range(3000):
        chain = Node(chain)

    np.testing.assert_array_equal(ng.grad(lambda x: through(chain.following.work, x))(X), 2 * X)


# --- instrument ----------------------------------------------------------------------------------------------------


def test_instrument_reaches_the_modules_that_it_is_given():
    legacy = types.ModuleType("legacy")
    exec("from numpy import zeros\nwork = zeros(3)\ndef double(x):\n    work[:] = 2 * x\n    return work", vars(legacy))
    work = legacy.work
    with ng.instrument(legacy), ng.GradientTape() as tape:
        x = tape.watch(X)
        y = legacy.double(x)
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 2.0, 2.0])
    assert legacy.work is work
    np.testing.assert_array_equal(work, 2 * X)
    with pytest.raises(TypeError, match="takes modules, got function"), ng.instrument(module_buffer):
        pass


KEPT = np.ones(3)


def by_a_kept_buffer(x):
    KEPT[:] = x
    squares = KEPT * KEPT
    return KEPT, (squares * KEPT).sum()


def test_a_work_array_that_is_overwritten_after_the_call_does_not_change_its_derivative():
    x = np.array([1.0, 2.0, 3.0])
    ways = {"plain": by_a_kept_buffer, "followed": ng.jacobian(by_a_kept_buffer)}
    for way, again in ways.items():
        linear = ng.linearize(by_a_kept_buffer, x)
        again(x + 10)
        np.testing.assert_array_equal(linear.value[0], x, way)
        np.testing.assert_array_equal(linear.jvp((np.ones(3),))[1], (3 * x**2).sum(), way)
        with ng.instrument(sys.modules[__name__]), ng.GradientTape() as tape:
            traced = tape.watch(x)
            cubes = by_a_kept_buffer(traced)[1]
        again(x + 10)
        np.testing.assert_array_equal(tape.gradient(cubes, traced), 3 * x**2, way)


CHANGING = """
import numpy as np
count, table, other = 0, [1, 2], {"scale": 2.0}

class Store:
    __slots__ = ("slot", "__dict__")

store = Store()

def into(work, x):
    work[:] = x
    return work

def helper(x, work=None):
    return x if work is None else into(work, x)

def f(x):
    global count
    count += 1
    table.append(count)
    places = globals().get("work"), table[0], other.get("work"), getattr(store, "slot", None), getattr(store, "work", None)
    for place in places:
        if isinstance(place, np.ndarray):
            x = into(place, x)
    return np.sum(helper(x) ** 2)
"""


def test_what_changes_between_calls_is_found_again():
    """The search of what a function reaches is remembered; whatever brings in a work array must end that."""
    module = types.ModuleType("changing")
    exec(CHANGING, vars(module))
    gradient = ng.grad(module.f)
    x, work = np.array([1.0, 2.0]), np.zeros(2)

    def right():
        for _ in range(3):
            np.testing.assert_array_equal(gradient(x), 2 * x)

    right()
    for put, take in (
        (lambda: vars(module).update(work=work), lambda: vars(module).pop("work")),
        (lambda: module.table.__setitem__(0, work), lambda: module.table.__setitem__(0, 1)),
        (lambda: module.other.update(work=work), lambda: module.other.pop("work")),
        (lambda: setattr(module.store, "slot", work), lambda: delattr(module.store, "slot")),
        (lambda: setattr(module.store, "work", work), lambda: delattr(module.store, "work")),
        (lambda: setattr(module.helper, "__defaults__", (work,)), lambda: setattr(module.helper, "__defaults__", (None,))),
    ):
        put()
        right()
        take()
        right()


def test_no_function_is_kept_alive_by_what_is_remembered_of_it():
    def made():
        work = np.zeros(3)
        return lambda x: through(work, x)

    f = made()
    ng.hvp(f, (X,), (X,))
    ng.jvp(f, (X,), (X,))
    ng.vjp(f, X)
    gone = weakref.ref(f)
    del f
    gc.collect()
    assert gone() is None


def test_what_is_remembered_of_a_function_of_a_module_is_looked_at_again(monkeypatch):
    module = types.ModuleType("legacy_products")
    exec("import numpy as np\nwork = 1.0\ndef f(x):\n    return np.sum(x**2 * work)", vars(module))
    monkeypatch.setitem(sys.modules, "legacy_products", module)
    for _ in range(2):
        np.testing.assert_array_equal(ng.hvp(module.f, (X,), (X,))[0], 2 * X)
    module.work = np.ones(3)
    exec("def g(x):\n    work[:] = x\n    return np.sum(work**3)", vars(module))
    module.f.__code__ = module.g.__code__
    np.testing.assert_allclose(ng.hvp(module.f, (X,), (X,))[0], 6 * X**2)
    np.testing.assert_allclose(ng.jvp(module.f, (X,), (X,))[1], (3 * X**3).sum())


REMEMBERED = """
import functools
import numpy as np
work = np.zeros(2)
pair = (np.zeros(2), work[::-1])
cells = [np.zeros(2), {"deep": np.zeros(2)}]
count = np.zeros(1)

def f(x, fail=0.0):
    count[0] += 1
    work[:] = x
    pair[0][:] = pair[1] * work
    cells[1]["deep"][:] = pair[0]
    cells[0][:] = cells[1]["deep"] * count[0]
    if fail:
        raise ValueError("as asked for")
    return np.sum(cells[0])

def into(buffer, x):
    buffer[:] = x * x
    return np.sum(buffer)

bound = functools.partial(into, np.zeros(2))
"""


def test_what_was_swapped_is_swapped_again_without_a_search(monkeypatch):
    module = types.ModuleType("remembered")
    exec(REMEMBERED, vars(module))
    searched = []
    function = _swaps.Swaps.function
    monkeypatch.setattr(_swaps.Swaps, "function", lambda self, f: (searched.append(f), function(self, f))[1])
    gradient, x = ng.grad(module.f), np.array([0.5, 2.0])
    for call in range(1, 5):
        np.testing.assert_allclose(gradient(x), call * 2 * x[::-1])  # the state goes on from call to call
        for array in (module.work, *module.pair, module.cells[0], module.cells[1]["deep"], module.count):
            assert type(array) is np.ndarray
        assert module.count[0] == call and np.array_equal(module.work, x)
        assert searched == [module.f]
    with pytest.raises(ValueError, match="as asked for"):
        gradient(x, 1.0)
    assert type(module.work) is type(module.pair[1]) is type(module.cells[0]) is np.ndarray
    module.cells[0] = np.ones(2)
    np.testing.assert_allclose(gradient(x), 6 * 2 * x[::-1])
    assert searched == [module.f] * 2


def test_a_partial_with_a_work_array_called_again():
    module = types.ModuleType("remembered")
    exec(REMEMBERED, vars(module))
    gradient = ng.grad(module.bound)
    for _ in range(3):
        np.testing.assert_allclose(gradient(np.array([0.5, 2.0])), [1.0, 4.0])
        assert type(module.bound.args[0]) is np.ndarray


def _module(source):
    made = types.ModuleType("legacy_of_a_test")
    exec(f"import numpy as np\n{source}", vars(made))
    return made


# What a program may do with its arrays between two calls, without any new object coming in.
MOVES = {
    "two names change places": "a, b = b, a",
    "a name is given up for another": "c = a; del a; a = b; b = c; del c",
    "another name for the same array": "b = a",
    "another key": "key = min(held); held[key + 'x'] = held.pop(key)",
    "two keys change places": "held['u'], held['w'] = held['w'], held['u']",
    "the order of a list": "rows.reverse()",
    "twice in a list": "rows[0] = rows[1]",
    "from one container into another": "rows.append(held.pop('w')); held['w'] = rows.pop(0)",
    "an attribute": "space.p, space.q = space.q, space.p",
    "numbers only": "count += 1",
}
MOVING = """
from types import SimpleNamespace
a, b, count = np.zeros(3), np.zeros(3), 1
held = {"u": np.zeros(3), "w": np.zeros(3)}
rows = [np.zeros(3), np.zeros(3)]
space = SimpleNamespace(p=np.zeros(3), q=np.zeros(3))
def places():
    return [a, b, *[held[key] for key in sorted(held)], *rows, space.p, space.q]
def f(x):
    for n, place in enumerate(places()):
        place[:] = (n + count) * x ** (1 + n % 3)
    return sum([((n + 2) * place).sum() + place[0] for n, place in enumerate(places())])
def move():
    global a, b, count
    MOVE
"""


@pytest.mark.parametrize("name", MOVES)
def test_arrays_that_are_moved_between_calls(name):
    ours, plain = [_module(MOVING.replace("MOVE", MOVES[name])) for _ in range(2)]
    both = ng.value_and_grad(ours.f)
    for _ in range(4):
        before = ours.places()
        value, gradient = both(X)
        np.testing.assert_allclose(gradient, ng.finite_difference.grad(plain.f)(X), rtol=1e-8)
        assert value == plain.f(X)
        after = ours.places()
        assert len(after) == len(before)
        assert all(a is b for a, b in zip(after, before, strict=True))
        assert [one.tolist() for one in after] == [one.tolist() for one in plain.places()]
        ours.move(), plain.move()


def test_arrays_that_the_program_itself_moves():
    source = """
u, v = np.zeros(3), np.ones(3)
def f(x):
    global u, v
    for _ in range(3):
        v[:] = u + x * v
        u, v = v, u
    return (u * u).sum()
"""
    ours, plain = _module(source), _module(source)
    arrays = {id(ours.u), id(ours.v)}
    both = ng.value_and_grad(ours.f)
    for _ in range(3):
        earlier = [plain.u.copy(), plain.v.copy()]

        def again(x, earlier=earlier):
            plain.u[:], plain.v[:] = earlier
            return plain.f(x)

        value, gradient = both(X)
        np.testing.assert_allclose(gradient, ng.finite_difference.grad(again)(X), rtol=1e-7)
        fresh = _module(source)
        fresh.u, fresh.v = earlier
        assert value == fresh.f(X)
        plain.u, plain.v = fresh.u, fresh.v
        assert {id(ours.u), id(ours.v)} == arrays
        assert [ours.u.tolist(), ours.v.tolist()] == [fresh.u.tolist(), fresh.v.tolist()]


# Ways from a function to a work array that its code does not name.
HIDDEN_WAYS = {
    "by globals()": "f = lambda x: globals()['thr' + 'ough'](x)",
    "by eval": "f = lambda x: eval('through', globals())(x)",
    "by the module's own name": "import sys\nf = lambda x: getattr(sys.modules[__name__], 'through')(x)",
    "in a class": "class Model:\n    def __call__(self, x):\n        return through(x)\nf = Model()",
    "in a bound method": "class Model:\n    def run(self, x):\n        return through(x)\nf = Model().run",
    "in a base class": "class A:\n    def run(self, x):\n        return through(x)\nclass B(A):\n    pass\n"
    "f = lambda x: B().run(x)",
    "in a property": "class M:\n    @property\n    def value(self):\n        return through(self.x)\n"
    "def f(x):\n    m = M()\n    m.x = x\n    return m.value",
    "in a cached property": "import functools\nclass M:\n    @functools.cached_property\n    def value(self):\n"
    "        return through(self.x)\ndef f(x):\n    m = M()\n    m.x = x\n    return m.value",
    "in a dict of functions": "known = {'a': through}\nf = lambda x: known['a'](x)",
    "in a set of functions": "known = {through}\nf = lambda x: [g(x) for g in known][0]",
    "in a partial": "import functools\nbound = functools.partial(through)\nf = lambda x: bound(x)",
    "in an inner function": "def f(x):\n    def inner(y):\n        return [through(z) for z in (y,)][0]\n"
    "    return inner(x)",
    "through a long way": "def a(x):\n    return b(x)\ndef b(x):\n    return c(x)\ndef c(x):\n    return through(x)\n"
    "f = lambda x: a(x)",
    "by single dispatch": "import functools\n@functools.singledispatch\ndef g(x):\n    return through(x)\n"
    "f = lambda x: g(x)",
    "behind a decorator": "def twice(g):\n    def call(x):\n        return g(x)\n    return call\n@twice\ndef g(x):\n"
    "    return through(x)\nf = lambda x: g(x)",
    "behind lru_cache": "import functools\n@functools.lru_cache\ndef rows():\n    return work\n"
    "def f(x):\n    rows()[:] = x\n    return (rows() * x).sum()",
    "in a context manager": "import contextlib\n@contextlib.contextmanager\ndef filled(x):\n    work[:] = x\n"
    "    yield work\ndef f(x):\n    with filled(x) as w:\n        return (w * x).sum()",
    "in np.vectorize": "import math\ndef one(a):\n    work[0] = a\n    return work[0] * a\nmany = np.vectorize(one)\n"
    "f = lambda x: many(x).sum()",
    "in np.frompyfunc": "def one(a):\n    work[0] = a\n    return work[0] * a\nmany = np.frompyfunc(one, 1, 1)\n"
    "f = lambda x: sum(many(x))",
    "in a generator that goes on": "def steps():\n    x = yield\n    while True:\n        x = yield through(x)\n"
    "running = steps()\nnext(running)\nf = lambda x: running.send(x)",
    "behind a weak reference": "import weakref\nheld = weakref.ref(through)\nf = lambda x: held()(x)",
    "by the items of a defaultdict": "import collections\ndef make():\n    return work\n"
    "made = collections.defaultdict(make)\ndef f(x):\n    made[0][:] = x\n    return (made[0] * x).sum()",
    "in a queue": "import queue\ntasks = queue.Queue()\ndef f(x):\n    tasks.put(g)\n    return tasks.get()(x)\n"
    "g = through\ntasks.put(through)",
    "among subclasses": "class A:\n    pass\nclass B(A):\n    def run(self, x):\n        return through(x)\n"
    "f = lambda x: A.__subclasses__()[0]().run(x)",
    "in an iterator": "import itertools\nmany = itertools.cycle([through])\nf = lambda x: next(many)(x)",
    "in an object of another package": "f = lambda x: elsewhere.call(x)",
}
WAY = """
work = np.zeros(3)
def through(x):
    work[:] = x
    return (work * x).sum()
"""


class Task:
    """As the tasks and registries of other libraries, which may keep functions anywhere."""

    __slots__ = ("call",)
    __module__ = "some_package.tasks"


@pytest.mark.parametrize("name", HIDDEN_WAYS)
def test_work_arrays_behind_names(name, monkeypatch):
    module, package = types.ModuleType("legacy_of_ways"), types.ModuleType("some_package")
    package.__file__ = "/usr/lib/python3/site-packages/some_package/__init__.py"
    monkeypatch.setitem(sys.modules, "legacy_of_ways", module)
    monkeypatch.setitem(sys.modules, "some_package", package)
    vars(module).update(np=np, elsewhere=Task())
    exec(WAY + HIDDEN_WAYS[name], vars(module))
    module.elsewhere.call = module.through
    both = ng.value_and_grad(module.f)
    for factor in (1.0, 2.0, 3.0):
        value, gradient = both(factor * X)
        assert value == (factor * X * factor * X).sum()
        np.testing.assert_allclose(gradient, 2 * factor * X)
        assert type(module.work) is np.ndarray


HELPER = """
import numpy as np
work, zeros = np.zeros(3), np.zeros
def through(x):
    work[:] = x
    return (work * x).sum()
def made(x):
    y = zeros(3)
    y[:] = x
    return (y * x).sum()
"""


@pytest.mark.parametrize(
    "source",
    [
        "import helper_of_reach\nf = lambda x: helper_of_reach.through(x)",
        "import helper_of_reach as h\ndef g(x):\n    return h.made(x)\nf = lambda x: g(x)",
        "from helper_of_reach import through\nf = lambda x: through(x)",
        "def f(x):\n    import helper_of_reach\n    return helper_of_reach.through(x)",
        "def f(x):\n    from helper_of_reach import through\n    return through(x)",
        "import package_of_reach\nf = lambda x: package_of_reach.inner.through(x)",
        "import package_of_reach.inner as inner\nf = lambda x: inner.through(x)",
        "from package_of_reach import inner\nf = lambda x: inner.through(x)",
        "import helper_of_reach as h\nclass M:\n    backend = h\nm = M()\nf = lambda x: m.backend.through(x)",
        "import helper_of_reach as h\nknown = {'a': [h]}\nf = lambda x: known['a'][0].made(x)",
        "import lazy_of_reach as lazy\nf = lambda x: lazy.anything(x)",
        "import helper_of_reach as h\nf = lambda x: getattr(h, 'thr' + 'ough')(x)",
        "import helper_of_reach as h\ndef load():\n    return h\nf = lambda x: getattr(load(), 'thr' + 'ough')(x)",
        "import helper_of_reach as h\nf = lambda x: vars(h)['thr' + 'ough'](x)",
    ],
)
def test_the_users_other_modules_are_reached(source, monkeypatch):
    helper, package = types.ModuleType("helper_of_reach"), types.ModuleType("package_of_reach")
    exec(HELPER, vars(helper))
    package.inner, lazy = helper, types.ModuleType("lazy_of_reach")
    modules = {"helper_of_reach": helper, "package_of_reach": package, "package_of_reach.inner": helper}
    modules["lazy_of_reach"] = lazy
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    lazily = "if name == 'anything':\n        return h.through\n    raise AttributeError(name)"
    exec(f"import helper_of_reach as h\ndef __getattr__(name):\n    {lazily}", vars(lazy))
    main = types.ModuleType("main_of_reach")
    exec(source, vars(main))
    gradient = ng.grad(main.f)
    for factor in (1.0, 2.0):
        np.testing.assert_allclose(gradient(factor * X), 2 * factor * X)
        assert type(helper.work) is np.ndarray
        assert np.array_equal(helper.work, factor * X) or "made" in source
    helper.work = np.zeros(3)
    np.testing.assert_allclose(gradient(X), 2 * X)


def test_what_a_function_does_not_name_is_not_looked_at(monkeypatch):
    """A program that goes on at module level binds new arrays and fills lists between two calls."""
    module = types.ModuleType("going_on")
    source = "losses, w, unused = [], np.zeros(3), np.zeros(3)\ndef f(x):\n    return (x * w).sum()"
    exec(f"import numpy as np\n{source}", vars(module))
    searched = []
    function = _swaps.Swaps.function
    monkeypatch.setattr(_swaps.Swaps, "function", lambda self, f: (searched.append(f), function(self, f))[1])
    both = ng.value_and_grad(module.f)
    for n in range(5):
        value, _ = both(X)
        module.losses.append(np.float64(value))
        module.losses.append(np.full(3, value))
        module.unused = np.full(3, n)
        module.state = module.unused[:2] if n == 0 else module.unused
    assert searched == [module.f]
    module.w = np.ones(3)
    np.testing.assert_array_equal(both(X)[1], [1, 1, 1])
    assert len(searched) == 2


def test_a_name_that_comes_later():
    source = "    try:\n        buffer[:] = x\n    except NameError:\n        return x.sum()\n    return (buffer * x).sum()"
    module = _module(f"def f(x):\n{source}")
    gradient = ng.grad(module.f)
    np.testing.assert_array_equal(gradient(X), [1, 1, 1])
    module.buffer = np.zeros(3)
    np.testing.assert_array_equal(gradient(X), 2 * X)
    del module.buffer
    np.testing.assert_array_equal(gradient(X), [1, 1, 1])
