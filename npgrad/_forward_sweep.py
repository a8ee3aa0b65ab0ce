"""Going over a record forwards, with tangents."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._fitting import spread
from ._storage import Storage, View
from ._sweep import Sweep


class ForwardSweep(Sweep):
    """Tangents: `get` that of an input, `put` that of an output."""

    __slots__ = ()

    def get(self, storage: Storage, view: View | None) -> Any:
        """The tangent of an input, which the output's tangent may go on using."""
        if view is None:
            self.owned.discard(storage)
            return self.shadows.get(storage)
        tangent = self.peek(storage, view)
        return None if tangent is None else tangent.copy()

    def peek(self, storage: Storage, view: View | None) -> Any:
        """The tangent of an input, to be copied from at once."""
        if storage not in self.shadows or view is None:
            return self.shadows.get(storage)
        return view.of(self.buffer(storage, view.layout), self.batch_ndim)

    def put(self, storage: Storage, view: View | None, tangent: Any, mask: Any = None) -> None:
        if view is None and mask is None:
            self.owned.discard(storage)
            if tangent is None:
                self.shadows.pop(storage, None)
                return
            if tangent.shape != self.batch + storage.shape or tangent.dtype is not storage.dtype:
                tangent = spread(tangent, storage.shape, storage.dtype, self.batch)
            self.shadows[storage] = tangent
            return
        if tangent is None and storage not in self.shadows:
            return
        shadow = self.buffer(storage, None if view is None else view.layout)
        part = shadow if view is None else view.of(shadow, self.batch_ndim)
        if tangent is None:
            value: Any = 0
        else:
            spec = storage if view is None else view
            value = spread(tangent, spec.shape, spec.dtype, self.batch)
        if mask is None:
            part[...] = value
        else:
            np.copyto(part, value, where=np.broadcast_to(mask, part.shape))

    def align(self, tangent: Any, ndim: int) -> Any:
        """Insert axes behind the batch, so that the tangent of a broadcast input meets the others; or drop leading axes of
        length 1, which a write takes."""
        missing = ndim - (tangent.ndim - self.batch_ndim)
        if not self.batch_ndim or not missing:
            return tangent
        if missing < 0:
            return tangent.reshape(tangent.shape[: self.batch_ndim] + tangent.shape[self.batch_ndim - missing :])
        return tangent.reshape(tangent.shape[: self.batch_ndim] + (1,) * missing + tangent.shape[self.batch_ndim :])

    def run(self, entries: list, low: int, high: int, ends: dict[int, list[Storage]] | None) -> None:
        """Go over some entries; ``ends`` says which shadows nothing asks for behind each of them."""
        if ends is None:
            for e in entries[low:high]:
                e[0].forward(self, e)
            return
        for position in range(low, high):
            e = entries[position]
            if e is not None:
                e[0].forward(self, e)
                if position in ends:
                    self.forget(ends[position])
