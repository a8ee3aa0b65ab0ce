"""Forms of methods of sparse matrices that look at the values of their entries, or keep these one by one, in lists and
dicts: there tracked entries are traced numbers, which what is not followed refuses.

An entry that is tracked stays where it is zero, for it has a derivative.
"""

from __future__ import annotations

import bisect
import copy
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ._constants import plain_copy
from ._creators import TRACED_CREATORS
from ._dispatch import tracking
from ._record import recording
from ._traced import TracedArray, traced_leaves, unwrap

_array = TRACED_CREATORS[np.array]


def _where_tracked(tracked: Callable) -> Callable[[Callable], Callable]:
    """What makes the form of a method: ``tracked(method, matrix, *args)`` where its matrix or last argument is tracked."""

    def form(method: Callable) -> Callable:
        @functools.wraps(method)
        def in_place(matrix: Any, *args: Any, **kwargs: Any) -> Any:
            if recording():
                held = [getattr(matrix, "data", None), *args[-1:]]
                if tracking(traced_leaves(held)):
                    return tracked(method, matrix, *args, **kwargs)
                args = tuple([plain_copy(value) for value in args])
            return method(matrix, *args, **kwargs)

        return in_place

    return form


def _keeps_zeros(method: Callable, matrix: Any) -> None:
    """The entries that are zero stay."""


def _in_coordinates(method: Callable, matrix: Any, *args: Any, **kwargs: Any) -> Any:
    """The entries of diagonals by their numbers, which are not zero."""
    numbered = copy.copy(matrix)
    numbered.data = np.arange(1.0, matrix.data.size + 1).reshape(matrix.data.shape)
    made = method(numbered, *args, **kwargs)
    made.data = matrix.data.reshape(-1)[made.data.astype(np.intp) - 1]
    return made


def _set_in_rows(method: Callable, matrix: Any, row: int, column: int, x: Any) -> None:
    method(matrix, row, column, 1)
    matrix.data[row][bisect.bisect_left(matrix.rows[row], column)] = x


def _set_in_dict(method: Callable, matrix: Any, row: int, column: int, x: Any) -> None:
    matrix._dict[int(row), int(column)] = x


def _set_several(method: Callable, matrix: Any, rows: Any, columns: Any, x: Any) -> None:
    for row, column, value in zip(unwrap(rows).flat, unwrap(columns).flat, x.reshape(-1), strict=True):
        matrix._set_intXint(int(row), int(column), value)


keeping_zeros = _where_tracked(_keeps_zeros)
in_coordinates = _where_tracked(_in_coordinates)
setting_in_rows = _where_tracked(_set_in_rows)
setting_in_dict = _where_tracked(_set_in_dict)
setting_several = _where_tracked(_set_several)


def getting(method: Callable) -> Callable:
    """The form of a method that gives one entry."""

    @functools.wraps(method)
    def in_place(matrix: Any, row: int, column: int) -> Any:
        place = bisect.bisect_left(matrix.rows[row], column)
        found = matrix.data[row][place] if matrix.rows[row][place : place + 1] == [column] else None
        return found if isinstance(found, TracedArray) and recording() else method(matrix, row, column)

    return in_place


def _of_numbers(held: str, entries: Callable[[Any], list], plain: Callable[[Any], Any]) -> Callable[[Callable], Callable]:
    """What makes the form of a method that gives a matrix with its entries in an array. ``entries`` and ``plain`` are of the
    attribute that holds them."""

    def form(method: Callable) -> Callable:
        @functools.wraps(method)
        def in_place(matrix: Any, *args: Any, **kwargs: Any) -> Any:
            numbers = entries(getattr(matrix, held)) if recording() else []
            if not tracking(traced_leaves(numbers)):
                return method(matrix, *args, **kwargs)
            bare = copy.copy(matrix)
            setattr(bare, held, plain(getattr(matrix, held)))
            made = method(bare, *args, **kwargs)
            made.data = _array(numbers, matrix.dtype)
            return made

        return in_place

    return form


def by_rows(method: Callable) -> Callable:
    """The form of a method of matrices of lists that is the same as of those in rows."""

    @functools.wraps(method)
    def in_place(matrix: Any, *args: Any, **kwargs: Any) -> Any:
        is_tracked = recording() and tracking(traced_leaves(matrix.data.tolist()))
        return getattr(matrix.tocsr(), method.__name__)(*args, **kwargs) if is_tracked else method(matrix, *args, **kwargs)

    return in_place


def _plain_rows(rows: Any) -> Any:
    made = np.empty_like(rows)
    for n, row in enumerate(rows):
        made[n] = unwrap(row)
    return made


of_rows = _of_numbers("data", lambda rows: [value for row in rows for value in row], _plain_rows)
of_dict = _of_numbers("_dict", lambda entries: list(entries.values()), unwrap)
