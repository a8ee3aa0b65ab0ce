"""What of a record leads from sources to targets, how much there is to do, and how long each shadow is needed for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any

from ._entries import BINARY, CALL, UNARY
from ._move_entries import ADD_AT, COPY, GATHER, READ, SCATTER, WRITE
from ._plans import PLANNED
from ._record import Record
from ._storage import Storage, View
from ._sweep import prune

# --- How much an entry does, for each row of a batch -----------------------------------------------------------------


def _bytes(storage: Storage | None, view: View | None) -> int:
    if storage is None:
        return 0
    spec = storage if view is None else view
    return math.prod(spec.shape) * spec.dtype.itemsize


def _call_bytes(e: tuple) -> int:
    call = e[1]
    return sum([_bytes(*out) for out in call.outs if out]) + sum([_bytes(*operand[2:]) for operand in call.operands])


def _one_item(e: tuple) -> int:
    return int(e[1].dtype.itemsize)


_TOUCHED: dict[Any, Callable[[tuple], int]] = {
    UNARY: lambda e: _bytes(e[2], e[3]),
    BINARY: lambda e: _bytes(e[2], e[3]),
    COPY: lambda e: _bytes(e[1], e[2]),
    READ: _one_item,
    WRITE: _one_item,
    GATHER: lambda e: _bytes(e[1], None),
    SCATTER: lambda e: _bytes(e[5], e[6]),
    ADD_AT: lambda e: _bytes(e[5], e[6]),
    CALL: _call_bytes,
    PLANNED: lambda e: _bytes(e[2], None) + sum([_bytes(*operand) for operand in e[3]]),
}

# What adds up by an index array takes so many times as long as what reads or writes by one.
_ADDING = 8


class Extent:
    """How large the shadows of one row are, from one quick look at a record: how many bytes all its entries touch, what all
    that they write would take at a time, and the largest storage. All at least as much as it is."""

    __slots__ = ("count", "touched", "written", "largest")

    def __init__(self, record: Record) -> None:
        prod = math.prod
        by_item: set[Storage] = set()
        sizes = []
        items = 0
        for e in record.entries:
            kind = e[0]
            if kind is BINARY or kind is UNARY:
                storage = e[2]
                sizes.append(prod(storage.shape) * storage.dtype.itemsize)
            elif kind is READ or kind is WRITE:
                by_item.add(e[1])
                items += 16
            else:
                for storage in kind.outs(e):
                    sizes.append(prod(storage.shape) * storage.dtype.itemsize)
        others = [_bytes(storage, None) for storage in by_item]
        self.count = len(record.entries)
        self.touched = sum(sizes) + items
        self.written = sum(sizes) + sum(others)
        self.largest = max(max(sizes, default=1), max(others, default=1), 1)


class Course:
    """The part of a record that leads from sources to targets, and when each shadow is needed.

    ``entries`` is as long as the record, with None for what leads nowhere. A sweep in either direction needs the shadow of a
    storage between the ``first`` and the ``last`` entry that mentions it.
    """

    def __init__(self, record: Record, sources: Iterable[Storage], targets: Iterable[Storage]) -> None:
        sources, needed = set(sources), set(targets)
        entries = record.entries if sources == set(record.marks) else prune(record.entries, sources)
        count = len(entries)
        self.entries: list = [None] * count
        self.first: dict[Storage, int] = {}
        self.last = dict.fromkeys(needed, count)
        for position in range(count - 1, -1, -1):
            e = entries[position]
            if e is None:
                continue
            outs = e[0].outs(e)
            if needed.isdisjoint(outs):
                continue
            self.entries[position] = e
            ins = e[0].ins(e)
            needed.update(ins)
            for storage in (*outs, *ins):
                self.last.setdefault(storage, position)
                self.first[storage] = position
        self.sources = sources

    def ends(self) -> dict[int, list[Storage]]:
        """The storages whose shadows have been needed for the last time, by position."""
        ends: dict[int, list[Storage]] = {}
        for storage, position in self.last.items():
            ends.setdefault(position, []).append(storage)
        return ends

    def begins(self) -> dict[int, list[Storage]]:
        """The same for sweeps that go backwards: shadows of buffers that no entry makes as a whole, and so takes away. Those
        of sources are needed to the end."""
        begins: dict[int, list[Storage]] = {}
        for storage, position in self.first.items():
            e = self.entries[position]
            is_made = storage in e[0].outs(e) and all(part is None for part in e[0].written(e))
            if not is_made and storage not in self.sources:
                begins.setdefault(position, []).append(storage)
        return begins

    def alive(self) -> int:
        """Bytes of all shadows of one row that are alive at the same time."""
        changes = [0] * (len(self.entries) + 2)
        for storage, last in self.last.items():
            size = _bytes(storage, None)
            changes[0 if storage in self.sources else self.first.get(storage, last)] += size
            changes[last + 1] -= size
        return max(accumulate(changes))

    def work(self) -> tuple[int, int]:
        """What a row costs forwards and in reverse, in bytes that are touched."""
        forward = reverse = 0
        for e in self.entries:
            if e is not None:
                kind = e[0]
                touched = _TOUCHED[kind](e)
                forward += touched * (_ADDING if kind is ADD_AT else 1)
                reverse += touched * (_ADDING if kind is GATHER else 1)
        return forward, reverse
