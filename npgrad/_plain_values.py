"""Plain data that a rule needs later: what the user's arrays held, however they are changed meanwhile.

No hook sees a write into a plain array. So a small one is copied at each use. Of one of middling size there is one copy,
which serves again as long as the array still holds the same bits. A large one is kept by reference with a fingerprint,
and a change raises: to copy it would cost the memory that the user has been careful with.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numpy import ndarray

from ._storage import View, is_dense, memory_order

# Sizes in bytes up to which a plain array is copied at each use, and once for all uses.
COPY_LIMIT, SHARED_COPY_LIMIT = 1 << 14, 1 << 20
_array = np.array  # NumPy's own also while a tape records


def save_constant(value: Any, where: Any) -> tuple[Any, Any]:
    """A value that will not change, and what takes the place of its `Epoch`; ``where`` gives the user's line."""
    if type(value) is ndarray and value.nbytes <= COPY_LIMIT:
        return value.copy(), None
    if isinstance(value, ndarray):
        if value.nbytes <= COPY_LIMIT or value.dtype.hasobject or not is_dense(value):
            return np.array(value, order="K", subok=False), None
        if value.nbytes <= SHARED_COPY_LIMIT and value.dtype.kind in "fciub":
            copy = _shared_copy(value)
            return copy.array, copy
        return value, fingerprinted(value, where)
    if isinstance(value, (list, tuple)):
        return _array(value), None
    return value, None


def _block(array: ndarray) -> ndarray:
    """A dense array as it lies in memory."""
    return array if array.flags.c_contiguous else array.transpose(memory_order(array))


# --- One copy for all uses -----------------------------------------------------------------------------------------


class SharedCopy:
    """What a plain array held; in the place of an epoch it lives as long as what was saved."""

    __slots__ = ("source", "memory", "array", "__weakref__")
    copy = None  # that of an `Epoch`: nobody can write here

    def __init__(self, source: ndarray) -> None:
        self.source = weakref.ref(source)
        self.memory = bytearray(_block(source).data)
        self.array = ndarray(source.shape, source.dtype, self.memory, 0, source.strides)

    def holds(self, source: ndarray) -> bool:
        array = self.array
        return (
            self.source() is source
            and source.shape == array.shape
            and source.dtype == array.dtype
            and source.strides == array.strides
            and bytearray.__eq__(self.memory, _block(source).data) is True  # compares bytes, as C does
        )


_shared_copies: weakref.WeakValueDictionary[int, SharedCopy] = weakref.WeakValueDictionary()


def _shared_copy(array: ndarray) -> SharedCopy:
    known = _shared_copies.get(id(array))
    if known is not None and known.holds(array):
        return known
    made = _shared_copies[id(array)] = SharedCopy(array)
    return made


# --- Fingerprints --------------------------------------------------------------------------------------------------


class Fingerprint:
    """A large plain array that a rule will need, and what it held when it was saved.

    ``copy`` is never None, so that a reader who asks whether the saved value has moved comes to `restore`, which
    checks that it has not changed: once in each sweep.
    """

    __slots__ = ("copy", "marks", "where", "checked", "__weakref__")

    def __init__(self, array: ndarray, marks: tuple[ndarray, ndarray], where: str) -> None:
        self.copy = array
        self.marks = marks
        self.where = where
        self.checked = -1

    def restore(self, view: View | None, traced: bool) -> ndarray:
        if self.checked != sweeps_begun:
            if not same_marks(fingerprint(self.copy), self.marks):
                raise RuntimeError(
                    f"{self.where}: a plain array of shape {self.copy.shape} that was used here as a constant has been "
                    "changed since, and its old values are needed for the derivative. Wrap it in npgrad.array(...) before "
                    "use, so that the change is followed, or use a copy."
                )
            self.checked = sweeps_begun
        return self.copy


# How many sweeps have begun in this process: what was checked in one need not be checked again in the same.
sweeps_begun = 0

# The last fingerprint of each array, so that an array that is used again unchanged has one only.
_fingerprints: weakref.WeakValueDictionary[int, Fingerprint] = weakref.WeakValueDictionary()


def begin_sweep() -> None:
    global sweeps_begun
    sweeps_begun += 1


def fingerprinted(array: ndarray, where: Any) -> Fingerprint:
    marks = fingerprint(array)
    known = _fingerprints.get(id(array))
    if known is not None and known.copy is array and same_marks(known.marks, marks):
        return known
    made = _fingerprints[id(array)] = Fingerprint(array, marks, where())
    return made


def same_marks(a: tuple[ndarray, ndarray], b: tuple[ndarray, ndarray]) -> bool:
    return a[0].tobytes() == b[0].tobytes() and a[1].tobytes() == b[1].tobytes()


def fingerprint(array: ndarray) -> tuple[ndarray, ndarray]:
    """Sums of the bits along rows and along columns of the block, exact modulo 2**64: moving or changing an element
    shows in one or the other."""
    block = _block(array).reshape(-1).view(np.uint8)
    words = block[: block.size // 8 * 8].view(np.uint64)
    rows = max(1, int(words.size**0.5))
    body = words[: words.size // rows * rows].reshape(rows, -1)
    rest = np.concatenate([words[body.size :], block[words.size * 8 :].astype(np.uint64)])
    return np.add.reduce(body, axis=1), np.concatenate([np.add.reduce(body, axis=0), rest])
