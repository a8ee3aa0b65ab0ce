"""Iterators of NumPy's from before a tape, with what stands for the arrays that they go over."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ._broadcast import TracedBroadcast
from ._flat import Flat
from ._holders import HeldFlat
from ._memory import Records
from ._nditer import TracedIterator
from ._traced import TracedArray

ITERATORS = frozenset({np.flatiter, np.nditer, np.broadcast})


def numpys_iterator_of(value: Any, form: Callable[[Any], Any], undo: list[Callable[[], Any]]) -> Any:
    """An iterator over what stands for its arrays, at the same place; what puts the first one there, too, is added to
    ``undo``."""
    if type(value) is np.broadcast:
        return _broadcast_of(value, form)
    return _flat_of(value, form, undo) if type(value) is np.flatiter else _nditer_of(value, form)


def _broadcast_of(value: np.broadcast, form: Callable[[Any], Any]) -> Any:
    """It goes on where NumPy's is, and that with it."""
    arrays = [one.base for one in value.iters]
    parts = [form(array) for array in arrays]
    return value if all(map(operator.is_, parts, arrays)) else TracedBroadcast(value, tuple(parts))


def _flat_of(value: np.flatiter, form: Callable[[Any], Any], undo: list[Callable[[], Any]]) -> Any:
    array = form(value.base)
    if not isinstance(array, TracedArray):
        if isinstance(array, Records):
            array.lend()
        return HeldFlat(value)
    made = Flat(array, value.index)

    def advance() -> None:
        if made.index < value.index:
            value[:0]  # which begins again
        for _ in range(made.index - value.index):
            next(value)

    undo.append(advance)
    return made


def _nditer_of(value: np.nditer, form: Callable[[Any], Any]) -> Any:
    """It is at the same place, as it is NumPy's own below."""
    try:
        operands = value.operands
    except ValueError:  # it is closed
        return value
    return TracedIterator(value, [form(operand) for operand in operands])


def _plain_flat(value: Flat, form: Callable[[Any], Any]) -> np.flatiter:
    made = form(value.base).flat
    for _ in range(value.index):
        next(made)
    return made


def _plain_below(value: Any, form: Callable[[Any], Any]) -> Any:
    for array in value.operands if type(value) is TracedIterator else value.parts:
        form(array)
    return value._made


# What stood for NumPy's iterators in a call that is over -> what makes NumPy's own of it, at the same place.
GIVEN_BACK: dict[Any, Callable[[Any, Callable[[Any], Any]], Any]] = {
    Flat: _plain_flat,
    HeldFlat: lambda value, form: value._flat,
    TracedIterator: _plain_below,
    TracedBroadcast: _plain_below,
}
