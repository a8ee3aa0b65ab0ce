"""Sparse Jacobians of in-place scripts beside SciPy's differences: ``python benchmarks/sparse.py [unknowns ...]``.

Per script and size: colours, what the first call costs (pattern and colours), and a prepared call over the plain function.
SciPy's ``approx_derivative`` gets the same pattern, with its own groups of columns made before. Times are the processor's,
the best of several that take turns.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable

import numpy as np

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


def seconds(functions: list[Callable], repetitions: int) -> list[float]:
    """The shortest processor time of each function; they take turns."""
    times = [float("inf")] * len(functions)
    for _ in range(repetitions):
        for i, function in enumerate(functions):
            gc.collect(0)
            start = time.process_time()
            function()
            times[i] = min(times[i], time.process_time() - start)
    return times


def colours(pattern: ng.SparsityPattern) -> int:
    """How many sweeps are taken: the fewer of columns and rows."""
    m, n = pattern.shape
    by_columns = color_columns(pattern.indices, pattern.indptr, n)
    by_rows = color_columns(*transposed(pattern.indices, pattern.indptr, n), m)
    return 1 + int(min(by_columns.max(), by_rows.max()))


def repeated(function: Callable) -> Callable:
    """Several calls in a row, as a solver makes them: what each frees, the next one uses again."""

    def run() -> None:
        for _ in range(REPEATED):
            function()

    return run


def measure(name: str, unknowns: int, repetitions: int = 15) -> dict[str, float]:
    f, species = SCRIPTS[name]
    side = round((unknowns / species) ** 0.5)
    y = np.random.default_rng(0).uniform(0.5, 1.5, species * side * side)
    derivative = ng.sparse_jacobian(f)
    start = time.process_time()
    matrix = derivative(y)
    first = time.process_time() - start
    pattern = ng.jacobian_sparsity(f, y)
    functions = [repeated(lambda: f(y)), repeated(lambda: derivative(y))]
    found: dict[str, float] = {"unknowns": len(y), "elements": matrix.nnz, "colours": colours(pattern), "first": first}
    if approx_derivative is not None:
        groups = group_columns(pattern.to_scipy())
        sparsity = pattern.to_scipy(), groups
        differences = approx_derivative(f, y, method="2-point", sparsity=sparsity)
        functions.append(repeated(lambda: approx_derivative(f, y, method="2-point", sparsity=sparsity)))
        error = abs(differences - matrix.to_scipy()).max()
        found |= {"groups": int(groups.max()) + 1, "scipy error": float(error)}
    times = dict(zip(("plain", "prepared", "scipy"), seconds(functions, repetitions), strict=False))
    return found | {part: value / REPEATED for part, value in times.items()}


def main() -> None:
    sizes = [int(float(n)) for n in sys.argv[1:]] or [10_000, 100_000]
    for name in SCRIPTS:
        print(f"{name}: {SCRIPTS[name][0].__doc__}")
        for n in sizes:
            found = measure(name, n)
            per = found["prepared"] / found["unknowns"] * 1e9
            print(
                f"  n = {found['unknowns']:7d}  {found['elements']:7d} elements  {found['colours']} colours  "
                f"first call {found['first']:.2f} s  prepared {found['prepared'] * 1e3:.2f} ms, "
                f"{found['prepared'] / found['plain']:.1f}x the function, {per:.0f} ns per unknown"
            )
            if "scipy" in found:
                print(
                    f"  {'':11}  scipy: {found['groups']} groups, {found['scipy'] * 1e3:.2f} ms, "
                    f"{found['scipy'] / found['plain']:.1f}x, off by {found['scipy error']:.0e}"
                )


if __name__ == "__main__":
    main()
