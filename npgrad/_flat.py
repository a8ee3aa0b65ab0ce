"""``x.flat`` of a traced array."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._handed_out import GIVES
from ._moves import assemble
from ._overlaps import reads_itself, write_by_origin
from ._traced import TracedArray, unwrap


class Flat:
    """``x.flat`` of a traced array: reads copy, writes go to the array."""

    __slots__ = ("_array", "_indexed", "_next")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, array: TracedArray) -> None:
        self._array = array
        # Its elements have an index each, also the one of a 0-d array.
        self._indexed = array if array.ndim else array.reshape(1)
        self._next = 0

    def _where(self, key: Any) -> tuple:
        numbers = np.arange(self._array.size).flat[unwrap(key)]
        return np.unravel_index(numbers, self._indexed.shape)

    def __getitem__(self, key: Any) -> Any:
        return self._indexed[self._where(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        if reads_itself(self._array, value):
            if value.dtype != self._array.dtype:
                return self.__setitem__(key, value.copy())  # what NumPy casts, it copies
            chosen = unwrap(key)
            return write_by_origin(self._array, value, lambda numbers, source: numbers.flat.__setitem__(chosen, source))
        where = self._where(key)
        size = np.size(where[0])
        value = assemble(value)
        if value.ndim and not np.ndim(where[0]):
            np.array(self._array._bare).flat[unwrap(key)] = unwrap(value)  # raises, as an element is no sequence
        if not value.size and np.ndim(where[0]):
            return
        if value.size != size and value.ndim:
            # NumPy repeats the values, or leaves out the rest.
            value = value.reshape(-1)[np.arange(size) % value.size]
        elif value.ndim > 1:
            value = value.reshape(-1)
        self._indexed[where] = value

    def __delitem__(self, key: Any) -> None:
        raise TypeError("Cannot delete iterator elements")

    def __iter__(self) -> Flat:
        return Flat(self._array)

    def __next__(self) -> Any:
        if self._next >= len(self):
            raise StopIteration
        self._next += 1
        return self[self._next - 1]

    def __len__(self) -> int:
        return int(self._array.size)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self._array.reshape(-1).__array__(dtype)

    def copy(self) -> Any:
        return self._array.flatten()

    @property
    def base(self) -> TracedArray:
        return self._array

    @property
    def index(self) -> int:
        return self._next

    @property
    def coords(self) -> tuple:
        rest, found = self._next, []
        for n in reversed(self._array.shape[1:]):
            rest, place = divmod(rest, n)
            found.append(place)
        return (rest, *reversed(found)) if self._array.ndim else ()


GIVES[Flat] = Flat.copy
