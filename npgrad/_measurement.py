"""Measuring the ways to a derivative: seconds, evaluations, and what each finds."""

from __future__ import annotations

import contextlib
import dataclasses
import time
import warnings
from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from ._measured_methods import METHODS, NPGRAD, Method, Problem

# Runs shorter than this are repeated, and the best counts; the first, in which a process loads and learns what the others
# find, is followed by another one even if it takes some time.
_SHORT, _SHORT_FIRST, _REPETITIONS = 0.1, 1.0, 5


@dataclasses.dataclass
class Found:
    matrix: ndarray
    error: ndarray | None
    evaluations: int
    seconds: float


def run(method: Method, problem: Problem, estimate: bool = True) -> Found:
    matrix, error, seconds = np.zeros(0), None, np.inf
    for repetition in range(_REPETITIONS):
        problem.calls = 0
        start = time.perf_counter()
        matrix, error = method.run(problem)
        elapsed = time.perf_counter() - start
        seconds = min(seconds, elapsed)
        if elapsed > (_SHORT if repetition else _SHORT_FIRST):
            break
    evaluations = problem.calls
    if estimate and method.estimate is not None:
        error = method.estimate(problem)
    return Found(matrix, error, evaluations, seconds)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def plain_seconds(problem: Problem) -> float:
    best = np.inf
    for repetition in range(_REPETITIONS):
        args = problem.copies()
        start = time.perf_counter()
        problem.f(*args)
        best = min(best, time.perf_counter() - start)
        if best > (_SHORT if repetition else _SHORT_FIRST):
            break
    return best


def tried(problem: Problem, chosen: list[str], only_fitting: bool) -> tuple[dict[str, Found], dict[str, str]]:
    found: dict[str, Found] = {}
    refused: dict[str, str] = {}
    for number, name in enumerate(chosen, start=1):
        method = METHODS[name]
        if only_fitting and not (method.is_there() and method.fits(problem)):
            continue
        problem.progress.start(f"{name} ({number} of {len(chosen)})")
        try:
            with _warnings_for(name):
                found[name] = run(method, problem)
        except Exception as error:
            refused[name] = _reason(error)
    return found, refused


@contextlib.contextmanager
def _warnings_for(name: str) -> Iterator[None]:
    """What other packages, and the program at points away from the given one, warn of is seen in the numbers."""
    with warnings.catch_warnings():
        if name not in NPGRAD:
            warnings.simplefilter("ignore")
        # What drops imaginary parts cannot give a derivative by complex steps.
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        yield


_FACTOR = 4


def costs_of(problem: Problem, found: dict[str, Found]) -> dict[str, list[tuple[int, float]]]:
    """Seconds by the first 1, 4, 16 ... elements; together they cost less than half of what all elements do."""
    costs: dict[str, list[tuple[int, float]]] = {name: [] for name in found}
    count = 1
    while count < problem.x.size and np.ndim(problem.args[problem.number]):
        part = problem.first(count)
        for name in found:
            problem.progress.start(f"{name}, {count} of {problem.x.size} elements")
            with _warnings_for(name), contextlib.suppress(Exception):  # a part may be what a method cannot do
                costs[name].append((count, run(METHODS[name], part, estimate=False).seconds))
        count *= _FACTOR
    for name, one in found.items():
        costs[name].append((problem.x.size, one.seconds))
    return costs
