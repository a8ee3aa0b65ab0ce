"""Bodies and bonds: pairs by broadcasting, pairs by index lists, leapfrog."""

import numpy as np


def nbody(x):
    velocity = np.zeros_like(x)
    position = x.copy()
    for _ in range(10):
        apart = position[:, None, :] - position[None, :, :]
        pull = apart / (np.sum(apart**2, axis=2) + 0.1)[:, :, None] ** 1.5
        velocity -= 0.01 * pull.sum(axis=1)
        position += 0.01 * velocity
    return np.sum(position**2)


def lennard_jones(x):
    i, j = np.triu_indices(len(x), 1)
    r2 = np.sum((x[i] - x[j]) ** 2, axis=1) + 0.5
    s6 = 1 / r2**3
    return np.sum(4 * (s6 * s6 - s6))


def springs(x):
    """Forces of a chain, gathered and scattered by index."""
    ends = np.arange(len(x) - 1)
    bond = x[ends + 1] - x[ends]
    length = np.sqrt(np.sum(bond**2, axis=1))
    force = (1 - 0.7 / length)[:, None] * bond
    total = np.zeros_like(x)
    np.add.at(total, ends, force)
    np.subtract.at(total, ends + 1, force)
    return np.sum(total**2)


PROBLEMS = {
    nbody: (lambda n, rng: (rng.random((n, 3)),), 5, 250),
    lennard_jones: (lambda n, rng: (rng.uniform(0, n ** (1 / 3), (n, 3)),), 6, 600),
    springs: (lambda n, rng: (np.cumsum(rng.uniform(0.2, 1, (n, 2)), axis=0),), 10, 50_000),
}
