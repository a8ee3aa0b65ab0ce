"""Derivatives by npgrad beside finite differences: how right each is, what it costs, and what the function is like."""

from __future__ import annotations

import dataclasses
import json
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from ._behaviour import probed
from ._compare_output import html, plot, text
from ._judge import infinite_entries, most_accurate, relative, unusable, verdict_of, without_rows
from ._measured_methods import METHODS, NPGRAD, Problem
from ._measurement import Found, costs_of, plain_seconds, tried
from ._probes import StepSweep, Taylor
from ._progress import Progress
from ._segments import unrecorded
from ._tracebacks import public


@dataclasses.dataclass
class MethodResult:
    """One way to the derivative. Errors are relative to what is large in the entry's row and column.

    ``against`` names what the errors are measured by. A method that cannot do it has the reason in ``refused``, and None
    for the numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import npgrad as ng
    >>> ours = ng.compare(np.sin, np.array([0.5])).methods[0]
    >>> ours.refused is None and ours.largest_error < 1e-6
    True
    """

    method: str
    largest_error: float | None = None
    median_error: float | None = None
    own_estimate: float | None = None
    evaluations: int | None = None
    seconds: float | None = None
    over_plain: float | None = None
    against: str = ""
    refused: str | None = None


@dataclasses.dataclass
class Comparison:
    """What `npgrad.compare` found. ``print(report)`` shows the table.

    ``costs`` has for each method the seconds by the first 1, 4, 16 ... elements of the argument, and by all. Rows of
    `MethodResult` in ``methods``, ``sweep`` and ``taylor`` are what the table and the plot are made of; ``agrees`` and
    ``verdict`` are npgrad's.

    Examples
    --------
    >>> import numpy as np
    >>> import npgrad as ng
    >>> report = ng.compare(np.sin, np.array([0.5, 1.0]))
    >>> report.values, report.elements, report.agrees
    (2, 2, True)
    """

    name: str
    values: int
    elements: int
    plain_seconds: float
    methods: list[MethodResult]
    sweep: StepSweep | None
    taylor: Taylor | None
    costs: dict[str, list[tuple[int, float]]]
    notes: list[str]
    agrees: bool
    verdict: str

    def __str__(self) -> str:
        return text(self)

    def _repr_html_(self) -> str:
        return html(self)

    def to_dict(self) -> dict[str, Any]:
        """Numbers, texts, lists and dictionaries only.

        Examples
        --------
        >>> import numpy as np
        >>> import npgrad as ng
        >>> found = ng.compare(np.sin, np.array([0.5])).to_dict()
        >>> found["agrees"], found["methods"][0]["method"]
        (True, 'npgrad reverse')
        """
        found = dataclasses.asdict(self)
        for key in ("sweep", "taylor"):
            part = getattr(self, key)
            found[key] = None if part is None else part._asdict()
        found["costs"] = {name: [list(point) for point in points] for name, points in self.costs.items()}
        return found

    def to_json(self, **options: Any) -> str:
        """JSON; numbers that are not finite as Python's ``json`` writes them. Options are those of `json.dumps`.

        Examples
        --------
        >>> import json
        >>> import numpy as np
        >>> import npgrad as ng
        >>> json.loads(ng.compare(np.sin, np.array([0.5])).to_json())["elements"]
        1
        """
        return json.dumps(self.to_dict(), **options)

    @public
    def plot(self, path: Any = None) -> Any:
        """Error against step, and cost against the number of elements: a matplotlib figure, saved if a path is given.

        Examples
        --------
        >>> import io
        >>> import numpy as np
        >>> import npgrad as ng
        >>> figure = ng.compare(np.sin, np.array([0.5])).plot(io.BytesIO())
        >>> len(figure.axes)
        2
        """
        return plot(self, path)


def _row(name: str, found: Found, against: str, reference: ndarray | None, plain: float) -> MethodResult:
    wrong = np.zeros((0,))
    if reference is not None:
        with np.errstate(invalid="ignore"):
            wrong = relative(np.where(found.matrix == reference, 0, found.matrix - reference), reference)
    claim = None if found.error is None else float(np.max(relative(found.error, found.matrix), initial=0))
    return MethodResult(
        name,
        float(np.max(wrong)) if wrong.size else None,
        float(np.median(wrong)) if wrong.size else None,
        claim,
        found.evaluations,
        found.seconds,
        found.seconds / plain,
        against,
    )


@public
def compare(
    f: Callable,
    *args: Any,
    argnums: int = 0,
    methods: Iterable[str] | None = None,
    reference: Any = None,
    step: Any = None,
    bounds: tuple | None = None,
    leaks: str = "raise",
    progress: bool | None = None,
) -> Comparison:
    """Measure derivatives of a function by npgrad and by finite differences.

    Parameters
    ----------
    f : callable
        Plain NumPy code that returns an array, a number, or a structure of these. It is called often.
    *args
        Its arguments.
    argnums : int
        Which argument to differentiate by: a real floating array or number.
    methods : iterable of str, optional
        Among "npgrad reverse", "npgrad forward", "npgrad sparse", "2-point", "3-point", "richardson", "complex-step",
        "scipy 2-point", "scipy 3-point", "scipy cs", "numdifftools", "jacobi"; the default is all whose package is
        installed, and npgrad's sparse sweeps where the Jacobian is sparse.
    reference : array or structure, optional
        The derivative as it is known otherwise, which all errors are then measured by. Without it npgrad is measured by
        the differences that claim the least error, and differences by npgrad.
    step, bounds
        Richardson's first step, a sixteenth of the length over which the function visibly changes, and bounds of the
        argument: see `npgrad.finite_difference.jacobian`. Where bounds are given, what is learnt along lines through the
        point (step sweep, Taylor test, jumps, kinks, noise) is left out.
    leaks : {"raise", "warn", "ignore"}
        See `GradientTape`.
    progress : bool, optional
        Show it on standard error; the default is to do so on a terminal.

    Returns
    -------
    Comparison
        Print it, or use its fields, `Comparison.to_dict`, `Comparison.to_json`, `Comparison.plot`.

    Raises
    ------
    TypeError
        For an argument that is not one real floating array or number, or a value that is not of numbers.
    ValueError
        For an argument that is not finite or has no elements, a Jacobian that is too large to be kept for each method, or
        an unknown method. What the function itself raises at the point is passed on.

    Examples
    --------
    >>> import numpy as np, npgrad as ng
    >>> report = ng.compare(lambda x: np.exp(x) * x[::-1], np.array([0.3, 0.7]), methods=["npgrad reverse", "complex-step"])
    >>> report.agrees, report.methods[0].largest_error < 1e-14, round(report.taylor.order)
    (True, True, 2)
    """
    chosen = list(METHODS) if methods is None else list(methods)
    unknown = [name for name in chosen if name not in METHODS]
    if unknown:
        raise ValueError(f"methods must be among {', '.join(METHODS)}, got {', '.join(map(repr, unknown))}")
    shown = Progress(sys.stderr.isatty() if progress is None else progress)

    def measured() -> Comparison:
        shown.start("plain evaluation")
        problem = Problem(f, args, argnums, step, bounds, leaks, shown)
        plain = plain_seconds(problem)
        found, refused = tried(problem, chosen, methods is None)
        return _report(problem, plain, chosen, found, refused, reference)

    try:
        return unrecorded(measured)  # nothing of it is handed on to a tape that records here
    finally:
        shown.clear()


def _report(problem: Problem, plain: float, chosen: list, found: dict, refused: dict, reference: Any) -> Comparison:
    known = None if reference is None else problem.known(reference)
    notes, whole = unusable(problem, found), found
    if notes:
        found, known = without_rows(problem, found, known)
    judge, borne_out = most_accurate(found)
    ours = next((name for name in NPGRAD if name in found), None)
    notes += infinite_entries(found, ours, judge, known)
    by_judge = known if known is not None else None if judge is None else found[judge].matrix
    by_npgrad = known if known is not None else by_judge if ours is None else found[ours].matrix
    rows = []
    for name in chosen:
        if name in refused:
            rows.append(MethodResult(name, refused=refused[name]))
        elif name in found:
            matrix, other = (by_judge, judge) if name in NPGRAD else (by_npgrad, ours or judge)
            against = "reference" if known is not None else other or ""
            rows.append(_row(name, found[name], against, matrix, plain))
    agrees, verdict = verdict_of(found, refused, judge, borne_out, known, problem.flat.value_eps)
    problem.progress.start("lines through the point")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seen, sweep, remainder = probed(problem, found, ours, judge)
    return Comparison(
        problem.name, problem.value.size, problem.x.size, plain, rows, sweep, remainder, costs_of(problem, whole),
        notes + seen, agrees, verdict,
    )  # fmt: skip


__all__ = ["Comparison", "MethodResult", "compare"]
