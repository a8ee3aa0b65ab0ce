"""Figures of the core as ratios to plain NumPy in one run: ``python benchmarks/core.py [part ...]``."""

from __future__ import annotations

import gc
import platform
import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np

import npgrad as ng

try:
    import autograd
    import autograd.numpy as anp
except ImportError:
    autograd = None


def best(functions: list[Callable], repetitions: int) -> list[float]:
    """The shortest processor time of each function; they take turns, so that a busy moment of the machine hits all alike."""
    times = [float("inf")] * len(functions)
    for _ in range(repetitions):
        for i, function in enumerate(functions):
            gc.collect(0)
            start = time.process_time()
            function()
            times[i] = min(times[i], time.process_time() - start)
    return times


def chain_of(numpy, x, y, steps: int):
    for _ in range(steps // 3):
        x = x * y
        x = x + y
        x = numpy.sin(x)
    return x


def chain() -> None:
    print("chain: value and gradient of `x = x*y; x = x+y; x = np.sin(x)` over plain NumPy")
    rng = np.random.default_rng(0)
    sizes = ((1, 600, 200), (100, 600, 100), (10_000, 60, 30), (100_000, 20, 20), (1_000_000, 20, 7))
    for size, steps, repetitions in sizes:
        x, y = rng.uniform(0.5, 1.5, size), rng.uniform(0.5, 1.5, size)

        def plain(x=x, y=y, steps=steps):
            return chain_of(np, x, y, steps)

        def npgrad(x=x, y=y, steps=steps):
            with ng.GradientTape() as tape:
                source = tape.watch(x)
                target = chain_of(np, source, y, steps)
            return tape.gradient(target, source)

        functions = [plain, npgrad]
        if autograd is not None:
            gradient = autograd.grad(lambda x, y=y, steps=steps: anp.sum(chain_of(anp, x, y, steps)))
            functions.append(lambda x=x, gradient=gradient: gradient(x))
            assert np.allclose(npgrad(), gradient(x), rtol=1e-10, atol=1e-14)
        times = best(functions, repetitions)
        line = f"  {size:>8} elements: {times[1] / times[0]:6.2f}x  ({1e6 * times[1] / steps:.2f} us per call)"
        if autograd is not None:
            line += f";  HIPS autograd {times[2] / times[0]:6.2f}x;  npgrad / autograd {times[1] / times[2]:.2f}"
        print(line)


def elements() -> None:
    print("elements: `out[i] = x[i] * out[i-1]` in a Python loop, value and gradient over plain NumPy")
    for n in (1_000, 10_000, 100_000):
        x = np.full(n, 0.999)

        def loop(x, n=n):
            out = np.zeros(n)
            out[0] = 1.0
            for i in range(1, n):
                out[i] = x[i] * out[i - 1]
            return out

        def npgrad(x=x, loop=loop):
            with ng.GradientTape() as tape:
                source = tape.watch(x)
                target = loop(source)
            return tape.gradient(target, source)

        times = best([lambda x=x, loop=loop: loop(x), npgrad], max(3, 100_000 // n))
        print(f"  n = {n:>7}: {times[1] / times[0]:6.1f}x, {1e6 * times[1] / n:.2f} us per element")


def rows() -> None:
    print("rows: `P[i] = 0.99 * P[i-1]` on an (n, 10, 10) array, value and gradient over plain NumPy")
    for n in (500, 1_000, 2_000, 4_000):
        start = np.random.default_rng(0).random((n, 10, 10))

        def program(p, n=n):
            for i in range(1, n):
                p[i] = 0.99 * p[i - 1]
            return p.sum()

        def npgrad(start=start, program=program):
            with ng.GradientTape() as tape:
                source = tape.watch(start)
                target = program(source)
            return tape.gradient(target, source)

        times = best([lambda start=start, program=program: program(start.copy()), npgrad], 7)
        print(f"  n = {n:>5}: {times[1] / times[0]:5.1f}x, {1e6 * times[1] / n:.2f} us per row")


def calls() -> None:
    print("calls: 10^6 recorded calls")
    x0, n = np.array([0.5]), 1_000_000

    def plain():
        x = x0
        for _ in range(n):
            x = x * 0.999
        return x

    def npgrad():
        with ng.GradientTape() as tape:
            x = source = tape.watch(x0)
            for _ in range(n):
                x = x * 0.999
        return tape.gradient(x, source)

    times = best([plain, npgrad], 1)
    print(f"  {times[1]:.2f} s, {times[1] / times[0]:.1f}x plain NumPy; gradient right: {np.allclose(npgrad(), 0.999**n)}")


def memory() -> None:
    print("memory: bytes per recorded call on one element, beyond the arrays it keeps")
    x0, y = np.array([0.5]), np.array([1.1])
    array = sys.getsizeof(np.empty(1)) - 8 + 16  # the object and what its allocation of 8 bytes takes
    steps = {
        "x * y": (lambda x: x * y, 1),  # keeps a copy of y
        "x + y": (lambda x: x + y, 0),
        "np.sin(x)": (np.sin, 1),  # keeps x
        "np.exp(-x)": (lambda x: np.exp(-x), 0.5),  # two calls, one keeps its result
    }
    for name, (step, kept) in steps.items():
        calls_per_step = 2 if name == "np.exp(-x)" else 1
        with ng.GradientTape() as tape:
            x = tape.watch(x0)
            x = step(x)
            tracemalloc.start()
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(3_000):
                x = step(x)
            used = (tracemalloc.get_traced_memory()[0] - before) / (3_000 * calls_per_step)
            tracemalloc.stop()
        print(f"  {name:>11}: {used:4.0f} bytes per call, {used - kept * array:4.0f} beyond the arrays")


def functional() -> None:
    print("functional: one call of npgrad.grad and npgrad.jacobian")
    x = np.linspace(0.1, 1.0, 5)

    def f(x):
        return np.sum(np.sin(x) * x)

    gradient, jacobian = ng.grad(f), ng.jacobian(lambda x: np.sin(x) * x)
    times = best([lambda: f(x), lambda: gradient(x), lambda: jacobian(x)], 500)
    print(f"  plain {1e6 * times[0]:.1f} us; grad {1e6 * times[1]:.0f} us; jacobian {1e6 * times[2]:.0f} us")


PARTS = {f.__name__: f for f in (chain, elements, rows, calls, memory, functional)}


def main() -> None:
    """Run the named parts, or all."""
    print(f"npgrad {ng.__version__}, NumPy {np.__version__}, Python {platform.python_version()}, {platform.machine()}")
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main()
