"""Writes where elements share memory: with each other, or with what is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._leaks import NoRuleError, leak_message
from ._storage import StridedView, address, has_overlaps, memory_order
from ._traced import TracedArray, over, root_of, view_of


def _cells(target: TracedArray, dtype: Any) -> TracedArray:
    """The memory that an array looks at as a row of numbers of one type."""
    whole = over(root_of(target), target._storage, None)
    row = whole._bare.transpose(memory_order(whole._bare)).reshape(-1)
    return view_of(whole, row.view(dtype))


# --- What is written looks at the memory that is written -----------------------------------------------------------


def reads_itself(target: TracedArray, value: Any) -> bool:
    """Whether the value of a write looks at the memory that is written."""
    return (
        isinstance(value, TracedArray)
        and value._storage is target._storage
        and np.may_share_memory(value._bare, target._bare)
    )


def reads_what_it_wrote(row: Any, source: Any) -> bool:
    """NumPy copies a source that overlaps with what it is written to, but not where that is one row which runs the same way:
    if the steps differ (``a[::2] = a[:3]``) later elements read what earlier ones have written."""
    if type(row) is not ndarray or type(source) is not ndarray or row.ndim != 1 or row.size < 2 or not source.ndim:
        return False
    step, other = row.strides[0], source.strides[-1]
    if step == other or step * other < 0:
        return False
    return np.shares_memory(row, source if row.dtype.kind == "c" else source.real)  # a real row takes real parts


def write_by_origin(target: TracedArray, value: TracedArray, move_elements: Callable[[ndarray, ndarray], None]) -> None:
    """A write where NumPy makes no copy of a value that looks at the same memory (masks and ``flat``): later elements
    may read what earlier ones have written. Numbers are moved in the same way to find where each element comes from."""
    root = root_of(target)
    cells = _cells(target, root.real.dtype)
    numbers = np.arange(cells.size).astype(cells.dtype)

    def part(bare: ndarray, memory: ndarray) -> ndarray:
        return ndarray(bare.shape, bare.dtype, memory, address(bare) - address(root), bare.strides)

    if value.dtype.kind == "c" and target.dtype.kind != "c":
        scratch = numbers.copy()
        move_elements(part(target._bare, scratch), part(value._bare, scratch))  # of which NumPy warns
        value = view_of(value, value._bare.real)
    if value.dtype != target.dtype or int(numbers[-1]) != cells.size - 1:
        before, after = numbers.copy(), numbers.copy()
        if int(numbers[-1]) == cells.size - 1:
            move_elements(part(target._bare, before), part(value._bare, before))
            move_elements(part(target._bare, after), part(value._bare, numbers))
            if before.tobytes() == after.tobytes():
                return move_elements(target, value.copy())  # nothing is read after it was written
        what = "a write by mask or flat reads the memory that it writes"
        raise NoRuleError(leak_message(what, "Copy the value first."))
    move_elements(part(target._bare, numbers), part(value._bare, numbers))
    cells[...] = cells[numbers.astype(np.intp)]


# --- Elements of the destination share memory ----------------------------------------------------------------------


def may_meet(target: TracedArray, key: Any, basic: bool) -> bool:
    """Whether ``target[key]`` may have elements that share memory (never wrong when it says no)."""
    view = target._view
    if not getattr(view, "overlaps", False):
        return False
    part = target._bare[key] if basic else target._bare
    return isinstance(part, ndarray) and has_overlaps(part)


def write_last(target: TracedArray, key: Any, value: TracedArray) -> None:
    """``target[key] = value`` where elements of the destination share memory: what is written last stays. Numbers are
    written in the same way to find what that is, and it alone is moved."""
    view = target._view
    assert isinstance(view, StridedView)
    order = np.empty_like(value._bare, np.intp)
    order[...] = np.arange(value.size).reshape(value.shape)
    cells = _cells(target, target.dtype)
    last = np.full(cells.size, -1)
    numbers = view.in_row(last)
    numbers.flags.writeable = target._bare.flags.writeable  # its own error
    numbers[key] = order
    places = np.flatnonzero(last >= 0)
    cells[places] = value.reshape(-1)[last[places]]


def copy_alike(array: TracedArray) -> ndarray:
    """A plain copy, whose elements share memory where those of the array do."""
    view = array._view
    if not isinstance(view, StridedView) or not view.overlaps:
        return np.array(array._bare, order="K")
    return view.in_row(_cells(array, array.dtype)._bare.copy())


def refuse_overlaps(target: TracedArray, what: str) -> None:
    """Raise where elements of a destination share memory: what is there at last depends on the order in which ``what`` goes
    over them, and on whether NumPy does so in a copy."""
    view = target._view
    if type(view) is not StridedView or not view.overlaps:
        return
    places = view.in_row(np.arange(_cells(target, target.dtype).size))
    if np.unique(places).size < places.size:
        raise NoRuleError(
            leak_message(
                f"{what} writes into a view whose elements share memory (as_strided, sliding_window_view), in an order that "
                "NumPy does not specify",
                "Compute the result first and assign it (view[...] = result), or write into the array itself in a loop.",
            )
        )
