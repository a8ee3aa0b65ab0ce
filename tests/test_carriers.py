"""Objects of Python's own classes, and of the user's classes derived from them, that hold arrays and NumPy's functions from
before the call: what stands for them is of the same class, and has the same attributes.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npgrad as ng

X = np.array([2.0, 3.0])
IMPORTS = "import collections, functools, itertools, logging, optparse, types\nimport numpy as np\n"
FILLED = "def filled(out, x):\n    out[:] = x\n    return out\n"


@pytest.fixture
def program(users_module: Callable[[str], types.ModuleType]) -> Callable[[str, str], types.ModuleType]:
    """A module of the user's: what it has from before the call, and what its function ``f`` gives."""
    return lambda before, result: users_module(f"{IMPORTS}{FILLED}{before}\ndef f(x):\n    return {result}\n")


def on_an_instrumented_tape(module: types.ModuleType, x: np.ndarray = X) -> list[float]:
    with ng.instrument(module), ng.GradientTape() as tape:
        watched = tape.watch(x)
        y = module.f(watched)
    return tape.gradient(y, watched, unconnected_gradients="zero").tolist()


def on_a_tape(f: Callable, x: np.ndarray = X) -> list[float]:
    with ng.GradientTape() as tape:
        watched = tape.watch(x)
        y = f(watched)
    return tape.gradient(y, watched, unconnected_gradients="zero").tolist()


def in_all_ways(module: types.ModuleType) -> list[list[float]]:
    """The gradient at X by the functional API, twice, in forward mode and on a tape inside of `instrument`."""
    by_call = ng.grad(module.f)
    forward = [float(ng.jvp(module.f, (X,), (direction,))[1]) for direction in np.eye(2)]
    return [by_call(X).tolist(), by_call(X).tolist(), forward, on_an_instrumented_tape(module)]


def follows(module: types.ModuleType, gradient: list[float]) -> None:
    value = module.f(X)
    assert in_all_ways(module) == [gradient] * 4
    assert module.f(X) == value  # everything is as it was


# What the user derives from tuple and from partial, with what a program does with it and the derivatives at (2, 3).
OF_A_CLASS = {
    "an operator": (
        "class Pair(tuple):\n"
        "    def __add__(self, other):\n"
        "        return Pair([a + b for a, b in zip(self, other)])\n"
        "PAIR = Pair([np.zeros(1), np.zeros(1)])",
        "(filled(PAIR[0], x[:1]), filled(PAIR[1], x[1:]), (PAIR + PAIR)[0][0] * PAIR[1][0])[2]",
        [6.0, 4.0],
    ),
    "a property": (
        "class Field(tuple):\n    u = property(lambda self: self[0])\nFIELD = Field([np.zeros(2)])",
        "filled(FIELD.u, x).prod() + FIELD.u[0]",
        [4.0, 2.0],
    ),
    "its class": (
        "class Shape(tuple):\n    pass\nSHAPE = Shape([np.zeros(2)])",
        "filled(SHAPE[0], x).prod() * isinstance(SHAPE, Shape)",
        [3.0, 2.0],
    ),
    "a method of it": (
        "class Shape(tuple):\n    def total(self):\n        return self[0].prod()\n"
        "SHAPE = Shape([np.zeros(2)])\nTOTAL = SHAPE.total",
        "(filled(SHAPE[0], x), TOTAL())[1]",
        [3.0, 2.0],
    ),
    "attributes": (
        "class Shape(tuple):\n    pass\nSHAPE = Shape([np.zeros(2)])\nSHAPE.work = np.zeros(2)\nSHAPE.scale = 5.0",
        "filled(SHAPE[0], x)[0] * filled(SHAPE.work, x)[1] * SHAPE.scale",
        [15.0, 10.0],
    ),
    "attributes alone": (
        "class Shape(tuple):\n    pass\nSHAPE = Shape([1, 2])\nSHAPE.work = np.zeros(2)",
        "filled(SHAPE.work, x).prod() * SHAPE[1]",
        [6.0, 4.0],
    ),
    "attributes of a named one": (
        "class Point(collections.namedtuple('Point', 'u v')):\n"
        "    def __new__(cls, u, v=None):\n"
        "        made = super().__new__(cls, u, v)\n"
        "        made.work = np.zeros(2)\n"
        "        return made\n"
        "POINT = Point(np.zeros(2))",
        "filled(POINT.u, x)[0] * filled(POINT.work, x)[1]",
        [3.0, 2.0],
    ),
    "functions": (
        "class Maker(tuple):\n    def make(self):\n        return self[0](2)\nMAKER = Maker([np.zeros])",
        "filled(MAKER.make(), x).prod()",
        [3.0, 2.0],
    ),
    "what its methods name": (
        "WORK = np.zeros(2)\n"
        "class Shape(tuple):\n    def go(self, x):\n        return filled(WORK, x).prod()\n"
        "SHAPE = Shape()",
        "SHAPE.go(x)",
        [3.0, 2.0],
    ),
    "a partial": (
        "class Operation(functools.partial):\n    def __neg__(self):\n        return 7.0\n"
        "OPERATION = Operation(np.multiply, 1.0, out=np.zeros(2))",
        "(OPERATION(x), OPERATION.keywords['out'].prod() * -OPERATION)[1]",
        [21.0, 14.0],
    ),
    "attributes of a partial": (
        "OPERATION = functools.partial(filled, np.zeros(2))\nOPERATION.work = np.zeros(2)",
        "OPERATION(x)[0] * filled(OPERATION.work, x)[1]",
        [3.0, 2.0],
    ),
    "a method bound by hand": (
        "WORK = np.zeros(2)\nFILL = types.MethodType(filled, WORK)",
        "FILL(x).prod() + WORK[0]",
        [4.0, 2.0],
    ),
}


@pytest.mark.parametrize("name", OF_A_CLASS)
def test_tuples_and_partials_of_the_users_classes_stay_what_they_are(name: str, program: Any) -> None:
    before, result, gradient = OF_A_CLASS[name]
    follows(program(before, result), gradient)


def test_attributes_that_a_program_sets_on_a_tuple_are_those_of_the_original(program: Any) -> None:
    module = program(
        "class Shape(tuple):\n    pass\nSHAPE = Shape([np.zeros(2)])",
        "(setattr(SHAPE, 'calls', getattr(SHAPE, 'calls', 0) + 1), filled(SHAPE[0], x).prod())[1]",
    )
    shape = module.SHAPE
    for _ in range(3):
        assert ng.grad(module.f)(X).tolist() == [3.0, 2.0]
    assert module.SHAPE is shape
    assert (type(shape[0]), shape[0].tolist(), vars(shape)) == (np.ndarray, [2.0, 3.0], {"calls": 3})


def test_tuples_of_classes_of_c_stay_what_they_are(program: Any) -> None:
    module = program("import time\nMOMENT = time.struct_time([np.zeros] * 9)", "filled(MOMENT.tm_hour(2), x).prod()")
    follows(module, [3.0, 2.0])


@pytest.mark.parametrize("name", ["functions", "its class"])
def test_a_tape_entered_by_hand_leaves_tuples_what_they_are(name: str, program: Any) -> None:
    before, result, gradient = OF_A_CLASS[name]
    module = program(before.replace("np.zeros(2)", "np.zeros"), result.replace("SHAPE[0]", "SHAPE[0](2)"))
    assert on_a_tape(module.f) == gradient


BASES = {
    "list": "list",
    "dict": "dict",
    "deque": "collections.deque",
    "ordered dict": "collections.OrderedDict",
    "dict with defaults": "collections.defaultdict",
    "counter": "collections.Counter",
    "set": "set",
    "frozenset": "frozenset",
    "property": "property",
    "static method": "staticmethod",
}
BOX = """
class Box({base}):
    def __init__(self, *args):
        if issubclass(Box, (property, staticmethod)):
            super().__init__(len)
        self.work = np.zeros(2)
        self.rows = {{"row": [np.zeros(2)]}}
        self.make = np.zeros
    def go(self, x):
        return filled(self.work, x)[0] * filled(self.rows["row"][0], x)[1] * filled(self.make(2), x)[1] + filled(OTHER, x)[0]
OTHER = np.zeros(2)
BOX = Box()
"""


@pytest.mark.parametrize("base", BASES)
def test_attributes_of_objects_of_the_users_tables_are_reached(base: str, program: Any) -> None:
    follows(program(BOX.format(base=BASES[base]), "BOX.go(x)"), [10.0, 12.0])


@pytest.mark.parametrize("base", BASES)
def test_functions_in_such_attributes_are_followed_on_a_tape_entered_by_hand(base: str, program: Any) -> None:
    module = program(BOX.format(base=BASES[base]), "filled(BOX.make(2), x).prod()")
    assert on_a_tape(module.f) == [3.0, 2.0]


# What else has attributes that a program sets.
WITH_ATTRIBUTES = {
    "ordered dict": "BOX = collections.OrderedDict()\nBOX.work = np.zeros(2)",
    "counter": "BOX = collections.Counter()\nBOX.work = np.zeros(2)",
    "options": "BOX = optparse.Values({'work': np.zeros(2)})",
    "module": "class Box(types.ModuleType):\n    pass\nBOX = Box('settings')\nBOX.work = np.zeros(2)",
    "module in a table": "class Box(types.ModuleType):\n    pass\nBOX, = [Box('settings')]\nBOX.work = np.zeros(2)",
}


@pytest.mark.parametrize("name", WITH_ATTRIBUTES)
def test_attributes_of_pythons_objects_are_reached(name: str, program: Any) -> None:
    follows(program(WITH_ATTRIBUTES[name], "filled(BOX.work, x).prod()"), [3.0, 2.0])


def test_methods_of_the_users_modules_are_followed(program: Any) -> None:
    before = """
class Box(types.ModuleType):
    def go(self, x):
        return filled(self.work, x)[0] * filled(OTHER, x)[1]
OTHER = np.zeros(2)
BOX = Box("settings")
BOX.work = np.zeros(2)
GO = BOX.go
"""
    follows(program(before, "GO(x)"), [3.0, 2.0])


@pytest.mark.parametrize("kind", ["ValueError", "Failure"])
def test_arguments_and_attributes_of_exceptions_are_reached(kind: str, program: Any) -> None:
    before = f"class Failure(Exception):\n    pass\nERROR = {kind}(np.zeros(2))\nERROR.work = np.zeros(2)"
    follows(program(before, "filled(ERROR.args[0], x)[0] * filled(ERROR.work, x)[1]"), [3.0, 2.0])


FACTORIES = {
    "a partial": "functools.partial(np.zeros, 2)",
    "a method of an array": "np.zeros(2).copy",
    "a function": "lambda: np.zeros(2)",
    "a table with defaults": "lambda: collections.defaultdict(functools.partial(np.zeros, 2))['inner']",
}


@pytest.mark.parametrize("base", ["collections.defaultdict", "Table"])
@pytest.mark.parametrize("name", FACTORIES)
def test_what_makes_the_defaults_of_a_table_is_swapped(name: str, base: str, program: Any) -> None:
    before = f"class Table(collections.defaultdict):\n    pass\nTABLE = {base}({FACTORIES[name]})"
    module = program(before, "(TABLE.clear(), filled(TABLE['new'], x).prod())[1]")
    factory = module.TABLE.default_factory
    follows(module, [3.0, 2.0])
    assert module.TABLE.default_factory is factory
    module.TABLE.default_factory = module.np.ones(2).copy  # which is found in the next call
    assert ng.grad(module.f)(X).tolist() == [3.0, 2.0]


def test_what_makes_the_defaults_of_a_table_is_followed_on_a_tape_entered_by_hand(program: Any) -> None:
    module = program(f"TABLE = collections.defaultdict({FACTORIES['a partial']})", "filled(TABLE['new'], x).prod()")
    assert on_a_tape(module.f) == [3.0, 2.0]


# Methods of arrays that were kept before the call, and what a program does with them.
METHODS = {
    "copy": ("WORK = np.zeros(2)\nCOPY = WORK.copy", "(filled(WORK, x), COPY().prod())[1]", [3.0, 2.0]),
    "sum": ("WORK = np.zeros(2)\nSUM = WORK.sum", "(filled(WORK, x**2), SUM())[1]", [4.0, 6.0]),
    "an element": ("WORK = np.zeros(2)\nGET = WORK.__getitem__", "(filled(WORK, x), GET(0) * GET(1))[1]", [3.0, 2.0]),
    "to fill": ("WORK = np.zeros(2)\nFILL = WORK.fill", "(FILL(x[0] * x[1]), WORK[1])[1]", [3.0, 2.0]),
    "to write": ("WORK = np.zeros(2)\nPUT = WORK.__setitem__", "(PUT(slice(None), x), WORK.prod())[1]", [3.0, 2.0]),
    "to add": ("WORK = np.ones(2)\nADD = WORK.__iadd__", "(WORK.fill(0.0), ADD(x), WORK.prod())[2]", [3.0, 2.0]),
    "a view": ("WORK = np.zeros(2)\nVIEW = WORK.reshape", "filled(VIEW(1, 2)[0], x).prod() + WORK[0]", [4.0, 2.0]),
    "a product": ("DOT = np.array([[1.0, 2.0], [0.0, 5.0]]).dot", "DOT(x).sum()", [1.0, 7.0]),
    "integers": ("TAKE = np.array([[1, 2], [0, 5]]).dot", "TAKE(x).sum()", [1.0, 7.0]),
    "in a list": ("WORK = np.zeros(2)\nCALLS = [WORK.prod]", "(filled(WORK, x), CALLS[0]())[1]", [3.0, 2.0]),
    "in a table of an object": (
        "class Model:\n"
        "    def __init__(self):\n        self.work = np.zeros(2)\n        self.by = {'prod': self.work.prod}\n"
        "MODEL = Model()",
        "(filled(MODEL.work, x), MODEL.by['prod']())[1]",
        [3.0, 2.0],
    ),
    "of a class": ("class Box:\n    new = staticmethod(np.zeros(2).copy)", "filled(Box.new(), x).prod()", [3.0, 2.0]),
    "in a partial": ("NEW = functools.partial(np.zeros(2).copy, order='C')", "filled(NEW(), x).prod()", [3.0, 2.0]),
    "of a ufunc": ("CALL = np.multiply.__call__", "CALL([x[0]], [x[1]])[0]", [3.0, 2.0]),
    "of a tuple": ("GET = (np.zeros(2),).__getitem__", "filled(GET(0), x).prod()", [3.0, 2.0]),
    "of a list": ("GET = [np.zeros(2)].__getitem__", "filled(GET(0), x).prod()", [3.0, 2.0]),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_that_were_kept_before_the_call_are_those_of_what_stands_for_the_array(name: str, program: Any) -> None:
    before, result, gradient = METHODS[name]
    follows(program(before, result), gradient)


SETS = {
    "a frozenset": ("MAKE = frozenset([np.zeros])", "filled(next(iter(MAKE))(2), x).prod()"),
    "a frozenset of partials": (
        "MAKE = frozenset([functools.partial(np.zeros, 2)])",
        "filled(next(iter(MAKE))(), x).prod()",
    ),
    "a member of a frozenset": ("KNOWN = frozenset([np.zeros, 1])", "(x.prod() if np.zeros in KNOWN else x.sum())"),
    "an attribute of a member of a set": (
        "class Box:\n    make = np.zeros\nBOXES = {Box}",
        "filled(vars(next(iter(BOXES)))['make'](2), x).prod()",
    ),
}


@pytest.mark.parametrize("name", SETS)
def test_functions_in_sets_are_followed(name: str, program: Any) -> None:
    before, result = SETS[name]
    module = program(before, result)
    assert on_a_tape(module.f) == [3.0, 2.0]
    follows(module, [3.0, 2.0])
    assert on_a_tape(module.f) == [3.0, 2.0]


# Iterators from before the call, which go on where they are.
ITERATORS = {
    "map": ("NEXT = map(np.zeros, itertools.repeat(2))", "next(NEXT)"),
    "map of a partial": ("NEXT = map(functools.partial(np.full, 2), itertools.repeat(1.5))", "next(NEXT)"),
    "map over arrays": ("NEXT = map(lambda work: work, itertools.repeat(np.zeros(2)))", "next(NEXT)"),
    "map over two": ("NEXT = map(lambda work, i: work[:], itertools.repeat(np.zeros(2)), itertools.count())", "next(NEXT)"),
    "starmap": ("NEXT = itertools.starmap(np.zeros, itertools.repeat((2,)))", "next(NEXT)"),
    "a call": ("NEXT = iter(functools.partial(tuple, (np.zeros(2),)), None)", "next(NEXT)[0]"),
    "a function": ("NEXT = itertools.repeat(np.zeros)", "next(NEXT)(2)"),
    "an array": ("NEXT = itertools.repeat(np.zeros(2))", "next(NEXT)"),
    "arrays": ("NEXT = itertools.cycle((np.zeros(2), np.zeros(2)))", "next(NEXT)"),
    "in a tuple": ("NEXT = zip(itertools.count(), itertools.repeat(np.zeros(2)))", "next(NEXT)[1]"),
    "of a tuple": ("NEXT = iter((np.zeros(2),) * 50)", "next(NEXT)"),
    "one behind the other": ("NEXT = itertools.chain((), itertools.repeat(np.zeros(2)))", "next(NEXT)"),
    "its next": ("NEXT = itertools.repeat(np.zeros(2)).__next__", "NEXT()"),
    "in a list": ("NEXT = [itertools.repeat(np.zeros(2))]", "next(NEXT[0])"),
}


@pytest.mark.parametrize("name", ITERATORS)
def test_what_comes_of_iterators_is_followed(name: str, program: Any) -> None:
    before, result = ITERATORS[name]
    follows(program(before, f"filled({result}, x).prod()"), [3.0, 2.0])


def test_iterators_go_on_where_they_are(program: Any) -> None:
    module = program(
        "NEXT = iter(tuple([np.full(2, float(i)) for i in range(5)]))\n"
        "MAPPED = map(np.full, itertools.repeat(2), itertools.count())",
        "next(NEXT)[0] * x[0] + next(MAPPED)[1] * x[1]",
    )
    found = [ng.grad(module.f)(X).tolist() for _ in range(2)]
    assert found == [[0.0, 0.0], [1.0, 1.0]]
    assert (next(module.NEXT).tolist(), next(module.MAPPED).tolist()) == ([2.0, 2.0], [2, 2])
    assert type(next(module.NEXT)) is np.ndarray
    assert ng.grad(module.f)(X).tolist() == [4.0, 3.0]


class _Memory:
    """What gives its memory to NumPy, and says of itself what `base` makes."""

    def __init__(self, base: Callable[[], Any]) -> None:
        self._whole = np.arange(1.0, 4.0)
        self._base = base
        self.__array_interface__ = self._whole.__array_interface__

    @property
    def base(self) -> Any:
        return self._base()


def _released() -> Any:
    view = memoryview(b"abc")
    view.release()
    return view.obj


# What another object says of the memory behind it, in the forms of a Cython memoryview and of worse.
_BASES: dict[str, Callable[[], Any]] = {
    "an object that names itself": lambda: _CYCLE,
    "ever new objects": lambda: _Memory(_BASES["ever new objects"]),
    "an error": _released,
}
_CYCLE: Any = types.SimpleNamespace()
_CYCLE.base = types.SimpleNamespace(obj=_CYCLE)


@pytest.mark.parametrize("name", _BASES)
def test_memory_of_objects_with_any_base(name: str) -> None:
    work = np.asarray(_Memory(_BASES[name]))
    part = work[:2]

    def f(x: Any) -> Any:
        return (work * x)[0] + part @ x[:2]

    np.testing.assert_array_equal(ng.grad(f)(np.ones(3)), [2.0, 2.0, 0.0])
    with ng.GradientTape() as tape:
        x = tape.watch(np.ones(3))
        y = f(x)
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 2.0, 0.0])


def test_matrix_of_a_rotation() -> None:
    rotation = pytest.importorskip("scipy.spatial.transform").Rotation.from_euler("z", 0.3)
    matrix = rotation.as_matrix()

    def f(x: Any) -> Any:
        before = matrix.copy()
        matrix[:] = x * before
        total = (matrix[0] ** 2).sum()
        matrix[:] = before
        return total

    np.testing.assert_allclose(ng.grad(f)(np.ones(3)), ng.finite_difference.grad(f)(np.ones(3)), atol=1e-8)
