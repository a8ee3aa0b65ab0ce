"""Elementwise functions of one and two inputs: the short way from an operator or a plain ufunc call to the record.

Most calls of a numerical program are of this kind, and most arrays of many programs are small: here each attribute is read
once, nothing is looked up that is known when the operator is made, and nothing is made that is not kept. Everything with
more arguments goes the general way of ``_dispatch``.
"""

from __future__ import annotations

import opcode
import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._dispatch import append, check_outside, tracking
from ._entries import BINARY, UNARY
from ._leaks import user_location
from ._libraries import rule_of
from ._move_entries import COPY
from ._moves import keep, keep_result, keep_view, protect, saved_operand, settle, tracked_by
from ._objects import objects
from ._overlaps import refuse_overlaps
from ._plain_values import COPY_LIMIT, save_constant
from ._pool import computed, free
from ._record import owners, recording, single, token_set, track, tracking_records
from ._registry import Elementwise
from ._storage import NOTHING, Epoch, Storage, StridedView, shapes
from ._traced import FLOAT64, SeenArray, TracedArray, again, fresh, is_inexact, seal, seen, traced_leaves, unwrap

_SCALARS = [bool, int, float, complex, *{np.dtype(code).type for code in np.typecodes["All"] if code not in "OSUVMm"}]
# Operands that are taken as they are; all others (lists, other libraries' arrays) go NumPy's way first.
ACCEPTED: frozenset = frozenset([ndarray, SeenArray, *_SCALARS])

asarray = np.asarray
interned = shapes.setdefault
_new_storage, _new_epoch = Storage, Epoch


# Operators that are one ufunc to the last bit: of powers, NumPy computes some in other ways.
_UFUNCS: dict[Callable, Any] = {
    operator.add: np.add, operator.sub: np.subtract, operator.mul: np.multiply, operator.truediv: np.divide,
    operator.neg: np.negative,
}  # fmt: skip


def _same_ufunc(op: Callable) -> Any:
    """The ufunc that computes what ``op`` does, which takes memory for its result; None if there is none."""
    return op if isinstance(op, np.ufunc) else _UFUNCS.get(op)


def unary_operator(rule: Elementwise, op: Callable, element: type[TracedArray] = TracedArray) -> Callable:
    """The recorded call of an elementwise function of one input; ``op`` computes the value, a scalar is an ``element``."""
    real, complex_ = rule.real[1], rule.complex[1]
    ufunc = _same_ufunc(op)

    def call(a: TracedArray) -> Any:
        try:
            x = a._bare
        except AttributeError:
            return again(call, a)
        r = computed(ufunc, x) if free and ufunc is not None else None
        if r is None:
            r = op(x)
        dtype = r.dtype
        if dtype is not FLOAT64 and not is_inexact(dtype):
            return seen(r)
        s = a._storage
        record = single()
        if record is not None:
            tracked = record.alone
            t = s.tracked
            if t is not tracked and not ((t or s.is_variable) and record.tracks(s)):
                return fresh(r, NOTHING, element)
        elif recording():
            records = tracking_records((s,))
            if not records:
                return fresh(r, NOTHING, element)
            tracked = token_set(records)
        else:
            check_outside(a)
            return r
        is_array = type(r) is ndarray
        out: Any = r.view(TracedArray) if is_array else asarray(r).view(element)
        if is_array:
            seal(out, False)
        out._bare = r
        out._storage = storage = _new_storage()
        out._view = None
        storage.tracked = tracked
        storage.epoch = None
        v = a._view
        storage.shape = s.shape if v is None else v.shape
        storage.dtype = dtype
        selection = real if dtype is FLOAT64 or dtype.kind == "f" else complex_
        ex = ans = ea = None
        if selection.keep_x:
            if type(x) is ndarray:
                if v is None:
                    ex = s.epoch
                    if ex is None:
                        s.epoch = ex = _new_epoch()
                        ex.copy = None
                else:
                    x, ex = keep_view(a)
        else:
            x = None
        if selection.keep_ans:
            ans = r
            if is_array:
                storage.epoch = ea = _new_epoch()
                ea.copy = None
        entry = (UNARY, selection, storage, None, s, v, x, ex, ans, ea)
        if record is not None:
            record.append(entry)
        else:
            append(records, entry)
        return out

    return call


def _with_objects(op: Callable, a: Any, b: Any, r: Any) -> Any:
    """Arithmetic with an object array: if ``r``, from plain data, would lose a derivative, each element by itself."""
    if not tracking(traced_leaves([a, b])):
        return r
    return op(*[objects(t) if isinstance(t, TracedArray) else t for t in (a, b)])


# What ``scalar * traced`` and ``scalar ** traced`` of a NumPy scalar call the hook with, and the method that computes with
# NumPy's own code for two scalars, whose last bit is another one. The caller's instruction tells it from ``np.multiply``.
REFLECTED: dict[Any, str] = {np.multiply: "__rmul__", np.power: "__rpow__"}
_OPERATOR = opcode.opmap["BINARY_OP"]


def is_operator(depth: int) -> bool:
    frame = sys._getframe(depth + 1)
    return frame.f_code.co_code[frame.f_lasti] == _OPERATOR


def binary_operator(
    rule: Elementwise, op: Callable, otherwise: Callable | None = None, element: type[TracedArray] = TracedArray
) -> Callable:
    """The recorded call of an elementwise function of two inputs, at least one of them traced.

    ``otherwise`` is called for second operands that are not known here; with it the first operand is the traced array
    whose method this is.
    """
    real, complex_ = rule.real, rule.complex
    traced_first = otherwise is not None  # an operator's method
    ufunc = _same_ufunc(op)
    reflected = REFLECTED.get(op)

    def call(a: Any, b: Any) -> Any:
        kind = type(b)
        try:
            if traced_first or isinstance(a, TracedArray):
                x = a._bare
                sx = a._storage
            else:
                x = a if type(a) is not SeenArray else a.view(ndarray)
                sx = None
                if reflected and isinstance(a, np.generic) and isinstance(b._bare, np.generic) and is_operator(2):
                    return getattr(b, reflected)(a)
            if kind is ndarray or kind is float:
                y = b
                sy = None
            elif isinstance(b, TracedArray):
                y = b._bare
                sy = b._storage
            elif otherwise is None or kind in ACCEPTED:
                y = b if kind is not SeenArray else b.view(ndarray)
                sy = None
            else:
                return otherwise(a, b)
        except AttributeError:
            return again(call, a, b)
        r = computed(ufunc, x, y) if free and ufunc is not None else None
        if r is None:
            r = op(x, y)
        try:
            dtype = r.dtype
        except AttributeError:  # the element of a 0-d object array
            return _with_objects(op, a, b, r)
        if dtype is not FLOAT64 and not is_inexact(dtype):
            return _with_objects(op, a, b, r) if dtype.kind == "O" else seen(r)
        record = single()
        if record is not None:
            tracked = record.alone
            chosen = 0
            if sx is not None:
                t = sx.tracked
                if t is tracked or ((t or sx.is_variable) and record.tracks(sx)):
                    chosen = 1
            if sy is not None:
                t = sy.tracked
                if t is tracked or ((t or sy.is_variable) and record.tracks(sy)):
                    chosen += 2
            if not chosen:
                return fresh(r, NOTHING, element)
        elif not recording():
            check_outside(a, b)
            return r
        else:
            rx = () if sx is None else tracking_records((sx,))
            ry = () if sy is None else tracking_records((sy,))
            chosen = (1 if rx else 0) + (2 if ry else 0)
            if not chosen:
                return fresh(r, NOTHING, element)
            records = tuple([record for record in recording() if record in rx or record in ry])
            tracked = token_set(records)
        is_array = type(r) is ndarray
        out: Any = r.view(TracedArray) if is_array else asarray(r).view(element)
        if is_array:
            seal(out, False)
        out._bare = r
        out._storage = storage = _new_storage()
        out._view = None
        storage.tracked = tracked
        storage.epoch = None
        if kind is float and sx is not None:  # a number leaves the shape as it is
            vx = a._view
            storage.shape = sx.shape if vx is None else vx.shape
        elif sx is None and type(a) is float:
            vy = b._view
            storage.shape = (b._storage if vy is None else vy).shape
        else:
            shape = r.shape
            storage.shape = interned(shape, shape)
        storage.dtype = dtype
        selection = real[chosen] if dtype is FLOAT64 or dtype.kind == "f" else complex_[chosen]
        vx = vy = ex = ey = ans = ea = None
        if sx is None:
            x, ex = save_constant(a, user_location) if selection.keep_x else (None, None)
        else:
            vx = a._view
            if not selection.keep_x:
                x = None
            elif type(x) is ndarray:
                if vx is None:
                    ex = sx.epoch
                    if ex is None:
                        sx.epoch = ex = _new_epoch()
                        ex.copy = None
                else:
                    x, ex = keep_view(a)
        if sy is None:
            if not selection.keep_y:
                y = None
            elif kind is ndarray and y.nbytes <= COPY_LIMIT:
                y = y.copy()
            elif kind is not float:
                y, ey = save_constant(b, user_location)
        else:
            vy = b._view
            if not selection.keep_y:
                y = None
            elif type(y) is ndarray:
                if vy is None:
                    ey = sy.epoch
                    if ey is None:
                        sy.epoch = ey = _new_epoch()
                        ey.copy = None
                else:
                    y, ey = keep_view(b)
        if selection.keep_ans:
            ans = r
            if is_array:
                storage.epoch = ea = _new_epoch()
                ea.copy = None
        entry = (BINARY, selection, storage, None, sx, vx, sy, vy, x, ex, y, ey, ans, ea)
        if record is not None:
            record.append(entry)
        else:
            append(records, entry)
        return out

    return call


def in_place_operator(rule: Elementwise, op: Callable, out_of_place: Callable) -> Callable:
    """``a += b`` and its kin; ``op`` computes the value in place."""

    def call(a: TracedArray, b: Any) -> Any:
        x = a._bare
        if type(x) is not ndarray:
            return out_of_place(a, b)  # a NumPy scalar cannot be changed: the name is bound to a new one
        y = unwrap(b)
        records_x, records_y = tracked_by(a), tracked_by(b) if isinstance(b, TracedArray) else ()
        storage, view = a._storage, a._view
        selection = (rule.complex if x.dtype.kind == "c" else rule.real)[bool(records_x) + 2 * bool(records_y)]
        involved = records_x + tuple(record for record in records_y if record not in records_x)
        if involved:
            refuse_overlaps(a, rule.name)
        nothing = (None, None, None, None)
        kept_x = saved_operand(a) if selection.keep_x else nothing
        kept_y = saved_operand(b) if selection.keep_y else nothing
        if storage.epoch is not None:
            protect(a)
        op(x, y)
        others = [record for record in owners(storage) if record not in involved] if storage.tracked else ()
        if involved:
            track(storage, token_set(involved))
            ans, ea = keep_result(a) if selection.keep_ans else (None, None)
            sy, vy = (b._storage, b._view) if isinstance(b, TracedArray) else (None, None)
            entry = (BINARY, selection, storage, view, storage, view, sy, vy, *kept_x[:2], *kept_y[:2], ans, ea)
            append(involved, entry)
            settle(a, ea)
        for record in others:
            record.append((COPY, storage, view, None, None))
        return a

    return call


def short_in_place_operator(rule: Elementwise, op: Callable, general: Callable) -> Callable:
    """The commonest calls of `in_place_operator`: on one tape, which alone tracks what it tracks of the two. All others are
    left to ``general``."""
    real, complex_ = rule.real, rule.complex

    def call(a: TracedArray, b: Any) -> Any:
        try:
            x = a._bare
        except AttributeError:
            return again(call, a, b)
        record = single()
        view = a._view
        if type(x) is not ndarray or record is None or (type(view) is StridedView and view.overlaps):
            return general(a, b)
        alone = record.alone
        storage = a._storage
        tokens = storage.tracked
        if tokens is alone:
            chosen = 1
        elif tokens or storage.is_variable:
            return general(a, b)
        else:
            chosen = 0
        kind = type(b)
        sy = vy = ex = ey = saved_x = saved_y = ans = ea = None
        if kind is TracedArray:
            try:
                y = b._bare
            except AttributeError:
                return again(call, a, b)
            sy = b._storage
            tokens = sy.tracked
            if tokens is alone:
                chosen += 2
            elif tokens or sy.is_variable:
                return general(a, b)
        elif kind in ACCEPTED:
            y = b
        else:
            return general(a, b)
        selection = (complex_ if x.dtype.kind == "c" else real)[chosen]
        if chosen:
            if selection.keep_x:
                saved_x, ex = keep(a)
            if sy is not None:
                vy = b._view
                if selection.keep_y:
                    saved_y, ey = keep(b)
            elif selection.keep_y:
                saved_y, ey = save_constant(y, user_location)
        if storage.epoch is not None:
            protect(a)
        op(x, y)
        if chosen:
            storage.tracked = alone
            if selection.keep_ans:
                ans, ea = keep_result(a)
            record.append((BINARY, selection, storage, view, storage, view, sy, vy, saved_x, ex, saved_y, ey, ans, ea))
            settle(a, ea)
        return a

    return call


plain_calls: dict[Any, Callable] = {}
unary_calls: dict[Any, Callable] = {}  # of these those of one input, which the protocol asks for first


def plain_ufunc_call(ufunc: Any) -> Callable | None:
    """The short way of a ufunc called with its inputs only, None if it has none."""
    call = plain_calls.get(ufunc)
    if call is None:
        rule = rule_of(ufunc)
        if not isinstance(rule, Elementwise) or ufunc.nout != 1 or rule.nin > 2:
            return None
        if rule.nin == 1:
            call = unary_calls[ufunc] = unary_operator(rule, ufunc)
        else:
            call = binary_operator(rule, ufunc)
        plain_calls[ufunc] = call
    return call
