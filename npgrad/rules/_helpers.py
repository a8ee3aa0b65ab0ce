"""What several families of rules use."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .._compat import is_given as given
from .._registry import zero

# Up to this size filling an array is faster than np.broadcast_to, which is Python code.
_FILL_LIMIT = 4096


def ndim_of(value: Any) -> int:
    """The number of axes of an argument. Of an array it says so itself: NumPy's function would ask the hooks."""
    return value.ndim if isinstance(value, np.ndarray) else np.ndim(value)


def negative_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """An ``axis`` argument as a tuple of negative numbers, so that it means the same behind extra leading axes."""
    if axis is None or not ndim:  # NumPy takes axes 0 and -1 of 0-d arrays, which have none
        return tuple(range(-ndim, 0))
    if type(axis) is not tuple:
        axis = _given_axes(axis)
    return tuple([int(a) if a < 0 else int(a) - ndim for a in axis])


def _given_axes(axis: Any) -> tuple:
    """One axis, or some in a list, an array, a range: what is no integer is a collection of them, as NumPy has it. Of an
    iterator nothing is left when a rule asks."""
    try:
        return (operator.index(axis),)
    except TypeError:
        return tuple(axis) if hasattr(axis, "__len__") else (int(axis),)


def negative_axis(axis: Any, ndim: int) -> int:
    """The same for an argument that is one axis, which some functions take as a collection of one."""
    (axis,) = _given_axes(axis)
    return int(axis) if axis < 0 else int(axis) - ndim


def put_back(ct: Any, axis: Any, keepdims: Any, a_spec: Any) -> Any:
    """A cotangent of a reduction with the reduced axes as axes of length 1."""
    if flag(keepdims) or not a_spec.ndim:
        return ct
    if type(axis) is int:
        behind = ct.ndim + 1 + (axis if axis < 0 else axis - a_spec.ndim)
        return ct.reshape((*ct.shape[:behind], 1, *ct.shape[behind:]))
    axes = negative_axes(axis, a_spec.ndim)
    batch = ct.shape[: ct.ndim - (a_spec.ndim - len(axes))]
    inner = tuple(1 if i - a_spec.ndim in axes else n for i, n in enumerate(a_spec.shape))
    return ct.reshape(batch + inner)


def stretch(ct: Any, a_spec: Any) -> Any:
    """Repeat along axes of length 1, behind the batch."""
    shape = a_spec.shape
    batch = ct.ndim - len(shape)
    if batch > 0:
        shape = ct.shape[:batch] + shape
    plain = type(ct) is np.ndarray or issubclass(type(ct), np.generic)
    if plain and math.prod(shape) <= _FILL_LIMIT:
        made = np.empty(shape, ct.dtype)
        made[...] = ct
        return made
    return np.broadcast_to(ct, shape)


def only_chosen(value: Any, where: Any, otherwise: int) -> Any:
    return value if where is True or not given(where) else np.where(where, value, otherwise)


def chosen(value: Any, where: Any) -> Any:
    """The elements that a ``where=`` chooses, and zeros."""
    return only_chosen(value, where, 0)


def numbers(a: Any, where: Any = None) -> Any:
    """Which elements a function looks at that passes NaN over."""
    there = ~np.isnan(a)
    return there & np.asarray(where, bool) if given(where) and where is not True else there


def flag(value: Any) -> bool:
    """A keyword that may be NumPy's marker for "not given"."""
    return value is True or (value is not False and given(value) and bool(value))


def mT(a: Any) -> Any:
    """Transpose of the last two axes."""
    return np.swapaxes(a, -1, -2)


def mH(a: Any) -> Any:
    """Conjugate transpose of the last two axes."""
    return np.conjugate(np.swapaxes(a, -1, -2)) if np.iscomplexobj(a) else np.swapaxes(a, -1, -2)


def behind_batch(tangent: Any, spec: Any, ndim: int) -> Any:
    """A tangent of a broadcast argument with axes of length 1 behind the batch, so that it meets results of ``ndim``."""
    missing = ndim - spec.ndim
    batch = tangent.shape[: tangent.ndim - spec.ndim]
    return tangent.reshape(batch + (1,) * missing + tangent.shape[len(batch) :]) if missing > 0 else tangent


def fixed(a: Any) -> Any:
    """The values of an array as a constant, in floating point."""
    a = np.asarray(a)
    return values(a) if type(a) is np.ndarray else a.__array_function__(values, (type(a),), (a,), {})


def values(a: Any) -> Any:
    """To the protocol of arrays, a function without a derivative."""
    return np.array(a, np.result_type(a, 1.0))


zero(values)


def diagonal_only(a: Any) -> Any:
    """A matrix with the real part of the diagonal, and zeros elsewhere."""
    return np.where(np.eye(a.shape[-1], dtype=bool), np.real(a), 0)


def hermitian(a: Any, uplo: str = "L") -> Any:
    """The Hermitian matrix that LAPACK takes from one triangle of its argument."""
    strict = np.tril(a, -1) if uplo.upper() == "L" else np.triu(a, 1)
    return strict + mH(strict) + diagonal_only(a)


def triangle(ct: Any, uplo: str = "L") -> Any:
    """The cotangent of the argument of `hermitian`: the other triangle is never read."""
    both = ct + mH(ct)
    return (np.tril(both, -1) if uplo.upper() == "L" else np.triu(both, 1)) + diagonal_only(ct)


def total(*parts: Any) -> Any:
    """The sum of those that are there, None if there is none."""
    there = [part for part in parts if part is not None]
    return sum(there[1:], there[0]) if there else None


def binned(values: Any, bins: Any, n: int, ndim: int = 1) -> Any:
    """Sums of the values of equal bin, over the last ``ndim`` axes: one count for the whole batch, with bins of its own
    for each row."""
    if np.iscomplexobj(values):
        return binned(values.real, bins, n, ndim) + 1j * binned(values.imag, bins, n, ndim)
    bins = np.asarray(bins, np.intp).reshape(-1)
    batch = values.shape[: values.ndim - ndim]
    offsets = n * np.arange(math.prod(batch))
    bins = (offsets[:, None] + bins).reshape(-1)
    if not np.can_cast(values.dtype, np.float64):  # bincount knows double precision only
        sums = np.zeros(len(offsets) * n, values.dtype)
        np.add.at(sums, bins, values.reshape(-1))
        return sums.reshape(*batch, n)
    return np.bincount(bins, values.reshape(-1), len(offsets) * n).reshape(*batch, n)


# From this size on a stable order takes several times as long as any order.
_LARGE = 2000


def stable_order(a: Any, axis: int) -> Any:
    """Where each element of the sorted array comes from; equal elements keep their order."""
    if a.size >= _LARGE:
        # NumPy's quick order, which is the stable one where no two elements are equal.
        order = np.argsort(a, axis=axis)
        bare = a if type(a) is np.ndarray else fixed(a)
        rows = bare.take(order) if a.ndim == 1 else np.moveaxis(np.take_along_axis(bare, order, axis), axis, -1)
        if np.all(rows[..., 1:] > rows[..., :-1]):
            return order
    return np.argsort(a, axis=axis, kind="stable")


def inverse_order(order: Any, axis: int) -> Any:
    """Where each element has gone. To sort the order would take several times as long."""
    made = np.empty_like(order)
    ranks = np.arange(order.shape[axis]).reshape(-1, *[1] * (-1 - axis))
    np.put_along_axis(made, order, ranks, axis)
    return made


def by_columns(function: Any, v: Any, ndim: int) -> Any:
    """A function of columns, of one vector or matrix (as ``ndim`` says) behind any number of axes."""
    batch, core = v.shape[: v.ndim - ndim], v.shape[v.ndim - ndim :]
    if not batch:
        return function(v)
    moved = np.moveaxis(v, v.ndim - ndim, 0)
    made = function(moved.reshape((core[0], -1)))
    return np.moveaxis(made.reshape((made.shape[0], *batch, *core[1:])), 0, len(batch))


def unit_and_upper(lu: Any) -> tuple[Any, Any]:
    """The factors that LAPACK packs into one matrix."""
    return np.tril(lu, -1) + np.eye(lu.shape[-1], dtype=lu.dtype), np.triu(lu)


def rows_of(piv: Any) -> Any:
    """Which row of the matrix each row of the factors is."""
    order = np.arange(len(piv))
    for n, other in enumerate(piv):
        order[n], order[other] = order[other], order[n]
    return order


def fit(a: Any, length: int, axis: int) -> Any:
    """Cut an axis, or fill it with zeros, as Fourier transforms do with their input."""
    have = a.shape[axis]
    if have > length:
        return a[(..., slice(length)) + (slice(None),) * (-1 - axis)]
    if have == length:
        return a
    shape = list(a.shape)
    shape[axis] = length - have
    return np.concatenate([a, np.zeros(shape, a.dtype)], axis=axis)
