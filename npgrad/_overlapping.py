"""Writes into views of which several elements share memory, as `as_strided` makes them: NumPy is kept from writing into the
whole, and what raises there comes here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._leaks import refuse
from ._record import tracking_records
from ._traced import TracedArray, as_written_in_parts, is_written_in_parts, traced_leaves, unwrap, view_of


def write_in_part(write: Callable, target: TracedArray, key: Any, value: Any, basic: bool) -> None:
    """Handle NumPy's error: ``write`` where the chosen elements share no memory. If they do, what stays is what NumPy
    happens to write last, and nothing of it may be tracked."""
    if not is_written_in_parts(target):
        raise
    writable = target._bare.view()
    writable.flags.writeable = True
    if basic:
        keys = key if type(key) is tuple else (key,)
        chosen = writable[keys if any(k is Ellipsis for k in keys) else (*keys, ...)]  # no scalar
        part = as_written_in_parts(view_of(target, chosen))
        if not is_written_in_parts(part):
            return write(part, ..., value, True)
    records = tracking_records(tuple([traced._storage for traced in (target, *traced_leaves(value))]))
    if records:
        refuse(records, "several elements that share memory are written at once", "Write them one by one, or row by row.")
    writable[key] = unwrap(value)


def in_parts(in_place: Callable, out_of_place: Callable) -> Callable:
    """``target += value``, by ``out_of_place`` and a write where NumPy is kept from it."""

    def call(target: TracedArray, value: Any) -> Any:
        try:
            return in_place(target, value)
        except ValueError:
            if not is_written_in_parts(target):
                raise
            target[...] = out_of_place(target, value)
            return target

    return call
