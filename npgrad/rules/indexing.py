"""Choosing elements, by index, by condition, in order; and the functions that write."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .._compat import signature_of
from .._registry import body, by_index, composite, jvp, steps, vjp, write
from ._helpers import fixed, inverse_order, negative_axis, stable_order


@vjp(np.where, "x", "y")
def where_vjp(ct: Any, condition: Any) -> Any:
    return np.where(condition, ct, 0), np.where(condition, 0, ct)


@jvp(np.where, "x")
def where_jvp_x(tangent: Any, condition: Any, x_spec: Any, ans_spec: Any) -> Any:
    return np.where(condition, _behind_batch(tangent, x_spec, ans_spec), 0)


@jvp(np.where, "y")
def where_jvp_y(tangent: Any, condition: Any, y_spec: Any, ans_spec: Any) -> Any:
    return np.where(condition, 0, _behind_batch(tangent, y_spec, ans_spec))


def _behind_batch(tangent: Any, spec: Any, ans_spec: Any) -> Any:
    batch = tangent.shape[: tangent.ndim - spec.ndim]
    return tangent.reshape(batch + (1,) * (ans_spec.ndim - spec.ndim) + spec.shape)


steps(np.where, "condition")


@by_index(np.take)
def take_key(a: Any, indices: Any, axis: Any = None, mode: str = "raise") -> tuple[Any, Any]:
    a = np.asarray(a)
    if axis is None or not a.ndim:
        a, axis = a.reshape(-1), 0
    n = a.shape[axis]
    indices = np.asarray(indices).astype(np.intp)  # of a list np.take takes floats too
    if mode == "wrap":
        indices = indices % n
    elif mode == "clip":
        indices = np.clip(indices, 0, n - 1)
    return a, (*(slice(None),) * (axis % a.ndim), indices)


@by_index(np.compress)
def compress_key(condition: Any, a: Any, axis: Any = None) -> tuple[Any, Any]:
    return take_key(a, np.flatnonzero(condition), axis)


@by_index(np.extract)
def extract_key(condition: Any, arr: Any) -> tuple[Any, Any]:
    return take_key(arr, np.flatnonzero(condition))


# --- In order ------------------------------------------------------------------------------------------------------

def _declare_ordered(function: Any, order_of: Any) -> None:
    """``order_of`` gives the order from the argument, its axis, and what else the function was given."""

    def places(a: Any, axis: Any, more: Any) -> tuple[Any, int]:
        if axis is None:
            return order_of(a.reshape(-1), -1, more), -1
        n = negative_axis(axis, a.ndim)
        return order_of(a, n, more), n

    def pull(ct: Any, a: Any, axis: Any, more: Any, a_spec: Any) -> Any:
        order, n = places(a, axis, more)
        back = inverse_order(order, n)
        taken = np.take_along_axis(ct, back.reshape((1,) * (ct.ndim - back.ndim) + back.shape), n)
        return taken.reshape(ct.shape[: ct.ndim - back.ndim] + a_spec.shape)

    def push(tangent: Any, a: Any, axis: Any, more: Any, a_spec: Any) -> Any:
        order, n = places(a, axis, more)
        flat = tangent.reshape(tangent.shape[: tangent.ndim - a_spec.ndim] + np.shape(order))
        return np.take_along_axis(flat, order.reshape((1,) * (flat.ndim - order.ndim) + order.shape), n)

    if "kth" in signature_of(function).parameters:
        vjp(function, "a")(lambda ct, a, axis, kth, kind, a_spec: pull(ct, a, axis, (kth, kind), a_spec))
        jvp(function, "a")(lambda tangent, a, axis, kth, kind, a_spec: push(tangent, a, axis, (kth, kind), a_spec))
    else:
        vjp(function, "a")(lambda ct, a, axis, a_spec: pull(ct, a, axis, None, a_spec))
        jvp(function, "a")(lambda tangent, a, axis, a_spec: push(tangent, a, axis, None, a_spec))


_declare_ordered(np.sort, lambda a, axis, _: stable_order(a, axis))
# The same selection as NumPy's own: which of equal partitions it is, is not specified.
_declare_ordered(np.partition, lambda a, axis, how: np.argpartition(a, how[0], axis=axis, kind=how[1]))


@body(np.choose)
def choose_body(a: Any, choices: Any, mode: str = "raise") -> Any:
    parts = np.broadcast_arrays(np.asarray(a).astype(np.intp), *choices)
    number, stacked = parts[0], np.stack(parts[1:])
    if mode == "wrap":
        number = number % len(choices)
    elif mode == "clip":
        number = np.clip(number, 0, len(choices) - 1)
    return np.take_along_axis(stacked, number[None], 0)[0]


def _key_along_axis(shape: tuple, indices: Any, axis: int) -> tuple:
    """The index of all elements that ``indices`` choose along one axis."""
    axis %= len(shape)
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    return tuple(indices if n == axis else grid[n] for n in range(len(shape)))


@by_index(np.take_along_axis)
def take_along_axis_key(arr: Any, indices: Any, axis: Any = -1) -> tuple[Any, Any]:
    if axis is None:
        arr, axis = arr.reshape(-1), 0
    return arr, _key_along_axis(arr.shape, indices, axis)


composite(np.apply_along_axis, np.apply_over_axes, np.piecewise, calls_back=True)
composite(
    np.select, np.ix_, np.clip, np.logspace, np.geomspace,
    np.full_like, np.angle, np.nan_to_num, np.real_if_close,
)  # fmt: skip


@body(np.unwrap)
def unwrap_body(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * np.pi) -> Any:
    """Whole periods are added; how many, is constant. NumPy's code finds them by sums in which p cancels, and at jumps of
    half a period it does not see that."""
    values, length = fixed(p), fixed(period)
    discont = None if discont is None else fixed(discont)
    turns = np.round((np.unwrap(values, discont, axis, period=length) - values) / length)
    return p + period * turns


# --- Writes --------------------------------------------------------------------------------------------------------


@write(np.copyto)
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    given = _type_of(src)
    if not np.can_cast(given, dst.dtype, casting):
        raise TypeError(f"Cannot cast array data from {given!r} to {dst.dtype!r} according to the rule {casting!r}")
    if where is True:
        dst[...] = src
        return
    places = np.zeros(dst.shape, bool)
    np.copyto(places, True, where=where)  # as NumPy takes lists and numbers for truth values; its own errors
    src = np.asarray(src)
    src = src.reshape(src.shape[src.ndim - dst.ndim :] if src.ndim > dst.ndim else src.shape)  # NumPy drops axes of length 1
    dst[places] = np.broadcast_to(src, dst.shape)[places]


def _type_of(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return np.asarray(value).dtype
    return getattr(value, "dtype", None) or np.min_scalar_type(value)


@write(np.put)
def put(a: Any, ind: Any, v: Any, mode: Any = "raise") -> None:
    # NumPy takes lists and scalars of floats as indices, and refuses arrays of them.
    refused = isinstance(ind, np.ndarray) and not np.isscalar(ind) and ind.dtype.kind in "fc"
    ind = np.asarray(ind).reshape(-1)
    places = np.zeros(min(ind.size, 1), ind.dtype if refused else np.intp)
    np.put(ndarray(min(a.size, 1)), places, [0][: np.size(v)], mode)  # its own errors
    ind, v = np.real(ind).astype(np.intp), np.asarray(v, a.dtype).reshape(-1)
    beyond = np.flatnonzero((ind < -a.size) | (ind >= a.size)) if mode == "raise" else np.arange(0)
    if beyond.size and v.size:
        first = int(beyond[0])
        # Of others, and of those that the values look at, NumPy writes a copy first.
        if a.flags.c_contiguous and not (v.flags.c_contiguous and np.may_share_memory(a, v)):
            put(a, ind[:first], v)
        np.put(ndarray(a.size), ind[first], 0)  # its own error
    if not ind.size or not v.size:
        return
    if mode == "wrap":
        ind = ind % a.size
    elif mode == "clip":
        ind = np.clip(ind, 0, a.size - 1)
    a.flat[ind] = v[np.arange(ind.size) % v.size]


def _values(a: Any, values: Any) -> Any:
    """Lists are arrays of the destination's type, and arrays must be of one that goes into it."""
    return np.asarray(values, a.dtype) if isinstance(values, (list, tuple)) else values


def _check_cast(function: Any, a: Any, values: Any) -> None:
    """NumPy's own error for arrays, also without axes, of a type that is not safely cast; numbers are cast in any case."""
    if isinstance(values, np.ndarray) and not np.isscalar(values):
        function(ndarray(1, a.dtype), np.zeros(1, bool), ndarray((1,) * values.ndim, values.dtype))


def _places(function: Any, a: Any, mask: Any) -> Any:
    if np.size(mask) != a.size:
        function(ndarray(a.size), ndarray(np.size(mask), bool), ndarray(1))  # its own error
    return np.flatnonzero(mask)


@write(np.putmask)
def putmask(a: Any, mask: Any, values: Any) -> None:
    values = _values(a, values)
    _check_cast(np.putmask, a, values)
    places = _places(np.putmask, a, mask)
    if np.size(values) and places.size:
        a.flat[places] = np.asarray(values).reshape(-1)[places % np.size(values)]


@write(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    vals = _values(arr, vals)
    _check_cast(np.place, arr, vals)
    places = _places(np.place, arr, mask)
    if places.size:
        if not np.size(vals):
            raise ValueError("Cannot insert from an empty array!")
        vals = np.asarray(vals)
        in_memory = arr.flags.c_contiguous and vals.flags.c_contiguous and arr.dtype == vals.dtype
        vals = vals.reshape(-1)
        if in_memory and np.may_share_memory(arr, vals):  # NumPy copies neither: later ones see what earlier ones are now
            for n, k in enumerate(places):
                arr.flat[k] = vals[n % vals.size]
        else:
            arr.flat[places] = vals[np.arange(places.size) % vals.size]


@write(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    np.put_along_axis(ndarray(arr.shape), indices, ndarray(np.shape(values)), axis)  # its own errors
    if axis is None:
        arr.flat[indices] = values
        return
    arr[_key_along_axis(arr.shape, indices, axis)] = values


@write(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    if a.ndim < 2:
        raise ValueError("array must be at least 2-d")
    if a.ndim == 2:
        step, end = a.shape[1] + 1, None if wrap else a.shape[1] * a.shape[1]
    else:
        if len(set(a.shape)) > 1:
            raise ValueError("All dimensions of input must be of equal length")
        step, end = 1 + int(np.cumprod(a.shape[:-1]).sum()), None
    a.flat[:end:step] = val
