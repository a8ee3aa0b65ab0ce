"""Figures of the core as ratios to plain NumPy in one run: ``python benchmarks/core.py [part ...]``."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
import types
import warnings
from collections.abc import Callable

import numpy as np
from peers import PEERS, installed
from tables import Table, microseconds, run_parts, times
from timing import best, seconds

import npgrad as ng

RECORDERS = ["npgrad tape", "HIPS autograd", "MyGrad", "JAX", "JAX jit", "PyTorch", "TensorFlow"]


def tape_gradient(program: Callable, *args: np.ndarray) -> np.ndarray:
    with ng.GradientTape() as tape:
        source = tape.watch(args[0])
        target = program(source, *args[1:])
    return tape.gradient(target, source)


def chain_of(numpy, x, y, steps: int):
    for _ in range(steps // 3):
        x = x * y
        x = x + y
        x = numpy.sin(x)
    return x


def chain_by_hand(x: np.ndarray, y: np.ndarray, steps: int) -> np.ndarray:
    """The gradient of the sum as one writes it for this program: what a record that costs nothing would take."""
    kept = []
    for _ in range(steps // 3):
        x = x * y
        x = x + y
        kept.append(x)
        x = np.sin(x)
    x.sum()
    ct = np.ones_like(x)
    while kept:
        factor = np.cos(kept.pop())
        factor *= ct
        factor *= y
        ct = factor
    return ct


def chain() -> Table:
    """Every package on the same calls, which all of them have."""
    rng = np.random.default_rng(0)
    peers = installed(RECORDERS)
    rows, points, compiling = [], {}, 0.0
    for size, steps in ((1, 600), (100, 600), (10_000, 60), (100_000, 21), (1_000_000, 21)):
        x, y = rng.uniform(0.5, 1.5, size), rng.uniform(0.5, 1.5, size)
        functions = [lambda x=x, y=y, steps=steps: chain_of(np, x, y, steps)]
        functions.append(lambda x=x, y=y, steps=steps: chain_by_hand(x, y, steps))
        expected = tape_gradient(lambda x, y=y, steps=steps: chain_of(np, x, y, steps), x)
        assert np.allclose(functions[1](), expected, rtol=1e-9, atol=1e-13)
        for name, peer in peers.items():
            numpy = peer.numpy()

            def program(x, y, numpy=numpy, steps=steps):
                return numpy.sum(chain_of(numpy, x, y, steps))

            both = peer.value_and_gradient(program)
            first = seconds(lambda both=both, x=x, y=y: both(x, y))
            compiling = max(compiling, first) if peer.operations else compiling
            assert np.allclose(np.asarray(both(x, y)[1]), expected, rtol=1e-9, atol=1e-13), name
            functions.append(lambda both=both, x=x, y=y: both(x, y))
        plain, *found = best(functions, 0.5)
        ratios = [t / plain for t in found]
        points[size] = dict(zip(("by hand", *peers), ratios, strict=True))
        rows.append((f"{size:,}", f"{1e6 * plain / steps:.3g}", *[times(ratio) for ratio in ratios]))
    note = "By hand: the reverse pass for this very program, written in NumPy: what a record that costs nothing would take."
    if compiling:
        note += f" The first call of JAX jit takes up to {compiling:.1f} s more, which is not in its figures."
    title = "Chain: value and gradient of `x = x*y; x = x+y; x = np.sin(x)`, summed, over the plain chain"
    return Table(title, ("elements", "plain, us per call", "by hand", *peers), rows, note, points)


def element_loop(x):
    out = np.zeros(len(x))
    out[0] = 1.0
    for i in range(1, len(x)):
        out[i] = x[i] * out[i - 1]
    return out


def elements() -> Table:
    rows = []
    for n in (1_000, 10_000, 100_000):
        x = np.full(n, 0.999)
        functions = [lambda x=x: element_loop(x), lambda x=x: tape_gradient(element_loop, x)]
        mygrad = "refuses"
        if n == 1_000 and "MyGrad" in installed(["MyGrad"]):
            both = PEERS["MyGrad"].value_and_gradient(_mygrad_loop)
            assert np.allclose(both(x)[1], tape_gradient(element_loop, x))
            functions.append(lambda both=both, x=x: both(x))
        plain, ours, *theirs = best(functions)
        mygrad = times(theirs[0] / plain) if theirs else "quadratic in n"
        rows.append((f"{n:,}", times(ours / plain), f"{1e6 * ours / n:.2f}", mygrad))
    title = "Elements: `out[i] = x[i] * out[i-1]` in a Python loop, value and gradient over the plain loop"
    note = "HIPS autograd, JAX, PyTorch and TensorFlow refuse it: writes into an array, or into what their rules have saved."
    return Table(title, ("n", "npgrad tape", "us per element", "MyGrad, its own buffer"), rows, note)


def _mygrad_loop(x):
    """MyGrad follows writes into its own tensors only."""
    out = type(x)(np.zeros(len(x)))
    out[0] = 1.0
    for i in range(1, len(x)):
        out[i] = x[i] * out[i - 1]
    return out.sum()


def rows() -> Table:
    found = []
    for n in (500, 1_000, 2_000, 4_000):
        start = np.random.default_rng(0).random((n, 10, 10))

        def program(p, n=n):
            for i in range(1, n):
                p[i] = 0.99 * p[i - 1]
            return p.sum()

        plain, ours = best([
            lambda start=start, program=program: program(start.copy()),
            lambda start=start, program=program: tape_gradient(program, start),
        ])  # fmt: skip
        found.append((f"{n:,}", times(ours / plain), f"{1e6 * ours / n:.2f}"))
    title = "Rows: `P[i] = 0.99 * P[i-1]` on an (n, 10, 10) array, value and gradient over the plain loop"
    return Table(title, ("n", "npgrad tape", "us per row"), found)


def calls() -> Table:
    x0, n = np.array([0.5]), 1_000_000

    def program(x):
        for _ in range(n):
            x = x * 0.999
        return x

    plain = seconds(lambda: program(x0))
    ours = seconds(lambda: tape_gradient(program, x0))
    right = np.allclose(tape_gradient(program, x0), 0.999**n)
    row = (times(ours / plain), f"{ours:.2f}", str(right))
    return Table("Calls: 10^6 recorded calls", ("npgrad tape", "s", "right"), [row])


def memory() -> Table:
    x0, y = np.array([0.5]), np.array([0.999])
    array = sys.getsizeof(np.empty(1)) - 8 + 16  # the object and what its allocation of 8 bytes takes
    steps = {
        "x * y": (lambda x: x * y, 1, 1),  # keeps a copy of y
        "x + y": (lambda x: x + y, 1, 0),
        "np.sin(x)": (np.sin, 1, 1),  # keeps x
        "np.exp(-x)": (lambda x: np.exp(-x), 2, 0.5),  # two calls, one keeps its result
    }
    found = []
    for name, (step, per_step, kept) in steps.items():
        with ng.GradientTape() as tape:
            x = step(tape.watch(x0))
            tracemalloc.start()
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(10_000):
                x = step(x)
            used = (tracemalloc.get_traced_memory()[0] - before) / 10_000 / per_step
            tracemalloc.stop()
        found.append((f"`{name}`", f"{used:.0f}", f"{used - kept * array:.0f}"))
    return Table(
        "Memory: bytes per recorded call on one element", ("call", "bytes", "beyond the arrays that its rule needs"), found
    )


def functional() -> Table:
    x = np.linspace(0.1, 1.0, 5)

    def f(x):
        return np.sum(np.sin(x) * x)

    gradient, jacobian, hessian = ng.grad(f), ng.jacobian(lambda x: np.sin(x) * x), ng.hessian(f)
    calls = {
        "plain": lambda: f(x),
        "tape": lambda: tape_gradient(f, x),
        "grad": lambda: gradient(x),
        "jacobian": lambda: jacobian(x),
        "hessian": lambda: hessian(x),
    }
    found = best(list(calls.values()), 0.5)
    title = "Functional: one derivative of `np.sum(np.sin(x) * x)` with five elements, microseconds"
    return Table(title, tuple(calls), [tuple(microseconds(t) for t in found)])


_IMPORT = """
import time
start = time.process_time()
import numpy
between = time.process_time()
{}
print(between - start, time.process_time() - between)
"""
# What a program pays for at its import, and what for at its first use: that of all it has asked for, and a first gradient.
_STEPS = {
    "import npgrad": "import npgrad",
    "and its names": "from npgrad import GradientTape, Variable, grad, jacobian",
    "and a first gradient": "from npgrad import grad; grad(lambda x: (x * x).sum())(numpy.ones(3))",
}


def _environment() -> dict[str, str]:
    """That of a process that finds what this one does, and keeps what it compiles."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def imports() -> Table:
    """Each in a fresh process, with its bytecode compiled before."""

    def once(step: str) -> list[float]:
        program = [sys.executable, "-c", _IMPORT.format(step)]
        done = subprocess.run(program, env=_environment(), capture_output=True, check=True, text=True)
        return [float(t) for t in done.stdout.split()]

    once(_STEPS["and a first gradient"])
    found = np.min([[once(step) for step in _STEPS.values()] for _ in range(9)], axis=0)
    numpy, steps = found[:, 0].min(), found[:, 1]
    rows = [("numpy", f"{1e3 * numpy:.0f}", "1")]
    rows += [(name, f"{1e3 * t:.1f}", f"{t / numpy:.2f}") for name, t in zip(_STEPS, steps, strict=True)]
    return Table("Import, after numpy", ("", "ms", "over numpy"), rows)


_MODULE = """
import math
import numpy as np
from numpy import array, exp, float64, sin, sum, zeros
CONSTANTS = {{"mass": 1.5, "length": 2.5}}
state = []
{functions}
{classes}
"""
_FUNCTION = "def function{0}(x, n={0}):\n    work = zeros(3)\n    work[:] = x * n\n    return work"
_CLASS = "class Class{0}:\n    factor = {0}\n    def method(self, x):\n        return np.sum(x) * self.factor"


def beside(count: int) -> list[float]:
    """Seconds of a tape and of `value_and_grad`, in a process of its own, among so many modules of the user's."""
    code = _MODULE.format(
        functions="\n".join(map(_FUNCTION.format, range(30))), classes="\n".join(map(_CLASS.format, range(10)))
    )
    for name in (f"module{i}" for i in range(count)):
        exec(code, vars(sys.modules.setdefault(name, types.ModuleType(name))))
    x = np.array([0.1, 0.2, 0.3])
    last = sys.modules.get(f"module{count - 1}")

    def f(x: np.ndarray) -> float:
        return np.sum((last.function1(x) if last else x) * x)

    derivative = ng.value_and_grad(f)
    return best([lambda: tape_gradient(f, x), lambda: derivative(x)], 0.5)


def modules() -> Table:
    program = "import core, sys; print(*core.beside(int(sys.argv[1])))"
    rows = []
    for count in (0, 1, 5, 20):
        called = [sys.executable, "-c", program, str(count)]
        done = subprocess.run(called, env=_environment(), capture_output=True, check=True, text=True)
        rows.append((str(count), *[microseconds(float(t)) for t in done.stdout.split()]))
    title = "Modules: a gradient of three elements among modules of the user's, each of 50 names, microseconds"
    return Table(title, ("modules", "tape", "value_and_grad"), rows)


PARTS = {f.__name__: f for f in (chain, elements, rows, calls, memory, functional, imports, modules)}

if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)
    run_parts(PARTS)
