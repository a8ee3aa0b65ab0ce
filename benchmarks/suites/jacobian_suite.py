"""Jacobians, sparse Jacobians and Hessians for airspeed velocity."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import jacobians
import numpy as np
import sparse_jacobians

import npgrad as ng


class Jacobians:
    """R^n to R^n of a program with writes, by each way."""

    params = ((10, 100), ("forward", "reverse", "auto"))
    param_names = ("n", "mode")

    def setup(self, n, mode):
        self.x = np.random.default_rng(0).random(n)
        self.jacobian = ng.jacobian(jacobians.right_hand_side, mode=mode)

    def time_jacobian(self, n, mode):
        self.jacobian(self.x)


class Hessians:
    """Of an objective of n variables; products with a vector for many."""

    params = (10, 100)
    param_names = ("n",)

    def setup(self, n):
        self.x = np.random.default_rng(0).random(n)
        self.hessian, self.gradient = ng.hessian(jacobians.objective), ng.grad(jacobians.objective)

    def time_gradient(self, n):
        self.gradient(self.x)

    def time_hessian(self, n):
        self.hessian(self.x)

    def time_hvp(self, n):
        ng.hvp(jacobians.objective, (self.x,), (self.x,))


class Sparse:
    """Scripts on grids: the first call, with pattern and colours, and one that uses them again."""

    params = (list(sparse_jacobians.SCRIPTS), (1_000, 10_000))
    param_names = ("script", "unknowns")

    def setup(self, name, unknowns):
        self.f, species = sparse_jacobians.SCRIPTS[name]
        side = round((unknowns / species) ** 0.5)
        self.y = np.random.default_rng(0).uniform(0.5, 1.5, species * side * side)
        self.derivative = ng.sparse_jacobian(self.f)
        self.derivative(self.y)

    def time_plain(self, name, unknowns):
        self.f(self.y)

    def time_first(self, name, unknowns):
        ng.sparse_jacobian(self.f)(self.y)

    def time_prepared(self, name, unknowns):
        self.derivative(self.y)

    def peakmem_prepared(self, name, unknowns):
        self.derivative(self.y)


class SparseHessian:
    """Rosenbrock's function, whose Hessian has three diagonals."""

    params = (100, 2_000)
    param_names = ("n",)

    def setup(self, n):
        self.x = np.random.default_rng(0).random(n)
        self.hessian = ng.sparse_hessian(lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))
        self.hessian(self.x)

    def time_prepared(self, n):
        self.hessian(self.x)
