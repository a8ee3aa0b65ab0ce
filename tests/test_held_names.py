"""What a program's module holds of NumPy's functions, types and generators besides names: followed by tapes entered by hand.

This module compares nothing by ``is``, before which types of numbers stay themselves.
"""

import collections
import operator
import textwrap
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npgrad as ng
from npgrad._held_names import HeldNames

X = np.array([2.0, 3.0])


IMPORTS = "import collections, functools, types\nimport numpy as np\n"


@pytest.fixture
def program(users_module: Any) -> Callable[[str], types.ModuleType]:
    return lambda source: users_module(IMPORTS + textwrap.dedent(source))


def on_a_tape(f: Callable, x: np.ndarray = X) -> list[float]:
    with ng.GradientTape() as tape:
        watched = tape.watch(x)
        y = f(watched)
    return tape.gradient(y, watched, unconnected_gradients="zero").tolist()


# Where a module may have {it}, and how a program gets it from there.
PLACES = {
    "default": ("def get(it={it}):\n    return it", "get()"),
    "default by keyword": ("def get(*, it={it}):\n    return it", "get()"),
    "default of a method": ("class Box:\n    def get(self, it={it}):\n        return it", "Box().get()"),
    "default of a static method": ("class Box:\n    @staticmethod\n    def get(it={it}):\n        return it", "Box.get()"),
    "behind a decorator": ("@functools.lru_cache\ndef get(it={it}):\n    return it", "get.__wrapped__()"),
    "closure": ("def make(it):\n    return lambda: it\nget = make({it})", "get()"),
    "list": ("HELD = [1, {it}]", "HELD[1]"),
    "tuple": ("HELD = 1, {it}", "HELD[1]"),
    "named tuple": ("HELD = collections.namedtuple('Held', 'a b')(1, {it})", "HELD.b"),
    "dict": ("HELD = {{'it': {it}}}", "HELD['it']"),
    "ordered dict": ("HELD = collections.OrderedDict(it={it})", "HELD['it']"),
    "deque": ("HELD = collections.deque([{it}])", "HELD[0]"),
    "tables in tables": ("HELD = {{'a': [1, (2, {{'it': {it}}})]}}", "HELD['a'][1][1]['it']"),
    "tuples in tables": ("HELD = {{'a': [(1, (2, {it}))]}}", "HELD['a'][0][1][1]"),
    "a list beside it in a tuple": ("HELD = ({it}, [{it}])", "HELD[1][0]"),
    "class": ("class Box:\n    it = {it}", "Box.it"),
    "class, static": ("class Box:\n    it = staticmethod({it})", "Box().it"),
    "object": ("class Box:\n    pass\nBOX = Box()\nBOX.it = {it}", "BOX.it"),
    "slot": ("class Box:\n    __slots__ = ('it',)\nBOX = Box()\nBOX.it = {it}", "BOX.it"),
    "namespace": ("BOX = types.SimpleNamespace(it={it})", "BOX.it"),
    "partial": ("HELD = functools.partial({it})", "HELD"),
    "argument of a partial": ("HELD = functools.partial(lambda it: it, {it})", "HELD()"),
    "keyword of a partial": ("HELD = functools.partial(lambda it: it, it={it})", "HELD()"),
}
# What may be there, and what a program does with it; each has the derivatives of x[0] * x[1].
HELD = {
    "np.float32": "{it}(x[0]) * x[1]",
    "np.complex128": "({it}(x[0]) * x[1]).real",
    "np.zeros": "filled({it}(2), x).prod()",
    "np.array": "filled({it}([0.5, 0.5]), x).prod()",
    "np.multiply": "{it}([x[0]], [x[1]])[0]",
}
FILLED = "def filled(out, x):\n    out[:] = x\n    return out\n"


@pytest.mark.parametrize("place", PLACES)
def test_what_a_module_holds_is_followed(place: str, program: Any) -> None:
    before, got = PLACES[place]
    for held, use in HELD.items():
        if place == "class" and held == "np.zeros":
            use = use.replace("{it}", "staticmethod({it}).__func__")  # the same, read in another way
        module = program(f"{before.format(it=held)}\n{FILLED}\ndef f(x):\n    return {use.format(it=f'({got})')}")
        for _ in range(2):
            assert on_a_tape(module.f) == [3.0, 2.0], held


@pytest.mark.parametrize("place", PLACES)
def test_it_is_back_when_no_tape_records(place: str, program: Any) -> None:
    before, got = PLACES[place]
    for held in HELD:
        module = program(f"{before.format(it=held)}\n{FILLED}\ndef get_it():\n    return {got}")
        was = module.get_it()
        with pytest.raises(ZeroDivisionError), ng.GradientTape():
            raise ZeroDivisionError
        assert operator.is_(module.get_it(), was)


@pytest.mark.parametrize("source", ["rng = np.random.default_rng(0)", "rng = np.random.RandomState(0)"])
@pytest.mark.parametrize("place", ["rng", "HELD['rng']", "draw"])
def test_a_generator_refuses_tracked_parameters(source: str, place: str, program: Any) -> None:
    module = program(f"{source}\nHELD = {{'rng': rng}}\ndraw = rng.normal\ndef f(*args):\n    return {place}(*args)")
    normal = module.f if place == "draw" else lambda *args: eval(place, vars(module)).normal(*args)
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        with pytest.raises(ng.LeakError, match="random generator"):
            normal(x, 1.0)
        first, second = normal(0.0, 1.0), module.HELD["rng"].normal(0.0, 1.0)
    again = program(source)
    assert [first, second] == [again.rng.normal(0.0, 1.0), again.rng.normal(0.0, 1.0)]
    assert type(module.rng) == type(again.rng) and operator.is_(module.HELD["rng"], module.rng)  # noqa: E721
    assert module.rng.normal() == again.rng.normal()


def test_tables_that_change_between_tapes(program: Any) -> None:
    module = program("TABLE = {}\nKINDS = [np.float32]\ndef f(x, key=0):\n    return TABLE[key](x[0]) * KINDS[-1](x[1])")
    with ng.GradientTape():
        pass
    module.TABLE[0] = np.complex64
    assert on_a_tape(lambda x: module.f(x).real) == [3.0, 2.0]
    module.TABLE[1] = np.float32
    module.KINDS.append(np.complex64)
    assert on_a_tape(lambda x: module.f(x, 1).real) == [3.0, 2.0]
    module.TABLE[0] = np.longdouble
    assert on_a_tape(lambda x: module.f(x).real) == [3.0, 2.0]


def test_what_a_program_puts_there_inside_stays(program: Any) -> None:
    module = program("TABLE = {'a': np.zeros, 'b': np.ones}\ndef f(x, make=np.zeros):\n    return x")
    with ng.GradientTape():
        module.TABLE["a"] = len
        del module.TABLE["b"]
        module.f.__defaults__ = (max,)
    assert (module.TABLE, module.f.__defaults__) == ({"a": len}, (max,))


def test_types_that_are_compared_stay_themselves(program: Any) -> None:
    source = "KINDS = [np.float32, np.zeros]\ndef f(x):\n    return [kind is np.float32 for kind in KINDS]"
    module = program(source)
    with ng.GradientTape():
        assert module.f(X) == [True, False]
        made = module.KINDS[1](2)
    assert isinstance(made, ng.TracedArray)  # functions are swapped all the same


def test_methods_of_the_users_tables_are_not_called(program: Any) -> None:
    source = """
    class Loud(dict):
        def __setitem__(self, key, value):
            raise AssertionError
        def items(self):
            raise AssertionError
    class Row(list):
        __getitem__ = __setitem__ = __iter__ = None
    TABLE = Loud(make=np.zeros)
    ROW = Row([np.zeros])
    def f(x):
        out = dict.get(TABLE, "make")(1)
        out[:] = x[:1]
        return out[0] + list.__getitem__(ROW, 0)(1)[0]
    """
    assert on_a_tape(program(source).f) == [1.0, 0.0]


def test_what_python_keeps_of_classes_stays(program: Any) -> None:
    box = "class Box:\n    kind: np.float32\n    make: np.zeros\n"
    module = program(f"{box}def f(x: np.float32 = 1.0) -> np.float32:\n    return x")
    with ng.GradientTape():
        for annotations in (module.Box.__annotations__, module.f.__annotations__):
            assert {operator.is_(value, np.ndarray) for value in annotations.values()} == {False}
            assert {type(value).__module__ for value in annotations.values()} == {"builtins"}


def test_what_only_looks_like_a_named_tuple(program: Any) -> None:
    source = """
    class Maker:
        def _make(self):
            return None
    class Row(tuple):
        _make = __len__ = __iter__ = None
    MAKER, ROW = Maker(), Row((np.zeros, 1))
    def f(x):
        return (x * x).sum() if MAKER is not None and ROW is not None else 0.0
    """
    module = program(source)
    assert on_a_tape(module.f) == ng.grad(module.f)(X).tolist() == [4.0, 6.0]


def test_data_is_not_searched() -> None:
    names = {
        "__name__": "data",
        "rows": [[float(i)] for i in range(10_000)],
        "long": dict.fromkeys(range(100), np.zeros),
        "chain": None,
        "near": {"make": np.zeros},
    }
    for _ in range(10_000):
        names["chain"] = [names["chain"]]
    found = HeldNames(names, with_types=True)
    assert [(key, value) for _, _, key, value, _ in found.places] == [("make", np.zeros)]


def test_a_cycle_of_tables_ends() -> None:
    table: dict[str, Any] = {"make": np.zeros}
    table["again"] = [table, collections.deque([table])]
    assert len(HeldNames({"__name__": "cycle", "table": table, "other": [table]}, with_types=True).places) == 1
