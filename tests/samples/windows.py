"""Windows: overlapping views and window functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib import stride_tricks
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from . import A, D, S

_PLACE = "the call says where in memory its elements are: in another layout those are others"


def _moving(x: Any) -> Any:
    return sliding_window_view(x * 2.0, 3).mean(axis=-1)


def _written_windows(x: Any) -> Any:
    y = x * 1.0
    windows = sliding_window_view(y, 2, writeable=True)
    windows[1] = x[:2] * 3.0
    return y * y


def _strided_write(x: Any) -> Any:
    y = np.zeros((3, 3))
    diagonal = stride_tricks.as_strided(y, shape=(3,), strides=(4 * y.itemsize,))
    diagonal[:] = x
    return y @ x


SAMPLES = [
    S(sliding_window_view, A(5), 3),
    S(sliding_window_view, A(3, 4), (2, 2)),
    S(sliding_window_view, A(3, 4), 2, axis=1),
    S(sliding_window_view, A(3, 5), (2, 2), axis=(1, 1)),
    S(sliding_window_view, A(6), f=_moving),
    S(sliding_window_view, A(4), f=_written_windows),
    S(as_strided, A(6), f=lambda x: stride_tricks.as_strided(x, (2, 3)), leave_out=("layout",), why=_PLACE),
    S(as_strided, A(6), f=lambda x: stride_tricks.as_strided(x * 1, (4, 3), (x.itemsize, x.itemsize)) ** 2),
    S(as_strided, A(3), f=lambda x: stride_tricks.as_strided(x, (2, 3), (0, x.itemsize)), leave_out=("layout",), why=_PLACE),
    S(as_strided, A(3), f=_strided_write),
    S(np.i0, A(3)),
    S(np.i0, D([0.0, -2.0, 3.0, 9.5, 20.0])),
    S(np.i0, A(2, 2)),
    S(np.i0, A()),
    S(np.sinc, A(3)),
    S(np.sinc, A(2, 2)),
    S(np.sinc, A()),
    S(np.kaiser, A(), f=lambda beta: np.kaiser(5, beta)),
    S(np.kaiser, A(), f=lambda beta: np.kaiser(1, beta) * beta),
]
