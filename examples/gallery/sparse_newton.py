"""Newton's method on 102400 unknowns: the residual is written on a grid, its Jacobian comes as a sparse matrix."""

import time

import numpy as np
from pictures import axes, save
from scipy.sparse.linalg import spsolve

import npgrad as ng

N = 320
HEAT = 6.0  # near 6.81 the solution ceases to exist


def residual(flat):
    """Combustion in a square: the Laplacian of u + HEAT exp(u) = 0, with u = 0 on the edges."""
    u = np.zeros((N + 2, N + 2))
    u[1:-1, 1:-1] = flat.reshape(N, N)
    r = -4 * u[1:-1, 1:-1]
    r += u[2:, 1:-1]
    r += u[:-2, 1:-1]
    r += u[1:-1, 2:]
    r += u[1:-1, :-2]
    r += HEAT / (N + 1) ** 2 * np.exp(u[1:-1, 1:-1])
    return r.ravel()


def draw():
    u, norms, seconds = np.zeros(N * N), [], []
    jacobian = ng.sparse_jacobian(residual)
    for _ in range(6):
        value = residual(u)
        norms.append(np.linalg.norm(value) * (N + 1))
        start = time.perf_counter()
        matrix = jacobian(u)
        seconds.append(time.perf_counter() - start)
        u = u - spsolve(matrix.to_scipy().tocsc(), value)
    figure, (left, middle, right) = axes(3)
    shown = left.imshow(u.reshape(N, N), extent=(0, 1, 0, 1), cmap="inferno")
    figure.colorbar(shown, ax=left)
    left.set(title=f"temperature, {N * N} unknowns")
    middle.semilogy(norms, "o-")
    middle.set(title="norm of the residual", xlabel="iteration of Newton")
    right.bar(range(6), seconds)
    right.set(title="seconds per Jacobian; the first finds the pattern", xlabel="iteration of Newton")
    assert matrix.shape == (N * N, N * N) and len(matrix.data) == 5 * N * N - 4 * N
    assert norms[-1] < 1e-9 * norms[0]
    return figure


if __name__ == "__main__":
    save(draw, __file__)
