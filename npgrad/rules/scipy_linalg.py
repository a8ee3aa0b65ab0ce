"""``scipy.linalg``: decompositions that are NumPy's by other names, factors in LAPACK's form, matrices of a given structure,
and functions of matrices.

Formulas: those of rules/linalg.py and its kin; S. F. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra
functions with application in optimum experimental design" (2010), for LU; N. J. Higham, "Functions of Matrices" (2008),
theorem 3.6, for functions of matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._following import LibraryRule, follow, follow_by, numpys
from .._libraries import Library
from ._helpers import binned, mH, rows_of, unit_and_upper

linalg = Library("scipy.linalg")




# --- As NumPy's ----------------------------------------------------------------------------------------------------

_WHOLE: dict[str, tuple] = {"b": (None,), "subset_by_index": (None,), "subset_by_value": (None,)}
_RIGHT: dict[str, tuple] = {"b": (None,), "left": (False,), "right": (True,), "homogeneous_eigvals": (False,)}
_MODES = {"full": "complete", "economic": "reduced"}


def _same(name: str, named: dict[str, Any], only: dict[str, tuple] | None = None, of: str = "") -> None:
    """Let a function be followed like NumPy's of the same name, or of another one."""
    follow(linalg, name, **only or {}).same_as(numpys(np.linalg, of or name), **named)


def _triangle(lower: Any) -> str:
    return "L" if lower else "U"


_of_triangle = {"a": "a", "UPLO": _triangle}
_same("inv", {"a": "a"}, {"assume_a": (None, "gen", "general")})
_same("det", {"a": "a"})
_same("norm", {"x": "a", "ord": "ord", "axis": "axis", "keepdims": "keepdims"})
_same("pinv", {"a": "a", "hermitian": lambda: False}, {"return_rank": (False,)})
_same("eig", {"a": "a"}, _RIGHT)
_same("eigvals", {"a": "a"}, _RIGHT)
_same("eigh", _of_triangle, {"eigvals_only": (False,), **_WHOLE})
_same("eigh", _of_triangle, {"eigvals_only": (True,), **_WHOLE}, "eigvalsh")
_same("eigvalsh", _of_triangle, _WHOLE)
_same("svd", {"a": "a", "compute_uv": "compute_uv", "hermitian": lambda: False})
_same("svdvals", {"x": "a"})
_same("cholesky", {"a": "a", "upper": lambda lower: not lower})
_same("qr", {"a": "a", "mode": lambda mode: _MODES[mode]}, {"mode": tuple(_MODES), "pivoting": (False,)})

# The same with R alone, in a tuple, with as many rows as the matrix has.
_qr = numpys(np.linalg, "qr")
_r = follow(linalg, "qr", mode=("r",), pivoting=(False,))


@_r.vjp("a")
def r_vjp(ct: Any, ans: Any, a: Any) -> Any:
    return _qr.vjps["a"][0](ct[0][..., : min(a.shape[-2:]), :], ans[0], a, "r")


@_r.jvp("a")
def r_jvp(tangent: Any, ans: Any, a: Any) -> Any:
    change = _qr.jvps["a"][0](tangent, ans[0], a, "r")
    missing = (*change.shape[:-2], a.shape[-2] - change.shape[-2], change.shape[-1])
    return (np.concatenate([change, np.zeros(missing, change.dtype)], axis=-2),)


# Sums of squares are a number where NumPy has an array of one.
_least_squares = numpys(np.linalg, "lstsq")
_lstsq = follow(linalg, "lstsq", lapack_driver=(None, "gelsd", "gelss"))


def _is_number(ans: Any, b: Any) -> bool:
    return b.ndim == 1 and ans[1].ndim == 0


def _as_numpys(ans: Any, b: Any) -> tuple:
    return (ans[0], np.reshape(ans[1], (1,)), *ans[2:]) if _is_number(ans, b) else tuple(ans)


@_lstsq.vjp("a", "b")
def lstsq_vjp(ct: Any, ans: Any, a: Any, b: Any) -> Any:
    squares = ct[1] if ct[1] is None or not _is_number(ans, b) else ct[1][..., None]
    return _least_squares.shared["a"][0]((ct[0], squares, *ct[2:]), _as_numpys(ans, b), a, b)


def _lstsq_jvp(argument: str) -> Callable:
    def jvp(tangent: Any, ans: Any, a: Any, b: Any) -> Any:
        x, squares, *others = _least_squares.jvps[argument][0](tangent, _as_numpys(ans, b), a, b)
        return (x, squares[..., 0] if _is_number(ans, b) else squares, *others)

    return jvp


for _name in ("a", "b"):
    _lstsq.jvp(_name)(_lstsq_jvp(_name))

# --- Factors in LAPACK's form --------------------------------------------------------------------------------------

# Cholesky's: the other triangle is that of the argument, until SciPy 1.17; then it is zero.
_REST_STAYS = float(linalg.cho_factor(np.array([[2.0, 1.0], [1.0, 2.0]]))[0][1, 0])
_cholesky = numpys(np.linalg, "cholesky")
_cho_factor = follow(linalg, "cho_factor")


def _halves(a: Any, lower: Any) -> tuple[Any, Any]:
    """The triangle with the diagonal, and the other one."""
    return (np.tril(a), np.triu(a, 1)) if lower else (np.triu(a), np.tril(a, -1))


@_cho_factor.vjp("a")
def cho_factor_vjp(ct: Any, ans: Any, lower: Any) -> Any:
    factor, rest = _halves(ct[0], lower)
    return _cholesky.vjps["a"][0](factor, _halves(ans[0], lower)[0], not lower) + _REST_STAYS * rest


@_cho_factor.jvp("a")
def cho_factor_jvp(tangent: Any, ans: Any, lower: Any) -> Any:
    change = _cholesky.jvps["a"][0](tangent, _halves(ans[0], lower)[0], not lower)
    return change + _REST_STAYS * _halves(tangent, lower)[1], None


def _of_square(a: Any, overwrite_a: Any = False, check_finite: Any = True) -> dict[str, Any] | None:
    shape = np.shape(a)
    return {"a": a} if len(shape) == 2 and shape[0] == shape[1] and shape[0] else None


_lu_factor = LibraryRule(lambda a: None, _of_square)
follow_by(_lu_factor, linalg, "lu_factor")


@_lu_factor.vjp("a")
def lu_factor_vjp(ct: Any, ans: Any) -> Any:
    low, up = unit_and_upper(ans[0])
    inner = np.tril(mH(low) @ ct[0], -1) + np.triu(ct[0] @ mH(up))
    back = np.linalg.solve(mH(low), mH(np.linalg.solve(up, mH(inner))))
    return back[..., np.argsort(rows_of(ans[1])), :]


@_lu_factor.jvp("a")
def lu_factor_jvp(tangent: Any, ans: Any) -> Any:
    low, up = unit_and_upper(ans[0])
    inner = mH(np.linalg.solve(mH(up), mH(np.linalg.solve(low, tangent[..., rows_of(ans[1]), :]))))
    return low @ np.tril(inner, -1) + np.triu(inner) @ up, None


# --- Matrices of a given structure ---------------------------------------------------------------------------------


def _of_vector(c: Any, r: Any = None) -> dict[str, Any] | None:
    given = {"c": c} if r is None else {"c": c, "r": r}
    return given if all(np.ndim(value) == 1 for value in given.values()) else None


def _differences(rows: int, columns: int) -> Any:
    return np.subtract.outer(np.arange(rows), np.arange(columns))


_circulant = LibraryRule(lambda c: None, _of_vector)
follow_by(_circulant, linalg, "circulant")


@_circulant.vjp("c")
def circulant_vjp(ct: Any, c_spec: Any) -> Any:
    n = c_spec.shape[0]
    return binned(ct.reshape((*ct.shape[:-2], -1)), _differences(n, n) % n, n)


@_circulant.jvp("c")
def circulant_jvp(tangent: Any, c_spec: Any) -> Any:
    n = c_spec.shape[0]
    return tangent[..., _differences(n, n) % n]


# Without a first row it is that of a Hermitian matrix.
_toeplitz = LibraryRule(lambda c, r=None: None, _of_vector)
follow_by(_toeplitz, linalg, "toeplitz")


@_toeplitz.vjp("c", "r")
def toeplitz_vjp(ct: Any, c_spec: Any, ans_spec: Any, r_spec: Any) -> Any:
    rows, columns = ans_spec.shape
    places = _differences(rows, columns).reshape(-1)
    flat, below = ct.reshape((*ct.shape[:-2], -1)), places >= 0
    by_column, by_row = binned(flat[..., below], places[below], rows), binned(flat[..., ~below], -places[~below], columns)
    if r_spec.shape:
        return by_column, by_row
    return by_column + np.conjugate(by_row), None


@_toeplitz.jvp("c")
def toeplitz_jvp_c(tangent: Any, ans_spec: Any, r_spec: Any) -> Any:
    places = _differences(*ans_spec.shape)
    above = 0 if r_spec.shape else np.conjugate(tangent)[..., np.maximum(-places, 0)]
    return np.where(places >= 0, tangent[..., np.maximum(places, 0)], above)


@_toeplitz.jvp("r")
def toeplitz_jvp_r(tangent: Any, ans_spec: Any) -> Any:
    places = _differences(*ans_spec.shape)
    return np.where(places >= 0, 0, tangent[..., np.maximum(-places, 0)])


def _of_matrices(*arrs: Any) -> dict[str, Any] | None:
    return {"arrs": arrs} if arrs and all(np.ndim(a) <= 2 for a in arrs) else None


_block_diag = LibraryRule(lambda *arrs: None, _of_matrices)
follow_by(_block_diag, linalg, "block_diag")


def _corners(specs: Any) -> list[tuple[int, int, int, int]]:
    """Where each block begins and ends, in rows and in columns."""
    shapes = [(1, 1, *spec.shape)[-2:] for spec in specs]
    rows, columns = (np.cumsum([0, *sizes]).tolist() for sizes in zip(*shapes, strict=True))
    return list(zip(rows[:-1], rows[1:], columns[:-1], columns[1:], strict=True))


@_block_diag.vjp("arrs")
def block_diag_vjp(ct: Any, arrs_spec: Any) -> Any:
    blocks = [ct[..., a:b, c:d] for a, b, c, d in _corners(arrs_spec)]
    return [block.reshape(ct.shape[:-2] + spec.shape) for block, spec in zip(blocks, arrs_spec, strict=True)]


@_block_diag.jvp("arrs")
def block_diag_jvp(tangent: Any, ans_spec: Any, arrs_spec: Any) -> Any:
    made: Any = 0
    for change, spec, (a, b, c, d) in zip(tangent, arrs_spec, _corners(arrs_spec), strict=True):
        if change is not None:
            batch = change.shape[: change.ndim - spec.ndim]
            block = change.reshape((*batch, b - a, d - c))
            around = [(0, 0)] * len(batch) + [(a, ans_spec.shape[0] - b), (c, ans_spec.shape[1] - d)]
            made = made + np.pad(block, around)
    return made


# --- Functions of matrices -----------------------------------------------------------------------------------------
#
# Where f is applied to [[A, E], [0, A]], the derivative of f at A along E stands above the diagonal; as a map of E it is its
# own transpose.


def _along(function: Callable, a: Any, e: Any) -> Any:
    """The derivative of a function of matrices at ``a`` along each of some directions."""
    a, e = a.astype(np.result_type(a, e)), e.astype(np.result_type(a, e))
    n = a.shape[-1]
    found = []
    for direction in e.reshape((-1, n, n)):
        above, below = np.concatenate([a, direction], axis=-1), np.concatenate([np.zeros_like(a), a], axis=-1)
        found.append(function(np.concatenate([above, below], axis=-2))[:n, n:])
    return np.stack(found).reshape(e.shape) if found else e


def _of_one(A: Any, *exponent: Any, **others: Any) -> dict[str, Any] | None:
    shape = np.shape(A)
    known = not others and len(shape) == 2 and shape[0] == shape[1] and shape[0]
    return {"A": A, "exponent": exponent} if known else None


def _declare(name: str) -> None:
    rule = LibraryRule(lambda A, exponent: None, _of_one)
    follow_by(rule, linalg, name)

    @rule.vjp("A")
    def vjp(ct: Any, A: Any, exponent: Any) -> Any:
        return mH(_along(lambda block: getattr(linalg, name)(block, *exponent), A, mH(ct)))

    @rule.jvp("A")
    def jvp(tangent: Any, A: Any, exponent: Any) -> Any:
        return _along(lambda block: getattr(linalg, name)(block, *exponent), A, tangent)


for _name in (
    "expm", "logm", "sqrtm", "sinm", "cosm", "tanm", "sinhm", "coshm", "tanhm", "fractional_matrix_power",
):  # fmt: skip
    _declare(_name)
