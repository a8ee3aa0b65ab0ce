"""Other bilinear functions of two arrays (inner, vdot, outer, kron, tensordot, cross), and the trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._registry import jvp, vjp
from ._helpers import negative_axes, negative_axis


def _conj(a: Any) -> Any:
    return np.conjugate(a) if np.iscomplexobj(a) else a


def _batch(a: Any, ndim: int) -> tuple[int, ...]:
    return a.shape[: a.ndim - ndim]


def _flat(a: Any, spec: Any) -> Any:
    """A tangent as vectors behind its batch."""
    return a.reshape(*_batch(a, spec.ndim), spec.size)


# --- Vectors -------------------------------------------------------------------------------------------------------


@vjp(np.vdot, "a")
def vdot_vjp_a(ct: Any, b: Any, a_spec: Any) -> Any:
    return (_conj(ct)[..., None] * np.asarray(b).reshape(-1)).reshape(ct.shape + a_spec.shape)


@vjp(np.vdot, "b")
def vdot_vjp_b(ct: Any, a: Any, b_spec: Any) -> Any:
    return (ct[..., None] * np.asarray(a).reshape(-1)).reshape(ct.shape + b_spec.shape)


@jvp(np.vdot, "a")
def vdot_jvp_a(tangent: Any, b: Any, a_spec: Any) -> Any:
    return np.matmul(_conj(_flat(tangent, a_spec)), np.asarray(b).reshape(-1))


@jvp(np.vdot, "b")
def vdot_jvp_b(tangent: Any, a: Any, b_spec: Any) -> Any:
    return np.matmul(_flat(tangent, b_spec), _conj(np.asarray(a).reshape(-1)))


def _outer_vjp_a(ct: Any, b: Any, a_spec: Any) -> Any:
    return np.matmul(ct, _conj(np.asarray(b).reshape(-1))).reshape(ct.shape[:-2] + a_spec.shape)


def _outer_vjp_b(ct: Any, a: Any, b_spec: Any) -> Any:
    return np.matmul(_conj(np.asarray(a).reshape(-1)), ct).reshape(ct.shape[:-2] + b_spec.shape)


def _outer_jvp_a(tangent: Any, b: Any, a_spec: Any) -> Any:
    return _flat(tangent, a_spec)[..., :, None] * np.asarray(b).reshape(-1)


def _outer_jvp_b(tangent: Any, a: Any, b_spec: Any) -> Any:
    return np.asarray(a).reshape(-1)[:, None] * _flat(tangent, b_spec)[..., None, :]


vjp(np.outer, "a")(_outer_vjp_a)
vjp(np.outer, "b")(_outer_vjp_b)
jvp(np.outer, "a")(_outer_jvp_a)
jvp(np.outer, "b")(_outer_jvp_b)
vjp(np.linalg.outer, "x1")(lambda ct, x2, x1_spec: _outer_vjp_a(ct, x2, x1_spec))
vjp(np.linalg.outer, "x2")(lambda ct, x1, x2_spec: _outer_vjp_b(ct, x1, x2_spec))
jvp(np.linalg.outer, "x1")(lambda tangent, x2, x1_spec: _outer_jvp_a(tangent, x2, x1_spec))
jvp(np.linalg.outer, "x2")(lambda tangent, x1, x2_spec: _outer_jvp_b(tangent, x1, x2_spec))

# --- Sums of products along chosen axes ----------------------------------------------------------------------------

Axes = tuple[list[int], list[int]]


def contracted_axes(axes: Any, a_ndim: int, b_ndim: int) -> Axes:
    """The axes that are summed, in pairs, from the front; ``axes`` as in np.tensordot."""
    if np.ndim(axes) == 0 and not isinstance(axes, (tuple, list)):
        n = int(axes)
        return list(range(a_ndim - n, a_ndim)), list(range(n))
    of_a, of_b = (list(part) if np.ndim(part) else [part] for part in axes)
    return [int(n) % a_ndim for n in of_a], [int(n) % b_ndim for n in of_b]


def _free(ndim: int, summed: list[int]) -> list[int]:
    return [n for n in range(ndim) if n not in summed]


def _first_vjp(ct: Any, b: Any, a_ndim: int, axes: Axes) -> Any:
    of_a, of_b = axes
    free_a, free_b = _free(a_ndim, of_a), _free(b.ndim, of_b)
    back = np.tensordot(ct, _conj(b), axes=(tuple(range(-len(free_b), 0)), tuple(free_b)))
    places = free_a + [a for _, a in sorted(zip(of_b, of_a, strict=True))]
    return np.moveaxis(back, range(-a_ndim, 0), [n - a_ndim for n in places])


def _second_vjp(ct: Any, a: Any, b_ndim: int, axes: Axes) -> Any:
    of_a, of_b = axes
    free_a, free_b = _free(a.ndim, of_a), _free(b_ndim, of_b)
    back = np.tensordot(ct, _conj(a), axes=(tuple(range(-len(free_a + free_b), -len(free_b))), tuple(free_a)))
    places = free_b + [b for _, b in sorted(zip(of_a, of_b, strict=True))]
    return np.moveaxis(back, range(-b_ndim, 0), [n - b_ndim for n in places])


def _first_jvp(tangent: Any, b: Any, a_ndim: int, axes: Axes) -> Any:
    return np.tensordot(tangent, b, axes=(tuple(n - a_ndim for n in axes[0]), tuple(axes[1])))


def _second_jvp(tangent: Any, a: Any, b_ndim: int, axes: Axes) -> Any:
    made = np.tensordot(tangent, a, axes=(tuple(n - b_ndim for n in axes[1]), tuple(axes[0])))
    before = a.ndim - len(axes[0])
    batch = made.ndim - before - (b_ndim - len(axes[1]))
    return np.moveaxis(made, range(-before, 0), range(batch, batch + before)) if before else made


def _by_first(map_: Callable, flow: Any, second: Any, spec: Any, axes: Any) -> Any:
    b = np.asarray(second)
    return map_(flow, b, spec.ndim, contracted_axes(axes, spec.ndim, b.ndim))


def _by_second(map_: Callable, flow: Any, first: Any, spec: Any, axes: Any) -> Any:
    a = np.asarray(first)
    return map_(flow, a, spec.ndim, contracted_axes(axes, a.ndim, spec.ndim))


vjp(np.tensordot, "a")(lambda ct, b, a_spec, axes: _by_first(_first_vjp, ct, b, a_spec, axes))
vjp(np.tensordot, "b")(lambda ct, a, b_spec, axes: _by_second(_second_vjp, ct, a, b_spec, axes))
jvp(np.tensordot, "a")(lambda tangent, b, a_spec, axes: _by_first(_first_jvp, tangent, b, a_spec, axes))
jvp(np.tensordot, "b")(lambda tangent, a, b_spec, axes: _by_second(_second_jvp, tangent, a, b_spec, axes))
vjp(np.linalg.tensordot, "x1")(lambda ct, x2, x1_spec, axes: _by_first(_first_vjp, ct, x2, x1_spec, axes))
vjp(np.linalg.tensordot, "x2")(lambda ct, x1, x2_spec, axes: _by_second(_second_vjp, ct, x1, x2_spec, axes))
jvp(np.linalg.tensordot, "x1")(lambda tangent, x2, x1_spec, axes: _by_first(_first_jvp, tangent, x2, x1_spec, axes))
jvp(np.linalg.tensordot, "x2")(lambda tangent, x1, x2_spec, axes: _by_second(_second_jvp, tangent, x1, x2_spec, axes))


def _inner_axes(a_ndim: int, b_ndim: int) -> Any:
    """The last axis of both; a number is a factor."""
    return (-1, -1) if a_ndim and b_ndim else 0


@vjp(np.inner, "a")
def inner_vjp_a(ct: Any, b: Any, a_spec: Any) -> Any:
    return _by_first(_first_vjp, ct, b, a_spec, _inner_axes(a_spec.ndim, np.ndim(b)))


@vjp(np.inner, "b")
def inner_vjp_b(ct: Any, a: Any, b_spec: Any) -> Any:
    return _by_second(_second_vjp, ct, a, b_spec, _inner_axes(np.ndim(a), b_spec.ndim))


@jvp(np.inner, "a")
def inner_jvp_a(tangent: Any, b: Any, a_spec: Any) -> Any:
    return _by_first(_first_jvp, tangent, b, a_spec, _inner_axes(a_spec.ndim, np.ndim(b)))


@jvp(np.inner, "b")
def inner_jvp_b(tangent: Any, a: Any, b_spec: Any) -> Any:
    return _by_second(_second_jvp, tangent, a, b_spec, _inner_axes(np.ndim(a), b_spec.ndim))


# --- kron ----------------------------------------------------------------------------------------------------------


def _interleaved(shape: tuple[int, ...], ndim: int, first: bool) -> tuple[int, ...]:
    """Each axis of a factor, of ``ndim`` in all, beside one of length 1 for the other factor."""
    full = (1,) * (ndim - len(shape)) + shape
    return tuple(n for length in full for n in ((length, 1) if first else (1, length)))


def _kron_vjp(ct: Any, other: Any, spec: Any, first: bool) -> Any:
    other = np.asarray(other)
    ndim = max(spec.ndim, other.ndim)
    shape = _interleaved(spec.shape, ndim, first)
    factor = _interleaved(other.shape, ndim, not first)
    batch = _batch(ct, ndim)
    parts = ct.reshape(batch + tuple(n * m for n, m in zip(shape, factor, strict=True))) * _conj(other).reshape(factor)
    return np.sum(parts, axis=tuple(range((1 if first else 0) - 2 * ndim, 0, 2))).reshape(batch + spec.shape)


def _kron_jvp(tangent: Any, other: Any, spec: Any, ans_spec: Any, first: bool) -> Any:
    other = np.asarray(other)
    batch = _batch(tangent, spec.ndim)
    own = tangent.reshape(batch + _interleaved(spec.shape, ans_spec.ndim, first))
    return (own * other.reshape(_interleaved(other.shape, ans_spec.ndim, not first))).reshape(batch + ans_spec.shape)


vjp(np.kron, "a")(lambda ct, b, a_spec: _kron_vjp(ct, b, a_spec, True))
vjp(np.kron, "b")(lambda ct, a, b_spec: _kron_vjp(ct, a, b_spec, False))
jvp(np.kron, "a")(lambda tangent, b, a_spec, ans_spec: _kron_jvp(tangent, b, a_spec, ans_spec, True))
jvp(np.kron, "b")(lambda tangent, a, b_spec, ans_spec: _kron_jvp(tangent, a, b_spec, ans_spec, False))

# --- cross ---------------------------------------------------------------------------------------------------------


def _in_space(a: Any, axis: int) -> Any:
    """Vectors along the last axis; those of the plane with a third component 0."""
    a = np.moveaxis(a, axis, -1)
    return np.concatenate([a, np.zeros_like(a[..., :1])], axis=-1) if a.shape[-1] == 2 else a


def _cross(a: Any, b: Any) -> Any:
    parts = [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return np.stack(parts, axis=-1)


def _cross_pull(ct: Any, other: Any, spec: Any, axis: int, other_axis: int, axisc: int, sign: int) -> Any:
    """The cotangent of one factor: the other one times that of the result, which has only the third component where both
    factors lie in the plane."""
    other = np.asarray(other)
    flat = spec.shape[axis] == other.shape[other_axis] == 2
    n, other_axis = negative_axis(axis, spec.ndim), negative_axis(other_axis, other.ndim)
    if flat:
        ct = np.stack([np.zeros_like(ct), np.zeros_like(ct), ct], axis=-1)
    else:
        ct = np.moveaxis(ct, negative_axis(axisc, max(spec.ndim, other.ndim)), -1)
    back = sign * _cross(_conj(_in_space(other, other_axis)), ct)
    return np.moveaxis(back[..., : spec.shape[n]], -1, n)


def _cross_push(tangent: Any, other: Any, spec: Any, axis: int, other_axis: int, axisc: int, sign: int) -> Any:
    other = np.asarray(other)
    flat = spec.shape[axis] == other.shape[other_axis] == 2
    ndim = max(spec.ndim, other.ndim)
    n, other_axis = negative_axis(axis, spec.ndim), negative_axis(other_axis, other.ndim)
    own = _in_space(tangent, n)
    own = own.reshape(own.shape[: own.ndim - spec.ndim] + (1,) * (ndim - spec.ndim) + own.shape[own.ndim - spec.ndim :])
    made = sign * _cross(own, _in_space(other, other_axis))
    return made[..., 2] if flat else np.moveaxis(made, -1, negative_axis(axisc, ndim))


def _cross_axes(axisa: Any, axisb: Any, axisc: Any, axis: Any) -> tuple[int, int, int]:
    return (axisa, axisb, axisc) if axis is None else (axis,) * 3


@vjp(np.cross, "a")
def cross_vjp_a(ct: Any, b: Any, a_spec: Any, axisa: Any, axisb: Any, axisc: Any, axis: Any) -> Any:
    axisa, axisb, axisc = _cross_axes(axisa, axisb, axisc, axis)
    return _cross_pull(ct, b, a_spec, axisa, axisb, axisc, 1)


@vjp(np.cross, "b")
def cross_vjp_b(ct: Any, a: Any, b_spec: Any, axisa: Any, axisb: Any, axisc: Any, axis: Any) -> Any:
    axisa, axisb, axisc = _cross_axes(axisa, axisb, axisc, axis)
    return _cross_pull(ct, a, b_spec, axisb, axisa, axisc, -1)


@jvp(np.cross, "a")
def cross_jvp_a(tangent: Any, b: Any, a_spec: Any, axisa: Any, axisb: Any, axisc: Any, axis: Any) -> Any:
    axisa, axisb, axisc = _cross_axes(axisa, axisb, axisc, axis)
    return _cross_push(tangent, b, a_spec, axisa, axisb, axisc, 1)


@jvp(np.cross, "b")
def cross_jvp_b(tangent: Any, a: Any, b_spec: Any, axisa: Any, axisb: Any, axisc: Any, axis: Any) -> Any:
    axisa, axisb, axisc = _cross_axes(axisa, axisb, axisc, axis)
    return _cross_push(tangent, a, b_spec, axisb, axisa, axisc, -1)


def _last(axis: Any) -> tuple[int, int, int]:
    """The axes of np.linalg.cross, which from NumPy 2.5 on takes None for the last one."""
    return _cross_axes(-1, -1, -1, axis)


vjp(np.linalg.cross, "x1")(lambda ct, x2, x1_spec, axis: _cross_pull(ct, x2, x1_spec, *_last(axis), 1))
vjp(np.linalg.cross, "x2")(lambda ct, x1, x2_spec, axis: _cross_pull(ct, x1, x2_spec, *_last(axis), -1))
jvp(np.linalg.cross, "x1")(lambda tangent, x2, x1_spec, axis: _cross_push(tangent, x2, x1_spec, *_last(axis), 1))
jvp(np.linalg.cross, "x2")(lambda tangent, x1, x2_spec, axis: _cross_push(tangent, x1, x2_spec, *_last(axis), -1))

# --- trace ---------------------------------------------------------------------------------------------------------


def _trace_vjp(ct: Any, a_spec: Any, offset: int, axis1: int, axis2: int) -> Any:
    n, m = negative_axes((axis1, axis2), a_spec.ndim)
    chosen = np.eye(a_spec.shape[n], a_spec.shape[m], offset)
    return np.moveaxis(ct[..., None, None] * chosen, (-2, -1), (n, m))


vjp(np.trace, "a")(_trace_vjp)


@jvp(np.trace, "a")
def trace_jvp(tangent: Any, a_spec: Any, offset: Any, axis1: Any, axis2: Any) -> Any:
    n, m = negative_axes((axis1, axis2), a_spec.ndim)
    return np.trace(tangent, offset, n, m)


vjp(np.linalg.trace, "x")(lambda ct, x_spec, offset: _trace_vjp(ct, x_spec, offset, -2, -1))
jvp(np.linalg.trace, "x")(lambda tangent, offset: np.trace(tangent, offset, -2, -1))
