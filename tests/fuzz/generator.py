"""Programs at random: points of many shapes and dtypes, then statements of all kinds, as long as plain NumPy runs them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import calls, control, reads, writes
from .program import Program
from .state import SHAPES, State

# "plain" is float64 only and so has the sharpest oracle; "mixed" has every dtype.
STYLES = ("plain", "plain", "plain", "complex", "mixed")
KINDS: dict[Callable, int] = {**reads.KINDS, **writes.KINDS, **control.KINDS, **calls.KINDS}
_TABLE = list(KINDS)
_WEIGHTS = np.cumsum(list(KINDS.values())) / sum(KINDS.values())


def generate(seed: tuple[int, int]) -> tuple[Program, State]:
    """The program of a seed, and the state that says what was dropped on the way."""
    rng = np.random.default_rng(seed)
    g = State(rng, STYLES[rng.integers(len(STYLES))])
    g.program.outside = g.chance(0.3)
    for _ in range(rng.choice([1, 1, 2, 3])):
        g.point(_point(g))
    wanted = int(rng.integers(2, 11))
    for _ in range(3 * wanted):
        kind = _TABLE[int(np.searchsorted(_WEIGHTS, rng.random()))]
        statement = kind(g)
        if statement:
            g.try_(statement)
        if len(g.program.statements) >= wanted:
            break
    return g.finish(), g


def _point(g: State) -> np.ndarray | np.generic:
    shape = g.one_of(SHAPES)
    values = g.random(shape, "c" if g.style == "complex" and g.chance(0.7) else "f")
    if g.style == "mixed":
        values = values.astype(g.one_of((np.float32, np.float64, np.complex64, np.complex128)))
    if not shape and g.chance(0.5):
        return values[()]
    return np.asfortranarray(values) if g.chance(0.25) else values
