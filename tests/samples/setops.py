"""Set functions: gathers of values."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from . import A, D, S


def _sorted(x: Any, factor: Any) -> Any:
    y = x * factor
    y.sort()
    return y


def _partitioned(y: Any) -> Any:
    y.partition(3)
    return y


SAMPLES = [
    S(np.unique, A(5)),
    S(np.unique, D([0.3, 1.1, 0.7]), f=lambda x: np.unique(x[[0, 1, 0, 2, 1]], return_inverse=True)[0]),
    S(np.unique, D([0.3, 1.1, 0.7]), f=lambda x: np.unique_inverse(x[[2, 1, 0, 2, 1]]).values),
    S(np.unique, A(2, 3)),
    S(np.unique, A(5), return_index=True, return_inverse=True, return_counts=True),
    S(np.unique, A(4), return_counts=True),
    S(np.unique, A(3, 2), axis=0),
    S(np.unique, A(2, 3), axis=-1, return_inverse=True),
    *[S(np.unique, A(4), sorted=False) for name in inspect.signature(np.unique).parameters if name == "sorted"],  # NumPy 2.3
    S(np.unique_all, A(4)),
    S(np.unique_counts, A(4)),
    S(np.unique_inverse, A(2, 2)),
    S(np.unique_values, A(4)),
    S(np.union1d, A(4), D([1.9, 0.1, 2.3])),
    S(np.union1d, A(3), [0.5, 2.5]),
    S(np.union1d, [0.5, 2.5], A(2, 2)),
    S(np.intersect1d, D([0.5, 1.5, 2.5]), f=lambda x: np.intersect1d(x[[0, 1]], x[[1, 2]])),
    S(np.intersect1d, D([0.5, 1.5, 2.5]), f=lambda x: np.intersect1d(x[[0, 1]], x[[1, 2]], True, True)),
    S(np.setdiff1d, A(4), [9.0]),
    S(np.setdiff1d, D([0.5, 1.5, 2.5]), f=lambda x: np.setdiff1d(x, x[1:2])),
    S(np.setdiff1d, [3.0, 4.0, 5.0], A(2)),
    S(np.setdiff1d, A(4), [9.0], assume_unique=True),
    S(np.setxor1d, A(3), A(2, seed=1)),
    S(np.setxor1d, D([0.5, 1.5, 2.5]), f=lambda x: np.setxor1d(x[:2], x[1:])),
    S(np.setxor1d, [5.0, 6.0], A(3)),
    S(np.setxor1d, A(3), A(2, seed=1), assume_unique=True),
    S(np.sort_complex, A(4)),
    S(np.sort, A(5)),
    S(np.sort, A(3, 4), axis=0),
    S(np.sort, A(3, 4), axis=None),
    S(np.sort, A(3, 4), kind="stable"),
    S(np.sort, A(4), f=lambda x: _sorted(x, x.sum())),
    S(np.partition, A(6), 2),
    S(np.partition, A(3, 5), (1, 3), axis=1),
    S(np.partition, A(2, 3), 2, axis=None),
    S(np.partition, A(6), f=lambda x: _partitioned(x * 2.0)),
]
