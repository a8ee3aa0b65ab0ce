"""What a comparison is measured by, and its verdict: differences are believed as far as others bear them out."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy import ndarray

from ._agreement import Agreement, agreement, scale_of
from ._measured_methods import DIFFERENCES, NPGRAD, REAL_DIFFERENCES, Problem
from ._measurement import Found


def relative(matrix: ndarray, reference: ndarray) -> ndarray:
    scale = scale_of(reference, 1)
    largest = float(np.max(scale, initial=0)) or 1.0
    with np.errstate(all="ignore"):
        return np.abs(matrix) / np.where(scale > 0, scale, largest)


# Differences whose own error is larger say little about others.
_TRUSTED = 3e-2

# How far a claim can be trusted that nothing bears out: those who have tried many steps first; last complex steps, which
# claim the same whatever happens.
_FAITH = {"richardson": 0, "numdifftools": 0, "jacobi": 0, "complex-step": 2}


def most_accurate(found: dict[str, Found]) -> tuple[str | None, bool]:
    """The differences that claim the least error of those that others bear out, and whether there are such.

    A claim alone is easily wrong: complex steps are wrong where the program takes an absolute value, extrapolation where
    a kink is near, and a function in single precision does not change over a small step.
    """
    errors = {
        name: f.error
        for name, f in found.items()
        if name in DIFFERENCES and f.error is not None and np.isfinite(f.matrix).all()
    }
    claims = {name: float(np.max(relative(error, found[name].matrix), initial=0)) for name, error in errors.items()}
    trusted = sorted((name for name in claims if claims[name] < _TRUSTED), key=claims.__getitem__)

    def borne_out(one: str, other: str) -> bool:
        return agreement(found[one].matrix, found[other].matrix, errors[one] + errors[other], 1).agrees

    confirmed = [one for one in trusted if any(borne_out(one, other) for other in trusted if other != one)]
    alone = sorted(trusted, key=lambda name: (_FAITH.get(name, 1), claims[name]))
    return next(iter([*confirmed, *alone, *sorted(claims, key=claims.__getitem__)]), None), bool(confirmed)


def unusable(problem: Problem, found: dict[str, Found]) -> list[str]:
    """Values that have no derivative at the point because they are none themselves."""
    broken = np.flatnonzero(~problem.usable)
    notes = ["the value is complex: its real and imaginary parts are compared"] if problem.complex else []
    if all(value.dtype.kind in "biu" for value in problem.flat.values):
        notes.append("the value is of integers or truth values: its derivative is zero, and a cast to them ends any other")
    if broken.size:
        notes.append(f"{_values(broken)} not finite at the point, and left out: there is no derivative")
    return notes


def _values(indices: ndarray) -> str:
    if len(indices) == 1:
        return f"value {indices[0]} is"
    return f"values {', '.join(map(str, indices[:5]))}{' ...' if len(indices) > 5 else ''} are"


def without_rows(
    problem: Problem, found: dict[str, Found], known: ndarray | None
) -> tuple[dict[str, Found], ndarray | None]:
    rows = problem.usable
    chosen = {
        name: dataclasses.replace(one, matrix=one.matrix[rows], error=None if one.error is None else one.error[rows])
        for name, one in found.items()
    }
    return chosen, None if known is None else known[rows]


def infinite_entries(found: dict[str, Found], ours: str | None, judge: str | None, known: ndarray | None) -> list[str]:
    """Where npgrad's derivative is infinite and no differences settle: nothing is measured there, in any method."""
    if ours is None or known is not None:
        return []
    infinite = np.isinf(found[ours].matrix)
    for name in REAL_DIFFERENCES & found.keys():
        matrix, error = found[name].matrix, found[name].error
        if error is not None:
            infinite &= ~(np.isfinite(matrix) & (error <= _TRUSTED * np.abs(matrix)))
    if not infinite.any():
        return []
    for one in found.values():
        one.matrix = np.where(infinite, np.inf, one.matrix)
    row, column = (int(axis[0]) for axis in np.nonzero(infinite))
    return [
        f"the derivative is infinite for {int(infinite.sum())} entries, the first at value {row}, element {column}: "
        "differences only grow there, and nothing is measured"
    ]


def verdict_of(
    found: dict[str, Found],
    refused: dict[str, str],
    judge: str | None,
    borne_out: bool,
    known: ndarray | None,
    value_eps: float,
) -> tuple[bool, str]:
    sweeps = [name for name in NPGRAD if name in found]
    if not sweeps:
        reasons = [refused[name] for name in NPGRAD if name in refused]
        return False, f"npgrad gives no derivative: {reasons[0]}" if reasons else "npgrad was not asked"
    error: ndarray | None
    if known is not None:
        matrix, error, name = known, value_eps * scale_of(known, 1), "the reference"
    elif judge is not None:
        matrix, error, name = found[judge].matrix, found[judge].error, judge
    else:
        return False, "nothing to compare with: no differences were asked for, or none could be taken"
    worst = max(
        (agreement(found[sweep].matrix, matrix, error, 1) for sweep in sweeps),
        key=lambda one: (not one.agrees, one.difference),
    )
    alone = known is None and not borne_out and len([one for one in found if one in DIFFERENCES]) > 1
    return worst.agrees, _told(worst, name) + (f"; no other differences bear {name} out" if alone else "")


def _told(worst: Agreement, name: str) -> str:
    where = f" at value {worst.place[0]}, element {worst.place[1]}" if worst.place else ""
    verb = "agrees" if worst.agrees else "DISAGREES"
    return f"npgrad {verb} with {name}: largest difference {worst.difference:.1e}{where} of {worst.allowed:.1e} allowed"
