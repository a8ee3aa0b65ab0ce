"""Does a program mean the same on traced arrays as on plain ones? Its value bit for bit, its derivatives against differences
of the plain run.

Differences are central ones with three steps of Richardson's extrapolation (an error of order eight): programs whose value
is a smooth function at the point agree to about 1e-11.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

import npgrad as ng
from npgrad._structure import flatten
from npgrad.testing import Linearised, random_like

LEVELS = 4


def plain(value: Any) -> Any:
    """The plain data of an array or number."""
    if not isinstance(value, ng.TracedArray):
        return value
    # Without a slot: made by compiled code, and not used so far.
    return value._bare if hasattr(value, "_bare") else np.ndarray.view(value, np.ndarray)


def leaves(value: Any) -> list:
    return [np.asarray(plain(leaf)) for leaf in flatten(value)[0]]


def bits(value: Any) -> tuple:
    """What makes two arrays the same to the last bit; NaN equals NaN."""
    array = np.asarray(value)
    if array.dtype.kind in "fc":
        return array.dtype, array.shape, np.ascontiguousarray(array).tolist().__repr__(), np.signbit(array.real).tolist()
    return array.dtype, array.shape, array.tolist()


def outcome(operation: Callable, array: Any) -> Any:
    """What an operation gives and leaves behind, or the type of its error."""
    try:
        with np.errstate(all="ignore"):
            result = operation(array)
    except Exception as error:
        kind = type(error)
        stands_for = kind.__bases__[0]
        return stands_for if stands_for.__name__ == kind.__name__ else kind
    kinds = (np.ndarray, np.generic, float, complex)
    parts = [bits(plain(part)) if isinstance(part, kinds) else part for part in _parts(result)]
    return parts, bits(plain(array))


def _parts(result: Any) -> list:
    if isinstance(result, (tuple, list)):
        return [part for item in result for part in _parts(item)]
    return [result]


def difference_jacobian(f: Callable[[np.ndarray], np.ndarray], x: np.ndarray, step: float = 0.02) -> np.ndarray:
    """The Jacobian of a function of a real array, of shape value.shape + x.shape."""
    columns = []
    for index in np.ndindex(x.shape):
        table = []
        for level in range(LEVELS):
            h = step / 2**level
            ends = []
            for sign in (1, -1):
                moved = x.copy()
                moved[index] += sign * h
                ends.append(np.asarray(f(moved)).copy())
            table.append((ends[0] - ends[1]) / (2 * h))
        for order in range(1, LEVELS):
            table = [(4**order * b - a) / (4**order - 1) for a, b in itertools.pairwise(table)]
        columns.append(table[0])
    return np.stack(columns, axis=-1).reshape(columns[0].shape + x.shape)


def assert_close(found: np.ndarray, wanted: np.ndarray, tolerance: float, what: str) -> None:
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape, (what, found.shape, wanted.shape)
    scale = max(1.0, float(np.max(np.abs(wanted), initial=0)))
    worst = float(np.max(np.abs(found - wanted), initial=0)) / scale
    assert worst <= tolerance, f"{what}: off by {worst:.1e}\n{found}\n{wanted}"


def check_program(program: Callable, x: np.ndarray, *, second: bool = False, tolerance: float = 1e-9) -> None:
    """Compare a program of one real array (which it may overwrite) on plain and on traced data."""
    value = np.asarray(program(x.copy()))
    wanted = difference_jacobian(program, x)
    for mode in ("reverse", "forward"):
        with ng.GradientTape() as tape:
            traced = tape.watch(x)
            y = program(traced)
        assert bits(plain(y)) == bits(value), f"values differ: {plain(y)!r} and {value!r}"
        rows = tape.jacobian(y, traced, unconnected_gradients="zero", mode=mode)
        assert_close(rows, wanted, tolerance, mode)
    check_inner_products(program, x)
    if second:
        check_second_order(program, x, value, tolerance)


def check_inner_products(program: Callable, x: np.ndarray) -> None:
    """u . (J v) of the forward sweep is (J^T u) . v of the reverse sweep, with one seed and with many."""
    rng = np.random.default_rng(x.size)
    at = ng.linearize(program, x)
    y = at.value
    if not isinstance(y, (np.ndarray, np.floating)) or not y.size:
        return
    u, v = rng.standard_normal(y.shape), rng.standard_normal(x.shape)
    pulled, pushed = at.vjp(u)[0], at.jvp((v,))
    a, b = float(np.sum(pulled * v)), float(np.sum(pushed * u))
    assert abs(a - b) <= 1e-12 * max(1.0, float(np.abs(pushed).max()) * y.size), (a, b)
    many = at.jvp((np.stack([v, 0 * v, -2 * v]),))
    assert_close(many, np.stack([pushed, 0 * pushed, -2 * pushed]), 1e-14, "many tangents")
    check_batched_adjoint(program, x, rng)
    with ng.GradientTape(persistent=True) as tape:
        traced = tape.watch(x)
        y = program(traced)
    for mode in ("forward", "reverse"):
        whole = tape.jacobian(y, traced, unconnected_gradients="zero", mode=mode)
        row_by_row = tape.jacobian(y, traced, unconnected_gradients="zero", mode=mode, max_bytes=1)
        assert_close(row_by_row, whole, 1e-14, f"row by row, {mode}")
        assert_close(whole.reshape(y.size, -1) @ v.reshape(-1), pushed.reshape(-1), 1e-12, f"{mode} and one tangent")
        assert_close(u.reshape(-1) @ whole.reshape(y.size, -1), pulled.reshape(-1), 1e-12, f"{mode} and one cotangent")


def check_batched_adjoint(program: Callable, x: np.ndarray, rng: np.random.Generator) -> None:
    """The same of sweeps with leading axes: each row of cotangents with each row of tangents."""
    linear = Linearised(program, [x])
    rows, columns = linear.random_cotangents(rng, (2,)), [random_like(rng, x, (3,))]
    pulled, pushed = linear.pull(rows, (2,))[0], linear.push(columns, (3,))
    a = np.asarray(pulled).reshape(2, -1) @ columns[0].reshape(3, -1).T
    b = sum(u.reshape(2, -1) @ np.asarray(t).reshape(3, -1).T for u, t in zip(rows, pushed, strict=True))
    size = max([1.0, float(np.max(np.abs(pulled), initial=0)) * x.size])
    assert np.max(np.abs(a - b), initial=0) <= 1e-12 * size, (a, b)


def check_second_order(program: Callable, x: np.ndarray, value: np.ndarray, tolerance: float) -> None:
    """The Jacobian of a gradient against differences of the gradient, whose first order has been checked."""
    weights = np.random.default_rng(1).standard_normal(value.shape)

    def gradient(point: Any) -> Any:
        with ng.GradientTape() as tape:
            traced = tape.watch(point)
            y = program(traced)
        return tape.gradient(y, traced, output_gradients=weights, unconnected_gradients="zero")

    wanted = difference_jacobian(gradient, x)
    for mode in ("reverse", "forward"):
        with ng.GradientTape() as outer:
            traced = outer.watch(x)
            # The program may overwrite its argument, the derivative of which is still wanted.
            g = gradient(traced.copy())
        found = outer.jacobian(g, traced, unconnected_gradients="zero", mode=mode)
        assert_close(found, wanted, tolerance, f"second order, {mode}")
