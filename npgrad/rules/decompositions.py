"""Decompositions of matrices: eigenvalues, singular values.

NumPy reads one triangle of a Hermitian argument: the cotangent of the other one is 0. Eigenvectors and singular vectors are
those that LAPACK chooses: complex ones are turned so that one component is real.

Where values are equal up to rounding their vectors are arbitrary. For a result that does not depend on the choice, the
chain rule has 0 / 0, and its limit is found in the sweep (see ``_parting``). A DegenerateWarning says where a result does
depend on it, where equal values count in different ways, and where the limit cannot be found. The columns that complete a
basis (``full_matrices``) are taken to move with the space that they span; a DegenerateWarning says where they have a share
of their own.

Formulas: M. B. Giles, "An extended collection of matrix derivative results" (2008); C. Boeddeker et al., "On the
computation of complex-valued gradients with application to statistically optimum beamforming" (2017); J. Townsend,
"Differentiating the singular value decomposition" (2016); Z.-Q. Wan and S.-X. Zhang, "Automatic differentiation for complex
valued SVD" (2019).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._limits import Parts, following, turned_freely
from .._registry import by_vectors, jvp, parts, vjp
from ._degenerate import (
    Spectrum,
    columns,
    differ,
    direction,
    gaps,
    is_tiny,
    largest,
    quotient,
    spectrum,
    sums,
    tell_if_apart,
    tell_if_mixed,
    tell_if_torn,
    tell_if_turned,
    turns,
    warn_degenerate,
)
from ._helpers import fixed, hermitian, mH, total, triangle
from ._vectors import diagonal, diagonal_of, halves, phase_kept, phase_kept_vjp

# --- Eigenvalues of Hermitian matrices -----------------------------------------------------------------------------


@parts(np.linalg.eigh)
def eigh_parts(ans: list, bound: dict) -> Parts | None:
    w, v = ans
    return None if differ(w) else Parts(0, direction(w), [(1, v @ turns(w, v))])


# The component of eigenvectors that is real, by the triangle that is read.
_REAL_ROW = {"L": 0, "U": -1}


@vjp(np.linalg.eigh, "a")
def eigh_vjp(ct: Any, ans: Any, UPLO: Any, of: Any = None, turn: Any = None) -> Any:
    (ct_w, ct_v), (w, v) = ct, ans
    mixed, changes, size = None, False, 0
    if ct_v is not None:
        mixing = mH(v) @ phase_kept_vjp(ct_v, v, _REAL_ROW[UPLO.upper()])
        size = largest(mixing)
        mixed, changes = quotient(halves(mixing)[1], gaps, of or spectrum(w), size)
    inner = total(mixed, None if ct_w is None else diagonal(ct_w))
    if changes:
        tell_if_torn(inner, turns(w, v) if turn is None else turn, w, size)
    else:
        tell_if_apart(ct_w, w)
    return triangle(v @ inner @ mH(v), UPLO)


@jvp(np.linalg.eigh, "a")
def eigh_jvp(tangent: Any, ans: Any, UPLO: Any) -> Any:
    w, v = ans
    inner = mH(v) @ hermitian(tangent, UPLO) @ v
    mixed, _ = quotient(inner, gaps, spectrum(w), 0)
    return np.real(diagonal_of(inner)), phase_kept(v @ mixed, v, _REAL_ROW[UPLO.upper()])


@by_vectors(np.linalg.eigvalsh)
def eigvalsh_by_vectors(ans: Any, bound: dict) -> Any:
    return None if differ(ans) else np.linalg.eigh(**bound)[0]


@vjp(np.linalg.eigvalsh, "a")
def eigvalsh_vjp(ct: Any, a: Any, UPLO: Any) -> Any:
    with following(False):
        factors = np.linalg.eigh(a, UPLO)
    return eigh_vjp((ct, None), factors, UPLO)


@jvp(np.linalg.eigvalsh, "a")
def eigvalsh_jvp(tangent: Any, a: Any, UPLO: Any) -> Any:
    with following(False):
        w, v = np.linalg.eigh(a, UPLO)
    inner = mH(v) @ hermitian(tangent, UPLO) @ v
    tell_if_mixed(inner, w)
    return np.real(diagonal_of(inner))


# --- Eigenvalues of other matrices: vectors of length 1, their largest component real ------------------------------


def _of_length_1(change: Any, v: Any) -> Any:
    return change - v * np.real(np.sum(np.conjugate(v) * change, axis=-2, keepdims=True))


@parts(np.linalg.eig)
def eig_parts(ans: list, bound: dict) -> Parts | None:
    w, v = ans
    return None if _all_differ(w) else Parts(0, direction(w), [(1, _turned(w, v))])


def _all_differ(w: Any) -> bool:
    return differ(np.sort(w.real, axis=-1)) or not np.any(is_tiny(gaps(w), w))


def _turned(w: Any, v: Any) -> Any:
    return _of_length_1(v @ turns(w, v), v)


@vjp(np.linalg.eig, "a")
def eig_vjp(ct: Any, ans: Any) -> Any:
    (ct_w, ct_v), (w, v) = ct, ans
    mixed, changes, size = None, False, 0
    if ct_v is not None:
        ct_v = phase_kept_vjp(ct_v, v, None)
        mixing = mH(v) @ _of_length_1(ct_v, v)
        size = largest(mixing)
        mixed, changes = quotient(mixing, gaps, spectrum(w), size, conjugated=True)
    inner = total(mixed, None if ct_w is None else diagonal(ct_w))
    if changes:
        tell_if_torn(inner, np.linalg.solve(v, _turned(w, v)), w, size)
    else:
        tell_if_apart(ct_w, w)
    return np.linalg.solve(mH(v), inner @ mH(v))


@jvp(np.linalg.eig, "a")
def eig_jvp(tangent: Any, ans: Any) -> Any:
    w, v = ans
    inner = np.linalg.solve(v, tangent @ v)
    change = v @ quotient(inner, gaps, spectrum(w), 0)[0]
    return diagonal_of(inner), phase_kept(_of_length_1(change, v), v, None)


def _in_order_of(w: Any, values: Any) -> Any:
    """Where eigenvalues stand among the same ones: LAPACK may find them in another order together with vectors."""
    distance = np.abs(fixed(w)[..., :, None] - fixed(values)[..., None, :])
    order = np.zeros(w.shape, np.intp)
    for j in range(w.shape[-1]):
        nearest = np.argmin(distance[..., j, :], axis=-1)[..., None]
        order = np.where(np.arange(w.shape[-1]) == j, nearest, order)
        distance = np.where((np.arange(w.shape[-1]) == nearest)[..., None, :], np.inf, distance)
    return order


def _vectors_of(a: Any, w: Any) -> Any:
    with following(False):
        values, v = np.linalg.eig(a)
    return np.take_along_axis(v, _in_order_of(w, values)[..., None, :], axis=-1)


@by_vectors(np.linalg.eigvals)
def eigvals_by_vectors(ans: Any, bound: dict) -> Any:
    if _all_differ(ans):
        return None
    w = np.linalg.eig(**bound)[0]
    return np.take_along_axis(w, _in_order_of(ans, w), axis=-1)


@vjp(np.linalg.eigvals, "a")
def eigvals_vjp(ct: Any, ans: Any, a: Any) -> Any:
    v = _vectors_of(a, ans)
    tell_if_apart(ct, ans)
    return np.linalg.solve(mH(v), ct[..., :, None] * mH(v))


@jvp(np.linalg.eigvals, "a")
def eigvals_jvp(tangent: Any, ans: Any, a: Any) -> Any:
    v = _vectors_of(a, ans)
    inner = np.linalg.solve(v, tangent @ v)
    tell_if_mixed(inner, ans)
    return diagonal_of(inner)


# --- Singular values -----------------------------------------------------------------------------------------------
#
# With dP = U^H dA V, split into its Hermitian half H and its other half K,
#     U^H dU = H / (s_j - s_i) + K / (s_j + s_i),    V^H dV = H / (s_j - s_i) - K / (s_j + s_i),    ds = diag(H).
# The second term, apart from the first, stays right where singular values are equal.


def _turn(u: Any, s: Any, vh: Any, hermitian: bool) -> Any:
    """Columns of U and V turn together: of a Hermitian matrix those whose eigenvalues are equal."""
    return turns(s * np.real(diagonal_of(vh @ u)) if hermitian else s, u)


@parts(np.linalg.svd)
def svd_parts(ans: list, bound: dict) -> Parts | None:
    u, s, vh = ans
    if differ(s, (0.0,)):
        return None
    k, turn = s.shape[-1], _turn(u, s, vh, bound.get("hermitian", False))
    change_u, change_vh = np.zeros_like(u), np.zeros_like(vh)
    change_u[..., :k], change_vh[..., :k, :] = u[..., :k] @ turn, mH(turn) @ vh[..., :k, :]
    return Parts(1, direction(s), [(0, change_u), (2, change_vh)])


@by_vectors(np.linalg.svdvals)
@by_vectors(np.linalg.svd)
def svdvals_by_vectors(ans: Any, bound: dict) -> Any:
    if differ(ans, (0.0,)):
        return None
    a = bound["x"] if "x" in bound else bound["a"]
    return np.linalg.svd(a, full_matrices=False, hermitian=bound.get("hermitian", False))[1]


def _factors(u: Any, s: Any, vh: Any) -> tuple[Any, Any, Any, Any]:
    """U and V with as many columns as there are singular values, and the columns that complete them."""
    k, v = s.shape[-1], mH(vh)
    return u[..., :k], u[..., k:], v[..., :k], v[..., k:]


def _both_phases(function: Any, change_u: Any, change_v: Any, u: Any, v: Any) -> tuple[Any, Any]:
    """Columns of U and V turn together: LAPACK keeps the first component of the shorter ones real."""
    row = 0 if u.shape[-2] < v.shape[-2] else u.shape[-2]
    both = function(np.concatenate([change_u, change_v], axis=-2), np.concatenate([u, v], axis=-2), row)
    return both[..., : u.shape[-2], :], both[..., u.shape[-2] :, :]


def _outside(flow: Any, basis: Any, of: Any) -> tuple[Any, bool]:
    """The part of columns that is orthogonal to the basis, over the singular values."""
    if basis.shape[-2] == basis.shape[-1]:
        return np.zeros_like(flow), False
    off = flow - basis @ (mH(basis) @ flow)
    return quotient(off, columns, of, largest(flow))


def _vectors_vjp(ct_u: Any, ct_vh: Any, u: Any, s: Any, vh: Any) -> tuple[Any, Any, Any, bool]:
    """The cotangent of the matrix between U and V, that outside of them, the size of what they are made of, and whether it
    changes as values part."""
    k = s.shape[-1]
    batch = (ct_vh if ct_u is None else ct_u).shape[: -u.ndim]
    ct_u = np.zeros(batch + u.shape, u.dtype) if ct_u is None else ct_u
    ct_v = np.zeros(batch + mH(vh).shape, u.dtype) if ct_vh is None else mH(ct_vh)
    u, more_u, v, more_v = _factors(u, s, vh)
    flow_u, flow_v = _both_phases(phase_kept_vjp, ct_u[..., :k], ct_v[..., :k], u, v)
    along_u, along_v = mH(u) @ flow_u, mH(v) @ flow_v
    of, size = spectrum(s, "singular vectors"), largest(np.concatenate([flow_u, flow_v], axis=-2))
    even, changes = quotient(halves(along_u + along_v)[1], gaps, of, size)
    odd, changes_odd = quotient(halves(along_u - along_v)[1], sums, of, size)
    tell_if_turned(more_u, ct_u[..., k:], "svd")
    tell_if_turned(more_v, ct_v[..., k:], "svd")
    outside_u, changes_u = _outside(flow_u - more_u @ (mH(ct_u[..., k:]) @ u), u, of)
    outside_v, changes_v = _outside(flow_v - more_v @ (mH(ct_v[..., k:]) @ v), v, of)
    return even + odd, outside_u @ mH(v) + u @ mH(outside_v), size, changes or changes_odd or changes_u or changes_v


def _general_svd_vjp(ct: Any, factors: Any) -> Any:
    (ct_u, ct_s, ct_vh), (u, s, vh) = ct, factors
    inner, outside, size, changes = None, None, 0, False
    if ct_u is not None or ct_vh is not None:
        inner, outside, size, changes = _vectors_vjp(ct_u, ct_vh, u, s, vh)
    else:
        # As the absolute value, a singular value by itself has derivative 0 where it is 0. Derivatives of that are not cut.
        ct_s = ct_s - fixed(ct_s) * (s == 0)
    inner = total(inner, None if ct_s is None else diagonal(ct_s))
    if changes:
        tell_if_torn(inner, _turn(u, s, vh, False), s, size, "singular values")
    else:
        tell_if_apart(ct_s, s, "singular values")
    u, _, v, _ = _factors(u, s, vh)
    return total(outside, u @ inner @ mH(v))


def _general_svd_jvp(tangent: Any, factors: Any) -> tuple[Any, Any, Any]:
    u, s, vh = factors
    u, more_u, v, more_v = _factors(u, s, vh)
    inner = mH(u) @ tangent @ v
    hermitian_half, other_half = halves(inner)
    of = spectrum(s, "singular vectors")
    even, _ = quotient(hermitian_half, gaps, of, 0)
    odd, _ = quotient(other_half, sums, of, 0)
    outside_u, _ = _outside(tangent @ v, u, of)
    outside_v, _ = _outside(mH(tangent) @ u, v, of)
    change_u, change_v = _both_phases(phase_kept, u @ (even + odd) + outside_u, v @ (even - odd) + outside_v, u, v)
    change_u = np.concatenate([change_u, turned_freely(more_u, "svd") - u @ (mH(outside_u) @ more_u)], axis=-1)
    change_v = np.concatenate([change_v, turned_freely(more_v, "svd") - v @ (mH(outside_v) @ more_v)], axis=-1)
    return change_u, np.real(diagonal_of(inner)) * (s != 0), mH(change_v)


def _by_eigh(a: Any) -> tuple[Any, Any, Any]:
    """The singular values of a Hermitian matrix are sizes of its eigenvalues: their order, and the signs."""
    with following(False):
        w, v = np.linalg.eigh(a)
    order = np.argsort(np.abs(fixed(w)), axis=-1)[..., ::-1]
    return (w, v), order, np.sign(fixed(w))


@vjp(np.linalg.svd, "a")
def svd_vjp(ct: Any, ans: Any, a: Any, compute_uv: Any, hermitian: Any) -> Any:
    ct_u, ct_s, ct_vh = ct if compute_uv else (None, ct, None)
    if not hermitian:
        return _general_svd_vjp((ct_u, ct_s, ct_vh), ans) if compute_uv else svdvals_vjp(ct_s, a)
    eigen, order, sign = _by_eigh(a)
    back = np.argsort(order, axis=-1)
    if compute_uv:
        eigen = (np.take_along_axis(ans[1], back, axis=-1) * sign, np.take_along_axis(ans[0], back[..., None, :], axis=-1))
    ct_w = None if ct_s is None else np.take_along_axis(ct_s, _under(back, ct_s), axis=-1) * sign
    ct_v = None
    for flow, factor in ((ct_u, 1), (None if ct_vh is None else mH(ct_vh), sign[..., None, :])):
        if flow is not None:
            ct_v = total(ct_v, np.take_along_axis(flow, _under(back[..., None, :], flow), axis=-1) * factor)
    if ct_v is None:
        return eigh_vjp((ct_w, None), eigen, "L")
    if np.any(sign == 0):
        warn_degenerate("singular vectors")  # NumPy leaves out those that belong to zeros
    by = np.take_along_axis(direction(ans[1]), back, axis=-1) * sign
    u, s, vh = ans
    turn = np.take_along_axis(_turn(u, s, vh, True), back[..., None, :], axis=-1)
    turn = np.take_along_axis(turn, back[..., :, None], axis=-2)
    return eigh_vjp((ct_w, ct_v), eigen, "L", Spectrum(eigen[0], by, ans[1], "singular vectors"), turn)


@jvp(np.linalg.svd, "a")
def svd_jvp(tangent: Any, ans: Any, a: Any, compute_uv: Any, hermitian: Any) -> Any:
    if not hermitian:
        return _general_svd_jvp(tangent, ans) if compute_uv else svdvals_jvp(tangent, a)
    eigen, order, sign = _by_eigh(a)
    if not compute_uv:
        change_w = eigvalsh_jvp(tangent, a, "L")
        return np.take_along_axis(change_w * sign, _under(order, change_w), axis=-1)
    change_w, change_v = eigh_jvp(tangent, eigen, "L")
    change_s = np.take_along_axis(change_w * sign, _under(order, change_w), axis=-1)
    change_u = np.take_along_axis(change_v, _under(order[..., None, :], change_v), axis=-1)
    turned = np.take_along_axis(change_v * sign[..., None, :], _under(order[..., None, :], change_v), axis=-1)
    return change_u, change_s, mH(turned)


def _under(order: Any, batched: Any) -> Any:
    """An order along the last axis with leading axes for those of a batch."""
    return order.reshape((1,) * (batched.ndim - order.ndim) + order.shape)


@vjp(np.linalg.svdvals, "x")
def svdvals_vjp(ct: Any, x: Any) -> Any:
    with following(False):
        factors = np.linalg.svd(x, full_matrices=False)
    return _general_svd_vjp((None, ct, None), factors)


@jvp(np.linalg.svdvals, "x")
def svdvals_jvp(tangent: Any, x: Any) -> Any:
    with following(False):
        u, s, vh = np.linalg.svd(x, full_matrices=False)
    inner = mH(u) @ tangent @ mH(vh)
    tell_if_mixed((inner + mH(inner)) / 2, s, "singular values")
    return np.real(diagonal_of(inner)) * (s != 0)
