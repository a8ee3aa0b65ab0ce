"""A pytest plugin: NumPy's own tests with traced arrays in place of floating and complex ones.

In the namespace of a test module ``np`` is a stand-in whose creators give traced arrays (`npgrad.array` of NumPy's), and
so are creators that the module imported by name. With ``--tape`` a tape records around each test, and what the creators make
is watched; leaks pass, as assertions are made on plain data. A test that fails on plain arrays here does not count.
"""

from __future__ import annotations

import functools
import json
import types
from builtins import type
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npgrad as ng

_CREATORS = {
    np.array, np.asarray, np.zeros, np.ones, np.full, np.arange, np.linspace, np.logspace, np.geomspace, np.eye, np.identity,
    np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.zeros_like, np.ones_like, np.full_like, np.tri, np.empty,
    np.empty_like, np.random.rand, np.random.randn, np.random.random, np.random.uniform, np.random.normal,
}  # fmt: skip
_tapes: list[ng.GradientTape] = []


def _traced(value: Any) -> Any:
    if type(value) is not np.ndarray or value.dtype.kind not in "fc":
        return value
    if value.base is not None or not value.dtype.isnative:
        return value
    return _tapes[-1].watch(ng.array(value)) if _tapes else ng.array(value)


def _creating(function: Callable) -> Callable:
    @functools.wraps(function)
    def create(*args: Any, **kwargs: Any) -> Any:
        return _traced(function(*args, **kwargs))

    return create


_MADE = {function: _creating(function) for function in _CREATORS}


def _stand_in(value: Any) -> Any:
    try:
        return _MADE.get(value, value)
    except TypeError:  # not hashable
        return value


class _Module(types.ModuleType):
    """``np`` as the tests see it; names in place are looked up at each use."""

    def __init__(self, module: types.ModuleType) -> None:
        super().__init__(module.__name__)
        self.__dict__["_of"] = module

    def __getattr__(self, name: str) -> Any:
        of = self.__dict__["_of"]
        value = getattr(of, name)
        if isinstance(value, type):  # itself, as NumPy's own code has it: this file does not compare it, but the tests do
            value = vars(of).get(name, value)
        if isinstance(value, types.ModuleType) and name == "random":
            return _Module(value)
        made = _stand_in(getattr(value, "__wrapped__", value) if callable(value) and not isinstance(value, type) else value)
        return made if made in _MADE.values() else value


def pytest_addoption(parser: Any) -> None:
    parser.addoption("--traced", choices=["no", "outside", "tape"], default="no")
    parser.addoption("--outcomes", type=Path)


def pytest_collection_modifyitems(config: Any, items: list) -> None:
    if config.getoption("--traced") == "no":
        return
    for module in {item.module for item in items}:
        for name, value in list(vars(module).items()):
            if value is np:
                setattr(module, name, _Module(np))
            else:
                setattr(module, name, _stand_in(value))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: Any) -> Iterator[None]:
    if item.config.getoption("--traced") != "tape":
        yield
        return
    with ng.GradientTape(leaks="ignore") as tape:
        _tapes.append(tape)
        try:
            yield
        finally:
            _tapes.pop()


_outcomes: dict[str, list[str]] = {}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Iterator[None]:
    result = yield
    report = result.get_result()
    if report.when == "call":
        error = call.excinfo
        _outcomes[item.nodeid] = [report.outcome, "" if error is None else f"{error.typename}: {error.value}"[:300]]


def pytest_sessionfinish(session: Any) -> None:
    path = session.config.getoption("--outcomes")
    if path:
        path.write_text(json.dumps(_outcomes, indent=0))
