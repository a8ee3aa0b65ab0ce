"""Products of constant ``scipy.sparse`` matrices with dense arrays."""

from __future__ import annotations

from typing import Any

from .._following import LibraryRule, follow_method, follow_operators
from ._helpers import by_columns, ndim_of
from ._sparse_parts import ARRAYS, adjoint_of, is_matrix, matrix_of, matrix_parts, sparse


def _product_parts(matrix: Any, x: Any) -> dict[str, Any] | None:
    if not is_matrix(matrix) or ndim_of(x) not in (1, 2):
        return None
    return {"x": x, **matrix_parts(matrix)}


def _product(x: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any = None) -> Any:
    """The arguments of the rules here."""


product = LibraryRule(_product, _product_parts)
reversed_product = LibraryRule(_product, _product_parts)


@product.vjp("x")
def product_vjp(ct: Any, ans_spec: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any) -> Any:
    adjoint = adjoint_of(kind, shape, data, places, ends)
    return by_columns(lambda columns: adjoint @ columns, ct, ans_spec.ndim)


@product.jvp("x")
def product_jvp(tangent: Any, x_spec: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any) -> Any:
    matrix = matrix_of(kind, shape, data, places, ends)
    return by_columns(lambda columns: matrix @ columns, tangent, x_spec.ndim)


@reversed_product.vjp("x")
def reversed_product_vjp(ct: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any) -> Any:
    return _rows_times(ct, adjoint_of(kind, shape, data, places, ends))


@reversed_product.jvp("x")
def reversed_product_jvp(tangent: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any) -> Any:
    return _rows_times(tangent, matrix_of(kind, shape, data, places, ends))


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
