"""What the generic tests have in common: tests/test_rules.py and tests/test_higher_orders.py, through all of tests/samples.

A sample leaves a test out by its name without ``test_`` (``leave_out=("second_order",), why="..."``).
"""

from __future__ import annotations

import functools
import warnings
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from samples import S, all_samples
from sampling import for_samples

import npgrad as ng
from npgrad._bound_names import NamesInPlace

SAMPLES = all_samples()
MODES = ("reverse", "forward")
# All that a sample may leave out.
TESTS = {
    "value", "float32", *MODES, "adjoint", "alone", "batch", "second_order", "third_order", "second_order_of_batch",
    "layout", "shared", "out", "overwritten",
}  # fmt: skip


def for_each_sample(test: Callable, applies: Callable = lambda sample: True) -> Callable:
    name = test.__name__.removeprefix("test_")
    assert name in TESTS
    return for_samples(sample for sample in SAMPLES if name not in sample.leave_out and applies(sample))(test)


def for_samples_where(applies: Callable) -> Callable:
    return functools.partial(for_each_sample, applies=applies)


def while_names_stay(test: Callable) -> Callable:
    """For what compares nothing with plain NumPy: names that are in place all the while are not put for each tape anew,
    which takes as long as a small tape itself."""

    @functools.wraps(test)
    def staying(sample: S) -> None:
        with NamesInPlace():
            test(sample)

    return staying


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What NumPy says of an awkward point (a division by zero) it says with and without npgrad. Equal eigenvalues are an
    awkward point too."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ng.DegenerateWarning)
        yield


def rng_of(sample: S) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(sample).encode()))
