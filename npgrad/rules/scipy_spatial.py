"""``scipy.spatial.distance``: distances between the rows of matrices.

The functions of two vectors are Python code that is followed as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._following import LibraryBody, LibraryRule, follow_by
from .._libraries import Library
from ._helpers import mT

distance = Library("scipy.spatial.distance")

# --- Euclidean distances: no array with an axis for the coordinates of each pair --------------------------------------

_EUCLIDEAN = {"euclidean": False, "sqeuclidean": True}


def _pairs(XA: Any, XB: Any, squared: Any) -> None:
    """The arguments of the rule."""


def _euclidean_parts(
    XA: Any, XB: Any, metric: Any = "euclidean", *, out: Any = None, **kwargs: Any
) -> dict[str, Any] | None:
    if out is not None or kwargs or not isinstance(metric, str) or metric not in _EUCLIDEAN:
        return None
    return {"XA": XA, "XB": XB, "squared": _EUCLIDEAN[metric]}


_euclidean = LibraryRule(_pairs, _euclidean_parts)


def _weighted(v: Any, distances: Any, squared: Any) -> Any:
    """Times the derivative by half the square of the distance; where points meet there is none, and zero is taken."""
    if squared:
        return 2 * v
    apart = distances != 0
    return np.where(apart, v, 0) / np.where(apart, distances, 1)


def _centred(a: Any, b: Any) -> tuple[Any, Any]:
    """Only differences count, which lose digits far from zero."""
    middle = np.mean(b, axis=0)
    return np.asarray(a) - middle, np.asarray(b) - middle


@_euclidean.vjp("XA", "XB")
def euclidean_vjp(ct: Any, ans: Any, XA: Any, XB: Any, squared: Any) -> Any:
    w = _weighted(ct, ans, squared)
    a, b = _centred(XA, XB)
    return np.sum(w, -1)[..., None] * a - w @ b, np.sum(w, -2)[..., None] * b - mT(w) @ a


@_euclidean.jvp("XA")
def euclidean_jvp_a(tangent: Any, ans: Any, XA: Any, XB: Any, squared: Any) -> Any:
    a, b = _centred(XA, XB)
    return _weighted(np.sum(tangent * a, -1)[..., None] - tangent @ b.T, ans, squared)


@_euclidean.jvp("XB")
def euclidean_jvp_b(tangent: Any, ans: Any, XA: Any, XB: Any, squared: Any) -> Any:
    a, b = _centred(XA, XB)
    return _weighted(np.sum(tangent * b, -1)[..., None, :] - a @ mT(tangent), ans, squared)


follow_by(_euclidean, distance, "cdist")

# --- Others --------------------------------------------------------------------------------------------------------


def _cosine(a: Any, b: Any) -> Any:
    return 1 - np.sum(a * b, -1) / np.sqrt(np.sum(a * a, -1) * np.sum(b * b, -1))


def _about_mean(a: Any) -> Any:
    return a - np.mean(a, axis=-1, keepdims=True)


# Of two arrays with the coordinates last.
_METRICS: dict[str, Callable] = {
    "cityblock": lambda a, b: np.sum(np.abs(a - b), -1),
    "chebyshev": lambda a, b: np.max(np.abs(a - b), -1),
    "cosine": _cosine,
    "correlation": lambda a, b: _cosine(_about_mean(a), _about_mean(b)),
    "braycurtis": lambda a, b: np.sum(np.abs(a - b), -1) / np.sum(np.abs(a + b), -1),
}


def _cdist(XA: Any, XB: Any, metric: Any, *, out: Any = None) -> Any:
    return _METRICS[metric](np.asarray(XA)[:, None], np.asarray(XB))


def _pdist(X: Any, metric: Any = "euclidean", *, out: Any = None) -> Any:
    X = np.asarray(X)
    rows, columns = np.triu_indices(len(X), 1)
    if metric in _EUCLIDEAN:
        return distance.cdist(X, X, metric)[rows, columns]
    return _METRICS[metric](X[rows], X[columns])


follow_by(LibraryBody(_cdist, when=lambda metric: metric in _METRICS, out=(None,)), distance, "cdist")
follow_by(
    LibraryBody(_pdist, when=lambda metric: metric in _EUCLIDEAN or metric in _METRICS, out=(None,)), distance, "pdist"
)
