"""``scipy.signal`` and ``scipy.ndimage``: what looks at the window around each element of an image with extended edges:
convolutions in the plane and filters that choose by rank."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._following import LibraryBody, follow_by
from .._libraries import Library

signal = Library("scipy.signal")
ndimage = Library("scipy.ndimage")


def _padded(a: Any, around: Any, mode: Any, value: Any) -> Any:
    return np.pad(a, around, mode, constant_values=value) if mode == "constant" else np.pad(a, around, mode)


# --- Convolutions in the plane ----------------------------------------------------------------------------------------

_BOUNDARIES = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}


def _in_plane(in1: Any, in2: Any, mode: str, boundary: str, fillvalue: Any, middle: int) -> Any:
    """The valid part of the convolution of what is extended is the full one; ``middle`` is 1 where its middle is taken
    before that of an even length."""
    in1, in2 = np.asarray(in1), np.asarray(in2)
    around = [(n - 1, n - 1) for n in in2.shape]
    whole = signal.convolve(_padded(in1, around, _BOUNDARIES[boundary], fillvalue), in2, "valid")
    if mode == "full":
        return whole
    first = [(m - middle) // 2 if mode == "same" else m - 1 for m in in2.shape]
    lengths = [n if mode == "same" else n - m + 1 for n, m in zip(in1.shape, in2.shape, strict=True)]
    return whole[tuple([slice(k, k + n) for k, n in zip(first, lengths, strict=True)])]


def _convolve2d(in1: Any, in2: Any, mode: Any = "full", boundary: Any = "fill", fillvalue: Any = 0) -> Any:
    return _in_plane(in1, in2, mode, boundary, fillvalue, 1)


def _correlate2d(in1: Any, in2: Any, mode: Any = "full", boundary: Any = "fill", fillvalue: Any = 0) -> Any:
    return _in_plane(in1, np.conjugate(np.flip(in2)), mode, boundary, fillvalue, 0)


def _is_known(in1: Any, in2: Any, mode: Any, boundary: Any) -> bool:
    known = mode in ("full", "same", "valid") and boundary in _BOUNDARIES
    return known and (mode != "valid" or all(m <= n for n, m in zip(np.shape(in1), np.shape(in2), strict=True)))


for _name, _body in (("convolve2d", _convolve2d), ("correlate2d", _correlate2d)):
    follow_by(LibraryBody(_body, ("fillvalue",), when=_is_known), signal, _name)

# --- By rank -------------------------------------------------------------------------------------------------------

_EDGES = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap", "constant": "constant"}


def _windows(x: Any, size: Any, mode: str = "constant", cval: Any = 0) -> Any:
    """The elements in the window around each element, last."""
    x = np.asarray(x)
    sizes = [int(n) for n in np.broadcast_to(size, x.ndim)]
    around = [(n // 2, n - 1 - n // 2) for n in sizes]
    seen = np.lib.stride_tricks.sliding_window_view(_padded(x, around, _EDGES[mode], cval), sizes)
    return seen.reshape((*x.shape, math.prod(sizes)))


def _by_rank(choose: Callable) -> Callable:
    def body(
        input: Any, size: Any = None, footprint: Any = None, output: Any = None, mode: Any = "reflect", cval: Any = 0.0,
        origin: Any = 0, *, axes: Any = None,
    ) -> Any:  # fmt: skip
        return choose(_windows(input, size, mode, cval))

    return body


def _middle(windows: Any) -> Any:
    return np.sort(windows, axis=-1)[..., windows.shape[-1] // 2]


def _medfilt(volume: Any, kernel_size: Any = None) -> Any:
    return _middle(_windows(volume, 3 if kernel_size is None else kernel_size))


def _medfilt2d(input: Any, kernel_size: Any = 3) -> Any:
    return _middle(_windows(input, kernel_size))


for _name, _choose in (
    ("median_filter", _middle), ("minimum_filter", lambda w: np.min(w, -1)), ("maximum_filter", lambda w: np.max(w, -1))
):  # fmt: skip
    _rule = LibraryBody(
        _by_rank(_choose), ("cval",), when=lambda size, mode: size is not None and isinstance(mode, str) and mode in _EDGES,
        footprint=(None,), output=(None,), origin=(0,), axes=(None,),
    )  # fmt: skip
    follow_by(_rule, ndimage, _name)
follow_by(LibraryBody(_medfilt), signal, "medfilt")
follow_by(LibraryBody(_medfilt2d), signal, "medfilt2d")
