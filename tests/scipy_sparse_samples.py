"""Sparse matrices whose entries are tracked: samples for the tests of SciPy's functions."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

sparse, sparse_linalg = map(importlib.import_module, ("scipy.sparse", "scipy.sparse.linalg"))
rng = np.random.default_rng(5)
ROWS, COLUMNS = np.array([0, 1, 1, 2, 0, 2, 0]), np.array([2, 0, 1, 2, 1, 0, 2])  # the place (0, 2) twice
V = rng.uniform(0.5, 2.0, 7)
C = V[::-1] + 1j * V
B = rng.standard_normal(3)
P = rng.standard_normal((3, 3))
FORMATS = ("csr", "csc", "coo")


def made(v: Any, kind: str = "csr_array") -> Any:
    """With duplicates."""
    return getattr(sparse, kind)((v, (ROWS, COLUMNS)), shape=(3, 3))


def empty(kind: str) -> Any:
    return getattr(sparse, kind)((3, 3))


def strong(v: Any, kind: str = "csc_matrix") -> Any:
    return made(v, kind) + 4 * sparse.eye(3)


def written(matrix: Any, v: Any) -> Any:
    """One by one, as in the assembly of finite elements; one entry is zero, and another becomes zero."""
    matrix[0, 1] = v[0]
    matrix[1, 1] += v[1]
    matrix[1, 1] += v[2] * 2
    matrix[2, 0] = 3.0
    matrix[0, 1] -= v[3]
    matrix[2, 2] = v[4] - v[4]
    matrix[-1, 1] = matrix[0, 1] * v[5]
    return matrix


def written_in_parts(matrix: Any, v: Any) -> Any:
    matrix[0, :] = v[:3]
    matrix[1:, 1] = v[3:5].reshape(2, 1)
    matrix[[2, 2], [0, 1]] = v[5:7]
    return matrix


def with_diagonal(matrix: Any, v: Any) -> Any:
    matrix.setdiag(v[:3])
    return matrix


def in_place(matrix: Any, v: Any) -> Any:
    before = matrix.copy() @ B
    matrix.data *= v[1]
    matrix.data[1] = v[2]
    return before * (matrix @ B)


def without_zeros(matrix: Any) -> Any:
    matrix.eliminate_zeros()
    return matrix


def stiffness(k: Any) -> Any:
    """Bars in a row, of which each adds its four entries."""
    n = len(k)
    left = np.arange(n)
    rows = np.concatenate([left, left, left + 1, left + 1])
    columns = np.concatenate([left, left + 1, left, left + 1])
    return sparse.coo_matrix((np.concatenate([k, -k, -k, k]), (rows, columns))).tocsr()


def heat(d: Any) -> Any:
    """Implicit steps."""
    second = sparse.diags([1.0, -2.0, 1.0], [-1, 0, 1], shape=(5, 5))
    solve = sparse_linalg.factorized((sparse.eye(5) - 0.1 * d[0] * second).tocsc())
    u = np.array([0.0, 0.0, 1.0, 0.0, 0.0])
    for _ in range(3):
        u = solve(u + d[1])
    return u


SAMPLES: dict[str, dict[str, tuple[Any, ...]]] = {
    "sparse entries": {
        "vector @": (lambda v: v[:3] @ made(v, "csc_array"), V),
        **{f"{f} @ matrix, complex": (lambda v, f=f: made(v, f"{f}_matrix") @ (v[:3] * P), C) for f in FORMATS},
        **{f"{f}.toarray": (lambda v, f=f: made(v, f"{f}_array").toarray() ** 2, V) for f in FORMATS},
        "matrix @": (lambda v: P @ made(v), V),
        "real times complex": (lambda v: abs(made(v, "csc_array") @ (B * 1j)), V),
        "more room than entries": (lambda v: sparse.csr_array((v, [2, 0, 1, 2, 0, 0, 0], [0, 1, 3, 4])) @ B, V),
        "entries, indices, ends": (lambda v: sparse.csc_matrix((v[:4], [2, 0, 1, 2], [0, 1, 3, 4])).T @ B, V),
        "by block": (lambda v: sparse.bsr_array((v[:4].reshape(1, 2, 2), [0], [0, 1])) @ v[:2], V),
        "to blocks": (lambda v: made(v).tobsr((3, 3)).T.toarray(), V),
        "to diagonals": (lambda v: made(v).todia() @ B, V),
        "sum of matrices": (lambda v: (made(v) + sparse.eye(3) - made(v[::-1], "csc_array")).toarray(), V),
        "zero where there was one": (lambda v: ((sparse.eye_array(3) - sparse.diags_array(v[:3] / V[:3])) @ B + 1) ** 2, V),
        "product of matrices": (lambda v: (made(v) @ made(v, "coo_array").T).toarray(), V),
        "product of matrices that is zero": (
            lambda v: ((sparse.diags_array(v[:3] - V[:3], format="csr") @ sparse.csc_array(P)).toarray() + 1) ** 2, V),
        "sum with an array": (lambda v: made(v) + v[:3] * P + (sparse.csc_array(P) + (made(v, "coo_array") + P * v[0])), V),
        "power": (lambda v: (made(v, "csr_matrix") ** 2).toarray(), V),
        "elementwise product": (lambda v: made(v).multiply(made(v[::-1], "csc_matrix")).toarray(), V),
        "elementwise product with an array": (lambda v: made(v, "csr_matrix").multiply(v[:3]).toarray(), V),
        "plain matrix times numbers": (lambda v: (v[0] * sparse.csr_matrix(P)).multiply(v[:3, None]).toarray(), V),
        "scalars": (lambda v: (-(made(v) * 2 / v[0])).power(3).toarray(), V),
        "diagonal": (lambda v: made(v).diagonal() * made(v, "coo_array").diagonal(1).sum(), V),
        "sums along axes": (lambda v: made(v).sum(0) * made(v).sum(axis=1) * made(v).trace(), V),
        "sum and mean": (lambda v: made(v, "csr_matrix").sum() * made(v, "csr_matrix").mean(), V),
        "norm, maximum": (lambda v: sparse_linalg.norm(made(v)) + abs(made(-v)).max(), V),
        "parts": (lambda v: made(v)[1:, :2].toarray() @ made(v)[[0, 0, 2]][:, [1, 2]].T.toarray() * made(v)[0, 2], V),
        "places": (lambda v: made(v)[[0, 1], [2, 0]], V),
        "reshape": (lambda v: made(v, "coo_array").reshape(1, 9).toarray(), V),
        "stacks": (
            lambda v: sparse.vstack([sparse.hstack([made(v), made(v)]), sparse.csr_array(P @ np.eye(3, 6))]).toarray(), V),
        "blocks": (lambda v: sparse.bmat([[made(v), None], [sparse.csr_array(P), made(v).T]]).toarray(), V),
        "block_diag, kron": (lambda v: sparse.block_diag([made(v), sparse.kron(sparse.eye(2), made(v))]).toarray(), V),
        "diags": (lambda v: sparse.diags([v[:3], v[:2], v[5:]], [0, 1, -1]) @ B, V),
        "diags of numbers": (lambda v: sparse.diags([v[0], -2 * v[0], v[1]], [-1, 0, 1], shape=(3, 3)).tocsc() @ B, V),
        "diags, one zero": (lambda v: sparse.diags_array(v[:3] - V[:3] * [1, 0, 0]).tocoo() @ (B + 1) ** 2, V),
        "spdiags": (lambda v: sparse.spdiags(np.array([v[:3], v[3:6]]), [0, 1], 3, 3).toarray(), V),
        "write": (lambda v: written(sparse.csr_array(P + 0.5), v) @ B, V),
        **{f"write {f}": (lambda v, f=f: written(empty(f"{f}_array"), v).tocsr() @ B, V) for f in ("lil", "dok")},
        **{f"write parts of {f}": (lambda v, f=f: written_in_parts(empty(f"{f}_matrix"), v).tocsc().toarray(), V)
           for f in ("lil", "dok")},
        "lil @": (lambda v: written(sparse.lil_array((3, 3)), v) @ v[:3], V),
        "setdiag": (lambda v: with_diagonal(sparse.csr_matrix(P), v) @ B + with_diagonal(sparse.coo_matrix(P), v) @ B, V),
        "in place": (lambda v: in_place(made(v), v), V),
        "eliminate_zeros": (lambda v: without_zeros(made(v - V * (np.arange(7) == 3))) @ (B + 1), V),
    },
    "sparse systems": {
        "spsolve": (lambda v: sparse_linalg.spsolve(strong(v), B * v[:3]), V),
        "spsolve, columns": (lambda v: sparse_linalg.spsolve(strong(v, "csr_array"), P), V),
        "spsolve, complex": (lambda v: sparse_linalg.spsolve(strong(v), v[:3]), C),
        "spsolve_triangular": (lambda v: sparse_linalg.spsolve_triangular(sparse.tril(strong(v)).tocsr(), B), V),
        "spsolve_triangular, upper, unit": (
            lambda v: sparse_linalg.spsolve_triangular(
                sparse.triu(made(v), 1).tocsr() + sparse.eye(3), v[:3], lower=False, unit_diagonal=True), V),
        **{f"splu {t}": (lambda v, t=t: sparse_linalg.splu(strong(v)).solve(v[:3], t), C) for t in "NTH"},
        "splu, columns": (lambda v: sparse_linalg.splu(strong(v)).solve(P), V),
        "factorized": (lambda v: sparse_linalg.factorized(strong(v))(B), V),
        **{name: (lambda v, f=name: getattr(sparse_linalg, f)(strong(v), v[:3], rtol=1e-13, atol=1e-14)[0], V)
           for name in ("gmres", "bicgstab")},
        "gmres, preconditioned": (
            lambda v: sparse_linalg.gmres(strong(v), B, rtol=1e-13, M=sparse.diags(1 / strong(v).diagonal()))[0], V),
        "cg": (lambda k: sparse_linalg.cg(stiffness(k)[1:, 1:], k, rtol=1e-13)[0], V[:4]),
        "stiffness": (lambda k: sparse_linalg.spsolve(stiffness(k)[1:, 1:], np.ones(len(k))), V),
        "heat": (heat, V[:2]),
    },
}  # fmt: skip
