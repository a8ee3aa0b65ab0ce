"""Median, percentiles and quantiles, of all elements or of those that are not NaN.

Each is the weighted mean of two elements that are neighbours in order, and which these are does not depend on the values:
NumPy itself says it, when it is given the ranks of the elements in place of them. Equal elements have their order; where
NumPy's result is NaN, it is the last one in order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .._registry import jvp, steps, vjp
from ._helpers import binned, inverse_order, negative_axes, stable_order

# alpha and beta of the continuous methods: the rank is n q + alpha + q (1 - alpha - beta) - 1 (R. J. Hyndman and Y. Fan,
# "Sample quantiles in statistical packages", 1996).
_CONTINUOUS: dict[str, tuple[float, float]] = {
    "interpolated_inverted_cdf": (0, 1),
    "hazen": (0.5, 0.5),
    "weibull": (0, 0),
    "linear": (1, 1),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}


class _Rows(NamedTuple):
    """The axes that are reduced as one last axis; ``order`` sorts it, ``last`` is the rank of the last number that is not
    NaN, and the ranks are of the shape of the argument."""

    order: Any
    ranks: Any
    last: Any
    axes: tuple[int, ...]


def _as_rows(a: Any, axes: tuple[int, ...], ndim: int) -> Any:
    """``axes`` of the last ``ndim`` axes flattened into one last axis; other axes, and a batch, in front."""
    moved = np.moveaxis(a, axes, range(-len(axes), 0))
    n = 1
    for length in moved.shape[moved.ndim - len(axes) :]:
        n *= length
    return moved.reshape((*moved.shape[: moved.ndim - len(axes)], n))


def _from_rows(rows: Any, axes: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """The inverse of `_as_rows`, for an array of this shape behind a batch."""
    ndim = len(shape)
    kept = [n for i, n in enumerate(shape) if i - ndim not in axes]
    batch = rows.shape[: rows.ndim - len(kept) - 1]
    moved = rows.reshape((*batch, *kept, *[shape[n] for n in axes]))
    return np.moveaxis(moved, range(-len(axes), 0), axes)


def _rows(a: Any, axis: Any) -> _Rows:
    axes = negative_axes(axis, a.ndim)
    values = _as_rows(a, axes, a.ndim)
    order = stable_order(values, -1)
    real = values.real.dtype if values.dtype.kind in "fc" else np.dtype(np.float64)
    # NumPy computes in the precision of the elements; ranks must be exact in it.
    dtype = real if values.shape[-1] * np.finfo(real).eps < 1 else np.float64
    hole = np.isnan(values)
    ranks = np.where(hole, np.nan, inverse_order(order, -1)).astype(dtype)
    return _Rows(order, _from_rows(ranks, axes, a.shape), values.shape[-1] - 1 - np.sum(hole, axis=-1), axes)


class _Places(NamedTuple):
    """Places, in the flattened rows, of the two elements behind each result, and the weight of the second one."""

    first: Any
    second: Any
    weight: Any
    axes: tuple[int, ...]


def _places(rank_of: Callable, a: Any, axis: Any) -> _Places:
    """``rank_of`` gives the mean ranks from the ranks of all elements."""
    rows = _rows(a, axis)
    n = rows.order.shape[-1]
    rank = np.asarray(rank_of(rows.ranks))
    is_nan = np.isnan(rank)
    rank = np.where(is_nan, n - 1, rank)
    # The last element ends the piece before it.
    low = np.where(is_nan, n - 1, np.clip(np.floor(rank), 0, np.maximum(rows.last - 1, 0))).astype(np.intp)
    number = np.arange(rows.order[..., 0].size).reshape(rows.order.shape[:-1])
    order = rows.order.reshape(-1)
    return _Places(
        number * n + order[number * n + low],
        number * n + order[number * n + np.minimum(low + 1, n - 1)],
        rank - low,
        rows.axes,
    )


def _pull(places: _Places, ct: Any, a_spec: Any, ans_spec: Any) -> Any:
    ndim = np.ndim(places.first)
    ct = ct.reshape(ct.shape[: ct.ndim - ans_spec.ndim] + np.shape(places.first))
    sums = binned((1 - places.weight) * ct, places.first, a_spec.size, ndim)
    sums = sums + binned(places.weight * ct, places.second, a_spec.size, ndim)
    kept = [n for i, n in enumerate(a_spec.shape) if i - a_spec.ndim not in places.axes]
    length = a_spec.size // max(int(np.prod(kept)), 1)
    return _from_rows(sums.reshape(*sums.shape[:-1], *kept, length), places.axes, a_spec.shape)


def _push(places: _Places, tangent: Any, a_spec: Any, ans_spec: Any) -> Any:
    batch = tangent.shape[: tangent.ndim - a_spec.ndim]
    flat = _as_rows(tangent, places.axes, a_spec.ndim).reshape(*batch, a_spec.size)
    change = (1 - places.weight) * flat[..., places.first] + places.weight * flat[..., places.second]
    return change.reshape(batch + ans_spec.shape)


def _empty(a_spec: Any) -> bool:
    """Without elements there is nothing that the result could depend on."""
    return a_spec.size == 0


def _declare_median(function: Callable) -> None:
    @vjp(function, "a")
    def median_vjp(ct: Any, a: Any, axis: Any, a_spec: Any, ans_spec: Any) -> Any:
        if _empty(a_spec):
            return np.zeros(ct.shape[: ct.ndim - ans_spec.ndim] + a_spec.shape, ct.dtype)
        return _pull(_places(lambda ranks: function(ranks, axis), a, axis), ct, a_spec, ans_spec)

    @jvp(function, "a")
    def median_jvp(tangent: Any, a: Any, axis: Any, a_spec: Any, ans_spec: Any) -> Any:
        if _empty(a_spec):
            return np.zeros(tangent.shape[: tangent.ndim - a_spec.ndim] + ans_spec.shape, tangent.dtype)
        return _push(_places(lambda ranks: function(ranks, axis), a, axis), tangent, a_spec, ans_spec)


_declare_median(np.median)
_declare_median(np.nanmedian)


def _declare_quantile(function: Callable, scale: float, passes_nan: bool) -> None:
    """``scale`` is the value of q that stands for all elements."""

    def places(a: Any, q: Any, axis: Any, method: str, weights: Any) -> _Places:
        if type(q) in (int, float) and a.dtype.kind == "f":
            q = np.asarray(q, a.dtype)
        given_weights = {} if weights is None else {"weights": weights}
        return _places(lambda ranks: function(ranks, q, axis, method=method, **given_weights), a, axis)

    @vjp(function, "a")
    def quantile_vjp(
        ct: Any, a: Any, q: Any, axis: Any, method: Any, weights: Any, a_spec: Any, ans_spec: Any
    ) -> Any:
        if _empty(a_spec):
            return np.zeros(ct.shape[: ct.ndim - ans_spec.ndim] + a_spec.shape, ct.dtype)
        return _pull(places(a, q, axis, method, weights), ct, a_spec, ans_spec)

    @jvp(function, "a")
    def quantile_jvp(
        tangent: Any, a: Any, q: Any, axis: Any, method: Any, weights: Any, a_spec: Any, ans_spec: Any
    ) -> Any:
        if _empty(a_spec):
            return np.zeros(tangent.shape[: tangent.ndim - a_spec.ndim] + ans_spec.shape, tangent.dtype)
        return _push(places(a, q, axis, method, weights), tangent, a_spec, ans_spec)

    def slope(a: Any, q: Any, axis: Any, method: str, weights: Any) -> Any:
        """The change of the result with the rank, times that of the rank with q; 0 beyond the first and last element."""
        a, q = np.asarray(a), np.asarray(q)
        p = places(a, q, axis, method, weights)
        if method not in _CONTINUOUS or weights is not None:
            return np.zeros(np.shape(p.first))
        alpha, beta = _CONTINUOUS[method]
        flat = _as_rows(a, p.axes, a.ndim)
        n = np.sum(~np.isnan(flat), axis=-1) if passes_nan else flat.shape[-1]
        share = (q / scale).reshape(q.shape + (1,) * (np.ndim(p.first) - q.ndim))
        rank = n * share + alpha + share * (1 - alpha - beta) - 1
        inside = (rank >= 0) & (rank <= n - 1)
        flat = flat.reshape(-1)
        return inside * (n + 1 - alpha - beta) / scale * (flat[p.second] - flat[p.first])

    @vjp(function, "q")
    def quantile_vjp_q(ct: Any, a: Any, q: Any, axis: Any, method: Any, weights: Any, q_spec: Any, ans_spec: Any) -> Any:
        made = slope(a, q, axis, method, weights)
        flow = ct.reshape(ct.shape[: ct.ndim - ans_spec.ndim] + made.shape) * made
        return np.sum(flow, axis=tuple(range(q_spec.ndim - made.ndim, 0))) if made.ndim > q_spec.ndim else flow

    @jvp(function, "q")
    def quantile_jvp_q(
        tangent: Any, a: Any, q: Any, axis: Any, method: Any, weights: Any, q_spec: Any, ans_spec: Any
    ) -> Any:
        made = slope(a, q, axis, method, weights)
        change = tangent.reshape(tangent.shape + (1,) * (made.ndim - q_spec.ndim)) * made
        return change.reshape(tangent.shape[: tangent.ndim - q_spec.ndim] + ans_spec.shape)

    steps(function, "weights")


_declare_quantile(np.quantile, 1, False)
_declare_quantile(np.nanquantile, 1, True)
_declare_quantile(np.percentile, 100, False)
_declare_quantile(np.nanpercentile, 100, True)
