"""``scipy.sparse.linalg``: solutions of systems, direct or by iteration, exponentials times vectors, and products of
operators that hold a dense matrix.

Each is linear in its right-hand side, and its adjoint is the same function of the adjoint matrix. Solutions are followed by
the entries of the matrix as well. An iteration has the derivative of the exact solution, as exactly as it is asked for the
solution itself.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from .._following import LibraryRule, constant, follow_by, follow_maker, follow_method, follow_object
from .._libraries import Library
from ._helpers import by_columns, mH, ndim_of
from ._sparse_parts import ARRAYS, adjoint_of, entries_from, entries_of, entries_times, is_matrix, matrix_of, matrix_parts

sparse_linalg = Library("scipy.sparse.linalg")


def _is_right_hand_side(b: Any) -> bool:
    return not is_matrix(b) and ndim_of(b) in (1, 2) and np.size(b) > 0


# --- Direct --------------------------------------------------------------------------------------------------------


def _system(
    b: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any = None, whole: Any = None, how: Any = ()
) -> None:
    """The arguments of the rules here."""


def _declare_direct(name: str, parts: Callable, solve: Callable) -> None:
    """``solve`` takes a matrix in columns, several right-hand sides, whether the matrix is the adjoint, and ``how``."""
    rule = LibraryRule(_system, parts)
    rule.steps.add("whole")
    follow_by(rule, sparse_linalg, name)

    def solved(matrix: Any, flow: Any, from_spec: Any, to_spec: Any, is_adjoint: bool, how: Any) -> Any:
        columns = matrix.tocsc()
        made = by_columns(lambda v: solve(columns, v, is_adjoint, how).reshape(v.shape), flow, from_spec.ndim)
        return made.reshape(flow.shape[: flow.ndim - from_spec.ndim] + to_spec.shape)

    @rule.vjp("b")
    def vjp(
        ct: Any, ans_spec: Any, b_spec: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any, how: Any
    ) -> Any:
        return solved(adjoint_of(kind, shape, data, places, ends), ct, ans_spec, b_spec, True, how)

    @rule.jvp("b")
    def jvp(
        tangent: Any, ans_spec: Any, b_spec: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any, how: Any
    ) -> Any:
        return solved(matrix_of(kind, shape, data, places, ends), tangent, b_spec, ans_spec, False, how)

    @rule.vjp("data")
    def vjp_data(
        ct: Any, ans: Any, ans_spec: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any, how: Any
    ) -> Any:
        flow = solved(adjoint_of(kind, shape, data, places, ends), ct, ans_spec, ans_spec, True, how)
        back = entries_from(flow, ans, *entries_of(kind, shape, places, ends), data.shape[0])
        return -back * _read(kind, shape, places, ends, how)

    @rule.jvp("data")
    def jvp_data(
        tangent: Any, ans: Any, ans_spec: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any, how: Any
    ) -> Any:
        moved = tangent * _read(kind, shape, places, ends, how)
        change = entries_times(moved, ans, *entries_of(kind, shape, places, ends), shape[0])
        return -solved(matrix_of(kind, shape, data, places, ends), change, ans_spec, ans_spec, False, how)


def _read(kind: Any, shape: Any, places: Any, ends: Any, how: Any) -> Any:
    """Which entries a solver looks at: all, or those of a triangle."""
    if not how:
        return 1.0
    rows, columns = entries_of(kind, shape, places, ends)
    below = rows - columns if how[0] else columns - rows
    return np.where(below >= int(how[1]), 1.0, 0.0)


def _of_general(A: Any, b: Any, permc_spec: Any = None, use_umfpack: Any = True) -> dict[str, Any] | None:
    return {"b": b, **matrix_parts(A)} if is_matrix(A) and _is_right_hand_side(b) else None


def _of_triangular(
    A: Any, b: Any, lower: Any = True, overwrite_A: Any = False, overwrite_b: Any = False, unit_diagonal: Any = False
) -> dict[str, Any] | None:
    known = is_matrix(A) and _is_right_hand_side(b)
    return {"b": b, **matrix_parts(A), "how": (int(bool(lower)), int(bool(unit_diagonal)))} if known else None


def _solve_triangular(matrix: Any, v: Any, is_adjoint: bool, how: Any) -> Any:
    lower, unit = how
    return sparse_linalg.spsolve_triangular(matrix, v, bool(lower) != is_adjoint, unit_diagonal=bool(unit))


_declare_direct("spsolve", _of_general, lambda matrix, v, is_adjoint, how: sparse_linalg.spsolve(matrix, v))
_declare_direct("spsolve_triangular", _of_triangular, _solve_triangular)

# --- By factors that compiled code holds ----------------------------------------------------------------------------

_ADJOINT = {"N": "H", "H": "N"}


def _of_factors(lu: Any, rhs: Any, trans: str = "N") -> dict[str, Any] | None:
    """What has factorised a matrix with tracked entries holds it; not if the factors are only near it."""
    if not _is_right_hand_side(rhs) or lu.is_near:
        return None
    return {"rhs": rhs, "lu": lu, "trans": trans, **({} if lu.matrix is None else matrix_parts(lu.matrix))}


def _by_factors(
    rhs: Any, lu: Any, trans: Any, kind: Any = None, shape: Any = None, data: Any = None, places: Any = None,
    ends: Any = None, whole: Any = None,
) -> None:  # fmt: skip
    """The arguments of the rule here."""


_factors = LibraryRule(_by_factors, _of_factors)


def _solved(lu: Any, v: Any, trans: str) -> Any:
    """What real factors take is real."""
    if np.iscomplexobj(v) and lu.L.dtype.kind == "f":
        return lu.solve(np.real(v), trans) + 1j * lu.solve(np.imag(v), trans)
    return lu.solve(v, trans)


@_factors.vjp("rhs")
def factors_vjp(ct: Any, rhs_spec: Any, lu: Any, trans: Any) -> Any:
    if trans == "T":
        return np.conjugate(by_columns(lambda v: _solved(lu, v, "N"), np.conjugate(ct), rhs_spec.ndim))
    return by_columns(lambda v: _solved(lu, v, _ADJOINT[trans]), ct, rhs_spec.ndim)


@_factors.jvp("rhs")
def factors_jvp(tangent: Any, rhs_spec: Any, lu: Any, trans: Any) -> Any:
    return by_columns(lambda v: _solved(lu, v, trans), tangent, rhs_spec.ndim)


@_factors.vjp("data")
def factors_vjp_data(
    ct: Any, ans: Any, rhs_spec: Any, lu: Any, trans: Any, kind: Any, shape: Any, data_spec: Any, places: Any, ends: Any
) -> Any:
    rows, columns = entries_of(kind, shape, places, ends)
    where = (rows, columns) if trans == "N" else (columns, rows)
    back = entries_from(factors_vjp(ct, rhs_spec, lu, trans), ans, *where, data_spec.shape[0])
    return -np.conjugate(back) if trans == "H" else -back


@_factors.jvp("data")
def factors_jvp_data(
    tangent: Any, ans: Any, rhs_spec: Any, lu: Any, trans: Any, kind: Any, shape: Any, places: Any, ends: Any
) -> Any:
    rows, columns = entries_of(kind, shape, places, ends)
    where = (rows, columns) if trans == "N" else (columns, rows)
    change = entries_times(np.conjugate(tangent) if trans == "H" else tangent, ans, *where, shape[0])
    return -factors_jvp(change, rhs_spec, lu, trans)


follow_object(_factors, sparse_linalg, "SuperLU", "solve")
follow_maker(sparse_linalg, "splu", "factorized")
follow_maker(sparse_linalg, "spilu", nearly=True)

# --- By iteration --------------------------------------------------------------------------------------------------


class _Constant:
    """A matrix, an operator or options of a call, which are the user's and do not change."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __deepcopy__(self, memo: Any) -> _Constant:
        return self


def _adjoint_of(operator: Any) -> Any:
    return operator.H if isinstance(operator, sparse_linalg.LinearOperator) else operator.conj().T


def _is_traced(matrix: Any) -> bool:
    return is_matrix(matrix) and matrix.format in ARRAYS and type(matrix.data) is not np.ndarray


_UNCHANGED = {"callback", "callback_type", "show", "check"}  # what says nothing of the solution
_HERMITIAN = {"cg", "minres"}


def _iteration(
    b: Any, x0: Any, options: Any, matrix: Any = None, kind: Any = None, shape: Any = None, data: Any = None,
    places: Any = None, ends: Any = None, whole: Any = None, near: Any = None,
) -> None:  # fmt: skip
    """The arguments of the rules here: a constant matrix or operator, or the parts of one with tracked entries. What is
    ``near`` the inverse of the matrix has no influence on the solution."""


def _declare_iteration(name: str) -> None:
    def parts(A: Any, b: Any, x0: Any = None, **options: Any) -> dict[str, Any] | None:
        if not _is_right_hand_side(b):
            return None
        asked = {key: value for key, value in options.items() if key not in _UNCHANGED}
        given = {"b": b, "x0": x0}
        if _is_traced(asked.get("M")):
            given["near"] = asked["M"].data
            asked["M"] = _with_plain_data(asked["M"])
        given["options"] = _Constant(asked)
        return {**given, **(matrix_parts(A) if _is_traced(A) else {"matrix": _Constant(_copied(A))})}

    def solve(v: Any, matrix: Any, options: dict[str, Any], shape: tuple[int, ...]) -> Any:
        rows = [getattr(sparse_linalg, name)(matrix, row, **options) for row in v.reshape((-1, matrix.shape[0]))]
        if any(info for _, info in rows):
            raise RuntimeError(f"scipy.sparse.linalg.{name} did not converge for a derivative: allow more iterations")
        return np.stack([x for x, _ in rows]).reshape(shape)

    def back(matrix: Any, flow: Any, options: dict[str, Any], shape: tuple[int, ...]) -> Any:
        if name not in _HERMITIAN:
            matrix = _adjoint_of(matrix)
            options = {**options, "M": _adjoint_of(options["M"])} if options.get("M") is not None else options
        return solve(flow, matrix, options, shape)

    rule = LibraryRule(_iteration, parts)
    rule.steps |= {"x0", "whole", "near"}  # the exact solution does not depend on where the iteration begins
    follow_by(rule, sparse_linalg, name)

    @rule.vjp("b")
    def vjp(
        ct: Any, ans_spec: Any, b_spec: Any, options: Any, matrix: Any, kind: Any, shape: Any, data: Any, places: Any,
        ends: Any,
    ) -> Any:  # fmt: skip
        batch = ct[0].shape[: ct[0].ndim - ans_spec[0].ndim]
        return back(_given(matrix, kind, shape, data, places, ends), ct[0], options.value, batch + b_spec.shape)

    @rule.jvp("b")
    def jvp(
        tangent: Any, ans_spec: Any, b_spec: Any, options: Any, matrix: Any, kind: Any, shape: Any, data: Any, places: Any,
        ends: Any,
    ) -> Any:  # fmt: skip
        batch = tangent.shape[: tangent.ndim - b_spec.ndim]
        matrix = _given(matrix, kind, shape, data, places, ends)
        return solve(tangent, matrix, options.value, batch + ans_spec[0].shape), None

    @rule.vjp("data")
    def vjp_data(
        ct: Any, ans: Any, options: Any, matrix: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any
    ) -> Any:
        flow = back(_given(matrix, kind, shape, data, places, ends), ct[0], options.value, ct[0].shape)
        return -entries_from(flow, ans[0], *entries_of(kind, shape, places, ends), data.shape[0])

    @rule.jvp("data")
    def jvp_data(
        tangent: Any, ans: Any, options: Any, matrix: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any
    ) -> Any:
        change = entries_times(tangent, ans[0], *entries_of(kind, shape, places, ends), shape[0])
        return -solve(change, _given(matrix, kind, shape, data, places, ends), options.value, change.shape), None


def _given(matrix: Any, kind: Any, shape: Any, data: Any, places: Any, ends: Any) -> Any:
    return matrix_of(kind, shape, data, places, ends) if matrix is None else matrix.value


def _with_plain_data(matrix: Any) -> Any:
    made = copy.copy(matrix)
    made.data = constant(matrix.data)
    return made


def _copied(matrix: Any) -> Any:
    """A matrix as it is now, which the user may change; an operator is what it computes."""
    return matrix if isinstance(matrix, sparse_linalg.LinearOperator) else matrix.copy()


for _name in ("cg", "cgs", "gmres", "bicg", "bicgstab", "minres", "qmr", "tfqmr", "lgmres", "gcrotmk"):
    _declare_iteration(_name)

# --- Exponentials --------------------------------------------------------------------------------------------------


def _of_exponential(A: Any, B: Any) -> dict[str, Any] | None:
    return {"B": B, "matrix": _Constant(_copied(A))} if _is_right_hand_side(B) else None


_exponential = LibraryRule(lambda B, matrix: None, _of_exponential)
follow_by(_exponential, sparse_linalg, "expm_multiply")


@_exponential.vjp("B")
def expm_multiply_vjp(ct: Any, B_spec: Any, matrix: Any) -> Any:
    adjoint = _adjoint_of(matrix.value)
    return by_columns(lambda v: sparse_linalg.expm_multiply(adjoint, v), ct, B_spec.ndim)


@_exponential.jvp("B")
def expm_multiply_jvp(tangent: Any, B_spec: Any, matrix: Any) -> Any:
    return by_columns(lambda v: sparse_linalg.expm_multiply(matrix.value, v), tangent, B_spec.ndim)

# --- Operators that hold a dense matrix ----------------------------------------------------------------------------


def _of_operator(operator: Any, columns: Any) -> dict[str, Any] | None:
    matrix = operator.A
    return {"x": columns, "a": matrix} if type(matrix) is np.ndarray and ndim_of(columns) == 2 else None


_operator = LibraryRule(lambda x, a: None, _of_operator)


@_operator.vjp("x")
def operator_vjp(ct: Any, a: Any) -> Any:
    return mH(a) @ ct


@_operator.jvp("x")
def operator_jvp(tangent: Any, a: Any) -> Any:
    return a @ tangent


follow_method(_operator, [type(sparse_linalg.aslinearoperator(np.eye(1)))], "_matmat")
