"""
A sparse Newton solver for 102400 unknowns
==========================================

Combustion in a square: Δu + λ exp(u) = 0, and u = 0 on the edges. As a full matrix the Jacobian
would take 84 gigabytes; it has five elements in a row. npgrad finds out which, and computes these only.
"""

import time

import numpy as np
from pictures import axes, show
from scipy.sparse.linalg import spsolve

import npgrad as ng

N = 320
HEAT = 6.0  # near 6.81 the solution ceases to exist


def residual(flat):
    """The five-point stencil, written by slices into one array."""
    u = np.zeros((N + 2, N + 2))
    u[1:-1, 1:-1] = flat.reshape(N, N)
    r = -4 * u[1:-1, 1:-1]
    r += u[2:, 1:-1]
    r += u[:-2, 1:-1]
    r += u[1:-1, 2:]
    r += u[1:-1, :-2]
    r += HEAT / (N + 1) ** 2 * np.exp(u[1:-1, 1:-1])
    return r.ravel()


# %%
# The first Jacobian finds the pattern and a colouring of its columns; the later ones use both again.

u, norms, seconds = np.zeros(N * N), [], []
jacobian = ng.sparse_jacobian(residual)
for _ in range(6):
    value = residual(u)
    norms.append(np.linalg.norm(value) * (N + 1))
    begin = time.perf_counter()
    matrix = jacobian(u)
    seconds.append(time.perf_counter() - begin)
    assert matrix.shape == (N * N, N * N) and len(matrix.data) == 5 * N * N - 4 * N
    u = u - spsolve(matrix.to_scipy().tocsc(), value)

assert norms[-1] < 1e-9 * norms[0]
print("seconds per Jacobian:", np.round(seconds, 2))

# %%
# Newton's method converges as it should, and all Jacobians but the first take fractions of a second.

figure, (left, middle, right) = axes(3, width=4.5, height=3.8)
shown = left.imshow(u.reshape(N, N), extent=(0, 1, 0, 1), cmap="inferno")
figure.colorbar(shown, ax=left)
left.set(title=f"temperature, {N * N} unknowns")
middle.semilogy(norms, "o-")
middle.set(title="norm of the residual", xlabel="iteration")
bars = right.bar(range(6), seconds)
right.bar_label(bars, fmt="%.2g")
right.set(title="seconds for each Jacobian", xlabel="iteration", yscale="log")
right.margins(y=0.1)
show(figure)
