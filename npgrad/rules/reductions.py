"""Sums, products, extremes, and their running forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._registry import body, composite, jvp, vjp
from ._helpers import fixed, flag, given, negative_axes, negative_axis, put_back, stretch


def _only(value: Any, where: Any, otherwise: int) -> Any:
    return value if where is True or not given(where) else np.where(where, value, otherwise)


def _chosen(value: Any, where: Any) -> Any:
    return _only(value, where, 0)


# --- Sums ----------------------------------------------------------------------------------------------------------


@vjp(np.sum, "a")
def sum_vjp(ct: Any, a_spec: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    return _chosen(stretch(put_back(ct, axis, keepdims, a_spec), a_spec), where)


@jvp(np.sum, "a")
def sum_jvp(tangent: Any, a_spec: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    return np.sum(_chosen(tangent, where), axis=negative_axes(axis, a_spec.ndim), keepdims=flag(keepdims))


@vjp(np.sum, "initial")
def sum_initial_vjp(ct: Any) -> Any:
    return ct


@jvp(np.sum, "initial")
def sum_initial_jvp(tangent: Any, ans_spec: Any) -> Any:
    return tangent.reshape(tangent.shape + (1,) * ans_spec.ndim)


def _count(a_spec: Any, ans_spec: Any, where: Any, axis: Any, keepdims: Any) -> Any:
    """How many elements go into each mean."""
    if where is True or not given(where):
        return a_spec.size / max(ans_spec.size, 1)
    counted = np.broadcast_to(np.asarray(where, bool), a_spec.shape)
    return np.sum(counted, axis=negative_axes(axis, a_spec.ndim), keepdims=flag(keepdims))


@vjp(np.mean, "a")
def mean_vjp(ct: Any, a_spec: Any, ans_spec: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    ct = ct / _count(a_spec, ans_spec, where, axis, keepdims)
    return _chosen(stretch(put_back(ct, axis, keepdims, a_spec), a_spec), where)


@jvp(np.mean, "a")
def mean_jvp(tangent: Any, a_spec: Any, ans_spec: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    total = np.sum(_chosen(tangent, where), axis=negative_axes(axis, a_spec.ndim), keepdims=flag(keepdims))
    return total / _count(a_spec, ans_spec, where, axis, keepdims)


@vjp(np.cumsum, "a")
def cumsum_vjp(ct: Any, a_spec: Any, axis: Any) -> Any:
    n = -1 if axis is None or not a_spec.ndim else negative_axis(axis, a_spec.ndim)
    summed = np.flip(np.cumsum(np.flip(ct, n), axis=n), n)
    return summed.reshape(ct.shape[:-1] + a_spec.shape) if axis is None or not a_spec.ndim else summed


@jvp(np.cumsum, "a")
def cumsum_jvp(tangent: Any, a_spec: Any, axis: Any) -> Any:
    if axis is None or not a_spec.ndim:
        batch = tangent.shape[: tangent.ndim - a_spec.ndim]
        return np.cumsum(tangent.reshape(*batch, a_spec.size), axis=-1)
    return np.cumsum(tangent, axis=negative_axis(axis, a_spec.ndim))


# --- Products ------------------------------------------------------------------------------------------------------


def _rows(a: Any, axis: Any, ndim: int) -> Any:
    """The reduced axes flattened into one last axis; other axes, and a batch, in front."""
    axes = negative_axes(axis, ndim)
    if not axes:
        return a.reshape(*a.shape, 1)
    moved = np.moveaxis(a, axes, range(-len(axes), 0))
    n = math.prod(moved.shape[moved.ndim - len(axes) :])
    return moved.reshape(moved.shape[: moved.ndim - len(axes)] + (n,))


def _others(rows: Any) -> Any:
    """The product of all other elements of each row: running products from both sides, so that zeros do no harm."""
    ones = np.ones_like(rows[..., :1])
    before = np.cumprod(np.concatenate([ones, rows[..., :-1]], axis=-1), axis=-1)
    behind = np.flip(np.cumprod(np.concatenate([ones, np.flip(rows[..., 1:], -1)], axis=-1), axis=-1), -1)
    return before * behind


def _factors(a: Any, ans_spec: Any) -> Any:
    """What is multiplied: with ``dtype=float`` the real parts of complex numbers."""
    return a if ans_spec.dtype.kind == "c" else np.real(a)


def _prod_partial(a: Any, axis: Any, where: Any, initial: Any, ans_spec: Any) -> Any:
    """d prod / d a, of the shape of a."""
    a = _only(_factors(a, ans_spec), where, 1)
    rows = _rows(a, axis, a.ndim)
    others = _others(rows) if rows.shape[-1] else rows
    axes = negative_axes(axis, a.ndim)
    kept = [n for i, n in enumerate(a.shape) if i - a.ndim not in axes]
    reduced = [a.shape[n] for n in axes]
    partial = np.moveaxis(others.reshape(*kept, *reduced), range(-len(axes), 0), axes) if axes else others[..., 0]
    if given(initial):
        partial = partial * initial
    return _chosen(partial, where)


@vjp(np.prod, "a")
def prod_vjp(
    ct: Any, a: Any, axis: Any, keepdims: Any, where: Any, initial: Any, a_spec: Any, ans_spec: Any
) -> Any:
    partial = _prod_partial(a, axis, where, initial, ans_spec)
    return put_back(ct, axis, keepdims, a_spec) * np.conjugate(partial)


@jvp(np.prod, "a")
def prod_jvp(tangent: Any, a: Any, axis: Any, keepdims: Any, where: Any, initial: Any, ans_spec: Any) -> Any:
    product = _factors(tangent, ans_spec) * _prod_partial(a, axis, where, initial, ans_spec)
    return np.sum(product, axis=negative_axes(axis, a.ndim), keepdims=flag(keepdims))


def _prod_of_rest(a: Any, axis: Any, keepdims: Any, where: Any, ans_spec: Any) -> Any:
    """The factor of ``initial``."""
    return np.prod(_only(_factors(a, ans_spec), where, 1), axis=negative_axes(axis, np.ndim(a)), keepdims=flag(keepdims))


@vjp(np.prod, "initial")
def prod_initial_vjp(ct: Any, a: Any, axis: Any, keepdims: Any, where: Any, ans_spec: Any) -> Any:
    return ct * np.conjugate(_prod_of_rest(a, axis, keepdims, where, ans_spec))


@jvp(np.prod, "initial")
def prod_initial_jvp(tangent: Any, a: Any, axis: Any, keepdims: Any, where: Any, ans_spec: Any) -> Any:
    return tangent.reshape(tangent.shape + (1,) * ans_spec.ndim) * _prod_of_rest(a, axis, keepdims, where, ans_spec)


@body(np.cumprod)
def cumprod_body(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """One multiplication per element along the axis: right also behind a zero."""
    a = a if dtype is None else a.astype(dtype)
    rows = a.reshape(-1) if axis is None or not a.ndim else np.moveaxis(a, axis, 0)
    made = rows.copy()
    for i in range(1, len(made)):
        made[i] = made[i - 1] * rows[i]
    return made if axis is None or not a.ndim else np.moveaxis(made, 0, axis).copy()


# --- Extremes ------------------------------------------------------------------------------------------------------


def _extreme_share(a: Any, ans: Any, axis: Any, keepdims: Any, where: Any, a_spec: Any) -> Any:
    """The share of each element in the extreme: ties share equally. A batch of ``ans`` does not occur here."""
    extreme = put_back(np.asarray(ans), axis, keepdims, a_spec)
    chosen = (a == extreme) | (np.isnan(a) & np.isnan(extreme))
    if given(where) and where is not True:
        chosen = chosen & where
    count = np.sum(chosen, axis=negative_axes(axis, a_spec.ndim), keepdims=True)
    return chosen / np.maximum(count, 1)


def _initial_wins(a: Any, ans: Any, initial: Any, axis: Any, keepdims: Any, where: Any, a_spec: Any) -> Any:
    """Where ``initial`` is the extreme and no element is."""
    share = _extreme_share(a, ans, axis, keepdims, where, a_spec)
    reached = np.sum(share, axis=negative_axes(axis, a_spec.ndim), keepdims=flag(keepdims))
    return (ans == initial) & (reached == 0)


def _declare_extreme(function: Any) -> None:
    @vjp(function, "initial")
    def initial_vjp(
        ct: Any, a: Any, ans: Any, initial: Any, axis: Any, keepdims: Any, where: Any, a_spec: Any
    ) -> Any:
        return ct * _initial_wins(a, ans, initial, axis, keepdims, where, a_spec)

    @jvp(function, "initial")
    def initial_jvp(
        tangent: Any, a: Any, ans: Any, initial: Any, axis: Any, keepdims: Any, where: Any, a_spec: Any, ans_spec: Any
    ) -> Any:
        wins = _initial_wins(a, ans, initial, axis, keepdims, where, a_spec)
        return tangent.reshape(tangent.shape + (1,) * ans_spec.ndim) * wins

    @vjp(function, "a")
    def extreme_vjp(ct: Any, a: Any, ans: Any, axis: Any, keepdims: Any, where: Any, a_spec: Any) -> Any:
        return put_back(ct, axis, keepdims, a_spec) * _extreme_share(a, ans, axis, keepdims, where, a_spec)

    @jvp(function, "a")
    def extreme_jvp(tangent: Any, a: Any, ans: Any, axis: Any, keepdims: Any, where: Any, a_spec: Any) -> Any:
        share = _extreme_share(a, ans, axis, keepdims, where, a_spec)
        return np.sum(tangent * share, axis=negative_axes(axis, a_spec.ndim), keepdims=flag(keepdims))


for _function in {np.max, np.min, np.amax, np.amin}:
    _declare_extreme(_function)

# --- Deviations ----------------------------------------------------------------------------------------------------


def _declare_deviation(function: Any, variance: Any) -> None:
    @body(function)
    def deviation_body(a: Any, axis: Any = None, dtype: Any = None, **kwargs: Any) -> Any:
        """The root of the variance. Like the norm, it has the derivative 0 where all values are equal."""
        squared = variance(a, axis, dtype, **kwargs)
        is_zero = squared == 0
        return np.where(is_zero, 0, np.sqrt(np.where(is_zero, 1, squared)))


_declare_deviation(np.std, np.var)
_declare_deviation(np.nanstd, np.nanvar)



def _declare_nan_extreme(function: Any, extreme: Any, worst: float) -> None:
    @body(function)
    def nan_extreme_body(a: Any, axis: Any = None, **settings: Any) -> Any:
        """The extreme with NaN as the worst; NaN where there is nothing else."""
        missing = np.isnan(a)
        made = extreme(np.where(missing, worst, a), axis, **settings)
        if "initial" in settings:
            settings["initial"] = fixed(settings["initial"])
        return np.where(np.isnan(function(fixed(a), axis, **settings)), np.nan, made)


_declare_nan_extreme(np.nanmax, np.max, -np.inf)
_declare_nan_extreme(np.nanmin, np.min, np.inf)

# --- By NumPy's own code -------------------------------------------------------------------------------------------

composite(
    np.var, np.ptp, np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nancumsum,
    np.nancumprod, np.cumulative_sum, np.cumulative_prod,
)  # fmt: skip
