"""numpy.polynomial while a tape records: what stands for the functions of ``polyutils`` that all its series go through.

NumPy takes trailing coefficients off that are zero. Their derivatives need not be, and go with them: that is said.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ._compat import series_sums
from ._dispatch import tracking
from ._leaks import warn_trimmed
from ._traced import TracedArray, traced_leaves


def series_forms() -> dict[Callable, Callable]:
    """What stands for each of these functions, which NumPy has loaded by then."""
    utils: Any = sys.modules["numpy.polynomial.polyutils"]
    numpys_as_series, numpys_trimseq, numpys_getdomain = utils.as_series, utils.trimseq, utils.getdomain

    def as_series(alist: Any, trim: bool = True) -> Any:
        series = numpys_as_series(alist, trim=False)
        return [trimseq(one) for one in series] if trim else series

    def trimseq(seq: Any) -> Any:
        made = numpys_trimseq(seq)
        if len(made) < len(seq) and tracking(traced_leaves(seq)):
            warn_trimmed()
        return made

    def add(c1: Any, c2: Any) -> Any:
        """NumPy takes zeros off the terms, too; it is enough to take them off the sum."""
        short, long = sorted(numpys_as_series([c1, c2], trim=False), key=len)
        long[: len(short)] += short
        return trimseq(long)

    def subtract(c1: Any, c2: Any) -> Any:
        c1, c2 = numpys_as_series([c1, c2], trim=False)  # to one type first: complex zeros change signs, too
        return add(c1, -c2)

    def getdomain(x: Any) -> Any:
        """NumPy's hands the corners of complex points to Python's ``complex``."""
        [points] = numpys_as_series([x], trim=False)
        if not isinstance(points, TracedArray) or points.dtype.kind != "c":
            return numpys_getdomain(points)
        corners = np.stack([points.real.min(), points.real.max()]).astype(complex)
        corners.imag = np.stack([points.imag.min(), points.imag.max()])
        return corners

    return {
        numpys_as_series: as_series,
        numpys_trimseq: trimseq,
        numpys_getdomain: getdomain,
        **dict(zip(series_sums(), (add, subtract), strict=True)),
    }
