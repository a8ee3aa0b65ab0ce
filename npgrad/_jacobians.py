"""Jacobians: in which direction, in how many sweeps, and with which rows at a time."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy import ndarray

from ._compression import Learned, beside, parted
from ._course import Course, Extent
from ._derivatives import gradients_of, recorded_on, tangents_of
from ._record import Record, recording
from ._storage import native
from ._sweep import is_clean
from ._traced import unwrap

# What the shadows of one batched sweep may take, in bytes; more rows go in several sweeps.
MAX_BYTES = 1 << 28

# Rows are taken together as long as a shadow stays in the processor's cache.
_CACHED = 1 << 19

# With so many bytes per entry or less, calls take longer than what they do: then all that can be goes in one sweep.
_PER_ENTRY = 1 << 18

# Arrays of the largest size that are in flight besides the shadows: what arrives at an entry, and what its rule makes of it.
_IN_FLIGHT = 6

# With so many times more rows in one direction than in the other it is not worth finding out what a row costs.
_CLEAR = 8


class _Plan:
    """What is differentiated by what, and how many rows may go together."""

    def __init__(self, record: Record, sources: list, max_bytes: int | None) -> None:
        if max_bytes is not None and not (isinstance(max_bytes, (int, float, np.integer)) and max_bytes > 0):
            raise ValueError(f"max_bytes must be a positive number of bytes, got {max_bytes!r}")
        self.record = record
        self.sources = sources
        self.known = [n for n, s in enumerate(sources) if s is not None and recorded_on(record, s)]
        self.limit = max_bytes or MAX_BYTES

    @functools.cached_property
    def extent(self) -> Extent:
        return Extent(self.record)

    def is_small(self, rows: int) -> bool:
        return rows * self.extent.touched <= _PER_ENTRY * self.extent.count

    def course(self, targets: list) -> Course:
        return Course(self.record, [self.sources[n]._storage for n in self.known], [t._storage for t in targets])

    def columns(self) -> int:
        """How many tangents a forward sweep needs: a complex number has two directions."""
        return sum(int(self.sources[n].size) * (2 if self.sources[n].dtype.kind == "c" else 1) for n in self.known)

    def rows_at_once(self, targets: list, count: int) -> tuple[int, Course | None]:
        """How many of ``count`` rows to take in one sweep, and what is known of the way if it is long."""
        extent = self.extent
        ends = sum(_size(array) for array in [*targets, *[self.sources[n] for n in self.known]])
        most = extent.written + 2 * ends + _IN_FLIGHT * extent.largest
        wanted = max(1, _CACHED // extent.largest, _PER_ENTRY * extent.count // max(extent.touched, 1))
        rows = count if recording() else min(count, wanted)  # each sweep is recorded too: one is the cheapest then
        if rows * most <= self.limit:
            return max(rows, 1), None
        course = self.course(targets)
        most = course.alive() + 2 * ends + _IN_FLIGHT * extent.largest
        return max(1, min(rows, self.limit // most)), course


def _size(array: Any) -> int:
    return int(array.size) * int(array.dtype.itemsize)


@np.errstate(all="ignore")
def jacobians_of(
    record: Record, targets: list, sources: list, mode: str, max_bytes: int | None, learned: Learned | None = None
) -> list[list]:
    """For each target the Jacobian by each source, None for unconnected ones; in few sweeps where ``learned`` knows how."""
    plan = _Plan(record, sources, max_bytes)
    if mode == "forward" and not _all_watched(plan):
        raise ValueError('mode="forward" needs watched sources; use mode="reverse" for intermediate ones')
    made: list[list] = [[None] * len(sources) for _ in targets]
    here = [n for n, t in enumerate(targets) if recorded_on(record, t)]
    if not here or not plan.known:
        return made
    if learned is not None and (found := _compressed(plan, targets, mode, learned)) is not None:
        return found
    forward, reverse = _directions(plan, targets, here, mode)
    if forward:
        with contextlib.suppress(NotImplementedError) if mode == "auto" else contextlib.nullcontext():
            for n, found in zip(forward, _by_columns(plan, [targets[n] for n in forward]), strict=True):
                made[n] = found
            forward = []
        reverse += forward  # a custom gradient has no forward mode
    rows = sum(int(targets[n].size) for n in reverse)
    for group in [reverse] if reverse and plan.is_small(rows) else [[n] for n in reverse]:
        for n, found in zip(group, _by_rows(plan, [targets[n] for n in group]), strict=True):
            made[n] = found
    return made


def _all_watched(plan: _Plan) -> bool:
    return all(plan.record.find_mark(plan.sources[n]._storage, plan.sources[n]._view) is not None for n in plan.known)


def _directions(plan: _Plan, targets: list, here: list[int], mode: str) -> tuple[list[int], list[int]]:
    """Which of the targets to take forwards, and which in reverse."""
    if mode != "auto":
        return (here, []) if mode == "forward" else ([], here)
    columns = plan.columns()
    rows = sum(int(targets[n].size) for n in here)
    if columns >= _CLEAR * rows or not _all_watched(plan):
        return [], here
    if plan.is_small(min(rows, columns)):
        return (here, []) if 5 * columns < 4 * rows else ([], here)
    forward = [n for n in here if _goes_forward(plan, targets[n], columns)]
    return forward, [n for n in here if n not in forward]


def _goes_forward(plan: _Plan, target: Any, columns: int) -> bool:
    rows = int(target.size)
    if rows >= _CLEAR * columns or columns >= _CLEAR * rows:
        return columns < rows
    forward, reverse = plan.course([target]).work()
    return columns * forward < rows * reverse


# --- In few sweeps -----------------------------------------------------------------------------------------------------


def _compressed(plan: _Plan, targets: list, mode: str, learned: Learned) -> list[list] | None:
    """Jacobians from as many sweeps as their pattern has colours; None where nothing is known or gained."""
    sources = plan.sources
    if recording() or not all(recorded_on(plan.record, target) for target in targets):
        return None
    known = learned.compression(plan.record, targets, sources, lambda: plan.extent)
    if known is None:
        return None
    compression, plan.extent = known
    forward, reverse = compression.forward, compression.reverse
    goes_forward = mode == "forward" or (mode == "auto" and len(forward.seeds) < len(reverse.seeds))
    colored = forward if goes_forward else reverse
    seeds = colored.seeds
    if 2 * len(seeds) > compression.shape[goes_forward]:
        return None

    def sweep(low: int, high: int, course: Course | None) -> list:
        batch = (high - low,)
        ends = sources if goes_forward else targets
        seeded = [
            (end, part.reshape(*batch, *end.shape).astype(native(end.dtype), copy=False))
            for end, part in zip(ends, parted(seeds[low:high], ends), strict=True)
        ]
        if goes_forward:
            return [beside(tangents_of(plan.record, targets, seeded, batch, course), targets, batch)]
        return [beside(gradients_of(plan.record, seeded, sources, batch, course), sources, batch)]

    try:
        [products] = _in_sweeps(plan, targets, len(seeds), sweep)
    except NotImplementedError:  # a custom gradient has no forward mode
        return None
    if not is_clean(products):  # what is not finite may spread over all rows that go together
        return None
    whole = np.zeros(math.prod(compression.shape), products.dtype)
    whole[compression.cells] = products.reshape(-1).take(colored.places)
    return _blocks(whole.reshape(compression.shape), targets, sources)


def _blocks(whole: ndarray, targets: list, sources: list) -> list[list]:
    """The Jacobians of several targets by several sources from that of all by all."""
    ends = accumulate(int(target.size) for target in targets)
    rows = [(target, whole[end - target.size : end]) for target, end in zip(targets, ends, strict=True)]
    return [
        [block.reshape(target.shape + s.shape) for s, block in zip(sources, parted(row, sources), strict=True)]
        for target, row in rows
    ]


# --- In reverse --------------------------------------------------------------------------------------------------------


def _by_rows(plan: _Plan, targets: list) -> list[list]:
    """Jacobians of several targets from reverse sweeps, one cotangent per element of any of them."""
    firsts = [0, *accumulate(int(t.size) for t in targets)]
    total = firsts[-1]

    def sweep(low: int, high: int, course: Course | None) -> list:
        pairs = []
        for target, first in zip(targets, firsts, strict=False):
            seed = _units(target, first, low, high)
            if seed is not None:
                pairs.append((target, seed))
        return gradients_of(plan.record, pairs, plan.sources, (high - low,), course)

    found = _in_sweeps(plan, targets, total, sweep)
    if len(targets) == 1:
        shape = targets[0].shape
        return [[None if f is None else f.reshape(shape + s.shape) for f, s in zip(found, plan.sources, strict=True)]]
    made: list[list] = []
    for target, first in zip(targets, firsts, strict=False):
        rows: list = []
        for number, (f, source) in enumerate(zip(found, plan.sources, strict=True)):
            block = None if f is None else f[first : first + int(target.size)]
            if block is not None and not unwrap(block).any() and not _flows_back(plan, target, number):
                block = None
            rows.append(None if block is None else block.reshape(target.shape + source.shape))
        made.append(rows)
    return made


def _units(array: Any, first: int, low: int, high: int) -> ndarray | None:
    """The rows from low to high of the unit matrix of several arrays, the part of one that begins at ``first``."""
    size = int(array.size)
    index = np.arange(max(low, first), min(high, first + size))
    if not len(index) and size:
        return None
    units = np.zeros((high - low, size), native(array.dtype))
    units[index - low, index - first] = 1
    return units.reshape((high - low, *array.shape))


def _flows_back(plan: _Plan, target: Any, number: int) -> bool:
    """Whether a cotangent of the target arrives at a source, though it be zero."""
    seed = np.zeros(target.shape, native(target.dtype))
    return gradients_of(plan.record, [(target, seed)], [plan.sources[number]], ())[0] is not None


Sweep = Callable[[int, int, "Course | None"], list]


def _in_sweeps(plan: _Plan, targets: list, total: int, sweep: Sweep) -> list:
    """What sweeps over parts of all rows give, joined; each gives a list of arrays with a leading axis for its rows."""
    rows, course = plan.rows_at_once(targets, total)
    if not total:  # never a batch of none, whose axis a rule's ``reshape(..., -1)`` could not tell
        return [None if part is None else part[:0] for part in sweep(0, 1, course)]
    if rows >= total:
        return sweep(0, total, course)
    whole: list = []
    for low in range(0, total, rows):
        high = min(low + rows, total)
        parts = sweep(low, high, course)
        if recording():
            whole.append(parts)
            continue
        whole = whole or [None] * len(parts)
        for n, part in enumerate(parts):
            if part is not None:
                if whole[n] is None:
                    whole[n] = np.zeros((total, *part.shape[1:]), part.dtype)
                whole[n][low:high] = part
    if not recording():
        return whole
    lengths = [min(rows, total - low) for low in range(0, total, rows)]
    return [_joined(parts, lengths) for parts in zip(*whole, strict=True)]


def _joined(parts: Sequence, lengths: list[int]) -> Any:
    like = next((p for p in parts if p is not None), None)
    if like is None:
        return None
    return np.concatenate(
        [np.zeros((n, *like.shape[1:]), like.dtype) if p is None else p for p, n in zip(parts, lengths, strict=True)]
    )


# --- Forwards ----------------------------------------------------------------------------------------------------------


def _by_columns(plan: _Plan, targets: list) -> list[list]:
    """Jacobians of several targets from forward sweeps, one tangent per element of any watched source.

    A tape's derivatives belong to the real part of the target: by a complex source they are those along its real axis, plus
    i times those along its imaginary axis.
    """
    known = [(n, plan.sources[n]) for n in plan.known]
    firsts = [0, *accumulate(int(s.size) for _, s in known)]
    total = firsts[-1]
    is_complex = any(s.dtype.kind == "c" for _, s in known)

    def along(low: int, high: int, course: Course | None, unit: complex) -> list:
        moved = []
        for (_, source), first in zip(known, firsts, strict=False):
            tangent = _units(source, first, low, high)
            if tangent is not None:
                moved.append((source, tangent * native(source.dtype).type(unit) if source.dtype.kind == "c" else tangent))
        return tangents_of(plan.record, targets, moved, (high - low,), course)

    def sweep(low: int, high: int, course: Course | None) -> list:
        parts = [None if f is None else np.real(f) for f in along(low, high, course, 1)]
        if not is_complex:
            return parts
        others = along(low, high, course, 1j)
        return [None if p is None or o is None else p + 1j * np.real(o) for p, o in zip(parts, others, strict=True)]

    made: list[list] = []
    for target, found in zip(targets, _in_sweeps(plan, targets, total, sweep), strict=True):
        rows: list = [None] * len(plan.sources)
        if found is not None:
            columns = np.moveaxis(found.reshape(total, *target.shape), 0, -1)
            for (n, source), first in zip(known, firsts, strict=False):
                block = columns[..., first : first + int(source.size)]
                if unwrap(block).any() or _flows_on(plan, source, target):
                    rows[n] = block.reshape(target.shape + source.shape)
        made.append(rows)
    return made


def _flows_on(plan: _Plan, source: Any, target: Any) -> bool:
    """Whether a tangent of the source arrives at the target, though it be zero."""
    tangent = np.zeros(source.shape, native(source.dtype))
    return tangents_of(plan.record, [target], [(source, tangent)], ())[0] is not None


# --- Row by row --------------------------------------------------------------------------------------------------------


@np.errstate(all="ignore")
def batch_jacobian_of(record: Record, target: Any, source: Any, check: bool, max_bytes: int | None) -> Any:
    """The Jacobian of each row of the target by the same row of the source, None if unconnected."""
    plan = _Plan(record, [source], max_bytes)
    if not recorded_on(record, target) or not plan.known:
        return None
    count, inner = target.shape[0], target.shape[1:]
    size = math.prod(inner)

    def sweep(low: int, high: int, course: Course | None) -> list:
        units = np.zeros((high - low, count, size), native(target.dtype))
        index = np.arange(low, min(high, size))
        units[index - low, :, index] = 1
        return gradients_of(record, [(target, units.reshape((high - low, *target.shape)))], [source], (high - low,), course)

    found = _in_sweeps(plan, [target], size, sweep)[0]
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
    # Each row by its own size: rows that do not know of each other may be of very different ones.
    scale, off = (
        array.reshape(len(array), -1).max(axis=1)
        for array in (np.abs(parts).sum(axis=0) + np.abs(back), np.abs(back - parts.sum(axis=0)))
    )
    if (off > 100 * np.finfo(back.dtype).eps ** 0.75 * scale).any():
        raise ValueError(
            "batch_jacobian needs a target whose row i depends on row i of the source only, and a random cotangent shows "
            "that this one mixes rows: use jacobian. check=False gives the sums over the rows of the target."
        )


