"""Sample calls of SciPy's functions with a rule: family -> name -> (function, points)."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

pytest.importorskip("scipy", reason="scipy is not installed: its functions are not tested")
sparse, linalg, fft, signal, ndimage, sparse_linalg = map(
    importlib.import_module,
    ("scipy.sparse", "scipy.linalg", "scipy.fft", "scipy.signal", "scipy.ndimage", "scipy.sparse.linalg"),
)

rng = np.random.default_rng(0)
X, Y = rng.standard_normal(4), rng.standard_normal(4)
TALL, WIDE = rng.standard_normal((4, 3)), rng.standard_normal((3, 4))
M = rng.standard_normal((4, 4)) + 4 * np.eye(4)
PLAIN = np.where(rng.random((4, 4)) < 0.5, rng.standard_normal((4, 4)), 0) + 3 * np.eye(4)
OBLONG = PLAIN[:3]
Z = X + 1j * Y
LONG = rng.standard_normal(30)
MODES = ("reflect", "mirror", "nearest", "wrap", "constant", "grid-wrap", "grid-constant")
FORMATS = ("csr", "csc", "coo", "dia", "bsr", "lil", "dok")

SAMPLES: dict[str, dict[str, tuple[Any, ...]]] = {
    "sparse": {
        **{f"{f} @ vector": (lambda x, f=f: getattr(sparse, f"{f}_array")(OBLONG) @ x, X) for f in FORMATS},
        **{f"{f} matrix * vector": (lambda x, f=f: getattr(sparse, f"{f}_matrix")(OBLONG) * x, X) for f in FORMATS},
        **{f"matrix @ {f}": (lambda m, f=f: m @ getattr(sparse, f"{f}_array")(PLAIN * 1j), WIDE) for f in FORMATS},
        "matrix @ matrix": (lambda m: sparse.csr_array(OBLONG) @ m, TALL),
        "column": (lambda m: sparse.csr_array(OBLONG) @ m, X[:, None]),
        "dot": (lambda x: sparse.csr_array(OBLONG).dot(x), X),
        "transposed": (lambda x: sparse.csr_array(OBLONG).T @ x, X[:3]),
        "vector @": (lambda x: x @ sparse.csr_array(OBLONG), X[:3]),
        "vector *": (lambda x: x * sparse.csc_matrix(OBLONG), X[:3]),
        "complex vector": (lambda x: sparse.csr_array(OBLONG) @ x, Z),
        "complex": (lambda x: sparse.coo_array(OBLONG * (1 + 2j)) @ x, Z),
        "integers": (lambda x: sparse.csr_array(OBLONG.astype(int)) @ x, X),
        "made in the tape": (lambda x: sparse.kron(sparse.eye(2), sparse.diags([[1.0, 2.0], [3.0]], [0, 1])) @ x, X),
        "twice": (lambda x: (a := sparse.csr_array(PLAIN)) @ (a @ x) ** 2, X),
    },
    "linalg": {
        "inv": (lambda *a: linalg.inv(*a), M),
        "inv, list": (lambda x: linalg.inv([[x[0], 1.0], [x[1], x[2]]]), X),
        "det": (lambda *a: linalg.det(*a), M),
        "norm": (lambda *a: linalg.norm(*a), M),
        **{f"norm {o}": (lambda m, o=o: linalg.norm(m, o), TALL) for o in (1, 2, np.inf, "nuc")},
        "norm of rows": (lambda m: linalg.norm(m, 3, axis=1, keepdims=True), TALL),
        "pinv": (lambda *a: linalg.pinv(*a), TALL),
        "eig": (lambda m: [np.abs(part) for part in linalg.eig(m)], M),
        "eigvals": (lambda *a: linalg.eigvals(*a), M),
        "eigh": (lambda m: [np.abs(part) for part in linalg.eigh(m)], M),
        "eigh, upper": (lambda m: [np.abs(part) for part in linalg.eigh(m, lower=False)], M),
        **{f"eigh {d}, complex": (lambda m, d=d: linalg.eigh(m, driver=d), M + 1j * PLAIN) for d in ("ev", "evd")},
        "eigh of a pencil": (lambda a, b: linalg.eigh(a, b @ b.T), M, PLAIN),
        "eigh of a pencil, upper": (
            lambda a, b: linalg.eigh(a, np.triu(b @ b.T), lower=False, subset_by_index=(1, 2)), M, PLAIN),
        "eigh of a plain pencil": (lambda a: linalg.eigh(a, PLAIN @ PLAIN.T, eigvals_only=True), M + 1j * PLAIN),
        "eigh, part": (lambda m: linalg.eigh(m, subset_by_value=(2.0, 5.0), driver="evx"), M),
        "eigvalsh, part": (lambda m: linalg.eigvalsh(m, lower=False, subset_by_index=[0, 1]), M),
        "eigvalsh of a pencil": (lambda a, b: linalg.eigvalsh(a, b @ b.T), M, PLAIN),
        "eigh, values": (lambda m: linalg.eigh(m, eigvals_only=True), M),
        "eigvalsh": (lambda m: linalg.eigvalsh(m, lower=False), M),
        "eigvalsh, complex": (lambda *a: linalg.eigvalsh(*a), M * (1 + 0.3j)),
        "svd": (lambda m: linalg.svd(m, full_matrices=False), TALL),
        "svd, complex": (lambda m: linalg.svd(m, False, lapack_driver="gesvd"), TALL + 1j * WIDE.T),
        "svd, values": (lambda m: linalg.svd(m, compute_uv=False), WIDE),
        "svdvals": (lambda *a: linalg.svdvals(*a), WIDE),
        "cholesky": (lambda m: linalg.cholesky(m @ m.T), M),
        "cholesky, lower": (lambda m: linalg.cholesky(m @ m.T, lower=True), M),
        "cholesky, complex": (lambda m: linalg.cholesky(m @ m.conj().T, True), M * (1 + 0.3j)),
        "qr": (lambda m: linalg.qr(m), M),
        "qr economic": (lambda m: linalg.qr(m, mode="economic"), TALL),
        "qr r": (lambda m: linalg.qr(m, mode="r"), TALL),
        "qr r, wide": (lambda m: linalg.qr(m, mode="r")[0], WIDE),
        "lstsq": (lambda m, x: linalg.lstsq(m, x)[:2], TALL, X),
        "lstsq, columns": (lambda m, x: linalg.lstsq(m, x), TALL, M),
        "lstsq, wide": (lambda m, x: linalg.lstsq(m, x)[0], WIDE, X[:3]),
        "cho_factor": (lambda m: linalg.cho_factor(m @ m.T)[0], M),
        "cho_factor, lower": (lambda m: linalg.cho_factor(m @ m.T, lower=True)[0], M),
        "lu_factor": (lambda m: linalg.lu_factor(m[::-1])[0], M),
        "circulant": (lambda *a: linalg.circulant(*a), X),
        "toeplitz": (lambda *a: linalg.toeplitz(*a), X),
        "toeplitz, complex": (lambda *a: linalg.toeplitz(*a), Z),
        "toeplitz, row": (lambda *a: linalg.toeplitz(*a), X[:3], Y),
        "block_diag": (lambda m, x, y: linalg.block_diag(m, PLAIN, x, y[0]), TALL, X, Y),
        "expm": (lambda *a: linalg.expm(*a), M / 4),
        "expm, complex": (lambda *a: linalg.expm(*a), (M + 1j * M.T) / 4),
        "logm": (lambda *a: linalg.logm(*a), M),
        "sqrtm": (lambda *a: linalg.sqrtm(*a), M),
        "cosm": (lambda *a: linalg.cosm(*a), M / 4),
        "power": (lambda m: linalg.fractional_matrix_power(m, 0.3), M),
    },
    "systems": {
        **{f"solve {kind}": (lambda m, x, k=kind: linalg.solve(m @ m.T + np.eye(4), x, assume_a=k), M, X)
           for kind in ("gen", "sym", "pos")},
        "solve": (lambda m, x: linalg.solve(m, x), M, X),
        "solve, triangle read": (lambda m, x: linalg.solve(np.tril(m @ m.T), x, lower=True, assume_a="pos"), M, X),
        "solve, transposed": (lambda m, b: linalg.solve(m, b, transposed=True), M, TALL),
        "solve, complex": (lambda m, b: linalg.solve(m @ m.conj().T, b, assume_a="her"), M + 1j * M.T, TALL * 1j),
        **{f"solve_triangular {t} {low}": (
            lambda m, b, t=t, low=low: linalg.solve_triangular(m, b, t, low), M + 1j * PLAIN, TALL * 1j)
           for t in (0, "T", 2) for low in (False, True)},
        "solve_triangular, unit": (lambda m, x: linalg.solve_triangular(m / 4, x, unit_diagonal=True), M, X),
        "cho_solve": (lambda m, x: linalg.cho_solve(linalg.cho_factor(m @ m.T), x), M, X),
        "cho_solve, lower": (lambda m, b: linalg.cho_solve((m, True), b), M + 1j * PLAIN, TALL * 1j),
        "cho_solve, upper": (lambda m, b: linalg.cho_solve((m, False), b), M + 1j * PLAIN, TALL * 1j),
        "cho_solve, plain factor": (lambda x: linalg.cho_solve(linalg.cho_factor(PLAIN @ PLAIN.T), x), X),
        "lu_solve": (lambda m, x: linalg.lu_solve(linalg.lu_factor(m[::-1]), x), M, X),
        **{f"lu_solve {t}": (lambda m, b, t=t: linalg.lu_solve((m, np.array([2, 1, 3, 3])), b, t), M + 1j * PLAIN, TALL * 1j)
           for t in (0, 1, 2)},
        "lu_solve, plain factors": (lambda x: linalg.lu_solve(linalg.lu_factor(PLAIN), x), X),
        "solve_banded": (lambda m, x: linalg.solve_banded((1, 2), m[[1, 2, 0, 3]] + 4 * np.eye(4)[2][:, None], x), M, X),
        "solve_banded, complex": (
            lambda m, b: linalg.solve_banded((1, 1), m, b), WIDE + np.array([[0], [4], [0]]) + 1j * TALL.T, TALL * 1j),
        "solveh_banded": (lambda m, x: linalg.solveh_banded(m[:2] + [[0], [9]], x), WIDE, X),
        "solveh_banded, lower": (
            lambda m, b: linalg.solveh_banded(m + [[12], [0], [0]], b, lower=True), WIDE + 1j * TALL.T, TALL * 1j),
        "solveh_banded, upper": (lambda m, b: linalg.solveh_banded(m + [[0], [0], [12]], b), WIDE + 1j * TALL.T, TALL * 1j),
    },
    "fft": {
        **{f"{f} {norm}": (lambda z, f=f, o=norm: getattr(fft, f)(z, 5, norm=o), Z)
           for f in ("fft", "ifft", "irfft", "hfft") for norm in ("backward", "ortho", "forward")},
        **{f"{f}, real": (lambda m, f=f: getattr(fft, f)(m, axis=0), TALL) for f in ("fft", "rfft", "ihfft")},
        "ihfft, padded": (lambda m: fft.ihfft(m, 5, norm="ortho"), TALL),
        **{f: (lambda m, f=f: getattr(fft, f)(m), WIDE + 1j * TALL.T)
           for f in ("fft2", "ifft2", "irfft2", "fftn", "ifftn", "irfftn")},
        **{f"{f}, s": (lambda m, f=f: getattr(fft, f)(m, (2, 5), (-1, 0), "ortho"), WIDE) for f in (
            "rfft2", "rfftn", "fftn", "irfftn")},
        "fftn, one": (lambda m: fft.fftn(m, axes=0, norm="forward"), TALL),
        **{f"{f} {t} {norm}": (lambda x, f=f, t=t, o=norm: getattr(fft, f)(x, t, norm=o), X)
           for f in ("dct", "idct", "dst", "idst") for t in (1, 2, 3, 4) for norm in (None, "ortho", "forward")},
        **{f"{f} {t}, plain": (lambda m, f=f, t=t: getattr(fft, f)(m, t, 6, 0, norm="ortho", orthogonalize=False), TALL)
           for f in ("dct", "dst") for t in (1, 2, 3)},
        "dct, orthogonal": (lambda x: fft.dct(x, 2, 3, orthogonalize=True), X),
        "dct, complex": (lambda z: fft.dct(z, 2, 3), Z),
        "dctn": (lambda m: fft.dctn(m, s=(5, 2)), TALL),
        "idstn": (lambda m: fft.idstn(m, 3, axes=(-1,)), TALL),
    },
    "sparse.linalg": {
        "spsolve": (lambda x: sparse_linalg.spsolve(sparse.csc_array(PLAIN), x), X),
        "spsolve, column": (lambda m: sparse_linalg.spsolve(sparse.csr_array(PLAIN), m), X[:, None]),
        "spsolve, columns": (lambda m: sparse_linalg.spsolve(sparse.csr_array(PLAIN * 1j), m), TALL),
        "spsolve_triangular": (
            lambda m: sparse_linalg.spsolve_triangular(sparse.csr_array(np.tril(PLAIN)), m, lower=True), TALL),
        "splu": (lambda x: sparse_linalg.splu(sparse.csc_array(PLAIN)).solve(x) ** 2, X),
        "splu made before": (lambda m: FACTORS.solve(m), TALL),
        **{f"splu {t}": (lambda z, t=t: sparse_linalg.splu(sparse.csc_array(PLAIN + 1j * PLAIN.T)).solve(z, t), Z)
           for t in "NTH"},
        "factorized": (lambda x: sparse_linalg.factorized(sparse.csc_array(PLAIN))(x), X),
        "factorized before": (lambda x: SOLVE(x), X),
        **{name: (lambda x, f=name: getattr(sparse_linalg, f)(sparse.csr_array(PLAIN), x, rtol=1e-13, atol=1e-14)[0], X)
           for name in ("gmres", "bicgstab", "lgmres")},
        "gmres of a column": (lambda m: sparse_linalg.gmres(PLAIN, m, rtol=1e-13, M=np.linalg.inv(PLAIN))[0], X[:, None]),
        "cg": (lambda x: sparse_linalg.cg(sparse.csr_array(PLAIN @ PLAIN.T), x, x * 0.9, rtol=1e-13)[0], X),
        "cg of an operator": (lambda x: sparse_linalg.cg(
            sparse_linalg.LinearOperator((4, 4), lambda v: PLAIN @ (PLAIN.T @ v), dtype=float), x, rtol=1e-13)[0], X),
        "expm_multiply": (lambda m: sparse_linalg.expm_multiply(sparse.csr_array(PLAIN / 4), m), TALL),
        "expm_multiply of a matrix": (lambda m: sparse_linalg.expm_multiply(m / 4, np.ones(4)), M),
        "operator @": (lambda x: sparse_linalg.aslinearoperator(sparse.csr_array(OBLONG)) @ x, X),
        "operator @ matrix": (lambda m: sparse_linalg.aslinearoperator(OBLONG).matmat(m), TALL),
        "operator, adjoint": (lambda x: sparse_linalg.aslinearoperator(sparse.csr_array(OBLONG)).rmatvec(x), X[:3]),
        "operator of a function": (lambda x, m: sparse_linalg.LinearOperator((4, 4), lambda v: m @ v) * x, X, M),
    },
    "signal": {
        **{f"{f} {mode}": (lambda x, y, f=f, o=mode: getattr(signal, f)(x, y, o), LONG[:7], X)
           for f in ("convolve", "correlate", "fftconvolve") for mode in ("full", "same", "valid")},
        **{f"{f} {mode}, short first": (lambda x, y, f=f, o=mode: getattr(signal, f)(x, y, o), X[:3], Z)
           for f in ("convolve", "correlate") for mode in ("full", "same", "valid")},
        "correlate, direct": (lambda x, y: signal.correlate(x, y, method="direct"), Z, X[:3]),
        "oaconvolve": (lambda x, m: signal.oaconvolve(m, x[None], axes=1), X[:3], TALL),
        "fftconvolve, axes": (lambda a, b: signal.fftconvolve(a, b, "valid", -1), M, TALL),
        "convolve of matrices": (lambda a, b: signal.convolve(a, b, "same"), M, TALL[:3, :2] * 1j),
        "lfilter": (lambda x: signal.lfilter([1.0, 0.5], [1.0, 0.2, -0.1], x), X),
        "lfilter, fir": (lambda m: signal.lfilter([1.0, 0.5j], [2.0], m, axis=0), TALL),
        "lfilter, all": (lambda b, x: signal.lfilter(b, [2.0, 0.2, -0.1], x), X[:2], LONG),
        "lfilter, coefficients": (lambda b, a: signal.lfilter(b, a, LONG[:6]), X[:2], Z),
        "lfilter, lists": (lambda x: signal.lfilter([x[0]], [1.0, x[1] - 1.0], x), X[:3] * 0.5),
        "lfilter, a number": (lambda x: signal.lfilter(x[0], (2.0, x[1] * 0.5j), TALL, axis=0), X[:2]),
        "lfilter, more taps than samples": (lambda b, a: signal.lfilter(b, a, [1.0, 2.0]), X[:3], Z[:4]),
        "sosfilt": (lambda m: signal.sosfilt(signal.butter(3, 0.3, output="sos"), m, axis=0), TALL),
        **{f"filtfilt {p}": (lambda x, p=p: signal.filtfilt([0.2, 0.1], [1.0, -0.7], x, padtype=p), LONG)
           for p in ("odd", "even", "constant", None)},
        "filtfilt, gust": (lambda x: signal.filtfilt([0.2, 0.1], [1.0, -0.7], x, method="gust"), LONG),
        "filtfilt, padlen": (lambda m: signal.filtfilt([0.2, 0.1], 1.0, m, 0, padlen=2), TALL),
        "sosfiltfilt": (lambda x: signal.sosfiltfilt(signal.butter(3, 0.3, output="sos"), x), LONG),
        **{f"savgol {mode}": (lambda x, o=mode: signal.savgol_filter(x, 5, 2, mode=o, cval=2.0), LONG)
           for mode in ("interp", "mirror", "nearest", "wrap", "constant")},
        "savgol of a long signal": (lambda m: signal.savgol_filter(m, 3, 1, deriv=1, axis=0), LONG.reshape(-1, 1)),
        "detrend": (lambda m: signal.detrend(m, axis=0), TALL),
        "detrend, parts": (lambda x: signal.detrend(x, bp=5), LONG),
        "detrend, constant": (lambda x: signal.detrend(x, type="constant"), X),
        "hilbert": (lambda x: signal.hilbert(x), X),
        "hilbert, longer": (lambda m: signal.hilbert(m, 7, axis=0), TALL),
        "resample": (lambda x: signal.resample(x, 7), X),
        "resample, axis": (lambda m: signal.resample(m, 2, axis=1, window="hann"), TALL),
        "resample_poly": (lambda x: signal.resample_poly(x, 3, 2), X),
        "decimate": (lambda x: signal.decimate(np.concatenate([x, x[::-1]]), 2), LONG),
        "upfirdn": (lambda x: signal.upfirdn([1.0, 2.0, 1.0], x, 2, 3), X),
    },
    "ndimage": {
        **{f"gaussian_filter1d {mode}": (lambda x, o=mode: ndimage.gaussian_filter1d(x, 0.8, mode=o, cval=2.0), LONG)
           for mode in MODES},
        "gaussian_filter1d, radius": (lambda m: ndimage.gaussian_filter1d(m, 0.8, 0, 1, radius=1), TALL),
        "gaussian_filter": (lambda m: ndimage.gaussian_filter(m, (0.5, 1.0), (0, 1), mode=("wrap", "reflect")), TALL),
        "gaussian_filter, axes": (lambda m: ndimage.gaussian_filter(m, 0.5, axes=(1,)), TALL),
        "gaussian_filter, nothing": (lambda m: ndimage.gaussian_filter(m, 0), TALL),
        "gaussian_filter, complex": (lambda z: ndimage.gaussian_filter(z, 1.0), Z),
        "gaussian_laplace": (lambda m: ndimage.gaussian_laplace(m, 0.7), TALL),
        "uniform_filter": (lambda m: ndimage.uniform_filter(m, (3, 2), mode="nearest", origin=(0, -1)), TALL),
        "uniform_filter1d": (lambda m: ndimage.uniform_filter1d(m, 3, 0, origin=1), TALL),
        **{f"{f}1d": (lambda x, f=f: getattr(ndimage, f + "1d")(x, [1.0, 2.0, 0.0, -3.0], origin=1), LONG)
           for f in ("correlate", "convolve")},
        "correlate1d, complex": (lambda z: ndimage.correlate1d(z, [1.0, 2j]), Z),
        **{f"{f} {mode}": (lambda m, f=f, o=mode: getattr(ndimage, f)(m, TALL[:2], mode=o, cval=1.0, origin=(-1, 1)), M)
           for f in ("correlate", "convolve") for mode in MODES},
        **{f"{f}, complex": (lambda m, f=f: getattr(ndimage, f)(m, TALL[:3, :2] * 1j), M + 1j * PLAIN)
           for f in ("correlate", "convolve")},
        "laplace": (lambda m: ndimage.laplace(m, mode="mirror"), TALL),
        "sobel": (lambda m: ndimage.sobel(m, 0), TALL),
        "prewitt": (lambda m: ndimage.prewitt(m), TALL),
        "zoom": (lambda m: ndimage.zoom(m, (1.5, 1)), TALL),
        "zoom, linear": (lambda m: ndimage.zoom(m, 2, order=1, mode="nearest", cval=1.0), TALL),
        "zoom, as it is": (lambda m: ndimage.zoom(m, (2, 1.5), prefilter=False, mode="grid-wrap", grid_mode=True), TALL),
        **{f"shift {mode}": (lambda m, o=mode: ndimage.shift(m, (0.3, -1.2), mode=o, cval=2.0), TALL) for mode in MODES},
        **{f"map_coordinates {mode}": (lambda m, o=mode: ndimage.map_coordinates(m, 3 * WIDE[:2], mode=o, cval=1.0), M)
           for mode in MODES},
        "map_coordinates of a signal": (lambda x: ndimage.map_coordinates(x, [[0.5, 1.2, 2.7]], order=1), X),
        "map_coordinates of a volume": (
            lambda x: ndimage.map_coordinates(input=np.multiply.outer(M, x), coordinates=np.abs(TALL.T), order=2), X),
    },
}
FACTORS = sparse_linalg.splu(sparse.csc_array(PLAIN))
SOLVE = sparse_linalg.factorized(sparse.csc_array(PLAIN))
