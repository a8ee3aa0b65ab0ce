"""The memory of the program's own arrays, in which traced arrays stand for them as long as a tape records.

Who has the plain array where no search finds it, as a library or another thread, may write there unseen. So what a rule
needs of an untracked one is copied when it is saved, as that of a plain array is; a large one must not have changed.
"""

from __future__ import annotations

import weakref
from typing import Any

from numpy import ndarray

from ._leaks import user_location
from ._plain_values import SHARED_COPY_LIMIT, Mark, shared_copy
from ._storage import RowStorage, Storage
from ._traced import TracedArray, fresh

# The memory; and of what was saved last, a copy that serves again or what it was like, and where.
_memory: weakref.WeakKeyDictionary[Storage, ndarray] = weakref.WeakKeyDictionary()
_saved: weakref.WeakKeyDictionary[Storage, Any] = weakref.WeakKeyDictionary()


class OwnStorage(RowStorage):
    """Of an array that stands in the program's own memory."""

    __slots__ = ()

    @property
    def epoch(self) -> Any:  # type: ignore[override]
        return _EPOCH.__get__(self)

    @epoch.setter
    def epoch(self, epoch: Any) -> None:
        root = _memory.get(self)
        if epoch is None:
            _check(self, root)
        elif root is not None and not self.tracked:
            if root.nbytes <= SHARED_COPY_LIMIT:
                copy = _saved[self] = shared_copy(root)
                epoch.copy = fresh(copy.array)
                return
            _saved[self] = Mark(root), user_location()
        _EPOCH.__set__(self, epoch)


_EPOCH: Any = vars(Storage)["epoch"]


def _check(storage: OwnStorage, root: ndarray | None) -> None:
    """The time in which a value was saved ends: if it is needed, it must have been the same all the time."""
    epoch, saved = _EPOCH.__get__(storage), _saved.get(storage)
    if type(saved) is tuple:
        del _saved[storage]
        if root is not None and epoch is not None and epoch.copy is not None and not saved[0].fits(root):
            raise RuntimeError(
                f"{saved[1]}: an array of shape {root.shape} that was used here as a constant has been changed since by "
                "code that no tape sees, and its old values are needed for the derivative. Use a copy."
            )


def own(traced: TracedArray) -> None:
    """Let a traced array stand in the memory of an array of the program's."""
    traced._storage.__class__ = OwnStorage
    _memory[traced._storage] = traced._bare


def disown(traced: TracedArray) -> None:
    """Nothing stands there any more."""
    _memory.pop(traced._storage, None)
    _saved.pop(traced._storage, None)
