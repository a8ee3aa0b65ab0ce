"""Integers and truth values made while a tape records: what a program computes of them takes traced data."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
from builtins import type
from typing import Any

import numpy as np
import pytest

import npgrad as ng
from npgrad.testing import check_gradients

X = np.array([1.2, 0.7, 3.1])
INDICES = np.arange(3)
MASK = np.array([True, False, True])


class Held:
    indices = np.array([2, 0, 1])


# Buffers that a program makes of integers and truth values, and then writes traced data into.
BUFFERS: dict[str, Any] = {
    "zero times": lambda x: np.arange(3) * 0.0,
    "quotient": lambda x: np.arange(3) / 2,
    "astype": lambda x: (np.arange(3) > 1).astype(float),
    "one and a mask": lambda x: 1.0 + (np.arange(3) > 1),
    "comparison of traced data": lambda x: 1.0 * (x > 1),
    "comparison turned": lambda x: (x > 1) * 2.0,
    "isfinite": lambda x: np.isfinite(x) * 1.0,
    "sign bits": lambda x: np.signbit(x) / 1,
    "ufunc": lambda x: np.sqrt(np.array([1, 2, 3])),
    "ufunc with dtype": lambda x: np.add(np.arange(3), 1, dtype=float),
    "list times": lambda x: [1.0, 2.0, 3.0] * np.array([1, 2, 3]),
    "scalar times": lambda x: np.float64(2) * np.array([True, False, True]),
    "choice": lambda x: np.where(np.arange(3) > 0, 1.5, 0),
    "rounded": lambda x: x.astype(int) * 1.0,
    "sorted places": lambda x: np.argsort(x) / 3,
    "method sorted places": lambda x: x.argsort() / 3,
    "nonzero": lambda x: np.nonzero(x)[0] * 0.5,
    "method nonzero": lambda x: (x > 0).nonzero()[0] * 0.5,
    "searched": lambda x: np.searchsorted(np.array([1.0, 2.0]), x) * 0.5,
    "counted": lambda x: np.bincount(np.array([0, 1, 2, 2])) * 0.5,
    "view": lambda x: np.arange(6).reshape(2, 3)[1] * 0.5,
    "transposed": lambda x: np.arange(6).reshape(3, 2).T[0] * 0.5,
    "means": lambda x: np.arange(6).reshape(2, 3).mean(axis=0),
    "deviation": lambda x: np.std(np.arange(9).reshape(3, 3), axis=0),
    "product with a matrix": lambda x: np.arange(9).reshape(3, 3) @ np.array([0.5, 0.5, 0.5]),
    "dot": lambda x: np.arange(9).reshape(3, 3).dot([0.5, 0.5, 0.5]),
    "outer": lambda x: np.multiply.outer([0.5], np.arange(3))[0],
    "running": lambda x: np.cumsum(np.arange(3), dtype=float),
    "in place of a whole": lambda x: np.concatenate([np.arange(2), [3]]) * 1.0,
    "indexed": lambda x: np.arange(6)[np.array([0, 2, 4])] * 1.0,
    "masked": lambda x: np.arange(6)[np.arange(6) > 2] * 1.0,
    "copied": lambda x: np.arange(3).copy() * 1.0,
    "deep copy": lambda x: copy.deepcopy(np.arange(3)) * 1.0,
    "in place operator": lambda x: np.add(np.arange(3), 1, out=np.zeros(3, int)) * 1.0,
    "of the module": lambda x: INDICES * 1.0,
    "mask of the module": lambda x: MASK + 0.5,
    "of a class": lambda x: Held.indices / 4,
    "linear space": lambda x: np.linspace(0, 2, 3, dtype=int) * 1.0,
    "bits": lambda x: (np.arange(3) << 1) ** 0.5,
    "negative power": lambda x: 2.0 ** -np.arange(3),
    "complex": lambda x: np.arange(3) * 1j,
    "divided with rest": lambda x: np.divmod(np.arange(3), 2)[0] * 1.0,
    "grid": lambda x: np.meshgrid(np.arange(3), np.arange(2))[0][0] * 0.5,
    "unique": lambda x: np.unique(np.array([3, 1, 2])) * 0.5,
    "clipped": lambda x: np.arange(3).clip(0.5, 2.5),
    "clipped by the function": lambda x: np.clip(np.arange(3), 0.5, 2.5),
    "as an array": lambda x: np.asarray(np.arange(3)) * 0.5,
    "as an array in order": lambda x: np.ascontiguousarray(np.arange(6)[::2]) * 0.5,
    "as one of floats": lambda x: np.asarray(np.arange(3), float),
    "round": lambda x: np.round(np.arange(3)) * 0.5,
    "real": lambda x: np.real(np.arange(3)) * 0.5,
    "at least two axes": lambda x: np.atleast_2d(np.arange(3))[0] * 0.5,
    "broadcast": lambda x: np.broadcast_arrays(np.arange(3), np.zeros((1, 3)))[0][0] * 0.5,
    "polynomial": lambda x: np.polyval(np.array([1, 2]), np.arange(3)) * 0.5,
    "its derivative": lambda x: np.polyder(np.array([1, 2, 3, 4])) * 0.5,
    "roots": lambda x: np.roots(np.array([1, -6, 11, -6])),
    "power of a matrix": lambda x: np.linalg.matrix_power(np.arange(9).reshape(3, 3), 2)[0] * 0.5,
    "random": lambda x: np.random.default_rng(0).integers(5, size=3) * 0.5,
}
WRITES: dict[str, Any] = {
    "whole": lambda out, x: out.__setitem__(..., x**2),
    "part": lambda out, x: out.__setitem__(slice(1, 3), x[1:] * x[0]),
    "mask": lambda out, x: out.__setitem__(np.array([True, False, True]), x[:2]),
    "element": lambda out, x: out.__setitem__(1, x[0] * x[2]),
    "added": lambda out, x: np.add(out, x, out=out),
    "copied": lambda out, x: np.copyto(out, x * x),
}


def program(buffer: str, write: str) -> Any:
    def f(x: Any) -> Any:
        out = BUFFERS[buffer](x)
        WRITES[write](out, x)
        return (out * x[0]).real + x

    return f


@pytest.mark.once
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("buffer", BUFFERS)
def test_what_is_computed_of_integers_takes_traced_data(buffer: str, write: str) -> None:
    f = program(buffer, write)
    check_gradients(f, X)
    np.testing.assert_array_equal(ng.value_and_jacobian(f)(X)[0], f(X))


@pytest.mark.parametrize("buffer", [name for name in BUFFERS if "of the module" not in name and name != "of a class"])
def test_by_a_bare_tape(buffer: str) -> None:
    f = program(buffer, "part")
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = f(x)
    np.testing.assert_array_equal(tape.jacobian(y, x), ng.jacobian(f)(X))


def test_integers_among_the_arguments() -> None:
    def f(x: Any, n: Any, mask: Any = None) -> Any:
        out, other = n * 0.5, mask + 0.5
        out[1:] = x[1:] ** 2
        other[:2] = x[:2] * x[0]
        return out * other

    check_gradients(lambda x: f(x, INDICES, mask=MASK), X)
    expected = ng.jacobian(lambda x: f(x, np.arange(3), np.array([1, 0, 1]) > 0))(X)
    np.testing.assert_array_equal(ng.jacobian(f)(X, INDICES, mask=MASK), expected)
    np.testing.assert_array_equal(ng.jacobian(f, mode="forward")(X, INDICES, MASK), expected)
    assert type(INDICES) is np.ndarray and type(MASK) is np.ndarray


COUNTS = np.zeros(3, int)


def test_integers_of_a_module_are_written_and_stay_its_own() -> None:
    def f(x: Any) -> Any:
        global COUNTS
        COUNTS += 1
        COUNTS = COUNTS + (x > 1)
        return (COUNTS * x).sum()

    COUNTS[:] = 0
    np.testing.assert_array_equal(ng.grad(f)(X), [2.0, 1.0, 2.0])
    assert type(COUNTS) is np.ndarray and COUNTS.tolist() == [2, 1, 2]
    np.testing.assert_array_equal(ng.grad(f)(X), [4.0, 2.0, 4.0])


# How integers are used beside traced data, before they are overwritten.
USES: dict[str, Any] = {
    "factor": lambda x, n: x * n,
    "factor before": lambda x, n: n * x,
    "power": lambda x, n: x**n,
    "quotient": lambda x, n: n / x,
    "ufunc": lambda x, n: np.multiply(n, x),
    "dot": lambda x, n: x.dot(n) * x,
    "function": lambda x, n: np.dot(n, x) * x,
    "matrix": lambda x, n: n @ x * x,
    "choice": lambda x, n: np.where(n > 2, x, x**2),
    "index": lambda x, n: x[n % 3],
    "take": lambda x, n: x.take(n % 3) * x,
    "in place": lambda x, n: np.multiply(x, 1.0).__imul__(n),
    "einsum": lambda x, n: np.einsum("i,j->j", n, x),
    "repeated": lambda x, n: np.repeat(x, n)[:3],
    "weights": lambda x, n: np.average(x, weights=n) * x,
    "list": lambda x, n: np.stack([x, n]).prod(axis=0),
    "interpolated": lambda x, n: np.interp(x, [0.0, 5.0], [0, 1]) * n,
}


@pytest.mark.parametrize("use", USES)
def test_integers_may_be_overwritten_after_their_use(use: str) -> None:
    def f(x: Any) -> Any:
        n = np.array([3, 4, 5])
        y = USES[use](x, n)
        n[:] = 1
        mask = x > 1
        z = y * mask
        mask[...] = False
        return z + y

    check_gradients(f, X)
    np.testing.assert_array_equal(ng.value_and_jacobian(f)(X)[0], f(X))


def test_they_behave_as_numpys_own() -> None:
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        n, mask = np.arange(3), x > 1
        assert repr(n) == "array([0, 1, 2])" and str(mask) == "[ True False  True]" and f"{n}" == "[0 1 2]"
        assert isinstance(n, np.ndarray) and not isinstance(n, ng.TracedArray)
        assert [type(k) for k in n] == [np.int64] * 3 and type(n[1]) is np.int64 and type(mask.any()) is np.bool_
        assert type(n.sum()) is np.int64 and n.tolist() == [0, 1, 2] and {0: "a"}[n[0]] == "a"
        assert type(pickle.loads(pickle.dumps(n))) is np.ndarray
        with pytest.raises(TypeError, match="Cannot cast ufunc 'add' output"):
            n += 0.5
        n += 1
        n[mask] *= 2
        assert n.tolist() == [2, 2, 6] and np.array_equal(n, [2, 2, 6])
    assert type(n * 2) is np.ndarray and type(n * 0.5) is np.ndarray
    assert type(ng.value_and_jacobian(lambda x: (x, x > 1), has_aux=True)(X)[0][1]) is np.ndarray


@pytest.mark.parametrize("use", [lambda x, mask: x * mask, lambda x, mask: mask * x, np.multiply])
def test_a_large_mask_is_copied_once_for_all_its_uses(use: Any) -> None:
    n = 50_000
    with ng.GradientTape() as tape:
        x, mask = tape.watch(np.linspace(0.0, 1.0, n)), np.arange(n) % 2 == 0
        tracemalloc.start()
        try:
            for _ in range(20):
                y = use(x, mask)
            held = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert held < y.nbytes + 4 * mask.nbytes
        mask[:] = False
    np.testing.assert_array_equal(tape.gradient(y, x), np.arange(n) % 2 == 0)


# --- Destinations of integers and truth values ---------------------------------------------------------------------------

NDARRAY = {"before": np.ndarray}
MADE = {
    "before": lambda dtype, shape=(): NDARRAY["before"](shape, dtype, bytearray(64)),
    "inside": lambda dtype, shape=(): np.zeros(shape, dtype),
}
INTO = {
    "argmax": lambda a, x, new: (np.argmax(x, out=(o := new(int))), o),
    "argmax, a method": lambda a, x, new: (x.argmax(out=(o := new(int))), o),
    "nanargmin": lambda a, x, new: (np.nanargmin(x, 0, o := new(int)), o),
    "sum": lambda a, x, new: (a.sum(out=(o := new(int))), o),
    "sum by position": lambda a, x, new: (np.sum(a, None, None, o := new(int)), o),
    "any": lambda a, x, new: (np.any(a, out=(o := new(bool))), o),
    "take": lambda a, x, new: (np.take(a, [0, 1, 0], out=(o := new(int, 3))), o),
    "clip": lambda a, x, new: (a.clip(1, 2, out=(o := new(int, 3))), o),
    "clip of traced data": lambda a, x, new: (np.clip(x, a, 2, out=(o := new(int, 3)), casting="unsafe"), o),
    "choose": lambda a, x, new: (a.choose(x, a, 2 * a, out=(o := new(int, 3))), o),
    "add": lambda a, x, new: (np.add(x, 1, o := new(int, 3), casting="unsafe"), o),
    "reduce": lambda a, x, new: (np.add.reduce([a, a], out=(o := new(int, 3))), o),
    "concatenate": lambda a, x, new: (np.concatenate([a[:1], a[1:]], out=(o := new(int, 3))), o),
    "concatenate traced data": lambda a, x, new: (np.concatenate([x], out=(o := new(int, 3)), casting="unsafe"), o),
    "a ufunc of lists": lambda a, x, new: (np.subtract([1, 2, 3], [1, 1, 1], out=(o := new(int, 3))), o),
}  # fmt: skip


@pytest.mark.parametrize("new", MADE)
@pytest.mark.parametrize("call", INTO)
def test_a_destination_of_integers_comes_back(call: str, new: str) -> None:
    """The very array; what is cast to integers is constant, and no leak."""
    x, a = np.array([1.5, 0.5, 2.5]), np.arange(3)
    expected = INTO[call](a, x, MADE["before"])[0]
    with ng.GradientTape() as tape:
        made, out = INTO[call](np.arange(3), tape.watch(x), MADE[new])
    assert made is out
    np.testing.assert_array_equal(out, expected)
