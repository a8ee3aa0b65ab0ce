"""The core for airspeed velocity: overhead per call, loops over elements and rows, a small gradient."""

import numpy as np

import npgrad as ng


def _gradient(program, x):
    with ng.GradientTape() as tape:
        source = tape.watch(x)
        target = program(source)
    return tape.gradient(target, source)


class Chain:
    """Sixty calls on arrays of one to a million elements."""

    params = (1, 100, 10_000, 1_000_000)
    param_names = ("elements",)

    def setup(self, n):
        self.x, self.y = np.random.default_rng(0).uniform(0.5, 1.5, (2, n))

    def program(self, x):
        for _ in range(20):
            x = np.sin(x * self.y + self.y)
        return x

    def time_plain(self, n):
        self.program(self.x)

    def time_gradient(self, n):
        _gradient(self.program, self.x)

    def peakmem_gradient(self, n):
        _gradient(self.program, self.x)


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
        return out

    def time_plain(self, n):
        self.program(self.x)

    def time_gradient(self, n):
        _gradient(self.program, self.x)


class Jacobians:
    """The Jacobian and the Hessian of a small program."""

    def setup(self):
        self.x = np.linspace(0.1, 1.0, 50)
        self.jacobian = ng.jacobian(lambda x: np.sin(x) * x[::-1])
        self.hessian = ng.hessian(lambda x: np.sum(np.sin(x) * x[::-1]))

    def time_jacobian(self):
        self.jacobian(self.x)

    def time_hessian(self):
        self.hessian(self.x)
