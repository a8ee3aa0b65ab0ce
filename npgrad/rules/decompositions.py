"""Decompositions of matrices: eigenvalues, singular values.

NumPy reads one triangle of a Hermitian argument: the cotangent of the other one is 0. Eigenvectors and singular vectors are
those that LAPACK chooses: complex ones are turned so that one component is real.

Where values are equal up to rounding their vectors are arbitrary. For a result that does not depend on the choice, the
chain rule has 0 / 0, and its limit is found in the sweep (see ``_parting``). A DegenerateWarning says where a result does
depend on it, where equal values count in different ways, and where the limit cannot be found. The columns that complete a
basis (``full_matrices``) are taken to move with the space that they span; a DegenerateWarning says where reverse mode sees
that they have a share of their own.

Formulas: M. B. Giles, "An extended collection of matrix derivative results" (2008); C. Boeddeker et al., "On the
computation of complex-valued gradients with application to statistically optimum beamforming" (2017); J. Townsend,
"Differentiating the singular value decomposition" (2016); Z.-Q. Wan and S.-X. Zhang, "Automatic differentiation for complex
valued SVD" (2019).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._limits import Parts, following, follows
from .._registry import jvp, parts, vjp
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
    tell_if_turned,
    turns,
    warn_degenerate,
)
from ._helpers import fixed, hermitian, mH, total, triangle


def _diagonal(values: Any) -> Any:
    return np.where(np.eye(values.shape[-1], dtype=bool), values[..., None, :], 0)


def _diagonal_of(a: Any) -> Any:
    return np.diagonal(a, 0, -2, -1)


def _halves(x: Any) -> tuple[Any, Any]:
    """The Hermitian half, and the other one."""
    return (x + mH(x)) / 2, (x - mH(x)) / 2


def _real_component(v: Any, row: int | None) -> tuple[Any, Any]:
    """Which component of each column LAPACK makes real, as a mask, and its value; ``row`` None: the largest."""
    values = fixed(v)
    largest = np.argmax(np.where(np.imag(values) == 0, np.abs(values), 0), axis=-2)[..., None, :]
    chosen = np.arange(v.shape[-2])[:, None] == (largest if row is None else row % v.shape[-2])
    # A singular vector that LAPACK finds by way of an LQ decomposition is made real there, here to rounding only.
    rounding = 0.0 if row is None else 100 * np.finfo(values.dtype).eps
    mask = chosen & (np.abs(np.imag(values)) <= rounding) & (values != 0)
    pivot = np.sum(np.where(mask, np.real(v), 0), axis=-2, keepdims=True)
    return mask, np.where(np.any(mask, axis=-2, keepdims=True), pivot, 1)


def _phase_kept(change: Any, v: Any, row: int | None) -> Any:
    """A change of complex columns, each turned so that its real component stays real."""
    if not np.iscomplexobj(v) or not v.size:
        return change
    mask, pivot = _real_component(v, row)
    return change - 1j * v * (np.sum(np.where(mask, np.imag(change), 0), axis=-2, keepdims=True) / pivot)


def _phase_kept_vjp(ct: Any, v: Any, row: int | None) -> Any:
    if not np.iscomplexobj(v) or not v.size:
        return ct
    mask, pivot = _real_component(v, row)
    turn = np.imag(np.sum(np.conjugate(v) * ct, axis=-2, keepdims=True))
    return ct - 1j * np.where(mask, turn / pivot, 0)


# --- Eigenvalues of Hermitian matrices -----------------------------------------------------------------------------


@parts(np.linalg.eigh)
@parts(np.linalg.eigvalsh)
def eigh_parts(ans: list, bound: dict) -> Parts | None:
    w, *vectors = ans
    if differ(w):
        return None
    return Parts(0, direction(w), [(1, v @ turns(w, v)) for v in vectors])


# The component of eigenvectors that is real, by the triangle that is read.
_REAL_ROW = {"L": 0, "U": -1}


@vjp(np.linalg.eigh, "a")
def eigh_vjp(ct: Any, ans: Any, UPLO: Any, of: Any = None) -> Any:
    (ct_w, ct_v), (w, v) = ct, ans
    mixed, changes = None, False
    if ct_v is not None:
        mixing = mH(v) @ _phase_kept_vjp(ct_v, v, _REAL_ROW[UPLO.upper()])
        mixed, changes = quotient(_halves(mixing)[1], gaps, of or spectrum(w), largest(mixing))
    if not changes:
        tell_if_apart(ct_w, w)
    inner = total(mixed, None if ct_w is None else _diagonal(ct_w))
    return triangle(v @ inner @ mH(v), UPLO)


@jvp(np.linalg.eigh, "a")
def eigh_jvp(tangent: Any, ans: Any, UPLO: Any) -> Any:
    w, v = ans
    inner = mH(v) @ hermitian(tangent, UPLO) @ v
    mixed, _ = quotient(inner, gaps, spectrum(w), 0)
    return np.real(_diagonal_of(inner)), _phase_kept(v @ mixed, v, _REAL_ROW[UPLO.upper()])


@vjp(np.linalg.eigvalsh, "a")
def eigvalsh_vjp(ct: Any, ans: Any, a: Any, UPLO: Any) -> Any:
    with following(follows(ans)):
        factors = np.linalg.eigh(a, UPLO)
    return eigh_vjp((ct, None), factors, UPLO)


@jvp(np.linalg.eigvalsh, "a")
def eigvalsh_jvp(tangent: Any, a: Any, UPLO: Any) -> Any:
    with following(False):
        w, v = np.linalg.eigh(a, UPLO)
    inner = mH(v) @ hermitian(tangent, UPLO) @ v
    tell_if_mixed(inner, w)
    return np.real(_diagonal_of(inner))


# --- Eigenvalues of other matrices: vectors of length 1, their largest component real ------------------------------


def _of_length_1(change: Any, v: Any) -> Any:
    return change - v * np.real(np.sum(np.conjugate(v) * change, axis=-2, keepdims=True))


@parts(np.linalg.eig)
def eig_parts(ans: list, bound: dict) -> Parts | None:
    w, v = ans
    if differ(np.sort(w.real, axis=-1)):
        return None
    if not np.any(is_tiny(gaps(w), w)):
        return None
    return Parts(0, direction(w), [(1, _of_length_1(v @ turns(w, v), v))])


@vjp(np.linalg.eig, "a")
def eig_vjp(ct: Any, ans: Any) -> Any:
    (ct_w, ct_v), (w, v) = ct, ans
    mixed, changes = None, False
    if ct_v is not None:
        ct_v = _phase_kept_vjp(ct_v, v, None)
        mixing = mH(v) @ _of_length_1(ct_v, v)
        mixed, changes = quotient(mixing, gaps, spectrum(w), largest(mixing), conjugated=True)
    if not changes:
        tell_if_apart(ct_w, w)
    inner = total(mixed, None if ct_w is None else _diagonal(ct_w))
    return np.linalg.solve(mH(v), inner @ mH(v))


@jvp(np.linalg.eig, "a")
def eig_jvp(tangent: Any, ans: Any) -> Any:
    w, v = ans
    inner = np.linalg.solve(v, tangent @ v)
    change = v @ quotient(inner, gaps, spectrum(w), 0)[0]
    return _diagonal_of(inner), _phase_kept(_of_length_1(change, v), v, None)


def _vectors_of(a: Any, w: Any) -> Any:
    """Eigenvectors in the order of given eigenvalues: LAPACK may find them in another one together with vectors."""
    with following(False):
        values, v = np.linalg.eig(a)
    distance = np.abs(fixed(w)[..., :, None] - fixed(values)[..., None, :])
    order = np.zeros(w.shape, np.intp)
    for j in range(w.shape[-1]):
        nearest = np.argmin(distance[..., j, :], axis=-1)[..., None]
        order = np.where(np.arange(w.shape[-1]) == j, nearest, order)
        distance = np.where((np.arange(w.shape[-1]) == nearest)[..., None, :], np.inf, distance)
    return np.take_along_axis(v, order[..., None, :], axis=-1)


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
    return _diagonal_of(inner)


# --- Singular values -----------------------------------------------------------------------------------------------
#
# With dP = U^H dA V, split into its Hermitian half H and its other half K,
#     U^H dU = H / (s_j - s_i) + K / (s_j + s_i),    V^H dV = H / (s_j - s_i) - K / (s_j + s_i),    ds = diag(H).
# The second term, apart from the first, stays right where singular values are equal.


@parts(np.linalg.svd)
@parts(np.linalg.svdvals)
def svd_parts(ans: list, bound: dict) -> Parts | None:
    s = ans[len(ans) // 2]
    if differ(s, (0.0,)):
        return None
    if len(ans) == 1:
        return Parts(0, direction(s), [])
    u, _, vh = ans
    k = s.shape[-1]
    # Columns of U and V turn together: of a Hermitian matrix those whose eigenvalues are equal.
    turn = turns(s * np.real(_diagonal_of(vh @ u)) if bound.get("hermitian", False) else s, u)
    change_u, change_vh = np.zeros_like(u), np.zeros_like(vh)
    change_u[..., :k], change_vh[..., :k, :] = u[..., :k] @ turn, mH(turn) @ vh[..., :k, :]
    return Parts(1, direction(s), [(0, change_u), (2, change_vh)])


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


def _vectors_vjp(ct_u: Any, ct_vh: Any, u: Any, s: Any, vh: Any) -> tuple[Any, bool]:
    k = s.shape[-1]
    batch = (ct_vh if ct_u is None else ct_u).shape[: -u.ndim]
    ct_u = np.zeros(batch + u.shape, u.dtype) if ct_u is None else ct_u
    ct_v = np.zeros(batch + mH(vh).shape, u.dtype) if ct_vh is None else mH(ct_vh)
    u, more_u, v, more_v = _factors(u, s, vh)
    flow_u, flow_v = _both_phases(_phase_kept_vjp, ct_u[..., :k], ct_v[..., :k], u, v)
    along_u, along_v = mH(u) @ flow_u, mH(v) @ flow_v
    of, size = spectrum(s, "singular vectors"), largest(np.concatenate([flow_u, flow_v], axis=-2))
    even, changes = quotient(_halves(along_u + along_v)[1], gaps, of, size)
    odd, changes_odd = quotient(_halves(along_u - along_v)[1], sums, of, size)
    tell_if_turned(more_u, ct_u[..., k:], "svd")
    tell_if_turned(more_v, ct_v[..., k:], "svd")
    outside_u, changes_u = _outside(flow_u - more_u @ (mH(ct_u[..., k:]) @ u), u, of)
    outside_v, changes_v = _outside(flow_v - more_v @ (mH(ct_v[..., k:]) @ v), v, of)
    back = u @ (even + odd) @ mH(v) + outside_u @ mH(v) + u @ mH(outside_v)
    return back, changes or changes_odd or changes_u or changes_v


def _general_svd_vjp(ct: Any, factors: Any) -> Any:
    (ct_u, ct_s, ct_vh), (u, s, vh) = ct, factors
    back, changes = None, False
    if ct_u is not None or ct_vh is not None:
        back, changes = _vectors_vjp(ct_u, ct_vh, u, s, vh)
    if ct_s is None:
        return back
    if not changes:
        tell_if_apart(ct_s, s, "singular values")
    if back is None:
        # As the absolute value, a singular value by itself has derivative 0 where it is 0.
        ct_s = ct_s * (s != 0)
    u, _, v, _ = _factors(u, s, vh)
    return total(back, (u * ct_s[..., None, :]) @ mH(v))


def _general_svd_jvp(tangent: Any, factors: Any) -> tuple[Any, Any, Any]:
    u, s, vh = factors
    u, more_u, v, more_v = _factors(u, s, vh)
    inner = mH(u) @ tangent @ v
    hermitian_half, other_half = _halves(inner)
    of = spectrum(s, "singular vectors")
    even, _ = quotient(hermitian_half, gaps, of, 0)
    odd, _ = quotient(other_half, sums, of, 0)
    outside_u, _ = _outside(tangent @ v, u, of)
    outside_v, _ = _outside(mH(tangent) @ u, v, of)
    change_u, change_v = _both_phases(_phase_kept, u @ (even + odd) + outside_u, v @ (even - odd) + outside_v, u, v)
    change_u = np.concatenate([change_u, -(u @ (mH(outside_u) @ more_u))], axis=-1)
    change_v = np.concatenate([change_v, -(v @ (mH(outside_v) @ more_v))], axis=-1)
    return change_u, np.real(_diagonal_of(inner)) * (s != 0), mH(change_v)


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
        return _general_svd_vjp((ct_u, ct_s, ct_vh), ans) if compute_uv else svdvals_vjp(ct_s, ans, a)
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
    return eigh_vjp((ct_w, ct_v), eigen, "L", Spectrum(eigen[0], by, ans[1], "singular vectors"))


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
def svdvals_vjp(ct: Any, ans: Any, x: Any) -> Any:
    with following(follows(ans)):
        factors = np.linalg.svd(x, full_matrices=False)
    return _general_svd_vjp((None, ct, None), factors)


@jvp(np.linalg.svdvals, "x")
def svdvals_jvp(tangent: Any, x: Any) -> Any:
    with following(False):
        u, s, vh = np.linalg.svd(x, full_matrices=False)
    inner = mH(u) @ tangent @ mH(vh)
    tell_if_mixed((inner + mH(inner)) / 2, s, "singular values")
    return np.real(_diagonal_of(inner)) * (s != 0)
