"""Derivatives by npgrad beside finite differences: how right each is, what it costs, and what the function is like."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from ._agreement import Agreement, agreement, scale_of
from ._compare_output import html, plot, text
from ._measured_methods import DIFFERENCES, METHODS, NPGRAD, Method, Problem, Progress
from ._probes import Line, StepSweep, Taylor, kink, lines, noise_level, step_sweep, taylor
from ._tracebacks import public

# Runs shorter than this are repeated, and the best counts.
_SHORT, _REPETITIONS = 0.1, 5
_LINES = 3
_SEED = 0


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


@dataclasses.dataclass
class _Found:
    matrix: ndarray
    error: ndarray | None
    evaluations: int
    seconds: float


def _run(method: Method, problem: Problem) -> _Found:
    matrix, error, seconds = np.zeros(0), None, np.inf
    for _ in range(_REPETITIONS):
        problem.calls = 0
        start = time.perf_counter()
        matrix, error = method.run(problem)
        elapsed = time.perf_counter() - start
        seconds = min(seconds, elapsed)
        if elapsed > _SHORT:
            break
    evaluations = problem.calls
    if method.estimate is not None:
        error = method.estimate(problem)
    return _Found(matrix, error, evaluations, seconds)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _plain_seconds(problem: Problem) -> float:
    best = np.inf
    for _ in range(_REPETITIONS):
        args = problem.copies()
        start = time.perf_counter()
        problem.f(*args)
        best = min(best, time.perf_counter() - start)
        if best > _SHORT:
            break
    return best


def _relative(matrix: ndarray, reference: ndarray) -> ndarray:
    scale = scale_of(reference, 1)
    largest = float(np.max(scale, initial=0)) or 1.0
    with np.errstate(all="ignore"):
        return np.abs(matrix) / np.where(scale > 0, scale, largest)


# Differences whose own error is larger say little about others.
_TRUSTED = 3e-2

# How far a claim can be trusted that nothing bears out: those who have tried many steps first; last complex steps, which
# claim the same whatever happens.
_FAITH = {"richardson": 0, "numdifftools": 0, "jacobi": 0, "complex-step": 2}


def _most_accurate(found: dict[str, _Found]) -> str | None:
    """The differences that claim the least error, and that others bear out: a claim alone is easily wrong.

    Complex steps are wrong where the program takes an absolute value, extrapolation where a kink is near, and a function
    in single precision does not change over a small step.
    """
    errors = {
        name: f.error
        for name, f in found.items()
        if name in DIFFERENCES and f.error is not None and np.isfinite(f.matrix).all()
    }
    claims = {name: float(np.max(_relative(error, found[name].matrix), initial=0)) for name, error in errors.items()}
    trusted = sorted((name for name in claims if claims[name] < _TRUSTED), key=claims.__getitem__)

    def borne_out(one: str, other: str) -> bool:
        return agreement(found[one].matrix, found[other].matrix, errors[one] + errors[other], 1).agrees

    confirmed = [one for one in trusted if any(borne_out(one, other) for other in trusted if other != one)]
    alone = sorted(trusted, key=lambda name: (_FAITH.get(name, 1), claims[name]))
    return next(iter([*confirmed, *alone, *sorted(claims, key=claims.__getitem__)]), None)


def _row(name: str, found: _Found, against: str, reference: ndarray | None, plain: float) -> MethodResult:
    wrong = np.zeros((0,)) if reference is None else _relative(found.matrix - reference, reference)
    claim = None if found.error is None else float(np.max(_relative(found.error, found.matrix), initial=0))
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
        Among "npgrad reverse", "npgrad forward", "2-point", "3-point", "richardson", "complex-step", "scipy 2-point",
        "scipy 3-point", "scipy cs", "numdifftools", "jacobi"; the default is all whose package is installed.
    reference : array or structure, optional
        The derivative as it is known otherwise, which all errors are then measured by. Without it npgrad is measured by
        the differences that claim the least error, and differences by npgrad.
    step, bounds
        Richardson's first step, and bounds of the argument: see `npgrad.finite_difference.jacobian`. Where bounds are
        given, what is learnt along lines through the point (step sweep, Taylor test, kinks, noise) is left out.
    leaks : {"raise", "warn", "ignore"}
        See `GradientTape`.
    progress : bool, optional
        Show it on standard error; the default is to do so on a terminal.

    Returns
    -------
    Comparison
        Print it, or use its fields, `Comparison.to_dict`, `Comparison.to_json`, `Comparison.plot`.

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
    shown.start("plain evaluation")
    problem = Problem(f, args, argnums, step, bounds, leaks, shown)
    plain = _plain_seconds(problem)
    found: dict[str, _Found] = {}
    refused: dict[str, str] = {}
    for name in chosen:
        if methods is None and not METHODS[name].is_there():
            continue
        shown.start(name)
        try:
            with warnings.catch_warnings():
                # What drops imaginary parts cannot give a derivative by complex steps.
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                found[name] = _run(METHODS[name], problem)
        except Exception as error:
            refused[name] = _reason(error)
    shown.start("lines through the point")
    report = _report(problem, plain, chosen, found, refused, reference)
    shown.clear()
    return report


def _report(problem: Problem, plain: float, chosen: list, found: dict, refused: dict, reference: Any) -> Comparison:
    judge = _most_accurate(found)
    ours = next((name for name in NPGRAD if name in found), None)
    known = None if reference is None else problem.matrix(reference)
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
    agrees, verdict = _verdict(found, refused, judge, known)
    notes, sweep, remainder = _probed(problem, found, ours, judge)
    return Comparison(
        getattr(problem.f, "__name__", type(problem.f).__name__),
        problem.value.size, problem.x.size, plain, rows, sweep, remainder, notes, agrees, verdict,
    )  # fmt: skip


def _verdict(
    found: dict[str, _Found], refused: dict[str, str], judge: str | None, known: ndarray | None
) -> tuple[bool, str]:
    sweeps = [name for name in NPGRAD if name in found]
    if not sweeps:
        reasons = [refused[name] for name in NPGRAD if name in refused]
        return False, f"npgrad gives no derivative: {reasons[0]}" if reasons else "npgrad was not asked"
    if known is None and judge is None:
        return False, "nothing to compare with: no differences were asked for, or none could be taken"
    matrix, error, name = (known, 0.0, "the reference") if judge is None or known is not None else (
        found[judge].matrix, found[judge].error, judge
    )  # fmt: skip
    worst = max(
        (agreement(found[sweep].matrix, matrix, error, 1) for sweep in sweeps),
        key=lambda one: (not one.agrees, one.difference),
    )
    return worst.agrees, _told(worst, name)


def _told(worst: Agreement, name: str) -> str:
    where = f" at value {worst.place[0]}, element {worst.place[1]}" if worst.place else ""
    verb = "agrees" if worst.agrees else "DISAGREES"
    return f"npgrad {verb} with {name}: largest difference {worst.difference:.1e}{where} of {worst.allowed:.1e} allowed"


# --- What the function is like ------------------------------------------------------------------------------------------


_UNSTEADY = "the function gives other values for the same arguments: it keeps state, or draws random numbers"


def _probed(
    problem: Problem, found: dict[str, _Found], ours: str | None, judge: str | None
) -> tuple[list[str], StepSweep | None, Taylor | None]:
    again = problem.flat(problem.x)
    if not np.array_equal(again, problem.value, equal_nan=True):
        return [_UNSTEADY], None, None
    best = ours or judge
    if problem.bounds is not None or best is None or problem.value.dtype.kind not in "fc" or not problem.value.size:
        return [], None, None
    through = lines(problem.flat, problem.x, problem.value, found[best].matrix, _LINES, _SEED)
    noise, relative = max(noise_level(line) for line in through)
    notes = []
    if noise:
        notes.append(
            f"noise: the values scatter by {relative:.0e} of their size, beyond rounding; small steps only measure it "
            f"(best step of 3-point about {(3 * relative) ** (1 / 3):.0e}, of 2-point about {relative ** (1 / 2):.0e})"
        )
    else:
        notes += _contradictions(found, judge) + _kinks(through)
    remainder = taylor(through[0], noise)
    if not remainder.passes:
        notes.append(f"the Taylor remainder falls with order {remainder.order:.2f}; a smooth function's right one with 2")
    return notes, step_sweep(through[0], "complex-step" in found), remainder


def _contradictions(found: dict[str, _Found], judge: str | None) -> list[str]:
    """Complex steps that no other differences bear out."""
    steps = found.get("complex-step")
    if steps is None or judge in (None, "complex-step"):
        return []
    best = found[judge]
    if agreement(steps.matrix, best.matrix, best.error, 1).agrees:
        return []
    return [f"complex-step contradicts {judge}: the program loses an imaginary part (abs, real) or compares complex numbers"]


def _kinks(through: list[Line]) -> list[str]:
    seen = [one for one in (kink(line, 0.0) for line in through) if one is not None]
    if not seen:
        return []
    nearest = min(seen, key=lambda one: one.distance)
    where = "at the point" if nearest.distance == 0 else f"within about {nearest.distance:.0e} (relative) of the point"
    change = f"one-sided derivatives of value {nearest.value_index} differ by {100 * min(nearest.relative_size, 1):.0f} %"
    return [f"kink {where}: {change}; differences across it are no derivative"]


__all__ = ["Comparison", "MethodResult", "compare"]
