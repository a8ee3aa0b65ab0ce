"""Interpolation, convolution, differences and integrals."""

from __future__ import annotations

import numpy as np

from . import A, C, D, S

_X = D([0.35, 2.6, 1.2, 1.9, 3.55, 0.8])
_XP = D([0.0, 0.7, 1.5, 2.2, 3.1])
_FP = A(5)
_BEYOND = D([-0.4, 0.5, 3.7, 2.9])
_ANGLES = D([-100.0, 13.0, 371.0, 95.0])
_NODES = D([190.0, -20.0, 300.0, 55.0])

_INTERPOLATIONS = [
    S(np.interp, _X, _XP.value, _FP.value),
    S(np.interp, _X, _XP, _FP),
    S(np.interp, D(1.1), _XP, _FP),
    S(np.interp, 0.1, _XP, _FP),
    S(np.interp, D([[0.35, 2.6], [1.2, 1.9]]), _XP, _FP),
    S(np.interp, _BEYOND, _XP, _FP),
    S(np.interp, _BEYOND, _XP, _FP, 7.0),
    S(np.interp, _BEYOND, _XP, _FP, right=-2.0),
    S(np.interp, _BEYOND.value, _XP, _FP, left=0.5, right=-2.0),
    S(np.interp, A(3), f=lambda x: np.interp(x[0] * np.array([-1, 1, 5]), [0, 2, 4], x, left=x[1] ** 2, right=x[2])),
    S(np.interp, _ANGLES, _NODES, A(4), period=360),
    S(np.interp, _ANGLES, _NODES, C(4), period=-360.0),
    S(np.interp, _ANGLES, _NODES, A(4), period=D(360.0)),
    S(np.interp, _BEYOND, _XP, _FP, left=D(0.5), right=D(-2.0)),
    S(np.interp, _X, _XP, C(5)),
    S(np.interp, _BEYOND, _XP, C(5), left=1 + 2j),
    S(np.interp, D([0.5, 2.0]), [1.0], D([3.0])),
    # Nodes that coincide: the function jumps there, and is smooth on both sides.
    S(np.interp, D([0.5, 1.5, 2.5]), np.array([0.0, 1.0, 1.0, 2.0, 2.0]), A(5)),
    S(np.interp, A(0), _XP, _FP),
    # At a node the derivative by the value there is 1.
    S(np.interp, _XP.value, _XP.value, _FP),
]

_CONVOLUTIONS = [
    S(function, a, v, mode)
    for function in (np.convolve, np.correlate)
    for mode in ("full", "same", "valid")
    for a, v in [
        (A(5), A(3, seed=1)),
        (A(5), A(4, seed=1)),
        (A(4), A(6, seed=1)),
        (A(3), A(6, seed=1)),
        (A(4), A(4, seed=1)),
        (A(5), A(1)),
        (A(1), A(5)),
        (C(5), C(2, seed=1)),
        (A(4), C(3, seed=1)),
        (A(4), [1, 2]),
        ([1, 2, 0], A(4)),
    ]
] + [
    S(np.convolve, A(4), A()),
    S(np.convolve, A(4), A(2)),
    S(np.correlate, A(4), A(2)),
]

_COORDINATES = np.array([0.0, 0.4, 1.1, 1.5, 2.7])

_DIFFERENCES = [
    S(np.diff, A(5)),
    S(np.diff, A(3, 5), n=2),
    S(np.diff, A(3, 5), axis=0),
    S(np.diff, A(3, 5), n=0),
    S(np.diff, A(3, 5), prepend=A(3, 2, seed=1), append=A(3, 1, seed=2)),
    S(np.diff, A(5), prepend=D(0.3), append=D(0.7)),
    S(np.diff, A(3, 5), axis=0, prepend=D(0.3)),
    S(np.diff, C(4)),
    S(np.diff, A(2), n=2),
    S(np.ediff1d, A(2, 3)),
    S(np.ediff1d, A(4), to_end=A(2, seed=1), to_begin=D(0.7)),
    S(np.gradient, A(6)),
    S(np.gradient, A(6), edge_order=2),
    S(np.gradient, A(6), 0.3),
    S(np.gradient, A(6), D(0.3)),
    S(np.gradient, A(5), D(_COORDINATES)),
    S(
        np.gradient,
        A(5),
        D(_COORDINATES),
        edge_order=2,
        leave_out=("shared",),
        why="the gradient of x by x is 1: its derivatives are rounding errors",
    ),
    S(np.gradient, A(5), _COORDINATES, edge_order=2),
    S(np.gradient, np.arange(5.0) ** 2, D(_COORDINATES)),
    S(np.gradient, A(3, 5)),
    S(np.gradient, A(3, 5), 0.3, D(_COORDINATES), edge_order=2),
    S(np.gradient, A(3, 5), D(_COORDINATES), axis=1),
    S(np.gradient, A(3, 5), 2.0, axis=(1, 0)),
    S(np.gradient, A(3, 5), axis=-1),
    S(np.gradient, C(5), _COORDINATES),
    S(np.trapezoid, A(5)),
    S(np.trapezoid, A(5), dx=0.2),
    S(np.trapezoid, A(5), dx=D(0.2)),
    S(np.trapezoid, A(5), D(_COORDINATES)),
    S(np.trapezoid, [1, 2, 4, 3, 1], D(_COORDINATES)),
    S(np.trapezoid, A(3, 5), D(_COORDINATES), axis=1),
    S(np.trapezoid, A(5, 3), D(_COORDINATES), axis=0),
    S(np.trapezoid, A(5, 3), A(5, 3, seed=1), axis=0),
    S(np.trapezoid, A(5, 3), axis=0, dx=D(0.5)),
    S(np.trapezoid, C(5), D(_COORDINATES)),
]

SAMPLES = [*_INTERPOLATIONS, *_CONVOLUTIONS, *_DIFFERENCES]
