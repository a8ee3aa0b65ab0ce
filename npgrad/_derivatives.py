"""From targets and sources to gradients and Jacobians: which sweeps over a record give them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from ._finite import CheckedForward, CheckedReverse
from ._record import Record, recording
from ._sources import plan
from ._storage import Storage, View, native
from ._sweep import ForwardSweep, ReverseSweep, cast, is_clean, reverse
from ._traced import TracedArray, fresh, unwrap

# What the shadows of one batched sweep of `jacobian` may take, in bytes, if eight of the largest are alive at a time; more
# rows go in several sweeps.
MAX_BYTES = 1 << 28


def recorded_on(record: Record, target: Any) -> bool:
    return isinstance(target, TracedArray) and record.token in target._storage.tracked


def gradients_of(record: Record, pairs: list, sources: list, batch: tuple) -> list:
    """The captured shadows of the sources, None for unconnected ones."""
    places: list[tuple[Storage, View | None]] = [
        (s._storage, s._view) for s in sources if s is not None and record.token in s._storage.tracked
    ]
    traced = bool(recording())
    for careful in (False, True):
        captures, events, entries = plan(record, places)
        checked = careful and record.check_nan
        sweep = CheckedReverse(batch, traced, record) if checked else ReverseSweep(batch, traced, careful, record.large)
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


def jacobian_rows(record: Record, target: Any, sources: list, mode: str, max_bytes: int | None) -> list:
    """The Jacobian of one target by each source, None for unconnected ones."""
    known = [s for s in sources if s is not None and recorded_on(record, s)]
    if not recorded_on(record, target):
        return [None] * len(sources)
    size = int(target.size)
    watched = all(record.find_mark(s._storage, s._view) is not None for s in known)
    # Forward mode gives dy/dz, reverse mode its conjugate, which is what the Jacobian of complex arrays is (contract).
    real = target.dtype.kind != "c" and all(s.dtype.kind != "c" for s in known)
    rows = _rows_at_once(record, max_bytes)
    if mode == "forward" and not watched:
        raise ValueError('mode="forward" needs watched sources; use mode="reverse" for intermediate ones')
    if mode == "forward" and not real:
        raise ValueError('mode="forward" is for real arrays; use mode="reverse" for complex ones')
    if mode == "forward":
        return _forward_columns(record, target, sources, rows)
    if mode == "auto" and watched and real and not recording() and sum(int(s.size) for s in known) < size // 2:
        with contextlib.suppress(NotImplementedError):  # a custom gradient has no forward mode
            return _forward_columns(record, target, sources, rows)

    def seed(index: ndarray) -> ndarray:
        units = np.zeros((len(index), size), native(target.dtype))
        units[np.arange(len(index)), index] = 1
        return units.reshape((len(index), *target.shape))

    return [
        None if found is None else found.reshape(target.shape + source.shape)
        for found, source in zip(_swept(record, target, sources, size, seed, rows), sources, strict=True)
    ]


def batch_jacobian_rows(record: Record, target: Any, source: Any, check: bool, max_bytes: int | None) -> Any:
    """The Jacobian of each row of the target by the same row of the source, None if unconnected."""
    if not recorded_on(record, target):
        return None
    count, inner = target.shape[0], target.shape[1:]
    size = math.prod(inner)

    def seed(index: ndarray) -> ndarray:
        units = np.zeros((len(index), count, size), native(target.dtype))
        units[np.arange(len(index)), :, index] = 1
        return units.reshape((len(index), *target.shape))

    found = _swept(record, target, [source], size, seed, _rows_at_once(record, max_bytes))[0]
    if found is None:
        return None
    if check and count > 1 and found.size:
        _check_rows_apart(record, target, source, found.reshape(size, *source.shape))
    return np.moveaxis(found, 0, 1).reshape((count, *inner, *source.shape[1:]))


def _check_rows_apart(record: Record, target: Any, source: Any, found: Any) -> None:
    """Raise unless a random cotangent flows back as it must when no row of the target depends on another's source."""
    random = np.random.default_rng(target.size).uniform(0.5, 1.5, target.shape).astype(native(target.dtype))
    back = unwrap(gradients_of(record, [(target, random)], [source], ())[0])
    parts = unwrap(found) * random.reshape(len(random), -1).T.reshape(-1, len(random), *[1] * (source.ndim - 1))
    scale = np.abs(parts).sum(axis=0).max(initial=0) + np.abs(back).max(initial=0)
    off = np.abs(back - parts.sum(axis=0)).max(initial=0)
    if off > 100 * np.finfo(back.dtype).eps ** 0.75 * scale:
        raise ValueError(
            "batch_jacobian needs a target whose row i depends on row i of the source only, and a random cotangent shows "
            "that this one mixes rows: use jacobian. check=False gives the sums over the rows of the target."
        )


def _rows_at_once(record: Record, max_bytes: int | None) -> int:
    if max_bytes is not None and max_bytes <= 0:
        raise ValueError(f"max_bytes must be positive, got {max_bytes}")
    return max(1, (max_bytes or MAX_BYTES) // max(1, 8 * _largest(record)))


def _swept(record: Record, target: Any, sources: list, size: int, seed: Callable[[ndarray], ndarray], rows: int) -> list:
    """What ``size`` cotangents of the target become at the sources, ``rows`` of them per sweep."""
    parts = []
    for start in range(0, max(size, 1), rows):
        index = np.arange(start, min(start + rows, size))
        # Never a batch of none, whose axis a rule's ``reshape(..., -1)`` could not tell: `_joined` drops the row again.
        seeds = seed(index) if size else np.zeros((1, *target.shape), native(target.dtype))
        parts.append(gradients_of(record, [(target, seeds)], sources, (len(seeds),)))
    return [None if all(p is None for p in column) else _joined(column, size) for column in zip(*parts, strict=True)]


def _joined(parts: Sequence, size: int) -> Any:
    if len(parts) == 1:
        return parts[0][:size]
    like = next(p for p in parts if p is not None)
    filled = [np.zeros((min(len(like), size), *like.shape[1:]), like.dtype) if p is None else p for p in parts]
    return np.concatenate(filled)[:size]


def _largest(record: Record) -> int:
    """Bytes of the largest storage that the record writes."""
    largest = 1
    for entry in record.entries:
        for storage in entry[0].outs(entry):
            size = storage.dtype.itemsize
            for n in storage.shape:
                size *= n
            if size > largest:
                largest = size
    return largest


def tangents_of(record: Record, targets: list, moved: list[tuple[TracedArray, Any]], batch: tuple) -> list:
    """The tangents of the targets for given ones of watched arrays, None for targets that do not depend on them."""
    traced = bool(recording())
    marks = [(record.find_mark(source._storage, source._view), source, tangent) for source, tangent in moved]
    for careful in (False, True):
        checked = careful and record.check_nan
        sweep = CheckedForward(batch, traced, record) if checked else ForwardSweep(batch, traced, careful)
        start = 0
        for mark, source, tangent in sorted(
            ((m, s, t) for m, s, t in marks if m is not None), key=lambda item: item[0].position
        ):
            sweep.run(record.entries[start : mark.position])
            start = mark.position
            flow = sweep.peek(source._storage, source._view)  # from other sources, where this one was computed from them
            sweep.put(source._storage, source._view, tangent if flow is None else flow + tangent)
        sweep.run(record.entries[start:])
        found = [
            sweep.get(target._storage, target._view) if recorded_on(record, target) else None for target in targets
        ]
        if all(f is None or is_clean(f) for f in found):
            break
    return found


def _forward_columns(record: Record, target: TracedArray, sources: list, rows: int) -> list:
    """The Jacobian by watched sources from forward sweeps, one tangent per element of any of them."""
    places = [n for n, s in enumerate(sources) if s is not None and recorded_on(record, s)]
    starts = np.cumsum([0, *[int(sources[n].size) for n in places]])
    total = int(starts[-1])
    parts = []
    for low in range(0, max(total, 1), rows):
        count = max(1, min(rows, total - low))  # and not none, as above
        moved = []
        for n, first in zip(places, starts[:-1], strict=True):
            source = sources[n]
            index = np.arange(max(low, first), min(low + count, first + source.size))
            if len(index) or not source.size:
                tangent = np.zeros((count, int(source.size)), native(source.dtype))
                tangent[index - low, index - first] = 1
                moved.append((source, tangent.reshape((count, *source.shape))))
        parts.append(tangents_of(record, [target], moved, (count,))[0])
    found: list = [None] * len(sources)
    if all(part is None for part in parts):
        return found
    columns = np.moveaxis(_joined(parts, total).reshape(total, *target.shape), 0, -1)
    for n, first in zip(places, starts[:-1], strict=True):
        source = sources[n]
        block = columns[..., first : first + source.size]
        if unwrap(block).any() or _reaches(record, source, target):
            found[n] = block.reshape(target.shape + source.shape)
    return found


def _reaches(record: Record, source: TracedArray, target: TracedArray) -> bool:
    """Whether a tangent of the source arrives at the target, though it be zero."""
    tangent = np.zeros(source.shape, native(source.dtype))
    return tangents_of(record, [target], [(source, tangent)], ())[0] is not None


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
