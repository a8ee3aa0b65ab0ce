"""Means, variances, quantiles, histograms and counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._registry import body, composite, jvp, vjp
from ._helpers import binned, negative_axes

composite(
    np.average, np.median, np.percentile, np.quantile, np.nanpercentile, np.nanquantile, np.cov, np.corrcoef,
    np.histogram, np.histogram_bin_edges, np.histogram2d, np.histogramdd,
)  # fmt: skip


@body(np.nanmedian)
def nanmedian_body(a: Any, axis: Any = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
    """The mean of the two middle ones of the elements that are not NaN; sorting puts NaN last. NumPy masks instead."""
    axes = negative_axes(axis, a.ndim)
    rows = np.moveaxis(a, axes, range(-len(axes), 0))
    rows = rows.reshape(*rows.shape[: rows.ndim - len(axes)], a.size and -1)
    if not rows.shape[-1]:
        return np.mean(rows, axis=-1)
    ordered = np.sort(rows, axis=-1)
    count = np.sum(~np.isnan(rows), axis=-1, keepdims=True)
    low, high = np.maximum(count - 1, 0) // 2, count // 2 * (count > 0)
    middle = np.take_along_axis(ordered, low, -1) + np.take_along_axis(ordered, high, -1)
    return middle[..., 0] / 2


# --- Counts --------------------------------------------------------------------------------------------------------


@vjp(np.bincount, "weights")
def bincount_vjp(ct: Any, x: Any) -> Any:
    return ct[..., x]


@jvp(np.bincount, "weights")
def bincount_jvp(tangent: Any, x: Any, ans_spec: Any) -> Any:
    return binned(tangent, x, ans_spec.size)
