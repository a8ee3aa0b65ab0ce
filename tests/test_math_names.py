"""Every public name of math and cmath: followed, piecewise constant, or refused."""

from __future__ import annotations

import cmath
import math
from builtins import type
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import npgrad as ng
from npgrad._run import plain
from npgrad._traced import unwrap
from npgrad.testing import check_gradients

# name -> arguments of sample calls; lists stand for the functions of a sequence.
_MATH_FOLLOWED: dict[str, list[tuple]] = {
    "acos": [(0.3,)],
    "acosh": [(1.7,)],
    "asin": [(0.3,), (-0.8,)],
    "asinh": [(0.3,)],
    "atan": [(0.3,)],
    "atan2": [(0.3, -0.4)],
    "atanh": [(0.3,)],
    "cbrt": [(0.3,), (-2.0,)],
    "copysign": [(0.3, -1.0), (-0.3, -1.0)],
    "cos": [(0.3,)],
    "cosh": [(0.3,)],
    "degrees": [(0.3,)],
    "dist": [([0.3, 0.4], [1.0, 2.0]), ([0.3], [1.0]), ([0.3, 0.4, -0.2], [1.0, 2.0, 0.1])],
    "erf": [(0.3,), (-1.2,)],
    "erfc": [(0.3,), (2.0,)],
    "exp": [(0.3,)],
    "exp2": [(0.3,)],
    "expm1": [(0.3,)],
    "fabs": [(0.3,), (-0.3,)],
    "fma": [(0.3, 0.4, 0.5)],
    "fmod": [(7.3, 2.1), (-7.3, 2.1)],
    "frexp": [(7.3,), (-0.01,)],
    "fsum": [([0.3, 1e17, 0.4, -1e17],), ([0.1] * 10,)],
    "gamma": [(0.3,), (4.2,), (-1.4,), (25.0,)],
    "hypot": [(0.3, 0.4), (0.3,), (0.3, 0.4, 0.5)],
    "ldexp": [(0.3, 4), (0.3, -3)],
    "lgamma": [(0.3,), (4.2,), (-1.4,), (1e4,)],
    "log": [(0.3,), (0.3, 2.0), (5.0, 10.0)],
    "log10": [(0.3,)],
    "log1p": [(0.3,)],
    "log2": [(0.3,)],
    "modf": [(2.3,), (-2.3,)],
    "nextafter": [(0.3, 1.0), (0.3, -1.0)],
    "pow": [(0.3, 1.7), (2.0, -0.4)],
    "prod": [([0.3, 0.4, 1.5],), ([0.3, 0.0, 1.5],)],
    "radians": [(0.3,)],
    "remainder": [(7.3, 2.1), (6.4, 2.1), (-7.3, 2.1)],
    "sin": [(0.3,)],
    "sinh": [(0.3,)],
    "sqrt": [(0.3,)],
    "sumprod": [([0.3, 0.4], [1.0, 2.0]), ([0.1] * 10, [0.3] * 10)],
    "tan": [(0.3,)],
    "tanh": [(0.3,)],
}
_MATH_PIECEWISE: dict[str, tuple] = {
    "ceil": (0.3,), "floor": (0.3,), "trunc": (-2.3,), "isclose": (0.3, 0.4), "isfinite": (0.3,), "isinf": (0.3,),
    "isnan": (0.3,), "ulp": (0.3,),
}  # fmt: skip
_MATH_OF_INTEGERS: dict[str, tuple] = {
    "comb": (5.0, 2.0), "factorial": (5.0,), "gcd": (6.0, 4.0), "isqrt": (9.0,), "lcm": (6.0, 4.0), "perm": (5.0, 2.0),
}  # fmt: skip

_CMATH_FOLLOWED: dict[str, list[tuple]] = {
    **{name: [(0.3 + 0.4j,), (-1.2 - 0.7j,)] for name in (
        "acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "log10", "sin", "sinh", "sqrt", "tan",
        "tanh", "phase", "polar",
    )},
    "log": [(0.3 + 0.4j,), (0.3 + 0.4j, 2.0 - 0.3j)],
    "rect": [(1.3, 0.4)],
}  # fmt: skip
# Real arguments where the result is complex, or would be.
_CMATH_REAL: dict[str, float] = {
    "acos": 1.7, "acosh": 0.3, "asin": -1.7, "atanh": 1.7, "exp": 0.3, "log": -0.3, "log10": -2.0, "sqrt": -2.0,
    "phase": 0.7, "sin": 0.3, "tan": 0.3, "polar": -0.4,
}  # fmt: skip
_CMATH_PIECEWISE: dict[str, tuple] = {
    "isclose": (0.3j, 0.4), "isfinite": (0.3j,), "isinf": (0.3j,), "isnan": (0.3j,),
}  # fmt: skip


def _public(module: ModuleType) -> set[str]:
    return {name for name, value in vars(module).items() if not name.startswith("_") and callable(value)}


def test_every_name_is_accounted_for() -> None:
    assert _public(math) <= set(_MATH_FOLLOWED) | set(_MATH_PIECEWISE) | set(_MATH_OF_INTEGERS)
    assert _public(cmath) == set(_CMATH_FOLLOWED) | set(_CMATH_PIECEWISE)
    assert not set(_MATH_FOLLOWED) & (set(_MATH_PIECEWISE) | set(_MATH_OF_INTEGERS))


def _samples(module: ModuleType, table: dict[str, list[tuple]]) -> list:
    return [
        pytest.param(module, name, args, id=f"{module.__name__}.{name}{args}")
        for name, calls in table.items()
        for args in calls
        if hasattr(module, name)
    ]


_FOLLOWED = _samples(math, _MATH_FOLLOWED) + _samples(cmath, _CMATH_FOLLOWED)
_FOLLOWED += _samples(cmath, {name: [(x,)] for name, x in _CMATH_REAL.items()})


def _numbers(args: tuple) -> list[Any]:
    """The inexact numbers among nested arguments, in order."""
    flat = [n for a in args for n in (a if isinstance(a, list) else [a])]
    return [n for n in flat if not isinstance(n, int)]


def _called(module: ModuleType, name: str, args: tuple) -> Callable:
    """The function of its inexact numbers, looked up at each call: that is what names in place reach."""

    def call(*numbers: Any) -> Any:
        rest = list(numbers)
        given = [
            [rest.pop(0) for _ in a] if isinstance(a, list) else a if isinstance(a, int) else rest.pop(0) for a in args
        ]
        return getattr(module, name)(*given)

    return call


def _as_list(value: Any) -> list:
    return list(value) if isinstance(value, (tuple, list)) else [value]


def _itself(number: complex) -> Any:
    return number


def _double(number: complex) -> Any:
    return np.array(number)[()]


def _single(number: complex) -> Any:
    return np.array(number, np.result_type(number, np.float32))[()]


@pytest.mark.parametrize("kind", [_itself, _double, _single], ids=["python", "double", "single"])
@pytest.mark.parametrize(("module", "name", "args"), _FOLLOWED)
def test_value_and_its_type_are_pythons(module: ModuleType, name: str, args: tuple, kind: Callable) -> None:
    call = _called(module, name, args)
    numbers = [kind(n) for n in _numbers(args)]
    expected = call(*numbers)
    with ng.GradientTape() as tape:
        found = call(*[tape.watch(n) for n in numbers])
    for f, e in zip(_as_list(found), _as_list(expected), strict=True):
        assert unwrap(f) == e
        assert type(plain(f)) is type(e)
        assert np.signbit(np.real(unwrap(f))) == np.signbit(np.real(e))


@pytest.mark.parametrize(("module", "name", "args"), _FOLLOWED)
def test_derivative_agrees_with_differences(module: ModuleType, name: str, args: tuple) -> None:
    if name == "fsum" and 1e17 in args[0]:
        args = ([0.3, 10.0, 0.4, -10.0],)  # differences cannot see beside 1e17

    def call(*numbers: Any) -> Any:
        result = _called(module, name, args)(*numbers)
        return [np.asarray(r) if type(r) in (float, complex) else r for r in _as_list(result)]

    check_gradients(call, *[np.array(n)[()] for n in _numbers(args)])


@pytest.mark.parametrize(("module", "name", "args"), [s for s in _FOLLOWED if len(_numbers(s.values[2])) > 1])
def test_each_argument_alone(module: ModuleType, name: str, args: tuple) -> None:
    numbers = _numbers(args)
    if 1e17 in numbers:
        numbers = [n / 1e16 for n in numbers]
    call = _called(module, name, args)
    points = [np.array(n)[()] for n in numbers]
    together = ng.grad(lambda *xs: np.real(call(*xs)), argnums=tuple(range(len(points))))(*points)
    for position, expected in enumerate(together):

        def alone(x: Any, position: int = position) -> Any:
            return np.real(call(*[x if i == position else n for i, n in enumerate(numbers)]))

        assert ng.grad(alone)(points[position]) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("module", "name", "args"),
    [
        pytest.param(module, name, args, id=f"{module.__name__}.{name}")
        for module, table in ((math, _MATH_PIECEWISE), (cmath, _CMATH_PIECEWISE))
        for name, args in table.items()
        if hasattr(module, name)
    ],
)
def test_piecewise_constant(module: ModuleType, name: str, args: tuple) -> None:
    expected = getattr(module, name)(*args)
    with ng.GradientTape() as tape:
        found = getattr(module, name)(*[tape.watch(np.array(n)[()]) for n in args])
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("name", _MATH_OF_INTEGERS)
def test_functions_of_integers_refuse_a_floating_number(name: str) -> None:
    args = _MATH_OF_INTEGERS[name]
    with pytest.raises(TypeError):
        getattr(math, name)(*args)
    with ng.GradientTape() as tape, pytest.raises(TypeError):
        getattr(math, name)(*[tape.watch(np.float64(n)) for n in args])


def test_keywords() -> None:
    assert ng.grad(lambda x: math.prod([x, 2.0], start=x))(3.0) == pytest.approx(12.0)
    assert ng.grad(lambda x: math.prod([2.0, 3.0], start=x))(3.0) == pytest.approx(6.0)
    assert ng.grad(lambda x: x if math.isclose(x, 3.0, rel_tol=x) else 0 * x)(3.0) == 1.0


def test_derivatives_at_special_points() -> None:
    assert ng.grad(lambda x: math.hypot(x, 0.0))(0.0) == 0.0
    assert ng.grad(lambda x: math.gamma(x))(1.0) == pytest.approx(-0.57721566490153286, rel=1e-14)  # -Euler's constant
    # Abramowitz and Stegun, table 6.1: psi(2) and psi(1.5); trigamma(1) is pi^2 / 6.
    assert ng.grad(lambda x: math.lgamma(x))(2.0) == pytest.approx(0.4227843351, abs=1e-10)
    assert ng.grad(lambda x: math.lgamma(x))(1.5) == pytest.approx(0.0364899740, abs=1e-10)
    assert ng.grad(ng.grad(lambda x: math.lgamma(x)))(1.0) == pytest.approx(math.pi**2 / 6, rel=1e-13)


@pytest.mark.parametrize("name", ["fsum", "prod"])
def test_a_generator_is_followed_or_refused(name: str) -> None:
    def program(x: Any) -> Any:
        return getattr(math, name)(v * x for v in (2.0, 3.0))

    try:
        slope = ng.grad(program)(1.5)
    except ng.LeakError:
        return
    assert slope == pytest.approx({"fsum": 5.0, "prod": 18.0}[name])


def test_names_bound_before_are_replaced_by_the_functional_api() -> None:
    assert ng.grad(_program)(0.3) == pytest.approx(2 / math.sqrt(math.pi) * math.exp(-0.09))


erf = math.erf


def _program(x: Any) -> Any:
    return erf(x)


def test_what_arrays_without_axes_have_not_raises_as_without_a_tape() -> None:
    point = np.array(1.5)
    with pytest.raises(TypeError):
        math.trunc(point)
    with ng.GradientTape() as tape, pytest.raises(TypeError):
        math.trunc(tape.watch(point))


ITERABLES: dict[str, Callable] = {
    "generator": lambda x: (t * t for t in x),
    "map": lambda x: map(math.sin, x),
    "reversed": lambda x: reversed(list(x)),
    "values": lambda x: dict(enumerate(x)).values(),
    "flat": lambda x: x.reshape(1, -1).flat,
    "zip": lambda x: (a * b for a, b in zip(x, x[::-1], strict=True)),
}


@pytest.mark.parametrize("kind", ITERABLES)
def test_iterables_of_traced_numbers(kind: str) -> None:
    made = ITERABLES[kind]
    point = np.array([0.4, 1.3, 2.1])
    check_gradients(lambda x: math.fsum(made(x)) * math.prod(made(x), start=2.0), point)
    check_gradients(lambda x: math.dist(made(x), (t * t * t for t in x)), point)
    if hasattr(math, "sumprod"):
        check_gradients(lambda x: math.sumprod(made(x), iter(x)), point)


def test_iterators_are_read_once_and_errors_are_pythons() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        numbers = iter([x[0], x[1], 3.0])
        total = math.fsum(numbers)
        assert total == 6.0 and next(numbers, None) is None
        for wrong in (5.0, "ab", iter(["a"]), None):
            with pytest.raises(TypeError):
                math.fsum(wrong)
        with pytest.raises(ZeroDivisionError):
            math.fsum(1 / n for n in (1, 0))
    assert tape.gradient(total, x).tolist() == [1.0, 1.0]
