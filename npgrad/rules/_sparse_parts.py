"""What a tape keeps of the user's ``scipy.sparse`` matrices: their arrays, of which a rule makes the matrix again. The
entries may be tracked; the maps by them are here."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._libraries import Library
from ._helpers import binned

sparse = Library("scipy.sparse")

# Format -> the attributes that hold its arrays. The others are formed anew for a product, by SciPy as by us.
ARRAYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("csr", "csc", "bsr"), ("data", "indices", "indptr")),
    "coo": ("data", "row", "col"),
    "dia": ("data", "offsets"),
}


# In these each entry has coordinates of its own.
OF_ENTRIES = ("csr", "csc", "coo")


def matrix_parts(matrix: Any) -> dict[str, Any]:
    """What a tape keeps of a sparse matrix: its arrays are the user's, who may change them. ``whole`` is data that may be
    tracked which others are made of."""
    whole = None
    if matrix.format not in ARRAYS:
        matrix = matrix.tocsr()
    elif matrix.format not in OF_ENTRIES and type(matrix.data) is not np.ndarray:
        whole, matrix = matrix.data, matrix.tocsr()
    arrays = [getattr(matrix, name) for name in ARRAYS[matrix.format]]
    parts = dict(zip(("data", "places", "ends"), arrays, strict=False))
    return {"kind": matrix.format, "shape": tuple(map(int, matrix.shape)), **parts, "whole": whole}


def matrix_of(kind: str, shape: tuple[int, int], data: Any, places: Any, ends: Any) -> Any:
    """The matrix that these are the parts of."""
    held = (data, places) if ends is None else (data, (places, ends)) if kind == "coo" else (data, places, ends)
    return getattr(sparse, f"{kind}_array")(held, shape=shape)


def adjoint_of(kind: str, shape: tuple[int, int], data: Any, places: Any, ends: Any) -> Any:
    """The adjoint of that matrix; conjugate numbers are a copy, which real ones need not be."""
    return matrix_of(kind, shape, np.conjugate(data) if data.dtype.kind == "c" else data, places, ends).T


def is_matrix(value: Any) -> bool:
    return bool(sparse.issparse(value)) and value.ndim == 2 and value.dtype.kind in "fciub"


def entries_of(kind: str, shape: tuple[int, int], places: Any, ends: Any) -> tuple[Any, Any]:
    """The rows and columns of the entries of a matrix that `matrix_parts` has given."""
    if kind == "coo":
        return np.asarray(places, np.intp), np.asarray(ends, np.intp)
    ends = np.asarray(ends, np.intp)
    major, minor = np.repeat(np.arange(len(ends) - 1), np.diff(ends)), np.asarray(places[: ends[-1]], np.intp)
    return (major, minor) if kind == "csr" else (minor, major)


def entries_from(left: Any, right: Any, rows: Any, columns: Any, n: int) -> Any:
    """What flows back to ``n`` entries from a matrix ``left right^H``: of vectors, or of matrices of columns."""
    if right.ndim > 1:
        made = np.sum(left[..., rows, :] * np.conjugate(right[columns]), axis=-1)
    else:
        made = left[..., rows] * np.conjugate(right[columns])
    if made.shape[-1] < n:  # an array may have more room than its matrix has entries
        made = np.concatenate([made, np.zeros((*made.shape[:-1], n - made.shape[-1]), made.dtype)], axis=-1)
    return made


def entries_times(tangent: Any, x: Any, rows: Any, columns: Any, n: int) -> Any:
    """The product of matrices with ``n`` rows, of which these are entries, with a vector or a matrix."""
    tangent = tangent[..., : len(rows)]
    if x.ndim == 1:
        return binned(tangent * x[columns], rows, n)
    return np.swapaxes(binned(np.swapaxes(tangent[..., None] * x[columns], -1, -2), rows, n), -1, -2)
