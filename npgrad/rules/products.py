"""matmul, dot, and the products along axes that may be chosen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._registry import jvp, outer, vjp
from ._helpers import behind_batch, flag, given, negative_axes


def _conj(a: Any) -> Any:
    return a.conj() if a.dtype.kind == "c" else a


# --- matmul --------------------------------------------------------------------------------------------------------


@vjp(np.matmul, "x")
def matmul_vjp_x(ct: Any, y: Any, x_spec: Any, ans_spec: Any, axes: Any) -> Any:
    if given(axes):
        return _MATMUL[x_spec.ndim == 1, y.ndim == 1].vjp_x(ct, y, x_spec, ans_spec, axes, None, False)
    y = _conj(y)
    if x_spec.ndim == 1 and y.ndim == 1:
        return ct[..., None] * y
    if y.ndim == 1:
        return ct[..., None] * y
    if y.ndim == 2:
        return _rows_times(ct, y.T)
    if x_spec.ndim == 1:
        product = np.matmul(y, ct[..., None])[..., 0]
        return _sum_between(product, ct.ndim - (y.ndim - 1), 1)
    return np.matmul(ct, y.swapaxes(-1, -2))


@vjp(np.matmul, "y")
def matmul_vjp_y(ct: Any, x: Any, y_spec: Any, ans_spec: Any, axes: Any) -> Any:
    if given(axes):
        return _MATMUL[x.ndim == 1, y_spec.ndim == 1].vjp_y(ct, x, y_spec, ans_spec, axes, None, False)
    x = _conj(x)
    if x.ndim == 1 and y_spec.ndim == 1:
        return ct[..., None] * x
    if x.ndim == 1:
        return x[:, None] * ct[..., None, :]
    if y_spec.ndim == 1:
        if x.ndim == 2:
            return np.matmul(ct, x)
        product = np.matmul(x.swapaxes(-1, -2), ct[..., None])[..., 0]
        return _sum_between(product, ct.ndim - (x.ndim - 1), 1)
    return np.matmul(x.swapaxes(-1, -2), ct)


def _rows_times(rows: Any, matrix: Any) -> Any:
    """Rows behind any number of leading axes, as one product of matrices."""
    if rows.ndim <= 2:
        return np.matmul(rows, matrix)
    *outer, inner = rows.shape
    return np.matmul(rows.reshape(math.prod(outer), inner), matrix).reshape(*outer, matrix.shape[-1])


def _sum_between(product: Any, batch_ndim: int, inner: int) -> Any:
    """Sum the axes that a vector was repeated along: those between the batch and the last ones."""
    axes = tuple(range(batch_ndim, product.ndim - inner))
    return np.sum(product, axis=axes) if axes else product


@outer(np.matmul, "x")
def matmul_outer_x(ct: Any, y: Any, x_spec: Any, axes: Any) -> Any:
    if given(axes) or x_spec.ndim != 2 or y.ndim > 2:
        return None
    y = _conj(y)
    return (ct, y) if y.ndim == 1 else _thin(ct.T, y.T)


@outer(np.matmul, "y")
def matmul_outer_y(ct: Any, x: Any, y_spec: Any, axes: Any) -> Any:
    if given(axes) or y_spec.ndim != 2 or x.ndim > 2:
        return None
    x = _conj(x)
    return (x, ct) if x.ndim == 1 else _thin(x, ct)


def _thin(left: Any, right: Any) -> Any:
    """Both, if there are few rows: to put them behind others takes less time than to add their product."""
    return (left, right) if 4 * len(left) <= min(left.shape[1], right.shape[1]) else None


@jvp(np.matmul, "x")
def matmul_jvp_x(tangent: Any, y: Any, x_spec: Any, ans_spec: Any, axes: Any) -> Any:
    if given(axes):
        return _MATMUL[x_spec.ndim == 1, y.ndim == 1].jvp_x(tangent, y, x_spec, ans_spec, axes, None, False)
    batch = tangent.ndim - x_spec.ndim
    if y.ndim == 1:
        return np.matmul(tangent, y)
    if y.ndim == 2:
        return _rows_times(tangent, y)
    if x_spec.ndim == 1:
        return np.matmul(_expand(tangent, batch, y.ndim - 2)[..., None, :], y)[..., 0, :]
    return np.matmul(_expand(tangent, batch, y.ndim - x_spec.ndim), y)


@jvp(np.matmul, "y")
def matmul_jvp_y(tangent: Any, x: Any, y_spec: Any, ans_spec: Any, axes: Any) -> Any:
    if given(axes):
        return _MATMUL[x.ndim == 1, y_spec.ndim == 1].jvp_y(tangent, x, y_spec, ans_spec, axes, None, False)
    batch = tangent.ndim - y_spec.ndim
    if y_spec.ndim == 1:
        if x.ndim <= 2:
            return np.matmul(tangent, x.T)
        return np.matmul(x, _expand(tangent, batch, x.ndim - 2)[..., None])[..., 0]
    return np.matmul(x, _expand(tangent, batch, x.ndim - y_spec.ndim))


def _expand(tangent: Any, batch_ndim: int, missing: int) -> Any:
    if missing <= 0 or not batch_ndim:
        return tangent
    return tangent.reshape(tangent.shape[:batch_ndim] + (1,) * missing + tangent.shape[batch_ndim:])


# --- dot -----------------------------------------------------------------------------------------------------------


def _is_matmul(a: Any, b: Any) -> bool:
    return min(a.ndim, b.ndim) > 0 and b.ndim <= 2


def _all_but(ndim: int, axis: int) -> tuple[int, ...]:
    return tuple(i for i in range(ndim) if i != axis % ndim)


@vjp(np.dot, "a")
def dot_vjp_a(ct: Any, b: Any, a_spec: Any, ans_spec: Any) -> Any:
    b = np.asarray(b)
    if _is_matmul(a_spec, b):
        return matmul_vjp_x(ct, b, a_spec, ans_spec, None)
    if min(a_spec.ndim, b.ndim) == 0:
        return _summed_behind(ct * _conj(b), b.ndim)
    return np.tensordot(ct, _conj(b), axes=(tuple(range(1 - b.ndim, 0)), _all_but(b.ndim, -2)))


@vjp(np.dot, "b")
def dot_vjp_b(ct: Any, a: Any, b_spec: Any, ans_spec: Any) -> Any:
    a = np.asarray(a)
    if _is_matmul(a, b_spec):
        return matmul_vjp_y(ct, a, b_spec, ans_spec, None)
    if min(a.ndim, b_spec.ndim) == 0:
        return _summed_behind(ct * _conj(a), a.ndim)
    batch = ct.ndim - ans_spec.ndim
    rows = tuple(range(a.ndim - 1))
    return np.swapaxes(np.tensordot(ct, _conj(a), axes=(tuple(batch + i for i in rows), rows)), -1, -2)


@outer(np.dot, "a")
def dot_outer_a(ct: Any, b: Any, a_spec: Any) -> Any:
    b = np.asarray(b)
    return matmul_outer_x(ct, b, a_spec, None) if _is_matmul(a_spec, b) else None


@outer(np.dot, "b")
def dot_outer_b(ct: Any, a: Any, b_spec: Any) -> Any:
    a = np.asarray(a)
    return matmul_outer_y(ct, a, b_spec, None) if _is_matmul(a, b_spec) else None


@jvp(np.dot, "a")
def dot_jvp_a(tangent: Any, b: Any, a_spec: Any, ans_spec: Any) -> Any:
    b = np.asarray(b)
    if min(a_spec.ndim, b.ndim) == 0:
        return tangent.reshape(tangent.shape + (1,) * b.ndim) * b
    return np.dot(tangent, b)


@jvp(np.dot, "b")
def dot_jvp_b(tangent: Any, a: Any, b_spec: Any, ans_spec: Any) -> Any:
    a = np.asarray(a)
    if min(a.ndim, b_spec.ndim) == 0:
        return tangent.reshape(tangent.shape + (1,) * a.ndim) * a
    batch, rows = tangent.ndim - b_spec.ndim, a.ndim - 1
    product = np.tensordot(tangent, a, axes=((-1 if b_spec.ndim == 1 else -2,), (-1,)))
    return np.moveaxis(product, range(-rows, 0), range(batch, batch + rows)) if rows else product


def _summed_behind(product: Any, ndim: int) -> Any:
    """What is left for a scalar factor, or all of it where the other factor was the scalar."""
    return np.sum(product, axis=tuple(range(-ndim, 0))) if ndim else product


# --- Products along axes that may be chosen: vecdot, matvec, vecmat, and matmul with axes= --------------------------


class AlongAxes:
    """The maps of a bilinear function of vectors and matrices that stand along given axes of its arguments.

    ``x``, ``y`` and ``result`` name the axes as einsum does; ``conjugated`` says that x enters as its conjugate.
    """

    def __init__(self, x: str, y: str, result: str, conjugated: bool) -> None:
        self.letters = (x, y, result)
        self.conjugated = conjugated

    def _product(self, first: int, a: Any, second: int, b: Any, result: int) -> Any:
        names = self.letters
        return np.einsum(f"...{names[first]},...{names[second]}->...{names[result]}", a, b)

    def _axes(self, number: int, axes: Any, axis: Any) -> tuple[int, ...]:
        count = len(self.letters[number])
        if given(axis):
            return (axis,) * count
        if not given(axes) or not count:
            return tuple(range(-count, 0))
        return axes[number] if isinstance(axes[number], tuple) else (axes[number],)

    def _last(self, a: Any, ndim: int, number: int, axes: Any, axis: Any) -> Any:
        own = negative_axes(self._axes(number, axes, axis), ndim)
        return np.moveaxis(a, own, range(-len(own), 0))

    def _back(self, a: Any, ndim: int, number: int, axes: Any, axis: Any) -> Any:
        own = negative_axes(self._axes(number, axes, axis), ndim)
        return np.moveaxis(a, range(-len(own), 0), own)

    def _kept_axis(self, ans_spec: Any, axes: Any, axis: Any) -> int:
        kept = axis if given(axis) else axes[2] if given(axes) and len(axes) > 2 else -1
        return negative_axes(kept, ans_spec.ndim)[0]

    def _arrived(self, ct: Any, ans_spec: Any, axes: Any, axis: Any, keepdims: Any) -> Any:
        if flag(keepdims):
            return np.squeeze(ct, axis=self._kept_axis(ans_spec, axes, axis))
        return self._last(ct, ans_spec.ndim, 2, axes, axis)

    def _left(self, value: Any, ans_spec: Any, axes: Any, axis: Any, keepdims: Any) -> Any:
        if flag(keepdims):
            return np.moveaxis(value[..., None], -1, self._kept_axis(ans_spec, axes, axis))
        return self._back(value, ans_spec.ndim, 2, axes, axis)

    def vjp_x(self, ct: Any, y: Any, x_spec: Any, ans_spec: Any, axes: Any, axis: Any, keepdims: Any) -> Any:
        ct, y = self._arrived(ct, ans_spec, axes, axis, keepdims), self._last(y, y.ndim, 1, axes, axis)
        back = self._product(2, ct, 1, _conj(y), 0)
        return self._back(_conj(back) if self.conjugated else back, x_spec.ndim, 0, axes, axis)

    def vjp_y(self, ct: Any, x: Any, y_spec: Any, ans_spec: Any, axes: Any, axis: Any, keepdims: Any) -> Any:
        ct, x = self._arrived(ct, ans_spec, axes, axis, keepdims), self._last(x, x.ndim, 0, axes, axis)
        back = self._product(2, ct, 0, x if self.conjugated else _conj(x), 1)
        return self._back(back, y_spec.ndim, 1, axes, axis)

    def jvp_x(self, tangent: Any, y: Any, x_spec: Any, ans_spec: Any, axes: Any, axis: Any, keepdims: Any) -> Any:
        ndim = len(self.letters[0]) + self._loop_ndim(x_spec, y)
        x = self._last(behind_batch(tangent, x_spec, ndim), x_spec.ndim, 0, axes, axis)
        made = self._product(0, _conj(x) if self.conjugated else x, 1, self._last(y, y.ndim, 1, axes, axis), 2)
        return self._left(made, ans_spec, axes, axis, keepdims)

    def jvp_y(self, tangent: Any, x: Any, y_spec: Any, ans_spec: Any, axes: Any, axis: Any, keepdims: Any) -> Any:
        ndim = len(self.letters[1]) + self._loop_ndim(x, y_spec)
        y = self._last(behind_batch(tangent, y_spec, ndim), y_spec.ndim, 1, axes, axis)
        x = self._last(x, x.ndim, 0, axes, axis)
        return self._left(self._product(0, _conj(x) if self.conjugated else x, 1, y, 2), ans_spec, axes, axis, keepdims)

    def _loop_ndim(self, x: Any, y: Any) -> int:
        return max(x.ndim - len(self.letters[0]), y.ndim - len(self.letters[1]))


# By whether x and y are vectors.
_MATMUL = {
    (False, False): AlongAxes("ij", "jk", "ik", False),
    (True, False): AlongAxes("j", "jk", "k", False),
    (False, True): AlongAxes("ij", "j", "i", False),
    (True, True): AlongAxes("j", "j", "", False),
}


def _declare_along(function: Any, maps: AlongAxes) -> None:
    @vjp(function, "x")
    def vjp_x(ct: Any, y: Any, x_spec: Any, ans_spec: Any, axes: Any, axis: Any, keepdims: Any) -> Any:
        return maps.vjp_x(ct, y, x_spec, ans_spec, axes, axis, keepdims)

    @vjp(function, "y")
    def vjp_y(ct: Any, x: Any, y_spec: Any, ans_spec: Any, axes: Any, axis: Any, keepdims: Any) -> Any:
        return maps.vjp_y(ct, x, y_spec, ans_spec, axes, axis, keepdims)

    @jvp(function, "x")
    def jvp_x(tangent: Any, y: Any, x_spec: Any, ans_spec: Any, axes: Any, axis: Any, keepdims: Any) -> Any:
        return maps.jvp_x(tangent, y, x_spec, ans_spec, axes, axis, keepdims)

    @jvp(function, "y")
    def jvp_y(tangent: Any, x: Any, y_spec: Any, ans_spec: Any, axes: Any, axis: Any, keepdims: Any) -> Any:
        return maps.jvp_y(tangent, x, y_spec, ans_spec, axes, axis, keepdims)


_declare_along(np.vecdot, AlongAxes("i", "i", "", True))
_declare_along(np.matvec, AlongAxes("ij", "j", "i", False))
_declare_along(np.vecmat, AlongAxes("i", "ij", "j", True))
