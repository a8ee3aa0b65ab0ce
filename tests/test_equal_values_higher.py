"""Second and third derivatives through vectors of equal values, in all modes: right, or a warning."""

from __future__ import annotations

import itertools
import warnings
from builtins import type
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_equal_values import PROGRAMS, by_eig, by_eigh, by_svd, difference, general, inner, polar, projection, symmetric

import npgrad as ng

pytestmark = pytest.mark.once


def _reverse(f: Callable, direction: Any) -> Callable:
    return lambda x: inner(ng.grad(f)(x), direction)


def _forward(f: Callable, direction: Any) -> Callable:
    return lambda x: ng.jvp(f, (x,), (direction,))[1]


def _tape(f: Callable, direction: Any) -> Callable:
    def derivative(x: Any) -> Any:
        with ng.GradientTape() as tape:
            x = tape.watch(x)
            y = f(x)
        return inner(tape.gradient(y, x), direction)

    return derivative


def _accumulator(f: Callable, direction: Any) -> Callable:
    def derivative(x: Any) -> Any:
        x = 1.0 * x if type(x) is not np.ndarray else ng.array(x)
        with ng.ForwardAccumulator(x, direction) as accumulator:
            y = f(x)
        return accumulator.jvp(y)

    return derivative


def _hessian(f: Callable, direction: Any) -> Callable:
    """The last of two."""
    return lambda x: inner(ng.jacobian(f)(x), direction)


WAYS = {"R": _reverse, "F": _forward, "T": _tape, "A": _accumulator, "J": _hessian}


def _along(f: Callable, ways: str, x: Any, directions: Any) -> Any:
    for way, direction in zip(ways, directions, strict=True):
        f = WAYS[way](f, direction)
    return f(x)


def _difference(f: Callable, x: Any, directions: Any, size: float = 1.0) -> Any:
    if len(directions) == 0:
        return f(x)
    step = size * directions[0]
    return difference(lambda x: _difference(f, x, directions[1:], size), x, step) / size


def _directions(x: Any, count: int) -> Any:
    rng = np.random.default_rng(5)
    real = rng.standard_normal((count, *x.shape))
    return real + 1j * rng.standard_normal((count, *x.shape)) if np.iscomplexobj(x) else real


def _loss(program: Callable, x: Any) -> Callable:
    weights = np.random.default_rng(4).standard_normal(np.shape(program(x)))
    return lambda x: np.sum(weights * np.real(program(x)))


def _of_values(values: Callable, f: Callable = lambda w: w**3) -> Callable:
    return lambda x: np.sum(np.real(f(values(x))))


def _singular_values(x: Any, **settings: Any) -> Any:
    return np.linalg.svd((x + x.T) / 2 if settings else x, compute_uv=False, **settings)


SMOOTH = {
    **PROGRAMS,
    "eigvalsh": (_of_values(np.linalg.eigvalsh), symmetric(1, 1, 2)),
    "eigvalsh of zeros": (_of_values(np.linalg.eigvalsh, np.exp), np.zeros((3, 3))),
    "eigvals": (_of_values(np.linalg.eigvals), symmetric(1, 1, 2)),
    "eigvals, not symmetric": (_of_values(np.linalg.eigvals), PROGRAMS["eig, not symmetric"][1]),
    "svdvals": (_of_values(np.linalg.svdvals), general(4, 3, 2, 2, 1)),
    "svdvals of rank 1": (_of_values(np.linalg.svdvals, np.square), general(3, 3, 2, 0, 0)),
    "values of svd": (_of_values(_singular_values, np.cosh), general(3, 3, 2, 2, 0)),
    "values of svd, hermitian": (_of_values(lambda x: _singular_values(x, hermitian=True)), symmetric(-1, -1, 1)),
    "log-determinant": (_of_values(lambda x: np.linalg.eigh((x + x.T) / 2)[0], np.log), symmetric(1, 2, 2)),
    "nuclear norm by norm": (lambda x: np.linalg.norm(x, "nuc"), general(3, 3, 2, 2, 1)),
    "equal values of all sizes": (by_eigh(np.exp), np.kron(np.diag([1.0, 2.0]), np.eye(2))),
}  # fmt: skip
# There the derivative is 0, and all that is compared is rounding.
MAY_WARN = {"svd of zeros"}


@pytest.mark.parametrize("name", SMOOTH)
def test_second_derivatives_are_those_of_differences(name: str) -> None:
    program, x = SMOOTH[name]
    f, directions = _loss(program, x), _directions(x, 2)
    expected = _difference(f, x, directions)
    # By functions and by hand; what is mixed of the two goes the same ways.
    for ways in ("RR", "RF", "FR", "FF", "TT", "TA", "AT", "AA", "RJ"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if name in MAY_WARN else "error")
            found = _along(f, ways, x, directions)
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7, err_msg=ways)


THIRD = ["exp of the unit matrix", "complex exp", "eig", "svd", "projection"]


@pytest.mark.parametrize("name", THIRD)
def test_third_derivatives_are_those_of_differences(name: str) -> None:
    program, x = SMOOTH[name]
    f, directions = _loss(program, x), _directions(x, 3)
    expected = _difference(f, x, directions)
    for ways in ("RRR", "RFR", "FRF", "FFF"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_allclose(_along(f, ways, x, directions), expected, rtol=1e-5, atol=1e-5, err_msg=ways)


def test_third_derivatives_of_the_exponential() -> None:
    """Along the unit matrix its derivatives are itself."""
    f = _loss(by_eigh(np.exp), np.eye(2))
    np.testing.assert_allclose(_along(f, "FRR", np.eye(2), [np.eye(2)] * 3), f(np.eye(2)), rtol=1e-12)


@pytest.mark.filterwarnings("ignore:gradient or jacobian of a persistent tape inside")
def test_a_tape_that_differentiates_its_own_sweeps() -> None:
    start = np.eye(3)
    f, directions = _loss(by_eigh(np.exp), start), _directions(start, 3)
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(start)
        one = inner(tape.gradient(f(x), x), directions[0])
        two = inner(tape.gradient(one, x), directions[1])
        np.testing.assert_allclose(two, _difference(f, start, directions[:2]), rtol=1e-7)
        with pytest.warns(ng.DegenerateWarning, match="of its own sweeps"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Equal eigenvalues have different shares")
            tape.gradient(two, x)


WEIGHTS = np.arange(9.0).reshape(3, 3) ** 2


def _weighted(program: Callable) -> Callable:
    return lambda x: np.sum(WEIGHTS * program(x))


def _with_one_value(x: Any) -> Any:
    w, v = np.linalg.eigh((x + x.T) / 2)
    return np.sum(WEIGHTS * ((v * np.exp(w)) @ v.T)) + w[0]


def _of_rank_1(x: Any) -> Any:
    u, s, vh = np.linalg.svd(x)
    return np.sum(WEIGHTS * (u[:, :1] * s[:1] @ vh[:1]))


# Some of these are smooth at some of the points; some cannot be followed there; some depend on the choice of the vectors.
WILD = {
    "exp": _weighted(by_eigh(np.exp)),
    "exp by eig": _weighted(by_eig(np.exp)),
    "sin by svd": _weighted(by_svd(np.sin)),
    "sin by hermitian svd": _weighted(by_svd(np.sin, hermitian=True)),
    "polar": _weighted(lambda x: polar(x + 3 * np.eye(3))),
    "sqrt of exp": _weighted(lambda x: by_eigh(np.sqrt)(by_eigh(np.exp)(x))),
    "polar of polar": _weighted(lambda x: polar(polar(x + 3 * np.eye(3)) + x)),
    "values of exp": lambda x: np.sum(np.linalg.eigvalsh(by_eigh(np.exp)(x)) ** 2),
    "in a checkpoint": _weighted(lambda x: ng.checkpoint(by_eigh(np.exp))(x)),
    "a branch not taken": _weighted(by_eigh(lambda w: np.where(w > 0.5, np.sqrt(w), 0.0))),
    "projection": _weighted(projection(1)),
    "projection on a plane": _weighted(projection(2)),
    "one vector": lambda x: np.sum(np.linalg.eigh(x)[1][:, 0] ** 4),
    "one value": lambda x: np.exp(np.linalg.eigvalsh(x)[0]),
    "one value beside a matrix function": _with_one_value,
    "one value times a matrix function": lambda x: np.linalg.eigh(x)[0][0] * np.sum(by_eigh(np.exp)(x)),
    "low rank": _of_rank_1,
    "entropy": lambda x: -np.sum((w := np.linalg.eigvalsh(x + 3 * np.eye(3))) * np.log(w)),
}
POINTS = {
    "1 1 1": np.eye(3),
    "0 0 0": np.zeros((3, 3)),
    "1 1 2": symmetric(1, 1, 2),
    "1 2 2": symmetric(1, 2, 2),
    "0 1 1": np.diag([1.0, 1.0, 0.0]),
}


@pytest.mark.parametrize("name", WILD)
@np.errstate(all="ignore")
def test_right_or_a_warning(name: str) -> None:
    """Along symmetric directions; what differences of two steps do not agree on is not smooth."""
    f = WILD[name]
    compared = False
    for point, x in POINTS.items():
        directions = [d + d.T for d in _directions(x, 2)]
        for order in (1, 2):
            expected, again = (_difference(f, x, directions[:order], size) for size in (0.5, 0.8))
            if not abs(expected - again) <= 1e-6 * max(1, abs(expected)):
                continue
            for ways in map("".join, itertools.product("RF", repeat=order)):
                with warnings.catch_warnings(record=True) as seen:
                    warnings.simplefilter("always")
                    found = _along(f, ways, x, directions[:order])
                right = abs(found - expected) <= 1e-6 * max(1, abs(expected))
                assert right or any(w.category is ng.DegenerateWarning for w in seen), (point, ways, found, expected)
                compared = True
    assert compared
