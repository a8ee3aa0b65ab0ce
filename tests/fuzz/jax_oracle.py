"""JAX as a second judge of programs that it runs: those without writes into arrays, in double precision.

It runs the same text with jax.numpy in NumPy's place. Where its values are NumPy's, its derivatives must be ours; where it
refuses the program, or takes another convention (at ties and kinks), differences decide.
"""

from __future__ import annotations

import functools
import importlib.util
import math
import os
import re
from typing import Any

import numpy as np

from .program import Program, values

IS_INSTALLED = importlib.util.find_spec("jax") is not None
# What JAX refuses, or cannot trace; a look at the text is cheaper than its error.
_BEYOND_JAX = re.compile(
    r"\] *(\*\*|//|[-+*/%@])?=[^=]|out=|where=|\.(sort|fill|put|partition|setfield|flat)\b|try:|while |if |special\."
    r"|np\.(copyto|put|place|fill_diagonal|\w+\.at\(|lib|vectorize|emath)|float32|float16|complex64|longdouble"
)
# Compiling takes longer than running: with this, a third of the time.
_FLAGS = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true --xla_cpu_multi_thread_eigen=false"


@functools.cache
def _jax() -> Any:
    os.environ.update(JAX_PLATFORMS="cpu", XLA_FLAGS=_FLAGS)
    import jax
    import jax.numpy

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_disable_most_optimizations", True)
    return jax


def derivatives(program: Program, directions: list, numbers: list[int]) -> tuple[list, list] | None:
    """Values and tangents of the results of these numbers, None where JAX does not run the program."""
    if not IS_INSTALLED or _BEYOND_JAX.search(program.text):
        return None
    jax = _jax()
    scope: dict[str, Any] = {"np": jax.numpy, "math": math}
    exec(program.function_text, scope)
    scope |= values(program.outer)

    def run(*points: Any) -> list:
        results = scope["program"](*points)
        return [jax.numpy.asarray(results[n]) for n in numbers]

    points = [jax.numpy.asarray(p) for p in values(program.points).values()]
    try:
        found, tangents = jax.jvp(run, points, [jax.numpy.asarray(d, p.dtype) for d, p in zip(directions, points, strict=True)])
    except Exception:  # its refusals are of all types
        return None
    return [np.asarray(v) for v in found], [np.asarray(t) for t in tangents]


def agrees(found: list, wanted: list, tolerance: float) -> bool:
    """Whether arrays are the same to rounding, by the largest number of each."""
    for a, b in zip(found, wanted, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        scale = max(float(np.max(np.abs(b), initial=0)), 1e-3)
        if a.shape != b.shape or not bool((np.abs(a - b) <= tolerance * scale).all()):
            return False
    return True
