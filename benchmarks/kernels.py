"""Legacy kernels: value and gradient over plain NumPy, npgrad beside the peers that are installed.

Every program of ``benchmarks/programs`` takes an array first and returns a number. ``python benchmarks/kernels.py`` checks
each gradient against finite differences, then times it at a small and a large size; names after it choose kernels.

Times are the processor's for this process: other work on the machine lengthens a run, and a long one more often than a short
one, but does not use this process's time. Run it with one thread of BLAS, as ``run.py`` does.
"""

from __future__ import annotations

import gc
import importlib
import sys
import time
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import npgrad as ng
from npgrad import finite_difference
from npgrad.testing import directional_difference, random_direction

PROGRAMS = Path(__file__).parent / "programs"
SIZES = ("small", "large")
# Rounds of all peers fill about this time, in seconds, within these numbers; short calls are repeated within a round.
_BUDGET, _LEAST, _MOST = 0.5, 3, 30
_SHORTEST = 5e-4
# How far a gradient may be from the differences', relative to its size along the direction, beyond their own error.
_TOLERANCE = 1e-6


class Kernel(NamedTuple):
    """A program, how to make its arguments from a size, and its sizes."""

    name: str
    family: str
    function: Callable
    arguments: Callable
    sizes: dict[str, int]

    def args(self, size: str) -> tuple:
        return self.arguments(self.sizes[size], np.random.default_rng(0))


def kernels(numpy: Any = np) -> dict[str, Kernel]:
    """All programs, with ``np`` bound to a module that imitates NumPy if one is given."""
    found = {}
    for path in sorted(PROGRAMS.glob("*.py")):
        module = types.ModuleType(f"programs.{path.stem}")
        exec(compile(path.read_text(), path, "exec"), vars(module))
        module.np = numpy
        for function, (arguments, small, large) in module.PROBLEMS.items():
            sizes = {"small": small, "large": large}
            found[function.__name__] = Kernel(function.__name__, path.stem, function, arguments, sizes)
    return found


# --- Peers ---------------------------------------------------------------------------------------------------------


class Refused(Exception):
    """A peer that cannot do a program."""


def _autograd() -> Callable[[str], Callable]:
    autograd = importlib.import_module("autograd")
    programs = kernels(importlib.import_module("autograd.numpy"))
    return lambda name: lambda *args: autograd.value_and_grad(programs[name].function)(*args)[1]


def _mygrad() -> Callable[[str], Callable]:
    mygrad = importlib.import_module("mygrad")
    programs = kernels()

    def of(name: str) -> Callable:
        def gradient(x: Any, *rest: Any) -> Any:
            source = mygrad.tensor(x)
            value = programs[name].function(source, *rest)
            if not isinstance(value, mygrad.Tensor):
                raise Refused("the value has lost its gradient on the way")
            value.backward()
            return np.zeros_like(x) if source.grad is None else source.grad

        return gradient

    return of


def _differences() -> Callable[[str], Callable]:
    programs = kernels()
    return lambda name: finite_difference.grad(programs[name].function, method="2-point")


def _npgrad() -> Callable[[str], Callable]:
    programs = kernels()
    return lambda name: lambda *args: ng.value_and_grad(programs[name].function)(*args)[1]


def _npgrad_tape() -> Callable[[str], Callable]:
    """The tape by itself, without the search for work arrays that the functional API makes at each call."""
    programs = kernels()

    def of(name: str) -> Callable:
        def gradient(x: Any, *rest: Any) -> Any:
            with ng.GradientTape() as tape:
                source = tape.watch(x)
                value = programs[name].function(source, *rest)
            return tape.gradient(value, source, unconnected_gradients="zero")

        return gradient

    return of


PEERS = {
    "npgrad": _npgrad,
    "npgrad tape": _npgrad_tape,
    "HIPS autograd": _autograd,
    "MyGrad": _mygrad,
    "2-point": _differences,
}
# n + 1 evaluations: at large sizes that is known without running them.
ONLY_SMALL = {"2-point"}
# Differences have other digits to offer.
PEER_TOLERANCE = {"2-point": 1e-4}


def installed() -> dict[str, Callable[[str], Callable]]:
    """The peers that are there, by name: for a program's name its gradient as a function of the program's arguments."""
    found = {}
    for name, load in PEERS.items():
        try:
            found[name] = load()
        except ImportError:
            continue
    return found


# --- Checking ------------------------------------------------------------------------------------------------------


def verify(kernel: Kernel, size: str, gradient: Any) -> float:
    """How far a gradient is from differences along a random direction, over its size there; their error is allowed for."""
    x, *rest = kernel.args(size)
    direction = random_direction(np.random.default_rng(1), x)

    def f(x: Any) -> Any:
        return kernel.function(x, *(part.copy() for part in rest))

    found, scale = float(np.vdot(gradient, direction)), float(np.linalg.norm(direction) * np.linalg.norm(gradient))
    wrong = []
    # Away from the kinks of a large problem only a short step is free of them.
    for step in (1e-2, 1e-4, 1e-6):
        (expected,), error = directional_difference(f, [x], [direction], step=step)
        size = max(scale, abs(float(expected))) or 1.0
        wrong.append(max(abs(float(expected) - found) / size - 10 * min(error, 1e-6), 0.0))
    return min(wrong)


def same(a: Any, b: Any, tolerance: float) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and bool(np.linalg.norm(a - b) <= tolerance * np.linalg.norm(b))


def _seconds(function: Callable, number: int) -> float:
    gc.collect(0)
    start = time.process_time()
    for _ in range(number):
        function()
    return (time.process_time() - start) / number


def best(functions: list[Callable]) -> list[float]:
    """The shortest time of each function; they take turns, so that a busy moment of the machine hits all alike."""
    once = [_seconds(function, 1) for function in functions]
    numbers = [int(np.ceil(_SHORTEST / max(seconds, 1e-7))) for seconds in once]
    total = sum(number * seconds for number, seconds in zip(numbers, once, strict=True))
    times = [float("inf")] * len(functions)
    for _ in range(int(np.clip(_BUDGET / total, _LEAST, _MOST))):
        for i, (function, number) in enumerate(zip(functions, numbers, strict=True)):
            times[i] = min(times[i], _seconds(function, number))
    return times


class Timing(NamedTuple):
    """Seconds of one plain run; for each peer its ratio to that, or the word for what it does instead."""

    kernel: Kernel
    size: str
    plain: float
    ratios: dict[str, float | str]


def measure(kernel: Kernel, size: str, peers: dict[str, Callable[[str], Callable]]) -> Timing:
    args = kernel.args(size)

    def fresh() -> list:
        return [a.copy() for a in args]

    gradients = {name: load(kernel.name) for name, load in peers.items() if size == "small" or name not in ONLY_SMALL}
    expected = gradients["npgrad"](*fresh())
    wrong = verify(kernel, size, expected)
    if not wrong <= _TOLERANCE:
        raise AssertionError(f"{kernel.name}, {size}: npgrad is {wrong:.1e} away from finite differences")
    words: dict[str, float | str] = {}
    running = {}
    for name, gradient in gradients.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = gradient(*fresh())
            except Exception:
                words[name] = "refuses"
                continue
        if same(found, expected, PEER_TOLERANCE.get(name, _TOLERANCE)):
            running[name] = gradient
        else:
            words[name] = "wrong"

    def plain() -> Any:
        return kernel.function(*fresh())

    calls = [plain, *[lambda gradient=gradient: gradient(*fresh()) for gradient in running.values()]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        times = best(calls)
    words |= {name: seconds / times[0] for name, seconds in zip(running, times[1:], strict=True)}
    return Timing(kernel, size, times[0], words)


def geometric_mean(values: list[float]) -> float:
    return float(np.exp(np.mean(np.log(values)))) if values else float("nan")


def cell(ratio: float | str) -> str:
    return ratio if isinstance(ratio, str) else f"{ratio:.1f}x"


def main() -> None:
    """Measure the named kernels, or all."""
    peers = installed()
    programs = kernels()
    for size in SIZES:
        ratios = []
        for name in sys.argv[1:] or programs:
            timing = measure(programs[name], size, peers)
            ratios.append(float(timing.ratios["npgrad"]))
            words = "; ".join([f"{peer} {cell(timing.ratios[peer])}" for peer in peers if peer in timing.ratios])
            print(f"{size:>5} {name:>22} {1e6 * timing.plain:10.1f} us  {words}", flush=True)
        print(f"{size:>5} geometric mean of npgrad: {geometric_mean(ratios):.2f}")


if __name__ == "__main__":
    main()
