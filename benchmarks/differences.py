"""Every way to take differences beside npgrad, on the same functions: ``python benchmarks/differences.py [part ...]``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jacobians import objective, right_hand_side
from tables import Table, microseconds, run_parts, times

import npgrad as ng


def _table(title: str, f: Callable, x: np.ndarray) -> Table:
    report = ng.compare(f, x, progress=False)
    rows = []
    for row in report.methods:
        if row.refused is not None:
            rows.append((row.method, "refuses", *[""] * 5))
            continue
        assert row.seconds is not None and row.over_plain is not None
        errors = [f"{e:.0e}" if e is not None else "-" for e in (row.largest_error, row.median_error, row.own_estimate)]
        rows.append((row.method, *errors, str(row.evaluations), microseconds(row.seconds), times(row.over_plain)))
    head = ("", "largest error", "median error", "its own estimate", "evaluations", "us", "over the function")
    return Table(title, head, rows)


def gradient() -> Table:
    x = np.random.default_rng(0).random(100)
    return _table("Differences: the gradient of an objective of 100 variables", lambda x: objective(x), x)


def jacobian() -> Table:
    x = np.random.default_rng(0).random(100)
    return _table("Differences: the Jacobian of a right-hand side R^100 to R^100", right_hand_side, x)


PARTS = {f"differences-{f.__name__}": f for f in (gradient, jacobian)}

if __name__ == "__main__":
    run_parts(PARTS)
