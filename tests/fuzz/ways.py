"""Other ways to the same derivatives, each compared with the first: (what, found, wanted) of a check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import npgrad as ng

Comparison = tuple[str, list, list]


def linearized(check: Any) -> Iterator[Comparison]:
    at = ng.linearize(lambda *xs: _floating(check, xs), *check.points)
    yield "jvp", at.jvp(tuple(check.directions)), check.pushed
    yield "vjp", list(at.vjp(list(check.cotangents))), check.pulled


def variables(check: Any) -> Iterator[Comparison]:
    """A Variable instead of a watched array."""
    sources = [ng.Variable(p) for p in check.points]
    with ng.GradientTape() as tape:
        # Programs write into their arguments, which for a Variable is to assign to it.
        values = _floating(check, [s.copy(order="K") if isinstance(p, np.ndarray) else +s for s, p in zip(sources, check.points, strict=True)])
    yield "gradient", tape.gradient(values, sources, check.cotangents, "zero"), check.pulled


def accumulator(check: Any) -> Iterator[Comparison]:
    if any(isinstance(p, np.generic) for p in check.points):
        return  # ng.array makes an array of a NumPy scalar, which promotes in another way
    sources = [ng.array(p) for p in check.points]
    with ng.ForwardAccumulator(sources, check.directions) as forward:
        values = _floating(check, sources)
    yield "jvp", forward.jvp(values, unconnected_gradients="zero"), check.pushed


def jacobians(check: Any) -> Iterator[Comparison]:
    """A whole Jacobian by either mode, all at once or row by row."""
    if any(np.iscomplexobj(v) for v in [*check.points, *check.pushed]):
        return
    number = check.seed // 7 % len(check.numbers)
    leaf = check.linear.leaves[number]
    if not isinstance(leaf, ng.TracedArray):
        return
    for mode in ("reverse", "forward"):
        for most in ({}, {"max_bytes": 64}):
            rows = check.linear.tape.jacobian(leaf, check.linear.sources, "zero", mode=mode, **most)
            parts = [np.tensordot(r, np.asarray(d), np.ndim(d)) for r, d in zip(rows, check.directions, strict=True)]
            yield f"{mode} {most}", [sum(parts)], [check.pushed[number]]


def under_a_tape(check: Any) -> Iterator[Comparison]:
    """A tape that records the sweep of another changes nothing."""
    with ng.GradientTape() as outer:
        sources = [outer.watch(p) for p in check.points]
        with ng.GradientTape() as inner:
            again = [inner.watch(s.copy(order="K") if isinstance(s._bare, np.ndarray) else s) for s in sources]
            values = _floating(check, again)
        found = inner.gradient(values, again, check.cotangents, "zero")
    yield "gradient", [np.asarray(ng.stop_gradient(g)) for g in found], check.pulled


def _floating(check: Any, xs: Any) -> list:
    values = check.run(*xs)
    return [values[n] for n in check.numbers]


WAYS = (linearized, variables, accumulator, jacobians, under_a_tape)
