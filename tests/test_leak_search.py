"""check_leaks finds what reads or writes memory past every hook, and names the line; it finds nothing where nothing is."""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy import asarray as bound_before

import npgrad as ng

_EXAMPLES = Path(__file__).parents[1] / "examples"
_spec = importlib.util.spec_from_file_location("run_all", _EXAMPLES / "run_all.py")
assert _spec is not None and _spec.loader is not None
run_all: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(run_all)


class Buffers:
    """Plain work arrays, made past the names in place as a C library would."""


    @staticmethod
    def array() -> np.ndarray:
        return np.ndarray(2, float, bytearray(16))


def slice_store(x: Any) -> Any:
    work = Buffers.array()
    work[:] = np.sin(x)  # leak
    return x * work


def buffer_reader(x: Any) -> Any:
    y = x * 2
    z = np.frombuffer(memoryview(y))  # leak
    return (x + z).sum()


def unbound_method(x: Any) -> Any:
    total = 0.0
    for _ in range(3):
        y = np.ndarray.view(x * x, np.ndarray)  # leak
        total = total + (y * x).sum()
    return total


def inside_a_call(x: Any) -> Any:
    y = np.exp(x)
    y[0] = ctypes.c_double.from_buffer_copy(memoryview(x)).value  # leak
    return y * x


def at_the_return(x: Any) -> Any:
    y = np.cos(x)
    return y * np.ndarray.__array__(x)  # leak


def in_a_callee(x: Any) -> Any:
    y = np.sqrt(x)
    return y + buffer_reader(x)


@pytest.mark.parametrize(
    ("function", "leaking"),
    [
        *[(f, f) for f in (slice_store, buffer_reader, unbound_method, inside_a_call, at_the_return)],
        (in_a_callee, buffer_reader),
    ],
)
def test_the_line_is_named(function: Callable, leaking: Callable) -> None:
    code = leaking.__code__
    lines = Path(__file__).read_text().splitlines()
    line = next(n for n in range(code.co_firstlineno, len(lines)) if lines[n - 1].endswith("# leak"))
    with pytest.raises(ng.LeakError) as caught:
        ng.check_leaks(function, np.array([0.4, 0.7]))
    assert str(caught.value).startswith(f"{__file__}:{line}: ")


@pytest.mark.parametrize("run", run_all.runs(), ids=lambda run: run["script"])
def test_no_false_alarm_on_the_examples(run: Any) -> None:
    ng.check_leaks(getattr(run_all.load(run["script"]), run["function"]), *run_all.arguments(run))


def test_what_is_constant_by_right_is_no_leak() -> None:
    ng.check_leaks(lambda x: x * np.floor(x) + bound_before([1.0, 2.0]) * int(x[0]), np.array([1.5, 2.5]))
    ng.check_leaks(lambda x, n: np.sum(x**n), 1.5, 3)


def _reads_memory(x: np.ndarray, scale: float = 1.0) -> np.ndarray:
    hidden = np.frombuffer(memoryview(x))
    return scale * x * hidden


@pytest.mark.parametrize("make", [ng.jacobian, ng.value_and_jacobian], ids=["jacobian", "value_and_jacobian"])
def test_check_finds_a_leak_at_the_call(make: Any) -> None:
    with pytest.raises(ng.LeakError, match=rf"{__file__}:\d+: hidden is traced data made from plain data"):
        make(_reads_memory, check=True)(np.array([1.0, 2.0]), scale=2.0)


def test_check_of_gradients() -> None:
    with pytest.raises(ng.LeakError, match="hidden"):
        ng.grad(lambda x: _reads_memory(x).sum(), check=True)(np.array([1.0, 2.0]))


def test_check_passes_what_is_right() -> None:
    point = {"a": np.array([0.3, 0.8]), "b": (np.array(2.0), np.array([1 + 2j]))}

    def f(p: dict, work: np.ndarray, n: int = 2) -> tuple:
        work[:] = p["a"] * n
        return (work.sum() * p["b"][0] * np.abs(p["b"][1][0]), "text")

    work = np.ones(2)
    expected, _ = ng.grad(f, has_aux=True)(point, work, n=3)
    found, aux = ng.grad(f, has_aux=True, check=True)(point, work, n=3)
    assert aux == "text"
    assert np.array_equal(work, np.ones(2))
    np.testing.assert_array_equal(found["a"], expected["a"])


def test_check_is_for_the_outermost_derivative() -> None:
    second = ng.grad(lambda x: ng.grad(lambda y: np.sin(y).sum(), check=True)(x).sum(), check=True)
    np.testing.assert_allclose(second(np.array([0.4])), -np.sin([0.4]))
