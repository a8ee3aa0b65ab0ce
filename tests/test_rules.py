"""Every sample of tests/samples through every generic test.

One random direction or cotangent stands for all: a wrong entry of the Jacobian shows in it almost surely. Second derivatives
are in tests/test_higher_orders.py.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from comparisons import ROUNDING, assert_close, assert_like_differences, assert_same_bits, inner
from generic import MODES, SAMPLES, TESTS, for_each_sample, for_samples_where, quiet, rng_of, while_names_stay
from samples import S
from sampling import for_samples, function_name, through

import npgrad as ng
from npgrad._compat import signature_of
from npgrad._registry import COMPOSITES, RULES, VIEWS, WRITES
from npgrad._structure import flatten
from npgrad._traced import unwrap
from npgrad.testing import Linearised, check_batches, inexact_leaves, random_like

_quiet = quiet

# Rounding adds up along the steps of a matrix decomposition, and float32 has seven digits.
_SINGLE = 2e-3


# --- Values --------------------------------------------------------------------------------------------------------


@for_each_sample
def test_value(sample: S) -> None:
    points = sample.points
    expected = sample(*[p.copy()[()] for p in points])
    # A plain array cannot take traced data: there a write is refused.
    fixed = ng.array if sample.function in WRITES else lambda p: p
    for count in {1, len(points)}:
        for chosen in itertools.combinations(range(len(points)), count):
            with ng.GradientTape() as tape:
                given = [tape.watch(p.copy()[()]) if i in chosen else fixed(p.copy()[()]) for i, p in enumerate(points)]
                found = sample(*given)
            assert_same_bits(found, expected)
            assert _steps(found) == _steps(expected)


def _steps(value: Any) -> list:
    """How arrays lie in memory: on that depends what is a view of them, and in which order their elements are added."""
    arrays = [a for a in (value if isinstance(value, (tuple, list)) else [value]) if np.ndim(a) and np.size(a)]
    return [[s for s, n in zip(a.strides, a.shape, strict=True) if n > 1] for a in arrays if isinstance(a, np.ndarray)]


@for_each_sample
def test_float32(sample: S) -> None:
    points = [p.astype(np.complex64 if p.dtype.kind == "c" else np.float32)[()] for p in sample.points]
    expected = sample(*[p.copy() for p in points])
    linear = Linearised(sample, points)
    assert_same_bits(linear.value, expected)
    rng = rng_of(sample)
    exact = Linearised(sample, sample.points)
    cotangents = exact.random_cotangents(rng)
    leaves = [np.asarray(unwrap(leaf)) for leaf in linear.leaves]
    found = linear.pull([np.asarray(c).astype(leaf.dtype) for c, leaf in zip(cotangents, leaves, strict=True)])
    assert [g.dtype for g in found] == [p.dtype for p in points]
    assert_close(found, exact.pull(cotangents), _SINGLE)


# --- First derivatives ---------------------------------------------------------------------------------------------


@for_samples(sample for sample in SAMPLES if not set(MODES) <= set(sample.leave_out))
def test_derivatives(sample: S) -> None:
    """Of both sweeps, against the same differences."""
    linear = Linearised(sample, sample.points)
    modes = tuple(mode for mode in MODES if mode not in sample.leave_out)
    assert_like_differences(sample, sample.points, linear, modes, rng_of(sample))


@pytest.mark.once
@for_each_sample
@while_names_stay
def test_adjoint(sample: S) -> None:
    """The two sweeps are transposes of one another: u . (J v) = (J^T u) . v."""
    rng = rng_of(sample)
    linear = Linearised(sample, sample.points)
    directions = [random_like(rng, p) for p in sample.points]
    cotangents = linear.random_cotangents(rng)
    tangents, gradients = linear.push(directions), linear.pull(cotangents)
    size = sum(float(np.abs(np.vdot(np.abs(a), np.abs(b)))) for a, b in zip(gradients, directions, strict=True))
    one, other = inner(cotangents, tangents), inner(gradients, directions)
    np.testing.assert_allclose(one, other, rtol=ROUNDING, atol=ROUNDING * (size if np.isfinite(size) else 1))


@pytest.mark.once
@for_samples_where(lambda sample: len(sample.points) > 1)
@while_names_stay
def test_alone(sample: S) -> None:
    """By one argument, while the others are plain arrays, the derivative is what it is beside the others."""
    points, rng = sample.points, rng_of(sample)
    linear = Linearised(sample, points)
    cotangents, directions = linear.random_cotangents(rng), [random_like(rng, p) for p in points]
    gradients = linear.pull(cotangents)
    fixed = ng.array if sample.function in WRITES else lambda p: p
    close = max([ROUNDING, *[10 * float(np.finfo(c.dtype).eps) for c in cotangents]])  # dtype=np.float32
    for n, point in enumerate(points):
        others = [fixed(p.copy()[()]) for p in points]
        alone = Linearised(lambda x, n=n, others=others: sample(*others[:n], x, *others[n + 1 :]), [point])
        assert_close(alone.pull(cotangents), [gradients[n]], close)
        still = [directions[k] if k == n else np.zeros_like(p) for k, p in enumerate(points)]
        assert_close(alone.push([directions[n]]), linear.push(still), close)


@pytest.mark.once
@for_each_sample
@while_names_stay
def test_batch(sample: S) -> None:
    """A Jacobian by one batched sweep is that of row by row sweeps, in both modes; so are two leading axes."""
    check_batches(sample, sample.points)
    linear = Linearised(sample, sample.points)
    for leaf in linear.leaves:
        if not isinstance(leaf, ng.TracedArray):
            continue
        rows = linear.tape.jacobian(leaf, linear.sources, "zero", mode="reverse")
        if not any(np.iscomplexobj(array) for array in (leaf, *sample.points)):
            assert_close(rows, linear.tape.jacobian(leaf, linear.sources, "zero", mode="forward"), 1e-10)
        for index in list(np.ndindex(leaf.shape))[:4]:
            seed = np.zeros(leaf.shape, leaf.dtype)
            seed[index] = 1
            row = linear.tape.gradient(leaf, linear.sources, seed[()], "zero")
            assert_close([np.asarray(j)[index] for j in rows], row, 1e-10)


# --- Arguments in other layouts of memory, and shared ----------------------------------------------------------------


def _spaced(base: Any) -> Any:
    """Every second element of a larger array, along each axis."""
    return base[(slice(None, None, 2),) * base.ndim]


def _turned(base: Any) -> Any:
    return base[(slice(None, None, -1),) * base.ndim]


def _wide(point: np.ndarray) -> np.ndarray:
    wide = np.zeros([2 * n for n in point.shape], point.dtype)
    _spaced(wide)[...] = point
    return wide


_LAYOUTS: dict[str, tuple[Callable, Callable]] = {
    "spaced": (_wide, _spaced),
    "turned": (lambda p: _turned(p).copy(), _turned),
    "transposed": (lambda p: p.T.copy(), lambda base: base.T),
}


@pytest.mark.once
@for_each_sample
def test_layout(sample: S) -> None:
    """Strided, turned and transposed views of a watched array, and one that is in Fortran's order itself."""
    rng = rng_of(sample)
    points = sample.points
    reference = Linearised(sample, points)
    cotangents = reference.random_cotangents(rng)
    expected = reference.pull(cotangents)
    for lay_out, look in _LAYOUTS.values():
        bases = [lay_out(p) if p.ndim else p for p in points]

        def through_views(*xs: Any, look: Callable = look) -> Any:
            return sample(*[look(x) if np.ndim(x) else x for x in xs])

        linear = Linearised(through_views, bases)
        assert_same_bits(linear.value, through_views(*[b.copy()[()] for b in bases]))
        found = [look(g) if np.ndim(g) else g for g in linear.pull(cotangents)]
        assert_close(found, expected, 1e-10)
    fortran = [p.copy(order="F") for p in points]
    linear = Linearised(sample, fortran)
    assert_same_bits(linear.value, sample(*[f.copy(order="K")[()] for f in fortran]))
    assert_close(linear.pull(cotangents), expected, 1e-10)


def _twins(sample: S) -> tuple[int, int] | None:
    """Two arguments that may be one array."""
    specs = [(p.shape, p.dtype) for p in sample.points]
    pairs = itertools.combinations(range(len(specs)), 2)
    return next(((i, j) for i, j in pairs if specs[i] == specs[j]), None)


@for_samples_where(lambda sample: _twins(sample) is not None)
def test_shared(sample: S) -> None:
    """One array in two places has the sum of both cotangents."""
    i, j = _twins(sample)
    points = sample.points
    points[j] = points[i]
    apart = Linearised(sample, [p.copy() for p in points])
    cotangents = apart.random_cotangents(rng_of(sample))
    expected = apart.pull(cotangents)

    def once(*xs: Any) -> Any:
        given = list(xs)
        given.insert(j, given[i])
        return sample(*given)

    linear = Linearised(once, [p for n, p in enumerate(points) if n != j])
    assert_same_bits(linear.value, once(*[p.copy() for n, p in enumerate(points) if n != j]))
    summed = [expected[n] + expected[j] if n == i else e for n, e in enumerate(expected) if n != j]
    assert_close(linear.pull(cotangents), summed, 1e-10)


# --- Writes --------------------------------------------------------------------------------------------------------


def _takes_out(sample: S) -> bool:
    """Whether the call may be given ``out=``: it is the function itself, and has that argument."""
    if sample.call is not sample.function or "out" in sample.kwargs:
        return False
    if isinstance(sample.function, np.ufunc):
        return True
    try:
        return "out" in signature_of(sample.function).parameters
    except (TypeError, ValueError):
        return False


@for_samples_where(_takes_out)
def test_out(sample: S) -> None:
    """The result goes into a buffer, and into a part of one; the derivative goes through it."""
    points = sample.points
    rng = rng_of(sample)
    plain = sample(*points)
    cotangents = [random_like(rng, v) for v in inexact_leaves(plain)]
    reference = Linearised(sample, points)
    expected = reference.pull(cotangents)
    shapes = [(np.shape(p), np.asarray(p).dtype) for p in flatten(plain)[0]]

    def call_into(targets: list, xs: Any) -> Any:
        given = functools.partial(sample.call, out=tuple(targets) if isinstance(plain, tuple) else targets[0])
        return S(sample.function, *sample.args, f=given, **sample.kwargs)(*xs)

    try:
        call_into([np.zeros(shape, dtype) for shape, dtype in shapes], points)
    except (TypeError, ValueError) as refusal:  # by NumPy itself
        with pytest.raises(type(refusal)), ng.GradientTape() as tape:
            call_into([ng.array(np.zeros(shape, dtype)) for shape, dtype in shapes], tape.watch(points))
        return
    for part in (..., 1):

        def into_buffer(*xs: Any, part: Any = part, array: Callable = ng.array) -> Any:
            made = [np.full(shape if part is ... else (2, *shape), 7, dtype) for shape, dtype in shapes]
            buffers = [array(b) if b.dtype.kind in "fc" else b for b in made]
            targets = [b if part is ... else b[part, ...] for b in buffers]
            given_back = flatten(call_into(targets, xs))[0]
            # NumPy gives the destination; as a scalar where it asks a method of a scalar.
            scalars = [isinstance(getattr(g, "_bare", g), np.generic) for g in given_back]
            same = [g is t or scalar for g, t, scalar in zip(given_back, targets, scalars, strict=True)]
            assert array is not ng.array or all(same)
            return buffers

        linear = Linearised(into_buffer, points)
        # NumPy may round otherwise in another layout of memory.
        assert_same_bits([unwrap(b) for b in linear.value], into_buffer(*points, array=np.asarray))
        seeds = linear.random_cotangents(rng)
        for seed, ct in zip(seeds, cotangents, strict=True):
            seed[part] = ct
        assert_close(linear.pull(seeds), expected, 1e-10)


@pytest.mark.once
@for_each_sample
@while_names_stay
def test_overwritten(sample: S) -> None:
    """The result goes into a part of a buffer, then the arguments and the result are overwritten: what was saved stays."""
    points = sample.points
    reference = Linearised(sample, points)
    cotangents = reference.random_cotangents(rng_of(sample))

    def program(*xs: Any) -> list:
        ys = [x * 1 for x in xs]
        leaves = [leaf for leaf in flatten(sample(*ys))[0] if isinstance(leaf, ng.TracedArray)]
        buffers = []
        for leaf in leaves:
            buffer = np.ones((2, *leaf.shape), leaf.dtype)
            buffer[1] = leaf
            buffers.append(buffer)
        for y in [*ys, *leaves]:
            if np.ndim(y) and y.flags.writeable:
                y[...] = 7
        return buffers

    linear = Linearised(program, points)
    traced = [(leaf, ct) for leaf, ct in zip(reference.leaves, cotangents, strict=True) if isinstance(leaf, ng.TracedArray)]
    assert_same_bits([unwrap(b)[1] for b in linear.value], [np.asarray(unwrap(leaf)) for leaf, _ in traced])
    seeds = linear.random_cotangents(np.random.default_rng(0))
    for seed, (_, ct) in zip(seeds, traced, strict=True):
        seed[1] = ct
    assert_close(linear.pull(seeds), reference.pull(cotangents), 1e-10)


# --- The table of samples ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", sorted({*RULES, *COMPOSITES, *VIEWS, *WRITES}, key=function_name), ids=function_name)
def test_has_a_sample(function: Callable) -> None:
    assert any(sample.function is function for sample in SAMPLES)


def test_samples_leave_out_tests_that_exist() -> None:
    assert {name for sample in SAMPLES for name in sample.leave_out} <= TESTS


def test_all_samples_are_gone_through() -> None:
    """Those that fail are all named, and stop no other."""
    seen = []

    def odd_numbers_only(sample: S) -> None:
        seen.append(sample)
        assert sample.args[0] % 2
        if sample.args[0] == 3:
            pytest.fail("as pytest.raises does where nothing is raised")

    samples = [S(np.sin, number) for number in range(6)]
    with pytest.raises(BaseExceptionGroup, match="4 of 6 samples fail") as caught:
        through(odd_numbers_only, samples)
    assert seen == samples
    assert [error.__notes__ for error in caught.value.exceptions] == [
        [f"The sample is np.sin({number})."] for number in (0, 2, 3, 4)
    ]
