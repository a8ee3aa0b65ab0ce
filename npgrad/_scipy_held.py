"""What objects of SciPy's hold that may be tracked, and what its functions hold on the way from the user's code to a
creator.

The Python code of ``scipy.sparse`` is followed where a matrix whose entries are tracked is on that way, and nowhere else:
what it makes of plain data compiled code may write into.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType
from typing import Any, cast

from numpy import ndarray

from ._dispatch import tracking
from ._following import LISTS, attributes_of
from ._leaks import refuse
from ._traced import TracedArray, fresh, is_inexact, traced_leaves

_SPARSE = "scipy.sparse."
# Of its packages, which hand matrices to compiled code, with the functions that do not.
_COMPILED = ("scipy.sparse.linalg.", "scipy.sparse.csgraph.")
_IN_PYTHON = {"scipy.sparse.linalg.norm", "scipy.sparse.linalg.MatrixLinearOperator._matmat"}
# What makes all of them of dense ones.
_FROM_DENSE = "scipy.sparse._coo"
_CONTAINERS = (list, tuple, dict)


def held_by(value: Any) -> dict[str, Any]:
    """What an object holds that may be tracked."""
    kind: Any = type(value)
    found = [next((name for name in names if hasattr(value, name)), None) for names in attributes_of(kind)]
    return {name: getattr(value, name) for name in found if name is not None}


def in_arrays(value: Any) -> Any:
    """A matrix that holds its entries in lists, some of them tracked, as SciPy multiplies with it: in arrays."""
    held = LISTS.get(type(value))
    return value.tocsr() if held is not None and tracking(traced_leaves(getattr(value, held).tolist())) else value


def leaves_of(value: Any) -> list[TracedArray]:
    """The traced arrays in a value, also in the objects of SciPy's in it."""
    kind: Any = type(value)
    if isinstance(value, ndarray):
        if isinstance(value, TracedArray):
            return [value]
        return leaves_of(value.ravel().tolist()) if kind is ndarray and value.dtype.kind == "O" else []
    if kind in _CONTAINERS:
        return [leaf for item in (value.values() if kind is dict else value) for leaf in leaves_of(item)]
    return leaves_of([*held_by(value).values()]) if attributes_of(kind) else []


def is_sparse_code(name: str) -> bool:
    """Whether a public function of SciPy's is one for sparse matrices that is written in Python."""
    return name.startswith(_SPARSE) and (not name.startswith(_COMPILED) or name in _IN_PYTHON)


def records_on_the_way(frame: FrameType, given: Any) -> tuple:
    """The tapes that track what code for sparse matrices holds, or what it gives to a creator. The matrix whose method it is
    gets such data, so its own are made traced."""
    records = tracking(leaves_of(given))
    for outer in () if records else _frames(frame):
        records = tracking(leaves_of([*outer.f_locals.values()]))
        if records:
            break
    if records:
        for outer in _frames(frame):
            _prepare(outer, records)
    return records


def _frames(frame: FrameType) -> Iterator[FrameType]:
    outer = cast("FrameType | None", frame)
    while outer is not None and (outer.f_globals.get("__name__") or "").startswith("scipy."):
        yield outer
        outer = outer.f_back


def _prepare(frame: FrameType, records: tuple) -> None:
    """Make plain data of the matrix traced, and refuse a dense matrix that is to be a sparse one: which of its zeros are
    entries nobody can tell, and as entries all of them have derivatives."""
    names = frame.f_locals
    if frame.f_code.co_name == "__init__" and frame.f_globals["__name__"] == _FROM_DENSE:
        dense = names.get("arg1")
        if isinstance(dense, TracedArray) and tracking([dense]):
            refuse(
                records,
                "a dense array with tracked data becomes a sparse matrix without its zeros, which have derivatives as well",
                "Make it of its entries, scipy.sparse.coo_array((values, (rows, columns)), shape).",
            )
    for name, value in held_by(names.get("self")).items():
        if type(value) is ndarray and is_inexact(value.dtype):
            setattr(names["self"], name, fresh(value) if value.base is None else fresh(value.copy()))
