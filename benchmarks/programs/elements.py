"""Finite elements: assembly by element, by index lists, and the solve."""

import numpy as np


def bar(area):
    n = len(area)
    stiffness = np.zeros((n + 1, n + 1))
    for e in range(n):
        k = area[e] * n
        stiffness[e, e] += k
        stiffness[e, e + 1] -= k
        stiffness[e + 1, e] -= k
        stiffness[e + 1, e + 1] += k
    load = np.full(n, 1.0 / n)
    return np.dot(load, np.linalg.solve(stiffness[1:, 1:], load))


def plate(thickness):
    """Scalar diffusion on squares of four nodes; all elements are assembled at once."""
    n = thickness.shape[0]
    corner = (np.arange(n)[:, None] * (n + 1) + np.arange(n)).ravel()
    nodes = corner[:, None] + np.array([0, 1, n + 2, n + 1])
    local = np.array([[4, -1, -2, -1], [-1, 4, -1, -2], [-2, -1, 4, -1], [-1, -2, -1, 4]]) / 6
    size = (n + 1) ** 2
    matrix = np.zeros((size, size))
    np.add.at(matrix, (nodes[:, :, None], nodes[:, None, :]), thickness.reshape(-1, 1, 1) * local)
    matrix[np.arange(size), np.arange(size)] += 0.1
    u = np.linalg.solve(matrix, np.linspace(0, 1, size))
    return np.sum(u**2)


PROBLEMS = {
    bar: (lambda n, rng: (rng.uniform(1, 2, n),), 6, 400),
    plate: (lambda n, rng: (rng.uniform(1, 2, (n, n)),), 3, 25),
}
