"""Polynomials by their coefficients, highest power first. (``numpy.polynomial`` needs no rules: see ``_series``.)"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._libraries import Library
from .._registry import body, composite, jvp, vjp

Library("numpy.polynomial.polynomial").all_dispatched(composite)  # more with each version
composite(np.poly, np.polyadd, np.polysub, np.polyder, np.polyint, np.polyval, np.vander)


@body(np.polymul)
def polymul_body(a1: Any, a2: Any) -> Any:
    """NumPy goes through poly1d, which strips leading zeros."""
    return np.convolve(np.poly1d(a1).coeffs, np.poly1d(a2).coeffs)


@body(np.polydiv)
def polydiv_body(u: Any, v: Any) -> Any:
    """Long division, bit by bit as NumPy does it, in buffers that are followed whichever argument is."""
    u, v = np.atleast_1d(u), np.atleast_1d(v)
    n = len(v) - 1
    quotient = np.zeros(max(len(u) - n, 1), np.result_type(u, v, 0.0))
    rest = np.array(u, quotient.dtype)
    scale = 1.0 / v[0]
    for k in range(len(u) - n):
        quotient[k] = scale * rest[k]
        rest[k : k + n + 1] -= quotient[k] * v
    while np.allclose(rest[0], 0, rtol=1e-14) and rest.shape[-1] > 1:
        rest = rest[1:]
    return quotient, rest.copy()


def _by_coefficients(p: Any, roots: Any) -> Any:
    """How each root moves with each coefficient, by the implicit function theorem: also a root at 0, and with a leading
    coefficient 0, which NumPy strips. A root of several moves infinitely fast, unless it stays at 0."""
    n = np.size(p)
    slopes = np.vander(roots, n - 1) @ (np.reshape(p, n)[:-1] * np.arange(n - 1, 0, -1))
    powers = np.vander(roots, n)
    return np.where(powers == 0, 0, -powers / slopes[:, None])


def _times(flow: Any, factors: Any) -> Any:
    """Products in which zero times infinity is zero."""
    return np.where(flow == 0, 0, flow * factors)


@vjp(np.roots, "p")
def roots_vjp(ct: Any, p: Any, ans: Any, p_spec: Any) -> Any:
    if not np.size(ans):
        return np.zeros(ct.shape[:-1] + p_spec.shape, ct.dtype)
    return np.sum(_times(ct[..., :, None], np.conjugate(_by_coefficients(p, ans))), axis=-2)


@jvp(np.roots, "p")
def roots_jvp(tangent: Any, p: Any, ans: Any) -> Any:
    if not np.size(ans):
        return np.zeros((*tangent.shape[:-1], 0), tangent.dtype)
    return np.sum(_times(tangent[..., None, :], _by_coefficients(p, ans)), axis=-1)


@body(np.polyfit)
def polyfit_body(
    x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:
    """Least squares in scaled powers of x, as NumPy does it but without its writes into plain arrays."""
    x, y, deg = np.asarray(x) + 0.0, np.asarray(y) + 0.0, int(deg)
    powers, values = np.vander(x, deg + 1), y
    if w is not None:
        w = np.asarray(w) + 0.0
        # NumPy weights in place, so that the precision stays that of the points and values.
        powers, values = (powers * w[:, None]).astype(powers.dtype), (y.T * w).T.astype(y.dtype)
    scale = np.sqrt(np.sum(powers * powers, axis=0))
    cutoff = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    c, residuals, rank, singular = np.linalg.lstsq(powers / scale, values, cutoff)
    c = c / (scale if y.ndim == 1 else scale[:, None])
    if full:
        return c, residuals, rank, singular, cutoff
    if not cov:
        return c
    scaled = powers / scale
    covariance = np.linalg.inv(scaled.T @ scaled) / np.outer(scale, scale)
    if cov != "unscaled":
        factor = residuals / (len(x) - deg - 1)
        covariance = covariance * factor if y.ndim == 1 else covariance[:, :, None] * factor
    elif y.ndim == 2:
        covariance = covariance[:, :, None]
    return c, covariance
