"""Interpolation, convolution, differences and integrals."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._refusals import refuse_function
from .._registry import composite, jvp, vjp
from ._helpers import behind_batch, binned, negative_axis, total

composite(np.diff, np.ediff1d, np.gradient, np.trapezoid)

# --- Numbers between two ends --------------------------------------------------------------------------------------


def _shares(num: Any, endpoint: Any) -> tuple[Any, float]:
    """Of the second end in each number, and in the step between them; without a step between numbers it is not one."""
    parts = int(num) - 1 if endpoint else int(num)
    return np.arange(int(num)) / max(parts, 1), 1 / parts if parts > 0 else np.nan


def _declare_linspace(argument: str, share_of: Any) -> None:
    """``share_of`` gives the share of this end from that of the second one."""

    @vjp(np.linspace, argument)
    def linspace_vjp(ct: Any, ans: Any, num: Any, endpoint: Any, axis: Any) -> Any:
        several = isinstance(ct, tuple)
        ct, ct_step = ct if several else (ct, None)
        t, step = _shares(num, endpoint)
        back = None
        if ct is not None:
            rows = np.moveaxis(ct, negative_axis(axis, np.ndim(ans[0] if several else ans)), -1)
            back = np.sum(rows * share_of(t), axis=-1)
        return total(back, None if ct_step is None else ct_step * (step if argument == "stop" else -step))

    @jvp(np.linspace, argument)
    def linspace_jvp(
        tangent: Any, ans: Any, num: Any, endpoint: Any, axis: Any, retstep: Any, start_spec: Any, stop_spec: Any
    ) -> Any:
        t, step = _shares(num, endpoint)
        spec, ndim = (start_spec if argument == "start" else stop_spec), max(start_spec.ndim, stop_spec.ndim)
        tangent = behind_batch(tangent, spec, ndim)
        made = np.moveaxis(tangent[..., None] * share_of(t), -1, negative_axis(axis, ndim + 1))
        return (made, tangent * (step if argument == "stop" else -step)) if retstep else made


_declare_linspace("start", lambda t: 1 - t)
_declare_linspace("stop", lambda t: t)

# --- Interpolation -------------------------------------------------------------------------------------------------


class _Pieces(NamedTuple):
    """Where each x lies: between the given nodes ``first`` and ``second``, at the fraction ``t``.

    At a node the piece to its right is taken, at the last one that to its left. Outside, ``slope`` is zero and ``t``
    says which end is repeated; ``weight`` is zero where ``left`` or ``right`` is taken instead.
    """

    first: Any
    second: Any
    t: Any
    slope: Any
    weight: Any
    below: Any
    above: Any


def _pieces(x: Any, xp: Any, fp: Any, left: Any, right: Any, period: Any) -> _Pieces:
    x, fp = np.asarray(x), np.asarray(fp)
    nodes, which = _nodes(xp, period)
    if period is not None:
        x, left, right = np.real(x) % np.abs(period), None, None
    last = len(which) - 1
    number = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, max(last - 1, 0))
    first, second = which[number], which[np.minimum(number + 1, last)]
    start = nodes[number]
    width = nodes[np.minimum(number + 1, last)] - start
    below, above = x < nodes[0], x > nodes[-1]
    flat = width == 0
    safe = np.where(flat, 1, width)
    t = np.where(below, 0, np.where(above | flat, 1, (x - start) / safe))
    slope = np.where(below | above | flat, 0, (fp[second] - fp[first]) / safe)
    replaced = (below & (left is not None)) | (above & (right is not None))
    return _Pieces(first, second, t, slope, 1.0 - replaced, below, above)


def _nodes(xp: Any, period: Any) -> tuple[Any, Any]:
    """The nodes in increasing order, and which given node each is; a period repeats the last and the first. With a period,
    NumPy takes complex numbers, of which it drops the imaginary parts."""
    xp = np.asarray(xp)
    if period is None:
        if np.any(xp[1:] < xp[:-1]):
            # Between which nodes NumPy looks depends there on where it has looked before.
            refuse_function(np.interp, "where xp does not increase, for which NumPy promises nothing")
        return xp, np.arange(len(xp))
    length = np.abs(period)
    wrapped = np.real(xp) % length
    order = np.argsort(wrapped)
    which = np.concatenate([order[-1:], order, order[:1]])
    turns = np.concatenate([[-1.0], np.zeros(len(order)), [1.0]])
    return wrapped[which] + turns * length, which


def _conj(a: Any) -> Any:
    return np.conjugate(a) if np.iscomplexobj(a) else a


def _blend(p: _Pieces, values: Any) -> Any:
    """Between the values at the two nodes of each piece."""
    return (1 - p.t) * values[..., p.first] + p.t * values[..., p.second]


def _unblend(p: _Pieces, ct: Any, n: int) -> Any:
    """The transpose of `_blend`."""
    ndim = np.ndim(p.t)
    return binned((1 - p.t) * ct, p.first, n, ndim) + binned(p.t * ct, p.second, n, ndim)


@vjp(np.interp, "x")
def interp_vjp_x(ct: Any, x: Any, xp: Any, fp: Any, left: Any, right: Any, period: Any) -> Any:
    return np.real(ct * _conj(_pieces(x, xp, fp, left, right, period).slope))


@jvp(np.interp, "x")
def interp_jvp_x(tangent: Any, x: Any, xp: Any, fp: Any, left: Any, right: Any, period: Any) -> Any:
    return np.real(tangent) * _pieces(x, xp, fp, left, right, period).slope


@vjp(np.interp, "xp")
def interp_vjp_xp(ct: Any, x: Any, xp: Any, fp: Any, left: Any, right: Any, period: Any) -> Any:
    p = _pieces(x, xp, fp, left, right, period)
    return _unblend(p, -np.real(ct * _conj(p.slope)), len(xp))


@jvp(np.interp, "xp")
def interp_jvp_xp(tangent: Any, x: Any, xp: Any, fp: Any, left: Any, right: Any, period: Any) -> Any:
    p = _pieces(x, xp, fp, left, right, period)
    return -p.slope * _blend(p, np.real(tangent))


@vjp(np.interp, "fp")
def interp_vjp_fp(ct: Any, x: Any, xp: Any, fp: Any, left: Any, right: Any, period: Any) -> Any:
    p = _pieces(x, xp, fp, left, right, period)
    return _unblend(p, ct * p.weight, len(xp))


@jvp(np.interp, "fp")
def interp_jvp_fp(tangent: Any, x: Any, xp: Any, fp: Any, left: Any, right: Any, period: Any) -> Any:
    p = _pieces(x, xp, fp, left, right, period)
    return p.weight * _blend(p, tangent)


def _outside(x: Any, xp: Any, period: Any, side: str) -> Any:
    """Where ``left`` or ``right`` is taken; a period has no outside."""
    x, xp = np.asarray(x), np.asarray(xp)
    beyond = x < xp[0] if side == "left" else x > xp[-1]
    return beyond & (period is None)


def _declare_side(side: str) -> None:
    @vjp(np.interp, side)
    def interp_vjp_side(ct: Any, x: Any, xp: Any, period: Any) -> Any:
        return np.sum(np.where(_outside(x, xp, period, side), ct, 0), axis=tuple(range(-np.ndim(x), 0)))

    @jvp(np.interp, side)
    def interp_jvp_side(tangent: Any, x: Any, xp: Any, period: Any) -> Any:
        return tangent.reshape(tangent.shape + (1,) * np.ndim(x)) * _outside(x, xp, period, side)


_declare_side("left")
_declare_side("right")


def _by_period(x: Any, xp: Any, fp: Any, period: Any) -> Any:
    """Nothing changes when x, xp and the period grow by the same factor: Euler's theorem gives the last from the others."""
    p = _pieces(x, xp, fp, None, None, period)
    return p.slope * (_blend(p, np.asarray(xp)) - np.asarray(x)) / period


@vjp(np.interp, "period")
def interp_vjp_period(ct: Any, x: Any, xp: Any, fp: Any, period: Any) -> Any:
    return np.sum(ct * _conj(_by_period(x, xp, fp, period)), axis=tuple(range(-np.ndim(x), 0)))


@jvp(np.interp, "period")
def interp_jvp_period(tangent: Any, x: Any, xp: Any, fp: Any, period: Any) -> Any:
    return tangent.reshape(tangent.shape + (1,) * np.ndim(x)) * _by_period(x, xp, fp, period)


# --- Convolution ---------------------------------------------------------------------------------------------------


def _each(function: Any, rows: Any, n: int) -> Any:
    """A function of vectors for each vector of a batch; its results have length n."""
    if rows.ndim == 1:
        return function(rows)
    results = [function(row) for row in rows.reshape(-1, rows.shape[-1])]
    return np.stack(results).reshape(*rows.shape[:-1], n) if results else np.zeros((*rows.shape[:-1], n))


def _vector(a: Any) -> Any:
    return np.asarray(a).reshape(-1)


def _turned(a: Any) -> Any:
    return _conj(a)[..., ::-1]


def middle(n: int, m: int, correlation: bool) -> int:
    """Where mode "same" begins in the full result. An even length has two middles, and NumPy's correlation, which
    exchanges the arguments so that the longer one comes first, turns the result round then."""
    shorter = min(n, m)
    return shorter // 2 if correlation and m > n else (shorter - 1) // 2


def _transposed(ct: Any, other: Any, n: int, correlation: bool, is_second: bool) -> Any:
    """The cotangent of an argument of length n of ``convolve(argument, other)``; which mode it was, the lengths tell."""
    m, length = len(other), ct.shape[-1]
    missing = n + m - 1 - length
    if missing == 2 * (min(n, m) - 1):
        if n >= m:
            return _each(lambda row: np.convolve(row, _turned(other)), ct, n)
        return _each(lambda row: _turned(np.correlate(other, row, "valid")), ct, n)
    before = 0 if not missing else middle(*((m, n) if is_second else (n, m)), correlation)
    zeros = [np.zeros((*ct.shape[:-1], k)) for k in (before, missing - before)]
    return _each(lambda row: np.correlate(row, other, "valid"), np.concatenate([zeros[0], ct, zeros[1]], axis=-1), n)


def _like(rows: Any, spec: Any) -> Any:
    """A number may stand for a vector of length 1."""
    return rows.reshape(rows.shape[:-1] + spec.shape)


def _rows(tangent: Any, spec: Any) -> Any:
    return tangent.reshape(*tangent.shape[: tangent.ndim - spec.ndim], spec.size)


@vjp(np.convolve, "a")
def convolve_vjp_a(ct: Any, v: Any, a_spec: Any) -> Any:
    return _like(_transposed(ct, _vector(v), a_spec.size, False, False), a_spec)


@vjp(np.convolve, "v")
def convolve_vjp_v(ct: Any, a: Any, v_spec: Any) -> Any:
    return _like(_transposed(ct, _vector(a), v_spec.size, False, True), v_spec)


# correlate(a, v) is convolve(a, conj(v) turned round).


@vjp(np.correlate, "a")
def correlate_vjp_a(ct: Any, v: Any, a_spec: Any) -> Any:
    return _like(_transposed(ct, _turned(_vector(v)), a_spec.size, True, False), a_spec)


@vjp(np.correlate, "v")
def correlate_vjp_v(ct: Any, a: Any, v_spec: Any) -> Any:
    return _like(_turned(_transposed(ct, _vector(a), v_spec.size, True, True)), v_spec)


def _declare_products(function: Any) -> None:
    @jvp(function, "a")
    def product_jvp_a(tangent: Any, v: Any, mode: Any, a_spec: Any, ans_spec: Any) -> Any:
        return _each(lambda row: function(row, v, mode), _rows(tangent, a_spec), ans_spec.size)

    @jvp(function, "v")
    def product_jvp_v(tangent: Any, a: Any, mode: Any, v_spec: Any, ans_spec: Any) -> Any:
        return _each(lambda row: function(a, row, mode), _rows(tangent, v_spec), ans_spec.size)


_declare_products(np.convolve)
_declare_products(np.correlate)
