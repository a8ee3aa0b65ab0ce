"""Tests that go through samples: one test for each function, through all its samples.

A test of its own for each of thirty thousand samples would spend a third of its time on being a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from samples import S


def function_name(function: Any) -> str:
    return f"{getattr(function, '__module__', None)}.{getattr(function, '__name__', type(function).__name__)}"


def for_samples(samples: Iterable[S]) -> Callable[[Callable], Callable]:
    """Makes a test of one sample a test of each function, which fails with the errors of all its samples that fail."""
    by_function: dict[Callable, list[S]] = {}
    for sample in samples:
        by_function.setdefault(sample.function, []).append(sample)

    def of_functions(test: Callable) -> Callable:
        @pytest.mark.parametrize("function", by_function, ids=function_name)
        def of_function(function: Callable) -> None:
            through(test, by_function[function])

        of_function.__name__, of_function.__doc__ = test.__name__, test.__doc__
        return of_function

    return of_functions


def through(test: Callable[[S], None], samples: list[S]) -> None:
    errors = []
    for sample in samples:
        try:
            test(sample)
        except (Exception, pytest.fail.Exception) as error:
            error.add_note(f"The sample is {sample!r}.")
            errors.append(error)
    if errors:
        raise BaseExceptionGroup(f"{len(errors)} of {len(samples)} samples fail", errors)
