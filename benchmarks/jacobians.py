"""Jacobians, Hessians and long loops beside differences and peers: ``python benchmarks/jacobians.py [part ...]``."""

from __future__ import annotations

import functools
import importlib
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from peers import installed
from tables import Table, microseconds, run_parts, times
from timing import best

import npgrad as ng
from npgrad import finite_difference


def right_hand_side(u):
    """Thirty calls with slices and in-place operations."""
    d = np.zeros_like(u)
    d[1:-1] = u[2:] - 2 * u[1:-1] + u[:-2]
    d[0] = u[1] - 2 * u[0]
    d[-1] = u[-2] - 2 * u[-1]
    for _ in range(3):
        d *= 0.9
        d += 0.1 * np.sin(u) * u
        d[1:] -= 0.05 * u[:-1] * u[1:]
    d -= u**3
    return d


def right_hand_side_without_writes(u, np):
    """The same, rewritten for packages that refuse writes."""
    d = np.concatenate([u[1:2] - 2 * u[:1], u[2:] - 2 * u[1:-1] + u[:-2], u[-2:-1] - 2 * u[-1:]])
    for _ in range(3):
        d = d * 0.9
        d = d + 0.1 * np.sin(u) * u
        d = d - np.concatenate([np.zeros(1), 0.05 * u[:-1] * u[1:]])
    return d - u**3


def objective(x, np=np):
    """A sum over neighbours and a dense form."""
    near = 100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2
    return np.sum(near) + np.sum(np.sin(x)) * np.sum(x * x)


def _others(what: str, program: Callable, x: np.ndarray) -> dict[str, Callable]:
    """The calls of the peers, by name; ``program`` takes an array and the module that it computes with."""
    found: dict[str, Callable] = {}
    peers = installed(["HIPS autograd", "JAX", "PyTorch"])
    if "HIPS autograd" in peers:
        theirs = getattr(importlib.import_module("autograd"), what)(
            functools.partial(program, np=peers["HIPS autograd"].numpy())
        )
        found["HIPS autograd"] = lambda: theirs(x)
    if "JAX" in peers:
        jax, f = importlib.import_module("jax"), functools.partial(program, np=peers["JAX"].numpy())
        derivative = {"jacobian": jax.jacrev, "hessian": jax.hessian}[what](f)
        compiled = jax.jit(derivative)
        found["JAX"] = lambda: jax.block_until_ready(derivative(x))
        found["JAX jit"] = lambda: jax.block_until_ready(compiled(x))
    if "PyTorch" in peers:
        torch, f = importlib.import_module("torch"), functools.partial(program, np=peers["PyTorch"].numpy())
        derivative_of = {"jacobian": torch.func.jacrev, "hessian": torch.func.hessian}[what](f)
        found["PyTorch"] = lambda: derivative_of(torch.from_numpy(x))
    return found


def _beside(title: str, calls: dict[str, Callable], check: Any, note: str = "") -> Table:
    """Microseconds of each call, and ratios to npgrad's; all give the same first."""
    for name, call in calls.items():
        if name != "function":
            accuracy = 1e-4 if "difference" in name else 1e-10
            assert np.allclose(np.asarray(call()), check, rtol=accuracy, atol=accuracy), name
        call()  # what is learned or compiled at the first calls is not in the figures
    found = dict(zip(calls, best(list(calls.values())), strict=True))
    rows = [(name, microseconds(t), times(t / found["function"]), times(t / found["npgrad"])) for name, t in found.items()]
    return Table(title, ("", "us", "over the function", "over npgrad"), rows, note)


def _scipys_differences(u: np.ndarray) -> dict[str, Callable]:
    try:
        approx_derivative = importlib.import_module("scipy.optimize._numdiff").approx_derivative
    except ImportError:
        return {}
    return {"SciPy's 2-point differences": lambda: approx_derivative(right_hand_side, u, method="2-point")}


def dense() -> Table:
    u = np.random.default_rng(0).random(100)
    jacobian = ng.jacobian(right_hand_side)
    differences = finite_difference.jacobian(right_hand_side, method="2-point")
    calls = {
        "function": lambda: right_hand_side(u),
        "npgrad": lambda: jacobian(u),
        "2-point differences": lambda: differences(u),
        **_scipys_differences(u),
        **_others("jacobian", right_hand_side_without_writes, u),
    }
    note = "npgrad and differences take the program with its writes, the others one that was rewritten without them."
    return _beside("Dense Jacobian: R^100 to R^100, 30 calls with slices and writes", calls, jacobian(u), note)


def tall_and_wide() -> Table:
    rng = np.random.default_rng(0)
    a = rng.random((1000, 10))

    def tall(p):
        return np.tanh(a @ p) * np.exp(-((a @ p) ** 2))

    def wide(x):
        return np.tanh(a.T @ np.sin(x)) + np.exp(-x).sum()

    rows = []
    for f, size, shape in ((tall, 10, "10 to 1000"), (wide, 1000, "1000 to 10")):
        x = rng.random(size)
        modes = [functools.partial(ng.jacobian(f, mode=mode), x) for mode in ("auto", "forward", "reverse")]
        plain, *found = best([functools.partial(f, x), *modes])
        rows.append((shape, *[times(t / plain) for t in found], f"{found[0] / min(found[1:]):.2f}"))
    head = ("R^n to R^m", "auto", "forward", "reverse", "auto over the better")
    return Table("Tall and wide Jacobians over the function", head, rows)


def hessians() -> Table:
    x = np.random.default_rng(0).random(100)
    hessian = ng.hessian(objective)
    calls = {"function": lambda: objective(x), "npgrad": lambda: hessian(x), **_others("hessian", objective, x)}
    return _beside("Hessian of 100 variables", calls, hessian(x))


def products() -> Table:
    gradient = ng.grad(objective)
    rows = []
    for size in (100, 100_000):
        x = np.random.default_rng(0).random(size)
        plain, first, second = best([
            lambda x=x: objective(x), lambda x=x: gradient(x), lambda x=x: ng.hvp(objective, (x,), (x,)),
        ])  # fmt: skip
        rows.append((f"{size:,}", times(first / plain), times(second / plain), f"{second / first:.2f}"))
    head = ("variables", "gradient over plain", "hvp over plain", "hvp over gradient")
    return Table("Product of Hessian and vector", head, rows)


def advance(u, i):
    """A step of a time loop."""
    u[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2]) + 0.01 * np.sin(u[1:-1])
    return u


def loops() -> Table:
    rows = []
    for size in (1_000, 10_000):
        u = np.random.default_rng(0).random(size)

        def plain(u):
            u = u.copy()
            for i in range(1000):
                u = advance(u, i)
            return (u**2).sum()

        def kept(u):
            return (ng.checkpoint_loop(advance, u, 1000, 10) ** 2).sum()

        gradients = [ng.grad(plain), ng.grad(kept)]
        assert np.allclose(gradients[0](u), gradients[1](u), rtol=1e-12)
        whole, few = best([lambda g=g, u=u: g(u) for g in gradients])
        peaks = []
        for g in gradients:
            tracemalloc.start()
            g(u)
            peaks.append(tracemalloc.get_traced_memory()[1] / 2**20)
            tracemalloc.stop()
        rows.append((
            f"{size:,}", times(few / whole), f"{peaks[1]:.1f}", f"{peaks[0]:.0f}", f"{100 * peaks[1] / peaks[0]:.1f} %"
        ))  # fmt: skip
    head = ("elements", "time", "peak, MiB", "peak of the plain gradient, MiB", "memory")
    return Table("Loops: 1000 steps with 10 snapshots over the plain gradient", head, rows)


PARTS = {f.__name__: f for f in (dense, tall_and_wide, hessians, products, loops)}

if __name__ == "__main__":
    run_parts(PARTS)
