"""``scipy.signal``: convolutions and correlations, by both arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._following import LibraryRule, follow_by
from .._libraries import Library
from ._helpers import negative_axis

signal = Library("scipy.signal")

# --- Convolutions --------------------------------------------------------------------------------------------------
#
# Along the axes where it convolves, a result is a part of the full one, and what flows back is the valid part of the
# convolution of the full cotangent with the other argument, conjugate and turned round.

_NAMES = ("full", "same", "valid")


def _first(mode: str, n: int, m: int) -> int:
    """Where a result begins in the full one."""
    return {"full": 0, "same": (m - 1) // 2, "valid": min(n, m) - 1}[mode]


def _turned(v: Any, axes: Any) -> Any:
    return np.conjugate(np.flip(v, axes))


def _whole(ct: Any, mode: str, specs: Any, axes: Any) -> Any:
    """A cotangent with zeros around it, in the size of the full result."""
    around = [(0, 0)] * ct.ndim
    for axis in axes:
        n, m = (spec.shape[axis] for spec in specs)
        first = _first(mode, n, m)
        around[axis] = (first, n + m - 1 - first - ct.shape[axis])
    return np.pad(ct, around)


def _fitted(v: Any, spec: Any, axes: Any) -> Any:
    """Sums over the axes along which an argument was repeated."""
    for axis in range(-spec.ndim, 0):
        if axis not in axes and spec.shape[axis] == 1 and v.shape[axis] != 1:
            v = np.sum(v, axis=axis, keepdims=True)
    return v


def _convolution(in1: Any, in2: Any, mode: Any, axes: Any, turned: Any) -> None:
    """The arguments of the rule: ``turned`` where it is a correlation."""


_convolved = LibraryRule(_convolution)


def _of_axes(in1: Any, in2: Any, mode: Any = "full", axes: Any = None) -> dict[str, Any] | None:
    ndim = np.ndim(in1)
    if ndim != np.ndim(in2) or not ndim or mode not in _NAMES or not np.size(in1) or not np.size(in2):
        return None
    chosen = range(-ndim, 0) if axes is None else [negative_axis(axis, ndim) for axis in np.atleast_1d(axes)]
    return {"in1": in1, "in2": in2, "mode": mode, "axes": tuple(chosen), "turned": 0}


def _of_convolution(in1: Any, in2: Any, mode: Any = "full", method: Any = "auto") -> dict[str, Any] | None:
    return _of_axes(in1, in2, mode)


def _of_correlation(in1: Any, in2: Any, mode: Any = "full", method: Any = "auto") -> dict[str, Any] | None:
    given = _of_axes(in1, in2, mode)
    return None if given is None else {**given, "turned": 1}


def _convolve(in1: Any, in2: Any, mode: str, axes: tuple[int, ...]) -> Any:
    """SciPy's, with axes of length 1 in front of the argument that has fewer."""
    ndim = max(in1.ndim, in2.ndim)
    in1, in2 = (v.reshape((1,) * (ndim - v.ndim) + v.shape) for v in (in1, in2))
    return signal.fftconvolve(in1, in2, mode, axes)


@_convolved.vjp("in1")
def convolved_vjp_in1(ct: Any, in1_spec: Any, in2: Any, mode: Any, axes: Any, turned: Any) -> Any:
    whole = _whole(ct, mode, (in1_spec, in2), axes)
    return _fitted(_convolve(whole, in2 if turned else _turned(in2, axes), "valid", axes), in1_spec, axes)


@_convolved.vjp("in2")
def convolved_vjp_in2(ct: Any, in1: Any, in2_spec: Any, mode: Any, axes: Any, turned: Any) -> Any:
    back = _convolve(_whole(ct, mode, (in1, in2_spec), axes), _turned(in1, axes), "valid", axes)
    return _fitted(_turned(back, axes) if turned else back, in2_spec, axes)


def _part(whole: Any, ans_spec: Any, mode: str, specs: Any, axes: Any) -> Any:
    parts: list[Any] = [slice(None)] * ans_spec.ndim
    for axis in axes:
        first = _first(mode, *(spec.shape[axis] for spec in specs))
        parts[axis] = slice(first, first + ans_spec.shape[axis])
    return whole[(..., *parts)]


@_convolved.jvp("in1")
def convolved_jvp_in1(
    tangent: Any, ans_spec: Any, in1_spec: Any, in2: Any, mode: Any, axes: Any, turned: Any
) -> Any:
    whole = _convolve(tangent, _turned(in2, axes) if turned else in2, "full", axes)
    return _part(whole, ans_spec, mode, (in1_spec, in2), axes)


@_convolved.jvp("in2")
def convolved_jvp_in2(
    tangent: Any, ans_spec: Any, in1: Any, in2_spec: Any, mode: Any, axes: Any, turned: Any
) -> Any:
    whole = _convolve(_turned(tangent, axes) if turned else tangent, in1, "full", axes)
    return _part(whole, ans_spec, mode, (in1, in2_spec), axes)


for _name, _parts in (
    ("convolve", _of_convolution), ("correlate", _of_correlation), ("fftconvolve", _of_axes), ("oaconvolve", _of_axes)
):  # fmt: skip
    _rule = LibraryRule(_convolution, _parts)
    for _table in ("vjps", "jvps", "shared"):
        getattr(_rule, _table).update(getattr(_convolved, _table))
    follow_by(_rule, signal, _name)
