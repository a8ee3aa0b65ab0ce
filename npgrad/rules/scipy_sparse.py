"""Products of ``scipy.sparse`` matrices with dense arrays, by both."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._following import LISTS, LibraryRule, follow_method, follow_operators, holding
from ._helpers import by_columns, ndim_of
from ._sparse_parts import (
    ARRAYS,
    OF_ENTRIES,
    adjoint_of,
    entries_from,
    entries_of,
    entries_times,
    is_matrix,
    matrix_of,
    matrix_parts,
    sparse,
)

for _name in ARRAYS:
    holding(sparse, f"{_name}_array", ("data",))
    holding(sparse, f"{_name}_matrix", ("data",))
LISTS.update({sparse.lil_array: "data", sparse.lil_matrix: "data"})


def _product_parts(matrix: Any, x: Any) -> dict[str, Any] | None:
    if not is_matrix(matrix) or is_matrix(x) or ndim_of(x) not in (1, 2):
        return None
    return {"x": x, **matrix_parts(matrix)}


def _product(x: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any = None, whole: Any = None) -> Any:
    """The arguments of the rules here."""


product = LibraryRule(_product, _product_parts)
reversed_product = LibraryRule(_product, _product_parts)
for _rule in (product, reversed_product):
    _rule.steps.add("whole")


@product.vjp("x")
def product_vjp(ct: Any, ans_spec: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any) -> Any:
    adjoint = adjoint_of(kind, shape, data, places, ends)
    return by_columns(lambda columns: adjoint @ columns, ct, ans_spec.ndim)


@product.jvp("x")
def product_jvp(tangent: Any, x_spec: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any) -> Any:
    matrix = matrix_of(kind, shape, data, places, ends)
    return by_columns(lambda columns: matrix @ columns, tangent, x_spec.ndim)


@product.vjp("data")
def product_vjp_data(ct: Any, x: Any, kind: Any, shape: Any, data_spec: Any, places: Any, ends: Any) -> Any:
    return entries_from(ct, x, *entries_of(kind, shape, places, ends), data_spec.shape[0])


@product.jvp("data")
def product_jvp_data(tangent: Any, x: Any, kind: Any, shape: Any, places: Any, ends: Any) -> Any:
    return entries_times(tangent, x, *entries_of(kind, shape, places, ends), shape[0])


@reversed_product.vjp("x")
def reversed_product_vjp(ct: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any) -> Any:
    return _rows_times(ct, adjoint_of(kind, shape, data, places, ends))


@reversed_product.jvp("x")
def reversed_product_jvp(tangent: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any) -> Any:
    return _rows_times(tangent, matrix_of(kind, shape, data, places, ends))


@reversed_product.vjp("data")
def reversed_product_vjp_data(ct: Any, x: Any, kind: Any, shape: Any, data_spec: Any, places: Any, ends: Any) -> Any:
    rows, columns = entries_of(kind, shape, places, ends)
    turned = np.swapaxes(ct, -1, -2) if x.ndim > 1 else ct
    return entries_from(turned, x.T, columns, rows, data_spec.shape[0])


@reversed_product.jvp("data")
def reversed_product_jvp_data(tangent: Any, x: Any, kind: Any, shape: Any, places: Any, ends: Any) -> Any:
    rows, columns = entries_of(kind, shape, places, ends)
    made = entries_times(tangent, x.T, columns, rows, shape[1])
    return np.swapaxes(made, -1, -2) if x.ndim > 1 else made


def _rows_times(rows: Any, matrix: Any) -> Any:
    return (rows.reshape((-1, rows.shape[-1])) @ matrix).reshape((*rows.shape[:-1], matrix.shape[1]))


_kinds = [getattr(sparse, f"{name}_{kind}") for kind in ("array", "matrix") for name in (*ARRAYS, "lil", "dok")]
follow_method(product, _kinds, "dot")
follow_operators(product, _kinds, "_matmul_dispatch", "__matmul__")
follow_operators(reversed_product, _kinds, "_rmatmul_dispatch", "__rmatmul__")
# `*` is the matrix product of matrices, as it is of NumPy's.
_matrices = [kind for kind in _kinds if kind.__name__.endswith("_matrix")]
follow_operators(product, _matrices, "_matmul_dispatch", "__mul__")
follow_operators(reversed_product, _matrices, "_rmatmul_dispatch", "__rmul__")

# --- Sums of all entries, which of matrices go through ``numpy.matrix`` ------------------------------------------------


def _sum_parts(matrix: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> dict[str, Any] | None:
    known = axis is None and out is None and dtype in (None, matrix.dtype) and matrix.format in OF_ENTRIES
    return {"data": matrix.data} if known and len(matrix.data) == matrix.nnz else None


_sum = LibraryRule(lambda data: None, _sum_parts)


@_sum.vjp("data")
def sum_vjp(ct: Any, data_spec: Any) -> Any:
    return ct[..., None] * np.ones(data_spec.shape)


@_sum.jvp("data")
def sum_jvp(tangent: Any) -> Any:
    return np.sum(tangent, axis=-1)


follow_method(_sum, _matrices, "sum")
