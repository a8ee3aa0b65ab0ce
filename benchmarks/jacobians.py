"""Jacobians, Hessians and long loops beside differences and HIPS autograd: ``python benchmarks/jacobians.py [part ...]``."""

from __future__ import annotations

import functools
import gc
import platform
import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np

import npgrad as ng
from npgrad import finite_difference

try:
    import autograd
    import autograd.numpy as anp
except ImportError:
    autograd = None


def best(functions: list[Callable], repetitions: int) -> list[float]:
    """The shortest time of each function; they take turns, so that a busy moment of the machine hits all alike."""
    times = [float("inf")] * len(functions)
    for _ in range(repetitions):
        for i, function in enumerate(functions):
            gc.collect(0)
            start = time.perf_counter()
            function()
            times[i] = min(times[i], time.perf_counter() - start)
    return times


def report(names: list[str], times: list[float]) -> None:
    """Times in microseconds, and as ratios to the second, which is npgrad's."""
    print("  " + "; ".join(f"{n} {1e6 * t:.0f} us ({t / times[1]:.2f}x)" for n, t in zip(names, times, strict=True)))


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
    """The same for HIPS autograd."""
    d = np.concatenate([u[1:2] - 2 * u[:1], u[2:] - 2 * u[1:-1] + u[:-2], u[-2:-1] - 2 * u[-1:]])
    for _ in range(3):
        d = d * 0.9
        d = d + 0.1 * np.sin(u) * u
        d = d - np.concatenate([np.zeros(1), 0.05 * u[:-1] * u[1:]])
    return d - u**3


def dense() -> None:
    print("dense: the Jacobian of a right-hand side R^100 -> R^100, 30 calls with slices and in-place operations")
    u = np.random.default_rng(0).random(100)
    jacobian = ng.jacobian(right_hand_side)
    names = ["function", "npgrad", "2-point differences"]
    functions = [
        lambda: right_hand_side(u),
        lambda: jacobian(u),
        lambda: finite_difference.jacobian(right_hand_side, method="2-point")(u),
    ]
    if autograd is not None:
        theirs = autograd.jacobian(lambda u: right_hand_side_without_writes(u, anp))
        assert np.allclose(jacobian(u), theirs(u), rtol=1e-13, atol=1e-15)
        names.append("HIPS autograd")
        functions.append(lambda: theirs(u))
    report(names, best(functions, 30))


def tall_and_wide() -> None:
    print("tall and wide: R^10 -> R^1000 and R^1000 -> R^10, the mode that is chosen beside both")
    rng = np.random.default_rng(0)
    a = rng.random((1000, 10))

    def tall(p):
        return np.tanh(a @ p) * np.exp(-(a @ p) ** 2)

    def wide(x):
        return np.tanh(a.T @ np.sin(x)) + np.exp(-x).sum()

    for f, size, better, other in ((tall, 10, "forward", "reverse"), (wide, 1000, "reverse", "forward")):
        x = rng.random(size)
        modes = [functools.partial(ng.jacobian(f, mode=mode), x) for mode in ("auto", better, other)]
        times = best([functools.partial(f, x), *modes[:2]], 50) + best(modes[2:], 5)
        report(["function", "npgrad", better, other], times)


def objective(x, numpy=np):
    """A sum over neighbours and a dense form, of 100 variables."""
    near = 100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2
    return numpy.sum(near) + numpy.sum(numpy.sin(x)) * numpy.sum(x * x)


def hessians() -> None:
    print("hessians: of an objective of 100 variables; and the product with a vector over the gradient")
    x = np.random.default_rng(0).random(100)
    hessian, gradient = ng.hessian(objective), ng.grad(objective)
    names, functions = ["function", "npgrad"], [lambda: objective(x), lambda: hessian(x)]
    if autograd is not None:
        theirs = autograd.hessian(lambda x: objective(x, anp))
        assert np.allclose(hessian(x), theirs(x), rtol=1e-12, atol=1e-12)
        names.append("HIPS autograd")
        functions.append(lambda: theirs(x))
    report(names, best(functions, 10))
    for size in (100, 100_000):
        x = np.random.default_rng(0).random(size)
        times = best([lambda x=x: gradient(x), lambda x=x: ng.hvp(objective, (x,), (x,))], 20)
        print(f"  {size} variables: hvp {times[1] / times[0]:.2f} times the gradient")


def advance(u, i):
    """A step of a time loop."""
    u[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2]) + 0.01 * np.sin(u[1:-1])
    return u


def loops() -> None:
    print("loops: 1000 steps with 10 snapshots beside the plain gradient: time, and peak memory of record and sweep")
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
        times = best([lambda g=g, u=u: g(u) for g in gradients], 2)
        peaks = []
        for g in gradients:
            tracemalloc.start()
            g(u)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        print(
            f"  {size} elements: {times[1] / times[0]:.2f} times the time, {100 * peaks[1] / peaks[0]:.2f} % of the memory "
            f"({peaks[1] / 2**20:.1f} of {peaks[0] / 2**20:.0f} MiB)"
        )


PARTS = {f.__name__: f for f in (dense, tall_and_wide, hessians, loops)}


def main() -> None:
    """Run the named parts, or all."""
    print(f"npgrad {ng.__version__}, NumPy {np.__version__}, Python {platform.python_version()}, {platform.machine()}")
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main()
