"""Sums of B-splines in recorded calls, for ``scipy.interpolate``: by the places, the coefficients and the knots."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._libraries import Library

linalg = Library("scipy.linalg")
interpolate = Library("scipy.interpolate")

# Derivatives that are given at both ends by name.
_ORDERS = {"natural": (2,), "clamped": (1,), "not-a-knot": (), None: ()}


def part_of(thing: Any, name: str) -> Any:
    """What an object of SciPy's holds, whose attribute may be hidden behind a property."""
    hidden = getattr(thing, f"_{name}", None)
    return getattr(thing, name) if hidden is None else hidden


def _basis(t: Any, k: int, x: Any) -> tuple[Any, Any]:
    """Where the coefficients are that count at each place, and the values of their B-splines of degree k, by the recurrence
    of Cox and de Boor. Beyond the ends the outermost polynomials go on."""
    first, last = np.searchsorted(t, t[k], "right") - 1, np.searchsorted(t, t[len(t) - k - 1], "left") - 1
    piece = np.clip(np.searchsorted(t, x, "right") - 1, first, last)[..., None]
    x = x[..., None]
    values = np.ones(x.shape) + 0 * x
    for degree in range(1, k + 1):
        right, left = t[piece + np.arange(1, degree + 1)], t[piece + np.arange(1 - degree, 1)]
        share = values / (right - left)
        none = np.zeros(x.shape)
        values = np.concatenate([(right - x) * share, none], -1) + np.concatenate([none, (x - left) * share], -1)
    return piece + np.arange(-k, 1), values


def _lowered(t: Any, c: Any, k: int, axis: int) -> Any:
    """The coefficients of the derivative, of which the knots are all but the first and the last."""
    n = c.shape[axis]
    gap = t[k + 1 : n + k] - t[1:n]
    factor = np.where(gap == 0, 0.0, k / np.where(gap == 0, 1, gap))
    return np.diff(c, axis=axis) * factor.reshape((-1,) + (1,) * (c.ndim - axis - 1))


def sum_of_basis(axes: list[tuple[Any, int, int, Any]], c: Any) -> Any:
    """Sums of products of B-splines; for each of the first axes of the coefficients: knots, degree, which derivative, and
    the places."""
    x = axes[0][3]
    if any(nu > k for _, k, nu, _ in axes):
        return np.zeros(x.shape + c.shape[len(axes) :]) + 0 * x.reshape(x.shape + (1,) * (c.ndim - len(axes)))
    where: list[Any] = []
    weights: Any = 1.0
    for axis, (t, k, nu, x) in enumerate(axes):
        c = c[(slice(None),) * axis + (slice(len(t) - k - 1),)]
        for n in range(nu):
            c = _lowered(t[n : len(t) - n], c, k - n, axis)
        places, values = _basis(t[nu : len(t) - nu], k - nu, x)
        ones_before, ones_behind = (1,) * axis, (1,) * (len(axes) - axis - 1)
        where.append(places.reshape(places.shape[:-1] + ones_before + places.shape[-1:] + ones_behind))
        weights = weights * values.reshape(values.shape[:-1] + ones_before + values.shape[-1:] + ones_behind)
    terms = weights.reshape(weights.shape + (1,) * (c.ndim - len(axes))) * c[tuple(where)]
    return np.sum(terms, axis=tuple(range(x.ndim, x.ndim + len(axes))))


def coefficients_of(x: Any, y: Any, t: Any, k: int, bc_type: Any) -> Any:
    """The coefficients of the spline through values y at x whose derivatives at the ends are zero."""
    orders = _ORDERS[bc_type]
    n, given = len(t) - k - 1, len(orders)
    inner = interpolate.BSpline.design_matrix(np.asarray(x, float), t, k).tocoo()
    bands = np.zeros((2 * k + 1, n))
    bands[k + inner.row + given - inner.col, inner.col] = inner.data
    for row, order in enumerate(orders):
        for end, i, first in ((x[0], row, 0), (x[-1], n - given + row, n - k - 1)):
            columns = np.arange(first, first + k + 1)
            bands[k + i - columns, columns] = sum_of_basis(
                [(t, k, order, np.asarray(end, float))], np.eye(n, k + 1, -first)
            )
    none = np.zeros((given, *y.shape[1:]))
    right = np.concatenate([none, y, none])
    return linalg.solve_banded((k, k), bands, right.reshape(n, -1)).reshape((n, *y.shape[1:]))
