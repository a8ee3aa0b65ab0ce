"""What a tape keeps of the user's ``scipy.sparse`` matrices: their arrays, of which a rule makes the matrix again."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._libraries import Library

sparse = Library("scipy.sparse")

# Format -> the attributes that hold its arrays. The others are formed anew for a product, by SciPy as by us.
ARRAYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("csr", "csc", "bsr"), ("data", "indices", "indptr")),
    "coo": ("data", "row", "col"),
    "dia": ("data", "offsets"),
}


def matrix_parts(matrix: Any) -> dict[str, Any]:
    """What a tape keeps of a sparse matrix: its arrays are the user's, who may change them."""
    matrix = matrix if matrix.format in ARRAYS else matrix.tocsr()
    arrays = [getattr(matrix, name) for name in ARRAYS[matrix.format]]
    parts = dict(zip(("data", "places", "ends"), arrays, strict=False))
    return {"kind": matrix.format, "shape": tuple(map(int, matrix.shape)), **parts}


def matrix_of(kind: str, shape: tuple[int, int], data: Any, places: Any, ends: Any) -> Any:
    """The matrix that these are the parts of."""
    held = (data, places) if ends is None else (data, (places, ends)) if kind == "coo" else (data, places, ends)
    return getattr(sparse, f"{kind}_array")(held, shape=shape)


def adjoint_of(kind: str, shape: tuple[int, int], data: Any, places: Any, ends: Any) -> Any:
    """The adjoint of that matrix; conjugate numbers are a copy, which real ones need not be."""
    return matrix_of(kind, shape, np.conjugate(data) if data.dtype.kind == "c" else data, places, ends).T


def is_matrix(value: Any) -> bool:
    return bool(sparse.issparse(value)) and value.ndim == 2 and value.dtype.kind in "fciub"
