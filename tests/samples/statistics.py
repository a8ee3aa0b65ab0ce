"""Means, variances, quantiles, histograms, counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import A, C, D, S

_WEIGHTS = np.array([0.5, 1.0, 2.0, 0.25])
_MASK = np.array([[True, False, True, True], [True, True, False, True], [False, True, True, True]])
_HOLES = np.array([[False, True, False, False], [True, False, False, False], [False, False, True, False]])
_TIES = np.array([1, 0, 2, 1, 3, 0])



def _holes(function: Callable, *args: Any, **kwargs: Any) -> S:
    """A function that passes NaN over: some elements of its first argument are NaN. ``out`` is the shape of a buffer."""

    def call(x: Any, *rest: Any, **options: Any) -> Any:
        if "out" in options:
            options["out"] = np.zeros(options["out"])
        return getattr(np, function.__name__)(np.where(_HOLES, np.nan, x), *rest, **options)

    return S(function, A(3, 4), *args, f=call, **kwargs)


_MEANS = [
    S(np.mean, A(3, 4)),
    S(np.mean, A(3, 4), axis=0, keepdims=True),
    S(np.mean, A(2, 3, 4), axis=(0, -1)),
    S(np.mean, A(3, 4), axis=1, where=_MASK),
    S(np.mean, C(3, 4), axis=1),
    S(np.mean, A(3, 4), out=np.empty(4), axis=0, f=lambda x, axis, out: np.mean(x, axis, out=np.empty(out.shape))),
    S(np.average, A(3, 4)),
    S(np.average, A(3, 4), axis=1, weights=A(4, seed=1)),
    S(np.average, A(3, 4), axis=(0, 1), weights=A(3, 4, seed=1)),
    S(np.average, A(3, 4), axis=0, weights=A(3, 4, seed=1), keepdims=True),
    S(np.average, A(3, 4), weights=A(3, 4, seed=1), returned=True),
    S(np.average, A(3, 4), axis=1, returned=True),
    S(np.average, np.arange(4.0), weights=A(4)),
    S(np.average, C(3, 4), axis=1, weights=_WEIGHTS),
]

_VARIANCES = [
    S(function, *args, **kwargs)
    for function in (np.var, np.std)
    for args, kwargs in [
        ((A(3, 4),), {}),
        ((A(3, 4),), {"axis": 0}),
        ((A(2, 3, 4),), {"axis": (0, 2), "keepdims": True}),
        ((A(3, 4),), {"axis": 1, "ddof": 1}),
        ((A(3, 4),), {"axis": 1, "correction": 1.5}),
        ((A(3, 4),), {"axis": 1, "where": _MASK}),
        ((A(3, 4),), {"axis": 1, "mean": A(3, 1, seed=1)}),
        ((A(3, 4),), {"axis": 1, "mean": A(3, 1, seed=1), "keepdims": True, "ddof": 2}),
        ((C(3, 4),), {"axis": 1}),
        ((A(5),), {"ddof": 1}),
        ((A(3, 4), 0, None, None, 1, True), {}),
        ((A(3, 4),), {"axis": 0, "dtype": np.complex128}),
        ((C(3, 4), (0, 1)), {"ddof": 1, "keepdims": True}),
        ((A(3, 4),), {"axis": 1, "mean": A(), "where": _MASK}),
        ((A(3, 4),), {"axis": ()}),
        ((A(3, 4),), {"axis": 1, "ddof": A()}),
        ((A(3, 4),), {"axis": 1, "correction": A(), "where": _MASK}),
        ((A(),), {}),
        ((A(0, 3),), {"axis": 1}),
    ]
] + [
    S(np.var, A(3, 4), f=lambda x: x.var(axis=1, ddof=1)),
    S(np.std, A(3, 4), f=lambda x: x.std(0, keepdims=True)),
    S(np.var, A(3, 4), f=lambda x: np.var(x, axis=0, out=np.zeros(4))),
    S(np.std, A(3, 4), f=lambda x: np.std(x, axis=0, out=np.zeros(4), ddof=1)),
    S(np.std, A(3, 4), f=lambda x: np.std(x, axis=1, out=np.zeros(3), where=_MASK)),
]

_METHODS = [
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
]  # fmt: skip

_QUANTILES = [
    *[S(np.quantile, A(3, 4), 0.37, axis=1, method=method) for method in _METHODS],
    *[S(np.percentile, A(7), [12.0, 61.0], method=method) for method in _METHODS],
    *[_holes(np.nanquantile, 0.37, axis=1, method=method) for method in _METHODS],
    *[S(np.quantile, A(5), D(q), method="linear") for q in (0.3, [0.1, 0.45], [[0.1, 0.3], [0.6, 0.9]])],
    S(np.percentile, A(5), D(37.0)),
    S(np.quantile, A(3, 4), D([0.2, 0.8]), axis=0, method="hazen"),
    _holes(np.nanpercentile, D([20.0, 77.0]), axis=1),
    S(np.quantile, A(3, 4), 0.5),
    S(np.quantile, A(3, 4), [0.0, 0.2, 1.0], axis=(0, 1), keepdims=True),
    S(np.quantile, A(2, 3, 4), 0.2, axis=(0, 2)),
    S(np.quantile, A(5), 0.6, method="inverted_cdf", weights=np.array([1, 2, 1, 3, 1])),
    S(np.quantile, A(3, 4), 0.3, axis=1, method="inverted_cdf", weights=_WEIGHTS),
    S(np.percentile, A(3, 4), [10, 70], axis=-1, method="inverted_cdf", weights=_WEIGHTS),
    _holes(np.nanquantile, 0.3, axis=1, method="inverted_cdf", weights=np.broadcast_to(_WEIGHTS, (3, 4))),
    S(np.quantile, A(5), 0.3, f=lambda x, q: np.quantile(x, q, out=np.zeros(()))),
    S(np.quantile, A(3, 4), 0.3, f=lambda x, q: np.quantile(x, q, axis=0, out=np.zeros(4), overwrite_input=True)),
    S(np.median, A(5)),
    S(np.median, A(3, 4)),
    S(np.median, A(3, 4), axis=1),
    S(np.median, A(2, 3, 4), axis=(0, 1), keepdims=True),
    S(np.median, A(3, 4), f=lambda x: np.median(x, axis=0, out=np.zeros(4))),
    S(np.median, A(3, 4), f=lambda x: np.median(x * 1.0, axis=0, overwrite_input=True)),
    _holes(np.nanmedian),
    _holes(np.nanmedian, axis=1),
    _holes(np.nanmedian, axis=(0, 1), keepdims=True),
    S(np.nanmedian, A(3, 4), axis=0),
    _holes(np.nanquantile, [0.2, 0.6]),
    _holes(np.nanquantile, 0.2, axis=0, keepdims=True),
    _holes(np.nanpercentile, [10.0, 50.0], axis=1),
    _holes(np.nanquantile, 0.3, axis=1, out=3),
    _holes(np.nanmedian, axis=1, out=3),
    # Axes by position, several quantiles over several axes, ends of the range, numbers and empty arrays.
    *[S(np.percentile, A(2, 3, 4), [[20.0, 55.0], [0.0, 100.0]], (0, 2), method=m, keepdims=True) for m in _METHODS],
    *[S(np.nanpercentile, A(2, 3, 4), [20.0, 55.0], (0, -1), method=m) for m in _METHODS],
    *[_holes(np.nanquantile, D([0.23, 0.81]), axis=0, method=m) for m in _METHODS],
    *[S(np.quantile, A(7), D(0.43), method=m) for m in _METHODS],
    *[S(np.quantile, A(4), D([0.02, 0.55, 0.98]), method=m) for m in ("hazen", "weibull", "interpolated_inverted_cdf")],
    _holes(np.nanpercentile, [0.0, 100.0], axis=1),
    S(np.quantile, A(3, 4), [0.1, 0.5], 1, None, False, "inverted_cdf", True, weights=_WEIGHTS),
    S(np.median, A(3, 4), axis=[0, 1]),
    S(np.median, A(0, 3), axis=1),
    S(np.median, A()),
    S(np.quantile, A(), 0.3),
    S(np.percentile, A(1), [0, 100]),
    S(np.median, A(3, 4), (0, 1), None, False, True),
    S(np.median, D([[1.0, np.nan, 2.0], [3.0, 1.0, 2.0]]), f=lambda x: np.median(x, axis=1)[1:]),
    S(np.nanmedian, D([1.0, 2.0, 3.0]), f=lambda x: np.nanmedian(np.where([True, True, True], x, np.nan))),
]

# The element that is passed over may have a derivative that is NaN.
_PASSED_OVER = [
    S(f, A(3, 4), f=lambda x, f=f: getattr(np, f.__name__)(np.where(_HOLES, np.nan, 1.0) * x, axis=1))
    for f in (
        np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin, np.nancumsum, np.nancumprod,
        np.nanmedian,
    )
] + [
    S(np.nanquantile, A(3, 4), f=lambda x: np.nanquantile(np.where(_HOLES, np.nan, 1.0) * x, 0.3, axis=1)),
    S(np.max, A(3, 4), f=lambda x: np.max(np.where(_HOLES, np.nan, 1.0) * x, axis=1, where=~_HOLES, initial=0.1)),
    S(np.prod, A(3, 4), f=lambda x: np.prod(np.where(_HOLES, np.nan, 1.0) * x, axis=1, where=~_HOLES)),
    S(np.std, A(3, 4), f=lambda x: np.std(np.where(_HOLES, np.nan, 1.0) * x, axis=1, where=~_HOLES)),
    S(np.mean, A(3, 4), f=lambda x: np.mean(np.where(_HOLES, np.nan, 1.0) * x, axis=1, where=~_HOLES)),
]  # fmt: skip

_WITHOUT_NAN = [
    *[
        _holes(function, **kwargs)
        for function in (np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin)
        for kwargs in [
            {},
            {"axis": 0},
            {"axis": (0, 1), "keepdims": True},
            {"axis": 1, "where": _MASK, **({"initial": 0.3} if function in (np.nanmax, np.nanmin) else {})},
            {"axis": 1, "out": 3},
        ]
    ],
    *[S(f, A()) for f in (np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin)],
    S(np.nanvar, C(3, 4), axis=0),
    S(np.nanstd, C(3, 4)),
    S(np.nancumsum, C(3, 4), 0),
    S(np.nancumprod, C(3, 4), 1),
    *[S(f, A(2, 3), axis=-1) for f in (np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin)],
    _holes(np.nansum, axis=1, initial=D(0.4)),
    S(np.nansum, C(3, 4), f=lambda x: np.nansum(np.where(_HOLES, np.nan, x))),
    S(np.nanmean, C(3, 4), f=lambda x: np.nanmean(np.where(_HOLES, np.nan, x), axis=1)),
    _holes(np.nanprod, axis=1, initial=D(2.0)),
    *[_holes(f, axis=1, **kw) for f in (np.nanvar, np.nanstd) for kw in ({"ddof": 1}, {"correction": 1})],
    _holes(np.nanvar, axis=1, mean=A(3, 1, seed=1)),
    _holes(np.nanmax, axis=1, initial=D(1.4), where=_MASK),
    _holes(np.nanmin, axis=0, initial=D(0.7), keepdims=True),
    *[_holes(f, axis=1, **kw) for f in (np.nanvar, np.nanstd) for kw in ({"ddof": A()}, {"correction": A()})],
    S(np.nanstd, A(3, 4), f=lambda x: np.nanstd(np.where(_HOLES, np.nan, x), axis=1, mean=x[:, :1])),
    *[_holes(f, **kw) for f in (np.nancumsum, np.nancumprod) for kw in ({}, {"axis": 0}, {"axis": 1, "out": (3, 4)})],
]

_COVARIANCES = [
    S(np.cov, A(3, 5)),
    S(np.cov, A(5)),
    S(np.cov, A(5, 3), rowvar=False),
    S(np.cov, A(3, 5), bias=True),
    S(np.cov, A(3, 5), ddof=0),
    S(np.cov, A(5), A(5, seed=1)),
    S(np.cov, A(2, 5), A(3, 5, seed=1)),
    S(np.cov, A(5, 2), A(5, seed=1), rowvar=False, f=lambda m, y, rowvar: np.cov(m, y[:, None], rowvar)),
    S(np.cov, A(3, 4), fweights=np.array([1, 2, 1, 3])),
    S(np.cov, A(3, 4), aweights=_WEIGHTS),
    S(np.cov, A(3, 4), aweights=A(4, seed=2)),
    S(np.cov, A(3, 4), fweights=np.array([1, 2, 1, 3]), aweights=A(4, seed=2), ddof=0),
    S(np.cov, C(3, 5)),
    S(np.cov, C(3, 5), A(5)),
    S(np.corrcoef, A(3, 5)),
    S(np.corrcoef, A(5), A(5, seed=1)),
    S(np.corrcoef, A(5, 3), rowvar=False),
    S(np.corrcoef, A(2, 5), A(3, 5, seed=1)),
    S(np.corrcoef, C(3, 5)),
]

_COUNTS = [
    S(np.bincount, _TIES, A(6)),
    S(np.bincount, _TIES, weights=A(6), minlength=9),
    S(np.histogram, np.array([0.1, 0.5, 0.5, 0.9, 1.0, 3.0]), bins=3, range=(0, 1), weights=A(6)),
    S(np.histogram, np.array([0.1, 0.5, 0.5, 0.9, 1.0, 3.0]), [0, 0.2, 0.5, 1], weights=A(6)),
    S(np.histogram, np.array([0.1, 0.5, 0.5, 0.9, 1.0, 3.0]), [0, 0.2, 0.5, 1], weights=A(6), density=True),
    S(np.histogram, np.array([0.1, 0.5, 0.5, 0.9, 1.0, 3.0]), 4, weights=C(6)),
    S(np.histogram, np.array([0.1, 0.5, 0.5, 0.9, 1.0, 3.0]), 4, weights=A(6), density=True),
    # Bins between the smallest and the largest element move with these.
    S(np.histogram, A(6), 4),
    S(np.histogram, A(6), 3, density=True),
    S(np.histogram, A(6), D([0.1, 0.7, 1.1, 2.0]), density=True),
    S(np.histogram, A(6), 3, weights=A(6, seed=1), density=True),
    S(np.histogram_bin_edges, A(6), 3),
    S(np.histogram_bin_edges, A(9), "fd"),
    S(np.histogram_bin_edges, A(9), "doane"),
    S(np.histogram_bin_edges, np.arange(3.0), D([0.1, 0.7, 1.1])),
    S(np.histogramdd, A(5, 2), bins=3, density=True),
    S(np.histogram2d, A(5), A(5, seed=1), bins=2),
    S(np.histogram2d, np.arange(6.0), np.array([1.0, 0, 2, 1, 1, 5]), bins=2, weights=A(6)),
    S(np.histogram2d, np.arange(6.0), np.array([1.0, 0, 2, 1, 1, 5]), bins=[2, [0, 1, 2]], weights=A(6), density=True),
    S(np.histogramdd, np.arange(12.0).reshape(6, 2) % 5, bins=3, weights=A(6)),
    S(np.histogramdd, np.arange(12.0).reshape(6, 2) % 5, bins=3, weights=A(6), density=True),
    S(np.ptp, A(3, 4)),
    S(np.ptp, A(3, 4), (0, 1), None, True),
    S(np.ptp, A(3, 4), axis=1, keepdims=True),
]

SAMPLES = [*_MEANS, *_VARIANCES, *_QUANTILES, *_PASSED_OVER, *_WITHOUT_NAN, *_COVARIANCES, *_COUNTS]
