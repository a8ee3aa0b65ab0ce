"""Calls of rules that are recorded by a plan: the same record as the general way makes."""

import numpy as np
import pytest

import npgrad as ng
from npgrad._entries import CALL
from npgrad._plans import PLANNED
from npgrad._registry import RULES

A = np.random.default_rng(0).random((3, 3)) + 3 * np.eye(3)
B = np.random.default_rng(1).random((3, 2))

PROGRAMS = {
    "both arguments": lambda a, b: np.linalg.solve(a, b),
    "one argument": lambda a, b: np.linalg.solve(a, B),
    "the same array twice": lambda a, b: a @ a,
    "by keyword": lambda a, b: np.sum(a, axis=0, keepdims=True),
    "an axis of several": lambda a, b: np.mean(a, (0, -1)),
    "views": lambda a, b: a.T[1:] @ b[:, 0],
    "the result is kept": lambda a, b: np.prod(a, 1),
    "a mask": lambda a, b: np.sum(a, where=A > 3),
}


def recorded(program):
    with ng.GradientTape(persistent=True) as tape:
        a, b = tape.watch((A, B))
        value = program(a, b)
    return tape, value, (a, b)


@pytest.mark.parametrize("name", PROGRAMS)
def test_plans_give_what_the_general_way_gives(name):
    tape, value, sources = recorded(PROGRAMS[name])
    entries = tape._record.entries
    assert any(e[0] is PLANNED for e in entries)
    by_plan = tape.jacobian(value, sources), tape.jacobian(value, sources, mode="forward")
    entries[:] = [e[0].general(e) if e[0] is PLANNED else e for e in entries]
    assert not any(e[0] is PLANNED for e in entries) and any(e[0] is CALL for e in entries)
    general = tape.jacobian(value, sources), tape.jacobian(value, sources, mode="forward")
    for one, other in zip(by_plan, general, strict=True):
        for part, other_part in zip(one, other, strict=True):
            assert (part is None) == (other_part is None)
            if part is not None:
                np.testing.assert_array_equal(part, other_part)


def test_a_map_for_several_arguments_is_called_once(monkeypatch):
    rule = RULES[np.linalg.solve]
    called = []
    map_ = rule.shared["a"][0]

    def counted(*args):
        called.append(args)
        return map_(*args)

    monkeypatch.setattr(rule, "given", {})
    monkeypatch.setattr(rule, "shared", {name: (counted, place) for name, (_, place) in rule.shared.items()})
    tape, value, (a, b) = recorded(PROGRAMS["both arguments"])
    tape.gradient(value, (a, b))
    assert len(called) == 1


def test_a_saved_value_that_is_overwritten_is_kept():
    with ng.GradientTape() as tape:
        a, b = tape.watch((A, B))
        product = a @ b
        a *= 0.0
        b[...] = 0.0
    ct_a, ct_b = tape.gradient(product, (a, b))
    np.testing.assert_allclose(ct_a, np.ones((3, 2)) @ B.T)
    np.testing.assert_allclose(ct_b, A.T @ np.ones((3, 2)))
