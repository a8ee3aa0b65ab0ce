"""Memory from before a tape that belongs to no array of numbers: that of structured arrays, of integers that are seen as
numbers, of buffers.

Each piece is a `Block` with one storage for the numbers of a precision in it, so that all views of them are views of the
same. `Records` is a structured array that knows its block: its fields are such views.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.lib.array_utils import byte_bounds

from ._carriers import behind, owner_of
from ._dispatch import tracking
from ._holders import HeldArray, LentStorage, refuse_tracked, without_held
from ._leaks import refuse
from ._moves import protect
from ._storage import address, is_dense, memory_order
from ._traced import TracedArray, fresh, is_inexact, unwrap, view_of

_RECORDS_READ = "whole records are read, and traced data was written into a field of theirs"
_RECORDS_WRITTEN = "whole records are written, of which a field or the new value holds traced data"
_FIELD_BY_FIELD = "Read and write them field by field: records['x'][i] in place of records[i]['x']."
_TWO_WAYS = "traced data is in memory that is looked at in two ways, of which no tape follows the one"
_ONE_WAY = "Work on a copy, or with views of one dtype."


def may_be_written(array: ndarray) -> bool:
    """Whether anybody may write into the memory of an array."""
    if array.flags.writeable or array.base is None:
        return array.flags.writeable
    owner = owner_of(array)
    return owner is not None and owner.flags.writeable


def _owner_and_memory(array: ndarray) -> tuple[Any, memoryview | None]:
    """What the memory belongs to at which an array looks, and all of it; none where that cannot be had."""
    root: Any = array
    last: Any = array
    for last in behind(array):
        root = last if isinstance(last, ndarray) else root
    for owner in (last, root):
        try:
            memory = _memory_of(owner)
        except (TypeError, ValueError, BufferError):
            continue
        if memory is not None and _has(memory, array) and not memory.readonly:
            return owner, memory
    return root, None


def _memory_of(owner: Any) -> memoryview | None:
    if not isinstance(owner, ndarray):
        return memoryview(owner)
    plain = ndarray.view(owner, ndarray)
    if not is_dense(plain):
        return None
    row = plain.transpose(memory_order(plain)).reshape(-1)
    return memoryview(row if row.dtype.hasobject else row.view(np.uint8))  # type: ignore[arg-type]


def _start(memory: memoryview) -> int:
    return address(np.frombuffer(memory, np.uint8)) if memory.nbytes else 0


def _has(memory: memoryview, array: ndarray) -> bool:
    low, high = byte_bounds(array)
    start = _start(memory)
    return start <= low and high <= start + memory.nbytes


class Block:
    """A piece of memory, and what looks at it."""

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory
        self._start = _start(memory)
        self._wholes: dict[str, TracedArray] = {}
        # What looks at it, each once: what is followed, by the precision, and what is not.
        self._parts: dict[str, dict[Any, ndarray]] = {}
        self.is_lent = False

    def has(self, array: ndarray) -> bool:
        return array.size > 0 and self._start <= address(array) < self._start + self._memory.nbytes

    def form(self, array: ndarray) -> Any:
        """What stands for an array that looks at this memory."""
        if array.dtype.names is not None:
            made = array.view(Records)
            made._block = self
            return made
        part = self.part(array) if is_inexact(array.dtype) else None
        if part is not None:
            return part
        self.look(array)
        return array.view(HeldArray)

    def part(self, array: ndarray) -> TracedArray | None:
        """A traced view of the storage of its precision; none where numbers lie across those of the storage."""
        real = array[..., :0].real.dtype if array.ndim else array.real.dtype
        steps = [stride for n, stride in zip(array.shape, array.strides, strict=True) if n > 1]
        if any(step % real.itemsize for step in (address(array) - self._start, *steps)):
            return None
        self.look(array, real.str)
        whole = self._wholes.get(real.str)
        if whole is None:
            size = self._memory.nbytes // real.itemsize
            whole = self._wholes[real.str] = fresh(ndarray((size,), real, self._memory))
            if self.is_lent:
                whole._storage.__class__ = LentStorage
        return view_of(whole, array)

    def look(self, array: ndarray, real: str = "") -> None:
        """Note an array that looks at this memory, and that is followed if a precision is given. Two that look at the same
        place and are not followed together would not hear of one another's tracked data."""
        place = address(array), array.shape, array.strides, array.dtype
        known = self._parts.setdefault(real, {})
        if place in known or not array.size:
            return
        for kind, parts in self._parts.items():
            if kind != real and _meets(array, parts.values()):
                self.lend()
        known[place] = array

    def lend(self) -> None:
        """Let nothing of it be tracked any more, and copy what is saved: somebody looks at it unseen, and may write."""
        self.is_lent = True
        self.refuse_tracked(_TWO_WAYS, _ONE_WAY)
        self.protect()
        for whole in self._wholes.values():
            whole._storage.__class__ = LentStorage

    def protect(self) -> None:
        """To be called before any of it is written."""
        for whole in self._wholes.values():
            protect(whole)

    def refuse_tracked(self, what: str, cure: str = _FIELD_BY_FIELD) -> None:
        records = tracking(list(self._wholes.values()))
        if records:
            refuse(records, what, cure)


class Blocks:
    """Those that a search has come to, by what they belong to."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[Any, Block]] = {}
        self.unfollowed: list[ndarray] = []  # arrays that may look at one of them unseen

    def of(self, array: ndarray) -> Block | None:
        owner, memory = _owner_and_memory(array)
        known = self._found.get(id(owner))
        if known is None and memory is not None:
            known = self._found[id(owner)] = owner, Block(memory)
        return known[1] if known else None

    def hear_all(self) -> bool:
        """Let them hear of what looks at them unseen; whether all can be followed."""
        while self._found and self.unfollowed:
            array = self.unfollowed.pop()
            owner, _ = _owner_and_memory(array)
            if id(owner) in self._found:
                self._found[id(owner)][1].look(array)
        return not any(block.is_lent for _, block in self._found.values())

    def protect(self) -> None:
        for _, block in self._found.values():
            block.protect()


_MOST_WORK: Any = 10_000


def _meets(array: ndarray, others: Iterable[ndarray]) -> bool:
    try:
        return any(np.shares_memory(array, other, max_work=_MOST_WORK) for other in others)
    except np.exceptions.TooHardError:
        return True


class Records(HeldArray):
    """A structured array from before: its fields are followed, and whole records go only where none of them is tracked."""

    __slots__ = ("_block",)

    _block: Block | None

    def __array_finalize__(self, source: Any) -> None:
        block = getattr(source, "_block", None)
        self._block = block if block is not None and block.has(self) else None

    def given(self, made: Any) -> Any:
        """What stands for a result: a view of the same memory, or what has been read of it."""
        block = self._block
        if block is None:
            return super().given(made)
        if type(made) is tuple or type(made) is list:
            return type(made)([self.given(one) for one in made])
        if type(made) is ndarray and block.has(made):
            return block.form(made)
        block.refuse_tracked(_RECORDS_READ)
        if isinstance(made, np.void):  # which looks at the memory
            block.lend()
        return super().given(made)

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._block is not None and isinstance(key, str):
            self[key][...] = value
        else:
            self._written("__setitem__", key, value)

    def _written(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method that writes whole records."""
        refuse_tracked([args, kwargs], _RECORDS_WRITTEN, _FIELD_BY_FIELD)
        if self._block is not None:
            self._block.refuse_tracked(_RECORDS_WRITTEN)
            self._block.protect()
        return getattr(ndarray, name)(ndarray.view(self, ndarray), *unwrap(args), **unwrap(kwargs))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        self._used()
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        self._used()
        return self.given(func(*without_held(args), **without_held(kwargs)))

    def lend(self) -> None:
        """To somebody who looks at them unseen."""
        if self._block is not None:
            self._block.refuse_tracked(_RECORDS_READ)
            self._block.lend()

    def _used(self) -> None:
        """By a function of NumPy's, which may read and write."""
        if self._block is not None:
            self._block.refuse_tracked(_RECORDS_READ)
            self._block.protect()


def _reading(name: str) -> Any:
    numpys = getattr(ndarray, name)

    def read(self: Records, *args: Any, **kwargs: Any) -> Any:
        return self.given(numpys(ndarray.view(self, ndarray), *args, **kwargs))

    read.__name__ = name
    return read


def _writing(name: str) -> Any:
    def write(self: Records, *args: Any, **kwargs: Any) -> Any:
        return self._written(name, *args, **kwargs)

    write.__name__ = name
    return write


_FLAT: Any = HeldArray.flat


def _flat(self: Records) -> Any:
    self.lend()
    return _FLAT.fget(self)


def _part(name: str) -> property:
    return property(lambda self: self.given(getattr(ndarray.view(self, ndarray), name)))


_READING = (
    "__getitem__", "__repr__", "__str__", "__eq__", "__ne__", "__contains__", "__copy__", "__deepcopy__", "__reduce__",
    "__reduce_ex__", "argpartition", "argsort", "astype", "compress", "copy", "diagonal", "dump", "dumps", "flatten",
    "getfield", "item", "nonzero", "ravel", "repeat", "reshape", "searchsorted", "squeeze", "swapaxes", "take", "tobytes",
    "tofile", "tolist", "transpose", "view",
)  # fmt: skip
for _name in _READING:
    setattr(Records, _name, _reading(_name))
for _name in ("fill", "put", "sort", "partition", "setfield", "byteswap", "resize"):
    setattr(Records, _name, _writing(_name))
for _name in ("T", "mT", "real"):
    setattr(Records, _name, _part(_name))
setattr(Records, "flat", property(_flat, _FLAT.fset))
