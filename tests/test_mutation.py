"""The generic tests see a rule that is off by 0.1 %: each map of each rule is made so in turn, and the samples of its
function must fail, those of reverse mode for a vjp and those of forward mode for a jvp.

Composites, views and writes have no maps: they are made of calls that have.
"""

from __future__ import annotations

import contextlib
import functools
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
import test_special
from comparisons import assert_like_differences
from samples import S, all_samples
from sampling import function_name

from npgrad import _refusals
from npgrad._partials import Custom, Elementwise, Selection
from npgrad._registry import RULES, Rule
from npgrad.testing import Linearised

pytestmark = pytest.mark.once

OFF = 1.001
SAMPLES: dict[Any, list[S]] = {}
for _sample in all_samples():
    SAMPLES.setdefault(_sample.function, []).append(_sample)


class _Items:
    """What gives cotangents by their places, each of them off."""

    def __init__(self, items: Any) -> None:
        self.items = items

    def __getitem__(self, place: int) -> Any:
        return _scaled(self.items[place])


def _scaled(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return type(value)(map(_scaled, value))
    return value * OFF if isinstance(value, (np.ndarray, np.generic, float, complex)) else _Items(value)


def _off(map_: Callable) -> Callable:
    return lambda *args: _scaled(map_(*args))


class Mutant(NamedTuple):
    """One map of a rule: by which argument, and of which mode."""

    argument: Any
    mode: str
    mutated: Callable[[], contextlib.AbstractContextManager[None]]

    def __str__(self) -> str:
        return f"{self.mode} by {self.argument}"


# --- Maps of declared rules --------------------------------------------------------------------------------------------


def _of_rule(rule: Rule) -> Iterator[Mutant]:
    # A map for several arguments stands in ``shared`` as a whole, which the plans of calls are made of.
    for mode, tables in (("reverse", (rule.vjps, rule.shared)), ("forward", (rule.jvps,))):
        for argument in tables[0]:
            yield Mutant(argument, mode, functools.partial(_tables_off, rule, tables, argument))


@contextlib.contextmanager
def _tables_off(rule: Rule, tables: tuple[dict, ...], argument: str) -> Iterator[None]:
    before = [table[argument] for table in tables]
    for table in tables:
        table[argument] = (_off(table[argument][0]), *table[argument][1:])
    rule.given.clear()
    try:
        yield
    finally:
        for table, entry in zip(tables, before, strict=True):
            table[argument] = entry
        rule.given.clear()


# --- Maps of elementwise rules: of one input, for real or for complex results, whichever inputs are tracked ------------


def _of_elementwise(rule: Elementwise) -> Iterator[Mutant]:
    for number, partial in enumerate(rule.partials):
        if isinstance(partial, Custom) and partial.vjp.__module__ == _refusals.__name__:
            continue  # no derivative is known: it is refused
        for kind in _kinds(rule.function):
            for mode in ("reverse", "forward"):
                mutated = functools.partial(_selections_off, getattr(rule, kind), number, mode)
                yield Mutant(f"{'xyzw'[number]}, {kind}", mode, mutated)


def _kinds(ufunc: np.ufunc) -> list[str]:
    """Whether there are real and complex results."""
    codes = {code for types in ufunc.types for code in types.partition("->")[2]}
    return [kind for kind, code in (("real", "d"), ("complex", "D")) if code in codes]


@contextlib.contextmanager
def _selections_off(table: list[Selection], number: int, mode: str) -> Iterator[None]:
    attributes = {"reverse": ("vjps", "vjp_x", "vjp_y"), "forward": ("jvps",)}[mode]
    chosen = [selection for selection in table if selection.bits >> number & 1]
    before = [(selection, name, getattr(selection, name)) for selection in chosen for name in attributes]
    for selection in chosen:
        _make_off(selection, number, attributes[0])
    try:
        yield
    finally:
        for selection, name, value in before:
            setattr(selection, name, value)


def _make_off(selection: Selection, number: int, maps: str) -> None:
    changed = tuple([_off(m) if n == number and m is not None else m for n, m in enumerate(getattr(selection, maps))])
    setattr(selection, maps, changed)
    if maps == "vjps":
        selection.vjp_x, selection.vjp_y = (*changed, None, None)[:2]


# What no sample can see: derivatives that are zero wherever there are any; and SciPy has zeta of a complex number for the
# second argument 1 only.
UNSEEN = {
    "sign": ["reverse by x, real", "forward by x, real"],
    "heaviside": ["reverse by x, real", "forward by x, real"],
    "copysign": ["reverse by y, real", "forward by y, real"],
    "nextafter": ["reverse by y, real", "forward by y, real"],
    "ldexp": ["reverse by y, real", "forward by y, real"],
    "_zeta": ["reverse by y, complex", "forward by y, complex"],
}

# Functions whose samples cannot be judged by the generic differences, and what judges them.
ELSEWHERE: dict[str, Callable[[str], None]] = {"itairy": test_special.check_itairy}


# --- The check -----------------------------------------------------------------------------------------------------------


def mutants(function: Any) -> list[Mutant]:
    rule = RULES[function]
    if isinstance(rule, Rule):
        return list(_of_rule(rule))
    return [mutant for part in rule.by_output.values() for mutant in _of_elementwise(part)]


def is_seen(mutant: Mutant, samples: list[S]) -> bool:
    """Whether a sample's test fails, as those of tests/test_rules.py would, or the one that stands for it."""
    for sample in samples:
        if mutant.mode in sample.leave_out:
            check_elsewhere = ELSEWHERE.get(sample.function.__name__)
            if check_elsewhere is None:
                continue
            with mutant.mutated(), pytest.raises(AssertionError):
                check_elsewhere(mutant.mode)
            return True
        rng = np.random.default_rng(zlib.crc32(repr(sample).encode()))
        try:
            with np.errstate(all="ignore"), mutant.mutated():
                assert_like_differences(sample, sample.points, Linearised(sample, sample.points), (mutant.mode,), rng)
        except AssertionError:
            return True
    return False


@pytest.mark.parametrize("function", sorted(RULES, key=function_name), ids=function_name)
@pytest.mark.filterwarnings("ignore::npgrad.DegenerateWarning")
def test_a_rule_that_is_off_fails(function: Any) -> None:
    unseen = [str(mutant) for mutant in mutants(function) if not is_seen(mutant, SAMPLES[function])]
    assert unseen == UNSEEN.get(function.__name__, [])
