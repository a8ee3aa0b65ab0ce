"""``reduce``, ``accumulate``, ``reduceat``, ``outer`` and ``at`` of ufuncs.

Those of ``add``, ``multiply``, ``maximum`` and ``minimum`` are NumPy functions with rules of their own; for all others the
calls of the ufunc itself are recorded, one per element along the axis, and the value is NumPy's.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ._destinations import refuse_plain_target
from ._dispatch import append, check_outside, tracking, write_records
from ._functions import call_function, compute_plain, laid_out
from ._leaks import NoRuleError, leak_message
from ._libraries import rule_of
from ._move_entries import ADD_AT, SCATTER
from ._moves import frozen_key, overwrite, protect, tracked_by
from ._objects import as_objects, holds_objects, is_of_objects
from ._overlaps import reads_itself, refuse_overlaps
from ._record import owners, recording
from ._refusals import refuse_function
from ._registry import ZERO, Elementwise
from ._traced import TracedArray, adopt, traced_leaves, unwrap

_REDUCTIONS: dict[Any, Callable] = {
    np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min,
}  # fmt: skip
_ACCUMULATIONS: dict[Any, Callable] = {np.add: np.cumsum, np.multiply: np.cumprod}


def _is_followed(ufunc: Any, *arguments: Any) -> bool:
    """Whether a call must be recorded; raises where the ufunc has no rule."""
    if ufunc in ZERO or not recording() or not tracking(traced_leaves(list(arguments))):
        return False
    rule = rule_of(ufunc)
    if isinstance(rule, Elementwise):
        return True
    if rule is None and any(code not in "?bBhHiIlLqQO" for t in ufunc.types for code in t.split("->")[1]):
        refuse_function(ufunc)
    return False


def _plain(ufunc: Any, method: str, args: tuple, kwargs: dict) -> Any:
    """A call on plain data; a traced ``out=`` is written as a constant."""
    if not recording():
        check_outside(*traced_leaves(list(args)))
    out = kwargs.pop("out", None)
    if type(out) is tuple:
        out = out[0]
    keywords = kwargs if out is None else {**kwargs, "out": out}
    if recording() and is_of_objects(ufunc):  # the user's function gets the elements
        return getattr(ufunc, method)(*as_objects(args), **keywords)
    return compute_plain(getattr(ufunc, method), args, keywords)


def reduce(
    ufunc: Any, a: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False, **kwargs: Any
) -> Any:
    out = out[0] if type(out) is tuple else out
    function = _REDUCTIONS.get(ufunc)
    if function is not None and recording():
        keywords: dict[str, Any] = {"axis": axis, "out": out, **kwargs}
        if keepdims is not False:
            keywords["keepdims"] = keepdims
        if ufunc in (np.add, np.multiply):
            keywords["dtype"] = dtype
        else:
            a = _in_type(a, dtype)
        made = call_function(function, (a,), {k: v for k, v in keywords.items() if k == "axis" or v is not None})
        return made if out is None else out  # where functions ask a method of a NumPy scalar, they give a scalar
    if not _is_followed(ufunc, a, kwargs.get("initial")):
        return _plain(ufunc, "reduce", (a,), {"axis": axis, "dtype": dtype, "out": out, "keepdims": keepdims, **kwargs})
    exact = _exact(ufunc.reduce, out, a._bare, axis=axis, dtype=dtype, keepdims=keepdims, **unwrap(kwargs))
    dtype = _computed_in(dtype, out)
    a = _in_type(a, dtype)
    axes = tuple(range(a.ndim)) if axis is None else (axis,) if np.ndim(axis) == 0 else tuple(axis)
    axes = tuple(n % a.ndim for n in axes) if a.ndim else ()  # NumPy takes axes 0 and -1 of 0-d arrays
    with np.errstate(all="ignore"):  # NumPy has warned, here and below
        total = _row_by_row(ufunc, a, axes, **kwargs)
    return _finished(ufunc, total, exact, out)


def _exact(method: Callable, out: Any, *args: Any, **kwargs: Any) -> Any:
    """NumPy's own value, in the type that the destination has it computed in."""
    return method(*args, **kwargs) if out is None else method(*args, **kwargs, out=np.array(unwrap(out)))


def _computed_in(dtype: Any, out: Any) -> Any:
    """Methods of ufuncs compute in the type of their destination."""
    return out.dtype if dtype is None and out is not None else dtype


def _row_by_row(ufunc: Any, a: Any, axes: tuple, initial: Any = None, where: Any = True) -> Any:
    rest = [n for n in range(a.ndim) if n not in axes]
    rows, total = _rows(a, axes, rest), initial
    if where is True:
        for row in rows:
            total = row if total is None else ufunc(total, row)
        return total
    total = ufunc.identity if total is None else total
    for row, chosen in zip(rows, _rows(np.broadcast_to(where, a.shape), axes, rest), strict=True):
        total = np.where(chosen, ufunc(total, row), total)
    return total


def _in_type(a: Any, dtype: Any) -> Any:
    return a if dtype is None or a.dtype == dtype or np.dtype(dtype).kind not in "fc" else a.astype(dtype)


def _rows(a: Any, axes: tuple, rest: list) -> Any:
    """What is reduced one after the other."""
    count = math.prod([a.shape[n] for n in axes])
    return a.transpose(*axes, *rest).reshape(count, *[a.shape[n] for n in rest])


def _finished(ufunc: Any, made: Any, exact: Any, out: Any) -> Any:
    """What was recorded step by step, with NumPy's own value."""
    made = adopt(made if isinstance(made, TracedArray) else exact)  # there was nothing to record
    if not isinstance(made, TracedArray):
        return made
    if made._view is not None or made.dtype != exact.dtype:
        made = made.astype(exact.dtype)  # also a copy, where there was one row only
    with np.errstate(all="ignore"):
        rtol = float(np.finfo(exact.dtype).eps) ** 0.4
        same = np.allclose(made._bare.reshape(exact.shape), exact, rtol, 0.0, equal_nan=True)
    if not same:
        raise NoRuleError(
            leak_message(
                f"NumPy's {ufunc.__name__} did not apply itself to one element after the other here (NumPy 2.4 computes "
                "np.power.reduce([2., 3., 2.]) as 4)",
                "Write a loop.",
            )
        )
    if made.shape == exact.shape and np.ndim(exact) > 1 and made.strides != exact.strides:
        made = laid_out(made, exact)
    overwrite(made, exact if made.shape == exact.shape else exact.reshape(made.shape))
    if made.shape != exact.shape:
        made = made.reshape(exact.shape)
    if out is None:
        return made[()] if isinstance(exact, np.generic) else made
    if not isinstance(out, TracedArray):
        refuse_plain_target(recording(), (out,))
    else:
        refuse_overlaps(out, f"a method of {ufunc.__name__}")
    out[...] = made
    return out


def _one_axis(axis: Any, a: Any, method: Callable, *args: Any) -> Any:
    """The one axis that may be given in a tuple. NumPy refuses several, which np.cumsum takes."""
    if axis is not None and type(axis) is not tuple:
        return axis
    if len(axis or ()) == 1 or (not axis and np.ndim(unwrap(a)) == 1):
        return (axis or (0,))[0]
    return method(unwrap(a), *args, axis=axis)


def accumulate(ufunc: Any, a: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    out = out[0] if type(out) is tuple else out
    axis = _one_axis(axis, a, ufunc.accumulate)
    function = _ACCUMULATIONS.get(ufunc)
    if function is not None and recording() and np.ndim(unwrap(a)):  # not a scalar, which np.cumsum takes
        return call_function(function, (a,), {"axis": axis, "dtype": dtype, **({} if out is None else {"out": out})})
    if not _is_followed(ufunc, a):
        return _plain(ufunc, "accumulate", (a,), {"axis": axis, "dtype": dtype, "out": out})
    exact = _exact(ufunc.accumulate, out, a._bare, axis=axis, dtype=dtype)
    dtype = _computed_in(dtype, out)
    a = _in_type(a, dtype)
    rows = list(np.moveaxis(a, axis, 0))
    totals = rows[:1]
    with np.errstate(all="ignore"):
        for row in rows[1:]:
            totals.append(ufunc(totals[-1], row))
    return _finished(ufunc, np.stack(totals, axis) if totals else a.copy(), exact, out)


def reduceat(ufunc: Any, a: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    out = out[0] if type(out) is tuple else out
    indices = unwrap(indices)
    axis = _one_axis(axis, a, ufunc.reduceat, indices)
    if not _is_followed(ufunc, a):
        return _plain(ufunc, "reduceat", (a, indices), {"axis": axis, "dtype": dtype, "out": out})
    exact = _exact(ufunc.reduceat, out, a._bare, indices, axis=axis, dtype=dtype)
    dtype = _computed_in(dtype, out)
    rows = np.moveaxis(a, axis, 0)
    bounds = [*np.asarray(indices).tolist(), len(rows)]
    with np.errstate(all="ignore"):
        parts = [
            ufunc.reduce(rows[low:high], axis=0) if high > low else rows[low]
            for low, high in itertools.pairwise(bounds)
        ]
    return _finished(ufunc, np.stack(parts, axis) if parts else exact, exact, out)


def outer(ufunc: Any, a: Any, b: Any, **kwargs: Any) -> Any:
    if not recording():
        return _plain(ufunc, "outer", (a, b), kwargs)
    a = a if isinstance(a, TracedArray) else np.asarray(a)
    b = b if isinstance(b, TracedArray) else np.asarray(b)
    return ufunc(a.reshape(a.shape + (1,) * b.ndim), b, **kwargs)


def at(ufunc: Any, a: Any, indices: Any, *operands: Any) -> None:
    indices = unwrap(indices)
    if not isinstance(a, TracedArray):
        records = tracking(traced_leaves(list(operands)))
        if records and holds_objects([a]):
            operands = as_objects(operands)
        elif records:
            refuse_plain_target(records, (a,))
        ufunc.at(a, indices, *unwrap(operands))
        return
    if type(a._bare) is not np.ndarray:
        ufunc.at(a._bare, indices, *unwrap(operands))  # a scalar: NumPy's own error
    if not recording() or not tracking([a, *traced_leaves(list(operands))]):
        if not recording():
            check_outside(a, *operands)
        protect(a)
        ufunc.at(a._bare, indices, *unwrap(operands))
        _constant_to_others(a, indices)
        return
    if ufunc in (np.add, np.subtract):
        _add_at(ufunc, a, indices, operands[0])
    elif _is_followed(ufunc, a, *operands):
        _at_in_rounds(ufunc, a, indices, operands)
    else:
        exact = np.array(a._bare, order="K")
        ufunc.at(exact, indices, *unwrap(operands))
        a[indices] = exact[indices]


def _constant_to_others(a: TracedArray, indices: Any) -> None:
    """To tapes that track the destination and are paused or closed, a constant is written."""
    here = recording()
    others = tuple([record for record in owners(a._storage) if record not in here])
    if others:
        append(others, (SCATTER, a._storage, a._view, *frozen_key(indices), None, None))


def _add_at(ufunc: Any, a: TracedArray, indices: Any, value: Any) -> None:
    protect(a)
    ufunc.at(a._bare, indices, unwrap(value))
    _constant_to_others(a, indices)
    if not isinstance(value, TracedArray):
        return  # adding a constant leaves every cotangent as it is
    records = tracked_by(value)
    if records:
        write_records(a, records)
        key, moved = frozen_key(indices)
        sign = 1 if ufunc == np.add else -1
        append(records, (ADD_AT, a._storage, a._view, key, moved, value._storage, value._view, sign))


def _at_in_rounds(ufunc: Any, a: TracedArray, indices: Any, operands: tuple) -> None:
    """Each round takes every element at most once; the rounds follow one another as NumPy's loop does."""
    refuse_overlaps(a, f"{ufunc.__name__}.at")
    exact = np.array(a._bare, order="K")
    ufunc.at(exact, indices, *unwrap(operands))
    numbers = np.arange(a.size).reshape(a.shape)[indices]
    flat = np.reshape(numbers, -1)
    # NumPy copies operands that look at the memory that is written.
    operands = tuple([v.copy() if reads_itself(a, v) else v for v in operands])
    values = [np.broadcast_to(v, np.shape(numbers)).reshape(-1) for v in operands]
    cells: Any = a if a.ndim else a.reshape(1)
    order = np.argsort(flat, kind="stable")
    starts = np.r_[True, flat[order][1:] != flat[order][:-1]] if flat.size else np.zeros(0, bool)
    first = np.maximum.accumulate(np.where(starts, np.arange(flat.size), 0)) if flat.size else flat
    turn = np.empty(flat.size, np.intp)
    turn[order] = np.arange(flat.size) - first
    with np.errstate(all="ignore"):
        for n in range(int(turn.max(initial=-1)) + 1):
            chosen = np.flatnonzero(turn == n)
            where = np.unravel_index(flat[chosen], cells.shape)
            cells[where] = ufunc(cells[where], *[v[chosen] for v in values])
    overwrite(a, exact)


METHODS: dict[str, Callable] = {
    "reduce": reduce, "accumulate": accumulate, "reduceat": reduceat, "outer": outer, "at": at,
}  # fmt: skip

