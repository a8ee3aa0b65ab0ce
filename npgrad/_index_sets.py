"""Sets of column numbers, each kept once and named by a number.

A shadow that holds such names says of each element which columns it depends on. Data that moves takes its names along, so
views, reads and writes cost nothing here; only where elements are combined are new sets made, for all elements at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy import ndarray

Shape = tuple[int, ...]

# The name of the set without elements.
EMPTY = 0


class IndexSets:
    """All sets of one sweep, one behind the other: ``indices[start[name] : start[name + 1]]`` is the set of a name."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        # One set for each column, behind the empty one.
        self.start = np.concatenate([[0], np.arange(columns + 1)])
        self.indices = np.arange(columns)
        self._used = columns + 1
        self._filled = columns

    def _lengths(self, names: ndarray) -> ndarray:
        return self.start[names + 1] - self.start[names]

    def _append(self, lengths: ndarray, indices: ndarray) -> ndarray:
        """New sets of these lengths; their names."""
        count = len(lengths)
        self.start = _with_room(self.start, self._used + 1, count)
        self.indices = _with_room(self.indices, self._filled, len(indices))
        self.indices[self._filled : self._filled + len(indices)] = indices
        names = np.arange(self._used, self._used + count)
        self.start[names + 1] = self._filled + np.cumsum(lengths)
        self._used += count
        self._filled += len(indices)
        return names

    def members(self, names: ndarray) -> tuple[ndarray, ndarray]:
        """The elements of all these sets one after the other, and where each set ends: CSR."""
        lengths = self._lengths(names)
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        offsets = np.repeat(self.start[names] - indptr[:-1], lengths)
        return self.indices[offsets + np.arange(indptr[-1])], indptr

    def merge(self, owners: ndarray, names: ndarray, count: int) -> ndarray:
        """The names of ``count`` unions: that of number ``owners[i]`` contains the set ``names[i]``."""
        made = np.zeros(count, np.intp)
        some = names != EMPTY
        pairs = np.unique(owners[some] * self._used + names[some])
        owners, names = pairs // self._used, pairs % self._used
        made[owners] = names
        # A union that has all columns already is not spelled out: a program with one dense result stays linear.
        full = self._lengths(names) == self.columns
        made[owners[full]] = names[full]
        several = np.bincount(owners, minlength=count) > 1
        several[owners[full]] = False
        chosen = several[owners]
        if chosen.any():
            numbers = np.cumsum(several) - 1
            owners, names = numbers[owners[chosen]], names[chosen]
            indices, _ = self.members(names)
            cells = np.unique(np.repeat(owners, self._lengths(names)) * self.columns + indices)
            lengths = np.bincount(cells // self.columns, minlength=int(numbers[-1]) + 1)
            made[several] = self._append(lengths, cells % self.columns)
        return made

    def union(self, arrays: Sequence[ndarray]) -> ndarray:
        """Element by element, broadcast."""
        total = arrays[0]
        for other in arrays[1:]:
            a, b = np.broadcast_arrays(total, other)
            total = np.where(a == EMPTY, b, a)
            both = (a != b) & (a != EMPTY) & (b != EMPTY)
            pairs, inverse = np.unique(a[both] * self._used + b[both], return_inverse=True)
            owners = np.arange(len(pairs))
            names = np.concatenate([pairs // self._used, pairs % self._used])
            total[both] = self.merge(np.concatenate([owners, owners]), names, len(pairs))[inverse]
        return total

    def along(self, names: ndarray, axes: Sequence[int], keepdims: bool = False) -> ndarray:
        """The union along some axes."""
        last = np.moveaxis(names, axes, range(-len(axes), 0)) if axes else names[..., None]
        kept = last.shape[: last.ndim - max(len(axes), 1)]
        count = int(np.prod(kept, dtype=np.intp))
        rows = last.reshape(count, -1) if last.size else np.zeros((count, 0), np.intp)
        made = self.merge(np.repeat(np.arange(count), rows.shape[1]), rows.reshape(-1), count).reshape(kept)
        return np.expand_dims(made, tuple(axes)) if keepdims else made

    def running(self, names: ndarray) -> ndarray:
        """The union of each row of names with all rows before it, for each column of names by itself."""
        count, lines = names.shape
        indices, ends = self.members(names.T.reshape(-1))
        places = np.repeat(np.tile(np.arange(count), lines), np.diff(ends))
        line_of = np.repeat(np.arange(lines), np.diff(ends[::count]))
        # Each index of a line is in all sets from the first one that has it.
        cells, met = np.unique(line_of * self.columns + indices, return_index=True)
        first = places[met]
        each = np.repeat(np.arange(len(cells)), count - first)
        place = count - 1 - (np.cumsum(count - first)[each] - 1 - np.arange(len(each)))
        owners = cells[each] // self.columns * count + place
        order = np.argsort(owners, kind="stable")
        lengths = np.bincount(owners, minlength=names.size)
        made = np.where(lengths > 0, self._append(lengths, (cells % self.columns)[each][order]), EMPTY)
        return made.reshape(lines, count).T

    def everything(self, arrays: Sequence[ndarray]) -> ndarray:
        """One name, of all that occurs in these arrays."""
        names = np.concatenate([EMPTY * np.ones(1, np.intp), *[np.unique(array) for array in arrays]])
        return self.merge(np.zeros(len(names), np.intp), names, 1)[0]


def _with_room(array: ndarray, used: int, more: int) -> ndarray:
    """The array, or a longer one with the same beginning, with room behind what is used."""
    if used + more <= len(array):
        return array
    longer = np.empty(2 * (used + more), np.intp)
    longer[:used] = array[:used]
    return longer
