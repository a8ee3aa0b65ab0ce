"""Second and third derivatives of every sample of tests/samples, also of batched sweeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from comparisons import assert_close, assert_like_differences, assert_second_derivatives_like_differences
from generic import MODES, for_samples_where, quiet, rng_of, while_names_stay
from samples import S

from npgrad._traced import unwrap
from npgrad.testing import Linearised, derivative_along, random_like

pytestmark = pytest.mark.once
_quiet = quiet


@for_samples_where(lambda sample: sample.order > 1)
@while_names_stay
def test_second_order(sample: S) -> None:
    """Derivatives of both sweeps' results, by both sweeps."""
    assert_second_derivatives_like_differences(sample, sample.points, rng_of(sample))


@for_samples_where(lambda sample: sample.order > 2)
@while_names_stay
def test_third_order(sample: S) -> None:
    """Derivatives of what a sweep gives of a sweep's results, by both sweeps."""
    rng = rng_of(sample)
    for mode in MODES:
        derived = derivative_along(derivative_along(sample, mode, 2), mode, 3)
        linear = Linearised(derived, sample.points)
        assert_like_differences(derived, sample.points, linear, MODES, rng)


@for_samples_where(lambda sample: sample.order > 1)
@while_names_stay
def test_second_order_of_batch(sample: S) -> None:
    """A batched sweep that an outer tape records, itself swept with a batch, gives what single sweeps give."""
    points = sample.points
    rng = rng_of(sample)
    shapes = [np.shape(leaf) for leaf in Linearised(sample, points).leaves]
    seeds = [random_like(rng, np.zeros(shape), (3,)) for shape in shapes]

    def batched(*xs: Any) -> list:
        return Linearised(sample, list(xs)).pull(seeds, (3,))

    def one_by_one(*xs: Any) -> list:
        linear = Linearised(sample, list(xs))
        return [part for n in range(3) for part in linear.pull([s[n] for s in seeds])]

    together, alone = Linearised(batched, points), Linearised(one_by_one, points)
    weights = together.random_cotangents(rng, (2,))
    found = together.pull(weights, (2,))
    expected = [alone.pull([w[k, n] for n in range(3) for w in weights]) for k in range(2)]
    size = max([float(np.max(np.abs(first), initial=1e-6)) for first in map(unwrap, together.leaves)])
    assert_close(found, [np.stack(rows) for rows in zip(*expected, strict=True)], 1e-9, size if np.isfinite(size) else 1e-6)
