"""What a program has kept of earlier calls, as in a table of results: its derivative went with the tape of that call.

Between the calls it is plain (see ``_leftovers``). In a later one the search finds it here, so that a program that looks its
result up in place of computing it is refused, and not taken for a constant.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import numpy as np
from numpy import ndarray

from ._constants import plain_copy
from ._storage import NOTHING
from ._traced import SeenArray, TracedArray, over, unwrap

# Nobody says when a number is gone: of so many at most it is known.
_MOST_NUMBERS = 10_000

# By identity: the array, weakly, or the number; and what tracked it.
_arrays: dict[int, tuple[weakref.ref, frozenset]] = {}
_numbers: dict[int, tuple[Any, frozenset]] = {}
# By identity: the array, the storage and the traced array, all weakly.
_stood: dict[int, tuple[weakref.ref, weakref.ref, weakref.ref]] = {}
_NOBODY = (lambda: None,) * 3
_lock = threading.Lock()


def kept_copy(value: SeenArray) -> Any:
    """A plain copy of an array or number, with what tracked it remembered."""
    if not isinstance(value, TracedArray):
        return np.array(unwrap(value))
    plain = plain_copy(value)
    if value._storage.tracked:
        keep(plain, value._storage.tracked)
    return plain


def keep(plain: Any, tracked: frozenset) -> None:
    """Remember plain data that stood for what these tokens tracked."""
    key = id(plain)
    if isinstance(plain, ndarray):
        _arrays[key] = weakref.ref(plain, lambda _: _arrays.pop(key, None)), tracked
        return
    with _lock:
        if len(_numbers) >= _MOST_NUMBERS:
            del _numbers[next(iter(_numbers))]
        _numbers[key] = plain, tracked


def remember_stand_in(plain: ndarray, whole: TracedArray) -> None:
    """Remember what stood for the plain array of a whole memory in a call that is over: something may still hold it where
    nothing can take its place, as a cache and the frame of a generator do."""
    key = id(plain)
    refs = weakref.ref(whole._storage), weakref.ref(whole)
    _stood[key] = weakref.ref(plain, lambda _: _stood.pop(key, None)), *refs


def stand_in_of(plain: ndarray) -> TracedArray | None:
    """What stood for a plain array in an earlier call, or another one with its storage, if that is still held somewhere: in
    a later call it is what stands for the array again, so that all who have it see the same."""
    _, get_storage, get_whole = _stood.get(id(plain), _NOBODY)
    storage, whole = get_storage(), get_whole()
    if storage is None or storage.shape != plain.shape or storage.dtype != plain.dtype:
        return None
    return over(plain, storage, None) if whole is None else whole


def tracked_once(value: Any) -> frozenset:
    """The tokens of tapes that tracked a plain array or number when it was kept."""
    found = _arrays.get(id(value)) or _numbers.get(id(value))
    return NOTHING if found is None else found[1]


def is_kept_number(value: Any) -> bool:
    return id(value) in _numbers
