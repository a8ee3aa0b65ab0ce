"""From targets and sources to gradients and Jacobians: which sweeps over a record give them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from ._course import Course
from ._finite import CheckedForward, CheckedReverse
from ._record import Record, recording
from ._sources import plan
from ._storage import Storage, View, native
from ._sweep import ForwardSweep, ReverseSweep, Sweep, cast, is_clean, reverse
from ._traced import TracedArray, fresh, unwrap

# Shadows of more than this many bytes are let go as soon as nothing needs them any more; below, that would take longer.
_BRIEF = 1 << 21


def recorded_on(record: Record, target: Any) -> bool:
    return isinstance(target, TracedArray) and record.token in target._storage.tracked


def gradients_of(record: Record, pairs: list, sources: list, batch: tuple, course: Course | None = None) -> list:
    """The captured shadows of the sources, None for unconnected ones; with ``course``, others do not outlive their use."""
    places: list[tuple[Storage, View | None]] = [
        (s._storage, s._view) for s in sources if s is not None and record.token in s._storage.tracked
    ]
    traced = bool(recording())
    for careful in (False, True):
        captures, events, entries = plan(record, places)
        checked = careful and record.check_nan
        sweep = CheckedReverse(batch, traced, record) if checked else ReverseSweep(batch, traced, careful, record.large)
        if course is not None:
            events += [(position, _Forget(storages)) for position, storages in course.begins().items()]
        for target, seed in pairs:
            if seed is None:
                seed = np.ones(target.shape, native(target.dtype))
            sweep.add(target._storage, target._view, seed)
        reverse(entries, sweep, events)
        for capture in captures:
            capture.finish(sweep)
        found = iter([capture.result for capture in captures])
        results = [
            next(found) if s is not None and record.token in s._storage.tracked else None for s in sources
        ]
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
    traced = bool(recording())
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
        found = [
            sweep.get(target._storage, target._view) if recorded_on(record, target) else None for target in targets
        ]
        if all(f is None or is_clean(f) for f in found):
            break
    return found


def given(result: Any, source: Any, target_shape: tuple, zero: bool) -> Any:
    """A result as the user gets it: an own array of the source's dtype, a scalar for a scalar."""
    shape, dtype = getattr(source, "shape", ()), getattr(source, "dtype", np.dtype(float))
    if result is None:
        return _scalar(np.zeros(target_shape + shape, dtype)) if zero else None
    result = cast(result, dtype)
    if recording():
        return result if isinstance(result, TracedArray) else fresh(np.array(result))
    bare = unwrap(result)
    return _scalar(np.array(bare, dtype=dtype))


def _scalar(array: ndarray) -> Any:
    return array[()] if array.ndim == 0 else array
