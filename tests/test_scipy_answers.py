"""Integrals that SciPy finds, by functions that are not smooth; the families of samples have those that are."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npgrad as ng

pytest.importorskip("scipy", reason="scipy is not installed: its functions are not tested")
integrate, optimize = map(importlib.import_module, ("scipy.integrate", "scipy.optimize"))
quad = integrate.quad
POINT = np.array([1.3, 0.7])


@pytest.mark.once
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        # Of |t - b|, of max(t - b, 0) exp(-t^2), of t^(b-1), up to a where the function jumps before, of a quad of a quad.
        (lambda v: quad(lambda t: abs(t - v[1]), 0, 2)[0], [0.0, -0.6]),
        (lambda v: quad(lambda t: max(t - v[1], 0.0) * math.exp(-t * t), 0, np.inf)[0],
         [0.0, -math.sqrt(math.pi) / 2 * math.erfc(0.7)]),
        (lambda v: quad(lambda t: t ** (v[1] - 1), 0, 1)[0], [0.0, -1 / 0.49]),
        (lambda v: quad(lambda t: float(t > 1) + 0.5, 0, v[0])[0], [1.5, 0.0]),
        (lambda v: quad(lambda t: quad(lambda s: v[0] * s * t, 0, t)[0], 0, v[1])[0], [0.7**4 / 8, 1.3 * 0.7**3 / 2]),
    ],
)  # fmt: skip
def test_known_derivatives(program: Callable, expected: Any) -> None:
    np.testing.assert_allclose(ng.grad(program)(POINT), expected, rtol=2e-7, atol=1e-9)


@pytest.mark.once
@pytest.mark.parametrize(
    "program",
    [
        lambda v: quad(lambda t: v[0] if t > v[1] else 0.0, 0, 2)[0],
        lambda v: quad(lambda t: 1.0 if t > v[1] else 0.0, 0, 2)[0],
        lambda v: quad(lambda t: v[0] if t > v[1] + 0.3 else 0.0, 0, 2)[0],  # in the middle, where SciPy divides
        lambda v: quad(lambda t: np.log(abs(t - v[1])), 0, 2, points=[0.7])[0],
        lambda v: ng.grad(lambda w: quad(lambda t: abs(t - w[1]), 0, 2)[0])(v)[1],
        lambda v: ng.grad(lambda w: quad(lambda t: abs(t - w[1] - 0.3), 0, 2)[0])(v)[1],
    ],
)
def test_what_moves_inside_of_the_interval_is_refused(program: Callable) -> None:
    with pytest.raises(RuntimeError, match="integrate its parts one by one"):
        ng.grad(program)(POINT)


def test_an_answer_that_only_moves_with_a_jump_is_refused() -> None:
    with pytest.raises(RuntimeError, match="does not solve"):
        ng.grad(lambda v: optimize.bisect(lambda z: z - 5 if z < v[1] else z + 5, 0, 3))(POINT)


def test_times_of_events() -> None:
    """Of a fall from the height b: sqrt(2 b / a)."""

    def lands(t: float, u: Any) -> Any:
        return u[0]

    def program(v: Any) -> Any:
        found = integrate.solve_ivp(lambda t, u: [u[1], -v[0]], (0, 9), [v[1], 0.0], events=lands, rtol=1e-8, atol=1e-10)
        return found.t_events[0][0]

    time = math.sqrt(2 * 0.7 / 1.3)
    np.testing.assert_allclose(ng.grad(program)(POINT), [-time / 2.6, time / 1.4], rtol=1e-6)
