"""Every known way out of an array subclass, row by row (leak_rows.txt): followed, piecewise constant by right, refused, or
silent and listed in docs/leaks.md; and what LeakError says.

The rows run as they stand: on plain data, for the value and central differences along a fixed direction, and on a tape.
"""

# ruff: noqa: F401 (the rows use these modules)
import array
import bisect
import cmath
import collections
import copy
import ctypes
import dataclasses
import decimal
import fractions
import functools
import gc
import heapq
import io
import itertools
import json
import math
import operator
import pathlib
import pickle
import random
import statistics
import struct
import types
import warnings
from typing import Any

import numpy as np
import numpy.lib.recfunctions
import pytest

import npgrad as ng

ROWS = [
    tuple(line.split(" | ", 1))
    for line in (pathlib.Path(__file__).parent / "leak_rows.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
MODULES = {name: value for name, value in globals().items() if isinstance(value, type(np))}

POINT: dict[str, Any] = {
    "x": np.array([0.31, 0.52, 0.77]),
    "y": np.array([0.85, 0.43, 0.64]),
    "m": np.array([[2.0, 0.3, 0.1], [0.2, 3.0, 0.4], [0.3, 0.1, 4.0]]),
    "x0": np.float64(0.62),
    "y0": np.float64(0.45),
    "xc": np.array([1 + 0.5j, 2 - 0.3j, 0.4 + 1j]),
}
DIRECTION: dict[str, Any] = {
    "x": np.array([0.3, 0.5, -0.7]),
    "y": np.array([-0.4, 0.6, 0.2]),
    "m": np.array([[0.5, 0.1, 0.3], [0.2, -0.4, 0.1], [0.6, 0.2, 0.7]]),
    "x0": 0.8,
    "y0": -0.3,
    "xc": np.array([0.2 + 0.1j, 0.3j, -0.5]),
}


# Where no search finds them.
OLD = types.MappingProxyType({
    "old_exp": np.exp, "old_add": np.add, "old_kind": np.float32, "old_double": np.float64,
    "old_getitem": np.ndarray.__getitem__,
})  # fmt: skip


def constants() -> dict[str, Any]:
    """What was made before the tape."""
    return {
        "plain": np.array([1.0, 2.0, 3.0]),
        "P": np.array([[1.0, 0.5, 0.2], [0.3, 2.0, 0.6], [0.1, 0.4, 3.0]]),
        "pc": np.zeros(3, complex),
        "pf4": np.zeros(3, "f4"),
        "po": np.array([None] * 3),
        "st": np.zeros(3, [("a", float), ("b", float)]),
        "mask": np.array([True, False, True]),
        "xi": np.array([0, 2, 1]),
        "xb": np.array([True, False, True]),
        "i0": np.int64(2),
        "ls": [1.0, 2.0],
        "rng": np.random.default_rng(0),
    }


def run(code: str, point: dict[str, Any], fixed: dict[str, Any]) -> Any:
    names = {**MODULES, **OLD, **fixed, **point}
    random.seed(0)
    np.random.seed(0)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        exec(code, names)
    return names.get("r")


def shifted(step: float) -> dict[str, Any]:
    return {name: value + step * DIRECTION[name] for name, value in POINT.items()}


def numbers(value: Any) -> list:
    """The arrays and numbers in a result; text and the like are left out."""
    if isinstance(value, (ng.TracedArray, np.generic, float, complex, int)):
        return [value] if np.asarray(getattr(value, "_bare", value)).dtype.kind in "fciub" else []
    if isinstance(value, np.ma.MaskedArray):
        return [np.asarray(value.data)]
    if isinstance(value, np.ndarray):
        if value.dtype.names:
            return [np.asarray(value[name]) for name in value.dtype.names]
        return numbers(value.ravel().tolist()) if value.dtype == object else [value]
    if isinstance(value, np.poly1d):
        return [value.coeffs]
    if isinstance(value, dict):
        return numbers([*value.keys(), *value.values()])
    if isinstance(value, (array.array, ctypes.c_double, fractions.Fraction)):
        return [np.array(getattr(value, "value", value), float)]
    if isinstance(value, (list, tuple)):
        return [number for item in value for number in numbers(item)]
    return []


def flat(value: Any) -> np.ndarray:
    return np.asarray(getattr(value, "_bare", value)).astype(complex).ravel()


def verdict_of(code: str, inside: bool = False) -> str:
    """What happens to the derivative; "silent" also where it is wrong. An AssertionError where the value is wrong."""
    tape, fixed = ng.GradientTape(persistent=True), constants()
    try:
        with tape:
            fixed = constants() if inside else fixed
            point = {name: tape.watch(value) for name, value in POINT.items()}
            found = numbers(run(code, point, fixed))
    except ng.LeakError:
        return "refused"
    except ng.NoRuleError:
        return "no rule"
    except Exception as error:
        return f"raises {type(error).__name__}"
    values, above, below = (numbers(run(code, shifted(step), constants())) for step in (0.0, 1e-4, -1e-4))
    assert len(found) == len(values)
    verdicts = set()
    for made, value, high, low in zip(found, values, above, below, strict=True):
        assert np.shape(made) == np.shape(value)
        np.testing.assert_array_equal(flat(made), flat(value))
        difference = (flat(high) - flat(low)) / 2e-4
        verdicts.add(_followed(tape, point, made, difference))
    return next((v for v in ("refused by gradient", "silent", "recorded") if v in verdicts), "constant")


def _followed(tape: ng.GradientTape, point: dict[str, Any], made: Any, difference: np.ndarray) -> str:
    # Jumps of piecewise constant functions and integers from rounding have no derivative.
    moves = bool(np.any(np.abs(difference) > 1e-9))
    if not isinstance(made, ng.TracedArray):
        if not moves:
            return "constant"
        try:
            tape.gradient(point["x"].sum(), point["x"])
        except ng.LeakError:
            return "refused by gradient"
        return "silent"
    rng = np.random.default_rng(0)
    weights = rng.standard_normal(made.shape) + (1j * rng.standard_normal(made.shape) if made.dtype.kind == "c" else 0)
    try:
        gradients = tape.gradient(
            made, point, output_gradients=weights.astype(made.dtype), unconnected_gradients="zero"
        )
    except ng.LeakError:
        return "refused by gradient"
    slope = sum(np.real(np.vdot(gradients[name], direction)) for name, direction in DIRECTION.items())
    wanted = np.real(np.vdot(weights.ravel(), difference))
    tolerance = 3e-3 if made.dtype.itemsize <= 4 or made.dtype == np.complex64 else 1e-4
    if not abs(slope - wanted) <= tolerance * max(1.0, abs(wanted)):
        return "silent"
    return "recorded" if moves else "constant"


@pytest.mark.parametrize(("expected", "code"), ROWS, ids=lambda text: text[:60])
def test_row(expected: str, code: str) -> None:
    assert verdict_of(code) == expected


@pytest.mark.parametrize(("expected", "code"), ROWS, ids=lambda text: text[:60])
def test_row_with_arrays_made_inside_the_tape(expected: str, code: str) -> None:
    """Writes are followed then; what was recorded still is."""
    verdict = verdict_of(code, inside=True)
    if expected.startswith(("silent", "refused", "raises")):
        assert verdict in (expected, "recorded", "constant") or verdict.startswith(("raises", "refused"))
    else:
        assert verdict == expected


def test_silent_rows_are_documented() -> None:
    """docs/leaks.md lists each of them, with what to do instead."""
    text = (pathlib.Path(__file__).parents[1] / "docs" / "leaks.md").read_text(encoding="utf-8")
    missing = [code for verdict, code in ROWS if verdict == "silent" and f"`{code}`" not in text]
    assert not missing


# --- What LeakError says -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leak", "lost"),
    [
        (lambda x, plain: plain.__setitem__(0, x[0]), "plain float"),
        (lambda x, plain: float(x[1]), "plain float"),
        (lambda x, plain: complex(x[1]), "plain complex number"),
        (lambda x, plain: np.add(x, 1, out=plain), "plain array of shape (3,)"),
        (lambda x, plain: operator.iadd(plain, x), "plain array of shape (3,)"),
        (lambda x, plain: np.add.at(plain, [0], x[:1]), "plain array of shape (3,)"),
        (lambda x, plain: x.data, "memory of a traced array"),
        (lambda x, plain: x.view(np.int64), "viewed as int64"),
    ],
)
def test_message_names_place_loss_and_ways_out(leak: Any, lost: str) -> None:
    plain = np.zeros(3)
    with ng.GradientTape() as tape, pytest.raises(ng.LeakError) as caught:
        leak(tape.watch(np.arange(3.0)), plain)
    text = str(caught.value)
    assert text.startswith(f"{__file__}:{leak.__code__.co_firstlineno}: ")
    assert lost in text
    assert "npgrad.array" in text and "npgrad.stop_gradient" in text and 'leaks="warn"' in text


class Quantity(np.ndarray):
    """As programs have them that carry a unit along."""

    unit = ""


@pytest.mark.parametrize(
    ("leak", "cure"),
    [
        (lambda x: complex(x[0], x[1]), "For complex(a, b) write a + 1j * b."),
        (lambda x: float(x[0]), "For float(x) take x: it passes for a number."),
        (lambda x: x.view(Quantity), "view(Quantity) makes an array of a class that no tape follows. Let the class hold"),
        (lambda x: np.asarray(x).view(type=Quantity), "view(Quantity) makes an array of a class that no tape follows"),
        (lambda x: np.ones(3).view(np.ndarray) * np.ones(3).view(Quantity) * x, "meets a Quantity, whose arithmetic"),
    ],
)
def test_classes_of_the_users_own_and_numbers_are_refused_with_a_cure(leak: Any, cure: str) -> None:
    with ng.GradientTape() as tape, pytest.raises(ng.LeakError) as caught:
        leak(tape.watch(np.arange(3.0)))
    assert cure in str(caught.value)


@pytest.mark.parametrize("leak", [lambda x: {x[0]: 1}, lambda x: {x[0]}, lambda x: functools.lru_cache(lambda v: v)(x[1])])
def test_a_key_is_refused_with_a_cure_of_its_own(leak: Any) -> None:
    with ng.GradientTape() as tape, pytest.raises(ng.LeakError, match=r"used as a key.* Take functools\.lru_cache"):
        leak(tape.watch(np.arange(3.0)))


def test_warn_and_ignore_let_it_pass() -> None:
    plain = np.zeros(2)
    with ng.GradientTape(leaks="warn") as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        with pytest.warns(ng.LeakWarning, match="plain float") as warned:
            plain[0] = x[0]
        y = x * plain
    assert warned[0].filename == __file__
    np.testing.assert_array_equal(tape.gradient(y, x), [1.0, 0.0])
    with ng.GradientTape(leaks="ignore") as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        y = x * float(x[1])
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 2.0])
    with pytest.raises(ng.LeakError):
        ng.grad(lambda x: x[0] * float(x[0]))(np.array([2.0]))
    assert ng.grad(lambda x: x[0] * float(x[0]), leaks="ignore")(np.array([2.0])) == 2.0


def test_strictest_tape_decides() -> None:
    with ng.GradientTape(leaks="ignore") as outer, ng.GradientTape() as inner:
        x = inner.watch(outer.watch(np.array([1.0, 2.0])))
        with pytest.raises(ng.LeakError):
            float(x[0])


@pytest.mark.parametrize("swallow", [lambda x, plain: OLD["old_double"](x[0]), lambda x, plain: plain.dot(x)])
def test_swallowed_leak_is_raised_by_gradient(swallow: Any) -> None:
    plain = np.ones(1)
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([3.0]))
        y = x * swallow(x, plain)
    with pytest.raises(ng.LeakError, match=r"swallowed while recording: .*test_leaks.py"):
        tape.gradient(y, x)


def test_caught_leak_is_still_raised_by_gradient() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([3.0]))
        try:
            factor = float(x[0])
        except RuntimeError:
            factor = 3.0
        y = x * factor
    with pytest.raises(ng.LeakError):
        tape.gradient(y, x)


def test_array_of_compiled_code_is_refused_when_used() -> None:
    plain = np.eye(2)
    with ng.GradientTape() as tape:
        x = tape.watch(np.ones((2, 2)))
        lost = plain.dot(x)
        with pytest.raises(ng.LeakError, match="made by compiled code"):
            lost + 1


def test_no_leak_outside_a_tape_or_without_tracking() -> None:
    x = ng.array([1.5, 2.5])
    assert float(x[0]) == 1.5 and x.tolist() == [1.5, 2.5] and x[1].item() == 2.5
    with ng.GradientTape():
        y = np.array([1.5, 2.5]) * 2
        assert float(y[0]) == 3.0 and hash(y[0]) == hash(3.0) and bytes(y) == np.array([3.0, 5.0]).tobytes()


@pytest.mark.parametrize("operation", [operator.add, operator.matmul, operator.truediv], ids=lambda f: f.__name__)
def test_lists_of_traced_numbers_beside_a_plain_array_are_refused(operation: Any) -> None:
    plain = np.ones(2)
    with ng.GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        with pytest.raises(ng.LeakError, match="plain float"):
            operation(plain, [x[0], x[1]])
        with pytest.raises(ng.LeakError, match="plain float"):
            plain + [x[0], x[1]]  # an operator in this code, as in '%f' % x
        assert "%.1f and %.1f" % (x[0], x[1]) == "1.0 and 2.0"  # noqa: UP031


def test_what_compiled_code_makes_outside_of_all_tapes_is_used_as_it_is():
    gc.collect()  # of other tests
    plain, constant = np.ones((2, 2)), ng.array(np.eye(2))
    made = plain.dot(constant)
    np.testing.assert_array_equal(made + 1, np.full((2, 2), 2.0))
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(np.eye(2))
        lost = plain.dot(x)
    with pytest.raises(ng.LeakError, match="made by compiled code"):
        lost + 1


def test_what_compiled_code_has_made_goes_everywhere() -> None:
    """Outside of tapes it is an array like others; its memory is written where it is given as ``out``, once."""
    gc.collect()

    def made(*numbers: float) -> Any:
        return np.ndarray.copy(ng.array(numbers))

    out = made(0.0, 0.0)
    assert np.add(made(1.0, 2.0), [3.0, 4.0], out=out) is out and out.tolist() == [4.0, 6.0]
    assert np.cumsum(made(1.0, 2.0), out=out).tolist() == [1.0, 3.0]
    np.add.at(out, [0, 0], made(1.0, 1.0))
    assert out.tolist() == [3.0, 3.0]
    assert ng.stop_gradient(made(1.0)).tolist() == ng.array(made(1.0)).tolist() == [1.0]
    np.testing.assert_array_equal(ng.grad(lambda x, c: (c * x**2).sum())(made(1.0, 2.0), made(1.0, 3.0)), [2.0, 12.0])
    with ng.GradientTape() as tape:
        x = tape.watch(np.ones(2))
        for use in (np.copy, np.sum, math.sqrt, ng.stop_gradient, tape.watch, lambda lost: [*lost], lambda lost: x + lost):
            with pytest.raises(ng.LeakError, match="made by compiled code"):
                use(_COPIED(x))
    with pytest.raises(ng.LeakError, match="made by compiled code"):
        tape.gradient(_COPIED(x), x)


_COPIED = np.ndarray.copy  # past every hook
BORN: dict[str, Any] = {
    "jvp": lambda x: ng.jvp(_COPIED, (x,), (x,)),
    "vjp": lambda x: ng.vjp(_COPIED, x),
    "linearize": lambda x: ng.linearize(_COPIED, x),
    "grad": lambda x: ng.grad(lambda x: _COPIED(np.array(x.sum())))(x),
    "hessian": lambda x: ng.hessian(lambda x: _COPIED(np.array(x.sum())))(x),
    "jacobian": lambda x: ng.jacobian(lambda x: {"a": [_COPIED(x)]})(x),
    "auxiliary data": lambda x: ng.grad(lambda x: (x.sum(), _COPIED(x)), has_aux=True)(x),
    "sparse_jacobian": lambda x: ng.sparse_jacobian(_COPIED)(x),
    "check_leaks": lambda x: ng.check_leaks(_COPIED, x),
    "custom_gradient": lambda x: ng.jacobian(lambda x: ng.custom_gradient(lambda u: (u, lambda ct: ct))(_COPIED(x)))(x),
    "black_box": lambda x: ng.jacobian(lambda x: ng.black_box(lambda u: u)(_COPIED(x)))(x),
    "checkpoint": lambda x: ng.jacobian(lambda x: ng.checkpoint(lambda u: u)(_COPIED(x)))(x),
    "implicit": lambda x: ng.jacobian(lambda x: ng.implicit(np.sqrt, lambda z, p: z * z - p)(_COPIED(x)))(x),
}


@pytest.mark.parametrize("name", BORN)
def test_what_compiled_code_has_made_is_refused_by_every_function(name: str) -> None:
    with pytest.raises(ng.LeakError, match=r"test_leaks.py:\d+: this array was made by compiled code"):
        BORN[name](np.array([1.0, 2.0]))


def test_what_compiled_code_has_made_is_not_explained() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(np.ones(2))
        lost = _COPIED(x)
    for pair in ((lost, x), (x, lost)):
        with pytest.raises(ng.LeakError, match="made by compiled code"):
            tape.explain(*pair)


def _triangular(low: Any, high: Any, mode: Any) -> Any:
    u, c = random.random(), (mode - low) / (high - low)
    return low + (high - low) * math.sqrt(u * c) if u <= c else high - (high - low) * math.sqrt((1 - u) * (1 - c))


# The name that the message has, a program, and what it is told to write.
OF_PYTHON: list[tuple[str, Any, Any]] = [
    ("statistics.mean", statistics.mean, np.mean),
    ("statistics.fmean", statistics.fmean, np.mean),
    ("statistics.stdev", statistics.stdev, lambda x: np.std(x, ddof=1)),
    ("statistics.NormalDist", lambda x: statistics.NormalDist(x[0], x[1]).pdf(0.3),
     lambda x: np.exp(-0.5 * ((0.3 - x[0]) / x[1]) ** 2) / (x[1] * np.sqrt(2 * np.pi))),
    ("statistics.NormalDist.cdf", lambda x: statistics.NormalDist(1.0, 2.0).cdf(x[0]),
     lambda x: 0.5 * math.erfc((1.0 - x[0]) / 2.0 / math.sqrt(2.0))),
    ("fractions.Fraction.__new__", lambda x: fractions.Fraction(x[0]), lambda x: fractions.Fraction(ng.stop_gradient(x[0]))),
    ("random.lognormvariate", lambda x: random.lognormvariate(x[0], x[1]),
     lambda x: math.exp(random.normalvariate(x[0], x[1]))),
    ("random.triangular", lambda x: random.triangular(x[0], 3.0, x[1]), lambda x: _triangular(x[0], 3.0, x[1])),
    ("random.betavariate", lambda x: random.betavariate(x[0], 1.0),
     lambda x: random.betavariate(ng.stop_gradient(x[0]), 1.0)),
    ("random.choices", lambda x: random.choices([1.0, 2.0], x)[0],
     lambda x: random.choices([1.0, 2.0], weights=ng.stop_gradient(x))[0]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "leak", "cured"), OF_PYTHON, ids=[row[0] for row in OF_PYTHON])
def test_pythons_functions_are_named_with_the_users_line_and_the_cure_works(name: str, leak: Any, cured: Any) -> None:
    point = np.array([0.4, 1.5])
    with pytest.raises(ng.LeakError, match=rf"test_leaks.py:\d+: {name} asks for a plain number, and a traced value is"):
        ng.grad(lambda x: leak(x) * x.sum())(point)

    def f(x: Any) -> Any:
        random.seed(3)
        return cured(x) * x.sum()

    cured_value = f(point)
    random.seed(3)
    np.testing.assert_allclose(cured_value, leak(point) * point.sum(), rtol=1e-12)
    assert np.all(ng.grad(f)(point) != 0.0)
