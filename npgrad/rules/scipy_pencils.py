"""``scipy.linalg``: generalised eigenvalue problems of symmetric matrices, and parts of a spectrum, by decompositions that
NumPy has: with B = L L^H, the pencil A - w B has the eigenvalues of L^-1 A L^-H, and the vectors L^-H y."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._following import LibraryBody, follow_by
from .._libraries import Library
from ._helpers import fixed, hermitian, mH

linalg = Library("scipy.linalg")


def _chosen(w: Any, by_index: Any, by_value: Any) -> slice:
    """Which part of the values, in ascending order, is asked for."""
    if by_index is not None:
        return slice(int(by_index[0]), int(by_index[1]) + 1)
    if by_value is not None:
        return slice(*np.searchsorted(fixed(w), fixed(by_value), "right").tolist())
    return slice(None)


def _eigh(
    a: Any, b: Any = None, *, lower: Any = True, eigvals_only: Any = False, overwrite_a: Any = False,
    overwrite_b: Any = False, type: Any = 1, check_finite: Any = True, subset_by_index: Any = None,
    subset_by_value: Any = None, driver: Any = None, ans: Any = None,
) -> Any:  # fmt: skip
    triangle = "L" if lower else "U"
    a = hermitian(np.asarray(a), triangle)
    factor = None if b is None else np.linalg.cholesky(hermitian(np.asarray(b), triangle))
    if factor is not None:
        a = np.linalg.solve(factor, mH(np.linalg.solve(factor, a)))
    if eigvals_only:
        w = np.linalg.eigvalsh(a)
        return w[_chosen(w, subset_by_index, subset_by_value)]
    w, v = np.linalg.eigh(a)
    part = _chosen(w, subset_by_index, subset_by_value)
    w, v = w[part], v[:, part]
    v = v if factor is None else np.linalg.solve(mH(factor), v)
    return w, v * np.sign(np.sum(fixed(v) * ans[1], axis=0))


def _eigvalsh(
    a: Any, b: Any = None, *, lower: Any = True, overwrite_a: Any = False, overwrite_b: Any = False, type: Any = 1,
    check_finite: Any = True, subset_by_index: Any = None, subset_by_value: Any = None, driver: Any = None,
) -> Any:  # fmt: skip
    return _eigh(
        a, b, lower=lower, eigvals_only=True, subset_by_index=subset_by_index, subset_by_value=subset_by_value
    )


def _is_known(a: Any, b: Any, eigvals_only: Any) -> bool:
    """Complex vectors of a pencil are turned in LAPACK's own way."""
    return _are_matrices(a, b) and (bool(eigvals_only) or not (np.iscomplexobj(a) or np.iscomplexobj(b)))


def _are_matrices(a: Any, b: Any) -> bool:
    return np.ndim(a) == 2 and (b is None or np.ndim(b) == 2) and np.size(a) > 0


_OPTIONS = ("subset_by_index", "subset_by_value")
follow_by(LibraryBody(_eigh, _OPTIONS, _is_known, type=(1,)), linalg, "eigh")
follow_by(LibraryBody(_eigvalsh, _OPTIONS, _are_matrices, type=(1,)), linalg, "eigvalsh")
