"""Storages, the views that look at them, and values saved from them.

A *storage* is one block of memory of the user's program. It has no pointer to that memory (so that a tape keeps
only what a rule needs); it says which tapes track it, and what its shadow must look like. A *view* says which part
of a storage an array looks at, and finds the same part in a shadow.

*Saved values* live in the program's own memory until someone writes there. An `Epoch` is the time between two
writes: whoever saves a value holds the epoch, and the write that ends it leaves a copy in it first.
"""

from __future__ import annotations

import itertools
from sys import getrefcount
from typing import Any

import numpy as np
from numpy import ndarray

from ._registry import Spec

Shape = tuple[int, ...]

NOTHING: frozenset = frozenset()

# One tuple per shape, so that equal shapes are mostly the same object: the sweep compares them by identity first.
shapes: dict[Shape, Shape] = {}


def interned(shape: Shape) -> Shape:
    known = shapes.setdefault(shape, shape)
    if len(shapes) > 4096:
        shapes.clear()
    return known


def native(dtype: np.dtype) -> np.dtype:
    """The dtype in this machine's byte order: NumPy's one object for it, which the sweep compares by identity."""
    return dtype if dtype.isnative else dtype.newbyteorder("=")


class Storage:
    """Identity of one block of memory.

    ``tracked`` is the set of tokens of the tapes that track it, ``epoch`` the current `Epoch` if a value of it
    has been saved since the last write.
    """

    __slots__ = ("tracked", "epoch", "shape", "dtype", "__weakref__")
    # True for storages that were once copied whole for the sake of a saved view: from then on a view is copied
    # when it is saved, so that a loop over rows never copies the matrix each time.
    copies_views = False
    is_variable = False

    tracked: frozenset
    epoch: Epoch | None
    shape: Shape
    dtype: np.dtype

    ndim, size = Spec.ndim, Spec.size  # it serves as one for rules


class RowStorage(Storage):
    __slots__ = ()
    copies_views = True


class Epoch:
    """The time between two writes to a storage; ``copy`` is what the storage held, once it has been written."""

    # No __init__: one is made per saved value, with `copy` set by hand (see `new_epoch`).
    __slots__ = ("copy",)
    by_view = False

    copy: Any

    def restore(self, view: View | None, traced: bool) -> Any:
        copy = self.copy if traced else self.copy._bare
        return copy if view is None else view.of(copy, 0)


class ViewEpoch(Epoch):
    """An epoch in which a proper view of the storage was saved."""

    __slots__ = ()
    by_view = True


def new_epoch() -> Epoch:
    epoch = Epoch()
    epoch.copy = None
    return epoch


def _references(storage: Storage) -> int:
    return getrefcount(storage.epoch)


def _of_unsaved() -> int:
    storage = Storage()
    storage.epoch = new_epoch()
    return _references(storage)


_UNSAVED = _of_unsaved()


def is_saved(storage: Storage) -> bool:
    """Whether anybody still has a value that was saved in the present epoch of a storage."""
    return _references(storage) > _UNSAVED


class Exact:
    """Stands for an `Epoch` where the saved view itself has been copied."""

    __slots__ = ("copy",)

    def __init__(self, copy: Any) -> None:
        self.copy = copy

    def restore(self, view: View | None, traced: bool) -> Any:
        return self.copy if traced else self.copy._bare


# --- Views ---------------------------------------------------------------------------------------------------------

_BATCH_PREFIX: list[tuple] = [(slice(None),) * n for n in range(8)]


def batched_key(key: Any, batch_ndim: int) -> tuple:
    """A basic index for an array with ``batch_ndim`` extra leading axes."""
    if type(key) is not tuple:
        key = (key,)
    return _BATCH_PREFIX[batch_ndim] + key


class IndexView:
    """A part chosen by a basic index."""

    # No __init__: one is made per slice, with its slots set by hand (see `index_view`).
    __slots__ = ("parent", "key", "shape", "dtype", "layout")

    parent: View | None
    key: Any
    shape: Shape
    dtype: np.dtype
    layout: Layout | None

    ndim, size = Storage.ndim, Storage.size

    def of(self, shadow: Any, batch_ndim: int) -> Any:
        if self.parent is not None:
            shadow = self.parent.of(shadow, batch_ndim)
        return shadow[batched_key(self.key, batch_ndim) if batch_ndim else self.key]

    def add_into(self, shadow: Any, ct: Any, batch_ndim: int) -> None:
        part = self.of(shadow, batch_ndim)
        part += ct


class Layout:
    """Shape and strides of a storage's memory, which a shadow must share for strided views of it."""

    __slots__ = ("shape", "strides", "order")

    def __init__(self, root: ndarray) -> None:
        self.shape = root.shape
        self.strides = root.strides
        self.order = memory_order(root)

    def matches(self, shadow: ndarray, batch_ndim: int) -> bool:
        return all(
            n == 1 or a == b for n, a, b in zip(self.shape, shadow.strides[batch_ndim:], self.strides, strict=True)
        )


def memory_order(array: ndarray) -> tuple[int, ...]:
    """The axes of a dense array from the slowest to the fastest in memory."""
    if array.flags.c_contiguous:
        return _ROW_MAJOR[array.ndim]
    return tuple(sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis])))


_ROW_MAJOR = [tuple(range(ndim)) for ndim in range(65)]


def empty_with_order(shape: Shape, dtype: np.dtype, order: tuple[int, ...], batch: Shape = ()) -> ndarray:
    """A dense array of shape ``batch + shape`` whose inner axes lie in memory in the given order."""
    n = len(batch)
    block = np.empty(batch + tuple(shape[axis] for axis in order), dtype)
    inverse = sorted(range(len(order)), key=order.__getitem__)
    return block.transpose(tuple(range(n)) + tuple(n + axis for axis in inverse))


class StridedView:
    """A part given by offset and strides: transposes, reshapes, diagonals, real and imaginary parts, other dtypes.

    ``overlaps`` says that elements share memory (``broadcast_to``, ``sliding_window_view``). Of what is written through such
    a view, only what is written last stays: see ``_overlaps``.
    """

    __slots__ = ("offset", "shape", "strides", "dtype", "layout", "overlaps")

    def __init__(self, offset: int, part: ndarray, layout: Layout) -> None:
        self.offset = offset
        self.shape = part.shape
        self.strides = part.strides
        self.dtype = part.dtype
        self.layout = layout
        self.overlaps = has_overlaps(part)

    ndim, size = Storage.ndim, Storage.size

    def of(self, shadow: Any, batch_ndim: int) -> Any:
        bare = getattr(shadow, "_bare", shadow)
        # A shadow has this machine's byte order, a saved copy that of the program's memory.
        dtype = native(self.dtype) if bare.dtype.isnative else self.dtype
        part = self._bare_part(bare, batch_ndim, dtype)
        if part is None:
            part = np.zeros(bare.shape[:batch_ndim] + self.shape, dtype)
        return part if bare is shadow else shadow._part(part)

    def _bare_part(self, bare: ndarray, batch_ndim: int, dtype: np.dtype) -> ndarray | None:
        if bare.size == 0 or 0 in self.shape:
            return None
        block = bare.transpose(memory_order(bare))
        shape = bare.shape[:batch_ndim] + self.shape
        return ndarray(shape, dtype, block, self.offset, bare.strides[:batch_ndim] + self.strides)

    def add_into(self, shadow: Any, ct: Any, batch_ndim: int) -> None:
        if not self.overlaps:
            part = self.of(shadow, batch_ndim)
            part += ct
            return
        # Sum what lies on the same element: first what was broadcast, then the rest by the index of each element.
        repeated = tuple(i for i, (n, s) in enumerate(zip(self.shape, self.strides, strict=True)) if n > 1 and not s)
        if repeated:
            ct = ct.sum(axis=tuple(batch_ndim + i for i in repeated), keepdims=True)
            shape = tuple(1 if i in repeated else n for i, n in enumerate(self.shape))
            once = StridedView.__new__(StridedView)
            once.offset, once.shape, once.strides = self.offset, shape, self.strides
            once.dtype, once.layout = self.dtype, self.layout
            once.overlaps = _overlap(shape, self.strides, self.dtype.itemsize)
            once.add_into(shadow, ct, batch_ndim)
            return
        root_size = int(np.prod(self.layout.shape, dtype=np.intp))
        if root_size == 0 or 0 in self.shape:
            return
        # The memory as a row of elements of this view: of a complex array, its real and imaginary parts.
        itemsize = self.dtype.itemsize
        index = self.in_row(np.arange(root_size * (shadow.dtype.itemsize // itemsize)))
        inner = tuple(batch_ndim + axis for axis in self.layout.order)
        row = shadow.transpose(tuple(range(batch_ndim)) + inner).reshape(*shadow.shape[:batch_ndim], root_size)
        row = row if shadow.dtype.itemsize == itemsize else row.view(native(self.dtype))
        np.add.at(row, (*_BATCH_PREFIX[batch_ndim], index), ct)

    def in_row(self, numbers: ndarray) -> ndarray:
        """What this view would look at, if each element of its kind in the memory were the number at its place."""
        size, step = self.dtype.itemsize, numbers.itemsize
        strides = tuple([s // size * step for s in self.strides])
        return ndarray(self.shape, numbers.dtype, numbers, self.offset // size * step, strides)


View = IndexView | StridedView


def has_overlaps(part: ndarray) -> bool:
    """Whether two elements of a strided array may share memory (never wrong when it says no)."""
    return not part.flags.forc and _overlap(part.shape, part.strides, part.dtype.itemsize)


def _overlap(shape: Shape, strides: Shape, itemsize: int) -> bool:
    reach = itemsize
    for stride, n in sorted((abs(s), n) for s, n in zip(strides, shape, strict=True) if n > 1):
        if stride < reach:
            return True
        reach = stride * (n - 1) + reach
    return False


def address(array: ndarray) -> int:
    return array.__array_interface__["data"][0]


def is_dense(array: ndarray) -> bool:
    """Whether the elements fill one block without gaps."""
    if array.flags.forc:
        return True
    order = memory_order(array)
    return array.transpose(order).flags.c_contiguous


# --- Tapes ------------------------------------------------------------------------------------------------------------

_token_numbers = itertools.count()


class Token:
    """Stands for a tape in ``Storage.tracked``: storages must not keep tapes alive, nor tapes themselves through them."""

    __slots__ = ("record", "number")

    def __init__(self, record: Any) -> None:
        self.record = record  # a weak reference
        self.number = next(_token_numbers)
