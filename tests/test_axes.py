"""Every form in which NumPy takes an axis, several, none, and ``keepdims``: lists, arrays, ranges, integers of its own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from comparisons import assert_like_differences, assert_same_bits
from samples import S, all_samples
from sampling import for_samples

import npgrad as ng
from npgrad.testing import Linearised, inexact_leaves

pytestmark = pytest.mark.once

NO_AXES = [(), [], np.zeros(0), np.zeros(0, int), range(0)]


def _forms(value: Any) -> Iterator[Any]:
    """The same axes in other forms."""
    if type(value) is int:
        yield from (np.int8(value), np.array(value), [value], (value,), np.array([value]), (np.int64(value),))
        yield from (range(value, value + 1), {value: None})
    elif type(value) is tuple and all(type(n) is int for n in value):
        yield from (list(value), np.array(value, int), tuple(map(np.int16, value)), [np.array(n) for n in value])
        yield from NO_AXES


def _with(sample: S, name: str, form: Any) -> S:
    call = sample.call if sample.place is None else None
    return S(sample.function, *sample.args, f=call, **{**sample.kwargs, name: form})


def _variants(sample: S) -> Iterator[S]:
    for name in sample.kwargs.keys() & {"axis", "axes"}:
        for form in _forms(sample.kwargs[name]):
            yield _with(sample, name, form)
    if sample.kwargs.get("keepdims") is True:
        for form in (1, np.True_, 2, np.array(1)):
            yield _with(sample, "keepdims", form)


def _differentiable(sample: S) -> bool:
    return not {"reverse", "forward", "value"} & set(sample.leave_out)


@for_samples(variant for sample in all_samples() if _differentiable(sample) for variant in _variants(sample))
def test_forms_of_axes(sample: S) -> None:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = sample(*[p.copy() for p in sample.points])
        except Exception as numpys:
            with pytest.raises(Exception) as ours, ng.GradientTape() as tape:
                sample(*[tape.watch(p.copy()) for p in sample.points])
            assert type(ours.value) is type(numpys), ours.value
            return
        linear = Linearised(sample, sample.points)
        assert_same_bits(linear.value, expected)
        leaves = inexact_leaves(expected)
        if leaves and all(np.isfinite(leaf).all() for leaf in leaves):  # of nothing and of NaN there are no differences
            assert_like_differences(sample, sample.points, linear, ("reverse", "forward"), np.random.default_rng(0))


@pytest.mark.parametrize("axis", [(1,), (-1,)])
def test_methods_of_ufuncs_take_one_axis_in_a_tuple(axis: tuple) -> None:
    x = np.arange(6.0).reshape(2, 3)
    for call in (lambda a: np.add.accumulate(a, axis=axis), lambda a: np.logaddexp.reduceat(a, [0, 2], axis)):
        assert_same_bits(ng.vjp(call, x)[0], call(x))


def test_an_iterator_of_axes_is_refused() -> None:
    """NumPy has used it up before a rule asks."""
    with pytest.raises(TypeError):
        ng.grad(lambda x: np.roll(x, 1, axis=iter([0])).sum())(np.ones((2, 2)))
