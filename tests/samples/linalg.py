"""numpy.linalg."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import A, C, D, Differentiated, S


def _square(*shape: int, seed: int = 0, complex_: bool = False) -> Differentiated:
    """Well conditioned matrices with separate eigenvalues and singular values."""
    n = shape[-1]
    rng = np.random.default_rng([seed, *shape, 7])
    values = rng.uniform(-0.5, 0.5, shape) + np.diag(np.arange(1.0, n + 1.0))
    return Differentiated(values + (1j * rng.uniform(-0.5, 0.5, shape) if complex_ else 0))


def _general(*shape: int, seed: int = 0, complex_: bool = False) -> Differentiated:
    rng = np.random.default_rng([seed, *shape, 3])
    values = rng.standard_normal(shape)
    return Differentiated(values + 1j * rng.standard_normal(shape) if complex_ else values)


def _positive(*shape: int, complex_: bool = False) -> Differentiated:
    a = _square(*shape, complex_=complex_).value
    return Differentiated(a @ np.conjugate(np.swapaxes(a, -1, -2)) + 0.5 * np.eye(shape[-1]))


def _cut(*shape: int, complex_: bool = False) -> Differentiated:
    """Matrices with one singular value that is small beside the others, but not zero."""
    u, s, vh = np.linalg.svd(_general(*shape, complex_=complex_).value, full_matrices=False)
    s = np.where(np.arange(s.shape[-1]) == s.shape[-1] - 1, 0.4, np.arange(s.shape[-1], 0, -1) + 1.0)
    return Differentiated((u * s[..., None, :]) @ vh)


def _turned(*values: float) -> Differentiated:
    """A symmetric matrix with given eigenvalues."""
    q, _ = np.linalg.qr(_general(len(values), len(values)).value)
    return Differentiated(q @ np.diag(values) @ q.T)


_SINGULAR = D([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]])
_RANK_1 = D([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [-1.0, -2.0, -3.0]])
_COMPLEX_SINGULAR = D([[1.0, 1j], [1j, -1.0]])

# The derivative in question is 0, so there is no size to compare its rounding with.
_NOTHING_LEFT: dict[str, Any] = {"leave_out": ("second_order_of_batch",), "why": "it is 0 but for rounding"}
_OUT_OF_VECTORS: dict[str, Any] = {"leave_out": ("out",), "why": "NumPy itself fails with out= and vectors"}

_SYSTEMS = [
    S(np.linalg.solve, _square(3, 3), A(3)),
    S(np.linalg.solve, _square(3, 3), A(3, 2)),
    S(np.linalg.solve, _square(1, 1), A(1)),
    S(np.linalg.solve, _square(2, 3, 3), A(3)),
    S(np.linalg.solve, _square(2, 3, 3), A(3, 2)),
    S(np.linalg.solve, _square(3, 3), A(2, 3, 2)),
    S(np.linalg.solve, _square(2, 1, 2, 2), A(3, 2, 1)),
    S(np.linalg.solve, _square(3, 3, complex_=True), C(3)),
    S(np.linalg.solve, _square(3, 3), C(3, 2)),
    S(np.linalg.solve, _square(0, 2, 2), A(0, 2, 1)),
    S(np.linalg.solve, A(2), f=lambda b: np.linalg.solve(np.array([[2.0, 1.0], [0.0, 3.0]]), b)),
    S(np.linalg.solve, _square(2, 2), f=lambda a: np.linalg.solve(a, [a[0, 0], 2.0])),
    S(np.linalg.inv, _square(3, 3)),
    S(np.linalg.inv, _square(1, 1)),
    S(np.linalg.inv, _square(2, 2, 2, complex_=True)),
    S(np.linalg.inv, _square(0, 2, 2)),
    S(np.linalg.pinv, _general(3, 2)),
    S(np.linalg.pinv, _general(2, 3)),
    S(np.linalg.pinv, _general(2, 3, 2, complex_=True)),
    S(np.linalg.pinv, _square(2, 2)),
    S(np.linalg.pinv, _positive(3, 3), hermitian=True),
    S(np.linalg.pinv, _positive(2, 2, complex_=True), hermitian=True),
    S(np.linalg.pinv, A(2, 1), f=lambda x: np.linalg.pinv(x @ np.array([[1.0, 2.0, -1.0]]))),
    S(np.linalg.pinv, _general(3, 2), rcond=1e-6),
    *[S(np.linalg.pinv, _cut(*shape), rcond=0.25) for shape in ((4, 3), (3, 4), (3, 3), (2, 4, 3))],
    S(np.linalg.pinv, _cut(3, 4, complex_=True), rcond=0.25),
    S(np.linalg.pinv, D([[2.0, 0.1, 0.2], [0.1, 1.5, 0.0], [0.2, 0.0, 0.3]]), rcond=0.25, hermitian=True),
    S(np.linalg.lstsq, _cut(4, 3), A(4), rcond=0.25),
    S(np.linalg.lstsq, _cut(3, 4, complex_=True), C(3, 2), rcond=0.25),
    S(np.linalg.lstsq, _general(4, 2), A(4)),
    S(np.linalg.lstsq, _general(4, 2), A(4, 3)),
    S(np.linalg.lstsq, _general(2, 4), A(2)),
    S(np.linalg.lstsq, _general(3, 3), A(3, 2), rcond=None),
    S(np.linalg.lstsq, _general(4, 2, complex_=True), C(4, 2)),
    S(np.linalg.lstsq, _general(4, 2), np.arange(4.0)),
    *[S(np.linalg.lstsq, _general(4, 2), np.arange(4.0), rcond) for rcond in (1, True, -1)],
    S(np.linalg.lstsq, _general(4, 2).value, A(4, 2)),
    S(np.linalg.lstsq, A(3, 1), A(3), f=lambda x, b: np.linalg.lstsq(x @ np.array([[1.0, 2.0]]), b)[0]),
    S(np.linalg.tensorsolve, _square(6, 6), A(2, 3), f=lambda a, b: np.linalg.tensorsolve(a.reshape(2, 3, 2, 3), b)),
    S(np.linalg.tensorsolve, _square(4, 4), A(4), f=lambda a, b: np.linalg.tensorsolve(a.reshape(2, 4, 2), b, axes=(0,))),
    S(np.linalg.tensorinv, _square(4, 4), f=lambda a: np.linalg.tensorinv(a.reshape(2, 2, 4))),
    S(np.linalg.tensorinv, _square(3, 3), ind=1),
    S(np.linalg.matrix_power, _square(2, 2), 3),
    S(np.linalg.matrix_power, _square(2, 2, 2), 5),
    S(np.linalg.matrix_power, _square(2, 2, complex_=True), -2),
    S(np.linalg.matrix_power, _square(2, 2), 1),
    S(np.linalg.matrix_power, _square(2, 2), f=lambda a: a + np.linalg.matrix_power(a, 0)),
    S(np.linalg.multi_dot, [A(2, 3), A(3, 2)]),
    S(np.linalg.multi_dot, [A(2, 3), A(3, 2), A(2, 4)]),
    S(np.linalg.multi_dot, [A(3), A(3, 2), C(2, 4), A(4, 2)], **_OUT_OF_VECTORS),
    S(np.linalg.multi_dot, [A(3), A(3, 2), A(2)], **_OUT_OF_VECTORS),
    S(np.linalg.multi_dot, [A(2, 3), A(3, 2), C(2, 4), A(4, 2)]),
    S(np.linalg.multi_dot, (A(2, 3), np.ones((3, 2)), A(2)), **_OUT_OF_VECTORS),
]

_DETERMINANTS = [
    S(np.linalg.det, _square(3, 3), order=3),
    S(np.linalg.det, A(1, 1)),
    S(np.linalg.det, D(np.zeros((0, 0)))),
    S(np.linalg.det, _square(2, 3, 3)),
    S(np.linalg.det, _square(3, 3, complex_=True)),
    S(np.linalg.det, _square(0, 2, 2)),
    S(np.linalg.det, _SINGULAR, order=3),
    S(np.linalg.det, _RANK_1, order=3, leave_out=("float32",), why="it is 0 but for rounding"),
    S(np.linalg.det, _COMPLEX_SINGULAR),
    S(np.linalg.det, D(np.zeros((2, 2)))),
    S(np.linalg.det, D(np.zeros((3, 3))), order=3),
    S(np.linalg.det, D(np.eye(3)), order=3),
    S(np.linalg.det, _square(5, 5)),
    S(np.linalg.det, _turned(1.0, 2.0, 3.0, 0.0, 4.0), order=3),
    S(
        np.linalg.det, _turned(1.0, 0.0, 3.0, 0.0, 4.0), order=3, leave_out=("float32", "layout"),
        why="it is 0 but for rounding, and so is its gradient",
    ),
    S(np.linalg.det, D(np.diag([1.0, 2.0, 0.5, 0.0])[[3, 1, 0, 2]])),
    S(np.linalg.det, D(np.diag([1.0, 1.0, 1e-9, 3.0]))),
    S(np.linalg.det, D([np.eye(2), [[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]])),
    S(np.linalg.slogdet, _square(3, 3), f=lambda a: np.linalg.slogdet(a)),
    S(np.linalg.slogdet, _square(3, 3)),
    S(np.linalg.slogdet, _square(2, 2, 2)),
    S(np.linalg.slogdet, D([[0.0, 2.0], [1.0, 0.5]])),
    S(np.linalg.slogdet, _square(3, 3, complex_=True)),
    S(np.linalg.slogdet, _square(3, 3, complex_=True), f=lambda a: np.linalg.slogdet(a).logabsdet),
    S(np.linalg.slogdet, _square(1, 1)),
]

_CHOLESKY_QR = [
    S(np.linalg.cholesky, _positive(3, 3)),
    S(np.linalg.cholesky, A(1, 1)),
    S(np.linalg.cholesky, _positive(3, 3, complex_=True)),
    S(np.linalg.cholesky, _positive(2, 2, 2)),
    S(np.linalg.cholesky, _positive(3, 3), upper=True),
    S(np.linalg.cholesky, _positive(2, 2, 2, complex_=True), upper=True),
    S(np.linalg.cholesky, _general(2, 3), f=lambda x: np.linalg.cholesky(x @ x.T)),
    S(np.linalg.qr, _general(3, 3)),
    S(np.linalg.qr, _general(1, 1), **_NOTHING_LEFT),
    S(np.linalg.qr, _general(4, 2)),
    S(np.linalg.qr, _general(2, 4)),
    S(np.linalg.qr, _general(2, 3, 2)),
    S(np.linalg.qr, _general(3, 3, complex_=True)),
    S(np.linalg.qr, _general(4, 2, complex_=True)),
    S(np.linalg.qr, _general(2, 3, complex_=True)),
    S(np.linalg.qr, _general(4, 2), mode="r"),
    S(np.linalg.qr, _general(2, 2, 3, complex_=True), mode="r"),
    S(np.linalg.qr, _general(2, 3), mode="complete"),
    S(np.linalg.qr, _general(3, 3, complex_=True), "complete"),
    S(np.linalg.qr, _general(4, 2), f=lambda a: np.linalg.qr(a, "complete").R),
    S(np.linalg.qr, _general(4, 2), f=lambda a: [(q := np.linalg.qr(a, "complete").Q)[:, :2], q[:, 2:] @ q[:, 2:].T]),
    S(np.linalg.qr, _general(2, 3), f=lambda a: np.linalg.qr(a).R),
    S(np.linalg.qr, _general(2, 3), f=lambda a: np.linalg.qr(a).Q),
]

_EIGEN = [
    S(np.linalg.eigvalsh, _positive(3, 3)),
    S(np.linalg.eigvalsh, _positive(3, 3), UPLO="U"),
    S(np.linalg.eigvalsh, _positive(2, 2, 2, complex_=True), "U"),
    S(np.linalg.eigvalsh, A(1, 1)),
    S(np.linalg.eigvalsh, _square(3, 3, complex_=True)),
    S(np.linalg.eigvalsh, D(np.eye(3)), f=lambda a: np.sum(np.linalg.eigvalsh(a))),
    S(np.linalg.eigvalsh, _turned(1.0, 1.0, 2.0), f=lambda a: np.sum(np.linalg.eigvalsh(a)[:2])),
    S(np.linalg.eigh, _positive(3, 3)),
    S(np.linalg.eigh, _positive(3, 3, complex_=True)),
    S(np.linalg.eigh, _positive(3, 3, complex_=True), UPLO="U"),
    S(np.linalg.eigh, _square(2, 3, 3), "U"),
    S(np.linalg.eigh, A(1, 1)),
    S(np.linalg.eigh, C(1, 1)),
    S(np.linalg.eigh, _positive(3, 3), f=lambda a: (v := np.linalg.eigh(a)[1]) * np.sign(v[:1])),
    S(np.linalg.eigh, _turned(1.0, 1.0, 3.0), f=lambda a: (v := np.linalg.eigh(a)[1][:, :2]) @ v.T, order=1),
    S(np.linalg.eigh, _turned(2.0, 5.0, 5.0, 5.0), f=lambda a: (v := np.linalg.eigh(a).eigenvectors[:, :1]) @ v.T, order=1),
    S(np.linalg.eigvals, _square(3, 3)),
    S(np.linalg.eigvals, _square(2, 3, 3, complex_=True)),
    S(np.linalg.eigvals, D([[0.0, 1.0, 0.2], [-1.0, 0.1, 0.0], [0.3, 0.0, 2.0]])),
    S(np.linalg.eigvals, A(1, 1)),
    S(np.linalg.eigvals, D(2 * np.eye(3)), f=lambda a: np.sum(np.linalg.eigvals(a)), order=1),
    S(np.linalg.eig, _square(3, 3)),
    S(np.linalg.eig, _square(3, 3, complex_=True)),
    S(np.linalg.eig, _square(2, 2, 2)),
    S(np.linalg.eig, D([[0.0, 1.0, 0.2], [-1.0, 0.1, 0.0], [0.3, 0.0, 2.0]])),
    S(np.linalg.eig, C(1, 1)),
    S(np.linalg.eig, _square(3, 3), f=lambda a: ((e := np.linalg.eig(a))[1] * e[0] ** 3) @ np.linalg.inv(e[1])),
]

_SINGULAR_VALUES = [
    S(np.linalg.svd, _general(3, 3)),
    S(np.linalg.svd, _general(1, 1)),
    S(np.linalg.svd, _general(3, 2), full_matrices=False),
    S(np.linalg.svd, _general(2, 4), full_matrices=False),
    S(np.linalg.svd, _general(2, 3, 2), full_matrices=False),
    S(np.linalg.svd, _general(3, 3, complex_=True)),
    S(np.linalg.svd, _general(4, 2, complex_=True), full_matrices=False),
    S(np.linalg.svd, _general(3, 4, complex_=True), f=lambda a: [(f := np.linalg.svd(a)).U, f.S, f.Vh[:3]]),
    S(np.linalg.svd, _general(2, 5, complex_=True), f=lambda a: [(f := np.linalg.svd(a, False)).S, f[0] @ f[2]]),
    S(np.linalg.svd, _general(3, 2)),
    S(np.linalg.svd, _general(2, 3)),
    S(np.linalg.svd, _general(5, 2), f=lambda a: (u := np.linalg.svd(a).U)[:, 2:] @ u[:, 2:].T),
    S(np.linalg.svd, _general(2, 4, complex_=True), f=lambda a: np.conj(v := np.linalg.svd(a).Vh[2:]).T @ v),
    S(np.linalg.svd, _general(4, 2), f=lambda a: (f := np.linalg.svd(a))[0][:, :2] * f[1] @ f[2], **_NOTHING_LEFT),
    S(np.linalg.svd, _general(3, 2), compute_uv=False),
    S(np.linalg.svd, _general(2, 2, 3, complex_=True), compute_uv=False),
    S(np.linalg.svd, _general(3, 3), hermitian=True),
    S(np.linalg.svd, _general(2, 3, 3, complex_=True), hermitian=True),
    S(np.linalg.svd, _general(3, 3), hermitian=True, compute_uv=False),
    S(np.linalg.svd, D(np.eye(3)), f=lambda a: (f := np.linalg.svd(a))[0] @ f[2], order=1),
    S(np.linalg.svd, _turned(1.0, 1.0, 2.0), f=lambda a: (f := np.linalg.svd(a))[0] @ f[2], order=1),
    S(np.linalg.svdvals, _general(3, 2)),
    S(np.linalg.svdvals, _general(2, 2, 3, complex_=True)),
    S(np.linalg.svdvals, _general(1, 1)),
    S(np.linalg.svdvals, D(np.eye(3)), f=lambda a: np.sum(np.linalg.svdvals(a))),
]

_ORDERS = [None, 1, -1, 2, -2, np.inf, -np.inf]
_NORMS = [
    *[S(np.linalg.norm, _general(4), ord) for ord in [*_ORDERS, 0, 3, 0.5, 1.5, -3]],
    *[S(np.linalg.norm, _general(3, complex_=True), ord) for ord in [*_ORDERS, 3]],
    *[S(np.linalg.norm, _general(3, 3), ord) for ord in [*_ORDERS, "fro", "nuc"]],
    *[S(np.linalg.norm, _general(2, 3, complex_=True), ord) for ord in [*_ORDERS, "nuc"]],
    *[S(np.linalg.norm, _general(2, 3, 4), ord, axis=(0, 2)) for ord in [*_ORDERS, "fro", "nuc"]],
    *[S(np.linalg.norm, _general(2, 3, 4), ord, axis=(-1, -3), keepdims=True) for ord in (1, np.inf, 2, "fro")],
    S(np.linalg.norm, _general(2, 3), axis=1),
    S(np.linalg.norm, _general(2, 3), 1, 0, True),
    S(np.linalg.norm, _general(2, 3), axis=-1, ord=3, keepdims=True),
    S(np.linalg.norm, _general(2, 3, 2)),
    S(np.linalg.norm, _general(2, 3, 2), keepdims=True),
    S(np.linalg.norm, A()),
    S(np.linalg.norm, D(np.zeros((0,)))),
    S(np.linalg.norm, D([0.5, 0.0, -2.0])),
    S(np.linalg.norm, D([[0.0, 0.0], [1.0, 2.0]]), f=lambda x: np.linalg.norm(x, axis=1)[1]),
    S(np.linalg.norm, D(np.eye(2)), "nuc", order=1),
    *[S(np.linalg.norm, _general(4), D(ord)) for ord in (3.0, 1.0, 2.0, 0.5, -3.0)],
    *[S(np.linalg.norm, np.array([0.5, -2.0, 0.0]), D(ord)) for ord in (3.0, 1.0, 2.0, np.inf, -np.inf)],
    S(np.linalg.norm, np.array([2.0, -0.5, 1.0]), D([2.5])),
    S(np.linalg.norm, _general(3), [2.5]),
    S(np.linalg.norm, _general(2, 3, complex_=True), D(1.7), 1),
    S(np.linalg.norm, _general(2, 3, 2), D([2.5]), axis=-2, keepdims=True),
    S(np.linalg.vector_norm, _general(2, 3), ord=D(2.5)),
    S(np.linalg.vector_norm, np.array([[2.0, -0.5, 1.0], [0.3, 0.1, -2.0]]), ord=D(1.5), axis=1),
    S(np.linalg.vector_norm, _general(2, 3)),
    S(np.linalg.vector_norm, _general(2, 3, 2), axis=(0, 2), ord=3),
    S(np.linalg.vector_norm, _general(2, 3), axis=1, keepdims=True, ord=1),
    S(np.linalg.vector_norm, C(3), ord=np.inf),
    S(np.linalg.matrix_norm, _general(2, 3, 3)),
    S(np.linalg.matrix_norm, _general(2, 3), ord=2, keepdims=True),
    S(np.linalg.matrix_norm, _general(2, 3), ord="nuc"),
    *[S(np.linalg.cond, _square(3, 3), p) for p in [*_ORDERS, "fro", "nuc"]],
    S(np.linalg.cond, _general(3, 2)),
    S(np.linalg.cond, _square(2, 2, 2, complex_=True), 1),
]

SAMPLES = [*_SYSTEMS, *_DETERMINANTS, *_CHOLESKY_QR, *_EIGEN, *_SINGULAR_VALUES, *_NORMS]
