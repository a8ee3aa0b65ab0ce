"""First and second derivatives of plain programs along a direction, by extrapolated differences that judge themselves."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

LEVELS = 4
STEPS = (2e-2, 2e-3, 2e-4, 1e-5)
# What is smaller than this beside the values is rounding.
FLOOR = 1e-6


class Differences:
    """The derivative of a vector along a direction: ``value``, and the estimated ``error``, both per element."""

    def __init__(self, along: Callable[[float], np.ndarray], order: int, steps: tuple = STEPS) -> None:
        """``along(t)`` is the program's value at the point moved by ``t`` in the direction."""
        self.along = along
        self.middle = along(0.0)
        self.size = FLOOR * float(np.max(np.abs(self.middle), initial=1.0))
        self.value = np.zeros_like(self.middle)
        self.error = np.full(self.middle.shape, np.inf)
        self.bent = np.zeros(self.middle.shape, bool)
        for step in steps[: 4 if order == 1 else 2]:
            self._improve(along, step, order)
            if not self.error.size or self.error.max() <= 1e-8 * max(1e-2, float(np.max(np.abs(self.value)))):
                break

    def finer(self) -> Differences:
        """The same from short steps alone: over long ones a staircase may look like a line."""
        return Differences(self.along, 1, STEPS[2:])

    def _improve(self, along: Callable, step: float, order: int) -> None:
        table, bends = [], []
        for level in range(LEVELS):
            h = step / 2**level
            ahead, behind = along(h), along(-h)
            if ahead.shape != self.middle.shape or behind.shape != self.middle.shape:
                return
            bends.append(np.abs(ahead - 2 * self.middle + behind) / h)
            table.append((ahead - behind) / (2 * h) if order == 1 else (ahead - 2 * self.middle + behind) / h**2)
        previous = table
        for power in range(1, LEVELS):
            previous, table = table, [(4**power * b - a) / (4**power - 1) for a, b in itertools.pairwise(table)]
        error = np.abs(table[0] - previous[-1]) + 1e-15 * np.abs(self.middle) / (step / 2**LEVELS) ** order
        # At a kink the slopes ahead and behind stay apart however small the step; elsewhere they meet.
        self.bent |= (bends[-1] > 0.5 * bends[0]) & (bends[-1] > 1e-4 * (self.size / FLOOR))
        better = error < self.error
        self.value = np.where(better, table[0], self.value)
        self.error = np.where(better, error, self.error)


def joined(values: list) -> np.ndarray:
    """All elements of the arrays, in a row of at least double precision."""
    parts = [np.asarray(v).reshape(-1) for v in values]
    return np.concatenate([np.zeros(0), *parts]) if parts else np.zeros(0)


def _moved(point: Any, step: Any) -> Any:
    """The point and a step, in the point's dtype and order of memory: what is a view depends on that."""
    if isinstance(point, np.generic):
        return point.dtype.type(point + step)
    moved = np.array(point, order="K")
    moved += step
    return moved


def along_line(program: Callable, points: list, directions: list, names: list[int], kinds: list[str] | None) -> Callable[[float], np.ndarray]:
    """The values number ``names`` of the program at points moved along the directions; nothing of the right size where it
    fails or where dtypes, which may depend on values (np.poly, np.roots), are of other kinds."""

    def at(t: float) -> Any:
        given = [_moved(p, t * d) for p, d in zip(points, directions, strict=True)]
        try:
            with np.errstate(all="ignore"):
                values = program(*given)
            if kinds is not None and [values[n].dtype.kind for n in names] != kinds:
                return np.zeros(1 << 20)
            return joined([values[n] for n in names])
        except Exception:
            return np.zeros(1 << 20)

    return at
