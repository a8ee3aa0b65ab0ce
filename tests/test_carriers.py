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
