"""Grids: explicit steps, relaxations, upwind fluxes, in place and by shifted copies."""

import numpy as np


def heat(u):
    u = u.copy()
    for _ in range(30):
        u[1:-1] += 0.2 * (u[2:] - 2 * u[1:-1] + u[:-2])
    return np.sum(u * u)


def wave_2d(c):
    old = np.zeros_like(c)
    n = c.shape[0] // 2
    now = np.zeros_like(c)
    now[n - 1 : n + 1, n - 1 : n + 1] = 1.0
    old[:] = now
    for _ in range(20):
        new = np.zeros_like(c)
        lap = now[2:, 1:-1] + now[:-2, 1:-1] + now[1:-1, 2:] + now[1:-1, :-2] - 4 * now[1:-1, 1:-1]
        new[1:-1, 1:-1] = 2 * now[1:-1, 1:-1] - old[1:-1, 1:-1] + 0.1 * c[1:-1, 1:-1] ** 2 * lap
        old, now = now, new
    return np.sum(now**2)


def gray_scott(v):
    u = np.ones_like(v)
    for _ in range(15):
        reaction = u * v * v
        lap_u = np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1) - 4 * u
        lap_v = np.roll(v, 1, 0) + np.roll(v, -1, 0) + np.roll(v, 1, 1) + np.roll(v, -1, 1) - 4 * v
        u = u + 0.16 * lap_u - reaction + 0.06 * (1 - u)
        v = v + 0.08 * lap_v + reaction - 0.12 * v
    return v.sum()


def burgers(u):
    u = u.copy()
    flux = np.empty(u.size + 1)
    for _ in range(25):
        speed = 0.5 * (u[1:] + u[:-1])
        flux[1:-1] = np.where(speed > 0, 0.5 * u[:-1] ** 2, 0.5 * u[1:] ** 2)
        flux[0] = flux[-1] = 0.0
        u -= 0.1 * (flux[1:] - flux[:-1])
    return np.sum(np.abs(u))


def relaxation(source):
    p = np.zeros(source.shape)
    for _ in range(30):
        p[1:-1, 1:-1] = 0.25 * (p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2] - source[1:-1, 1:-1])
    return np.sum(p**2)


PROBLEMS = {
    heat: (lambda n, rng: (rng.random(n),), 20, 200_000),
    wave_2d: (lambda n, rng: (rng.uniform(0.5, 1.5, (n, n)),), 8, 400),
    gray_scott: (lambda n, rng: (rng.uniform(0, 0.5, (n, n)),), 6, 300),
    burgers: (lambda n, rng: (rng.standard_normal(n),), 20, 100_000),
    relaxation: (lambda n, rng: (rng.random((n, n)),), 8, 400),
}
