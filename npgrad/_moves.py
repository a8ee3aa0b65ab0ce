"""Moving data: copies, element reads, writes, and the protection of saved values before a write."""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np
from numpy import ndarray

from ._elements import boxed
from ._handed_out import handed_out
from ._leaks import USE_PLAIN, refuse, user_location
from ._move_entries import COPY, GATHER, READ, SCATTER, WRITE
from ._overlaps import may_meet, reads_itself, reads_what_it_wrote, write_by_origin, write_last
from ._plain_values import save_constant
from ._record import Record, owners, recording, refuse_foreign, single, token_set, track, tracking_records
from ._storage import NOTHING, Exact, IndexView, RowStorage, Storage, StridedView, ViewEpoch, is_saved, new_epoch
from ._traced import (
    FLOAT64,
    TracedArray,
    adopt,
    fresh,
    fresh_scalar,
    is_inexact,
    over,
    root_of,
    traced_leaves,
    unwrap,
)

_asarray, _array, _new_storage = np.asarray, np.array, Storage  # NumPy's own also while a tape records

# --- Saved values --------------------------------------------------------------------------------------------------


def keep(traced: TracedArray) -> tuple[Any, Any]:
    """Save the value of an array: its plain data and the epoch that protects it."""
    bare = traced._bare
    if type(bare) is not ndarray:
        return bare, None
    if traced._view is not None:
        return keep_view(traced)
    storage = traced._storage
    epoch = storage.epoch
    if epoch is None:
        epoch = storage.epoch = new_epoch()
    return bare, epoch


def keep_view(traced: TracedArray) -> tuple[Any, Any]:
    storage = traced._storage
    if storage.copies_views:
        copy = copied(traced)
        return copy._bare, Exact(copy)
    epoch = storage.epoch
    if epoch is None:
        epoch = storage.epoch = new_epoch()
    epoch.__class__ = ViewEpoch
    return traced._bare, epoch


def keep_result(traced: TracedArray) -> tuple[Any, Any]:
    """As `keep`, for a result that was written into an array and whose entry is not in the record yet: a recorded copy
    must come after that entry, and is left to `settle`."""
    if traced._view is not None and traced._storage.copies_views:
        return traced._bare, Exact(None)
    return keep(traced)


def settle(traced: TracedArray, epoch: Any) -> None:
    if type(epoch) is Exact:
        epoch.copy = copied(traced)


def saved_operand(value: Any) -> tuple[Any, Any, Any, Any]:
    """What an entry keeps of an argument that a rule needs: (plain data, epoch, storage, view)."""
    if isinstance(value, TracedArray):
        return (*keep(value), value._storage, value._view)
    return (*save_constant(value, user_location), None, None)


def protect(traced: TracedArray) -> None:
    """To be called before the memory of an array is written: leave a copy for those who saved a value of it."""
    storage = traced._storage
    if storage.epoch is None:
        return
    if not is_saved(storage):  # whoever saved a value has let it go
        storage.epoch = None
        return
    epoch = storage.epoch
    root = root_of(traced)
    epoch.copy = copied(over(root, storage, None))
    storage.epoch = None
    if epoch.by_view and type(traced._storage) is not RowStorage and not storage.is_variable:
        storage.__class__ = RowStorage


# --- Copies and reads ----------------------------------------------------------------------------------------------


def tracked_by(traced: TracedArray) -> tuple[Record, ...]:
    storage = traced._storage
    tokens = storage.tracked
    if not tokens and not storage.is_variable:
        return ()
    record = single()
    if record is not None:
        return (record,) if tokens is record.alone or record.tracks(storage) else ()
    if not recording():
        refuse_foreign(storage)
        return ()
    return tracking_records((storage,))


def check_boxes(traced: TracedArray, dtype: Any) -> None:
    """An array of records, filled by NumPy itself, would hold plain numbers."""
    if dtype.kind == "V" and (records := tracked_by(traced)):
        refuse(records, f"an array of dtype {dtype} takes plain numbers from a traced array", USE_PLAIN)


def move(traced: TracedArray, result: Any) -> Any:
    """Record that ``result`` was made from all of ``traced`` by copying, casting or broadcasting."""
    if not recording():
        tracked_by(traced)
        return result
    made = adopt(result)
    if isinstance(made, TracedArray):
        records = tracked_by(traced)
        if records:
            made._storage.tracked = token_set(records)
            entry = (COPY, made._storage, None, traced._storage, traced._view)
            for record in records:
                record.append(entry)
    return made


def copied(traced: TracedArray, order: Any = "K") -> TracedArray:
    """A copy, traced in any case."""
    bare = traced._bare.copy(order) if type(traced._bare) is ndarray else traced._bare
    moved = move(traced, bare)
    return moved if isinstance(moved, TracedArray) else fresh(moved)


def read_element(traced: TracedArray, key: Any, r: Any) -> Any:
    """The scalar ``traced[key]``, which in NumPy is a copy."""
    dtype = r.dtype
    if dtype is not FLOAT64 and not is_inexact(dtype):
        return r
    record = single()
    if record is not None:
        storage = traced._storage
        tracked, tokens = record.alone, storage.tracked
        if tokens is tracked or ((tokens or storage.is_variable) and record.tracks(storage)):
            # `fresh_scalar`, written out: programs that go over elements do little else.
            out: Any = _asarray(r).view(TracedArray)
            out._storage = made = _new_storage()
            made.tracked = tracked
            made.epoch = None
            made.shape = ()
            made.dtype = dtype
            out._bare = r
            out._view = None
            record.append((READ, made, storage, traced._view, key))
            return out
        return fresh_scalar(r, NOTHING)
    if not recording():
        tracked_by(traced)
        return r
    out = fresh_scalar(r, NOTHING)
    records = tracked_by(traced)
    if records:
        out._storage.tracked = token_set(records)
        entry = (READ, out._storage, traced._storage, traced._view, key)
        for record in records:
            record.append(entry)
    return out


def gather(traced: TracedArray, key: Any, r: Any) -> Any:
    """The copy ``traced[key]`` for an advanced index."""
    if not recording():
        tracked_by(traced)
        return r
    made = adopt(r)
    records = tracked_by(traced)
    if records and isinstance(made, TracedArray):
        made._storage.tracked = token_set(records)
        key, moved = frozen_key(key)
        entry = (GATHER, made._storage, traced._storage, traced._view, key, moved)
        for record in records:
            record.append(entry)
    return made


def frozen_key(key: Any) -> tuple[tuple, bool]:
    """An advanced index that later changes of its arrays do not reach, and whether its parts are separated."""
    keys = key if type(key) is tuple else (key,)
    frozen = []
    for k in keys:
        if isinstance(k, (ndarray, list, tuple)):
            k = _array(unwrap(k))
            if k.dtype.kind == "f" and k.size == 0:
                k = k.astype(np.intp)
        frozen.append(k)
    is_index = [not (k is None or k is Ellipsis or isinstance(k, slice)) for k in frozen]
    positions = [i for i, chosen in enumerate(is_index) if chosen]
    separated = any(not is_index[i] for i in range(positions[0], positions[-1])) if positions else False
    return tuple(frozen), separated


def assemble(parts: Any, dtype: Any = None, copy: Any = True) -> Any:
    """What ``np.array`` makes of nested sequences with traced arrays among their items: each is followed."""
    given, parts = parts, handed_out(parts)
    if isinstance(parts, TracedArray):
        return parts
    leaves: list[tuple[tuple[int, ...], TracedArray]] = []
    if type(parts) in (list, tuple):
        _collect(parts, (), leaves)
    plain = _array(unwrap(parts) if type(parts) in (list, tuple) else parts, dtype=dtype)
    if plain.dtype.kind == "O" and leaves:
        plain = _array(_unwrapped_deeply(parts), dtype=dtype)
        for place, leaf in leaves if recording() else ():
            if len(place) + bool(leaf.ndim) > plain.ndim:  # rows of several lengths stay the objects that they are
                place = place[: plain.ndim]
                plain[place] = functools.reduce(operator.getitem, place, given)
            else:
                plain[place] = boxed(leaf) if leaf.ndim else leaf  # an object array keeps what it is given
    if plain.dtype.names and leaves:
        records = tuple(record for _, leaf in leaves for record in tracked_by(leaf))
        refuse(records, "traced data is put into a structured array", USE_PLAIN)
    if not leaves or not is_inexact(plain.dtype) or not recording():
        for _, leaf in leaves:
            tracked_by(leaf)
        return plain
    made = fresh(plain)
    storage = made._storage
    for place, leaf in leaves:
        records = tracked_by(leaf)
        if records:
            storage.tracked = storage.tracked | token_set(records)
            entry = (WRITE, storage, None, place, leaf._storage, leaf._view)
            for record in records:
                record.append(entry)
    return made


def arrays_of(parts: Any) -> list:
    """The parts of a sequence, with an array for each that is itself a list with traced arrays inside, or gives one."""
    return [assemble(part) if type(part) in (list, tuple) and traced_leaves(part) else part for part in handed_out(parts)]


def _collect(parts: Any, place: tuple[int, ...], leaves: list) -> None:
    for position, part in enumerate(parts):
        if isinstance(part, TracedArray):
            leaves.append(((*place, position), part))
        elif type(part) is list or type(part) is tuple:
            _collect(part, (*place, position), leaves)


def _unwrapped_deeply(parts: Any) -> Any:
    if isinstance(parts, TracedArray):
        return parts._bare
    return [_unwrapped_deeply(part) for part in parts] if type(parts) in (list, tuple) else parts


# --- Writes --------------------------------------------------------------------------------------------------------


def write_targets(target: TracedArray, value: Any) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """The tapes that record a write: those that track the value here, and those that track the destination."""
    from_value = tracked_by(value) if isinstance(value, TracedArray) else ()
    storage = target._storage
    others = tuple(record for record in owners(storage) if record not in from_value) if storage.tracked else ()
    if (storage.tracked or storage.is_variable) and not recording():
        refuse_foreign(storage)
    if from_value:
        track(storage, token_set(from_value))
    return from_value, others


def write(target: TracedArray, key: Any, value: Any, basic: bool) -> None:
    """``target[key] = value``, value an array or scalar, traced or not."""
    bare = target._bare
    storage = target._storage
    if not basic and reads_itself(target, value) and _is_whole_mask(target, key):
        return write_by_origin(target, value, lambda numbers, source: numbers.__setitem__(key, source))
    is_traced = isinstance(value, TracedArray)
    if is_traced and value._storage is storage:
        if basic and _is_own_part(value._view, target._view, key):
            return
        if basic and reads_what_it_wrote(bare[key], value._bare):
            return write_by_origin(target, value, lambda numbers, source: numbers.__setitem__(key, source))
    view = target._view
    if type(view) is StridedView and is_traced and may_meet(target, key, basic) and tracked_by(value):
        return write_last(target, key, value)
    if storage.epoch is not None:
        protect(target)
    bare[key] = value._bare if is_traced else value
    record = single()
    if record is not None and basic:
        # The short way: no other tape than the one that records here tracks the destination.
        alone, tokens = record.alone, storage.tracked
        if tokens is alone or not tokens:
            if is_traced:
                s = value._storage
                t = s.tracked
                if t is alone or ((t or s.is_variable) and record.tracks(s)):
                    storage.tracked = alone
                    record.append((WRITE, storage, view, key, s, value._view))
                    return
            if tokens:
                record.append((WRITE, storage, view, key, None, None))
            return
    from_value, others = write_targets(target, value)
    if not from_value and not others:
        return
    moved = False
    if not basic:
        key, moved = frozen_key(key)
    if from_value:
        _append_write(from_value, target, key, basic, moved, value._storage, value._view)
    if others:
        _append_write(others, target, key, basic, moved, None, None)


def _is_own_part(view: Any, parent: Any, key: Any) -> bool:
    """Whether ``target[key] = value`` writes ``target[key]`` itself: Python ends ``u[1:] += v`` with such a write."""
    # Equal, too: newer versions of Python make the slice anew for the write.
    if type(view) is not IndexView or view.parent is not parent:
        return False
    return view.key is key or (type(view.key) is type(key) and view.key == key)  # no NumPy integer and tuple


def _is_whole_mask(target: TracedArray, key: Any) -> bool:
    if type(key) is tuple and len(key) == 1:
        key = key[0]
    if type(key) is list:
        key = np.asarray(key)
    return isinstance(key, ndarray) and key.dtype == np.bool_ and key.ndim == target.ndim


def _append_write(records: Any, target: TracedArray, key: Any, basic: bool, moved: bool, s: Any, v: Any) -> None:
    storage, view = target._storage, target._view
    if basic:
        entry: tuple = (WRITE, storage, view, key, s, v)
    else:
        entry = (SCATTER, storage, view, key, moved, s, v)
    for record in records:
        record.append(entry)


def overwrite(target: TracedArray, exact: Any) -> None:
    """Replace the value of an array that was computed by a body of ours with NumPy's own bits."""
    if type(target._bare) is ndarray:
        target._bare[...] = exact
    else:
        target._bare = exact[()]  # a NumPy scalar, also where a 0-d array is given
        ndarray.__setitem__(target, ..., exact)
