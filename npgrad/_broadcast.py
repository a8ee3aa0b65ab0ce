"""np.broadcast of traced arrays: NumPy's iterator over their plain data, with elements of the arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._moves import assemble
from ._traced import traced_leaves, unwrap

_NUMPYS_BROADCAST = np.broadcast


def broadcast(*args: Any) -> Any:
    """The form of np.broadcast, where a program calls it."""
    parts = [part for arg in args for part in (arg.parts if type(arg) is TracedBroadcast else (arg,))]
    if not traced_leaves(parts):
        return _NUMPYS_BROADCAST(*args)
    parts = [assemble(part) if traced_leaves(part) else part for part in parts]
    return TracedBroadcast(_NUMPYS_BROADCAST(*unwrap(parts)), tuple(parts))


class TracedBroadcast:
    """Has the attributes of NumPy's, and passes for one."""

    __slots__ = ("_made", "parts", "_stretched")

    def __init__(self, made: np.broadcast, parts: tuple) -> None:
        self._made = made
        self.parts = parts
        self._stretched: tuple = ()

    def _views(self) -> tuple:
        """Made at the first use: where they were made outside of all tapes, they would be plain."""
        self._stretched = self._stretched or np.broadcast_arrays(*self.parts)
        return self._stretched

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return _NUMPYS_BROADCAST

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)

    @property
    def iters(self) -> tuple:
        return tuple([part.flat for part in self._views()])

    def __iter__(self) -> TracedBroadcast:
        return self

    def __next__(self) -> tuple:
        next(self._made)
        return tuple([part.flat[self._made.index - 1] for part in self._views()])
