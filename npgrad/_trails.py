"""Which calls lead from a source to a target, and where what came from the source was overwritten.

Both are sweeps with shadows that hold NaN or nothing. Moves carry NaN as they carry derivatives, element by element; a call
hands it on to all of its results, whatever its derivative is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from ._forward_sweep import ForwardSweep
from ._record import Record
from ._storage import Storage, View, batched_key, native
from ._sweep import ReverseSweep

Place = tuple[Storage, View | None]


class Trail(NamedTuple):
    """What became of a source: whether it reached the target, the entries on the way, the storages that it came to, and the
    entries that overwrote it there."""

    arrives: bool
    path: list[int]
    reached: set[Storage]
    overwriting: list[int]


def _lit(spec: Any) -> ndarray:
    """A shadow that marks all of a storage or view."""
    return np.full(spec.shape, complex(np.nan, np.nan) if spec.dtype.kind == "c" else np.nan, native(spec.dtype))


def _count(shadow: Any) -> int:
    return 0 if shadow is None else int(np.count_nonzero(np.isnan(shadow)))


def _results(entry: tuple) -> list[tuple[Storage, View | None, Any, Any]]:
    """The storages that an entry writes: with view, key and mask of the part."""
    outs = entry[0].outs(entry)
    return [(outs[0], *entry[0].written(entry))] if len(outs) == 1 else [(storage, None, None, None) for storage in outs]


class _Onwards(ForwardSweep):
    """What depends on the source."""

    __slots__ = ()

    def light(self, place: Place) -> None:
        self.put(*place, _lit(place[0] if place[1] is None else place[1]))

    def hands_on(self, entry: tuple) -> bool:
        """Go over an entry; whether something of the source goes through it."""
        kind = entry[0]
        comes = any(_count(self.peek(*place)) for place in kind.reads(entry))
        if kind.moves:
            kind.forward(self, entry)
        else:
            for storage, view, _, mask in _results(entry):
                self.put(storage, view, _lit(storage if view is None else view) if comes else None, mask)
        return comes and any(_count(self.shadows.get(storage)) for storage in kind.outs(entry))


class _Back(ReverseSweep):
    """What the target depends on."""

    __slots__ = ()

    def asks_for(self, entry: tuple) -> bool:
        """Go back over an entry; whether the target depends on what it made."""
        kind, results = entry[0], _results(entry)
        asked = any(_count(self._part(*result)) for result in results)
        if kind.moves:
            kind.reverse(self, entry)
            return asked
        for storage, view, _, mask in results:
            self.take(storage, view, mask)
        for storage, view in kind.reads(entry) if asked else ():
            self.add(storage, view, _lit(storage if view is None else view))
        return asked

    def _part(self, storage: Storage, view: View | None, key: Any, mask: Any) -> Any:
        part = self.peek(storage, view)
        if part is None:
            return None
        part = part if key is None else part[batched_key(key, 0)]
        return part if mask is None else part[np.broadcast_to(mask, part.shape)]


def trail(record: Record, source: Place, start: int | None, target: Place | None) -> Trail:
    """Follow a source, as it was before entry ``start``; None for what it is now, after the last write to it."""
    entries, onwards, before = record.entries, _Onwards((), False), start or 0
    handed: set[int] = set()
    reached, overwriting = {source[0]}, []
    with np.errstate(all="ignore"):
        onwards.light(source)
        for position in range(before, len(entries)):
            outs = entries[position][0].outs(entries[position])
            marked = [_count(onwards.shadows.get(storage)) for storage in outs]
            if onwards.hands_on(entries[position]):
                handed.add(position)
                reached.update(outs)
            if start is None and source[0] in outs:
                onwards.light(source)
            elif any(_count(onwards.shadows.get(s)) < n for s, n in zip(outs, marked, strict=True)):
                overwriting.append(position)
        if target is None or not _count(onwards.peek(*target)):
            return Trail(False, [], reached, overwriting)
        back = _Back((), False)
        back.add(*target, _lit(target[0] if target[1] is None else target[1]))
        asked = [p for p in range(len(entries) - 1, before - 1, -1) if back.asks_for(entries[p]) and p in handed]
    return Trail(True, asked[::-1], reached, overwriting)
