"""Linear algebra for airspeed velocity: gradients of one call each."""

import numpy as np

import npgrad as ng

FUNCTIONS = {
    "matmul": lambda a: a @ a,
    "solve": lambda a: np.linalg.solve(a, np.ones(len(a))),
    "inv": np.linalg.inv,
    "slogdet": lambda a: np.linalg.slogdet(a)[1],
    "cholesky": lambda a: np.linalg.cholesky(a @ a.T),
    "eigh": lambda a: np.linalg.eigh(a + a.T)[0],
    "svd": lambda a: np.linalg.svd(a, compute_uv=False),
    "qr": lambda a: np.linalg.qr(a)[1],
    "einsum": lambda a: np.einsum("ij,kj->ik", a, a),
    "norm": np.linalg.norm,
}


class Linalg:
    """The sum of the result, by a matrix of n rows and columns."""

    params = (list(FUNCTIONS), (4, 100))
    param_names = ("function", "n")

    def setup(self, name, n):
        self.a = np.random.default_rng(0).random((n, n)) + n * np.eye(n)
        self.program = lambda a: np.sum(FUNCTIONS[name](a))
        self.gradient = ng.grad(self.program)

    def time_plain(self, name, n):
        self.program(self.a)

    def time_gradient(self, name, n):
        self.gradient(self.a)
