"""Norms of vectors and matrices: the derivative is 0 where the norm is 0, ties share equally.

A norm is real, so one array of the argument's shape, here called its gradient G, gives both maps: ct * G, and the sum of
Re(conj(G) * tangent).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._refusals import refuse_function
from .._registry import body, jvp, vjp
from ._helpers import fixed, negative_axes, put_back

# --- Gradients along the last axis ---------------------------------------------------------------------------------


def _over(x: Any, size: Any) -> Any:
    """x / size, 0 where the size is 0."""
    if not (size == 0).any():
        return x / size
    return np.where(size == 0, 0, x / np.where(size == 0, 1, size))


def _phase(x: Any) -> Any:
    return _over(x, np.abs(x)) if np.iscomplexobj(x) else np.sign(x)


def _extreme(x: Any, choose: Callable) -> Any:
    sizes = np.abs(fixed(x))
    chosen = sizes == choose(sizes, axis=-1, keepdims=True)
    return _phase(x) * (chosen / np.sum(chosen, axis=-1, keepdims=True)).astype(sizes.dtype)


_VECTOR_GRADIENTS: dict[Any, Callable] = {
    None: lambda x, norm: _over(x, norm[..., None]),
    2: lambda x, norm: _over(x, norm[..., None]),
    1: lambda x, norm: _phase(x),
    0: lambda x, norm: np.zeros(x.shape, x.dtype),
    np.inf: lambda x, norm: _extreme(x, np.max) if x.shape[-1] else x,
    -np.inf: lambda x, norm: _extreme(x, np.min),
}


# Beyond these the norm is the same for neighbouring orders; at 0 NumPy counts, and no neighbour is like that.
_ORDERS_BY_THEMSELVES = (0, np.inf, -np.inf)


def _number(ord: Any) -> Any:
    """NumPy takes an array of one number, too; with several it computes what is no norm."""
    if np.size(ord) > 1:
        refuse_function(np.linalg.norm, "by several orders at once")
    return fixed(ord).item() if isinstance(ord, (np.ndarray, list, tuple)) else ord


def _vector_gradient(x: Any, norm: Any, ord: Any) -> Any:
    if isinstance(ord, (np.ndarray, list, tuple)):
        number = _number(ord)
        ord = number if number in _ORDERS_BY_THEMSELVES else np.reshape(ord, ())
    if not isinstance(ord, np.ndarray) and ord in _VECTOR_GRADIENTS:
        return _VECTOR_GRADIENTS[ord](x, norm)
    sizes = np.abs(x)
    ratio = _over(np.where(sizes == 0, 1, sizes), norm[..., None])
    return np.where(ratio == 0, 0, np.where(ratio == 0, 1, ratio) ** (ord - 1) * _phase(x))


# --- Gradients along the last two axes -----------------------------------------------------------------------------


def _of_sums(axis: int, ord: Any) -> Callable:
    """Norms that are the largest or smallest sum of rows or columns."""

    def gradient(x: Any, norm: Any) -> Any:
        return _phase(x) * np.expand_dims(_vector_gradient(np.sum(np.abs(x), axis=axis), norm, ord), axis)

    return gradient


def _of_singular_values(ord: Any) -> Callable:
    def gradient(x: Any, norm: Any) -> Any:
        u, s, vh = np.linalg.svd(x, full_matrices=False)
        return (u * _vector_gradient(s, norm, ord)[..., None, :]) @ vh

    return gradient


def _frobenius(x: Any, norm: Any) -> Any:
    return _over(x, norm[..., None, None])


_MATRIX_GRADIENTS: dict[Any, Callable] = {
    1: _of_sums(-2, np.inf),
    -1: _of_sums(-2, -np.inf),
    np.inf: _of_sums(-1, np.inf),
    -np.inf: _of_sums(-1, -np.inf),
    2: _of_singular_values(np.inf),
    -2: _of_singular_values(-np.inf),
    "nuc": _of_singular_values(1),
    **dict.fromkeys((None, "fro", "f"), _frobenius),
}

# --- norm and cond -------------------------------------------------------------------------------------------------


def _gradient(x: Any, norm: Any, ord: Any, axis: Any) -> Any:
    if axis is None and ord is None:
        return _over(x, norm.reshape((1,) * x.ndim))
    number = _number(ord)
    axes, moved, norm = _along_last(x, norm, axis)
    made = _vector_gradient(moved, norm, ord) if len(axes) == 1 else _MATRIX_GRADIENTS[number](moved, norm)
    return np.moveaxis(made, range(-len(axes), 0), axes)


def _along_last(x: Any, norm: Any, axis: Any) -> tuple[tuple, Any, Any]:
    """The axes of a norm, x with these as its last ones, and the norm without them."""
    axes = negative_axes(axis, x.ndim)
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    return axes, moved, norm.reshape(moved.shape[: moved.ndim - len(axes)])


def _own_shape(axis: Any, keepdims: bool, shape: tuple) -> tuple:
    """The shape of a norm by an order without axes; NumPy gives the axes of an array of one order to the result."""
    axes = negative_axes(axis, len(shape))
    sizes = [1 if n - len(shape) in axes else size for n, size in enumerate(shape)]
    return tuple(size for n, size in enumerate(sizes) if keepdims or n - len(shape) not in axes)


@vjp(np.linalg.norm, "x")
def norm_vjp(ct: Any, ans: Any, x: Any, ord: Any, axis: Any, keepdims: Any, x_spec: Any) -> Any:
    if ord is not None and np.ndim(ord):
        ct = ct.reshape(ct.shape[: ct.ndim - np.ndim(ans)] + _own_shape(axis, bool(keepdims), x_spec.shape))
    return put_back(ct, axis, bool(keepdims), x_spec) * _gradient(x, ans, ord, axis)


@jvp(np.linalg.norm, "x")
def norm_jvp(tangent: Any, ans: Any, x: Any, ord: Any, axis: Any, keepdims: Any) -> Any:
    gradient = _gradient(x, ans, ord, axis)
    change = np.real(np.conjugate(gradient) * tangent) if np.iscomplexobj(gradient) else gradient * tangent
    changes = np.sum(change, axis=negative_axes(axis, x.ndim), keepdims=bool(keepdims))
    if ord is None or not np.ndim(ord):
        return changes
    return changes.reshape(tangent.shape[: tangent.ndim - x.ndim] + np.shape(ans))


def _by_order(ans: Any, x: Any, ord: Any, axis: Any) -> Any:
    """How a norm of vectors changes with its order, in the shape of the norm."""
    number = _number(ord)
    axes, moved, norm = _along_last(x, ans, axis)
    if len(axes) > 1:
        refuse_function(np.linalg.norm, "by the order of a norm of matrices")
    if number in _ORDERS_BY_THEMSELVES:
        return np.zeros(np.shape(ans), norm.dtype)
    ord = np.reshape(ord, ())
    ratio = _over(np.abs(moved), norm[..., None])
    there = np.where(ratio == 0, 1, ratio)
    return np.reshape(norm / ord * np.sum(there**ord * np.log(there), axis=-1), np.shape(ans))


@vjp(np.linalg.norm, "ord")
def norm_order_vjp(ct: Any, ans: Any, x: Any, ord: Any, axis: Any, ord_spec: Any) -> Any:
    batch = ct.shape[: ct.ndim - np.ndim(ans)]
    flow = ct * _by_order(ans, x, ord, axis)
    return np.sum(flow.reshape((*batch, np.size(ans))), axis=-1).reshape(batch + ord_spec.shape)


@jvp(np.linalg.norm, "ord")
def norm_order_jvp(tangent: Any, ans: Any, x: Any, ord: Any, axis: Any, ord_spec: Any) -> Any:
    slope = _by_order(ans, x, ord, axis)
    batch = tangent.shape[: tangent.ndim - ord_spec.ndim]
    return tangent.reshape(batch + (1,) * np.ndim(slope)) * slope


@body(np.linalg.cond)
def cond_body(x: Any, p: Any = None) -> Any:
    with np.errstate(all="ignore"):
        # Singular values of what is not finite are not found: another matrix stands for it, the value is NumPy's own.
        finite = np.isfinite(x).all(axis=(-2, -1))[..., None, None]
        if p in {None, 2, -2, "nuc"}:  # as a key: a traced order is refused, as each has a function of its own
            x = np.where(finite, x, np.eye(*np.shape(x)[-2:]))
        if p in (None, 2, -2):
            s = np.linalg.svd(x, compute_uv=False)
            return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
        singular = ~np.isfinite(np.linalg.cond(fixed(x), p))
        inverse = np.linalg.inv(np.where(singular[..., None, None], np.eye(np.shape(x)[-1]) if p == "nuc" else np.nan, x))
        return np.linalg.norm(x, p, axis=(-2, -1)) * np.linalg.norm(inverse, p, axis=(-2, -1))
