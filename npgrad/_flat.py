"""``x.flat`` of a traced array."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ._handed_out import GIVES
from ._moves import assemble
from ._overlaps import reads_itself, write_by_origin
from ._traced import TracedArray, unwrap


class Flat:
    """``x.flat`` of a traced array: reads copy, writes go to the array. Like NumPy's it is one iterator, which goes on
    where it is and begins again when it is indexed."""

    __slots__ = ("_array", "_indexed", "_next", "_places")
    __hash__ = None  # type: ignore[assignment]
    __reversed__ = None

    def __init__(self, array: TracedArray, place: int = 0) -> None:
        self._array = array
        # Its elements have an index each, also the one of a 0-d array.
        self._indexed = array if array.ndim else array.reshape(1)
        self._begin(place)

    def _begin(self, place: int = 0) -> None:
        self._next = place
        self._places: Iterator | None = None  # what is still to come

    def _where(self, key: Any) -> tuple:
        if type(key) is int and 0 <= key < self._array.size:
            return self._place(key)
        numbers = np.arange(self._array.size).flat[unwrap(key)]
        return np.unravel_index(numbers, self._indexed.shape)

    def _place(self, number: int) -> tuple:
        found = []
        for n in reversed(self._indexed.shape[1:]):
            number, place = divmod(number, max(n, 1))
            found.append(place)
        return (number, *reversed(found))

    def __getitem__(self, key: Any) -> Any:
        self._begin()
        return self._indexed[self._where(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._begin()
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
        return self

    def __next__(self) -> Any:
        places = self._places
        if places is None:
            shape = self._indexed.shape
            every = itertools.product(*map(range, shape)) if len(shape) > 1 else range(*shape)
            places = self._places = itertools.islice(every, self._next, None)
        place = next(places)
        self._next += 1
        return self._indexed[place]

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
        return self._place(self._next) if self._array.ndim else ()


def _comparison(compare: Callable) -> Callable:
    def compared(self: Flat, other: Any) -> Any:
        return compare(self.copy(), other.copy() if isinstance(other, Flat) else other)

    return compared


for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Flat, f"__{_name}__", _comparison(getattr(operator, _name)))

GIVES[Flat] = Flat.copy
