"""Gauss-Seidel with over-relaxation for Poisson's equation on a small plate, swept point by point until converged."""

import numpy as np

N = 6


def plate(edges):
    """edges: temperatures of the four sides; returns the inner temperatures as they are left in the grid."""
    u = np.zeros((N, N))
    u[0, :], u[-1, :], u[:, 0], u[:, -1] = edges
    f = np.full((N, N), 0.1)
    omega = 1.3
    change = 1.0
    sweeps = 0
    while change > 1e-13:
        change = 0.0
        for i in range(1, N - 1):
            for j in range(1, N - 1):
                new = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1] + f[i, j])
                delta = omega * (new - u[i, j])
                u[i, j] += delta
                change = max(change, abs(delta))
        sweeps += 1
        assert sweeps < 500
    return u[1:-1, 1:-1]


if __name__ == "__main__":
    np.set_printoptions(precision=4)
    print(plate([1.0, 2.0, 0.5, 0.0]))
