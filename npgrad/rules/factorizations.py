"""Factorizations of matrices: Cholesky, QR.

Cholesky reads one triangle of a Hermitian argument: the cotangent of the other one is 0.

Formulas: I. Murray, "Differentiation of the Cholesky decomposition" (2016); S. F. Walter and L. Lehmann, "Algorithmic
differentiation of linear algebra functions with application in optimum experimental design" (2010).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._limits import turned_freely
from .._registry import jvp, only, vjp
from ._degenerate import tell_if_turned
from ._helpers import diagonal_only, hermitian, mH, total, triangle

# --- Cholesky ------------------------------------------------------------------------------------------------------


def _lower_half(a: Any) -> Any:
    """The lower triangle with half of the diagonal, which is real."""
    return np.tril(a, -1) + diagonal_only(a) / 2


# Triangles of more rows are inverted by halves: products of matrices take a third of the time of NumPy's inverse.
_LARGE = 64


def _inverse_of_lower(a: Any) -> Any:
    """The inverse of a lower triangular matrix."""
    n = a.shape[-1]
    if n <= _LARGE:
        return np.linalg.inv(a)
    k = n // 2
    first, last = _inverse_of_lower(a[..., :k, :k]), _inverse_of_lower(a[..., k:, k:])
    below = np.concatenate([-(last @ (a[..., k:, :k] @ first)), last], axis=-1)
    above = np.concatenate([first, np.zeros_like(a[..., :k, k:])], axis=-1)
    return np.concatenate([above, below], axis=-2)


def _inverse_of_upper(a: Any) -> Any:
    return np.swapaxes(_inverse_of_lower(np.swapaxes(a, -1, -2)), -1, -2)


@vjp(np.linalg.cholesky, "a")
def cholesky_vjp(ct: Any, ans: Any, upper: Any) -> Any:
    factor, ct = (mH(ans), mH(ct)) if upper else (ans, ct)
    inverse = _inverse_of_lower(factor)
    back = triangle(mH(inverse) @ _lower_half(mH(factor) @ np.tril(ct)) @ inverse)
    return mH(back) if upper else back


@jvp(np.linalg.cholesky, "a")
def cholesky_jvp(tangent: Any, ans: Any, upper: Any) -> Any:
    factor = mH(ans) if upper else ans
    inverse = _inverse_of_lower(factor)
    change = factor @ _lower_half(inverse @ hermitian(tangent, "U" if upper else "L") @ mH(inverse))
    return mH(change) if upper else change


# --- QR ------------------------------------------------------------------------------------------------------------

_QR_MODES = {"reduced": True, "complete": True, "r": False}
only(np.linalg.qr, "mode", *_QR_MODES)


def _qr_factors(ans: Any, a: Any, mode: str) -> tuple[Any, Any, Any, Any]:
    """Q with as many columns as A has rows or columns, the others, R in front and behind."""
    q, r = ans if _QR_MODES[mode] else np.linalg.qr(a)
    k = min(a.shape[-2:])
    return q[..., :k], q[..., k:], r[..., :k, :k], r[..., :k, k:]


def _imaginary_diagonal(a: Any) -> Any:
    return np.where(np.eye(a.shape[-1], dtype=bool), 1j * np.imag(a), 0) if np.iscomplexobj(a) else 0


@vjp(np.linalg.qr, "a")
def qr_vjp(ct: Any, ans: Any, a: Any, mode: Any) -> Any:
    q, others, r, behind = _qr_factors(ans, a, mode)
    k = q.shape[-1]
    ct_q, ct_r = ct if _QR_MODES[mode] else (None, ct)
    flow = None if ct_q is None else ct_q[..., :k]
    if ct_q is not None and others.shape[-1]:
        tell_if_turned(others, ct_q[..., k:], "qr")
        flow = flow - others @ (mH(ct_q[..., k:]) @ q)
    if ct_r is None:
        inner, back_behind = mH(q) @ flow, None
    else:
        back_behind = q @ ct_r[..., :k, k:]
        flow = total(flow, a[..., k:] @ mH(ct_r[..., :k, k:]))
        inner = mH(q) @ flow - ct_r[..., :k, :k] @ mH(r)
    skew = np.tril(inner - mH(inner), -1) + _imaginary_diagonal(inner)
    back = (flow + q @ (skew - inner)) @ mH(_inverse_of_upper(r))
    if not behind.shape[-1]:
        return back
    if back_behind is None:
        back_behind = np.zeros(back.shape[:-1] + behind.shape[-1:], back.dtype)
    return np.concatenate([back, back_behind], axis=-1)


@jvp(np.linalg.qr, "a")
def qr_jvp(tangent: Any, ans: Any, a: Any, mode: Any) -> Any:
    q, others, r, behind = _qr_factors(ans, a, mode)
    k = q.shape[-1]
    change = tangent[..., :k] @ _inverse_of_upper(r)
    inner = mH(q) @ change
    below = np.tril(inner, -1)
    skew = below - mH(below) + _imaginary_diagonal(inner)
    change_q = change + q @ (skew - inner)
    change_r = (inner - skew) @ r
    if behind.shape[-1]:
        change_behind = mH(change_q) @ a[..., k:] + mH(q) @ tangent[..., k:]
        change_r = np.concatenate([change_r, change_behind], axis=-1)
    if not _QR_MODES[mode]:
        return change_r
    if others.shape[-1]:
        change_q = np.concatenate([change_q, turned_freely(others, "qr") - q @ (mH(change_q) @ others)], axis=-1)
        change_r = np.concatenate([change_r, np.zeros(change_r.shape[:-2] + (others.shape[-1], k), r.dtype)], axis=-2)
    return change_q, change_r
