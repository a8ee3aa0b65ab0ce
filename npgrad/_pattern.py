"""Which elements of a program's results depend on which elements of its input, read off a record.

A third kind of sweep: shadows hold the names of sets of columns (see ``_index_sets``). Moves move names, and calls unite
them. What comes out depends on nothing but the `structure` of the record: a program that runs through the same calls,
views and indices at another point has the same pattern.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._entries import BINARY, CALL, UNARY, Call
from ._index_sets import IndexSets
from ._move_entries import ADD_AT, COPY, GATHER, READ, SCATTER, WRITE
from ._pattern_matrices import CONTENTS, PATTERNS
from ._plans import PLANNED
from ._record import Record
from ._registry import Spec
from ._storage import IndexView, Storage, StridedView, View, batched_key, empty_with_order
from ._traced import TracedArray

# --- Where a view lies in a shadow of names --------------------------------------------------------------------------


class Part:
    """A part of a shadow that is an array itself."""

    def __init__(self, names: ndarray) -> None:
        self.names = names
        self.shape = names.shape

    def at(self, key: Any) -> Part:
        return Part(self.names[key])

    def get(self, key: Any = ...) -> ndarray:
        return np.array(self.names[key])

    def put(self, key: Any, names: Any) -> None:
        self.names[key] = names


class ScatteredPart:
    """A view with items of another size than its storage (a real part, bytes as another dtype): the places of the elements
    that each item touches."""

    def __init__(self, sets: IndexSets, block: ndarray, places: ndarray, is_partial: bool) -> None:
        self.sets = sets
        self.block = block
        self.places = places
        self.is_partial = is_partial
        self.shape = places.shape[1:]

    def at(self, key: Any) -> ScatteredPart:
        return ScatteredPart(self.sets, self.block, self.places[batched_key(key, 1)], self.is_partial)

    def get(self, key: Any = ...) -> ndarray:
        return self.sets.union([np.array(self.block[place[key]]) for place in self.places])

    def put(self, key: Any, names: Any) -> None:
        for place in self.places:
            where = place[key]
            names = np.broadcast_to(_without_leading(names, np.ndim(where)), np.shape(where))
            if not self.is_partial:
                self.block[where] = names
                continue
            owners, inverse = np.unique(np.append(where, []).astype(np.intp), return_inverse=True)
            members = np.concatenate([self.block[owners], np.ravel(names)])
            self.block[owners] = self.sets.merge(np.concatenate([np.arange(len(owners)), inverse]), members, len(owners))


def _without_leading(names: Any, ndim: int) -> ndarray:
    """Without the extra leading axes of length 1 that an assignment accepts."""
    names = np.asarray(names)
    return names.reshape(names.shape[max(names.ndim - ndim, 0) :])


class PatternSweep:
    """Names of sets along a record, forwards."""

    def __init__(self, columns: int) -> None:
        self.sets = IndexSets(columns)
        self.shadows: dict[Storage, ndarray] = {}

    def _shadow(self, storage: Storage, order: tuple[int, ...]) -> ndarray:
        """The shadow of a storage, its axes in memory in the given order."""
        known = self.shadows.get(storage)
        if known is not None and known.transpose(order).flags.c_contiguous:
            return known
        made = self.shadows[storage] = empty_with_order(storage.shape, np.dtype(np.intp), order)
        made[...] = 0 if known is None else known
        return made

    def part(self, storage: Storage, view: View | None) -> Part | ScatteredPart:
        if view is None:
            known = self.shadows.get(storage)
            return Part(self._shadow(storage, tuple(range(len(storage.shape)))) if known is None else known)
        if isinstance(view, IndexView):
            return self.part(storage, view.parent).at(view.key)
        block = self._shadow(storage, view.layout.order).transpose(view.layout.order)
        return _strided(self.sets, block, view, storage.dtype.itemsize)

    def get(self, storage: Storage, view: View | None) -> ndarray:
        return self.part(storage, view).get()

    def put(self, storage: Storage, view: View | None, names: Any, mask: Any = None) -> None:
        if view is None and storage not in self.shadows and not np.any(names):
            return
        part = self.part(storage, view)
        # Under a mask the old value may stay, and which elements it covers is no structure.
        part.put(..., names if mask is None else self.sets.union([part.get(), np.asarray(names)]))

    def run(self, entries: list) -> None:
        for e in entries:
            _FORWARD[e[0]](self, e)


def _strided(sets: IndexSets, block: ndarray, view: StridedView, size: int) -> Part | ScatteredPart:
    item = view.dtype.itemsize
    if 0 in view.shape or not block.size:
        return Part(np.zeros(view.shape, np.intp))
    unit = block.itemsize
    is_aligned = not any(n % size for n in (view.offset, *view.strides))
    if item == size and is_aligned:
        strides = tuple(stride // size * unit for stride in view.strides)
        return Part(ndarray(view.shape, np.intp, block, view.offset // size * unit, strides))
    first = np.full((1,) * len(view.shape), view.offset)
    for axis, (n, stride) in enumerate(zip(view.shape, view.strides, strict=True)):
        first = first + stride * np.arange(n).reshape([-1 if a == axis else 1 for a in range(len(view.shape))])
    touched = sorted({*range(0, item, size), item - 1})
    places = np.stack([np.broadcast_to((first + more) // size, view.shape) for more in touched])
    return ScatteredPart(sets, block.reshape(-1), places, item < size or not is_aligned)


# --- The kinds of entry ----------------------------------------------------------------------------------------------

_FORWARD: dict[Any, Callable[[PatternSweep, tuple], None]] = {}


def _goes_over(kind: Any) -> Callable:
    def declare(function: Callable) -> Callable:
        _FORWARD[kind] = function
        return function

    return declare


@_goes_over(UNARY)
def _unary(sweep: PatternSweep, e: tuple) -> None:
    _, _, out, ov, s, v, *_ = e
    sweep.put(out, ov, sweep.get(s, v))


@_goes_over(BINARY)
def _binary(sweep: PatternSweep, e: tuple) -> None:
    _, selection, out, ov, sx, vx, sy, vy, *_ = e
    inputs = [(sx, vx)] * (selection.bits & 1) + [(sy, vy)] * (selection.bits >> 1)
    sweep.put(out, ov, sweep.sets.union([sweep.get(s, v) for s, v in inputs]))


@_goes_over(COPY)
def _copy(sweep: PatternSweep, e: tuple) -> None:
    _, out, ov, s, v = e
    sweep.put(out, ov, 0 if s is None else sweep.get(s, v))


@_goes_over(READ)
def _read(sweep: PatternSweep, e: tuple) -> None:
    _, out, s, v, key = e
    sweep.put(out, None, sweep.part(s, v).get(key))


@_goes_over(WRITE)
def _write(sweep: PatternSweep, e: tuple) -> None:
    _, out, ov, key, s, v = e
    names = 0 if s is None else sweep.get(s, v)
    sweep.part(out, ov).put(key, names)


@_goes_over(GATHER)
def _gather(sweep: PatternSweep, e: tuple) -> None:
    _, out, s, v, key, _ = e
    sweep.put(out, None, sweep.part(s, v).get(key))


@_goes_over(SCATTER)
def _scatter(sweep: PatternSweep, e: tuple) -> None:
    _, out, ov, key, _, s, v = e
    names = 0 if s is None else sweep.get(s, v)
    sweep.part(out, ov).put(key, names)


@_goes_over(ADD_AT)
def _add_at(sweep: PatternSweep, e: tuple) -> None:
    _, out, ov, key, _, s, v, _ = e
    value = sweep.get(s, v)
    part = sweep.part(out, ov)
    numbers = np.arange(int(np.prod(part.shape, dtype=np.intp))).reshape(part.shape)
    chosen = numbers[key]
    owners = np.concatenate([numbers.reshape(-1), np.ravel(chosen)])
    names = np.concatenate([part.get().reshape(-1), np.ravel(np.broadcast_to(value, np.shape(chosen)))])
    part.put(..., sweep.sets.merge(owners, names, numbers.size).reshape(part.shape))


@_goes_over(CALL)
def _call(sweep: PatternSweep, e: tuple) -> None:
    call = e[1]
    given: dict[str, Any] = {}
    for name, item, storage, view in call.operands:
        names = sweep.get(storage, view)
        if item is None:
            given[name] = names
        else:
            given.setdefault(name, {})[item] = names
    pattern = PATTERNS.get(_function(call))
    if not given:
        made: Any = 0
    elif call.is_elementwise:
        made = sweep.sets.union(list(given.values()))
    elif pattern is None:
        leaves = [n for value in given.values() for n in (value.values() if isinstance(value, dict) else [value])]
        made = sweep.sets.everything(leaves)
    else:
        env = call.environment(False)
        env["shapes"] = [None if o is None else _shape(*o) for o in call.outs]
        for name, value in given.items():
            if isinstance(value, dict):
                given[name] = [value.get(item) for item in range(len(env[name + "_spec"]))]
        made = pattern(sweep.sets, given, env)
    for out, names in zip(call.outs, made if isinstance(made, list) else [made] * len(call.outs), strict=True):
        if out is not None:
            sweep.put(out[0], out[1], names, call.mask)


@_goes_over(PLANNED)
def _planned(sweep: PatternSweep, e: tuple) -> None:
    _call(sweep, PLANNED.general(e))


def _function(call: Call) -> Any:
    """What PATTERNS knows a call by; None for elementwise functions and for custom gradients."""
    return None if call.is_elementwise else getattr(call.rule, "function", None)


def _shape(storage: Storage, view: View | None) -> tuple:
    return storage.shape if view is None else view.shape


# --- From a record to a pattern --------------------------------------------------------------------------------------


def pattern_of(record: Record, targets: list, sources: list[TracedArray]) -> tuple[ndarray, ndarray, tuple[int, int]]:
    """(indices, indptr, shape) of the Jacobian of all targets, one behind the other, by all watched sources."""
    sizes = [int(source.size) for source in sources]
    firsts = np.cumsum([1, *sizes])
    sweep = PatternSweep(sum(sizes))
    start = 0
    for position, number in sorted((_position(record, source), number) for number, source in enumerate(sources)):
        sweep.run(record.entries[start:position])
        start = position
        source = sources[number]
        own = firsts[number] + np.arange(sizes[number]).reshape(source.shape)
        if source._storage in sweep.shadows:  # the same array is a source twice, or it depends on another one
            own = sweep.sets.union([sweep.get(source._storage, source._view), own])
        sweep.put(source._storage, source._view, own)
    sweep.run(record.entries[start:])
    names = [
        np.ravel(sweep.get(t._storage, t._view))
        if isinstance(t, TracedArray) and record.token in t._storage.tracked
        else np.zeros(np.size(t), np.intp)
        for t in targets
    ]
    indices, indptr = sweep.sets.members(np.concatenate(names) if names else np.zeros(0, np.intp))
    return indices, indptr, (len(indptr) - 1, sum(sizes))


def _position(record: Record, source: TracedArray) -> int:
    mark = record.find_mark(source._storage, source._view)
    assert mark is not None
    return mark.position


def structure(record: Record, targets: list, sources: list[TracedArray]) -> list:
    """All of a record that a pattern depends on, to be compared with that of another record: equal structures have equal
    patterns. Storages stand in it as numbers, in the order in which they are met."""
    numbers: dict[Storage | None, int] = defaultdict(itertools.count().__next__)
    number = numbers.__getitem__
    ends: list = [(number(s._storage), _look(s._view), _position(record, s)) for s in sources]
    ends += [(number(t._storage), _look(t._view)) if isinstance(t, TracedArray) else np.shape(t) for t in targets]
    made = [_STRUCTURE[e[0]](e, number) for e in record.entries]
    return [*ends, *made, [s and (s.shape, s.dtype) for s in numbers]]


def _look(view: View | None) -> Any:
    """A view to be compared with another."""
    if view is None:
        return None
    if isinstance(view, IndexView):
        return _basic(view.key), _look(view.parent)
    return view.offset, view.shape, view.strides, view.dtype, view.layout.shape, view.layout.strides


def _basic(key: Any) -> tuple:
    """A basic index, always as a tuple: a NumPy integer would compare itself with the items of one."""
    return key if type(key) is tuple else (key,)


def _value(value: Any) -> Any:
    """Something to compare by: arrays by their bits, numbers that are no axes or flags not at all."""
    if isinstance(value, ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, (list, tuple)):
        return tuple([_value(item) for item in value])
    if isinstance(value, Spec):
        return value.shape
    return None if isinstance(value, (float, complex, np.inexact)) else repr(value)


def _constant(value: Any) -> Any:
    return None if isinstance(value, ndarray) else _value(value)


def _untracked(name: str, value: Any, tracked: set) -> Any:
    """An argument without what is tracked of it."""
    if isinstance(value, list):
        return [None if (name, item) in tracked else part for item, part in enumerate(value)]
    return None if (name, None) in tracked else value


def _call_structure(e: tuple, number: Callable) -> tuple:
    call = e[1]
    function = _function(call)
    operands = [(name, item, number(s), _look(v)) for name, item, s, v in call.operands]
    outs = [None if o is None else (number(o[0]), _look(o[1])) for o in call.outs]
    parts: list = []
    if function in PATTERNS:
        reads = CONTENTS.get(function, {})
        parts += [(name, _constant(value)) for name, value in sorted(call.constants.items()) if name not in reads]
        if reads:
            tracked = {(name, item) for name, item, *_ in call.operands}
            env = call.environment(False)
            parts += [(name, _value(read(_untracked(name, env.get(name), tracked)))) for name, read in reads.items()]
    return CALL, function, outs, call.mask is None, operands, parts


_STRUCTURE: dict[Any, Callable[[tuple, Callable], tuple]] = {
    UNARY: lambda e, number: (UNARY, number(e[2]), e[3] and _look(e[3]), number(e[4]), e[5] and _look(e[5])),
    BINARY: lambda e, number: (
        BINARY, e[1].bits, number(e[2]), e[3] and _look(e[3]), number(e[4]), e[5] and _look(e[5]),
        number(e[6]), e[7] and _look(e[7]),
    ),
    COPY: lambda e, number: (COPY, number(e[1]), _look(e[2]), number(e[3]), _look(e[4])),
    READ: lambda e, number: (READ, number(e[1]), number(e[2]), _look(e[3]), _basic(e[4])),
    WRITE: lambda e, number: (WRITE, number(e[1]), _look(e[2]), _basic(e[3]), number(e[4]), _look(e[5])),
    GATHER: lambda e, number: (GATHER, number(e[1]), number(e[2]), _look(e[3]), _value(e[4])),
    SCATTER: lambda e, number: (SCATTER, number(e[1]), _look(e[2]), _value(e[3]), number(e[5]), _look(e[6])),
    ADD_AT: lambda e, number: (ADD_AT, number(e[1]), _look(e[2]), _value(e[3]), number(e[5]), _look(e[6])),
}  # fmt: skip
_STRUCTURE[CALL] = _call_structure
_STRUCTURE[PLANNED] = lambda e, number: _call_structure(PLANNED.general(e), number)
assert set(_STRUCTURE) == set(_FORWARD)
