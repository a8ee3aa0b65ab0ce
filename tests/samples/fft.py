"""numpy.fft."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import A, C, S

# NumPy's own code passes ``out`` on to no call, or to one whose result has another shape.
_IGNORES_OUT = {np.fft.hfft, np.fft.fft2, np.fft.ifft2, np.fft.irfft2}


def _sample(function: Any, *args: Any, **kwargs: Any) -> S:
    if function in _IGNORES_OUT or ("s" in kwargs and function is np.fft.ifftn):
        return S(function, *args, leave_out=("out",), why="NumPy ignores out= or fails with it", **kwargs)
    return S(function, *args, **kwargs)


_COMPLEX = [
    sample
    for function in (np.fft.fft, np.fft.ifft)
    for sample in (
        S(function, A(5)),
        S(function, C(4)),
        S(function, C(1)),
        S(function, C(3, 4), axis=0),
        S(function, C(4), n=6),
        S(function, C(2, 5), 3, 1),
        S(function, A(4), norm="ortho"),
        S(function, C(5), norm="forward"),
        S(function, C(5), norm="backward"),
        S(function, C(0, 3)),
    )
]

_REAL = [
    sample
    for function in (np.fft.rfft, np.fft.ihfft)
    for sample in (
        S(function, A(6)),
        S(function, A(5)),
        S(function, A(1)),
        S(function, A(2)),
        S(function, A(4, 3), axis=0),
        S(function, A(4), n=7),
        S(function, A(2, 5), 4, 1),
        S(function, A(5), 2),
        S(function, A(5), norm="ortho"),
        S(function, A(6), norm="forward"),
    )
]

_FROM_HALF = [
    sample
    for function in (np.fft.irfft, np.fft.hfft)
    for sample in (
        _sample(function, C(4)),
        _sample(function, A(4)),
        _sample(function, C(4), 7),
        _sample(function, C(4), n=5),
        _sample(function, C(3), n=9),
        _sample(function, C(3), n=8),
        _sample(function, C(3), 1),
        _sample(function, C(2)),
        _sample(function, C(3, 4), axis=0),
        _sample(function, C(2, 4), 3, 1, "ortho"),
        _sample(function, C(4), norm="forward"),
    )
]

_SEVERAL_AXES = [
    sample
    for forward, inverse in (
        (np.fft.rfft2, np.fft.irfft2),
        (np.fft.rfftn, np.fft.irfftn),
        (np.fft.fft2, np.fft.ifft2),
        (np.fft.fftn, np.fft.ifftn),
    )
    for sample in (
        _sample(forward, A(3, 4)),
        _sample(forward, A(2, 3, 4), s=(2, 5), axes=(0, 2)),
        _sample(forward, A(2, 3, 2), axes=(-1, -3), norm="ortho"),
        _sample(inverse, C(3, 4)),
        _sample(inverse, C(3, 4), s=(2, 5), axes=(0, 1)),
        _sample(inverse, C(2, 3, 3), axes=(-1, -3), norm="forward"),
    )
]

SAMPLES = [
    *_COMPLEX,
    *_REAL,
    *_FROM_HALF,
    *_SEVERAL_AXES,
    S(np.fft.fftshift, A(5)),
    S(np.fft.fftshift, C(3, 4)),
    S(np.fft.fftshift, A(3, 4), axes=1),
    S(np.fft.ifftshift, A(5)),
    S(np.fft.ifftshift, A(3, 4), axes=(0,)),
    S(np.fft.fft, C(4), f=lambda x: np.fft.fft(x, out=np.zeros(4, complex))),
    S(np.fft.fftn, C(2, 3), f=lambda x: np.fft.fftn(x, out=np.zeros((2, 3), complex))),
    S(np.fft.irfft, A(8), f=lambda x: np.fft.irfft(np.fft.rfft(x) * np.fft.rfft(x[::-1]))),
    S(np.fft.fftfreq, A(), f=lambda d: np.fft.fftfreq(5, d)),
    S(np.fft.rfftfreq, A(), f=lambda d: np.fft.rfftfreq(4, d=d)),
]
