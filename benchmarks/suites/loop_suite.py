"""Loops for airspeed velocity: elements, rows, time steps with and without snapshots."""

import numpy as np

import npgrad as ng


class Elements:
    """A loop that reads and writes one element at a time: linear in n."""

    params = (1_000, 10_000)
    param_names = ("elements",)

    def setup(self, n):
        self.x = np.full(n, 0.999)

    def program(self, x):
        out = np.zeros(len(x))
        out[0] = 1.0
        for i in range(1, len(x)):
            out[i] = x[i] * out[i - 1]
        return out.sum()

    def time_plain(self, n):
        self.program(self.x)

    def time_gradient(self, n):
        ng.grad(self.program)(self.x)


class Rows(Elements):
    """The same by rows of a hundred."""

    def setup(self, n):
        self.x = np.random.default_rng(0).random((n // 10, 10, 10))

    def program(self, p):
        p = p.copy()
        for i in range(1, len(p)):
            p[i] = 0.99 * p[i - 1]
        return p.sum()


class TimeSteps:
    """Steps in place: every state recorded, or ten snapshots and the rest computed again."""

    params = (100, 10_000)
    param_names = ("elements",)

    def setup(self, n):
        self.u = np.random.default_rng(0).random(n)

    @staticmethod
    def advance(u, i):
        u[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2]) + 0.01 * np.sin(u[1:-1])
        return u

    def recorded(self, u):
        u = u.copy()
        for i in range(200):
            u = self.advance(u, i)
        return (u**2).sum()

    def snapshots(self, u):
        return (ng.checkpoint_loop(self.advance, u, 200, 10) ** 2).sum()

    def time_plain(self, n):
        self.recorded(self.u)

    def time_recorded(self, n):
        ng.grad(self.recorded)(self.u)

    def time_snapshots(self, n):
        ng.grad(self.snapshots)(self.u)

    def peakmem_recorded(self, n):
        ng.grad(self.recorded)(self.u)

    def peakmem_snapshots(self, n):
        ng.grad(self.snapshots)(self.u)
