"""Sweeps that say where a derivative stopped being finite: what ``check_nan=True`` repeats a sweep with."""

from __future__ import annotations

from typing import Any, NoReturn

from ._forward_sweep import ForwardSweep
from ._inspection import place_of
from ._record import Record
from ._storage import Storage
from ._sweep import ReverseSweep, is_clean


class NonFiniteError(FloatingPointError):
    """A derivative is infinite or not a number; the message names the call and the line where it became so.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> try:
    ...     ng.grad(lambda x: np.sqrt(x - 1), check_nan=True)(1.0)
    ... except ng.NonFiniteError as error:
    ...     print(str(error).partition(": ")[2].partition(". ")[0])
    the derivative of sqrt is not finite here
    """

    __module__ = "npgrad"  # where users find it


class CheckedReverse(ReverseSweep):
    """A careful reverse sweep that looks at each cotangent as it arrives."""

    __slots__ = ("record",)

    def __init__(self, batch: tuple, traced: bool, record: Record) -> None:
        super().__init__(batch, traced, True)
        self.record = record

    def run(self, entries: list, low: int, high: int) -> None:
        for position in range(high - 1, low - 1, -1):
            entry = entries[position]
            if entry is not None:
                entry[0].reverse(self, entry)
                _check(self, position, entry[0].ins(entry))


class CheckedForward(ForwardSweep):
    """A careful forward sweep that looks at each tangent."""

    __slots__ = ("record",)

    def __init__(self, batch: tuple, traced: bool, record: Record) -> None:
        super().__init__(batch, traced, True)
        self.record = record

    def run(self, entries: list, low: int, high: int, ends: Any) -> None:
        for position in range(low, high):
            entry = entries[position]
            entry[0].forward(self, entry)
            _check(self, position, entry[0].outs(entry))


def _check(sweep: Any, position: int, storages: tuple[Storage, ...]) -> None:
    for storage in storages:
        shadow = sweep.shadows.get(storage)
        if shadow is not None and not is_clean(shadow):
            _blame(sweep.record, position)


def _blame(record: Record, position: int) -> NoReturn:
    text = f"{place_of(record, position)}: the derivative of {_name(record, position)} is not finite here"
    origin = _origin(record, position)
    if origin is not None:
        text += f"; its values were not finite before: {_name(record, origin)} at {place_of(record, origin)} gave them"
    raise NonFiniteError(f"{text}. Keep the point away from there, or take such elements out before (docs/kinks.md)")


def _name(record: Record, position: int) -> str:
    entry = record.entries[position]
    return entry[0].name(entry)


def _origin(record: Record, position: int) -> int | None:
    """The call that first gave values that are not finite, if the call at ``position`` had such arguments."""
    found = None
    while True:
        entry = record.entries[position]
        ins, values = entry[0].ins(entry), entry[0].values(entry)
        bad = [storage for storage, value in values if storage in ins and not is_clean(value)]
        moved = ins if found is not None and not values else ()
        makers = [p for s in (*bad, *moved) for p in range(position) if s in record.entries[p][0].outs(record.entries[p])]
        if not makers:
            return found
        position = found = makers[-1]
