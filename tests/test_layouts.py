"""What a tape watches lies in memory as the array of the program: on that depend last bits of products, and views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from comparisons import assert_same_bits

import npgrad as ng
from npgrad._traced import as_it_lies

pytestmark = pytest.mark.once

# Parts of an array of three axes, of 33 x 17 x 5 elements.
LAYOUTS: dict[str, Callable] = {
    "column of each": lambda b: b[:, :, 1],
    "every second row": lambda b: b[::2, :, 0],
    "rows reversed": lambda b: b[::-1, :, 2],
    "columns reversed": lambda b: np.ascontiguousarray(b[:, :, 0])[:, ::-1],
    "columns left out": lambda b: np.ascontiguousarray(b[:, :, 0])[:, :-3],
    "every third": lambda b: np.ascontiguousarray(b[:, :, 0])[::2, ::3],
    "transposed": lambda b: b[:, :, 2].T,
    "in Fortran's order": lambda b: np.asfortranarray(b[:, :, 0])[1:],
    "real parts": lambda b: (b[:, :, 0] + 1j * b[:, :, 1]).real,
    "a vector": lambda b: b[:, 0, 0],
    "a vector reversed": lambda b: b[::-1, 0, 0],
    "a diagonal": lambda b: np.diagonal(b[:17, :, 0]),
    "three axes": lambda b: b.transpose(2, 0, 1)[:, ::3],
    "one row": lambda b: b[:1, ::4, ::4],
    "nothing": lambda b: b[:0, ::2],
}

PROGRAMS: dict[str, Callable] = {
    "x.T @ x": lambda x: x.T @ x,
    "x @ x.mT": lambda x: x @ x.mT if x.ndim > 1 else x @ x,
    "dot": lambda x: np.dot(x, np.linspace(0.0, 1.0, x.shape[-1])),
    "inner": lambda x: np.inner(x, x),
    "vdot": lambda x: np.vdot(x, x),
    "tensordot": lambda x: np.tensordot(x, x, axes=([0], [0])),
    "einsum": lambda x: np.einsum("...i,...i->...", x, x),
    "sums": lambda x: (x.sum(), x.sum(0), x.sum(-1), x.mean(), x.var(), np.cumsum(x)),
    "norm": lambda x: np.linalg.norm(x),
    "svd": lambda x: np.linalg.svd(np.atleast_2d(x))[1],
    "orders": lambda x: (x.ravel("K"), x.ravel("A"), (2 * x).ravel("K"), x.copy("K").reshape(-1, order="A")),
}


@pytest.fixture(params=["f8", "f4", "c16"])
def base(request: Any) -> np.ndarray:
    rng = np.random.default_rng(0)
    b = rng.standard_normal((33, 17, 5)) + (1j * rng.standard_normal((33, 17, 5)) if request.param == "c16" else 0)
    return b.astype(request.param)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.filterwarnings("ignore:Mean of empty:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:Degrees of freedom:RuntimeWarning")
def test_values_are_those_of_the_layout(layout: Callable, base: np.ndarray) -> None:
    x = layout(base)
    for name, program in PROGRAMS.items():
        try:
            expected = program(x)
        except ValueError:
            continue
        with ng.GradientTape() as tape:
            watched = program(tape.watch(x))
        assert_same_bits(watched, expected)
        assert_same_bits(ng.vjp(program, x)[0], expected), name
        assert_same_bits(ng.jvp(lambda y, z, program=program: program(z), (1.0, x), (1.0, x))[0], expected)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_copies_have_small_gaps_and_the_same_views(layout: Callable, base: np.ndarray) -> None:
    x = layout(base)
    copy = as_it_lies(x)
    np.testing.assert_array_equal(copy, x)
    assert not np.shares_memory(copy, x)
    assert copy.flags.forc == x.flags.forc and copy.flags.c_contiguous == x.flags.c_contiguous
    for shape in ((-1,), (*x.shape[:-2], -1), (-1, *x.shape[2:])):
        if x.size:
            assert np.shares_memory(copy, copy.reshape(shape)) == np.shares_memory(x, x.reshape(shape))
    extent = np.ptp([np.lib.array_utils.byte_bounds(copy)]) if x.size else 0
    assert extent <= x.nbytes * 2**x.ndim


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_derivatives_by_parts_with_gaps(layout: Callable, base: np.ndarray) -> None:
    x = layout(base)

    def program(x: Any) -> Any:
        y = x * 2
        y[...] *= x
        x[...] = 3 * y  # also over the array that is watched
        return np.sum(x * np.conjugate(x)).real

    slope = 2 * 2 * 36 * np.abs(x) ** 2 * x
    with ng.GradientTape() as tape:
        watched = tape.watch(x)
        y = program(watched)
    for found in (tape.gradient(y, x), ng.grad(program)(x)):
        assert found.dtype == x.dtype and found.shape == x.shape
        np.testing.assert_allclose(found, slope, rtol=1e-5 if x.dtype == "f4" else 1e-12)


def test_elements_that_share_memory_are_watched_one_by_one() -> None:
    x = np.broadcast_to(np.array([1.0, 2.0]), (3, 2))
    assert ng.grad(lambda x: (x[0] * x[1] * x[2]).sum())(x).tolist() == [[1.0, 4.0]] * 3
    assert as_it_lies(np.lib.stride_tricks.sliding_window_view(np.arange(5.0), 2)).flags.forc
