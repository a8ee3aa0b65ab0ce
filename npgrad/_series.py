"""numpy.polynomial while a tape records: what stands for the functions of ``polyutils`` that all its series go through.

NumPy takes trailing coefficients off that are zero. Their derivatives need not be, and go with them: that is said.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.polynomial import polyutils

from ._compat import series_sums
from ._dispatch import tracking
from ._leaks import warn_trimmed
from ._traced import TracedArray, traced_leaves

_as_series, _trimseq, _getdomain = polyutils.as_series, polyutils.trimseq, polyutils.getdomain


def as_series(alist: Any, trim: bool = True) -> Any:
    series = _as_series(alist, trim=False)
    return [trimseq(one) for one in series] if trim else series


def trimseq(seq: Any) -> Any:
    made = _trimseq(seq)
    if len(made) < len(seq) and tracking(traced_leaves(seq)):
        warn_trimmed()
    return made


def add(c1: Any, c2: Any) -> Any:
    """NumPy takes zeros off the terms, too; it is enough to take them off the sum."""
    short, long = sorted(_as_series([c1, c2], trim=False), key=len)
    long[: len(short)] += short
    return trimseq(long)


def subtract(c1: Any, c2: Any) -> Any:
    c1, c2 = _as_series([c1, c2], trim=False)  # to one type first: complex zeros change signs, too
    return add(c1, -c2)


def getdomain(x: Any) -> Any:
    """NumPy's hands the corners of complex points to Python's ``complex``."""
    [points] = _as_series([x], trim=False)
    if not isinstance(points, TracedArray) or points.dtype.kind != "c":
        return _getdomain(points)
    corners = np.stack([points.real.min(), points.real.max()]).astype(complex)
    corners.imag = np.stack([points.imag.min(), points.imag.max()])
    return corners


SERIES_FORMS: dict[Callable, Callable] = {
    _as_series: as_series,
    _trimseq: trimseq,
    _getdomain: getdomain,
    **dict(zip(series_sums(), (add, subtract), strict=True)),
}
