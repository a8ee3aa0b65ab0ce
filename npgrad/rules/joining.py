"""Joining, splitting, repeating and rearranging."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._compat import signature_of
from .._registry import Spec, body, by_index, composite, jvp, view, vjp
from ._helpers import behind_batch, negative_axes, negative_axis


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


Shapes = list[tuple[int, ...]]


def _declare_joined(function: Any, name: str, placed: Callable[[Shapes, Any], tuple[Shapes, int]]) -> None:
    """A function that joins arrays; ``placed`` gives, for the shapes of the arrays and the axis, the shapes in which they
    are joined, and along which axis, counted from the end."""

    def give_back(ct: Any, specs: Any, axis: Any) -> Any:
        items = _item_specs(specs)
        shapes, n = placed([spec.shape for spec in items], axis)
        parts = _pieces(ct, [shape[n] for shape in shapes], n)
        batch = ct.shape[: ct.ndim - len(shapes[0])]
        parts = [part.reshape(batch + item.shape) for part, item in zip(parts, items, strict=True)]
        return parts if isinstance(specs, list) else np.stack(parts, axis=-specs.ndim)

    def join(tangent: Any, specs: Any, axis: Any) -> Any:
        items = _item_specs(specs)
        shapes, n = placed([spec.shape for spec in items], axis)
        tangents = tangent if isinstance(specs, list) else list(np.moveaxis(tangent, -specs.ndim, 0))
        return np.concatenate(
            [t.reshape(t.shape[: t.ndim - i.ndim] + shape) for t, i, shape in zip(tangents, items, shapes, strict=True)],
            axis=n,
        )

    pull, push = _JOIN_PARAMETERS[name, "axis" in signature_of(function).parameters]
    vjp(function, name)(pull(give_back))
    jvp(function, name)(push(join))


# The parameters of a map are what it gets, so there is one form for each set of them.
_JOIN_PARAMETERS: dict[tuple[str, bool], tuple[Callable, Callable]] = {
    ("arrays", True): (
        lambda f: lambda ct, arrays_spec, axis: f(ct, arrays_spec, axis),
        lambda f: lambda tangent, arrays_spec, axis: f(tangent, arrays_spec, axis),
    ),
    ("tup", False): (
        lambda f: lambda ct, tup_spec: f(ct, tup_spec, None),
        lambda f: lambda tangent, tup_spec: f(tangent, tup_spec, None),
    ),
}


def _along(shapes: Shapes, axis: Any) -> tuple[Shapes, int]:
    if axis is None:
        return [(math.prod(shape),) for shape in shapes], -1
    return shapes, negative_axis(axis, len(shapes[0]))


def _stacked(shapes: Shapes, axis: Any) -> tuple[Shapes, int]:
    n = negative_axis(axis, len(shapes[0]) + 1)
    place = len(shapes[0]) + 1 + n
    return [(*shape[:place], 1, *shape[place:]) for shape in shapes], n


def _as_rows(shapes: Shapes, _: Any) -> tuple[Shapes, int]:
    made = [(1,) * (2 - len(shape)) + shape for shape in shapes]
    return made, -len(made[0])


def _beside(shapes: Shapes, _: Any) -> tuple[Shapes, int]:
    made = [shape or (1,) for shape in shapes]
    return made, min(1 - len(made[0]), -1)


def _as_columns(shapes: Shapes, _: Any) -> tuple[Shapes, int]:
    made = [shape if len(shape) > 1 else (*(shape or (1,)), 1) for shape in shapes]
    return made, 1 - len(made[0])


def _in_depth(shapes: Shapes, _: Any) -> tuple[Shapes, int]:
    made = [shape if len(shape) > 2 else (*((1,) * (2 - len(shape)) + shape), 1) for shape in shapes]
    return made, 2 - len(made[0])


_declare_joined(np.concatenate, "arrays", _along)
_declare_joined(np.stack, "arrays", _stacked)
_declare_joined(np.vstack, "tup", _as_rows)
_declare_joined(np.hstack, "tup", _beside)
_declare_joined(np.dstack, "tup", _in_depth)
_declare_joined(np.column_stack, "tup", _as_columns)


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


# --- Repeating and rolling -----------------------------------------------------------------------------------------


@by_index(np.repeat)
def repeat_key(a: Any, repeats: Any, axis: Any = None) -> tuple[Any, Any]:
    a = np.asarray(a)
    if axis is None or not a.ndim:
        a, axis = a.reshape(-1), 0
    counts = np.asarray(repeats).astype(int)  # of a list NumPy takes floats too
    return a, (*(slice(None),) * (axis % a.ndim), np.repeat(np.arange(a.shape[axis]), counts))


def _tiles(reps: Any, ndim: int) -> tuple[int, ...]:
    """One number for each axis of the result; of empty arrays NumPy takes negative ones."""
    counts = tuple(max(int(n), 0) for n in np.ravel(reps))
    return (1,) * (ndim - len(counts)) + counts


@vjp(np.tile, "A")
def tile_vjp(ct: Any, reps: Any, A_spec: Any) -> Any:
    counts = _tiles(reps, A_spec.ndim)
    batch = ct.shape[: ct.ndim - len(counts)]
    shape = (1,) * (len(counts) - A_spec.ndim) + A_spec.shape
    parts = ct.reshape((*batch, *itertools.chain(*zip(counts, shape, strict=True))))
    return np.sum(parts, axis=tuple(range(-2 * len(counts), 0, 2))).reshape(batch + A_spec.shape)


@jvp(np.tile, "A")
def tile_jvp(tangent: Any, reps: Any, A_spec: Any) -> Any:
    counts = _tiles(reps, A_spec.ndim)
    batch = tangent.shape[: tangent.ndim - A_spec.ndim]
    return np.tile(behind_batch(tangent, A_spec, len(counts)), (1,) * len(batch) + counts)


def _rolled(a: Any, shift: Any, axis: Any, shape: tuple[int, ...]) -> Any:
    if axis is None:
        batch = a.shape[: a.ndim - len(shape)]
        return np.roll(a.reshape(*batch, math.prod(shape)), shift, -1).reshape(batch + shape)
    return np.roll(a, shift, negative_axes(axis, len(shape)))


@vjp(np.roll, "a")
def roll_vjp(ct: Any, shift: Any, axis: Any, a_spec: Any) -> Any:
    return _rolled(ct, np.negative(shift), axis, a_spec.shape)


@jvp(np.roll, "a")
def roll_jvp(tangent: Any, shift: Any, axis: Any, a_spec: Any) -> Any:
    return _rolled(tangent, shift, axis, a_spec.shape)


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

view(np.broadcast_to)(lambda array, shape, subok=False: array._view_by(np.broadcast_to, shape, bool(subok)))


@body(np.broadcast_arrays)
def broadcast_arrays_body(*args: Any, subok: bool = False) -> Any:
    arrays = [np.asarray(a) for a in args]
    shape = np.broadcast_shapes(*[a.shape for a in arrays])
    if all(a.shape == shape for a in arrays):
        return tuple(arrays)
    # An array that has the shape already is not stretched, and may be written as before.
    return tuple([a[...] if a.shape == shape else np.broadcast_to(a, shape) for a in arrays])


composite(
    np.moveaxis, np.rollaxis, np.expand_dims, np.atleast_1d, np.atleast_2d, np.atleast_3d, np.flip, np.fliplr,
    np.flipud, np.rot90, np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.unstack, np.append, np.resize,
    np.pad, np.meshgrid, np.triu, np.tril, np.copy, np.diag, np.diagflat, np.astype, np.insert, np.delete, np.trim_zeros,
)  # fmt: skip
