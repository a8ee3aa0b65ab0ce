"""The derivative along one direction by differences, with an estimate of its error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._structure import flatten
from ._traced import is_inexact, unwrap

# What is smaller than this counts as rounding error of larger numbers that have cancelled.
NEGLIGIBLE = 1e-8

# Richardson's scheme takes so many steps, each half of the one before; no more when it has settled. A kink shows over four.
_MOST_STEPS, _FEWEST_STEPS = 8, 4
_SETTLED = 1e-11


def difference_along(
    f: Callable, points: list, directions: list, *, method: str = "richardson", step: float = 1e-2
) -> tuple[list, float]:
    """The derivative along a direction of each floating or complex leaf of the value, and an estimate of the relative error:
    see `npgrad.testing.directional_difference`. Raises if there is none: that nothing differs would say nothing."""
    points = [np.asarray(p) for p in points]

    def leaves_at(h: Any) -> list[np.ndarray]:
        moved = [p + h * np.asarray(d) for p, d in zip(points, directions, strict=True)]
        if method != "complex-step":
            moved = [m.astype(p.dtype) for m, p in zip(moved, points, strict=True)]
        value = f(*[m[()] for m in moved])
        leaves = inexact_leaves(value)
        if not leaves:
            raise TypeError(
                f"{getattr(f, '__name__', f)} returned {_described(value)}, with no floating or complex number to "
                "differentiate: does it end without return, or cast to integers?"
            )
        return [np.asarray(leaf) for leaf in leaves]

    with np.errstate(all="ignore"):
        leaves = leaves_at(0.0)
        if method == "complex-step":
            derivative, error = _joined(leaves_at(1e-30j)).imag / 1e-30, 1e-15
        else:
            eps = max([float(np.finfo(a.dtype).eps) for a in [*points, *leaves]], default=0.0)
            derivative, error = _richardson(lambda h: _joined(leaves_at(h)), _joined(leaves), step, eps)
    ends = np.cumsum([leaf.size for leaf in leaves])[:-1]
    parts = np.split(derivative, ends) if leaves else []
    return [part.reshape(leaf.shape) for part, leaf in zip(parts, leaves, strict=True)], error


def _described(value: Any) -> str:
    if isinstance(value, (np.ndarray, np.generic)):
        return f"an array of dtype {value.dtype}" if np.ndim(value) else f"a number of dtype {value.dtype}"
    return "None" if value is None else type(value).__name__


def _joined(leaves: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0), *[leaf.reshape(-1) for leaf in leaves]])


def _richardson(value: Callable, middle: np.ndarray, step: float, eps: float) -> tuple[np.ndarray, float]:
    """Extrapolated central differences of a vector-valued function at 0, where it is ``middle``; their relative error."""
    floor = max(1e-3 * largest(middle), NEGLIGIBLE)
    rows: list[list[np.ndarray]] = []
    bends: list[np.ndarray] = []
    best, error = np.zeros_like(middle), 0.0 if not middle.size else np.inf
    for i in range(_MOST_STEPS):
        h = step / 2**i
        ahead, behind = value(h), value(-h)
        bends.append(np.abs(ahead - 2 * middle + behind) / h)
        row = [(ahead - behind) / (2 * h)]
        for j in range(i):
            factor = 4 ** (j + 1)
            row.append((factor * row[j] - rows[-1][j]) / (factor - 1))
        for j in range(1, len(row)):
            estimate = max(largest(row[j] - row[j - 1]), largest(row[j] - rows[-1][j - 1]))
            estimate /= max(floor, largest(row[j]))
            if estimate < error:
                best, error = row[j], estimate
        rows.append(row)
        if error < _SETTLED and len(rows) >= _FEWEST_STEPS:
            break
    # At a kink the one-sided differences stay apart however small the step; elsewhere their distance shrinks with it.
    noise = 100 * eps * np.abs(middle) / h
    apart = bends[-1] > 1e-3 * max(floor, largest(best)) + noise
    return best, np.inf if bool((apart & (bends[-1] > 0.7 * bends[-_FEWEST_STEPS])).any()) else float(error)


def largest(values: np.ndarray) -> float:
    return float(np.max(np.abs(values), initial=0))


def inexact_leaves(value: Any) -> list:
    """The floating and complex arrays and numbers of a structure, as plain data."""
    leaves = [unwrap(leaf) for leaf in flatten(value)[0]]
    return [leaf for leaf in leaves if is_inexact(np.asarray(leaf).dtype)]
