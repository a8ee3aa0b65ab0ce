"""Sparse matrices and patterns as results: compressed rows, for NumPy alone and for SciPy."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy import ndarray

from ._moves import assemble
from ._notebook import pattern_picture
from ._tracebacks import public
from ._traced import TracedArray, fresh


class SparsityPattern:
    """Which elements of a Jacobian may differ from zero: row ``i`` has the columns ``indices[indptr[i] : indptr[i + 1]]``.

    Made by `jacobian_sparsity`.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> pattern = ng.jacobian_sparsity(lambda x: x[1:] * x[0], np.ones(3))
    >>> pattern
    <SparsityPattern of shape 2x3 with 4 elements>
    >>> pattern.indices, pattern.indptr
    (array([0, 1, 0, 2]), array([0, 2, 4]))
    """

    def __init__(self, indices: ndarray, indptr: ndarray, shape: tuple[int, int]) -> None:
        self.indices = indices
        self.indptr = indptr
        self.shape = shape

    @property
    def nnz(self) -> int:
        """How many elements are stored."""
        return len(self.indices)

    def rows(self) -> ndarray:
        """The row of each element.

        Examples
        --------
        >>> import numpy as np, npgrad as ng
        >>> ng.jacobian_sparsity(lambda x: x[1:] * x[0], np.ones(3)).rows()
        array([0, 0, 1, 1])
        """
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))

    def _values(self) -> Any:
        return np.ones(self.nnz, bool)

    def toarray(self) -> ndarray:
        """The dense array; for a pattern, of booleans.

        Examples
        --------
        >>> import numpy as np, npgrad as ng
        >>> ng.jacobian_sparsity(lambda x: x[1:] * x[0], np.ones(3)).toarray()
        array([[ True,  True, False],
               [ True, False,  True]])
        """
        values = self._values()
        dense = _zeros(self.shape, values)
        dense[self.rows(), self.indices] = values
        return dense

    @public
    def to_scipy(self) -> Any:
        """A ``scipy.sparse.csr_array`` of the same elements.

        Examples
        --------
        >>> import numpy as np, npgrad as ng
        >>> matrix = ng.sparse_jacobian(lambda x: x[1:] * x[0])(np.array([2.0, 3.0, 4.0]))
        >>> matrix.to_scipy().tocsc().has_sorted_indices, matrix.to_scipy().nnz
        (True, 4)
        """
        sparse = _scipy_sparse()
        return sparse.csr_array((self._values(), self.indices, self.indptr), shape=self.shape)

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<{type(self).__name__} of shape {m}x{n} with {self.nnz} elements>"

    def _repr_html_(self) -> str:
        return pattern_picture(repr(self).strip("<>"), self.rows(), self.indices, self.shape)


class SparseMatrix(SparsityPattern):
    """A matrix in compressed rows: row ``i`` has ``data[k]`` in column ``indices[k]`` for ``k`` in
    ``range(indptr[i], indptr[i + 1])``; columns ascend in each row.

    Made by `sparse_jacobian` and `sparse_hessian`. ``matrix @ x`` is NumPy's product with a vector or a dense matrix.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> matrix = ng.sparse_jacobian(lambda x: x[1:] * x[0])(np.array([2.0, 3.0, 4.0]))
    >>> matrix.data, matrix.indices, matrix.indptr
    (array([3., 2., 4., 2.]), array([0, 1, 0, 2]), array([0, 2, 4]))
    >>> matrix @ np.array([1.0, 0.0, 1.0])
    array([3., 6.])
    """

    def __init__(self, data: Any, indices: ndarray, indptr: ndarray, shape: tuple[int, int]) -> None:
        super().__init__(indices, indptr, shape)
        self.data = data

    def _values(self) -> Any:
        return self.data

    @public
    def __matmul__(self, other: Any) -> Any:
        other = assemble(other)
        if other.ndim not in (1, 2) or other.shape[0] != self.shape[1]:
            raise ValueError(f"a matrix of shape {self.shape} does not fit an array of shape {other.shape}")
        terms = (self.data * other[self.indices].T).T
        total = _zeros((self.shape[0], *other.shape[1:]), terms)
        filled = np.flatnonzero(np.diff(self.indptr))
        if len(filled):
            total[filled] = np.add.reduceat(terms, self.indptr[filled], axis=0)
        return total


def _zeros(shape: tuple, like: Any) -> Any:
    """What such values are to be written into, followed where they are."""
    zeros = np.zeros(shape, like.dtype)
    return fresh(zeros) if isinstance(like, TracedArray) else zeros


def _scipy_sparse() -> Any:
    try:
        return importlib.import_module("scipy.sparse")
    except ImportError:
        raise ImportError("to_scipy needs SciPy; data, indices, indptr and toarray() do without") from None
