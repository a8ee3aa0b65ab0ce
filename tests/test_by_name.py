"""Every sample's call with its arguments by name, and with lists of traced elements in place of arrays."""

from __future__ import annotations

import contextlib
import functools
import inspect
import warnings
import zlib
from builtins import type
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from comparisons import assert_close, assert_same_bits
from samples import Differentiated, S, all_samples, filled
from sampling import for_samples

import npgrad as ng
from npgrad._compat import signature_of
from npgrad._registry import WRITES, ZERO
from npgrad._structure import flatten
from npgrad.testing import Linearised


def _names(sample: S) -> list[str] | None:
    """The names of the arguments that are given by position; None if they cannot be given by name."""
    try:
        parameters = list(signature_of(sample.function).parameters.values())[: len(sample.args)]
    except (TypeError, ValueError):
        return None
    by_name = all(p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for p in parameters)
    return [p.name for p in parameters] if by_name else None


SAMPLES = [sample for sample in all_samples() if sample.place is not None]
NAMED = [sample for sample in SAMPLES if not isinstance(sample.function, np.ufunc) and _names(sample)]


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _elements(x: Any, kind: type = list) -> Any:
    return kind([_elements(part, kind) for part in x]) if np.ndim(x) else x


# Ways to give an array as a sequence.
LISTS: dict[str, Callable] = {
    "elements": _elements,
    "tuples": lambda x: _elements(x, tuple),
    "rows": lambda x: list(x) if np.ndim(x) else x,
}


def _in_lists(value: Any, given: Any, form: Callable) -> Any:
    """A list for each array that is differentiated, also for those in a sequence."""
    if isinstance(value, Differentiated):
        return form(given)
    if isinstance(value, (list, tuple)):
        return type(value)([_in_lists(v, g, form) for v, g in zip(value, given, strict=True)])
    return given


def _otherwise(sample: S, by_name: bool, form: Callable | None) -> Callable:
    """The call in another way."""
    names = _names(sample) if by_name else None

    def call(*points: Any) -> Any:
        rest = list(points)
        values = []
        for value in (*sample.args, *sample.kwargs.values()):
            given = filled(value, rest)
            values.append(_in_lists(value, given, form) if form else given)
        args, kwargs = values[: len(sample.args)], dict(zip(sample.kwargs, values[len(sample.args) :], strict=True))
        if names is not None:
            args, kwargs = [], {**dict(zip(names, args, strict=True)), **kwargs}
        return getattr(*sample.place)(*args, **kwargs)

    return call


def _at(call: Callable, points: list, position: int) -> Callable:
    """As a function of one argument: nothing else is traced, so that it alone must be seen."""
    before, after = points[:position], points[position + 1 :]
    return lambda x: call(*before, x, *after)


def _shapes(value: Any) -> list:
    return [np.shape(part) for part in flatten(value)[0]]


def _reference(sample: S, points: list) -> Callable[[int], tuple[list, list]]:
    """Cotangents, and what flows back to an argument from them: the same for all ways to write the call."""
    points = [p.copy()[()] for p in points]

    @functools.cache
    def of(position: int) -> tuple[list, list]:
        linear = Linearised(_at(sample, points, position), [points[position]])
        cotangents = linear.random_cotangents(np.random.default_rng(zlib.crc32(repr(sample).encode())))
        return cotangents, linear.pull(cotangents)

    return of


def _compare(sample: S, call: Callable, points: list, reference: Callable, *refusals: type[Exception]) -> None:
    points = [p.copy()[()] for p in points]
    try:
        plainly, expected = sample(*points), call(*points)
    except Exception:
        return  # NumPy takes no such arguments
    if _shapes(plainly) != _shapes(expected):
        return  # the list as it was given, or one of blocks
    for position, point in enumerate(points):
        cotangents, expected_gradients = reference(position)
        with contextlib.suppress(*refusals):
            linear = Linearised(_at(call, points, position), [point])
            assert_same_bits(linear.value, expected)
            assert_close(linear.pull(cotangents), expected_gradients, 1e-10)


@for_samples(NAMED)
def test_arguments_by_name(sample: S) -> None:
    _compare(sample, _otherwise(sample, True, None), sample.points, _reference(sample, sample.points))


# Nested lists mean something else: NumPy splits them by their length, whatever the axis is, and histogramdd takes columns.
OTHERWISE = {np.split, np.array_split, np.dsplit, np.histogramdd, *WRITES}


@pytest.mark.once
@for_samples(s for s in SAMPLES if s.function not in OTHERWISE)
def test_lists_of_elements(sample: S) -> None:
    """Followed or refused. Compiled code reads complex numbers in a list without a question."""
    for points in (sample.points, [p * (1 + 0.2j) for p in sample.points]):
        reference = _reference(sample, points)
        for by_name in (False, True) if sample in NAMED else (False,):
            for form in (LISTS["elements"], LISTS["rows"]):
                _compare(sample, _otherwise(sample, by_name, form), points, reference, ng.LeakError, ng.NoRuleError)


def _with_holes(x: np.ndarray) -> np.ndarray:
    return np.where(np.arange(x.size).reshape(x.shape) % 3 == 0, np.nan, x)


def _outcome(call: Callable, points: list) -> tuple[Any, list[str]]:
    """The result or the error, and all warnings."""
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="warn"):
        warnings.simplefilter("always")
        try:
            result = call(*points)
        except Exception as error:
            result = error
    return result, [f"{w.category.__name__}: {w.message}" for w in caught]


def _lists_are_as_numpys(sample: S, points: list) -> None:
    points = [p.copy()[()] for p in points]
    for form in LISTS.values():
        call = _otherwise(sample, False, form)
        expected, warned = _outcome(call, points)
        for position, point in enumerate(points):
            with ng.GradientTape() as tape:
                found, heard = _outcome(_at(call, points, position), [tape.watch(point)])
            if isinstance(found, (ng.LeakError, ng.NoRuleError)):
                continue
            assert heard == warned
            if isinstance(expected, Exception):
                assert (type(found), str(found)) == (type(expected), str(expected))
            else:
                assert_same_bits(found, expected)


# NumPy's code takes another way for lists than for arrays in places (`np.nanmin` where all of a column is left out).
@for_samples(s for s in SAMPLES if not isinstance(s.function, np.ufunc))
def test_lists_have_the_values_warnings_and_errors_of_numpy(sample: S) -> None:
    _lists_are_as_numpys(sample, sample.points)


@pytest.mark.once
@for_samples(s for s in SAMPLES if not isinstance(s.function, np.ufunc))
def test_so_have_lists_of_complex_numbers_and_with_holes(sample: S) -> None:
    for points in ([p * (1 + 0.2j) for p in sample.points], [_with_holes(p) for p in sample.points]):
        _lists_are_as_numpys(sample, points)


# Results jump in these arguments, at integers or at the edges of bins.
_JUMPS = {(np.roll, "shift"), (np.histogram, "a"), (np.histogram_bin_edges, "a")}


@for_samples(sample for sample in NAMED if sample.function not in ZERO)
def test_no_number_goes_unseen_beside_plain_data(sample: S) -> None:
    """NumPy's dispatch does not look at every argument. Each one, traced while all others are plain, is followed or refused,
    or the result does not change with it."""
    args, kwargs = _plain(sample.args), {name: _plain(value) for name, value in sample.kwargs.items()}
    given = {**dict(zip(_names(sample) or (), args, strict=False)), **kwargs}
    for name, value in given.items():
        number = isinstance(value, (float, np.inexact)) or (isinstance(value, np.ndarray) and value.dtype.kind in "fc")
        if not number or (sample.function, name) in _JUMPS:
            continue
        value = np.asarray(value)

        def call(x: Any, name: str = name) -> Any:
            return getattr(*sample.place)(**{**given, name: x})

        try:
            expected, moved = call(value[()]), call((value + 1e-4 * (1 + np.abs(value)))[()])
        except Exception:
            continue
        try:
            with ng.GradientTape() as tape:
                found = flatten(call(tape.watch(value[None])[0]))[0]
        except (ng.NoRuleError, ng.LeakError):
            continue
        if not any(isinstance(f, ng.TracedArray) and f._storage.tracked for f in found):
            for a, b in zip(flatten(expected)[0], flatten(moved)[0], strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-7, err_msg=f"by {name}")


def _plain(value: Any) -> Any:
    if isinstance(value, Differentiated):
        return value.value.copy()[()]
    return type(value)([_plain(v) for v in value]) if type(value) in (list, tuple) else value
