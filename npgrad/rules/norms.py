"""Norms of vectors and matrices: the derivative is 0 where the norm is 0, ties share equally.

A norm is real, so one array of the argument's shape, here called its gradient G, gives both maps: ct * G, and the sum of
Re(conj(G) * tangent).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._registry import body, jvp, vjp
from ._helpers import fixed, negative_axes, put_back

# --- Gradients along the last axis ---------------------------------------------------------------------------------


def _over(x: Any, size: Any) -> Any:
    """x / size, 0 where the size is 0."""
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


def _vector_gradient(x: Any, norm: Any, ord: Any) -> Any:
    if ord in _VECTOR_GRADIENTS:
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
    ord = fixed(ord).item() if isinstance(ord, np.ndarray) else ord  # NumPy takes an array of one number, too
    if axis is None and ord is None:
        return _over(x, norm.reshape((1,) * x.ndim))
    axes = negative_axes(axis, x.ndim)
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    norm = norm.reshape(moved.shape[: moved.ndim - len(axes)])
    made = _vector_gradient(moved, norm, ord) if len(axes) == 1 else _MATRIX_GRADIENTS[ord](moved, norm)
    return np.moveaxis(made, range(-len(axes), 0), axes)


@vjp(np.linalg.norm, "x")
def norm_vjp(ct: Any, ans: Any, x: Any, ord: Any, axis: Any, keepdims: Any, x_spec: Any) -> Any:
    return put_back(ct, axis, bool(keepdims), x_spec) * _gradient(x, ans, ord, axis)


@jvp(np.linalg.norm, "x")
def norm_jvp(tangent: Any, ans: Any, x: Any, ord: Any, axis: Any, keepdims: Any) -> Any:
    gradient = _gradient(x, ans, ord, axis)
    change = np.real(np.conjugate(gradient) * tangent) if np.iscomplexobj(gradient) else gradient * tangent
    return np.sum(change, axis=negative_axes(axis, x.ndim), keepdims=bool(keepdims))


@body(np.linalg.cond)
def cond_body(x: Any, p: Any = None) -> Any:
    with np.errstate(all="ignore"):
        # Singular values of what is not finite are not found: another matrix stands for it, the value is NumPy's own.
        finite = np.isfinite(x).all(axis=(-2, -1))[..., None, None]
        if p in (None, 2, -2, "nuc"):
            x = np.where(finite, x, np.eye(*np.shape(x)[-2:]))
        if p in (None, 2, -2):
            s = np.linalg.svd(x, compute_uv=False)
            return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
        singular = ~np.isfinite(np.linalg.cond(fixed(x), p))
        inverse = np.linalg.inv(np.where(singular[..., None, None], np.eye(np.shape(x)[-1]) if p == "nuc" else np.nan, x))
        return np.linalg.norm(x, p, axis=(-2, -1)) * np.linalg.norm(inverse, p, axis=(-2, -1))
