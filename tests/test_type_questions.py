"""Exact questions of type have the answers of the plain program, in modules of the user's."""

import builtins
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npgrad as ng

X = np.array([2.0, 3.0, 5.0])


def on_a_tape(f: Callable) -> tuple[Any, list]:
    with ng.GradientTape() as tape:
        watched = tape.watch(X)
        y = f(watched)
    return float(np.asarray(y)), tape.gradient(y, watched, unconnected_gradients="zero").tolist()


def by_function(f: Callable) -> tuple[Any, list]:
    value, gradient = ng.value_and_grad(f)(X)
    return float(value), gradient.tolist()


def forward(f: Callable) -> tuple[Any, list]:
    found = [ng.jvp(f, (X,), (direction,)) for direction in np.eye(3)]
    return float(found[0][0]), [float(tangent) for _, tangent in found]


WAYS = [on_a_tape, by_function, forward]
IMPORTS = """
import functools
import numpy as np
from numpy import float64, ndarray
KINDS = {np.ndarray: "array", np.float64: "element", float: "number"}
"""
# Each is true of the plain array, and of what npgrad has for it.
QUESTIONS = [
    "type(x) == np.ndarray",
    "type(x) is np.ndarray",
    "type(x) is ndarray",
    "ndarray == type(x)",
    "not type(x) != np.ndarray",
    "type(x) in (list, np.ndarray)",
    "type(x) in [list, ndarray]",
    "x.__class__ is np.ndarray",
    "x.__class__ == ndarray",
    "getattr(x, '__class__') is np.ndarray",
    "x.__class__.__name__ == 'ndarray'",
    "type(x).__name__ == 'ndarray'",
    "str(type(x)) == \"<class 'numpy.ndarray'>\"",
    "KINDS[type(x)] == 'array'",
    "KINDS.get(x.__class__) == 'array'",
    "type(x[0]) is np.float64",
    "type(x[0]) == float64",
    "type(x.sum()) in (float, np.float64)",
    "x[0].__class__ is np.float64",
    "type(x[0]).__name__ == 'float64'",
    "KINDS[type(x[0])] == 'element'",
    "issubclass(type(x[0]), float)",
    "isinstance(x[1], type(x[0]))",
    "type(x.item(0)) is float",
    "type(x.tolist()[0]) == float",
    "type(x.tolist()[0]).__name__ == 'float'",
    "KINDS[type(x.item(0))] == 'number'",
    "type(x[0] + 1j) is np.complex128",
    "type(x + 1) is type(x)",
    "type(x) is not type(x[0])",
    "type(2.0 * x[:1]) is np.ndarray",
    "type(np.zeros(3)) is np.ndarray",
    "type(np.arange(3)) is np.ndarray and type(x > 0) == ndarray",
    "type(np.arange(3)[0]) == np.int64",
    "set(map(type, [x, x[0]])) == {np.ndarray, np.float64}",
    "[type(v) for v in (x, x[0])] == [np.ndarray, np.float64]",
    "(lambda v: type(v) is np.ndarray)(x)",
    "any(type(x) is kind for kind in (list, np.ndarray))",
    "all(type(v) is np.float64 for v in x)",
    "type(np.sin) is np.ufunc and type(type(x)) is type(int)",
    "type(3) is int and type('') is str and type([x]) is list and type(None) is type(None)",
    "isinstance(np.ndarray, type) and isinstance(type(x), type)",
    "type('Made', (), {'a': 1})().a == 1 and type('Made', (), {}).__module__ == __name__",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_have_the_answer_of_the_plain_program(question: str, users_module: Any) -> None:
    module = users_module(f"{IMPORTS}\ndef f(x):\n    return x[0] * x[1] if {question} else 66.0")
    assert module.f(X) == 6.0
    before = set(vars(module))
    for way in WAYS:
        assert way(module.f) == (6.0, [3.0, 2.0, 0.0]), way
    assert set(vars(module)) == before


# Where else than in a function of the module the question may stand.
PLACES = {
    "method": "class Model:\n    def plain(self, x):\n        return type(x) is np.ndarray\nplain = Model().plain",
    "static method": "class Model:\n    @staticmethod\n    def plain(x):\n        return type(x) is np.ndarray\n"
    "plain = Model.plain",
    "nested": "def plain(x):\n    def inner():\n        return type(x) is np.ndarray\n    return inner()",
    "made": "def make():\n    return lambda x: type(x) is np.ndarray\nplain = make()",
    "wrapped": "@functools.lru_cache\ndef kinds():\n    return np.ndarray,\n@functools.wraps(len)\ndef plain(x):\n"
    "    return type(x) in kinds()",
    "variable": "def plain(x):\n    kind = type(x)\n    return kind is np.ndarray",
    "single dispatch": "@functools.singledispatch\ndef plain(x):\n    return False\n@plain.register(np.ndarray)\ndef _(x):\n"
    "    return type(x) is np.ndarray",
}


@pytest.mark.parametrize("place", PLACES)
def test_questions_may_stand_anywhere(place: str, users_module: Any) -> None:
    module = users_module(f"{IMPORTS}\n{PLACES[place]}\ndef f(x):\n    return x[0] * x[1] if plain(x) else 66.0")
    assert module.f(X) == 6.0
    for way in WAYS:
        assert way(module.f) == (6.0, [3.0, 2.0, 0.0]), way


# What is done with the class: f(x) is the product of two elements.
USED = {
    "a buffer": "y = type(x)(x.shape)\n    y[:] = x\n    return y[0] * y[1]",
    "a buffer by attribute": "y = x.__class__(x.shape)\n    y[:] = x\n    return y[0] * y[1]",
    "a buffer by a variable": "kind = type(x)\n    y = kind(x.shape)\n    y[:] = x\n    return y[0] * y[1]",
    "a method": "return type(x).prod(x[:2])",
    "an element": "return type(x[0])(x[0]) * x[1]",
    "a single": "return type(np.float32(x[0]))(x[0]) * x[1]",
    "a single by a variable": "kind = type(np.float32(x[0]))\n    return kind(x[0]) * x[1]",
    "a constant": "return type(x[0])(1) * x[0] * x[1] * type(x.item(0))(1)",
    "a dtype": "y = np.zeros(3, dtype=type(x[0]))\n    y[:] = x\n    return y[0] * y[1]",
}


@pytest.mark.parametrize("use", USED)
def test_what_the_class_makes_is_followed(use: str, users_module: Any) -> None:
    module = users_module(f"{IMPORTS}\ndef f(x):\n    {USED[use]}")
    assert module.f(X) == 6.0
    for way in (on_a_tape, by_function):
        assert way(module.f) == (6.0, [3.0, 2.0, 0.0]), way


def test_type_is_itself_in_all_else(users_module: Any) -> None:
    source = """
    import numpy as np
    def f(x):
        class Meta(type):
            def __call__(cls, *args):
                return super().__call__(*args)
        class Made(metaclass=Meta):
            pass
        assert type(Made()) is Made and isinstance(Made, type) and issubclass(Meta, type) and type(Made) is Meta
        assert type.__call__(Made).__class__ == Made and type.mro(Made)[0] == Made
        assert str(type[int]) == "type[int]" and type == type(int) and hash(type) == hash(type(int))
        for args in ((), (1, 2)):
            try:
                type(*args)
            except TypeError as error:
                said.append(str(error))
        held.append(type)
        return x[0] if type(x) == np.ndarray else 66.0
    """
    module = users_module(source)
    module.said, module.held = [], []
    module.f(X)
    plain = module.said.copy()
    module.said.clear()
    assert on_a_tape(module.f) == by_function(module.f) == (2.0, [1.0, 0.0, 0.0])
    assert module.said == 2 * plain
    assert operator.is_(pickle.loads(pickle.dumps(module.held[-1])), type)
    assert "type" not in vars(module)


@pytest.mark.parametrize("own", ["type = type", "from builtins import type", "type = lambda x: np.ndarray"])
def test_a_name_of_the_module_is_left_alone(own: str, users_module: Any) -> None:
    module = users_module(f"{IMPORTS}\n{own}\ndef f(x):\n    kinds.append(type)\n    return x[0] if type(x) else 0.0")
    module.kinds, before = [], module.type
    assert on_a_tape(module.f) == by_function(module.f) == (2.0, [1.0, 0.0, 0.0])
    assert all(kind is before for kind in module.kinds) and module.type is before


def test_where_type_is_compared_by_identity_it_is_itself(users_module: Any) -> None:
    module = users_module("def f(x):\n    kinds.append(type(int) is type)\n    return x[0]\nkinds = []")
    assert on_a_tape(module.f) == by_function(module.f) == (2.0, [1.0, 0.0, 0.0])
    assert module.kinds == [True, True]


def test_the_name_is_there_only_meanwhile_and_in_modules_that_say_it(users_module: Any) -> None:
    asking, silent = users_module("def f(x):\n    return type(x)"), users_module("def f(x):\n    return x.type")
    with pytest.raises(ZeroDivisionError), ng.GradientTape(), ng.GradientTape():
        assert "type" in vars(asking) and "type" not in vars(silent)
        assert asking.f(ng.array(X)) is np.ndarray
        raise ZeroDivisionError
    assert "type" not in vars(asking) and builtins.type is type(int)
    assert asking.f(ng.array(X)) is ng.TracedArray


def test_code_that_is_defined_anew_counts(users_module: Any) -> None:
    module = users_module("import numpy as np\ndef f(x):\n    return x[0] if type(x) == np.ndarray else 66.0")
    assert on_a_tape(module.f) == (2.0, [1.0, 0.0, 0.0])
    exec("def f(x):\n    return x[1] if type is type(int) and type(x) is not list else 66.0", vars(module))
    assert on_a_tape(module.f) == by_function(module.f) == (3.0, [0.0, 1.0, 0.0])
    assert "type" not in vars(module)


def test_functions_of_no_module_are_reached_by_the_functional_api() -> None:
    names: dict[str, Any] = {"np": np, "__name__": "nowhere"}
    exec("def f(x):\n    return x[0] if type(x) == np.ndarray else 66.0", names)
    before = set(names)
    for _ in range(2):
        assert by_function(names["f"]) == (2.0, [1.0, 0.0, 0.0])
    assert set(names) == before


def test_an_instrumented_module_asks(users_module: Any) -> None:
    module = users_module("import numpy as np\ndef f(x):\n    return x[0] if type(x) == np.ndarray else 66.0")
    with ng.instrument(module):
        assert on_a_tape(module.f) == (2.0, [1.0, 0.0, 0.0])
    assert "type" not in vars(module)


def test_a_variable_is_of_its_own_class(users_module: Any) -> None:
    module = users_module("def f(x):\n    return type(x), x.__class__")
    with ng.GradientTape():
        assert set(module.f(ng.Variable(X))) == {ng.Variable}
