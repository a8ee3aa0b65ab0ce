"""Equal eigenvalues and singular values, and columns that complete a basis: what is left out, and when that is told."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from .._limits import ROUGHLY, follows, limit, turned
from .._registry import warn_chosen, warn_completed, warn_degenerate, warn_told_apart
from ._helpers import fixed, mH

_EPS = {kind: float(np.finfo(kind).eps) for kind in "fdFD"}


def rounding(values: Any, ndim: int) -> Any:
    """What values differ by if they are equal up to rounding, for ``ndim`` axes."""
    size = np.max(np.abs(fixed(values)), axis=-1, initial=0)
    of_one = 10 * values.shape[-1] * _EPS[values.dtype.char]
    return of_one * size.reshape(size.shape + (1,) * (ndim - size.ndim))


def is_tiny(x: Any, values: Any) -> Any:
    return np.abs(fixed(x)) <= rounding(values, x.ndim)


def direction(values: Any) -> Any:
    """Numbers by which equal values part from each other, and from zero."""
    return np.broadcast_to(np.arange(1, values.shape[-1] + 1, dtype=values.real.dtype), values.shape)


def differ(values: Any, also: tuple = ()) -> bool:
    """Whether sorted values are clearly different, from each other and from those of ``also``. This is asked at each call
    that is recorded, mostly of a few values."""
    tolerance = 10 * values.shape[-1] * _EPS[values.dtype.char]
    if values.ndim == 1:
        numbers = [*values.tolist(), *also]
        limit = tolerance * max(map(abs, numbers), default=0)
        return all(abs(b - a) > limit for a, b in pairwise(numbers))
    gaps = [values[..., 1:] - values[..., :-1], *[values[..., -1:] - one for one in also]]
    return all(not gap.size or abs(gap).min() > tolerance * abs(values).max() for gap in gaps)


def largest(x: Any) -> Any:
    return np.max(np.abs(fixed(x)), initial=0)


def differences(values: Any) -> Any:
    return values[..., None, :] - values[..., :, None]


def sums(values: Any) -> Any:
    return values[..., None, :] + values[..., :, None]


class Spectrum(NamedTuple):
    """Values with vectors: how they part where they are equal, the result of the call that is followed as they do, and what
    the vectors are called."""

    values: Any
    by: Any
    followed: Any
    vectors: str


def spectrum(values: Any, vectors: str = "eigenvectors") -> Spectrum:
    return Spectrum(values, direction(values), values, vectors)


def quotient(x: Any, form: Callable, of: Spectrum, size: Any, conjugated: bool = False) -> tuple[Any, bool]:
    """x over a form of the values: the limit where that is 0. Tell if there is none, measured by ``size``, or if it cannot
    be found. And whether x changes as the values part."""
    y = np.conjugate(form(of.values)) if conjugated else form(of.values)
    tiny = is_tiny(y, of.values)
    ordinary = np.where(tiny, 0, x / np.where(tiny, 1, y))
    if not np.any(tiny):
        return ordinary, False
    if not follows(of.followed):
        warn_degenerate(of.vectors)
        return ordinary, False
    found = limit(x, np.where(tiny, y, 0), np.where(tiny, form(of.by), 1), of.values)
    allowed = ROUGHLY * size + 10 * rounding(of.values, y.ndim) * largest(np.where(tiny, 0 if found is None else found, 0))
    for share in (x, turned(x)):
        if share is not None and np.any(tiny & (np.abs(fixed(share)) > allowed)):
            warn_chosen(of.vectors)
    return (ordinary, False) if found is None else (np.where(tiny, found, ordinary), True)


def turns(values: Any, vectors: Any) -> Any:
    """A change of basis among vectors of equal values, less the vectors themselves: anti-Hermitian."""
    n = values.shape[-1]
    k = np.random.default_rng(0).standard_normal((2, n, n))
    k = k[0] + 1j * k[1] if np.iscomplexobj(vectors) else k[0]
    return np.where(is_tiny(differences(values), values), k - mH(k), 0) * ~np.eye(n, dtype=bool)


def gaps(values: Any) -> Any:
    """w_j - w_i, infinite on the diagonal: no vector mixes with itself."""
    return np.where(np.eye(values.shape[-1], dtype=bool), np.inf, differences(values))


def columns(values: Any) -> Any:
    return values[..., None, :]


def tell_if_apart(flow: Any, w: Any, what: str = "eigenvalues") -> None:
    """Tell if the shares of equal values are different."""
    if flow is None:
        return
    equal = is_tiny(differences(w), w)
    flow = fixed(flow)
    size = np.max(np.abs(flow), axis=-1, initial=0)[..., None, None]
    if np.any(equal & (np.abs(flow[..., None, :] - flow[..., :, None]) > ROUGHLY * size)):
        warn_told_apart(what)


def tell_if_torn(inner: Any, turn: Any, values: Any, size: Any, what: str = "eigenvalues") -> None:
    """Tell if the derivative by the matrix changes as the vectors of equal values turn: ``inner`` is it between them, of
    numbers of this size over the values."""
    by = fixed(mH(turn))
    change = turned(inner)
    inner = fixed(inner)
    kept = by @ inner - inner @ by
    off = np.abs((0 if change is None else change) - kept)
    allowed = ROUGHLY * (largest(inner) + size / (largest(values) or np.inf))
    if np.any(is_tiny(differences(values), values) & (off > allowed)):
        warn_told_apart(what)


def tell_if_mixed(inner: Any, w: Any, what: str = "eigenvalues") -> None:
    """Tell if a change of the matrix moves equal values apart: ``inner`` is that change between their vectors."""
    equal = is_tiny(differences(w), w) & ~np.eye(w.shape[-1], dtype=bool)
    inner = fixed(inner)
    size = np.max(np.abs(inner), axis=(-2, -1), initial=0)[..., None, None]
    if np.any(equal & (np.abs(inner) > ROUGHLY * size)):
        warn_told_apart(what)
    else:
        tell_if_apart(np.diagonal(inner, 0, -2, -1), w, what)


def tell_if_turned(columns: Any, ct: Any, what: str) -> None:
    """Tell if a result changes when the columns that complete a basis are turned among themselves."""
    turn = fixed(mH(columns) @ ct)
    size = np.max(np.abs(turn), axis=(-2, -1), initial=0)[..., None, None]
    if np.any(np.abs(turn - mH(turn)) > ROUGHLY * size):
        warn_completed(what)
