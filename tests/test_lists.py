"""Lists of traced numbers and arrays where NumPy's functions take arrays: followed, or refused; no function loses them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from comparisons import assert_same_bits
from fuzz.calls import everything, path_of

import npgrad as ng
from npgrad._registry import ZERO
from npgrad.testing import check_gradients, inexact_leaves

X, V = np.array([0.3, 0.5, 0.7]), np.array([0.2, -0.5, 0.9])
FUNCTIONS = tuple(f for f in everything() if not path_of(f).startswith("special."))  # type: ignore[union-attr]

FORMS: dict[str, Callable] = {
    "elements": lambda f, x: f([x[0], x[1], x[2]]),
    "arrays": lambda f, x: f([x, x * x]),
    "elements and an array": lambda f, x: f([x[0], x[1], x[2]], np.array([1.0, 2.0, 3.0])),
    "an array and elements": lambda f, x: f(np.array([1.0, 2.0, 3.0]), [x[0], x[1], x[2]]),
    "elements and a number": lambda f, x: f([x[0], x[1], x[2]], 2),
    "a matrix": lambda f, x: f([[x[0], x[1]], [x[1], 3 * x[2]]]),
    "a matrix and elements": lambda f, x: f([[x[0], x[1]], [x[1], 3 * x[2]]], [x[0], x[1]]),
    "arrays, into a destination": lambda f, x: f([x, x * x], out=np.zeros_like(np.asarray(f([X, X * X])))),
    "elements, into a destination": lambda f, x: f([x[0], x[1], x[2]], out=np.zeros_like(np.asarray(f([*X])))),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: path_of(f))
def test_lists_are_followed_or_refused(function: Any, form: str) -> None:
    def program(x: Any) -> list:
        made = FORMS[form](function, x)
        return [v for v in (made if isinstance(made, (list, tuple)) else [made]) if _is_floating(v)]

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            sides = [program(X + step * V) for step in (1e-6, -1e-6)]
            value = program(X)
        except Exception:
            return  # NumPy takes no such arguments
        try:
            found, tangents = ng.jvp(program, (X,), (V,))
        except (ng.LeakError, ng.NoRuleError):
            return
    for made, plain in zip(found, value, strict=True):
        np.testing.assert_array_equal(made, plain)
    for tangent, high, low in zip(tangents, *sides, strict=True):
        with np.errstate(all="ignore"):
            slope = (np.asarray(high) - low) / 2e-6
        smooth = np.isfinite(slope) & (np.abs(slope) < 1e4) & np.isfinite(tangent)
        np.testing.assert_allclose(np.asarray(tangent)[smooth], slope[smooth], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f in ZERO and not isinstance(f, np.ufunc)], ids=path_of)
def test_what_has_no_derivative_sees_the_values_in_a_list(function: Any) -> None:
    calls: list[Callable] = [lambda x: (x,), lambda x: (x, x), lambda x: (x, 1)]
    for arguments in calls:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                expected = function(*arguments([*X]))
            except Exception:
                continue  # NumPy takes no such arguments
            with ng.GradientTape() as tape:
                x = tape.watch(X)
                found = getattr(*_place(function))(*arguments([x[0], x[1], x[2]]))
        assert_same_bits(found, expected)


def _place(function: Any) -> tuple[Any, str]:
    """Where a user finds it, and a tape what stands for it."""
    module, _, name = path_of(function).rpartition(".")
    return eval(module), name


@pytest.mark.parametrize(
    "program",
    [
        lambda x: np.einsum("i,i", [x[0], x[1]], [1.0, 2.0]),
        lambda x: np.einsum("i,i,i", [1.0, 2.0], [x[0], x[1]], [3.0, x[2]]),
        lambda x: np.einsum("ij,j", [[x[0], x[1]], [1.0, 1.0]], [x[0], x[2]], optimize=True),
        lambda x: np.einsum([x[0], x[1]], [0], [x[1], x[2]], [1], [1, 0]),
        lambda x: np.linalg.solve(a=[[x[0], 1.0], [0.0, x[1]]], b=[1.0, x[2]]),
        lambda x: np.bincount([0, 1, 1], weights=[x[0], x[1], x[2]]),
        lambda x: np.quantile(x, 0.4, weights=[1.0, x[1], x[2]], method="inverted_cdf"),
    ],
)
def test_lists_as_operands_and_by_name_are_followed(program: Callable) -> None:
    check_gradients(program, X)


def _is_floating(value: Any) -> bool:
    return bool(inexact_leaves([value])) if isinstance(value, (np.ndarray, np.generic, float, complex)) else False


# --- Arrays of objects beside traced arrays --------------------------------------------------------------------------------


def _objects(x: Any) -> Any:
    return np.array([x[0], x[1] * x[2], 1.5], dtype=object)


BESIDE_OBJECTS: dict[str, Callable[[Any, Any], Any]] = {
    "dot": np.dot, "dot the other way": lambda o, x: np.dot(x, o), "matmul": lambda o, x: o @ x, "inner": np.inner,
    "vdot": np.vdot, "outer": lambda o, x: np.outer(o, x).sum(), "kron": lambda o, x: np.kron(o, x).sum(),
    "where": lambda o, x: np.where([True, False, True], o, x).sum(), "stack": lambda o, x: np.stack([o, x]).prod(),
    "concatenate": lambda o, x: np.concatenate([o, x]).prod(), "append": lambda o, x: np.append(o, x).prod(),
    "convolve": lambda o, x: np.convolve(o, x).sum(),
    "einsum": lambda o, x: np.einsum("i,i", o, x), "tensordot": lambda o, x: np.tensordot(np.atleast_2d(o), x, 1)[0],
    "choose": lambda o, x: np.choose([0, 1, 0], [o, x]).sum(), "average": lambda o, x: np.average(o, weights=x),
    "multiply": lambda o, x: np.multiply(x, o, dtype=object).sum(), "correlate": lambda o, x: np.correlate(o, x)[0],
    "polyval": lambda o, x: np.polyval(o, x).sum(), "full_like": lambda o, x: np.full_like(o, x[2])[0] * 1.0,
    "select": lambda o, x: np.select([np.array([True, False, True])], [o], x).sum(),
}  # fmt: skip


# NumPy 2.2 takes objects apart in buffers on the way, and raises.
if np.lib.NumpyVersion(np.__version__) >= "2.3.0":
    BESIDE_OBJECTS["cross"] = lambda o, x: np.cross(o, x).sum()


@pytest.mark.parametrize("name", BESIDE_OBJECTS)
def test_arrays_of_objects_beside_traced_arrays(name: str) -> None:
    def program(x: Any) -> Any:
        return BESIDE_OBJECTS[name](_objects(x), x)

    point, v, step = np.array([0.3, 0.5, 0.9]), np.array([1.0, -2.0, 0.5]), 1e-6
    slope = (program(point + step * v) - program(point - step * v)) / (2 * step)
    value, tangent = ng.jvp(program, (point,), (v,))
    np.testing.assert_allclose([float(value), float(tangent)], [program(point), slope], rtol=1e-6)
