"""What a function is like near a point, in words: state, noise, jumps and kinks."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from ._agreement import agreement
from ._measured_methods import Problem
from ._measurement import Found
from ._probes import Line, StepSweep, Taylor, jump, kink, lines, noise_level, step_sweep, taylor

_LINES = 3
_SEED = 0
# Richardson's first step is a sixteenth of the length over which a function visibly changes.
_LENGTH = 16

_UNSTEADY = "the function gives other values for the same arguments: it keeps state, or draws random numbers"


def probed(
    problem: Problem, found: dict[str, Found], ours: str | None, judge: str | None
) -> tuple[list[str], StepSweep | None, Taylor | None]:
    again = problem.flat(problem.x)
    if not np.array_equal(again, problem.value, equal_nan=True):
        return [_UNSTEADY], None, None
    best = ours or judge
    if problem.bounds is not None or best is None or problem.value.dtype.kind != "f":
        return [], None, None
    rows = np.isfinite(found[best].matrix).all(axis=1)
    if not rows.any():
        return [], None, None
    places = np.flatnonzero(problem.usable)[rows]
    lengths = None if problem.step is None else _LENGTH * problem.flat.beside(problem.step, problem.x.dtype)
    through = lines(
        lambda x: problem.flat(x)[places], problem.x, problem.value[places], found[best].matrix[rows], lengths, _LINES, _SEED
    )
    noise, relative = max(noise_level(line) for line in through)
    notes = []
    if noise:
        notes.append(
            f"noise: the values scatter by {relative:.0e} of their size, beyond rounding; small steps only measure it "
            f"(best step of 3-point about {(3 * relative) ** (1 / 3):.0e}, of 2-point about {relative ** (1 / 2):.0e})"
        )
    else:
        notes += _contradictions(found, judge) + (_jumps(through, places) or _kinks(through, places))
    remainder = taylor(through[0], noise)
    if not remainder.passes:
        notes.append(f"the Taylor remainder falls with order {remainder.order:.2f}; a smooth function's right one with 2")
    return notes, step_sweep(through[0], "complex-step" in found), remainder


def _contradictions(found: dict[str, Found], judge: str | None) -> list[str]:
    """Complex steps that no other differences bear out."""
    steps = found.get("complex-step")
    if steps is None or judge in (None, "complex-step"):
        return []
    best = found[judge]
    if agreement(steps.matrix, best.matrix, best.error, 1).agrees:
        return []
    return [f"complex-step contradicts {judge}: the program loses an imaginary part (abs, real) or compares complex numbers"]


def _place(distance: float) -> str:
    return "at the point" if distance == 0 else f"within about {distance:.0e} (relative) of the point"


def _jumps(through: list[Line], places: ndarray) -> list[str]:
    seen = [one for one in map(jump, through) if one is not None]
    if not seen:
        return []
    nearest = min(seen, key=lambda one: one.distance)
    what = f"value {places[nearest.value_index]} changes by {nearest.size:.1e}"
    return [f"jump {_place(nearest.distance)}: {what}; differences across it are no derivative"]


def _kinks(through: list[Line], places: ndarray) -> list[str]:
    seen = [one for one in (kink(line, 0.0) for line in through) if one is not None]
    if not seen:
        return []
    nearest = min(seen, key=lambda one: one.distance)
    which = places[nearest.value_index]
    change = f"one-sided derivatives of value {which} differ by {100 * min(nearest.relative_size, 1):.0f} %"
    return [f"kink {_place(nearest.distance)}: {change}; differences across it are no derivative"]
