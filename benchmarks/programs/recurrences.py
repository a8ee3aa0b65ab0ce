"""Loops that fill arrays: filters, scans, time steps, one element or one row at a time."""

import numpy as np


def filter_loop(x):
    y = np.zeros(x.shape)
    y[0] = x[0]
    for i in range(1, len(x)):
        y[i] = 0.9 * y[i - 1] + 0.1 * x[i]
    return np.sum(y * y)


def thomas(d):
    n = len(d)
    diagonal, right = d.copy(), np.ones(n)
    for i in range(1, n):
        w = -1.0 / diagonal[i - 1]
        diagonal[i] += w
        right[i] -= w * right[i - 1]
    x = np.empty(n)
    x[-1] = right[-1] / diagonal[-1]
    for i in range(n - 2, -1, -1):
        x[i] = (right[i] + x[i + 1]) / diagonal[i]
    return x.sum()


def exponential_smoothing(rows):
    state = np.zeros(rows.shape[1])
    path = np.empty(rows.shape)
    for i in range(rows.shape[0]):
        state = 0.8 * state + 0.2 * np.tanh(rows[i])
        path[i] = state
    return np.sum(path**2)


def logistic_maps(x):
    for _ in range(12):
        x = 3.2 * x * (1 - x)
    return x.mean()


def lorenz(start):
    state = np.array(start)
    rate = np.empty_like(state)
    for _ in range(50):
        rate[0] = 10.0 * (state[1] - state[0])
        rate[1] = state[0] * (28.0 - state[2]) - state[1]
        rate[2] = state[0] * state[1] - 8.0 / 3.0 * state[2]
        state += 0.005 * rate
    return np.sum(state**2)


def pendulums(start):
    """Runge and Kutta's step on many pendulums: angles in the first row, speeds in the second."""

    def rate(y):
        return np.array([y[1], -np.sin(y[0]) - 0.1 * y[1]])

    y, h = start, 0.05
    for _ in range(20):
        a = rate(y)
        b = rate(y + h / 2 * a)
        c = rate(y + h / 2 * b)
        d = rate(y + h * c)
        y = y + h / 6 * (a + 2 * b + 2 * c + d)
    return np.sum(y[0] ** 2)


PROBLEMS = {
    filter_loop: (lambda n, rng: (rng.random(n),), 30, 5_000),
    thomas: (lambda n, rng: (rng.uniform(2.5, 3.5, n),), 20, 3_000),
    exponential_smoothing: (lambda n, rng: (rng.standard_normal((40, n)),), 4, 20_000),
    logistic_maps: (lambda n, rng: (rng.uniform(0.2, 0.8, n),), 5, 100_000),
    lorenz: (lambda n, rng: (rng.uniform(1, 2, (3, n)),), 1, 20_000),
    pendulums: (lambda n, rng: (rng.uniform(-1, 1, (2, n)),), 3, 20_000),
}
