"""Plain arrays that refuse tracked data, and untracked ones that others look at.

A plain array takes what is written into a part of it without asking anybody, and the derivative would be lost unseen:
in structured arrays that are made while a tape records, and in what masked arrays, matrices and the like hand out.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._dispatch import tracking
from ._leaks import USE_PLAIN, LeakError, leak_message, refuse
from ._moves import check_boxes
from ._objects import ObjectArray, cast_to_objects, items_of
from ._record import note_cut, noting, recording
from ._storage import RowStorage, Storage
from ._traced import PLAIN_CLASS, SeenArray, TracedArray, adopt, complete, seen, traced_leaves, unwrap

_INTO_HELD = (
    "traced data is written into a structured array or into that of a masked array or a matrix, which no tape follows"
)


WRITTEN_BY_NAME = ("flat", "real", "imag")


def refuse_tracked(arguments: Any, what: str, cure: str) -> None:
    records = tracking(traced_leaves(arguments)) if recording() else ()
    if records:
        refuse(records, what, cure)


class HeldArray(ndarray):
    """A structured array that was made while a tape records, and its fields, or what an array of another class (a masked
    array, a matrix, a record array) hands out of its memory."""

    __slots__ = ()
    __class__ = PLAIN_CLASS  # type: ignore[assignment]
    _cure = USE_PLAIN

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.get("out")
        if out is not None:
            refuse_tracked(inputs, _INTO_HELD, USE_PLAIN)
        result = getattr(ufunc, method)(*without_held(inputs), **without_held(kwargs))
        if out is not None:
            return out[0] if len(out) == 1 else out
        return adopt(result) if recording() else result

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self.given(func(*without_held(args), **without_held(kwargs)))

    def given(self, made: Any) -> Any:
        """What stands for a result: what looks at memory is held as this array is, and new numbers are traced."""
        if not recording():
            return made
        if type(made) is tuple or type(made) is list:
            return type(made)([self.given(one) for one in made])
        if type(made) is not ndarray:
            return made
        return made.view(HeldArray) if made.base is not None or made.dtype.names is not None else adopt(made)

    def view(self, *args: Any, **kwargs: Any) -> Any:
        return self.given(ndarray.view(self, *args, **kwargs))

    def __repr__(self) -> str:
        return repr(ndarray.view(self, ndarray))


def _refusing(name: str) -> Any:
    numpys = getattr(ndarray, name)

    def write(self: HeldArray, *args: Any) -> None:
        refuse_tracked(args, _INTO_HELD, USE_PLAIN)
        numpys(self, *unwrap(args))

    write.__name__ = name
    return write


for _name in ("__setitem__", "fill", "put", "setfield"):
    setattr(HeldArray, _name, _refusing(_name))


class HeldFlat:
    """``flat`` of an array that takes no tracked data, and else as NumPy's."""

    __slots__ = ("_flat",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, flat: Any) -> None:
        self._flat = flat

    def __getattr__(self, name: str) -> Any:
        return getattr(self._flat, name)

    def __getitem__(self, key: Any) -> Any:
        made = self._flat[unwrap(key)]
        return adopt(made) if type(made) is ndarray and recording() else made

    def __setitem__(self, key: Any, value: Any) -> None:
        refuse_tracked([value], _INTO_HELD, USE_PLAIN)
        self._flat[unwrap(key)] = unwrap(value)

    def __iter__(self) -> HeldFlat:
        return self

    def __next__(self) -> Any:
        return next(self._flat)

    def __len__(self) -> int:
        return len(self._flat)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self._flat.__array__(dtype)

    def copy(self) -> Any:
        return self[:]


def written_by_name(kind: type, name: str, heard: Callable[[], bool]) -> property:
    """What stands for ``flat``, ``real`` or ``imag`` of a class, into which no tracked data may be written while
    it is ``heard``."""
    numpys: Any = getattr(kind, name)

    def read(self: Any) -> Any:
        made = numpys.__get__(self)
        return HeldFlat(made) if type(made) is np.flatiter and heard() else made

    def write(self: Any, value: Any) -> None:
        refuse_tracked([value], _INTO_HELD, USE_PLAIN)
        numpys.__set__(self, unwrap(value))

    return property(read, write)


for _name in WRITTEN_BY_NAME:
    setattr(HeldArray, _name, written_by_name(ndarray, _name, lambda: bool(recording())))


class _ObjectFlat(HeldFlat):
    """``flat`` of an array of objects, which takes traced ones."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        made = self._flat[unwrap(key)]
        return made.view(ObjectArray) if type(made) is ndarray else made

    def __setitem__(self, key: Any, value: Any) -> None:
        self._flat[unwrap(key)] = value if isinstance(key, (int, np.integer)) else items_of(value)


def _comparison(compare: Callable) -> Callable:
    return lambda flat, other: compare(flat._flat, other)


for _name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
    setattr(_ObjectFlat, _name, _comparison(getattr(operator, _name)))

_FLAT: Any = vars(ndarray)["flat"]


def _flat_of_objects(array: ObjectArray) -> Any:
    return _ObjectFlat(_FLAT.__get__(array)) if recording() else _FLAT.__get__(array)


def _fill_flat(array: ObjectArray, value: Any) -> None:
    _FLAT.__set__(array, items_of(value) if recording() else value)


setattr(ObjectArray, "flat", property(_flat_of_objects, _fill_flat))

# Arrays of other classes that hold what no tape follows by itself.
HOLDING: dict[str, type[ndarray]] = {"V": HeldArray, "O": ObjectArray}
HOLDERS = tuple(HOLDING.values())


def held(value: Any) -> Any:
    """What takes no tracked data, if it is a plain array and a tape records."""
    return value.view(HeldArray) if type(value) is ndarray and recording() else value


def cast(traced: TracedArray, plain: Any, dtype: Any) -> Any:
    """What stands for an array that NumPy has cast to a type that is not of floating numbers."""
    check_boxes(traced, dtype)
    if dtype.kind == "O":
        return cast_to_objects(traced, plain)
    if noting:
        note_cut([traced._storage], f"a cast to {dtype}")
    return held(plain) if dtype.names else seen(plain)


def held_like(source: Any, made: Any) -> Any:
    """A plain view of an array, as held as that is."""
    if isinstance(source, HeldArray):
        return source.given(made)
    return held(made) if is_foreign(source) else made


def structured(made: ndarray, source: Any) -> Any:
    """A structured array that was made of these data."""
    refuse_tracked(source, "traced data is put into a structured array", USE_PLAIN)
    return held(made)


def without_held(value: Any) -> Any:
    if isinstance(value, HeldArray):
        return ndarray.view(value, ndarray)
    if type(value) in (tuple, list):
        return type(value)([without_held(item) for item in value])
    return {name: without_held(item) for name, item in value.items()} if type(value) is dict else value


_NO_TRACKED = "traced data is written into an array whose memory an array of another class looks at, which no tape follows"
_NO_SAVING = "a derivative needs the values of an array whose memory an array of another class may overwrite unseen"
_A_COPY = "Make that of a copy: np.array(a).view(...), np.ma.array(a, copy=True)."


class LentStorage(RowStorage):
    """Of an untracked array at whose memory one of a foreign class looks, which would not hear that it is tracked."""

    __slots__ = ()

    @property
    def tracked(self) -> frozenset:  # type: ignore[override]
        return _TRACKED.__get__(self)

    @tracked.setter
    def tracked(self, tokens: frozenset) -> None:
        if tokens:
            raise LeakError(leak_message(_NO_TRACKED, _A_COPY))


class WritableStorage(LentStorage):
    """As `LentStorage`, where the foreign array may write: no value of it can be saved."""

    __slots__ = ()

    @property
    def epoch(self) -> None:  # type: ignore[override]
        return None

    @epoch.setter
    def epoch(self, epoch: Any) -> None:
        if epoch is not None:
            raise LeakError(leak_message(_NO_SAVING, _A_COPY))


_TRACKED: Any = vars(Storage)["tracked"]


def lend(traced: TracedArray, writable: bool = False) -> Any:
    """The memory of an untracked array, for an array of a foreign class. One that has been saved from is read-only there."""
    bare, storage = traced._bare, traced._storage
    if not isinstance(bare, ndarray) or storage.is_variable or not recording():
        return bare
    writable = writable and storage.epoch is None and type(storage) is not LentStorage
    storage.__class__ = WritableStorage if writable else LentStorage
    if not writable:
        bare = bare.view()
        bare.flags.writeable = False
    return bare


def lent(value: Any) -> Any:
    """An argument for code whose arrays no tape follows."""
    if isinstance(value, TracedArray):
        complete([value])
        return lend(value)
    return unwrap(value)


def is_foreign(value: Any) -> bool:
    """Whether it is an array of a class with an arithmetic of its own."""
    return isinstance(value, ndarray) and type(value) is not ndarray and not isinstance(value, (SeenArray, *HOLDERS))


def nothing_tracked(values: Any) -> bool:
    return not (recording() and tracking(traced_leaves(list(values))))
