"""numpy.fft: linear functions, each with another one as its adjoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._registry import composite, jvp, vjp
from ._helpers import fit, negative_axis

# The adjoint of a transform runs the other way, and is scaled where the transform itself is not.
_OTHER_SCALE = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


def _inner_weights(length: int, inner: float, axis: int, dtype: Any) -> Any:
    """Weights of the frequencies of a real signal: all but the first, and the last of an even length, stand for two."""
    weights = np.full(length // 2 + 1, inner, dtype)
    weights[0] = 1
    if length % 2 == 0:
        weights[-1] = 1
    return weights.reshape((-1,) + (1,) * (-1 - axis))


def _declare(function: Callable, adjoint: Callable) -> None:
    """``adjoint`` takes a cotangent, the length of the signal, the axis and the scaling."""

    @vjp(function, "a")
    def transform_vjp(ct: Any, a_spec: Any, n: Any, axis: Any, norm: Any) -> Any:
        axis = negative_axis(axis, a_spec.ndim)
        have = a_spec.shape[axis]
        return fit(adjoint(ct, have if n is None else int(n), axis, _OTHER_SCALE[norm]), have, axis)

    @jvp(function, "a")
    def transform_jvp(tangent: Any, a_spec: Any, n: Any, axis: Any, norm: Any) -> Any:
        return function(tangent, n, negative_axis(axis, a_spec.ndim), norm)


def _rfft_adjoint(ct: Any, length: int, axis: int, norm: Any) -> Any:
    return np.fft.irfft(ct * _inner_weights(length, 0.5, axis, ct.real.dtype), length, axis, norm)


def _irfft_adjoint(ct: Any, _: int, axis: int, norm: Any) -> Any:
    length = ct.shape[axis]
    return np.fft.rfft(ct, length, axis, norm) * _inner_weights(length, 2.0, axis, ct.dtype)


_declare(np.fft.fft, np.fft.ifft)
_declare(np.fft.ifft, np.fft.fft)
_declare(np.fft.rfft, _rfft_adjoint)
_declare(np.fft.irfft, _irfft_adjoint)

composite(
    np.fft.hfft, np.fft.ihfft, np.fft.fft2, np.fft.ifft2, np.fft.rfft2, np.fft.irfft2, np.fft.fftn, np.fft.ifftn,
    np.fft.rfftn, np.fft.irfftn, np.fft.fftshift, np.fft.ifftshift,
)  # fmt: skip
