"""NumPy's classes by every name that a program may give them: followed where they are called, and themselves in all else."""

import itertools
import operator
import pickle
import textwrap
from builtins import type
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npgrad as ng

X = np.array([2.0, 3.0])


def differences(f: Callable, x: np.ndarray) -> list[float]:
    """Exact, for functions that are of the first degree in each argument."""
    steps = 0.25 * np.eye(len(x))
    return [float(np.real(f(x + step) - f(x - step))) / 0.5 for step in steps]


def on_a_tape(f: Callable, x: np.ndarray) -> list[float]:
    with ng.GradientTape() as tape:
        watched = tape.watch(x)
        y = np.real(f(watched))
    return tape.gradient(y, watched, unconnected_gradients="zero").tolist()


def by_function(f: Callable, x: np.ndarray) -> list[float]:
    return ng.grad(lambda x: np.real(f(x)))(x).tolist()


IMPORTS = """
import functools, types
import numpy as np
from numpy import float32, complex64 as alias
"""
NAMES = ["np.float32", "float32", "alias", "np.complex128", "np.longdouble"]
# What a program does with a type while it runs.
INSIDE = {
    "called": "return {kind}(x[0]) * x[1]",
    "called with stars": "return {kind}(*[x[0]]) * x[1]",
    "called on all": "return {kind}(x)[0] * x[1]",
    "variable": "kind = {kind}\n    return kind(x[0]) * x[1]",
    "loop": "for kind in ({kind}, float):\n        return kind(x[0]) * x[1]",
    "comprehension": "return [kind(x[0]) * x[1] for kind in [{kind}]][0]",
    "map": "return list(map({kind}, x))[0] * x[1]",
    "partial": "return functools.partial({kind})(x[0]) * x[1]",
    "vectorize": "return np.vectorize({kind})(x)[0] * x[1]",
    "dict": "return {{'kind': {kind}}}['kind'](x[0]) * x[1]",
    "attribute": "return types.SimpleNamespace(kind={kind}).kind(x[0]) * x[1]",
    "argument": "return (lambda kind: kind(x[0]))({kind}) * x[1]",
    "default": "return (lambda kind={kind}: kind(x[0]))() * x[1]",
    "either": "return ({kind} if x[0] > 0 else float)(x[0]) * x[1]",
    "beside other uses": "y = np.zeros(2, dtype={kind})\n    y[:] = x\n"
    "    return {kind}(y[0]) * x[1] if isinstance(y[1], {kind}) or y.dtype == {kind} else None",
}
# What it has done before.
BEFORE = {
    "tuple": ("KINDS = ({kind}, float)", "KINDS[0](x[0])"),
    "dict": ("KINDS = {{'kind': {kind}}}", "KINDS['kind'](x[0])"),
    "class": ("class Box:\n    kind = {kind}", "Box.kind(x[0])"),
    "object": ("BOX = types.SimpleNamespace(kind={kind})", "BOX.kind(x[0])"),
    "partial": ("MADE = functools.partial({kind})", "MADE(x[0])"),
    "vectorize": ("MADE = np.vectorize({kind})", "MADE(x)[0]"),
    "default": ("def made(x, kind={kind}):\n    return kind(x)", "made(x[0])"),
    "closure": ("made = (lambda kind: lambda x: kind(x))({kind})", "made(x[0])"),
}


@pytest.mark.parametrize("use", INSIDE)
def test_a_type_of_numbers_is_followed(use: str, users_module: Any) -> None:
    for kind in NAMES:
        f = users_module(f"{IMPORTS}\ndef f(x):\n    {INSIDE[use].format(kind=kind)}").f
        expected = differences(f, X)
        assert expected == [3.0, 2.0]
        assert on_a_tape(f, X) == expected, kind
        assert by_function(f, X) == expected, kind


@pytest.mark.parametrize("call", [on_a_tape, by_function])
@pytest.mark.parametrize("use", BEFORE)
def test_a_type_that_was_held_before_is_followed(use: str, call: Callable, users_module: Any) -> None:
    for kind in NAMES:
        before, made = (text.format(kind=kind) for text in BEFORE[use])
        f = users_module(f"{IMPORTS}\n{before}\ndef f(x):\n    return {made} * x[1]").f
        assert call(f, X) == differences(f, X), kind


def test_a_module_has_its_names_back(users_module: Any) -> None:
    module = users_module(f"{IMPORTS}\nKINDS = [float32]\ndef f(x):\n    return float32(x[0]) * KINDS[0](x[1]) * alias(1)")
    on_a_tape(module.f, X)
    by_function(module.f, X)
    assert operator.is_(module.float32, np.float32) and operator.is_(module.alias, np.complex64)
    assert operator.is_(module.KINDS[0], np.float32)


# What a type is asked, besides being called; `v` is a value of some type, and a plain one.
ASKED = """
def asked(v):
    class Derived(float32):
        pass
    class Mixed(alias, functools.partial if v is None else object):
        pass
    match v:
        case float32():
            matched = True
        case _:
            matched = False
    return [
        isinstance(v, float32), isinstance(v, (int, float32)), isinstance(v, float32 | alias),
        issubclass(float32, np.floating), issubclass(np.float32, float32), issubclass(alias, float32),
        np.issubdtype(float32, np.inexact), np.issubdtype(np.float32, float32), np.zeros(2, float32).dtype,
        np.zeros(2, dtype=[("a", alias)]).dtype, np.dtype(float32), v.dtype == float32, float32 == np.float32,
        np.float32 == float32, float32 != alias, float32 in {np.float32: 1}, {float32, np.float32},
        {float32: 1}[np.float32], float32.__name__, repr(float32), str(alias), np.finfo(float32).eps,
        np.result_type(float32, np.int8), np.promote_types(alias, float32), np.can_cast(alias, float32),
        v.astype(alias).dtype, np.add(1, 2, dtype=float32).dtype, float32(1.5).dtype, float32().dtype,
        float32([1, 2]).dtype, float32("1.5"), Derived.__mro__[1:], Mixed.__mro__[1:], Derived(2).dtype,
        isinstance(Derived(2), float32), matched, callable(float32), isinstance(float32, type),
        np.zeros(2, "c8").view(float32).dtype,
        np.sum([1, 2], dtype=float32).dtype, hash(float32), float32.__doc__, copy.deepcopy([float32]),
        pickle.loads(pickle.dumps({"kind": float32})), float32.__module__, np.dtype([("a", float32)]),
        functools.partial(float32).func, [kind(3) for kind in (float32, alias)], float32.__new__(float32, 3).dtype,
    ]
"""


@pytest.mark.parametrize("call", [on_a_tape, by_function])
def test_a_type_of_numbers_answers_as_ever(call: Callable, users_module: Any) -> None:
    following = "def f(x):\n    answers.append(asked(v))\n    return float32(x[0])"
    module = users_module(f"{IMPORTS}\nimport copy, pickle\n{ASKED}\n{following}")
    for kind in (np.float32, np.complex64, np.int32):
        module.v, module.answers = kind(3), []
        assert call(module.f, X) == [1.0, 0.0]
        expected = module.asked(module.v)
        for answer, wanted in zip(module.answers[0], expected, strict=True):
            assert repr(answer) == repr(wanted).replace(repr(np.float32(0)), "0") and answer == wanted


# Programs that tell a class by `is` what stands for it.
TELLING = {
    "by name": "return v.dtype.type is float32",
    "by attribute": "return v.dtype.type is not np.float32",
    "variable": "kind = float32\n    return kind is v.dtype.type",
    "loop": "kind = type(v)\n    return [one is kind for one in (float32, np.complex64)]",
    "argument": "return same(v.dtype, float32)",
    "in an object": "return [key for key, kind in KINDS.items() if kind is type(v)]",
    "table": "return [same(v.dtype, kind) for kind in KINDS.values()]",
}


@pytest.mark.parametrize("way", TELLING)
def test_where_types_are_compared_by_identity_they_are_themselves(way: str, users_module: Any) -> None:
    module = users_module(
        f"{IMPORTS}\nKINDS = {{'a': float32, 'b': np.complex64}}\ndef same(a, b):\n    return a.type is b\n"
        f"def tells(v):\n    {TELLING[way]}\ndef f(x):\n    answers.append(tells(v))\n    return x[0] * len(KINDS)"
    )
    for call, kind in itertools.product((on_a_tape, by_function), (np.float32, np.complex64)):
        module.v, module.answers = kind(3), []
        assert call(module.f, X) == [2.0, 0.0]
        assert module.answers == [module.tells(module.v)]


def test_a_name_that_is_only_called_is_followed_beside_comparisons(users_module: Any) -> None:
    compares = "def g(v, w):\n    return v.dtype.type is w"
    module = users_module(f"{IMPORTS}\ndef f(x):\n    return float32(x[0]) * x[1]\n{compares}")
    assert on_a_tape(module.f, X) == by_function(module.f, X) == differences(module.f, X)


def test_what_python_writes_for_classes_compares_nothing(users_module: Any) -> None:
    """As ``dataclasses`` do: ``other.__class__ is self.__class__``."""
    source = """
    import dataclasses, enum
    @dataclasses.dataclass(frozen=True, order=True)
    class Options:
        kind: type = np.float32
    class Kinds(enum.Enum):
        SINGLE = np.float32
    @dataclasses.dataclass
    class Model:
        options: Options
        def value(self, x):
            return self.options.kind(x[0]) * Kinds.SINGLE.value(x[1])
    MODEL = Model(Options())
    def f(x):
        return MODEL.value(x)
    """
    module = users_module(f"{IMPORTS}{textwrap.dedent(source)}")
    assert on_a_tape(module.f, X) == by_function(module.f, X) == differences(module.f, X)
    assert operator.is_(module.MODEL.options.kind, np.float32) and operator.is_(module.Kinds.SINGLE.value, np.float32)


def test_a_module_that_compares_counts_where_names_lead_to_it(users_module: Any) -> None:
    helper = users_module("def tells(v, kind):\n    return v.dtype.type is kind")
    module = users_module(
        f"{IMPORTS}\nimport {helper.__name__} as helper\n"
        "def f(x):\n    answers.append(helper.tells(v, float32))\n    return x[0]"
    )
    module.v, module.answers = np.float32(3), []
    assert on_a_tape(module.f, X) == by_function(module.f, X) == [1.0, 0.0]
    assert module.answers == [True, True]


def test_code_that_is_defined_anew_counts(users_module: Any) -> None:
    """As in a notebook: the number of names stays."""
    helper = users_module("def tells(v, kind):\n    return v.dtype.type == kind")
    module = users_module(
        f"{IMPORTS}\nfrom numpy import ndarray\nimport {helper.__name__} as helper\n"
        "def f(x):\n    answers.append(helper.tells(v, float32))\n    return x[0]\n"
        "def g(v):\n    return ndarray.sum(v)\ndef h(x):\n    return g(x)"
    )
    module.v, module.answers = np.float32(3), []
    assert on_a_tape(module.f, X) == [1.0, 0.0] and on_a_tape(module.h, X) == [1.0, 1.0]
    exec("def tells(v, kind):\n    return v.dtype.type is kind", vars(helper))
    exec("def g(v):\n    return np.ones(3).view(ndarray).sum() + v[0]", vars(module))
    assert on_a_tape(module.f, X) == by_function(module.f, X) == [1.0, 0.0]
    assert on_a_tape(module.h, X) == by_function(module.h, X) == [1.0, 0.0]
    assert module.answers == [True, True, True]


def test_what_a_program_keeps_from_a_tape_goes_on(users_module: Any) -> None:
    module = users_module(f"{IMPORTS}\nkept = []\ndef f(x):\n    kept.append(np.float32)\n    return kept[-1](x[0]) * x[1]")
    assert on_a_tape(module.f, X) == [3.0, 2.0]
    (kind,) = module.kept
    assert kind == np.float32 and kind(3).dtype == kind and type(kind(3)).__base__ == np.floating
    assert operator.is_(pickle.loads(pickle.dumps(kind)), np.float32)
    with ng.GradientTape() as tape:
        watched = tape.watch(X)
        with tape.stop_recording():
            assert type(kind(2.0)).__base__ == np.floating
        assert tape.gradient(kind(watched[0]), watched).tolist() == [1.0, 0.0]


NDARRAY = """
import numpy as np
from numpy import broadcast, ndarray

def pairs(x):
    return sum([a * b for a, b in broadcast(x[:1], x[1:])])

def made(x):
    buffer = ndarray(2)
    buffer[:] = x
    assert isinstance(buffer, ndarray) and issubclass(type(buffer), (int, ndarray)) and int != ndarray
    return buffer[0] * buffer[1]

def by_class(x):
    return ndarray.sum(x[:1]) * ndarray.__getitem__(x, 1)

def by_attribute(x):
    return np.ndarray.__mul__(x, np.ndarray.__getitem__(x, slice(None, None, -1)))[0]

def mapped(x):
    return list(map(np.ndarray.sum, [x[:1]]))[0] * list(map(ndarray.prod, [x[1:]]))[0]

def kept(x):
    method = np.ndarray.__getitem__
    return method(x, 0) * method(x, 1)
"""


@pytest.mark.parametrize("name", ["pairs", "made", "by_class", "by_attribute", "mapped", "kept"])
def test_the_class_of_arrays_is_followed(name: str, users_module: Any) -> None:
    f = getattr(users_module(NDARRAY), name)
    assert on_a_tape(f, X) == by_function(f, X) == differences(f, X)


def test_the_class_of_arrays_stays_where_it_goes_elsewhere(users_module: Any) -> None:
    """NumPy would make arrays of the class that it is given."""
    module = users_module(
        "from numpy import ndarray\nclass Vector(ndarray):\n    def __getitem__(self, at):\n"
        "        return ndarray.__getitem__(self, at)\n"
        "def f(x):\n    answers.append([v.view(ndarray), ndarray(2)[:0], v.view(Vector)[:1]])\n    return x[0]"
    )
    module.v, module.answers = np.arange(2), []
    assert on_a_tape(module.f, X) == [1.0, 0.0]
    assert [type(a).__name__ for a in module.answers[0]][::2] == ["ndarray", "Vector"]
    with pytest.raises(ng.LeakError), ng.GradientTape() as tape:
        np.ndarray.view(tape.watch(X), np.ndarray)


PLAIN, NUMBERS = np.array([0.5, 2.0, 1.5]), np.array([0, 1, 0])
OF_PLAIN = {
    "dot": lambda x: np.ndarray.dot(PLAIN, x),
    "dot of a matrix": lambda x: (np.ndarray.dot(np.outer(PLAIN, PLAIN), x) ** 2).sum(),
    "choose": lambda x: np.ndarray.choose(NUMBERS, [x, x * x]).sum(),
    "choose, one by one": lambda x: np.ndarray.choose(NUMBERS, x, x * x, mode="wrap").sum(),
}


@pytest.mark.parametrize("f", OF_PLAIN.values(), ids=OF_PLAIN)
def test_methods_of_plain_arrays_that_are_called_by_the_class_see_traced_data(f: Callable) -> None:
    x = np.array([0.3, 1.2, -0.7])
    with ng.GradientTape() as tape:
        watched = tape.watch(x)
        value = f(watched)
    np.testing.assert_allclose(tape.gradient(value, watched), ng.finite_difference.grad(f)(x), atol=1e-8)
    with ng.GradientTape() as tape, pytest.raises(ng.LeakError, match="written into a plain array"):
        np.ndarray.put(PLAIN, [0], tape.watch(x))
