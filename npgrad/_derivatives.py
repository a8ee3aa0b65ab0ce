"""From targets and sources to gradients and Jacobians: which sweeps over a record give them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from sys import getrefcount
from typing import Any

import numpy as np
from numpy import ndarray

from ._bound_names import in_place
from ._course import Course
from ._dispatch import call_rule
from ._finite import CheckedForward, CheckedReverse
from ._fitting import cast
from ._forward_sweep import ForwardSweep
from ._leaks import warn_completed, warn_further
from ._limits import ROUGHLY, limits, turning_by
from ._parting import Parting
from ._pool import HELD_ONCE
from ._record import Record, recording, set_recording
from ._registry import Rule
from ._sources import plan
from ._storage import Storage, View, native
from ._sweep import ReverseSweep, Sweep, is_clean, reverse
from ._traced import TracedArray, fresh, unwrap

# Shadows of more than this many bytes are let go as soon as nothing needs them any more; below, that would take longer.
_BRIEF = 1 << 21


def recorded_on(record: Record, target: Any) -> bool:
    return isinstance(target, TracedArray) and record.token in target._storage.tracked


# Warnings of a sweep would be of npgrad's computing. A decorator, which takes half the time of a ``with``.
@np.errstate(all="ignore")
def gradients_of(record: Record, pairs: list, sources: list, batch: tuple, course: Course | None = None) -> list:
    """The captured shadows of the sources, None for unconnected ones; with ``course``, others do not outlive their use."""
    if record.parting is None:
        return _gradients_of(record, pairs, sources, batch, course, (False, True))
    with _recorded_by(record.parting.record), _ask_for_limits(record.parting):
        found = _gradients_of(record, pairs, sources, batch, course, (False,))
    if not all(r is None or is_clean(r) for r in found):
        # A zero that is kept zero by care might be one that has a derivative.
        return _gradients_of(record, pairs, sources, batch, course, (False, True))
    return found if recording() else [None if r is None else unwrap(r) for r in found]


def _gradients_of(
    record: Record, pairs: list, sources: list, batch: tuple, course: Course | None, attempts: tuple[bool, ...]
) -> list:
    places: list[tuple[Storage, View | None]] = [
        (s._storage, s._view) for s in sources if s is not None and record.token in s._storage.tracked
    ]
    traced = bool(recording())
    for careful in attempts:
        captures, events, entries = plan(record, places)
        checked = careful and record.check_nan
        sweep = CheckedReverse(batch, traced, record) if checked else ReverseSweep(batch, traced, careful, record.large)
        if course is not None:
            events += [(position, _Forget(storages)) for position, storages in course.begins().items()]
        for target, seed in pairs:
            if seed is None:
                seed = np.empty(target.shape, native(target.dtype))  # np.ones takes three times as long
                seed.fill(1)
            sweep.add(target._storage, target._view, seed)
        reverse(entries, sweep, events)
        for capture in captures:
            capture.finish(sweep)
        found = iter([capture.result for capture in captures])
        results = [next(found) if s is not None and record.token in s._storage.tracked else None for s in sources]
        if all(r is None or is_clean(r) for r in results):
            break
    return results


class _Forget:
    """An event of a sweep: nothing asks for these shadows any more."""

    __slots__ = ("storages",)

    def __init__(self, storages: list[Storage]) -> None:
        self.storages = storages

    def __call__(self, sweep: Sweep) -> None:
        sweep.forget(self.storages)


def tangents_of(
    record: Record, targets: list, moved: list[tuple[TracedArray, Any]], batch: tuple, course: Course | None = None
) -> list:
    """The tangents of the targets for given ones of watched arrays, None for targets that do not depend on them. With
    ``course``, and where shadows are large, they do not outlive their use."""
    if record.parting is not None:
        return transposed(record, targets, moved, batch)
    with turning_by(0) as columns:
        found = _tangents_of(record, targets, moved, batch, course, bool(recording()))
    if columns.met:
        _tell_if_turned(record, targets, moved, " and ".join(sorted(columns.met)))
    return found


def _tell_if_turned(record: Record, targets: list, moved: list, what: str) -> None:
    """Tell if a result changes when the columns that complete a basis are turned among themselves, as `reverse` does."""
    still = [(s, np.zeros(s.shape, native(s.dtype))) for s, tangent in moved if tangent is not None]
    sizes = []
    for half in (-1, 1):
        with _recorded_by_none(), turning_by(half):
            found = _tangents_of(record, targets, still, (), None, False)
        sizes.append(max([np.max(np.abs(f), initial=0) for f in found if f is not None], default=0))
    if sizes[0] > ROUGHLY * max(sizes):
        warn_completed(what)


def _tangents_of(
    record: Record, targets: list, moved: list, batch: tuple, course: Course | None, traced: bool
) -> list:
    moved = [(source, tangent) for source, tangent in moved if tangent is not None]
    if course is None and len(record.entries) * sum([tangent.nbytes for _, tangent in moved]) > _BRIEF:
        course = Course(record, [s._storage for s, _ in moved], [t._storage for t in targets if recorded_on(record, t)])
    marks = [(record.find_mark(source._storage, source._view), source, tangent) for source, tangent in moved]
    for careful in (False, True):
        checked = careful and record.check_nan
        sweep = CheckedForward(batch, traced, record) if checked else ForwardSweep(batch, traced, careful)
        entries, ends = (record.entries, None) if checked or course is None else (course.entries, course.ends())
        start = 0
        for mark, source, tangent in sorted(
            ((m, s, t) for m, s, t in marks if m is not None), key=lambda item: item[0].position
        ):
            sweep.run(entries, start, mark.position, ends)
            start = mark.position
            flow = sweep.peek(source._storage, source._view)  # from other sources, where this one was computed from them
            sweep.put(source._storage, source._view, tangent if flow is None else flow + tangent)
        sweep.run(entries, start, len(entries), ends)
        found = [sweep.get(target._storage, target._view) if recorded_on(record, target) else None for target in targets]
        if all(f is None or is_clean(f) for f in found):
            break
    return found


# --- Equal values (see ``_parting``) -----------------------------------------------------------------------------------


class _Limits:
    """What a rule may ask for in a sweep: the derivative of what it has, as equal values part."""

    def __init__(self, parting: Parting) -> None:
        self.parting = parting
        self.follows = parting.follows

    def limit(self, x: Any, y: Any, by: Any, values: Any) -> Any:
        """x / y where both are 0, with ``by`` the derivative of y as values part; None if x does not depend on that.

        On the line along which values part, x / y is (x1 + s x2 / 2! + s^2 x3 / 3! ...) / by, with x1, x2 ... the
        derivatives of x at the point of the line, and s = -y / by the way back to where y is 0. Here s is 0, and so a tape
        that takes the derivative of the limit needs one more term.
        """
        tapes = sum([r.may_part and recorded_on(r, values) for r in recording()])
        s = (unwrap(y) - y) / by if tapes else 0
        found: Any = None
        factor: Any = 1
        for n in range(tapes + 1):
            x = self._derivative(x, self.parting.moved)
            if x is None:
                break
            found = factor * x if found is None else found + factor * x
            factor = factor * s / (n + 2)
        if found is None:
            return None
        return _limit(found / by, values, tapes) if tapes else found / by

    def turned(self, x: Any) -> Any:
        with _recorded_by_none():
            return self._derivative(x, self.parting.turned)

    def _derivative(self, x: Any, moved: list) -> Any:
        """None for what does not depend on what moves."""
        record = self.parting.record
        if not moved or not isinstance(x, TracedArray) or record.token not in x._storage.tracked:
            return None
        course = Course(record, [source._storage for source, _ in moved], [x._storage])
        with _ask_for_limits(None):
            [found] = tangents_of(record, [x], moved, (), course)
        return found


@contextlib.contextmanager
def _recorded_by(record: Record) -> Iterator[None]:
    """Record a sweep; what is noted of it is let go at the end, unless the program is recorded as well."""
    if record.open:
        stack = recording()
        set_recording(stack if record in stack else (*stack, record))
        try:
            yield
        finally:
            set_recording(stack)
        return
    length = len(record.entries)
    try:
        record.start()
        in_place.enter(record)
        yield
    finally:
        record.stop()
        in_place.leave(record)
        del record.entries[length:]


@contextlib.contextmanager
def _recorded_by_none() -> Iterator[None]:
    stack = recording()
    set_recording(())
    try:
        yield
    finally:
        set_recording(stack)


@contextlib.contextmanager
def _ask_for_limits(parting: Parting | None) -> Iterator[None]:
    """Let rules ask for limits."""
    before = limits.set(None if parting is None else _Limits(parting))
    try:
        yield
    finally:
        limits.reset(before)


_transposing: ContextVar[bool] = ContextVar("npgrad_transposing", default=False)


def _limit_itself(x: Any, values: Any, left: int) -> Any:
    return x.copy()


def _of_limit(ct: Any, values: Any, left: int) -> Any:
    return _limit(ct, values, left if _transposing.get() else max(left - 1, 0))


def _of_values(ct: Any, ans_spec: Any, values_spec: Any, left: int) -> Any:
    if left == 0 and not _transposing.get():
        warn_further()
    return np.zeros(ct.shape[: ct.ndim - ans_spec.ndim] + values_spec.shape, values_spec.dtype)


# A limit is right as far as so many derivatives of it are taken: any more depend on the values, which is told.
_LIMIT = Rule(_limit_itself)
_LIMIT.vjps["x"] = (_of_limit, ("ct", "values", "left"))
_LIMIT.vjps["values"] = (_of_values, ("ct", "ans_spec", "values_spec", "left"))
_LIMIT.jvps["x"] = (lambda tangent: tangent, ("tangent",))
_LIMIT.jvps["values"] = (lambda tangent, ans: np.zeros_like(ans), ("tangent", "ans"))
_LIMIT.shared["x"] = (_of_limit, None)
_LIMIT.shared["values"] = (_of_values, None)


def _limit(x: Any, values: Any, left: int) -> Any:
    return call_rule(_LIMIT, _limit_itself, (x, values, left), {})


def transposed(record: Record, targets: list, moved: list, batch: tuple) -> list:
    """The tangents where there are equal values: reverse mode is linear in its cotangents, and so its own reverse mode is
    forward mode. A limit depends on what comes after it, which a forward sweep does not know yet."""
    here = [t for t in targets if recorded_on(record, t)]
    moved = [(source, tangent) for source, tangent in moved if tangent is not None]
    rng = np.random.default_rng(0)
    linear = Record("ignore", False)
    linear.may_part = False
    with _recorded_by(linear):
        seeds = [fresh(np.array(rng.uniform(0.5, 1.5, t.shape), native(t.dtype))) for t in here]
        for seed in seeds:
            linear.watch(seed._storage, seed._view)
        found = gradients_of(record, list(zip(here, seeds, strict=True)), [source for source, _ in moved], ())
        pairs = [(f, tangent) for f, (_, tangent) in zip(found, moved, strict=True) if recorded_on(linear, f)]
        token = _transposing.set(True)
        try:
            with linear.paused():
                tangents = iter(gradients_of(linear, pairs, seeds, batch))
        finally:
            _transposing.reset(token)
    return [next(tangents) if recorded_on(record, t) else None for t in targets]


def given(results: list, sources: list, target_shape: tuple, zero: bool) -> list:
    """Results as the user gets them: own arrays of the sources' dtypes, scalars for scalars. The list is left empty: to what
    nobody else refers then is not copied."""
    results.reverse()
    return [_given(results, source, target_shape, zero) for source in sources]


def _given(results: list, source: Any, target_shape: tuple, zero: bool) -> Any:
    result = results.pop()
    shape, dtype = getattr(source, "shape", ()), getattr(source, "dtype", np.dtype(float))
    if result is None:
        return _scalar(np.zeros(target_shape + shape, dtype)) if zero else None
    result = cast(result, dtype)
    if recording():
        return result if isinstance(result, TracedArray) else fresh(np.array(result))
    result = unwrap(result)
    is_own = type(result) is ndarray and result.base is None and result.flags.carray and getrefcount(result) <= HELD_ONCE
    if is_own and dtype.isnative:
        return _scalar(result)
    return _scalar(np.array(result, dtype=dtype))


def _scalar(array: ndarray) -> Any:
    return array[()] if array.ndim == 0 else array
