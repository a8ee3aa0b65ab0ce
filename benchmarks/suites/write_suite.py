"""Views and writes for airspeed velocity: one program for each way to change a part of an array."""

import numpy as np

import npgrad as ng


def slices(u):
    for _ in range(20):
        u[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])
    return u.sum()


def strided(u):
    for _ in range(20):
        u[::2] *= 0.9
        u[1::2] -= u[::2]
    return u.sum()


def reshaped(u):
    m = u.reshape(2, -1)
    for _ in range(20):
        m.T[:, 0] += 0.1 * m[1]
    return u.sum()


def saved_then_overwritten(u):
    for _ in range(20):
        u *= np.sin(u)
    return u.sum()


def masked(u):
    for _ in range(20):
        u[u > 0.5] *= 0.9
    return u.sum()


def indexed(u):
    index = np.arange(0, len(u), 3)
    for _ in range(20):
        np.add.at(u, index, 0.1 * u[index])
    return u.sum()


def out_arguments(u):
    work = np.empty_like(u)
    for _ in range(20):
        np.multiply(u, u, out=work)
        np.add(u, work, out=u, where=work < 1)
    return u.sum()


PROGRAMS = {f.__name__: f for f in (slices, strided, reshaped, saved_then_overwritten, masked, indexed, out_arguments)}


class Writes:
    """Twenty rounds of changes of an array of one size."""

    params = (list(PROGRAMS), (10, 100_000))
    param_names = ("program", "elements")

    def setup(self, name, n):
        self.u, self.program = np.random.default_rng(0).uniform(0.1, 0.9, n), PROGRAMS[name]

    def time_plain(self, name, n):
        self.program(self.u.copy())

    def time_gradient(self, name, n):
        ng.grad(self.program)(self.u)

    def peakmem_gradient(self, name, n):
        ng.grad(self.program)(self.u)
