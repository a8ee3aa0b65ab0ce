"""Views of which several elements share memory, made in the tape and before it: they are written as NumPy does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided, sliding_window_view

import npgrad as ng

X = np.array([1.0, 2.0, 3.0, 4.0])


def rows(line: Any, windows: Any, x: Any) -> Any:
    windows[1] = x[:3]
    return (line**2).sum()


def elements_and_parts(line: Any, windows: Any, x: Any) -> Any:
    windows[:] = 0.5
    windows[1, 1:] = x[:2]
    row = windows[2]
    row[:2] = x[2:]
    row *= 3.0
    windows[0, 0] = x[0] * x[1]
    windows[1:2] += x[:3]
    return (line**2).sum() + (windows * windows).sum()


def constants(line: Any, windows: Any, x: Any) -> Any:
    windows[:] = np.arange(12.0).reshape(4, 3)
    windows += 1.0
    windows *= 2.0
    return (line * line).sum() * x.sum()


def first_columns(line: Any, windows: Any, x: Any) -> Any:
    windows[:, 0] = x
    return (windows * windows).sum() + line.sum()


@pytest.mark.parametrize("program", [rows, elements_and_parts, constants, first_columns])
@pytest.mark.parametrize("look", ["as_strided", "sliding_window_view"])
def test_parts_are_written_as_numpy_does(program: Any, look: str) -> None:
    def windows_of(line: Any) -> Any:
        if look == "as_strided":
            return np.lib.stride_tricks.as_strided(line, (4, 3), (8, 8))
        return np.lib.stride_tricks.sliding_window_view(line, 3, writeable=True)

    def inside(x: Any) -> Any:
        line = np.zeros(6)
        return program(line, windows_of(line), x)

    line = np.zeros(6)
    windows = as_strided(line, (4, 3), (8, 8)) if look == "as_strided" else sliding_window_view(line, 3, writeable=True)

    def before(x: Any) -> Any:
        line[:] = 0.0
        return program(line, windows, x)

    expected = ng.finite_difference.jacobian(inside)(X)
    for f in (inside, before):
        value = f(X)
        found, gradient = ng.value_and_grad(f)(X)
        assert found == value
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(ng.jvp(f, (X,), (np.ones(4),))[1], expected.sum(), rtol=1e-6)


def _from_before(write: Any) -> Any:
    line, stretched = np.zeros(6), as_strided(np.zeros(3), (4, 3), (0, 8))
    windows = as_strided(line, (4, 3), (8, 8))

    def f(x: Any) -> Any:
        write(windows, stretched, x)
        return (line**2).sum() + (stretched**3).sum()

    return f


LAST = {
    "whole": lambda windows, stretched, x: windows.__setitem__(slice(None), x[:, None]),
    "chosen": lambda windows, stretched, x: windows.__setitem__([0, 1], x[:3]),
    "rows of one": lambda windows, stretched, x: stretched.__setitem__(slice(None), x[:, None]),
}


@pytest.mark.parametrize("write", LAST)
def test_of_elements_that_share_memory_the_last_counts(write: str) -> None:
    f = _from_before(LAST[write])
    value, gradient = ng.value_and_grad(f)(X)
    assert value == f(X)
    np.testing.assert_allclose(gradient, ng.finite_difference.grad(f)(X), rtol=1e-6, atol=1e-6)


def test_what_depends_on_the_order_of_elements_is_refused() -> None:
    f = _from_before(lambda windows, stretched, x: windows.__imul__(x[0]))
    with pytest.raises(ng.NoRuleError, match=r"test_overlapping.py:\d+: .*elements share memory"):
        ng.grad(f)(X)


def test_what_may_only_be_read_still_may() -> None:
    line = np.zeros(6)
    windows = sliding_window_view(line, 3)

    def f(x: Any) -> Any:
        windows[0] = 1.0
        return x.sum()

    with pytest.raises(ValueError, match="read-only"):
        ng.grad(f)(X)
