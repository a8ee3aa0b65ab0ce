"""What the generic tests of tests/test_rules.py mean by equal, close, and like differences."""

from __future__ import annotations

from builtins import type
from collections.abc import Callable
from typing import Any

import numpy as np

from npgrad._structure import flatten
from npgrad._traced import unwrap
from npgrad.testing import Linearised, directional_difference, random_direction, random_like

# Where differences are trusted no further than this, the sample stands at a kink and says so in ``leave_out``.
_SETTLED = 1e-5
_TOLERANCE = 1e-7
ROUNDING = 1e-12


def assert_same_bits(found: Any, expected: Any) -> None:
    """Equal structures of equal types, dtypes, shapes and bits; the sign of a NaN and its payload are nobody's promise."""
    if isinstance(expected, (list, tuple, dict)):
        assert type(found) is type(expected)
    parts, wanted = flatten(found)[0], flatten(expected)[0]
    assert len(parts) == len(wanted)
    for part, want in zip(parts, wanted, strict=True):
        plain = np.asarray(unwrap(part))
        want = np.asarray(want)
        assert plain.dtype == want.dtype
        assert plain.shape == want.shape
        if want.dtype.kind not in "fc":
            assert np.array_equal(plain, want)
            continue
        for x, y in ((plain.real, want.real), (plain.imag, want.imag)) if want.dtype.kind == "c" else ((plain, want),):
            np.testing.assert_array_equal(x, y)
            numbers = ~np.isnan(y)
            assert np.array_equal(np.signbit(x[numbers]), np.signbit(y[numbers]))


def assert_close(found: list, expected: list, tolerance: float = ROUNDING, size: float = 1e-6) -> None:
    """``size`` is that of the numbers whose sums these are: what is smaller may be left over where they cancel."""
    for a, b in zip(found, expected, strict=True):
        a, b = np.asarray(unwrap(a)), np.asarray(unwrap(b))
        assert a.shape == b.shape
        scale = np.max(np.abs(b[np.isfinite(b)]), initial=size)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)


def inner(a: list, b: list) -> float:
    return sum(float(np.real(np.vdot(x, y))) for x, y in zip(a, b, strict=True))


def assert_like_differences(f: Callable, points: list, linear: Linearised, modes: tuple, rng: np.random.Generator) -> None:
    directions = [random_direction(rng, p) for p in points]
    expected, tolerance = differences(f, points, directions, linear.leaves)
    cotangents = linear.random_cotangents(rng)
    if "reverse" in modes:
        wanted = inner(cotangents, expected)
        np.testing.assert_allclose(inner(linear.pull(cotangents), directions), wanted, rtol=0, atol=5 * tolerance)
    if "forward" in modes:
        for found, want in zip(linear.push(directions), expected, strict=True):
            np.testing.assert_allclose(np.asarray(found), want, rtol=0, atol=tolerance)


def differences(f: Callable, points: list, directions: list, leaves: list, settled: float = _SETTLED) -> tuple[list, float]:
    """Differences of a function along directions, and how far from them a derivative may be; ``leaves`` are its values."""
    expected, error = directional_difference(f, points, directions)
    assert error < settled, "the differences do not settle: a kink?"
    scale = max([1e-8, *[float(np.max(np.abs(e), initial=0)) for e in expected]])
    values = [np.asarray(unwrap(leaf)) for leaf in leaves]
    scale = max([scale, *[1e-3 * float(np.max(np.abs(v), initial=0)) for v in values]])
    # A derivative that is zero because large terms cancel (det of a singular matrix) is so up to their rounding.
    rounding = 1e-14 * max([1.0, *[float(np.max(np.abs(p), initial=0)) for p in points]])
    return expected, max(max(_TOLERANCE, 20 * error) * scale, rounding)


def assert_second_derivatives_like_differences(
    f: Callable, points: list, rng: np.random.Generator, settled: float = _SETTLED
) -> None:
    """Of both sweeps' results, by both sweeps.

    Differences of the tangents will do for the gradients, too: as (J^T u) . v = u . (J v) wherever they are taken, what
    (J^T u) . v changes by along a direction is u times what J v changes by.
    """
    directions = [random_direction(rng, p) for p in points]
    u, v = Linearised(f, points).random_cotangents(rng), [random_like(rng, p) for p in points]

    def both(*xs: Any) -> list:
        linear = Linearised(f, list(xs))
        return [*linear.push(v), *linear.pull(u)]

    twice = Linearised(both, points)
    tangents = twice.leaves[: len(u)]

    def tangents_at(*xs: Any) -> list:
        return Linearised(f, list(xs)).push(v)

    expected, tolerance = differences(tangents_at, points, directions, tangents, settled)
    moved = twice.push(directions)
    for found, want in zip(moved[: len(u)], expected, strict=True):
        np.testing.assert_allclose(np.asarray(found), want, rtol=0, atol=tolerance)
    np.testing.assert_allclose(inner(moved[len(u) :], v), inner(u, expected), rtol=0, atol=5 * tolerance)
    w = [random_like(rng, leaf) for leaf in tangents]
    wanted = inner(w, expected) + inner(u, expected)
    np.testing.assert_allclose(inner(twice.pull([*w, *v]), directions), wanted, rtol=0, atol=5 * tolerance)
