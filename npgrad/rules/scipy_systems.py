"""``scipy.linalg``: solutions of systems of equations, with a matrix of given structure or as factors.

The solution of ``op(M) x = b`` moves with ``op(M) dx = db - op(dM) x``, and back flows ``y`` of ``op(M)^H y = ct`` to b and
``-y x^H`` to op(M). Each solver is SciPy's again, so that a derivative costs what the solution costs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .._following import LibraryRule, follow_by, numpys
from .._libraries import Library
from ._helpers import by_columns, hermitian, mH, mT, rows_of, triangle, unit_and_upper

linalg = Library("scipy.linalg")


class Solver(NamedTuple):
    """Functions of the array that holds the matrix and of ``how`` it is read: ``solve(a, b, how)`` and the same with
    the adjoint; ``change(a, tangent, x, how)`` is op(dM) x; ``back(a, y, x, how)`` is what flows back from ``y x^H``."""

    solve: Callable
    adjoint: Callable
    change: Callable
    back: Callable


def _solution(a: Any, b: Any, how: Any) -> None:
    """The arguments of the rules here."""


def _declare(name: str, parts: Callable, solver: Solver) -> None:
    rule = LibraryRule(_solution, parts)
    follow_by(rule, linalg, name)

    @rule.vjp("b")
    def vjp_b(ct: Any, a: Any, b_spec: Any, how: Any) -> Any:
        return by_columns(lambda v: solver.adjoint(a, v, how), ct, b_spec.ndim)

    @rule.vjp("a")
    def vjp_a(ct: Any, ans: Any, a: Any, b_spec: Any, how: Any) -> Any:
        y, x = vjp_b(ct, a, b_spec, how), ans
        return -(solver.back(a, y, x, how) if b_spec.ndim > 1 else solver.back(a, y[..., None], x[..., None], how))

    @rule.jvp("b")
    def jvp_b(tangent: Any, a: Any, b_spec: Any, how: Any) -> Any:
        return by_columns(lambda v: solver.solve(a, v, how), tangent, b_spec.ndim)

    @rule.jvp("a")
    def jvp_a(tangent: Any, ans: Any, a: Any, b_spec: Any, how: Any) -> Any:
        change = solver.change(a, tangent, ans, how) if b_spec.ndim > 1 else solver.change(a, tangent, ans[..., None], how)
        return -jvp_b(change if b_spec.ndim > 1 else change[..., 0], a, b_spec, how)


def _are_one(a: Any, b: Any) -> bool:
    """Whether it is one system, not a stack of them."""
    return np.ndim(a) == 2 and np.ndim(b) in (1, 2) and min(np.shape(a)) > 0 and np.size(b) > 0


# --- A dense matrix, of which only some elements are read -------------------------------------------------------------


def _band(a: Any) -> Any:
    return np.tril(np.triu(a, -1), 1)


def _symmetric(a: Any, lower: Any) -> Any:
    half = np.tril(a, -1) if lower else np.triu(a, 1)
    return half + mT(half) + a * np.eye(a.shape[-1])


def _symmetric_back(ct: Any, lower: Any) -> Any:
    both = ct + mT(ct)
    return (np.tril(both, -1) if lower else np.triu(both, 1)) + ct * np.eye(ct.shape[-1])


# What is read of a matrix, and what flows back to it; both of the matrix and of whether its lower triangle is read.
_WHOLE = lambda a, lower: a, lambda ct, lower: ct
_HERMITIAN = lambda a, lower: hermitian(a, "L" if lower else "U"), lambda ct, lower: triangle(ct, "L" if lower else "U")
_READ: dict[str | None, tuple[Callable, Callable]] = {
    **dict.fromkeys((None, "gen", "general"), _WHOLE),
    "diagonal": (lambda a, lower: a * np.eye(a.shape[-1]),) * 2,
    **dict.fromkeys(("tridiagonal",), (lambda a, lower: _band(a),) * 2),
    "upper triangular": (lambda a, lower: np.triu(a),) * 2,
    "lower triangular": (lambda a, lower: np.tril(a),) * 2,
    **dict.fromkeys(("sym", "symmetric"), (_symmetric, _symmetric_back)),
    **dict.fromkeys(("her", "hermitian", "pos", "positive definite"), _HERMITIAN),
}  # fmt: skip
_numpys_solve = numpys(np.linalg, "solve")
_numpys_vjp = _numpys_solve.shared["a"][0]


def _dense(
    a: Any, b: Any, lower: Any = False, overwrite_a: Any = False, overwrite_b: Any = False, check_finite: Any = True,
    assume_a: Any = None, transposed: Any = False,
) -> dict[str, Any] | None:  # fmt: skip
    known = assume_a in _READ and np.ndim(a) >= 2 and np.size(a) > 1 and np.size(b) > 0
    return {"a": a, "b": b, "how": (assume_a, bool(lower), bool(transposed))} if known else None


_solve = LibraryRule(_solution, _dense)
follow_by(_solve, linalg, "solve")


def _read(a: Any, how: Any) -> Any:
    kind, lower, transposed = how
    made = _READ[kind][0](a, lower)
    return mT(made) if transposed else made


@_solve.vjp("a", "b")
def solve_vjp(ct: Any, ans: Any, a: Any, b_spec: Any, how: Any) -> Any:
    kind, lower, transposed = how
    back, back_b = _numpys_vjp(ct, ans, _read(a, how), b_spec)
    return _READ[kind][1](mT(back) if transposed else back, lower), back_b


@_solve.jvp("a")
def solve_jvp_a(tangent: Any, ans: Any, a: Any, a_spec: Any, b_spec: Any, how: Any) -> Any:
    return _numpys_solve.jvps["a"][0](_read(tangent, how), ans, _read(a, how), a_spec, b_spec)


@_solve.jvp("b")
def solve_jvp_b(tangent: Any, a: Any, b_spec: Any, how: Any) -> Any:
    return _numpys_solve.jvps["b"][0](tangent, _read(a, how), b_spec)


# --- Triangular ----------------------------------------------------------------------------------------------------

_TRANS = {0: 0, 1: 1, 2: 2, "N": 0, "T": 1, "C": 2}
_ADJOINT = (2, None, 0)


def _triangular(
    a: Any, b: Any, trans: Any = 0, lower: Any = False, unit_diagonal: Any = False, overwrite_b: Any = False,
    check_finite: Any = True,
) -> dict[str, Any] | None:  # fmt: skip
    known = trans in _TRANS and _are_one(a, b)
    return {"a": a, "b": b, "how": (_TRANS[trans], int(bool(lower)), int(bool(unit_diagonal)))} if known else None


def _solve_triangular(a: Any, v: Any, how: Any) -> Any:
    trans, lower, unit = how
    return linalg.solve_triangular(a, v, trans, bool(lower), bool(unit))


def _adjoint_triangular(a: Any, v: Any, how: Any) -> Any:
    trans, lower, unit = how
    if trans == 1:
        return np.conjugate(_solve_triangular(a, np.conjugate(v), (0, lower, unit)))
    return _solve_triangular(a, v, (_ADJOINT[trans], lower, unit))


def _part(a: Any, how: Any) -> Any:
    _, lower, unit = how
    return np.tril(a, -unit) if lower else np.triu(a, unit)


# Of a product y x^H with op(M), what flows back to M, and the other way round.
_TURN = (lambda m: m, mT, mH)

_declare("solve_triangular", _triangular, Solver(
    _solve_triangular,
    _adjoint_triangular,
    lambda a, tangent, x, how: _TURN[how[0]](_part(tangent, how)) @ x,
    lambda a, y, x, how: _part(_TURN[how[0]](y @ mH(x)), how),
))  # fmt: skip

# --- By factors ----------------------------------------------------------------------------------------------------


def _by_cholesky(c_and_lower: Any, b: Any, overwrite_b: Any = False, check_finite: Any = True) -> dict[str, Any] | None:
    c, lower = c_and_lower
    return {"a": c, "b": b, "how": (int(bool(lower)),)} if _are_one(c, b) else None


def _cho_solve(c: Any, v: Any, how: Any) -> Any:
    return linalg.cho_solve((c, bool(how[0])), v)


def _cho_change(c: Any, tangent: Any, x: Any, how: Any) -> Any:
    """With M = L L^H, or U^H U."""
    if how[0]:
        factor, change = np.tril(c), np.tril(tangent)
        return change @ (mH(factor) @ x) + factor @ (mH(change) @ x)
    factor, change = np.triu(c), np.triu(tangent)
    return mH(change) @ (factor @ x) + mH(factor) @ (change @ x)


def _cho_back(c: Any, y: Any, x: Any, how: Any) -> Any:
    both = y @ mH(x) + x @ mH(y)
    return np.tril(both @ np.tril(c)) if how[0] else np.triu(np.triu(c) @ both)


_declare("cho_solve", _by_cholesky, Solver(_cho_solve, _cho_solve, _cho_change, _cho_back))


def _by_lu(
    lu_and_piv: Any, b: Any, trans: Any = 0, overwrite_b: Any = False, check_finite: Any = True
) -> dict[str, Any] | None:
    lu, piv = lu_and_piv
    known = trans in (0, 1, 2) and _are_one(lu, b)
    return {"a": lu, "b": b, "how": (trans, *np.asarray(piv).tolist())} if known else None


def _lu_solve(lu: Any, v: Any, how: Any) -> Any:
    trans, *piv = how
    return linalg.lu_solve((lu, np.array(piv)), v, trans)


def _lu_adjoint(lu: Any, v: Any, how: Any) -> Any:
    trans, *piv = how
    if trans == 1:
        return np.conjugate(_lu_solve(lu, np.conjugate(v), (0, *piv)))
    return _lu_solve(lu, v, (_ADJOINT[trans], *piv))


def _lu_change(lu: Any, tangent: Any, x: Any, how: Any) -> Any:
    trans, *piv = how
    low, up = unit_and_upper(lu)
    moved = np.tril(tangent, -1) @ up + low @ np.triu(tangent)
    return _TURN[trans](moved[..., np.argsort(rows_of(piv)), :]) @ x


def _lu_back(lu: Any, y: Any, x: Any, how: Any) -> Any:
    trans, *piv = how
    low, up = unit_and_upper(lu)
    flow = _TURN[trans](y @ mH(x))[..., rows_of(piv), :]
    return np.tril(flow @ mH(up), -1) + np.triu(mH(low) @ flow)


_declare("lu_solve", _by_lu, Solver(_lu_solve, _lu_adjoint, _lu_change, _lu_back))

# --- Bands ---------------------------------------------------------------------------------------------------------
#
# The rows of ``ab`` are diagonals: row k has, in column j, the element of M in row j + k - above.


def _shifted(v: Any, by: int) -> Any:
    """Rows moved down by some places, or up, and zeros."""
    n = v.shape[-2]
    by = max(-n, min(n, by))
    zeros = np.zeros((*v.shape[:-2], abs(by), v.shape[-1]), v.dtype)
    if by >= 0:
        return np.concatenate([zeros, v[..., : n - by, :]], axis=-2)
    return np.concatenate([v[..., -by:, :], zeros], axis=-2)


def _banded_change(ab: Any, tangent: Any, x: Any, how: Any) -> Any:
    above = how[1]
    return sum(_shifted(tangent[..., k, :, None] * x, k - above) for k in range(ab.shape[-2]))


def _banded_back(ab: Any, y: Any, x: Any, how: Any) -> Any:
    above = how[1]
    rows = [np.sum(_shifted(y, above - k) * np.conjugate(x), axis=-1) for k in range(ab.shape[-2])]
    return np.stack(rows, axis=-2)


def _solve_banded(ab: Any, v: Any, how: Any) -> Any:
    return linalg.solve_banded(how, ab, v)


def _banded_adjoint(ab: Any, v: Any, how: Any) -> Any:
    """With the bands of the adjoint matrix, in the opposite order."""
    below, above = how
    bands = [_shifted(np.conjugate(ab[k, :, None]), k - above)[:, 0] for k in reversed(range(below + above + 1))]
    return linalg.solve_banded((above, below), np.stack(bands), v)


def _bands(
    l_and_u: Any, ab: Any, b: Any, overwrite_ab: Any = False, overwrite_b: Any = False, check_finite: Any = True
) -> dict[str, Any] | None:
    below, above = map(int, l_and_u)
    return {"a": ab, "b": b, "how": (below, above)} if _are_one(ab, b) else None


_declare("solve_banded", _bands, Solver(_solve_banded, _banded_adjoint, _banded_change, _banded_back))


def _hermitian_bands(
    ab: Any, b: Any, overwrite_ab: Any = False, overwrite_b: Any = False, lower: Any = False, check_finite: Any = True
) -> dict[str, Any] | None:
    return {"a": ab, "b": b, "how": (int(bool(lower)),)} if _are_one(ab, b) else None


def _solveh_banded(ab: Any, v: Any, how: Any) -> Any:
    return linalg.solveh_banded(ab, v, lower=bool(how[0]))


def _halves_of(ab: Any, how: Any) -> tuple[int, int]:
    """Which row is the diagonal, and how far above the others it is as the bands of a matrix."""
    last = ab.shape[-2] - 1
    return (0, 0) if how[0] else (last, last)


def _hermitian_change(ab: Any, tangent: Any, x: Any, how: Any) -> Any:
    diagonal, above = _halves_of(ab, how)
    made = np.real(tangent[..., diagonal, :, None]) * x
    for k in range(ab.shape[-2]):
        if k != diagonal:
            band = tangent[..., k, :, None]
            made = made + _shifted(band * x, k - above) + np.conjugate(band) * _shifted(x, above - k)
    return made


def _hermitian_back(ab: Any, y: Any, x: Any, how: Any) -> Any:
    diagonal, above = _halves_of(ab, how)
    rows = []
    for k in range(ab.shape[-2]):
        row = np.sum(_shifted(y, above - k) * np.conjugate(x), axis=-1)
        if k == diagonal:
            rows.append(np.real(row).astype(row.dtype))
        else:
            rows.append(row + np.sum(np.conjugate(y) * _shifted(x, above - k), axis=-1))
    return np.stack(rows, axis=-2)


_declare(
    "solveh_banded", _hermitian_bands, Solver(_solveh_banded, _solveh_banded, _hermitian_change, _hermitian_back)
)
