"""The legacy kernels of ``programs/``: each takes an array first and returns a number."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

PROGRAMS = Path(__file__).parent / "programs"
SIZES = ("small", "large")


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
        vars(module)["np"] = numpy
        for function, (arguments, small, large) in module.PROBLEMS.items():
            sizes = {"small": small, "large": large}
            found[function.__name__] = Kernel(function.__name__, path.stem, function, arguments, sizes)
    return found
