"""How everything here is timed: processor time, the best of several rounds, all functions in turn."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import numpy as np

# Rounds of one function fill about this time, in seconds, within these numbers. Short calls are repeated within a round: the
# first ones, after all other functions, meet cold caches, which a loop of a user's does not.
BUDGET, LEAST, MOST = 0.15, 2, 40
_SHORTEST = 1e-2
# What takes longer than this is not called once more to see what it takes when nothing is new.
_AGAIN = 1.0


def seconds(function: Callable, number: int = 1) -> float:
    """Processor time of one call: other work on the machine lengthens a run, but does not use this process's time."""
    gc.collect(0)
    start = time.process_time()
    for _ in range(number):
        function()
    return (time.process_time() - start) / number


def best(functions: list[Callable], budget: float = BUDGET) -> list[float]:
    """The shortest time of each function. They take turns, so that a busy moment of the machine hits all alike; the rounds
    of a slow function are spread over those of the others."""
    once = [_warm(function) for function in functions]
    numbers = [int(np.ceil(_SHORTEST / max(t, 1e-7))) for t in once]
    rounds = [int(np.clip(budget / (n * max(t, 1e-7)), LEAST, MOST)) for n, t in zip(numbers, once, strict=True)]
    times = list(once)
    for turn in range(max(rounds)):
        for i, (function, number, wanted) in enumerate(zip(functions, numbers, rounds, strict=True)):
            if (turn + 1) * wanted // max(rounds) > turn * wanted // max(rounds):
                times[i] = min(times[i], seconds(function, number))
    return times


def _warm(function: Callable) -> float:
    """One call, and not the first if there is time for two: the first may load, compile or learn what all others find."""
    first = seconds(function)
    return min(first, seconds(function)) if first < _AGAIN else first


def best_in_a_row(functions: list[Callable], number: int) -> list[float]:
    """The same for a call among several in a row, as a solver makes them: what one leaves in the caches and frees, the next
    one uses again."""

    def repeated(function: Callable) -> Callable:
        def run() -> None:
            for _ in range(number):
                function()

        return run

    return [time / number for time in best([repeated(function) for function in functions])]


def geometric_mean(values: list[float]) -> float:
    return float(np.exp(np.mean(np.log(values)))) if values else float("nan")
