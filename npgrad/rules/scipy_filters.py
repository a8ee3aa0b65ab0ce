"""``scipy.signal``: filters, which are linear in the signal, along one axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._following import constant, follow, follow_by
from .._libraries import Library
from ._along import Along, along_axis
from ._helpers import fit, negative_axis

signal = Library("scipy.signal")


def _declare(name: str, parts: Callable) -> None:
    follow_by(along_axis(parts), signal, name)


def _given(x: Any, axis: Any, along: Along) -> dict[str, Any] | None:
    return {"x": x, "axis": axis, "along": along} if np.size(x) and np.ndim(x) else None


def _reversed(v: Any) -> Any:
    return np.flip(v, -1)


# --- Recursive: the transpose is the filter in reversed time, with conjugate coefficients -----------------------------


class _Recursive:
    """The name of a filter with its coefficients."""

    def __init__(self, name: str, coefficients: list, start: str = "") -> None:
        self.name, self.coefficients, self.start = name, [constant(c) for c in coefficients], start

    def __call__(self, v: Any, *axis_and_state: Any) -> Any:
        return getattr(signal, self.name)(*self.coefficients, v, *axis_and_state)

    def transposed(self, ct: Any, n: int) -> Any:
        turned = _Recursive(self.name, [constant(np.conjugate(c)) for c in self.coefficients])
        return _reversed(turned(_reversed(ct), -1))

    def response(self, n: int) -> Any:
        """What the state gives with which a signal begins whose first element is 1, as if it had been so for ever."""
        state = getattr(signal, self.start)(*self.coefficients)
        return self(np.zeros(n), -1, state)[0]


# The filter with coefficients ``a`` of ``b`` times x: the coefficients count as the signal does, at their delays.
lfilter = follow(signal, "lfilter", zi=(None,))


def _undone(ct: Any, a: Any, axis: int) -> Any:
    """Back through the recursion."""
    return np.flip(signal.lfilter([1.0], np.conjugate(a), np.flip(ct, axis), axis), axis)


def _by_delays(ct: Any, v: Any, a_spec: Any) -> Any:
    """What flows back to coefficients, each of which a signal meets at its delay: along the last axes."""
    n = v.shape[-1]
    axes = tuple(range(-v.ndim, 0))
    delayed = [np.sum(ct[..., k:] * np.conjugate(v[..., : max(n - k, 0)]), axes) for k in range(a_spec.size)]
    return np.stack(delayed, -1).reshape((*delayed[0].shape, *a_spec.shape))


def _delayed(coefficients: Any, v: Any, a_spec: Any) -> Any:
    """The sum of a signal's delays, along the last axis."""
    batch = coefficients.shape[: coefficients.ndim - a_spec.ndim]
    made = np.zeros((*batch, *v.shape), np.result_type(coefficients, v))
    for k in range(a_spec.size):
        weight = coefficients.reshape((*batch, a_spec.size))[..., k].reshape(batch + (1,) * v.ndim)
        made[..., k:] += weight * v[..., : max(v.shape[-1] - k, 0)]
    return made


@lfilter.vjp("b")
def lfilter_vjp_b(ct: Any, a: Any, x: Any, axis: Any, b_spec: Any, ans_spec: Any) -> Any:
    axis = negative_axis(axis, ans_spec.ndim)
    return _by_delays(np.moveaxis(_undone(ct, a, axis), axis, -1), np.moveaxis(x, axis, -1), b_spec)


@lfilter.vjp("a")
def lfilter_vjp_a(ct: Any, a: Any, ans: Any, axis: Any, a_spec: Any) -> Any:
    axis = negative_axis(axis, ans.ndim)
    return -_by_delays(np.moveaxis(_undone(ct, a, axis), axis, -1), np.moveaxis(ans, axis, -1), a_spec)


@lfilter.vjp("x")
def lfilter_vjp_x(ct: Any, b: Any, a: Any, axis: Any, ans_spec: Any) -> Any:
    axis = negative_axis(axis, ans_spec.ndim)
    return np.flip(signal.lfilter(np.conjugate(b), np.conjugate(a), np.flip(ct, axis), axis), axis)


@lfilter.jvp("b")
def lfilter_jvp_b(tangent: Any, a: Any, x: Any, axis: Any, b_spec: Any, ans_spec: Any) -> Any:
    axis = negative_axis(axis, ans_spec.ndim)
    return signal.lfilter([1.0], a, np.moveaxis(_delayed(tangent, np.moveaxis(x, axis, -1), b_spec), -1, axis), axis)


@lfilter.jvp("a")
def lfilter_jvp_a(tangent: Any, a: Any, ans: Any, axis: Any, a_spec: Any) -> Any:
    axis = negative_axis(axis, ans.ndim)
    return -signal.lfilter([1.0], a, np.moveaxis(_delayed(tangent, np.moveaxis(ans, axis, -1), a_spec), -1, axis), axis)


@lfilter.jvp("x")
def lfilter_jvp_x(tangent: Any, b: Any, a: Any, axis: Any, ans_spec: Any) -> Any:
    return signal.lfilter(b, a, tangent, negative_axis(axis, ans_spec.ndim))


def _sosfilt(sos: Any, x: Any, axis: Any = -1, zi: Any = None) -> dict[str, Any] | None:
    filter = _Recursive("sosfilt", [sos])
    return _given(x, axis, Along(filter, None, filter.transposed)) if zi is None else None


_declare("sosfilt", _sosfilt)

# --- Forward and backward, of a signal with extensions -------------------------------------------------------------

# An extension mirrors the signal around its end, times the first, and adds the end times the second.
_EXTENSIONS = {"odd": (-1, 2), "even": (1, 0), "constant": (0, 1)}


def _extension_back(ct: Any, edge: int, padtype: Any) -> Any:
    """What flows back from a signal with extensions."""
    if not edge or padtype is None:
        return ct
    mirror, end = _EXTENSIONS[padtype]
    left, inner, right = ct[..., :edge], ct[..., edge:-edge], ct[..., -edge:]
    n = inner.shape[-1]
    none = [(0, 0)] * (ct.ndim - 1)
    made = inner + mirror * np.pad(_reversed(left), [*none, (1, n - 1 - edge)])
    made = made + mirror * np.pad(_reversed(right), [*none, (n - 1 - edge, 1)])
    ends = np.sum(left, -1, keepdims=True), np.sum(right, -1, keepdims=True)
    return made + end * np.pad(ends[0], [*none, (0, n - 1)]) + end * np.pad(ends[1], [*none, (n - 1, 0)])


def _both_ways(call: Callable, filter: _Recursive, taps: int, padtype: Any, padlen: Any) -> Along:
    edge = 0 if padtype is None else 3 * taps if padlen is None else int(padlen)

    def back(ct: Any, response: Any) -> Any:
        """Through one pass, which begins in the state that its first element asks for."""
        first = np.sum(ct * np.conjugate(response), -1, keepdims=True)
        return filter.transposed(ct, ct.shape[-1]) + np.pad(first, [(0, 0)] * (ct.ndim - 1) + [(0, ct.shape[-1] - 1)])

    def transposed(ct: Any, n: int) -> Any:
        whole = np.pad(ct, [(0, 0)] * (ct.ndim - 1) + [(edge, edge)])
        response = filter.response(whole.shape[-1])
        for _ in range(2):
            whole = back(_reversed(whole), response)
        return _extension_back(whole, edge, padtype)

    return Along(call, None, transposed)


def _filtfilt(
    b: Any, a: Any, x: Any, axis: Any = -1, padtype: Any = "odd", padlen: Any = None, method: Any = "pad", irlen: Any = None
) -> dict[str, Any] | None:
    filter = _Recursive("lfilter", [np.atleast_1d(b), np.atleast_1d(a)], "lfilter_zi")
    b, a = filter.coefficients

    def call(v: Any, axis: int) -> Any:
        return signal.filtfilt(b, a, v, axis, padtype, padlen, method, irlen)

    if method != "pad":
        return _given(x, axis, Along(call))
    return _given(x, axis, _both_ways(call, filter, max(len(b), len(a)), padtype, padlen))


def _sosfiltfilt(
    sos: Any, x: Any, axis: Any = -1, padtype: Any = "odd", padlen: Any = None
) -> dict[str, Any] | None:
    filter = _Recursive("sosfilt", [sos], "sosfilt_zi")
    (sos,) = filter.coefficients
    taps = 2 * len(sos) + 1 - min(int((sos[:, 2] == 0).sum()), int((sos[:, 5] == 0).sum()))

    def call(v: Any, axis: int) -> Any:
        return signal.sosfiltfilt(sos, v, axis, padtype, padlen)

    return _given(x, axis, _both_ways(call, filter, taps, padtype, padlen))


_declare("filtfilt", _filtfilt)
_declare("sosfiltfilt", _sosfiltfilt)

# --- Others --------------------------------------------------------------------------------------------------------


def _detrend(
    data: Any, axis: Any = -1, type: Any = "linear", bp: Any = 0, overwrite_data: Any = False
) -> dict[str, Any] | None:
    """Trends are taken away by an orthogonal projection, which is its own transpose."""
    bp = constant(bp)

    def call(v: Any, axis: int) -> Any:
        return signal.detrend(v, axis, type, bp)

    return _given(data, axis, Along(call, None, lambda ct, n: call(ct, -1)))


def _hilbert(x: Any, N: Any = None, axis: Any = -1) -> dict[str, Any] | None:
    """What it does to a signal of its length is its own adjoint: real weights of frequencies."""

    def call(v: Any, axis: int) -> Any:
        return signal.hilbert(v, N, axis) if not np.iscomplexobj(v) else call(v.real, axis) + 1j * call(v.imag, axis)

    def transposed(ct: Any, n: int) -> Any:
        length = ct.shape[-1]
        return fit(signal.hilbert(np.real(ct), length) + 1j * signal.hilbert(np.imag(ct), length), n, -1)

    return _given(x, axis, Along(call, None, transposed))


def _savgol(
    x: Any, window_length: Any, polyorder: Any, deriv: Any = 0, delta: Any = 1.0, axis: Any = -1, mode: Any = "interp",
    cval: Any = 0.0,
) -> dict[str, Any] | None:  # fmt: skip
    def call(v: Any, axis: int) -> Any:
        return signal.savgol_filter(v, window_length, polyorder, deriv, delta, axis, mode, 0.0)

    return _given(x, axis, Along(call, int(window_length)))


def _resample(
    x: Any, num: Any, t: Any = None, axis: Any = 0, window: Any = None, domain: Any = "time"
) -> dict[str, Any] | None:
    def call(v: Any, axis: int) -> Any:
        return signal.resample(v, num, None, axis, window, domain)

    return _given(x, axis, Along(call)) if t is None else None


def _resample_poly(
    x: Any, up: Any, down: Any, axis: Any = 0, window: Any = ("kaiser", 5.0), padtype: Any = "constant", cval: Any = None
) -> dict[str, Any] | None:
    def call(v: Any, axis: int) -> Any:
        return signal.resample_poly(v, up, down, axis, window, padtype)

    return _given(x, axis, Along(call)) if padtype in _LINEAR_PADS else None


# What of the others is subtracted before is not linear in the signal (``median``), or is found along all of it.
_LINEAR_PADS = {"constant", "line", "mean"}


def _decimate(
    x: Any, q: Any, n: Any = None, ftype: Any = "iir", axis: Any = -1, zero_phase: Any = True
) -> dict[str, Any] | None:
    def call(v: Any, axis: int) -> Any:
        return signal.decimate(v, q, n, ftype, axis, zero_phase)

    return _given(x, axis, Along(call))


def _upfirdn(
    h: Any, x: Any, up: Any = 1, down: Any = 1, axis: Any = -1, mode: Any = "constant", cval: Any = 0
) -> dict[str, Any] | None:
    h = constant(h)

    def call(v: Any, axis: int) -> Any:
        return signal.upfirdn(h, v, up, down, axis, mode, 0)

    return _given(x, axis, Along(call))


_declare("detrend", _detrend)
_declare("hilbert", _hilbert)
_declare("savgol_filter", _savgol)
_declare("resample", _resample)
_declare("resample_poly", _resample_poly)
_declare("decimate", _decimate)
_declare("upfirdn", _upfirdn)
