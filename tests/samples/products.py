"""Products of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import A, C, S


def _buffered(x: Any, y: Any) -> Any:
    product = np.zeros((2, 2))
    np.matmul(x, y, out=product)
    return product


def _diagonal_written(x: Any) -> Any:
    """einsum may give a view, through which the array is written."""
    a = np.zeros((3, 3))
    np.einsum("ii->i", a)[:] = x
    np.einsum("ij->ji", a)[0, 1:] += 2 * x[1:]
    return a


_MATMUL = [
    S(np.matmul, A(3), A(3)),
    S(np.matmul, A(2, 3), A(3)),
    S(np.matmul, A(3), A(3, 2)),
    S(np.matmul, A(2, 3), A(3, 4)),
    S(np.matmul, C(2, 3), A(3, 2)),
    S(np.matmul, C(2, 3), C(3)),
    S(np.matmul, A(3), A(2, 3, 4)),
    S(np.matmul, A(2, 4, 3), A(3)),
    S(np.matmul, A(2, 1, 2, 3), A(4, 3, 2)),
    S(np.matmul, A(2, 3), A(0, 3, 2)),
    S(np.matmul, A(2, 0), A(0, 3)),
    S(np.matmul, A(2, 3), np.arange(3.0)),
    S(np.matmul, A(3, 2), A(2, 4, 3), axes=[(0, 1), (0, -1), (1, 0)]),
    S(np.matmul, C(3, 2, 2), C(3, 4), axes=[(1, 0), (0, 1), (0, 2)]),
    S(np.matmul, A(2, 3), A(3, 2), f=_buffered),
    S(np.matmul, A(2, 2), f=lambda x: x @ x @ x.T),
    S(np.matmul, A(2, 2), f=lambda x: np.linalg.matrix_transpose(x) @ x[0]),
]

_DOT = [
    S(np.dot, A(3), A(3)),
    S(np.dot, A(), A(2, 3)),
    S(np.dot, 3.0, A(2)),
    S(np.dot, A(2, 3), A(3)),
    S(np.dot, A(3), A(3, 2)),
    S(np.dot, A(2, 3), C(3, 2)),
    S(np.dot, A(2, 2, 3), A(3, 2)),
    S(np.dot, A(2, 3), A(2, 3, 2)),
    S(np.dot, A(3), A(2, 3, 2)),
    S(np.dot, A(2, 3), f=lambda x: x.dot(x[0])),
    S(np.inner, A(3), A(3)),
    S(np.inner, A(2, 3), C(3)),
    S(np.inner, A(2, 3), A(4, 3)),
    S(np.inner, A(3), A(2, 2, 3)),
    S(np.inner, A(2), A()),
    S(np.vdot, A(3), A(3)),
    S(np.vdot, C(2, 2), C(2, 2)),
    S(np.vdot, C(2, 2), A(4)),
    S(np.outer, A(3), A(2)),
    S(np.outer, C(2, 2), A(3)),
    S(np.linalg.outer, A(3), C(2)),
    S(np.multiply, A(3), A(2), f=lambda x, y: np.multiply.outer(x, y)),
    S(np.kron, A(2), A(3)),
    S(np.kron, A(2, 2), C(1, 3)),
    S(np.kron, A(2), A(2, 2)),
    S(np.tensordot, A(2, 3), A(2, 3)),
    S(np.tensordot, A(2, 3), A(3, 2), axes=1),
    S(np.tensordot, A(2), A(3), axes=0),
    S(np.tensordot, A(2, 3, 4), C(4, 2), axes=([0, 2], [1, 0])),
    S(np.linalg.tensordot, A(2, 3), A(3, 2), axes=1),
    S(np.cross, A(3), A(3)),
    S(np.cross, A(4, 3), C(3)),
    S(np.cross, A(3, 2), A(3, 2), axis=0),
    S(np.cross, A(2, 3), A(3, 2), axisa=1, axisb=0, axisc=0),
    S(np.linalg.cross, A(2, 3), A(2, 3)),
    S(np.linalg.cross, A(3, 2), A(3, 2), axis=0),
    S(np.trace, A(3, 3)),
    S(np.trace, C(3, 4), offset=1),
    S(np.trace, A(2, 3, 3), axis1=1, axis2=2),
    S(np.linalg.trace, A(2, 3, 3), offset=-1),
    S(np.linalg.diagonal, A(2, 3, 3), offset=1),
    S(np.linalg.matrix_transpose, C(2, 3)),
    S(np.linalg.matmul, A(2, 3), A(3, 2)),
]

_ALONG_AXES = [
    S(np.vecdot, A(3), A(3)),
    S(np.vecdot, C(2, 3), C(3)),
    S(np.vecdot, C(3, 2), A(4, 3, 1), axis=-2),
    S(np.vecdot, A(3, 2), C(3, 2), axis=0),
    S(np.vecdot, A(3, 2), A(3, 2), axis=0, keepdims=True),
    S(np.vecdot, C(2, 3), C(2, 3), keepdims=True),
    S(np.vecdot, A(3, 2), A(4, 2, 3), axes=[0, -1, ()]),
    S(np.vecdot, A(0, 3), A(3)),
    S(np.linalg.vecdot, C(2, 3), C(2, 3)),
    S(np.linalg.vecdot, A(3, 2), A(3, 2), axis=0),
    S(np.matvec, A(2, 3), A(3)),
    S(np.matvec, C(4, 2, 3), C(3)),
    S(np.matvec, A(2, 3), C(4, 3)),
    S(np.matvec, A(3, 2, 4), A(3), axes=[(1, 0), 0, 0]),
    S(np.vecmat, A(3), A(3, 2)),
    S(np.vecmat, C(4, 3), C(3, 2)),
    S(np.vecmat, C(3), A(4, 3, 2)),
    S(np.vecmat, A(3, 2), A(4, 3), axes=[0, (1, 0), -2]),
]

_EINSUM = [
    S(np.einsum, "ij,jk->ik", A(2, 3), A(3, 4)),
    S(np.einsum, "ij,jk", A(2, 3), C(3, 2)),
    S(np.einsum, "ba", A(2, 3)),
    S(np.einsum, "ii", A(3, 3)),
    S(np.einsum, "ii->i", A(3, 3)),
    S(np.einsum, "iij->ji", C(2, 2, 3)),
    S(np.einsum, "iii", A(3, 3, 3)),
    S(np.einsum, "ij->", A(2, 3)),
    S(np.einsum, "ij->j", C(2, 3)),
    S(np.einsum, "i,i,i->", A(3), A(3), A(3)),
    S(np.einsum, "ij,i->", A(2, 3), A(2)),
    S(np.einsum, "ii,i,jk->k", A(3, 3), A(3), A(2, 2)),
    S(np.einsum, " i j , j -> i ", A(2, 3), A(3)),
    S(np.einsum, "...ij,...jk->...ik", A(4, 2, 3), A(3, 2)),
    S(np.einsum, "...ij,...jk->...ik", A(1, 2, 3), A(4, 3, 2)),
    S(np.einsum, "...i,i...", A(2, 3), A(3, 2)),
    S(np.einsum, "i...->...", A(2, 3)),
    S(np.einsum, "...ii->...i", C(2, 3, 3)),
    S(np.einsum, "ij,j->i", A(2, 3), A(1)),
    S(np.einsum, "ij,kj->ik", A(2, 1), C(2, 3)),
    S(np.einsum, "i,->i", A(3), A()),
    S(np.einsum, "aad,ac,bb", A(2, 2, 2), A(1, 1), A(3, 3)),
    S(np.einsum, ",", A(), A()),
    S(np.einsum, "ij,jk", A(0, 3), A(3, 2)),
    S(np.einsum, "ij,jk,kl->il", A(2, 3), A(3, 2), A(2, 4), optimize=True),
    S(np.einsum, "ij,jk,kl", A(2, 3), C(3, 2), A(2, 4), optimize="optimal"),
    S(np.einsum, "ij,jk,kl->li", A(2, 3), A(3, 2), A(2, 4), optimize=["einsum_path", (0, 1), (0, 1)]),
    S(np.einsum, "ij,jk->ik", A(2, 3), np.ones((3, 2)), dtype=np.complex128),
    S(np.einsum, A(2, 3), [0, 1], A(3, 2), [1, 2], [0, 2]),
    S(np.einsum, A(2, 3), [1, 0]),
    S(np.einsum, A(2, 3), [7, 3], A(3), [3]),
    S(np.einsum, A(4, 2, 3), [Ellipsis, 0, 1], C(3), [1], [Ellipsis, 0]),
    S(np.einsum, "ij,jk->ik", A(2, 3), A(3, 2), f=lambda s, x, y: np.einsum(s, x, y, out=np.zeros((2, 2)))),
    S(np.einsum, "i,j", A(3), f=lambda s, x: np.einsum(s, [x[0], x[1]], x)),
    S(np.where, A(2, 2), f=lambda x: np.where([True, False], x, [x[1, 0], x[0, 1]])),
    S(np.einsum, A(3), f=_diagonal_written),
]

SAMPLES = [*_MATMUL, *_DOT, *_ALONG_AXES, *_EINSUM]
