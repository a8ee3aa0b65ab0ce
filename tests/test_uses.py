"""How code uses what it looks up."""

import functools
import types

import hypothesis
import numpy as np
import pytest

import npgrad as ng
from npgrad._uses import Use, may_compare, uses_of

USES = {
    "kind(3)": Use.CALLED,
    "kind(shape=3)": Use.CALLED,
    "kind(*a, **b)": Use.CALLED,
    "kind(a)(b)": Use.CALLED,
    "kind(a).real + 1": Use.CALLED,
    "[kind(i) for i in a]": Use.CALLED,
    "lambda: kind(3)": Use.CALLED,
    "kind(a) is b": Use.CALLED,
    "kind(\n    a,\n    b,\n)": Use.CALLED,
    "kind.sum": Use.LOOKED_INTO,
    "kind.sum(a)": Use.LOOKED_INTO,
    "kind.sum(*a)": Use.LOOKED_INTO,
    "list(map(kind.sum, a))": Use.LOOKED_INTO,
    "isinstance(a, kind)": Use.CHECKED,
    "isinstance(a, (int, kind))": Use.CHECKED,
    "issubclass(kind, int) or b": Use.CHECKED,
    "a == kind": Use.CHECKED,
    "a in (b, kind)": Use.CHECKED,
    "kind in a": Use.CHECKED,
    "a is kind": Use.COMPARED,
    "kind is not a": Use.COMPARED,
    "type(a) is kind and b": Use.COMPARED,
    "a.sum is kind.sum": Use.COMPARED,
    "a.sum != kind.sum": Use.COMPARED,
    "a(kind)": Use.HELD,
    "a(b, kind)": Use.HELD,
    "a(kind=kind)": Use.HELD,
    "a(kind) is None": Use.HELD,
    "a.view(kind)": Use.HELD,
    "a(\n    b,\n    kind,\n)": Use.HELD,
    "[kind]": Use.HELD,
    "{a: kind}": Use.HELD,
    "kind": Use.HELD,
    "kind if a else b": Use.HELD,
    "(kind if a else b)(3)": Use.HELD,
    "kind or a": Use.HELD,
    "functools.partial(kind)": Use.HELD,
    "lambda value=kind: value": Use.HELD,
    "kind[a]": Use.HELD,
    "f'{kind}'": Use.HELD,
}


@pytest.mark.parametrize("expression", USES)
def test_a_use_is_told_by_its_instructions(expression: str) -> None:
    assert uses_of(compile(f"r = {expression}", "<uses>", "exec"), "kind", {}) == {USES[expression]}
    inside = compile(f"def f(a, b):\n    return ({expression})", "<uses>", "exec")
    assert uses_of(inside, "kind", {}) == {USES[expression]}


def test_other_statements_hold() -> None:
    code = "def f(a):\n    for kind_ in (kind, a): pass\n    with a: kind_ = kind\n    return kind"
    assert uses_of(compile(code, "<uses>", "exec"), "kind", {}) == {Use.HELD}


def test_a_class_is_derived_from() -> None:
    for bases in ("kind", "kind, a", "a, kind", "a, metaclass=kind"):
        code = compile(f"def f(a):\n    class B({bases}):\n        x = 1\n    return B", "<uses>", "exec")
        assert uses_of(code, "kind", {}) == {Use.DERIVED}


def test_functions_of_numpy_take_a_class_for_a_dtype() -> None:
    given = {
        "np.zeros(3, kind)": Use.CHECKED, "np.zeros(3, dtype=kind)": Use.CHECKED, "np.linalg.norm(a, kind)": Use.CHECKED,
        "np.dtype(kind)": Use.CHECKED, "np.add(a, b, dtype=kind)": Use.CHECKED, "zeros(3, kind)": Use.CHECKED,
        "np.vectorize(kind)": Use.HELD, "np.frompyfunc(kind, 1, 1)": Use.HELD, "np.zeros(3).astype(kind)": Use.HELD,
        "np.zeros(a(kind))": Use.HELD, "np.array([a, kind])": Use.HELD, "mine(kind)": Use.HELD,
    }  # fmt: skip
    names = {"np": np, "zeros": np.zeros, "mine": test_a_class_is_derived_from}
    for expression, use in given.items():
        code = compile(f"r = {expression}", "<uses>", "exec")
        assert uses_of(code, "kind", names) == {use}, expression


def test_functions_of_installed_packages_take_a_class_for_one_and_may_compare_it() -> None:
    given = {
        "pytest.raises(kind)": Use.CHECKED, "settings(kind)": Use.CHECKED, "functools.partial(kind)": Use.HELD,
        "map(kind, a)": Use.HELD, "ng.grad(kind)": Use.HELD,
    }  # fmt: skip
    names = {"pytest": pytest, "settings": hypothesis.settings, "functools": functools, "ng": ng}
    for expression, use in given.items():
        code = compile(f"r = {expression}", "<uses>", "exec")
        assert uses_of(code, "kind", names) == {use}, expression


def test_every_use_counts() -> None:
    code = compile("def f(a):\n    def g():\n        return kind(a)\n    return isinstance(a, kind)", "<uses>", "exec")
    assert uses_of(code, "kind", {}) == {Use.CALLED, Use.CHECKED}


def test_code_that_does_not_say_where_it_stands_is_unknown() -> None:
    """But for a call, which has a null on the stack."""
    uses = {
        "a(kind)": Use.UNKNOWN, "kind": Use.UNKNOWN, "a is kind": Use.UNKNOWN, "kind.sum": Use.UNKNOWN,
        "a(b)(kind)": Use.UNKNOWN, "kind(3)": Use.CALLED, "a + kind(*b)": Use.CALLED,
        "kind(a=3)": Use.CALLED, "kind(3).sum(a)": Use.CALLED,
    }  # fmt: skip
    for expression, use in uses.items():
        for source in (f"r = {expression}", f"def f():\n    return {expression}"):
            code = compile(source, "<uses>", "exec")
            inner = [c.replace(co_linetable=b"") if type(c) is types.CodeType else c for c in code.co_consts]
            bare = code.replace(co_linetable=b"", co_consts=tuple(inner))
            assert uses_of(bare, "kind", {}) == {use}, source


class _Kind:
    pass


NAMES = {"kind": _Kind, "other": 3, "module": types.SimpleNamespace, "library": types.ModuleType("library")}
NAMES["library"].kind, NAMES["library"].other = _Kind, 3
COMPARING = {
    "a is kind": True,
    "kind is not a": True,
    "type(a) is kind": True,
    "a is library.kind": True,
    "library.kind is a": True,
    "a.dtype.type is b": True,
    "[a is b for b in type(a)]": True,
    "lambda: (a.dtype, b is c)": True,
    "(lambda: a.dtype, b is c)": True,
    "a is None": False,
    "None is a": False,
    "type(a) is float": False,
    "type(a) is other": False,
    "a.dtype.type is library.other": False,
    "type(a) is type(b)": False,
    "a.__class__ is b.__class__": False,
    "type(a) is b": True,
    "a.__class__ is b": True,
    "a is b and a.dtype": True,
    "(lambda self: self is a and self.dtype)": False,
    "(lambda self, cls: type(self) is cls)": False,
    "a is b": False,
    "a.b is c": False,
    "a == kind": False,
    "kind(a) + kind": False,
}


def test_functions_of_a_module_do_not_count_together() -> None:
    code = compile("def f(a):\n    return a.dtype\ndef g(a, b):\n    return a is b", "<uses>", "exec")
    assert not may_compare(code, NAMES, {_Kind}, frozenset({"kind"}))


@pytest.mark.parametrize("expression", COMPARING)
def test_code_that_may_compare_a_class_by_identity(expression: str) -> None:
    code = compile(f"def f(a, b, c):\n    return ({expression})", "<uses>", "exec")
    assert may_compare(code, NAMES, {_Kind}, frozenset({"kind"})) == COMPARING[expression]
