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
}
