"""Sparse Jacobians of in-place scripts beside SciPy's differences: ``python benchmarks/sparse_jacobians.py [unknowns ...]``.

Per script and size: colours, what the first call costs (pattern and colours), and a prepared call over the plain function.
SciPy's ``approx_derivative`` gets the same pattern, with its own groups of columns made before. Times are the processor's,
the best of several rounds in turn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from tables import Table, times
from timing import best_in_a_row, seconds

import npgrad as ng
from npgrad._coloring import color_columns, transposed

try:
    from scipy.optimize._numdiff import approx_derivative, group_columns
except ImportError:
    approx_derivative = None


def brusselator(y):
    """2-D Brusselator on a square grid, two species one behind the other."""
    n = round((len(y) // 2) ** 0.5)
    f = np.empty_like(y)
    u, v = y[: n * n].reshape(n, n), y[n * n :].reshape(n, n)
    fu, fv = f[: n * n].reshape(n, n), f[n * n :].reshape(n, n)
    reaction = u * u * v
    fu[...] = 1.0 + reaction - 4.4 * u
    fv[...] = 3.4 * u - reaction
    for w, fw in ((u, fu), (v, fv)):
        fw[1:] += 0.2 * (w[:-1] - w[1:])
        fw[:-1] += 0.2 * (w[1:] - w[:-1])
        fw[:, 1:] += 0.2 * (w[:, :-1] - w[:, 1:])
        fw[:, :-1] += 0.2 * (w[:, 1:] - w[:, :-1])
    return f


def residual(u):
    """5-point residual of a nonlinear Poisson problem, the boundary kept in a padded work array."""
    n = round(len(u) ** 0.5)
    padded = np.zeros((n + 2, n + 2))
    padded[1:-1, 1:-1] = u.reshape(n, n)
    inner = padded[1:-1, 1:-1]
    r = 4.0 * inner
    r -= padded[2:, 1:-1]
    r -= padded[:-2, 1:-1]
    r -= padded[1:-1, 2:]
    r -= padded[1:-1, :-2]
    r += 0.1 * np.exp(inner) - 0.3
    return r.ravel()


REPEATED = 5

SCRIPTS: dict[str, tuple[Callable, int]] = {"brusselator": (brusselator, 2), "residual": (residual, 1)}


def colours(pattern: ng.SparsityPattern) -> int:
    """How many sweeps are taken: the fewer of columns and rows."""
    m, n = pattern.shape
    by_columns = color_columns(pattern.indices, pattern.indptr, n)
    by_rows = color_columns(*transposed(pattern.indices, pattern.indptr, n), m)
    return 1 + int(min(by_columns.max(), by_rows.max()))


def measure(name: str, unknowns: int) -> dict[str, float]:
    f, species = SCRIPTS[name]
    side = round((unknowns / species) ** 0.5)
    y = np.random.default_rng(0).uniform(0.5, 1.5, species * side * side)
    derivative = ng.sparse_jacobian(f)
    first = seconds(lambda: derivative(y))
    matrix = derivative(y)
    pattern = ng.jacobian_sparsity(f, y)
    functions = [lambda: f(y), lambda: derivative(y)]
    found: dict[str, float] = {"unknowns": len(y), "elements": matrix.nnz, "colours": colours(pattern), "first": first}
    if approx_derivative is not None:
        groups = group_columns(pattern.to_scipy())
        sparsity = pattern.to_scipy(), groups
        differences = approx_derivative(f, y, method="2-point", sparsity=sparsity)
        functions.append(lambda: approx_derivative(f, y, method="2-point", sparsity=sparsity))
        error = abs(differences - matrix.to_scipy()).max()
        found |= {"groups": int(groups.max()) + 1, "scipy error": float(error)}
    return found | dict(zip(("plain", "prepared", "scipy"), best_in_a_row(functions, REPEATED), strict=False))


def table(sizes: list[int]) -> Table:
    rows = []
    for name in SCRIPTS:
        for n in sizes:
            found = measure(name, n)
            theirs = ("", "", "")
            if "scipy" in found:
                ratio = times(found["scipy"] / found["plain"])
                theirs = (str(found["groups"]), ratio, f"{found['scipy error']:.0e}")
            rows.append((
                name, f"{found['unknowns']:,}", str(found["colours"]), f"{found['first']:.2f}",
                times(found["prepared"] / found["plain"]), f"{1e9 * found['prepared'] / found['unknowns']:.0f}", *theirs,
            ))  # fmt: skip
    head = (
        "script", "unknowns", "colours", "first call, s", "prepared call over the function", "ns per unknown",
        "SciPy: groups", "SciPy 2-point over the function", "SciPy off by",
    )  # fmt: skip
    return Table("Sparse Jacobians of scripts that write in place", head, rows)


def sparse() -> Table:
    return table([10_000, 100_000])


PARTS = {"sparse": sparse}

if __name__ == "__main__":
    print(table([int(float(n)) for n in sys.argv[1:]] or [10_000, 100_000]).text())
