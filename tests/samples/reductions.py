"""Sums, products, extremes, and their running forms."""

from __future__ import annotations

import numpy as np

from . import A, C, D, S

_ROWS = np.array([[True, False, True], [True, True, False]])
_COLUMNS = np.array([True, False, True])
_PLAIN = np.array([[1.0, 2.0], [0.5, 3.0]])
_ZEROS = D([[0.0, 2.0, 3.0], [0.0, 0.0, 4.0], [1.5, 2.5, 0.5]])

_SUMS = [
    S(function, *args, **kwargs)
    for function in (np.sum, np.prod)
    for args, kwargs in [
        ((A(4),), {}),
        ((A(),), {}),
        ((A(2, 3),), {}),
        ((A(2, 3),), {"axis": 0}),
        ((A(2, 3),), {"axis": -1, "keepdims": True}),
        ((A(2, 3, 2),), {"axis": (0, 2)}),
        ((A(2, 3, 2),), {"axis": (-1, 1), "keepdims": True}),
        ((A(2, 3),), {"axis": ()}),
        ((A(2, 3),), {"axis": 1, "where": _ROWS}),
        ((A(2, 3),), {"where": _COLUMNS, "keepdims": True}),
        ((A(2, 3),), {"where": [2, 0, 1], "axis": 1}),
        ((A(2, 3),), {"axis": 1, "initial": 1.5}),
        ((A(2, 3),), {"axis": 0, "initial": A()}),
        ((A(2, 3),), {"initial": A(), "where": _ROWS}),
        ((A(2, 3),), {"axis": 0, "dtype": np.complex128}),
        ((C(2, 3),), {"axis": 1}),
        ((C(2, 3),), {"axis": 1, "where": _ROWS}),
        ((_ZEROS,), {"axis": 1}),
        ((D([2.0, 0.0, 3.0]),), {}),
    ]
]

_EXTREMES = [
    S(function, *args, **kwargs)
    for function in (np.max, np.min, np.amax, np.amin)
    for args, kwargs in [
        ((A(4),), {}),
        ((A(),), {}),
        ((A(2, 3),), {}),
        ((A(2, 3),), {"axis": 0}),
        ((A(2, 3),), {"axis": -1, "keepdims": True}),
        ((A(2, 3, 2),), {"axis": (0, 2)}),
        ((A(2, 3),), {"axis": 1, "where": _ROWS, "initial": 1.01}),
        ((A(2, 3),), {"axis": 0, "initial": 1.01}),
        ((A(2, 3),), {"initial": D(1.01), "axis": 1}),
        ((A(2, 3),), {"initial": D(2.5), "axis": 1, "where": _ROWS}),
        ((A(2, 3),), {"initial": D(0.1), "axis": 0, "keepdims": True}),
    ]
]

_METHODS = [
    *[S(f, A(2, 3), where=[2, 0, 1], axis=1) for f in (np.nansum, np.nanprod, np.nanmean, np.mean)],
    S(np.max, A(2, 3), where=[2, 0, 1], axis=0, initial=1.01),
    # Where all of a row or column is left out NumPy gives NaN for a list, and 1.01 for an array.
    *[
        S(f, A(2, 3), where=where, axis=axis, keepdims=keepdims, initial=1.01)
        for f in (np.nanmin, np.nanmax)
        for where in ([2, 0, 1], _ROWS, [[True, False, True], [True, False, False]], [[True], [False]], False)
        for axis in (None, 0, 1, (0, 1), -1)
        for keepdims in (False, True)
    ],
    *[S(f, A(2, 3), where=[True, False, True], axis=0) for f in (np.nansum, np.nanprod)],
    S(np.exp, A(3), f=lambda x: np.exp(x, where=[2, 0, 1], out=np.zeros(3))),
    S(np.multiply, A(3), A(3), f=lambda x, y: np.multiply(x, y, where=1, out=np.zeros(3))),
    S(np.divmod, A(3), f=lambda x: np.divmod(x, 0.3, where=[2, 0, 1], out=(np.zeros(3), np.zeros(3)))),
    S(np.sum, A(2, 3), f=lambda x: x.sum(1)),
    S(np.sum, A(2, 3), f=lambda x: np.sum(x, axis=0, out=np.empty(3))),
    S(np.sum, A(2, 3), f=lambda x: x.sum(axis=0, out=np.zeros(3)) * x),
    S(np.prod, A(2, 3), f=lambda x: x.prod(axis=1, keepdims=True)),
    S(np.prod, A(2, 3), f=lambda x: np.prod(x, axis=0, out=np.empty(3))),
    S(np.max, A(2, 3), f=lambda x: x.max(axis=1)),
    S(np.min, A(2, 3), f=lambda x: x.min(0, None, True)),
    S(np.max, A(2, 3), f=lambda x: np.max(x, axis=0, out=np.empty(3))),
    S(np.cumsum, A(2, 3), f=lambda x: x.cumsum(axis=1)),
    S(np.cumsum, A(2, 3), f=lambda x: np.cumsum(x, axis=0, out=x * 1.0)),
    S(np.cumprod, A(2, 3), f=lambda x: x.cumprod(0)),
    S(np.add.reduce, A(2, 3), f=lambda x: np.add.reduce(x, axis=1, initial=x[0, 0], where=_ROWS)),
    S(np.multiply.reduce, A(2, 3), f=lambda x: np.multiply.reduce(x, axis=(0, 1), keepdims=True)),
    S(np.maximum.reduce, A(2, 3), f=lambda x: np.maximum.reduce(x, axis=None, initial=0.2)),
    S(np.sum, A(), f=lambda c: np.sum(_PLAIN, axis=0, initial=c)),
    S(np.prod, A(), f=lambda c: np.prod(_PLAIN, axis=0, initial=c)),
    S(np.max, D(1.7), f=lambda c: np.max(_PLAIN, axis=0, initial=c)),
    S(np.min, D(1.7), f=lambda c: np.min(_PLAIN, initial=c, axis=1)),
    S(np.sum, A(3), f=lambda x: np.sum([x, 2 * x], axis=0)),
    S(np.mean, A(3), f=lambda x: np.mean([x, x * x], axis=0)),
    S(np.max, A(3), f=lambda x: np.max([x, 2 - x], axis=0)),
    S(np.std, A(3), f=lambda x: np.std((x, x * x), axis=0)),
    S(np.transpose, A(3), f=lambda x: np.transpose([x, x * x])),
    S(np.cumsum, A(3), f=lambda x: np.cumsum([x[0], x[1], 3.0])),
    S(np.median, A(3), f=lambda x: np.median([x, x * x, x + 1], axis=0)),
    S(np.gradient, A(4), f=lambda x: np.gradient([x[0], x[2], x[1]])),
    S(np.diff, A(4), f=lambda x: np.diff([x, x * x], axis=0)),
]

_RUNNING = [
    S(function, *args, **kwargs)
    for function in (np.cumsum, np.cumprod)
    for args, kwargs in [
        ((A(4),), {}),
        ((A(2, 3),), {}),
        ((A(2, 3),), {"axis": 0}),
        ((A(2, 3, 2),), {"axis": -2}),
        ((A(),), {}),
        ((C(2, 2),), {"axis": 1}),
        ((A(2, 2),), {"axis": 1, "dtype": np.complex128}),
        ((_ZEROS,), {"axis": 1}),
        ((_ZEROS,), {}),
        ((A(0),), {}),
        ((A(3, 0),), {"axis": 1}),
        ((A(3, 0),), {"axis": 0}),
        ((D([2.0 + 1j, 0.0, 1.0 - 1j, 3.0]),), {}),
        ((D([1.0, 0.0, 2.0, 0.0, 3.0]),), {}),
        ((D([1e-320, 2.0, 0.5]),), {}),
    ]
] + [
    S(function, *args, **kwargs)
    for function in (np.cumulative_sum, np.cumulative_prod)
    for args, kwargs in [
        ((A(4),), {}),
        ((A(2, 3),), {"axis": 0}),
        ((A(2, 3),), {"axis": -1, "include_initial": True}),
        ((A(4),), {"dtype": np.complex128}),
        ((C(2, 3),), {"axis": 0, "include_initial": True}),
        ((_ZEROS,), {"axis": 0}),
    ]
]

SAMPLES = [*_SUMS, *_EXTREMES, *_METHODS, *_RUNNING]
