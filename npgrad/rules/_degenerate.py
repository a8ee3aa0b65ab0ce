"""Equal eigenvalues and singular values, and columns that complete a basis: what is left out, and when that is told."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._registry import warn_completed, warn_degenerate, warn_told_apart
from ._helpers import fixed, mH

# What is different by more than this is so by more than rounding.
_ROUGHLY = 1e-6


def reciprocal(x: Any, values: Any) -> Any:
    """1 / x for sums or differences of values, 0 where they are equal up to rounding."""
    tiny = is_tiny(x, values)
    return np.where(tiny, 0, 1 / np.where(tiny, 1, x))


def is_tiny(x: Any, values: Any) -> Any:
    rounding = 10 * values.shape[-1] * float(np.finfo(values.dtype).eps)
    size = np.max(np.abs(fixed(values)), axis=-1, initial=0)
    return np.abs(fixed(x)) <= rounding * size.reshape(size.shape + (1,) * (x.ndim - size.ndim))


def over_gaps(mixing: Any, w: Any, what: str = "Eigenvectors", conjugated: bool = False) -> Any:
    """How vectors mix, over w_j - w_i; 0 for equal values, which is told if one of their vectors has a share in it."""
    gaps = w[..., None, :] - w[..., :, None]
    has_equal = np.any(is_tiny(gaps, w) & ~np.eye(w.shape[-1], dtype=bool), axis=-2)
    if np.any(has_equal & np.any(fixed(mixing) != 0, axis=-2)):
        warn_degenerate(what)
    factor = reciprocal(gaps, w)
    return (np.conjugate(factor) if conjugated else factor) * mixing


def tell_if_apart(flow: Any, w: Any, what: str = "eigenvalues") -> None:
    """Tell if the shares of equal values are different."""
    equal = is_tiny(w[..., None, :] - w[..., :, None], w)
    flow = fixed(flow)
    size = np.max(np.abs(flow), axis=-1, initial=0)[..., None, None]
    if np.any(equal & (np.abs(flow[..., None, :] - flow[..., :, None]) > _ROUGHLY * size)):
        warn_told_apart(what)


def tell_if_mixed(inner: Any, w: Any, what: str = "eigenvalues") -> None:
    """Tell if a change of the matrix moves equal values apart: ``inner`` is that change between their vectors."""
    equal = is_tiny(w[..., None, :] - w[..., :, None], w) & ~np.eye(w.shape[-1], dtype=bool)
    inner = fixed(inner)
    size = np.max(np.abs(inner), axis=(-2, -1), initial=0)[..., None, None]
    if np.any(equal & (np.abs(inner) > _ROUGHLY * size)):
        warn_told_apart(what)
    else:
        tell_if_apart(np.diagonal(inner, 0, -2, -1), w, what)


def tell_if_turned(columns: Any, ct: Any, what: str) -> None:
    """Tell if a result changes when the columns that complete a basis are turned among themselves."""
    turn = fixed(mH(columns) @ ct)
    size = np.max(np.abs(turn), axis=(-2, -1), initial=0)[..., None, None]
    if np.any(np.abs(turn - mH(turn)) > _ROUGHLY * size):
        warn_completed(what)
