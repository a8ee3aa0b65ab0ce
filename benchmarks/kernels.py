"""Legacy kernels: value and gradient over plain NumPy, npgrad beside the peers that are installed.

``python benchmarks/kernels.py`` checks each gradient against finite differences and the peers' against npgrad's, then times
all at a small and a large size; names after it choose kernels. Run it with one thread of BLAS, as ``run.py`` does.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from loading import SIZES, Kernel, kernels
from peers import Peer, installed
from timing import best, geometric_mean

from npgrad.testing import directional_difference, random_direction

# How far a gradient may be from the differences', relative to its size along the direction, beyond their own error.
_TOLERANCE = 1e-6
# XLA takes a minute and more for some programs whose loops unroll to more operations.
_MOST_OPERATIONS = 400


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
        largest = max(scale, abs(float(expected))) or 1.0
        wrong.append(max(abs(float(expected) - found) / largest - 10 * min(error, 1e-6), 0.0))
    return min(wrong)


def same(a: Any, b: Any, tolerance: float) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and bool(np.linalg.norm(a - b) <= tolerance * np.linalg.norm(b))


class Timing(NamedTuple):
    """Seconds of one plain run; for each peer its ratio to that, or the word for what it does instead.

    ``reasons`` are the exceptions of those that refuse; ``compiling`` the seconds that a first call took beyond a later one.
    """

    kernel: Kernel
    size: str
    plain: float
    ratios: dict[str, float | str]
    reasons: dict[str, str]
    compiling: dict[str, float]


def measure(kernel: Kernel, size: str, peers: dict[str, Peer], programs: dict[str, dict[str, Kernel]]) -> Timing:
    """Check and time one kernel; ``programs`` has for each peer the kernels that are bound to its module."""
    args = kernel.args(size)

    def fresh() -> list:
        return [a.copy() for a in args]

    functions: dict[str, Callable] = {
        name: peer.value_and_gradient(programs[name][kernel.name].function)
        for name, peer in peers.items()
        if args[0].size <= peer.most
    }
    value = kernel.function(*fresh())
    expected = functions["npgrad"](*fresh())[1]
    wrong = verify(kernel, size, expected)
    if not wrong <= _TOLERANCE:
        raise AssertionError(f"{kernel.name}, {size}: npgrad is {wrong:.1e} away from finite differences")
    ratios: dict[str, float | str] = {}
    reasons, compiling, running = {}, {}, {}
    for name, function in functions.items():
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                count = peers[name].operations
                if count is not None and count(programs[name][kernel.name].function, args) > _MOST_OPERATIONS:
                    ratios[name] = "long"
                    continue
                found, gradient = function(*fresh())
            except Exception as error:
                ratios[name], reasons[name] = "refuses", type(error).__name__
                continue
        compiling[name] = time.perf_counter() - start
        right = (found is None or same(found, value, 1e-9)) and same(gradient, expected, peers[name].accuracy)
        if right:
            running[name] = function
        else:
            ratios[name] = "wrong"
    calls = [lambda: kernel.function(*fresh())]
    calls += [lambda function=function: function(*fresh()) for function in running.values()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain, *times = best(calls)
    ratios |= {name: t / plain for name, t in zip(running, times, strict=True)}
    return Timing(kernel, size, plain, ratios, reasons, {n: s for n, s in compiling.items() if peers[n].operations})


def measured(size: str, names: list[str], peers: dict[str, Peer]) -> list[Timing]:
    """All that are named, with what is being done on standard error."""
    programs = {name: kernels(peer.numpy()) for name, peer in peers.items()}
    plain = kernels()
    timings = []
    for number, name in enumerate(names or plain, start=1):
        print(f"{size} {name} ({number} of {len(names or plain)})", file=sys.stderr, flush=True)
        timings.append(measure(plain[name], size, peers, programs))
    return timings


def cell(timing: Timing, peer: str) -> str:
    ratio = timing.ratios.get(peer, "-")
    if isinstance(ratio, str):
        return ratio
    seconds = timing.compiling.get(peer)
    return f"{ratio:.1f}x" + (f" ({seconds:.1f} s)" if seconds is not None else "")


def refusals(timings: list[Timing], peer: str) -> str:
    """Of how many programs, and with which exceptions."""
    reasons = Counter(t.reasons[peer] for t in timings if peer in t.reasons)
    return ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())


def main() -> None:
    """Measure the named kernels, or all."""
    peers = installed()
    for size in SIZES:
        timings = measured(size, sys.argv[1:], peers)
        for timing in timings:
            words = "; ".join([f"{peer} {cell(timing, peer)}" for peer in peers if peer in timing.ratios])
            print(f"{size:>5} {timing.kernel.name:>22} {1e6 * timing.plain:10.1f} us  {words}")
        mean = geometric_mean([float(t.ratios["npgrad"]) for t in timings])
        print(f"{size:>5} geometric mean of npgrad: {mean:.2f}")


if __name__ == "__main__":
    main()
