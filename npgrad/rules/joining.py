"""Joining, splitting, repeating and rearranging."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from .._registry import Spec, body, composite, jvp, view, vjp
from ._helpers import negative_axis


def _item_specs(arrays_spec: Any) -> list:
    """The specs of the arrays that are joined: of the items, where one array was given for the sequence."""
    if isinstance(arrays_spec, list):
        return arrays_spec
    return [Spec(np.empty(arrays_spec.shape[1:], arrays_spec.dtype))] * arrays_spec.shape[0]


def _pieces(a: Any, sizes: list[int], axis: int) -> list:
    """Parts of these sizes along a negative axis."""
    behind = (slice(None),) * (-1 - axis)
    ends = list(itertools.accumulate(sizes))
    return [a[(..., slice(end - size, end), *behind)] for end, size in zip(ends, sizes, strict=True)]


@vjp(np.concatenate, "arrays")
def concatenate_vjp(ct: Any, arrays_spec: Any, axis: Any) -> Any:
    specs = _item_specs(arrays_spec)
    if axis is None:
        flat = _pieces(ct, [spec.size for spec in specs], -1)
        parts = [part.reshape(ct.shape[:-1] + s.shape) for part, s in zip(flat, specs, strict=True)]
    else:
        n = negative_axis(axis, specs[0].ndim)
        parts = _pieces(ct, [spec.shape[n] for spec in specs], n)
    return parts if isinstance(arrays_spec, list) else np.stack(parts, axis=-arrays_spec.ndim)


@jvp(np.concatenate, "arrays")
def concatenate_jvp(tangent: Any, arrays_spec: Any, axis: Any) -> Any:
    specs = _item_specs(arrays_spec)
    tangents = tangent if isinstance(arrays_spec, list) else list(np.moveaxis(tangent, -arrays_spec.ndim, 0))
    if axis is None:
        batches = [t.shape[: t.ndim - s.ndim] for t, s in zip(tangents, specs, strict=True)]
        return np.concatenate([t.reshape(*b, -1) for t, b in zip(tangents, batches, strict=True)], axis=-1)
    return np.concatenate(tangents, axis=negative_axis(axis, specs[0].ndim))


@body(np.block)
def block_body(arrays: Any) -> Any:
    depth = _depth(arrays)
    return _joined(arrays, depth, max(depth, _max_ndim(arrays)))


def _depth(arrays: Any) -> int:
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) else 0


def _max_ndim(arrays: Any) -> int:
    return max([_max_ndim(a) for a in arrays]) if isinstance(arrays, list) else np.ndim(arrays)


def _joined(arrays: Any, depth: int, ndim: int) -> Any:
    if not depth:
        made = np.array(arrays)
        return made.reshape((1,) * (ndim - made.ndim) + made.shape)
    return np.concatenate([_joined(a, depth - 1, ndim) for a in arrays], axis=-depth)


@body(np.repeat)
def repeat_body(a: Any, repeats: Any, axis: Any = None) -> Any:
    if axis is None or not a.ndim:
        a, axis = a.reshape(-1), 0
    chosen = np.repeat(np.arange(a.shape[axis]), repeats)
    return a[(slice(None),) * (axis % a.ndim) + (chosen,)]


# Views: NumPy's function is the array's method, or a basic index.
@view(np.reshape)
def reshape_view(a: Any, /, shape: Any = None, order: Any = "C", *, newshape: Any = None, copy: Any = None) -> Any:
    return a.reshape(newshape if shape is None else shape, order=order, copy=copy)


view(np.ravel)(lambda a, order="C": a.ravel(order))
view(np.transpose)(lambda a, axes=None: a.transpose(axes))
view(np.swapaxes)(lambda a, axis1, axis2: a.swapaxes(axis1, axis2))
view(np.squeeze)(lambda a, axis=None: a.squeeze(axis))
view(np.diagonal)(lambda a, offset=0, axis1=0, axis2=1: a.diagonal(offset, axis1, axis2))
view(np.real)(lambda val: val.real)
view(np.imag)(lambda val: val.imag)
view(np.matrix_transpose)(lambda x: x.mT)

view(np.broadcast_to)(lambda array, shape, subok=False: array._view_by(np.broadcast_to, shape))


@body(np.broadcast_arrays)
def broadcast_arrays_body(*args: Any, subok: bool = False) -> Any:
    arrays = [np.asarray(a) for a in args]
    shape = np.broadcast_shapes(*[a.shape for a in arrays])
    # An array that has the shape already is not stretched, and may be written as before.
    return tuple([a[...] if a.shape == shape else np.broadcast_to(a, shape) for a in arrays])


composite(
    np.moveaxis, np.rollaxis, np.expand_dims, np.atleast_1d, np.atleast_2d, np.atleast_3d, np.flip, np.fliplr,
    np.flipud, np.rot90, np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.unstack, np.stack, np.hstack,
    np.vstack, np.dstack, np.column_stack, np.append, np.tile, np.roll, np.resize, np.pad, np.meshgrid, np.triu, np.tril,
    np.copy, np.diag, np.diagflat, np.astype, np.insert, np.delete,
    np.trim_zeros,
)  # fmt: skip
