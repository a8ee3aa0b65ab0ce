"""Ways into NumPy that few programs take, each as a program: values are NumPy's, derivatives those of differences."""

from __future__ import annotations

import fractions
import math
import warnings
from builtins import type
from typing import Any

import numpy as np
import pytest
from comparisons import assert_same_bits

import npgrad as ng
from npgrad._traced import unwrap
from npgrad.testing import check_gradients

PLAIN = np.zeros(4)  # from before the tape
X = np.array([0.4, 0.7, 1.2, 1.9])

PROGRAMS = """
    it = x.flat; r = np.array([it.copy()[1], np.array(it)[2], it.base[0], len(it) * x[0]])
    m = np.outer(x, x); it = m.flat; v = [next(it) for i in range(6)]; r = m[it.coords] * it.index + v[5]
    m = np.zeros((2, 3)); m.flat[1:5] = x.reshape(2, 2); r = m * m
    m = x * 1; m.flat[[]] = []; r = m * m
    m = x.reshape(2, 2) * 1; m.flat[[0, 3]] = x; r = m * m
    r = np.array([[x[0], x[1]], [x[2], 1.0]], order="F") ** 2
    r = np.require(x.reshape(2, 2), requirements="F") * x[0]
    r = np.require(x.reshape(2, 2), np.float64) * x[0]
    r = np.require([1.0, 2.0], requirements="W") * x[:2]
    r = np.kaiser(4, 2.0) * x
    r = sum([float(a) for a in np.nditer(np.arange(3.0))]) * x
    r = len(list(np.nested_iters(np.ones((2, 3)), [[0], [1]]))) * x
    r = sum([i[0] * v for i, v in np.ndenumerate(np.arange(3.0))]) * x
    r = np.diff(x, n=0) * x
    r = np.add(x, x, where=[True, False, True, True], out=np.ones(4)) * x
    f = np.zeros(4); e = np.zeros(4, np.intc); np.frexp(x, out=(f, e)); r = f * x
    r = x[None, ...].to_device("cpu") * x
    y = x * 1; y.fill(x[1]); r = y * x
    y = x[0]; y.fill(3.0); r = y * x
    r = x[2].sum(out=np.array(0.0)) * x
    r = x[1].squeeze() * x
    r = x[1].reshape(1, 1).T * x
    r = x[1].astype(np.float64, copy=False) * x
    r = x.copy(order="A") * x.reshape(2, 2).T.copy(order="A").ravel()
    y = x[::-1] * 1; y.sort(); r = y * x
    y = np.array([2.0, 1.0]); y.sort(); r = y[0] * x
    r = x[(np.bool_(True),)] * x
    r = np.array(5.0)[None] * x[1][None]
    r = x[np.int64(2)] * x[np.array(1)] * x
    r = x[(slice(None),)][(Ellipsis, np.array(1))] * x
    m = np.zeros(4); m[(np.array([True, False, True, False]),)] = x[:2]; r = m * x
    r = x + np.array([1, 2, 3, 4], dtype=object).astype(float)
    r = (x // 0.37) * x
    y = x[0]; y //= 0.3; r = y * x
    r = np.vectorize(lambda a, b: a * b, excluded={1})(x, 2.0)
    r = np.vectorize(lambda a: a * a, otypes=[float])(x)
    r = np.vectorize(lambda a: (a * a, a + 1))(x)[0]
    r = np.multiply.reduce(x.reshape(2, 2), axis=(0, 1)) * x
    r = np.logaddexp.reduce(x.reshape(2, 2), axis=0, where=np.array([[True, False], [True, True]]), initial=0.1)
    r = np.logaddexp.accumulate(x) * x
    r = np.hypot.reduce(x.reshape(2, 2), axis=1, out=np.zeros(2)) * x[:2]
    r = np.arctan2.outer(x, x)
    r = np.hypot.reduceat(x, [0, 2])
    y = x * 1; np.multiply.at(y, [0, 0, 2], 2.0); r = y * x
    y = np.ones(3); np.add.at(y, [0, 1], 2.0); r = y[0] * x
    r = np.exp(np.logaddexp.reduce(x[:0])) * x
    r = sum([v for i, v in np.ndenumerate(plain)]) + x
    r = np.array([v for v in iter(x.flat)]) * x
    r = (np.array(2.0) * 1)[()] * x[1][()] * x
    y = np.ones((2, 2)); y.setflags(write=False); r = y.ravel() * x
    r = np.poly1d([x[0], x[1]])(x)
    r = np.poly1d(np.array([2.0, 1.0]))(x)
    r = np.stack([x, x]).transpose(1, 0)[:, 0].view() * x
    m = np.outer(x, x); m[:, 1:] = m[:, :-1]; r = m
    m = np.outer(x, x); m.T[1:] += m.T[:-1]; r = m
    m = np.outer(x, x); r = np.moveaxis(m[None], 0, -1)[..., 0][m > 0.5]
    r = np.copyto(np.zeros(4), 3.0) or x * 1
    y = np.zeros((2, 4)); np.copyto(y, x, where=np.array([[True], [False]])); r = y * x
    y = np.zeros(4); np.put(y, [0, 5], x, mode="wrap"); r = y * x
    y = x * 1; np.putmask(y, y > 1, x[:2]); r = y * x
    y = np.zeros(4); np.place(y, np.array([True, False, True, True]), x[:2]); r = y * x
    r = np.array([v for v in x.flat]) * x
    r = np.concatenate([x, x], out=np.zeros(8)) ** 2
    r = x.clip(0.5, x[3] - 0.1) * x
    r = np.sum([x, x * x], axis=0)
    r = np.asarray([x[0], 2]) * x[:2]
    r = np.linalg.det(np.outer(np.append(x, x[0]), np.append(x, x[1]))) + x
    r = np.linalg.det(np.zeros((4, 4)) * x) + x
    y = x * 1; np.put(y, [], []); r = y * x
    y = x * 1; np.put(y, [0, 9], x[2:], mode="clip"); r = y * x
    y = x * 1; np.putmask(y, y > 9, x[:2]); r = y * x
    y = x * 1; np.place(y, y > 9, []); r = y * x
    y = x * 1; np.place(y, [True, True, True, False], y[1:]); r = y * x
    r = np.quantile(np.ones((0, 2)) * x[0], 0.5, axis=1).sum() + x
    r = np.linspace(x[0], x[1], 3, retstep=True)[1] * x
    r = (math.ceil(x[0]) + math.floor(x[1]) + math.trunc(x[2]) + x[3].is_integer() + len(x[0].hex()[:2])) * x
    np.copyto(plain, np.ones(4)); r = plain * x
    np.sum(np.ones((4, 2)), axis=1, out=plain); r = plain * x
    np.add.at(plain, [0, 1], np.ones(2)); r = plain * x
    np.logaddexp.reduce(np.ones((4, 2)), axis=1, out=plain); r = plain * x
    np.hypot.accumulate(np.ones(4), out=plain); r = plain * x
    np.matmul(np.ones((4, 2)), np.ones(2), out=plain); r = plain * x
    r = (x + np.array([1, 2.0, 3, 4], dtype=object))[1] * x
    r = np.array([1, 2], dtype=object).astype(float)[:, None] * x
    r = np.diff(x.reshape(2, 2), n=0, axis=0) * 2
    r = np.trim_zeros(x) * x
    r = np.block([[x[:2], x[2:]], [x]]) ** 2
    r = np.real_if_close(x + 0j) * x
    r = np.nan_to_num(x, copy=False) * x
    r = np.broadcast_to(x, (2, 4)).copy(order="F") * x
    r = np.lib.stride_tricks.sliding_window_view(x, 2)[::2] ** 2
    r = np.unwrap(4 * x) * x
    r = np.select([x > 1, x > 0.5], [x * 2, x * 3], 0.0) * x
    r = np.piecewise(x, [x > 1], [lambda v: v * v, 2.0]) * x
    r = np.apply_along_axis(lambda v: v * v[0], 0, x.reshape(2, 2))
"""
ROWS = [line.strip() for line in PROGRAMS.strip().splitlines()]


def program_of(text: str) -> Any:
    code = compile(text, "program.py", "exec")

    def program(x: Any) -> Any:
        names = {"x": x, "np": np, "math": math, "plain": PLAIN.copy(), "__name__": "program"}
        exec(code, names)
        return names["r"]

    return program


@pytest.mark.parametrize("text", ROWS)
def test_value_and_derivatives(text: str) -> None:
    program = program_of(text)
    plain = program(X.copy())
    with ng.GradientTape() as tape:
        found = program(tape.watch(X.copy()))
    assert_same_bits(found, plain)
    check_gradients(program, X)


# --- Ways into npgrad itself ---------------------------------------------------------------------------------------------


def test_integers_become_floats() -> None:
    assert ng.array([1, 2]).dtype == np.float64


def test_slices_of_a_jacobian_are_followed_by_an_outer_tape() -> None:
    def cubes(x: Any) -> Any:
        return np.stack([x**3, 2 * x, np.ones(4)])

    def weighted(x: Any, **options: Any) -> Any:
        return (ng.jacobian(cubes, mode="reverse", **options)(x) * np.arange(48.0).reshape(3, 4, 4)).sum()

    expected = ng.grad(weighted)(X)
    np.testing.assert_allclose(ng.grad(lambda x: weighted(x, max_bytes=100))(X), expected, rtol=1e-13)
    np.testing.assert_allclose(expected, 6 * X * np.diag(np.arange(16.0).reshape(4, 4)), rtol=1e-13)


def test_the_jacobian_of_rows_that_do_not_depend_is_none() -> None:
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(np.ones((2, 3)))
        y = np.zeros((2, 2))
    assert tape.batch_jacobian(y, x) is None


def test_custom_gradients_of_several_values() -> None:
    @ng.custom_gradient
    def parts(x: Any) -> Any:
        return (x * x, np.arange(2)), lambda ct, _: 2 * x * ct

    with ng.GradientTape() as tape:
        x = tape.watch(X)
        squares, numbers = parts(x)
        plain, _ = parts(X)  # recorded by nobody
        y = squares.sum() + numbers.sum() + plain.sum()
    np.testing.assert_array_equal(tape.gradient(y, x), 2 * X)


def test_a_gradient_function_that_has_no_signature() -> None:
    assert ng.grad(lambda x: ng.custom_gradient(lambda v: (v * 3.0, math.hypot))(x))(2.0) == 1.0


def test_a_black_box_is_differentiated_once_for_two_gradients() -> None:
    calls: list[float] = []
    box = ng.black_box(lambda x: calls.append(1) or np.sum(np.asarray(x) ** 2))
    with ng.GradientTape(persistent=True) as tape:
        x = tape.watch(X)
        y = box(x)
    first, before = tape.gradient(y, x), len(calls)
    np.testing.assert_array_equal(tape.gradient(y, x), first)
    assert len(calls) == before


def test_tangents_that_an_outer_tape_follows() -> None:
    with ng.GradientTape() as tape:
        v = tape.watch(X)
        _, tangent = ng.jvp(np.sin, (X,), (v,))
    np.testing.assert_allclose(tape.gradient(tangent, v), np.cos(X), rtol=1e-15)


def test_products_with_what_does_not_depend_are_zero() -> None:
    at = ng.linearize(lambda x: {"moves": x * x, "stays": np.ones(2), "one": 1.0}, X)
    moved = at.jvp((np.ones(4),))
    np.testing.assert_array_equal(moved["moves"], 2 * X)
    assert moved["stays"].tolist() == [0.0, 0.0] and moved["one"] == 0.0


def test_a_loop_without_steps() -> None:
    assert ng.checkpoint_loop(lambda u, i: u * 2, X, 0, 3).tolist() == X.tolist()
    np.testing.assert_array_equal(ng.grad(lambda x: ng.checkpoint_loop(lambda u, i: u * 2, x, 0, 3).sum())(X), np.ones(4))


def test_closures_with_cells_that_are_empty_yet() -> None:
    def outer() -> Any:
        def inner(x: Any) -> Any:
            return x * x if x.size else later  # noqa: F821

        found = ng.grad(lambda x: inner(x).sum())(X)
        later = 1.0
        del later
        return found

    np.testing.assert_array_equal(outer(), 2 * X)


WHOLE = memoryview(bytearray(64))
EVERY_SECOND = np.frombuffer(WHOLE, float)[::2]


def test_work_arrays_with_gaps() -> None:
    def program(x: Any) -> Any:
        EVERY_SECOND[:] = x
        return (EVERY_SECOND * x).sum()

    np.testing.assert_array_equal(ng.grad(program)(X), 2 * X)


def test_attributes_of_compiled_functions_while_a_tape_records() -> None:
    lapack = pytest.importorskip("scipy.linalg.lapack")
    address = lapack.dgesv._cpointer
    with ng.GradientTape():
        assert repr(lapack.dgesv._cpointer) == repr(address)


# --- What is let pass, and what NumPy refuses ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "r = np.add(x, x, out=plain)",
        "r = np.frexp(x, out=(plain, np.zeros(4, np.intc)))[0]",
        "r = np.sum(x.reshape(2, 2), axis=0, out=plain[:2])",
        "r = np.logaddexp.accumulate(x, out=plain)",
        "r = np.hypot.reduce(x.reshape(2, 2), axis=1, out=plain[:2])",
        "np.add.at(plain, [0, 1], x[:2]); r = plain",
        "np.copyto(plain, x); r = plain",
        "r = np.clip(x, 0.5, 1, out=plain)",
        "r = np.matmul(x.reshape(2, 2), np.ones(2), out=plain[:2])",
        "r = np.trace(np.outer(x, x), out=plain[:1].reshape(()))",
        "r = np.cumsum(x, out=plain)",
        "r = np.mean(x.reshape(2, 2), axis=0, out=plain[:2])",
        "r = np.median(x.reshape(2, 2), axis=0, out=plain[:2])",
        "r = np.nanmax(x.reshape(2, 2), axis=0, out=plain[:2])",
        "r = np.take(x, [1, 0], out=plain[:2])",
        "r = complex(x[0]) + x[1].as_integer_ratio()[0] + x[2].item()",
        "r = np.array(x[0].tolist()) + np.array(x.tolist())",
        "r = np.from_dlpack(x.copy())",
    ],
)
def test_with_leaks_ignored_values_are_numpys(text: str) -> None:
    program = program_of(text)
    with ng.GradientTape(leaks="ignore") as tape:
        found = program(tape.watch(X.copy()))
    assert_same_bits(np.asarray(ng.stop_gradient(found)), np.asarray(program(X.copy())))


@pytest.mark.parametrize(
    "text",
    [
        "np.add(x, x, dtype='U3')",
        "np.add(x, x, where=x, out=x.copy())",
        "np.vectorize(lambda a: a * a)(x[:0])",
        "x[0]['a']",
        "x.reshape(2, 2).sort(axis=5)",
        "np.hypot.accumulate(x.reshape(2, 2), axis=None)",
        "np.nanmedian(x, axis=3)",
        "np.put(x, [9], [1.0])",
        "np.put(x, [0, -5], [1.0])",
        "np.put(x[:0].copy(), [1], [1.0], mode='wrap')",
        "np.put(x[:0].copy(), 1, x, mode='clip')",
        "np.put(x, [1], 1j)",
        "np.put(x, [], 'a')",
    ],
)
def test_what_numpy_refuses_is_refused_in_the_same_words(text: str) -> None:
    program = program_of(f"r = {text}")
    with pytest.raises(Exception) as plain:
        program(X.copy())
    with pytest.raises(Exception) as found, ng.GradientTape() as tape:
        program(tape.watch(X.copy()))
    assert found.type is plain.type and str(found.value) == str(plain.value)


def test_numbers_of_pythons_own_kinds() -> None:
    def program(x: Any) -> Any:
        half = fractions.Fraction(1, 2)
        left = x[0] * half + x[1] / half - x[2] ** half
        right = half * x[0] + half / x[1] - half ** x[2]
        element = x[0]
        element += half
        return left * right * element + (x == "a") + (2j * x[2]).imag

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_gradients(program, X)


def test_sparse_differences_of_one_pattern_are_coloured_once() -> None:
    differences = ng.finite_difference.sparse_jacobian(np.diff)
    first, second = differences(X), differences(2 * X)
    np.testing.assert_allclose(first.toarray(), second.toarray(), atol=1e-7)


def test_a_plot_that_is_not_saved() -> None:
    pytest.importorskip("matplotlib")
    report = ng.compare(np.sin, X[:1], methods=["npgrad reverse", "3-point"])
    assert len(report.plot().axes) == 2


# Each argument of the methods of arrays left out or given alone.
METHOD_CALLS = [
    "clip(0.5)", "clip(max=0.5)", "clip(None, 0.5)", "clip(0.5, None)", "clip(min=0.5, max=1)", "clip([0.5, 1, 1, 2])",
    "var()", "var(0)", "var(ddof=1)", "var(None, None, None, 1)", "var(keepdims=True)", "std(0)", "std(ddof=1)", "mean(0)",
    "sum(0)", "sum(initial=1.0)", "sum(where=[True, False, True, True])", "max(0)", "max(initial=1.0)", "min(-1)", "prod(0)",
    "cumsum()", "cumsum(0)", "cumprod(dtype=np.float32)", "round()", "round(1)", "take(1)", "take([0, 5], mode='wrap')",
    "compress([True, False])", "repeat(2)", "repeat([1, 2, 0, 1])", "searchsorted(0.5)", "searchsorted([0.5], 'right')",
    "argsort()", "argpartition(1)", "nonzero()", "dot(2.0)", "ravel('F')", "flatten()", "reshape(2, -1)",
    "swapaxes(0, 0)", "squeeze()", "transpose()", "astype(np.float32)", "copy('F')", "argmax(0)", "argmin()", "all()",
    "any(0)", "reshape((2, 2), order='F')",
    "conj()", "item(2)", "tolist()", "tobytes()", "view()", "swapaxes(0, -1)",
]  # fmt: skip


@pytest.mark.parametrize("call", METHOD_CALLS)
def test_methods_of_constants_give_what_numpys_give(call: str) -> None:
    """On an array made while a tape records that no tape tracks, and on a watched one where that is no leak."""
    expected = eval(f"x.{call}", {"np": np, "x": X})
    with ng.GradientTape() as tape:
        made = np.array(list(X))
        assert type(made) is ng.TracedArray
        found = [eval(f"x.{call}", {"np": np, "x": made})]
        if not call.startswith(("item", "to")):
            found.append(eval(f"x.{call}", {"np": np, "x": tape.watch(X)}))
    for each in found:
        assert type(unwrap(each)) is type(expected)
        if isinstance(expected, (np.ndarray, np.generic)):
            assert_same_bits(each, expected)
        else:
            np.testing.assert_equal(np.asarray(each), np.asarray(expected))
