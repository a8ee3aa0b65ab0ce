"""The kinds of record entry that move data: copies, element reads, and writes through views and indices.

See ``_entries`` for what an entry is. None of these saves a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from ._storage import batched_key


class _Move:
    """What all kinds of this module share: ``out`` comes first, and ``source`` says where the storage read from is."""

    source: int
    what: str
    moves = True

    def outs(self, e: tuple) -> tuple:
        return (e[1],)

    def ins(self, e: tuple) -> tuple:
        return () if e[self.source] is None else (e[self.source],)

    def reads(self, e: tuple) -> tuple:
        return () if e[self.source] is None else ((e[self.source], e[self.source + 1]),)

    def values(self, e: tuple) -> list:
        return []

    def name(self, e: tuple) -> str:
        return self.what


class _MadeFrom(_Move):
    """A new storage made from another: without cotangents to give, the entry is nothing."""

    def prune(self, e: tuple, active: set) -> tuple | None:
        if e[self.source] not in active:
            return None
        active.add(e[1])
        return e


class _WrittenTo(_Move):
    """A write: where the value is not active, it still clears the cotangent of what was there before."""

    def prune(self, e: tuple, active: set) -> tuple | None:
        n = self.source
        if e[n] is not None and e[n] in active:
            active.add(e[1])
            return e
        return (*e[:n], None, None, *e[n + 2 :]) if e[1] in active else None


class Copy(_WrittenTo):
    """(kind, out, out_view, s, v): a value moved unchanged, but for broadcasting and dtype; s is None for a constant."""

    source = 3
    what = "copy"

    def reverse(self, sweep: Any, e: tuple) -> None:
        _, out, ov, s, v = e
        ct = sweep.take(out, ov)
        if ct is not None and s is not None:
            sweep.add(s, v, ct)

    def forward(self, sweep: Any, e: tuple) -> None:
        _, out, ov, s, v = e
        sweep.put(out, ov, None if s is None else sweep.get(s, v))

    def written(self, e: tuple) -> tuple:
        return e[2], None, None


class Read(_MadeFrom):
    """(kind, out, s, v, key): a copy of one element, ``x[i, j]``."""

    source = 2
    what = "read of an element"

    def reverse(self, sweep: Any, e: tuple) -> None:
        _, out, s, v, key = e
        ct = sweep.shadows.pop(out, None)
        if ct is None:
            return
        sweep.owned.discard(out)
        target = sweep.shadows.get(s)
        if target is None or s not in sweep.owned:
            target = sweep.buffer(s, None)
        if v is not None:
            target = v.of(sweep.buffer(s, v.layout), sweep.batch_ndim)
        if sweep.batch_ndim:
            key = batched_key(key, sweep.batch_ndim)
        target[key] += ct

    def forward(self, sweep: Any, e: tuple) -> None:
        _, out, s, v, key = e
        tangent = sweep.peek(s, v)
        if tangent is not None:
            tangent = tangent[batched_key(key, sweep.batch_ndim)]
            tangent = tangent.copy() if isinstance(tangent, ndarray) else tangent
        sweep.put(out, None, tangent)

    def written(self, e: tuple) -> tuple:
        return None, None, None


class Write(_WrittenTo):
    """(kind, out, out_view, key, s, v): ``x[key] = value`` for a basic key; s is None for a constant."""

    source = 4
    what = "write"

    def reverse(self, sweep: Any, e: tuple) -> None:
        _, out, ov, key, s, v = e
        shadow = sweep.shadows.get(out)
        if shadow is None:
            return
        if ov is not None:
            shadow = ov.of(sweep.buffer(out, ov.layout), sweep.batch_ndim)
        elif out not in sweep.owned:
            shadow = sweep.buffer(out, None)
        if sweep.batch_ndim:
            key = batched_key(key, sweep.batch_ndim)
        if s is not None:
            ct = shadow[key]
            # A copy: what was written may be a part of the destination itself, which is cleared first.
            ct = ct.copy() if isinstance(ct, ndarray) else ct
        shadow[key] = 0
        if s is not None:
            sweep.add(s, v, ct)

    def forward(self, sweep: Any, e: tuple) -> None:
        _, out, ov, key, s, v = e
        tangent = None if s is None else sweep.get(s, v)
        if tangent is None and out not in sweep.shadows:
            return
        target = sweep.buffer(out, None)
        if ov is not None:
            target = ov.of(sweep.buffer(out, ov.layout), sweep.batch_ndim)
        key = batched_key(key, sweep.batch_ndim)
        if tangent is not None and sweep.batch_ndim:
            tangent = sweep.align(tangent, np.ndim(target[key]) - sweep.batch_ndim)
        target[key] = 0 if tangent is None else _as_taken(tangent, target)

    def written(self, e: tuple) -> tuple:
        return e[2], e[3], None


class Gather(_MadeFrom):
    """(kind, out, s, v, key, moved): a copy of chosen elements, ``x[index]`` with an advanced index.

    ``moved`` says that the index has separated parts, so that NumPy puts the chosen axes first, also before a batch.
    """

    source = 2
    what = "read by an index array"

    def reverse(self, sweep: Any, e: tuple) -> None:
        _, out, s, v, key, moved = e
        ct = sweep.take(out, None)
        if ct is None:
            return
        target = sweep.buffer(s, None if v is None else v.layout)
        if v is not None:
            target = v.of(target, sweep.batch_ndim)
        for part, row, where in _rows(target, ct, key, sweep.batch_ndim, moved):
            if _is_mask(key) and not getattr(v, "overlaps", False):
                part[where] += row
            else:
                np.add.at(part, where, row)

    def forward(self, sweep: Any, e: tuple) -> None:
        _, out, s, v, key, moved = e
        tangent = sweep.peek(s, v)
        if tangent is not None:
            tangent = _chosen_parts(tangent, key, sweep.batch_ndim, moved)
        sweep.put(out, None, tangent)

    def written(self, e: tuple) -> tuple:
        return None, None, None


class Scatter(_WrittenTo):
    """(kind, out, out_view, key, moved, s, v): ``x[index] = value`` with an advanced index; the last write wins."""

    source = 5
    what = "write by an index array"

    def reverse(self, sweep: Any, e: tuple) -> None:
        _, out, ov, key, moved, s, v = e
        if out not in sweep.shadows:
            return
        shadow = sweep.buffer(out, None if ov is None else ov.layout)
        if ov is not None:
            shadow = ov.of(shadow, sweep.batch_ndim)
        ct: Any = None if s is None else _chosen_parts(shadow, key, sweep.batch_ndim, moved)
        for part, _, where in _rows(shadow, None, key, sweep.batch_ndim, moved):
            part[where] = 0
        if s is None:
            return
        if not _is_mask(key):
            winners = _last_writes(key, shadow.shape[sweep.batch_ndim :])
            if winners is not None:
                ct = np.where(winners, ct, 0)
        sweep.add(s, v, ct)

    def forward(self, sweep: Any, e: tuple) -> None:
        _, out, ov, key, moved, s, v = e
        tangent = None if s is None else sweep.get(s, v)
        if tangent is None and out not in sweep.shadows:
            return
        target = sweep.buffer(out, None if ov is None else ov.layout)
        if ov is not None:
            target = ov.of(target, sweep.batch_ndim)
        if tangent is not None and sweep.batch_ndim and not moved:
            chosen = np.empty(target.shape[sweep.batch_ndim :], bool)[key].ndim
            tangent = sweep.align(tangent, chosen)
        for part, row, where in _rows(target, tangent, key, sweep.batch_ndim, moved):
            part[where] = 0 if row is None else _as_taken(row, part)

    def written(self, e: tuple) -> tuple:
        _, _, ov, key, _, _, _ = e
        return ov, None, _chosen(e[1] if ov is None else ov, key)


class AddAt(_MadeFrom):
    """(kind, out, out_view, key, moved, s, v, sign): ``np.add.at(x, key, value)`` and ``np.subtract.at``; what was in x
    before keeps its cotangent."""

    source = 5
    what = "add.at"

    def reverse(self, sweep: Any, e: tuple) -> None:
        _, out, ov, key, moved, s, v, sign = e
        shadow = sweep.peek(out, ov)
        if shadow is None:
            return
        ct = _chosen_parts(shadow, key, sweep.batch_ndim, moved)
        sweep.add(s, v, ct if sign == 1 else -ct)

    def forward(self, sweep: Any, e: tuple) -> None:
        _, out, ov, key, moved, s, v, sign = e
        tangent = sweep.get(s, v)
        if tangent is None:
            return
        target = sweep.buffer(out, None if ov is None else ov.layout)
        if ov is not None:
            target = ov.of(target, sweep.batch_ndim)
        if sweep.batch_ndim and not moved:
            tangent = sweep.align(tangent, np.empty(target.shape[sweep.batch_ndim :], bool)[key].ndim)
        for part, row, where in _rows(target, tangent, key, sweep.batch_ndim, moved):
            np.add.at(part, where, row if sign == 1 else -row)

    def written(self, e: tuple) -> tuple:
        _, _, ov, key, *_ = e
        return ov, None, _chosen(e[1] if ov is None else ov, key)


def _as_taken(tangent: Any, target: Any) -> Any:
    """Of complex numbers a real destination takes the real parts. NumPy has warned of the write, and need not again."""
    return tangent.real if tangent.dtype.kind == "c" != target.dtype.kind else tangent


def _rows(target: Any, ct: Any, key: Any, batch_ndim: int, moved: bool) -> Iterator[tuple]:
    """Target, cotangent and index to use together: at once, or batch by batch where the index is separated."""
    if not (moved and batch_ndim):
        yield target, ct, batched_key(key, batch_ndim)
        return
    for row in np.ndindex(target.shape[:batch_ndim]):
        yield target[row], None if ct is None else ct[row], key


def _chosen_parts(array: Any, key: Any, batch_ndim: int, moved: bool) -> Any:
    """``array[..., index]``, a copy, behind the batch."""
    if not (moved and batch_ndim):
        return array[batched_key(key, batch_ndim)]
    batch = array.shape[:batch_ndim]
    rows = [array[row][key] for row in np.ndindex(batch)]
    return np.stack(rows).reshape(batch + rows[0].shape) if rows else array[..., :0]


def _chosen(spec: Any, key: Any) -> ndarray:
    """Which elements an advanced index chooses."""
    chosen = np.zeros(spec.shape, bool)
    chosen[key] = True
    return chosen


def _is_mask(key: Any) -> bool:
    keys = key if type(key) is tuple else (key,)
    return all(not isinstance(k, (ndarray, list)) or getattr(k, "dtype", None) == np.bool_ for k in keys)


def _last_writes(key: Any, shape: tuple) -> ndarray | None:
    """Where ``x[key] = value`` was the last to write its element; None when nothing was written twice."""
    numbers = np.empty(shape, np.intp)
    chosen = np.shape(numbers[key])
    order = np.arange(int(np.prod(chosen, dtype=np.intp))).reshape(chosen)
    numbers[key] = order
    winners = numbers[key] == order
    return None if winners.all() else winners


COPY, READ, WRITE, GATHER, SCATTER, ADD_AT = (kind() for kind in (Copy, Read, Write, Gather, Scatter, AddAt))
