"""What is captured for a source while a sweep goes over the record.

A watched array asks for the derivative by its value when it was watched: the shadow is copied where the mark stands. Any
other array asks for the derivative by its current value: each part is copied just before the entry that last wrote it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._record import Record
from ._storage import Storage, View, batched_key, native
from ._sweep import Event, ReverseSweep, prune


class Capture:
    """The shadow of one source at one moment of the sweep."""

    def __init__(self, storage: Storage, view: View | None) -> None:
        self.storage = storage
        self.view = view
        self.result: Any = None

    def at_mark(self, sweep: ReverseSweep) -> None:
        self.result = sweep.peek(self.storage, self.view)

    def finish(self, sweep: ReverseSweep) -> None:
        """Nothing to do: the mark has been passed."""


class CurrentValue(Capture):
    """The shadow of an array that is not watched, gathered from its last writes."""

    def __init__(self, storage: Storage, view: View | None) -> None:
        super().__init__(storage, view)
        self.total: Any = None
        self.done = np.zeros(storage.shape, native(storage.dtype))

    def before_write(self, sweep: ReverseSweep, entry: tuple) -> None:
        view, key, mask = entry[0].written(entry)
        n = sweep.batch_ndim
        done = _part(self.done, view, key, 0)
        new = done == 0 if mask is None else (done == 0) & mask
        sweep.settle(self.storage)
        shadow = sweep.shadows.get(self.storage)
        if shadow is not None:
            if self.total is None:
                self.total = sweep.zeros(self.storage.shape, self.storage.dtype)
            now = _part(sweep.buffer(self.storage, None if view is None else view.layout), view, key, n)
            before = _part(self.total, view, key, n)
            _assign(self.total, view, key, n, np.where(new, now, before))
        _assign(self.done, view, key, 0, np.where(new, 1, done))

    def finish(self, sweep: ReverseSweep) -> None:
        last = sweep.peek(self.storage, None)
        whole: Any = None
        if self.total is not None or (last is not None and not self.done.all()):
            whole = np.where(self.done == 0, 0 if last is None else last, 0 if self.total is None else self.total)
        if whole is None or self.view is None:
            self.result = whole
            return
        if self.view.layout is not None and not self.view.layout.matches(getattr(whole, "_bare", whole), sweep.batch_ndim):
            sweep.shadows[self.storage] = whole
            sweep.owned.discard(self.storage)
            whole = sweep.buffer(self.storage, self.view.layout)
        self.result = self.view.of(whole, sweep.batch_ndim).copy()


def _part(array: Any, view: View | None, key: Any, batch_ndim: int) -> Any:
    part = array if view is None else view.of(array, batch_ndim)
    return part if key is None else part[batched_key(key, batch_ndim)]


def _assign(array: Any, view: View | None, key: Any, batch_ndim: int, value: Any) -> None:
    part = array if view is None else view.of(array, batch_ndim)
    part[... if key is None else batched_key(key, batch_ndim)] = value


def plan(record: Record, sources: list[tuple[Storage, View | None]]) -> tuple[list[Capture], list[Event], list]:
    """The captures of the sources, the events of the sweep that fill them, and the entries that matter to them."""
    captures: list[Capture] = []
    events: list[Event] = []
    current: dict[Storage, list[CurrentValue]] = {}
    marked: set[Storage] = set()
    for storage, view in sources:
        mark = record.find_mark(storage, view)
        if mark is not None:
            capture = Capture(storage, view)
            events.append((mark.position, capture.at_mark))
            marked.add(storage)
        else:
            capture = CurrentValue(storage, view)
            current.setdefault(storage, []).append(capture)
        captures.append(capture)
    if current:
        for position, entry in enumerate(record.entries):
            for storage in entry[0].outs(entry):
                for capture in current.get(storage, ()):
                    events.append((position + 1, _writer(capture, entry)))
    if not current and marked == set(record.marks):
        return captures, events, record.entries
    return captures, events, prune(record.entries, marked | set(current))


def _writer(capture: CurrentValue, entry: tuple) -> Any:
    return lambda sweep: capture.before_write(sweep, entry)
