"""Functions of signal processing, and views of windows.

`np.sinc` and `np.i0` are smooth, but NumPy's code for them has branches at 0, where its derivatives would be wrong: the
bodies here are smooth, and the value is NumPy's own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from .._registry import body, composite, view

# sin(y) / y = sum of these times y**2k, for |y| < 1.
_SINC_SERIES = [(-1) ** k / math.factorial(2 * k + 1) for k in range(11)]

# Beyond this exp(x) overflows, and no number of points would do.
_I0_OVERFLOWS = 720


@body(np.sinc)
def sinc_body(x: Any) -> Any:
    y = np.pi * x
    small = np.abs(y) < 1
    squared = np.where(small, y * y, 0)
    series = _SINC_SERIES[-1] + 0 * squared
    for coefficient in _SINC_SERIES[-2::-1]:
        series = series * squared + coefficient
    far = np.where(small, 1, y)
    return np.where(small, series, np.sin(far) / far)


@body(np.i0)
def i0_body(x: Any) -> Any:
    """The mean of exp(x cos t) over a half turn: the midpoint rule converges faster than any power (Abramowitz and
    Stegun 9.6.16)."""
    x = np.asarray(x)
    size = np.abs(x)
    n = 20 + int(6 * np.sqrt(size.max(initial=0, where=size < _I0_OVERFLOWS)))
    cosines = np.cos((np.arange(n) + 0.5) * (np.pi / n))
    return np.mean(np.exp(x[..., None] * cosines), axis=-1)


@view(sliding_window_view)
def _sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    return x._view_by(sliding_window_view, window_shape, axis, writeable=writeable)


@view(as_strided)
def _as_strided(
    x: Any, shape: Any = None, strides: Any = None, subok: bool = False, writeable: bool = True
) -> Any:
    return x._view_by(as_strided, shape, strides, writeable=writeable)


composite(
    np.emath.sqrt, np.emath.log, np.emath.log2, np.emath.log10, np.emath.logn, np.emath.power, np.emath.arccos,
    np.emath.arcsin, np.emath.arctanh,
)  # fmt: skip
