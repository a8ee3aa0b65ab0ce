"""Vectors of eigenvalues and singular values: the phases that LAPACK gives to complex ones, and matrices between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._helpers import fixed, mH


def diagonal(values: Any) -> Any:
    return np.where(np.eye(values.shape[-1], dtype=bool), values[..., None, :], 0)


def diagonal_of(a: Any) -> Any:
    return np.diagonal(a, 0, -2, -1)


def halves(x: Any) -> tuple[Any, Any]:
    """The Hermitian half, and the other one."""
    return (x + mH(x)) / 2, (x - mH(x)) / 2


def _real_component(v: Any, row: int | None) -> tuple[Any, Any]:
    """Which component of each column LAPACK makes real, as a mask, and its value; ``row`` None: the largest."""
    values = fixed(v)
    largest = np.argmax(np.where(np.imag(values) == 0, np.abs(values), 0), axis=-2)[..., None, :]
    chosen = np.arange(v.shape[-2])[:, None] == (largest if row is None else row % v.shape[-2])
    # A singular vector that LAPACK finds by way of an LQ decomposition is made real there, here to rounding only.
    rounding = 0.0 if row is None else 100 * np.finfo(values.dtype).eps
    mask = chosen & (np.abs(np.imag(values)) <= rounding) & (values != 0)
    pivot = np.sum(np.where(mask, np.real(v), 0), axis=-2, keepdims=True)
    return mask, np.where(np.any(mask, axis=-2, keepdims=True), pivot, 1)


def phase_kept(change: Any, v: Any, row: int | None) -> Any:
    """A change of complex columns, each turned so that its real component stays real."""
    if not np.iscomplexobj(v) or not v.size:
        return change
    mask, pivot = _real_component(v, row)
    return change - 1j * v * (np.sum(np.where(mask, np.imag(change), 0), axis=-2, keepdims=True) / pivot)


def phase_kept_vjp(ct: Any, v: Any, row: int | None) -> Any:
    if not np.iscomplexobj(v) or not v.size:
        return ct
    mask, pivot = _real_component(v, row)
    turn = np.imag(np.sum(np.conjugate(v) * ct, axis=-2, keepdims=True))
    return ct - 1j * np.where(mask, turn / pivot, 0)
