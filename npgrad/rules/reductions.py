"""Sums, products, extremes, and their running forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._registry import jvp, vjp
from ._helpers import chosen, flag, given, negative_axes, negative_axis, only_chosen, put_back, stretch

# --- Sums ----------------------------------------------------------------------------------------------------------


@vjp(np.sum, "a")
def sum_vjp(ct: Any, a_spec: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    return chosen(stretch(ct if ct.ndim == 0 else put_back(ct, axis, keepdims, a_spec), a_spec), where)


@jvp(np.sum, "a")
def sum_jvp(tangent: Any, a_spec: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    return np.sum(chosen(tangent, where), axis=negative_axes(axis, a_spec.ndim), keepdims=flag(keepdims))


@vjp(np.sum, "initial")
def sum_initial_vjp(ct: Any) -> Any:
    return ct


@jvp(np.sum, "initial")
def sum_initial_jvp(tangent: Any, ans_spec: Any) -> Any:
    return tangent.reshape(tangent.shape + (1,) * ans_spec.ndim)


def count(a_spec: Any, ans_spec: Any, where: Any, axis: Any, keepdims: Any) -> Any:
    """How many elements go into each mean. NumPy adds up what chooses them, also where that is no truth value."""
    if where is True or not given(where):
        return a_spec.size / max(ans_spec.size, 1)
    counted = np.broadcast_to(where, a_spec.shape)
    return np.sum(counted, axis=negative_axes(axis, a_spec.ndim), keepdims=flag(keepdims))


@vjp(np.mean, "a")
def mean_vjp(ct: Any, a_spec: Any, ans_spec: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    return sum_vjp(ct / count(a_spec, ans_spec, where, axis, keepdims), a_spec, axis, keepdims, where)


@jvp(np.mean, "a")
def mean_jvp(tangent: Any, a_spec: Any, ans_spec: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    total = np.sum(chosen(tangent, where), axis=negative_axes(axis, a_spec.ndim), keepdims=flag(keepdims))
    return total / count(a_spec, ans_spec, where, axis, keepdims)


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


def _factors(a: Any, ans: Any) -> Any:
    """What is multiplied: with ``dtype=float`` the real parts of complex numbers."""
    return a if ans.dtype.kind == "c" else np.real(a)


def _prod_partial(a: Any, axis: Any, where: Any, initial: Any, ans_spec: Any) -> Any:
    """d prod / d a, of the shape of a."""
    a = only_chosen(_factors(a, ans_spec), where, 1)
    rows = _rows(a, axis, a.ndim)
    others = _others(rows) if rows.shape[-1] else rows
    axes = negative_axes(axis, a.ndim)
    kept = [n for i, n in enumerate(a.shape) if i - a.ndim not in axes]
    reduced = [a.shape[n] for n in axes]
    partial = np.moveaxis(others.reshape(*kept, *reduced), range(-len(axes), 0), axes) if axes else others[..., 0]
    if given(initial):
        partial = partial * initial
    return chosen(partial, where)


@vjp(np.prod, "a")
def prod_vjp(
    ct: Any, a: Any, axis: Any, keepdims: Any, where: Any, initial: Any, a_spec: Any, ans_spec: Any
) -> Any:
    partial = _prod_partial(a, axis, where, initial, ans_spec)
    return put_back(ct, axis, keepdims, a_spec) * np.conjugate(partial)


@jvp(np.prod, "a")
def prod_jvp(tangent: Any, a: Any, axis: Any, keepdims: Any, where: Any, initial: Any, ans_spec: Any) -> Any:
    product = chosen(_factors(tangent, ans_spec), where) * _prod_partial(a, axis, where, initial, ans_spec)
    return np.sum(product, axis=negative_axes(axis, a.ndim), keepdims=flag(keepdims))


def _prod_of_rest(a: Any, axis: Any, keepdims: Any, where: Any, ans_spec: Any) -> Any:
    """The factor of ``initial``."""
    factors = only_chosen(_factors(a, ans_spec), where, 1)
    return np.prod(factors, axis=negative_axes(axis, np.ndim(a)), keepdims=flag(keepdims))


@vjp(np.prod, "initial")
def prod_initial_vjp(ct: Any, a: Any, axis: Any, keepdims: Any, where: Any, ans_spec: Any) -> Any:
    return ct * np.conjugate(_prod_of_rest(a, axis, keepdims, where, ans_spec))


@jvp(np.prod, "initial")
def prod_initial_jvp(tangent: Any, a: Any, axis: Any, keepdims: Any, where: Any, ans_spec: Any) -> Any:
    return tangent.reshape(tangent.shape + (1,) * ans_spec.ndim) * _prod_of_rest(a, axis, keepdims, where, ans_spec)


def _running_rows(a: Any, axis: Any, ndim: int) -> Any:
    """The axis along which products run as the last one, all axes for None; a batch in front."""
    if axis is None or not ndim:
        return a.reshape(*a.shape[: a.ndim - ndim], math.prod(a.shape[a.ndim - ndim :]))
    return np.moveaxis(a, negative_axis(axis, ndim), -1)


def _from_running_rows(rows: Any, axis: Any, shape: tuple[int, ...]) -> Any:
    if axis is None or not shape:
        return rows.reshape(rows.shape[:-1] + shape)
    return np.moveaxis(rows, -1, negative_axis(axis, len(shape)))


def _may_divide(a: Any, products: Any) -> bool:
    """Whether each factor can be taken out of the products by a division."""
    return bool(np.all(np.abs(a) > np.finfo(a.dtype).tiny) and np.all(np.isfinite(products)))


def _cumprod_pull(ct: Any, a: Any, products: Any) -> Any:
    """Along the last axis: each factor is in all products from its own on."""
    if _may_divide(a, products):
        return np.flip(np.cumsum(np.flip(ct * np.conjugate(products), -1), axis=-1), -1) / np.conjugate(a)
    flow, parts = 0, []
    for i in reversed(range(a.shape[-1])):
        flow = ct[..., i] + (flow * np.conjugate(a[..., i + 1]) if i + 1 < a.shape[-1] else 0)
        parts.append(flow * np.conjugate(products[..., i - 1]) if i else flow)
    return np.stack(parts[::-1], axis=-1)


def _cumprod_push(tangent: Any, a: Any, products: Any) -> Any:
    if _may_divide(a, products):
        return products * np.cumsum(tangent / a, axis=-1)
    change, parts = 0, []
    for i in range(a.shape[-1]):
        change = change * a[..., i] + tangent[..., i] * (products[..., i - 1] if i else 1)
        parts.append(change)
    return np.stack(parts, axis=-1)


def cumprod_vjp(ct: Any, a: Any, ans: Any, axis: Any, a_spec: Any) -> Any:
    rows = _running_rows(_factors(a, ans), axis, a_spec.ndim)
    if not rows.size:
        return ct.reshape(ct.shape[: ct.ndim - np.ndim(ans)] + a_spec.shape)
    ct, products = _running_rows(ct, axis, np.ndim(ans)), _running_rows(ans, axis, np.ndim(ans))
    return _from_running_rows(_cumprod_pull(ct, rows, products), axis, a_spec.shape)


def cumprod_jvp(tangent: Any, a: Any, ans: Any, axis: Any, a_spec: Any) -> Any:
    rows = _running_rows(_factors(a, ans), axis, a_spec.ndim)
    if not rows.size:
        return tangent.reshape(tangent.shape[: tangent.ndim - a_spec.ndim] + np.shape(ans))
    tangent, products = _running_rows(tangent, axis, a_spec.ndim), _running_rows(ans, axis, np.ndim(ans))
    return _from_running_rows(_cumprod_push(tangent, rows, products), axis, np.shape(ans))


vjp(np.cumprod, "a")(cumprod_vjp)
jvp(np.cumprod, "a")(cumprod_jvp)

# --- The same, in the array API's names ----------------------------------------------------------------------------


def _running_axis(axis: Any, x_spec: Any) -> int:
    return -1 if axis is None else negative_axis(axis, x_spec.ndim)


def _first(a: Any, axis: int) -> Any:
    return a[(..., slice(1), *(slice(None),) * (-1 - axis))]


def _behind_first(a: Any, axis: int) -> Any:
    return a[(..., slice(1, None), *(slice(None),) * (-1 - axis))]


def _declare_cumulative(function: Any, pull: Any, push: Any) -> None:
    @vjp(function, "x")
    def cumulative_vjp(ct: Any, x: Any, ans: Any, axis: Any, include_initial: Any, x_spec: Any) -> Any:
        axis = _running_axis(axis, x_spec)
        if include_initial:
            ct, ans = _behind_first(ct, axis), _behind_first(ans, axis)
        return pull(ct, x, ans, axis, x_spec)

    @jvp(function, "x")
    def cumulative_jvp(tangent: Any, x: Any, ans: Any, axis: Any, include_initial: Any, x_spec: Any) -> Any:
        axis = _running_axis(axis, x_spec)
        change = push(tangent, x, _behind_first(ans, axis) if include_initial else ans, axis, x_spec)
        shape = list(change.shape)
        shape[axis] = 1
        return np.concatenate([np.zeros(shape, change.dtype), change], axis=axis) if include_initial else change


_declare_cumulative(
    np.cumulative_sum,
    lambda ct, x, ans, axis, x_spec: cumsum_vjp(ct, x_spec, axis),
    lambda tangent, x, ans, axis, x_spec: cumsum_jvp(tangent, x_spec, axis),
)
_declare_cumulative(np.cumulative_prod, cumprod_vjp, cumprod_jvp)

# --- Extremes ------------------------------------------------------------------------------------------------------


def extreme_share(a: Any, ans: Any, axis: Any, keepdims: Any, where: Any, a_spec: Any) -> Any:
    """The share of each element in the extreme: ties share equally. A batch of ``ans`` does not occur here."""
    extreme = put_back(np.asarray(ans), axis, keepdims, a_spec)
    attained = (a == extreme) | (np.isnan(a) & np.isnan(extreme))
    if given(where) and where is not True:
        attained = attained & np.asarray(where, bool)
    return attained / np.maximum(np.sum(attained, axis=negative_axes(axis, a_spec.ndim), keepdims=True), 1)


def _initial_wins(a: Any, ans: Any, initial: Any, axis: Any, keepdims: Any, where: Any, a_spec: Any) -> Any:
    """Where ``initial`` is the extreme and no element is."""
    share = extreme_share(a, ans, axis, keepdims, where, a_spec)
    reached = np.sum(share, axis=negative_axes(axis, a_spec.ndim), keepdims=flag(keepdims))
    return (ans == initial) & (reached == 0)


def declare_extreme(function: Any, seen: Any = lambda a, where: where) -> None:
    """``seen`` says which elements the function looks at."""

    @vjp(function, "initial")
    def initial_vjp(
        ct: Any, a: Any, ans: Any, initial: Any, axis: Any, keepdims: Any, where: Any, a_spec: Any
    ) -> Any:
        return ct * _initial_wins(a, ans, initial, axis, keepdims, seen(a, where), a_spec)

    @jvp(function, "initial")
    def initial_jvp(
        tangent: Any, a: Any, ans: Any, initial: Any, axis: Any, keepdims: Any, where: Any, a_spec: Any, ans_spec: Any
    ) -> Any:
        wins = _initial_wins(a, ans, initial, axis, keepdims, seen(a, where), a_spec)
        return tangent.reshape(tangent.shape + (1,) * ans_spec.ndim) * wins

    @vjp(function, "a")
    def extreme_vjp(ct: Any, a: Any, ans: Any, axis: Any, keepdims: Any, where: Any, a_spec: Any) -> Any:
        share = extreme_share(a, ans, axis, keepdims, seen(a, where), a_spec)
        return put_back(ct, axis, keepdims, a_spec) * share

    @jvp(function, "a")
    def extreme_jvp(tangent: Any, a: Any, ans: Any, axis: Any, keepdims: Any, where: Any, a_spec: Any) -> Any:
        where = seen(a, where)
        share = extreme_share(a, ans, axis, keepdims, where, a_spec)
        return np.sum(chosen(tangent, where) * share, axis=negative_axes(axis, a_spec.ndim), keepdims=flag(keepdims))


for _function in {np.max, np.min, np.amax, np.amin}:
    declare_extreme(_function)


@vjp(np.ptp, "a")
def ptp_vjp(ct: Any, a: Any, axis: Any, keepdims: Any, a_spec: Any) -> Any:
    return put_back(ct, axis, keepdims, a_spec) * _share_in_range(a, axis, a_spec)


@jvp(np.ptp, "a")
def ptp_jvp(tangent: Any, a: Any, axis: Any, keepdims: Any, a_spec: Any) -> Any:
    share = _share_in_range(a, axis, a_spec)
    return np.sum(tangent * share, axis=negative_axes(axis, a_spec.ndim), keepdims=flag(keepdims))


def _share_in_range(a: Any, axis: Any, a_spec: Any) -> Any:
    ends = [np.asarray(end(a, axis=axis, keepdims=True)) for end in (np.max, np.min)]
    high, low = [extreme_share(a, end, axis, True, None, a_spec) for end in ends]
    return high - low
