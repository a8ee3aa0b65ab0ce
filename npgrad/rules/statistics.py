"""Means, covariances, histograms and counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._registry import composite, jvp, vjp
from ._helpers import binned

composite(
    np.average, np.cov, np.corrcoef, np.histogram, np.histogram_bin_edges, np.histogram2d, np.histogramdd,
)  # fmt: skip

# --- Counts --------------------------------------------------------------------------------------------------------


@vjp(np.bincount, "weights")
def bincount_vjp(ct: Any, x: Any) -> Any:
    return ct[..., x]


@jvp(np.bincount, "weights")
def bincount_jvp(tangent: Any, x: Any, ans_spec: Any) -> Any:
    return binned(tangent, x, ans_spec.size)
