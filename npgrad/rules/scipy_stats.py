"""``scipy.stats``: means, moments, regressions, the normal density of several variables, estimates of densities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._following import Fields, LibraryBody, follow_by, follow_method
from .._libraries import Library

stats = Library("scipy.stats")
special = Library("scipy.special")

# --- Means and moments ---------------------------------------------------------------------------------------------


def _mean(a: Any, axis: Any, weights: Any, keepdims: Any) -> Any:
    return np.average(a, axis, weights, keepdims=keepdims)


def _gmean(
    a: Any, axis: Any = 0, dtype: Any = None, weights: Any = None, *, nan_policy: Any = "", keepdims: Any = False
) -> Any:
    return np.exp(_mean(np.log(np.asarray(a, dtype)), axis, weights, keepdims))


def _hmean(
    a: Any, axis: Any = 0, dtype: Any = None, *, weights: Any = None, nan_policy: Any = "", keepdims: Any = False
) -> Any:
    return 1 / _mean(1 / np.asarray(a, dtype), axis, weights, keepdims)


def _pmean(
    a: Any, p: Any, *, axis: Any = 0, dtype: Any = None, weights: Any = None, nan_policy: Any = "", keepdims: Any = False
) -> Any:
    if p == 0:
        return _gmean(a, axis, dtype, weights, keepdims=keepdims)
    return _mean(np.asarray(a, dtype) ** p, axis, weights, keepdims) ** (1 / p)


def _central(a: Any, axis: Any, *orders: int) -> list[Any]:
    deviations = np.asarray(a) - np.mean(a, axis, keepdims=True)
    return [np.mean(deviations**order, axis, keepdims=True) for order in orders]


def _reduced(value: Any, axis: Any, keepdims: Any) -> Any:
    return value if keepdims else np.sum(value, axis)


def _skew(a: Any, axis: Any = 0, bias: Any = True, nan_policy: Any = "", *, keepdims: Any = False) -> Any:
    square, cube = _central(a, axis, 2, 3)
    n = np.size(a) / square.size
    value = cube / square**1.5 * (1 if bias or n < 3 else math.sqrt(n * (n - 1)) / (n - 2))
    return _reduced(value, axis, keepdims)


def _kurtosis(
    a: Any, axis: Any = 0, fisher: Any = True, bias: Any = True, nan_policy: Any = "", *, keepdims: Any = False
) -> Any:
    square, fourth = _central(a, axis, 2, 4)
    n = np.size(a) / square.size
    value = fourth / square**2
    if not bias and n > 3:
        value = ((n * n - 1) * value - 3 * (n - 1) ** 2) / ((n - 2) * (n - 3)) + 3
    return _reduced(value - 3 if fisher else value, axis, keepdims)


def _sem(a: Any, axis: Any = 0, ddof: Any = 1, nan_policy: Any = "", *, keepdims: Any = False) -> Any:
    deviation = np.std(a, axis, ddof=ddof, keepdims=keepdims)
    return deviation / math.sqrt(np.size(a) / np.size(deviation))


for _name, _body in (("gmean", _gmean), ("hmean", _hmean), ("pmean", _pmean), ("skew", _skew), ("kurtosis", _kurtosis),
                     ("sem", _sem)):  # fmt: skip
    follow_by(LibraryBody(_body, ("p",), nan_policy=("propagate", "raise")), stats, _name)

# --- Regressions ---------------------------------------------------------------------------------------------------


def _sums(x: Any, y: Any) -> tuple[Any, ...]:
    """Means of products of deviations."""
    x, y = np.asarray(x), np.asarray(y)
    dx, dy = x - np.mean(x), y - np.mean(y)
    return np.mean(dx * dx), np.mean(dx * dy), np.mean(dy * dy)


def _pearsonr(x: Any, y: Any, *, alternative: Any = "two-sided", method: Any = None, axis: Any = 0) -> Any:
    """The probability is that of a beta distribution on both sides of zero."""
    xx, xy, yy = _sums(x, y)
    r = xy / np.sqrt(xx * yy)
    half = np.size(x) / 2 - 1
    probability = 2 * special.betainc(half, half, (1 - np.abs(r)) / 2)
    return Fields((r, probability), correlation=r, _x=x, _y=y)


def _linregress(x: Any, y: Any, alternative: Any = "two-sided") -> Any:
    xx, xy, yy = _sums(x, y)
    df = np.size(x) - 2
    slope, r = xy / xx, xy / np.sqrt(xx * yy)
    stderr = np.sqrt((1 - r * r) * yy / xx / df)
    # Student's distribution on both sides of zero.
    probability = special.betainc(df / 2, 0.5, 1 - r * r)
    error = stderr * np.sqrt(xx + np.mean(x) ** 2)
    return Fields((slope, np.mean(y) - slope * np.mean(x), r, probability, stderr), intercept_stderr=error)


def _is_sample(x: Any, y: Any) -> bool:
    return y is not None and np.ndim(x) == 1 and np.shape(x) == np.shape(y) and np.size(x) > 2


_BOTH_SIDES: tuple = ("two-sided",)
follow_by(
    LibraryBody(_pearsonr, when=_is_sample, alternative=_BOTH_SIDES, method=(None,), axis=(0, -1)), stats, "pearsonr"
)
follow_by(LibraryBody(_linregress, when=_is_sample, alternative=_BOTH_SIDES), stats, "linregress")

# --- The normal distribution of several variables -----------------------------------------------------------------------


def _normal_logpdf(self: Any, x: Any, mean: Any = None, cov: Any = 1, allow_singular: Any = False) -> Any:
    cov, mean = np.asarray(cov), np.asarray(0.0 if mean is None else mean)
    x = np.asarray(x)
    dim = max(cov.shape[-1] if cov.ndim else 1, mean.shape[-1] if mean.ndim else 1)
    x = x[..., None] if x.ndim and dim == 1 and x.shape[-1:] != (1,) else x
    # Of a matrix SciPy reads the lower triangle.
    cov = cov * np.eye(dim) if cov.ndim < 2 else np.tril(cov) + np.tril(cov, -1).T
    deviations = (x - mean).reshape(-1, dim)
    squares = np.sum(deviations.T * np.linalg.solve(cov, deviations.T), axis=0)
    values = -0.5 * (dim * math.log(2 * math.pi) + np.linalg.slogdet(cov)[1] + squares)
    return values.reshape(np.shape(x)[:-1] or ())


def _normal_pdf(self: Any, x: Any, mean: Any = None, cov: Any = 1, allow_singular: Any = False) -> Any:
    return np.exp(_normal_logpdf(self, x, mean, cov))


def _is_matrix(cov: Any, allow_singular: Any) -> bool:
    return not allow_singular and isinstance(cov, (int, float, np.ndarray, np.generic, list))


_normals = [type(stats.multivariate_normal)]
follow_method(LibraryBody(_normal_logpdf, when=_is_matrix), _normals, "logpdf")
follow_method(LibraryBody(_normal_pdf, when=_is_matrix), _normals, "pdf")

# --- Estimates of densities, by the place ---------------------------------------------------------------------------


def _estimate(self: Any, points: Any) -> Any:
    """A sum of normal densities around the plain samples, which are independent in coordinates of their own."""
    points = np.atleast_2d(np.asarray(points))
    if points.shape[0] != self.d:  # one place
        points = points.reshape(self.d, 1)
    to_own = np.linalg.cholesky(np.linalg.inv(self.covariance)).T
    places, samples = to_own @ points, to_own @ self.dataset
    squares = sum((place - sample[:, None]) ** 2 for place, sample in zip(places, samples, strict=True))
    return self.weights @ np.exp(-0.5 * squares) / math.sqrt(np.linalg.det(2 * math.pi * self.covariance))


def _log_estimate(self: Any, x: Any) -> Any:
    return np.log(_estimate(self, x))


def _estimate_at(self: Any, x: Any) -> Any:
    return _estimate(self, x)


follow_method(LibraryBody(_estimate), [stats.gaussian_kde], "evaluate", "__call__")
follow_method(LibraryBody(_estimate_at), [stats.gaussian_kde], "pdf")
follow_method(LibraryBody(_log_estimate), [stats.gaussian_kde], "logpdf")
# Its compiled code wants memory that it could write into.
follow_method(None, [stats.gaussian_kde], "__init__")
