"""Dense linear algebra written out as loops over rows and columns."""

import numpy as np


def elimination(a):
    """The logarithm of a determinant by elimination in place."""
    a = a.copy()
    n = len(a)
    for k in range(n - 1):
        factor = a[k + 1 :, k] / a[k, k]
        a[k + 1 :, k:] -= factor[:, None] * a[k, k:]
    return np.sum(np.log(np.abs(np.diagonal(a))))


def gram_schmidt(a):
    q = np.zeros_like(a)
    for j in range(a.shape[1]):
        v = a[:, j].copy()
        for i in range(j):
            v -= np.dot(q[:, i], a[:, j]) * q[:, i]
        q[:, j] = v / np.sqrt(np.dot(v, v))
    return np.sum(q[0] * q[1])


def power_iteration(a):
    v = np.ones(len(a))
    for _ in range(25):
        v = a @ v
        v /= np.linalg.norm(v)
    return v @ a @ v


def exponential(a):
    term = total = np.eye(len(a))
    for k in range(1, 12):
        term = term @ a / k
        total = total + term
    return np.trace(total)


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


PROBLEMS = {
    elimination: (lambda n, rng: (rng.random((n, n)) + n * np.eye(n),), 5, 200),
    gram_schmidt: (lambda n, rng: (rng.random((n + 2, n)),), 4, 40),
    power_iteration: (lambda n, rng: ((rng.random((n, n)) + np.eye(n)) / n,), 4, 500),
    exponential: (lambda n, rng: (rng.random((n, n)) / n,), 3, 250),
    rosenbrock: (lambda n, rng: (rng.random(n),), 10, 500_000),
}
