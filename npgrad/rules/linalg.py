"""Systems of equations, inverses and determinants.

Formulas: M. B. Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008); G. H. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares
problems whose variables separate" (1973).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._registry import composite, jvp, steps, view, vjp, zero
from ._helpers import behind_batch, fixed, hermitian, mH, mT, total, triangle

# --- solve and inv -------------------------------------------------------------------------------------------------


@vjp(np.linalg.solve, "a", "b")
def solve_vjp(ct: Any, ans: Any, a: Any, b_spec: Any) -> Any:
    if b_spec.ndim == 1:
        back = np.linalg.solve(mH(a), ct[..., None])
        return -(back @ mH(ans[..., None])), back[..., 0]
    back = np.linalg.solve(mH(a), ct)
    return -(back @ mH(ans)), back


@jvp(np.linalg.solve, "a")
def solve_jvp_a(tangent: Any, ans: Any, a: Any, a_spec: Any, b_spec: Any) -> Any:
    columns = ans[..., None] if b_spec.ndim == 1 else ans
    change = np.linalg.solve(a, -(behind_batch(tangent, a_spec, columns.ndim) @ columns))
    return change[..., 0] if b_spec.ndim == 1 else change


@jvp(np.linalg.solve, "b")
def solve_jvp_b(tangent: Any, a: Any, b_spec: Any) -> Any:
    if b_spec.ndim > 1:
        return np.linalg.solve(a, behind_batch(tangent, b_spec, a.ndim))
    columns = tangent.reshape(tangent.shape[:-1] + (1,) * (a.ndim - 2) + (tangent.shape[-1], 1))
    return np.linalg.solve(a, columns)[..., 0]


@vjp(np.linalg.inv, "a")
def inv_vjp(ct: Any, ans: Any) -> Any:
    return -(mH(ans) @ ct @ mH(ans))


@jvp(np.linalg.inv, "a")
def inv_jvp(tangent: Any, ans: Any) -> Any:
    return -(ans @ tangent @ ans)


# --- Determinants --------------------------------------------------------------------------------------------------


def _cofactors_2(a: Any) -> Any:
    return a[..., ::-1, ::-1] * np.array([[1, -1], [-1, 1]], a.dtype)


def _cofactors_3(a: Any) -> Any:
    x, y, z = a[..., 0, :], a[..., 1, :], a[..., 2, :]
    return np.stack([np.cross(y, z), np.cross(z, x), np.cross(x, y)], axis=-2)


_SMALL_COFACTORS: dict[int, Any] = {1: np.ones_like, 2: _cofactors_2, 3: _cofactors_3}


def cofactors(a: Any) -> Any:
    """The derivative of the determinant, also of singular matrices, in a form that has all further derivatives.

    With fixed unitary U and V from the singular value decomposition, B = U^H A V is block-wise well conditioned or small:
    its large block is eliminated, det B = det(B11) det(S) with the Schur complement S, and the cofactors of the small S are
    its minors.
    """
    n = a.shape[-1]
    if not a.size:
        return a
    if n <= 3:
        return _SMALL_COFACTORS[n](a)
    values = fixed(a)
    limit = float(np.finfo(values.dtype).eps) ** -0.2
    if not np.any(np.linalg.cond(values, 1) > limit):
        return np.linalg.det(a)[..., None, None] * mT(np.linalg.inv(a))
    u, s, vh = np.linalg.svd(values)
    large = min(int(np.min(np.sum(s > s[..., :1] / limit, axis=-1))), n - 1)
    return mT(mH(vh) @ _adjugate(mH(u) @ a @ mH(vh), large) @ mH(u)) * np.linalg.det(u @ vh)[..., None, None]


def _adjugate(b: Any, large: int) -> Any:
    """The transposed cofactors of a matrix whose leading block of this size is well conditioned."""
    if not large:
        return mT(_minors(b))
    n = b.shape[-1] - large
    inverse = np.linalg.inv(b[..., :large, :large])
    right, below = inverse @ b[..., :large, large:], b[..., large:, :large] @ inverse
    schur = b[..., large:, large:] - below @ b[..., :large, large:]
    small = mT(_SMALL_COFACTORS[n](schur) if n <= 3 else _minors(schur))
    corner = np.linalg.det(schur)[..., None, None] * inverse + right @ small @ below
    rows = np.concatenate([corner, -(right @ small)], axis=-1), np.concatenate([-(small @ below), small], axis=-1)
    return np.linalg.det(b[..., :large, :large])[..., None, None] * np.concatenate(rows, axis=-2)


def _minors(a: Any) -> Any:
    """All cofactors of a matrix, one determinant each."""
    n = a.shape[-1]
    others = [[k for k in range(n) if k != i] for i in range(n)]
    rows = []
    for i in range(n):
        row = [(-1) ** (i + j) * np.linalg.det(a[..., others[i], :][..., others[j]]) for j in range(n)]
        rows.append(np.stack(row, axis=-1))
    return np.stack(rows, axis=-2)


@vjp(np.linalg.det, "a")
def det_vjp(ct: Any, a: Any) -> Any:
    return ct[..., None, None] * np.conjugate(cofactors(a))


@jvp(np.linalg.det, "a")
def det_jvp(tangent: Any, a: Any) -> Any:
    return np.sum(tangent * cofactors(a), axis=(-2, -1))


def _inverse_or_nan(a: Any, logabsdet: Any) -> Any:
    """The inverse; at a singular matrix, where the logarithm has no derivative, NaN."""
    return np.linalg.inv(np.where(np.isinf(logabsdet)[..., None, None], np.nan, a))


@vjp(np.linalg.slogdet, "a")
def slogdet_vjp(ct: Any, ans: Any, a: Any) -> Any:
    (ct_sign, ct_log), (sign, logabsdet) = ct, ans
    turn = -1j * np.imag(np.conjugate(ct_sign) * sign) if ct_sign is not None and np.iscomplexobj(sign) else None
    flow = total(ct_log, turn)
    return None if flow is None else np.asarray(flow)[..., None, None] * mH(_inverse_or_nan(a, logabsdet))


@jvp(np.linalg.slogdet, "a")
def slogdet_jvp(tangent: Any, ans: Any, a: Any) -> Any:
    sign, logabsdet = ans
    change = np.sum(tangent * mT(_inverse_or_nan(a, logabsdet)), axis=(-2, -1))
    return 1j * sign * np.imag(change) if np.iscomplexobj(sign) else 0 * change, np.real(change)


# --- Pseudo-inverse and least squares, at constant rank ------------------------------------------------------------


class _Cut(NamedTuple):
    """Singular vectors of a matrix of which a pseudo-inverse leaves out some whose values are not zero. Then its derivative
    has what couples these with the ones that it keeps: with E = U^H dA V it is

        V (across * E^H + along * E) U^H + V inner V^H dA^H (1 - U U^H) + (1 - V V^H) dA^H U inner U^H
    """

    u: Any
    v: Any
    across: Any
    along: Any
    inner: Any


def _cut(p: Any, a: Any) -> _Cut | None:
    """None if the pseudo-inverse leaves out zeros at most."""
    values, inverse = fixed(a), fixed(p)
    missing, size = np.abs(values - values @ inverse @ values), np.abs(values)
    if np.max(missing, initial=0) <= 1e3 * np.finfo(size.dtype).eps * np.max(size, initial=0):
        return None
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    v = mH(vh)
    kept = np.real(np.sum(fixed(v) * (inverse @ fixed(u)).conj(), axis=-2)) * fixed(s) > 0.5
    row, column = kept[..., :, None], kept[..., None, :]
    s_row, s_column = s[..., :, None], s[..., None, :]
    both, one = row & column, row != column
    large, small = np.where(one, np.where(row, s_row, s_column), 1), np.where(one, np.where(row, s_column, s_row), 0)
    gap = (large - small) * (large + small)
    along = np.where(one, small / (large * gap), np.where(both, -1 / np.where(both, s_row * s_column, 1), 0))
    return _Cut(u, v, np.where(one, 1 / gap, 0), along, np.where(kept, 1 / np.where(kept, s, 1) ** 2, 0))


def _cut_vjp(ct: Any, cut: _Cut) -> Any:
    u, v, across, along, inner = cut
    seen, cH = mH(v) @ ct @ u, mH(ct)
    left, right = cH @ v, mH(u) @ cH
    back = u @ (across * mH(seen) + along * seen) @ mH(v)
    back = back + ((left - u @ (mH(u) @ left)) * inner[..., None, :]) @ mH(v)
    return back + u @ (inner[..., :, None] * (right - (right @ v) @ mH(v)))


def _cut_jvp(tangent: Any, cut: _Cut) -> Any:
    u, v, across, along, inner = cut
    seen, tH = mH(u) @ tangent @ v, mH(tangent)
    left, right = mH(v) @ tH, tH @ u
    change = v @ (across * mH(seen) + along * seen) @ mH(u)
    change = change + v @ (inner[..., :, None] * (left - (left @ u) @ mH(u)))
    return change + ((right - v @ (mH(v) @ right)) * inner[..., None, :]) @ mH(u)


steps(np.linalg.pinv, "rcond", "rtol")
steps(np.linalg.lstsq, "rcond")


@vjp(np.linalg.pinv, "a")
def pinv_vjp(ct: Any, ans: Any, a: Any, hermitian: Any) -> Any:
    p, pH, cH, read = ans, mH(ans), mH(ct), _read(a, hermitian)
    cut = _cut(p, read)
    if cut is not None:
        back = _cut_vjp(ct, cut)
    else:
        left, right = cH - cH @ p @ read, cH - read @ p @ cH
        back = -(pH @ ct @ pH) + right @ p @ pH + pH @ p @ left
    return triangle(back) if _is_read_as_hermitian(a, hermitian) else back


@jvp(np.linalg.pinv, "a")
def pinv_jvp(tangent: Any, ans: Any, a: Any, hermitian: Any) -> Any:
    p, pH, a, t = ans, mH(ans), _read(a, hermitian), _read(tangent, hermitian)
    cut = _cut(p, a)
    if cut is not None:
        return _cut_jvp(t, cut)
    tH = mH(t)
    along, across = p @ pH @ tH, tH @ pH @ p
    return -(p @ t @ p) + along - along @ a @ p + across - p @ a @ across


def _is_read_as_hermitian(a: Any, is_hermitian: Any) -> bool:
    # NumPy returns the inverse of an empty matrix before it asks whether it is hermitian, or square.
    return bool(a.size) and a.shape[-1] == a.shape[-2] and bool(is_hermitian)


def _read(a: Any, is_hermitian: Any) -> Any:
    return hermitian(a) if _is_read_as_hermitian(a, is_hermitian) else a


def _columns(b: Any, ndim: int) -> Any:
    return b[..., None] if ndim == 1 else b


def _least_squares(a: Any, b: Any, ans: Any, b_ndim: int) -> tuple[Any, Any, Any]:
    """The pseudo-inverse that lstsq applies, its result and the residual as columns."""
    x = _columns(ans[0], b_ndim)
    return np.linalg.pinv(a, _between(fixed(ans[3]), int(ans[2]))), x, _columns(b, b_ndim) - a @ x


def _between(s: Any, rank: int) -> float:
    """A cutoff that keeps as many singular values as LAPACK has kept."""
    if rank == 0:
        return 2.0
    return np.sqrt(s[rank - 1] * s[rank]) / s[0] if rank < len(s) else 0.0


@vjp(np.linalg.lstsq, "a", "b")
def lstsq_vjp(ct: Any, ans: Any, a: Any, b: Any) -> Any:
    ct_x, ct_squares, _, ct_s = ct
    p, x, residual = _least_squares(a, b, ans, b.ndim)
    back_a = back_b = None
    if ct_x is not None:
        ct_x = _columns(ct_x, b.ndim)
        cut = _cut(p, a)
        seen, missed = p @ mH(p) @ ct_x, ct_x - mH(a) @ (mH(p) @ ct_x)
        back_a = -(mH(p) @ ct_x @ mH(x)) + residual @ mH(seen) + mH(p) @ x @ mH(missed)
        if cut is not None:
            back_a = _cut_vjp(ct_x @ mH(_columns(b, b.ndim)), cut)
        back_b = mH(p) @ ct_x
    if ct_squares is not None and ct_squares.shape[-1]:
        flow = 2 * residual * ct_squares[..., None, :]
        back_a, back_b = total(back_a, -(flow @ mH(x))), total(back_b, flow)
    if ct_s is not None:
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        back_a = total(back_a, (u * ct_s[..., None, :]) @ vh)
    return back_a, back_b if back_b is None or b.ndim > 1 else back_b[..., 0]


@jvp(np.linalg.lstsq, "a")
def lstsq_jvp_a(tangent: Any, ans: Any, a: Any, b: Any) -> Any:
    p, x, residual = _least_squares(a, b, ans, b.ndim)
    change, tH = tangent @ x, mH(tangent)
    across = tH @ (mH(p) @ x)
    change_x = -(p @ change) + p @ mH(p) @ tH @ residual + across - p @ (a @ across)
    cut = _cut(p, a)
    if cut is not None:
        change_x = _cut_jvp(tangent, cut) @ _columns(b, b.ndim)
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    change_s = np.real(np.sum(np.conjugate(u) * (tangent @ mH(vh)), axis=-2))
    return _lstsq_change(change_x, -change, residual, ans, b.ndim) + (None, change_s)


@jvp(np.linalg.lstsq, "b")
def lstsq_jvp_b(tangent: Any, ans: Any, a: Any, b: Any) -> Any:
    p, _, residual = _least_squares(a, b, ans, b.ndim)
    columns = _columns(tangent, b.ndim)
    return _lstsq_change(p @ columns, columns, residual, ans, b.ndim) + (None, None)


def _lstsq_change(change_x: Any, change: Any, residual: Any, ans: Any, b_ndim: int) -> tuple[Any, Any]:
    """How the solution and the sums of squares change; these are empty where the rank is not full."""
    squares = 2 * np.real(np.sum(np.conjugate(residual) * change, axis=-2))
    return change_x[..., 0] if b_ndim == 1 else change_x, squares[..., : ans[1].shape[-1]]


# --- By other functions --------------------------------------------------------------------------------------------

composite(
    np.linalg.matrix_power, np.linalg.tensorsolve, np.linalg.tensorinv, np.linalg.multi_dot, np.linalg.vecdot,
    np.linalg.matmul, np.linalg.matrix_norm, np.linalg.vector_norm,
)  # fmt: skip
view(np.linalg.matrix_transpose)(lambda x: x.mT)
view(np.linalg.diagonal)(lambda x, offset=0: x.diagonal(offset, -2, -1))
zero(np.linalg.matrix_rank)
