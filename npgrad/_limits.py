"""What a rule may ask for where eigenvalues or singular values are equal: how the numbers of a sweep change as these part.
And what forward sweeps do with columns that complete a basis, to see whether a result depends on their choice.

Who answers is in ``_derivatives``, and what is followed in ``_parting``.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

# What is different by more than this is so by more than rounding.
ROUGHLY = 1e-6


class Parts(NamedTuple):
    """The position of values of which some are equal, by what they are moved apart, and positions and tangents of their
    vectors, which turn those of equal values."""

    position: int
    direction: Any
    turned: list[tuple[int, Any]]


# While a sweep goes over a record with equal values: ``follows(values)``, and the derivatives of a number of the sweep as
# these part, ``along(x)``, and as their vectors turn, ``turned(x)``. See ``_parting``.
limits: ContextVar[Any] = ContextVar("npgrad_limits", default=None)
# Whether it is followed what becomes of the equal values of a call.
may_follow: ContextVar[bool] = ContextVar("npgrad_may_follow", default=True)


def follows(values: Any) -> bool:
    """Whether it is followed what becomes of equal values."""
    here = limits.get()
    return here is not None and here.follows(values)


def limit(x: Any, y: Any, by: Any, values: Any) -> Any:
    """x / y where both are 0 and y changes by ``by`` as equal values part; None if x does not depend on these."""
    return limits.get().limit(x, y, by, values)


def turned(x: Any) -> Any:
    """The derivative of ``x`` as vectors of equal values turn; None if it does not depend on them."""
    return limits.get().turned(x)


@contextlib.contextmanager
def following(answer: bool) -> Iterator[None]:
    """Calls in a rule, whose equal values are followed or not."""
    token = may_follow.set(answer)
    try:
        yield
    finally:
        may_follow.reset(token)


class Turning:
    """Whether a forward sweep has met columns that complete a basis, and how it turns them among themselves: with -1 as
    bases turn, with 1 in all other ways, with 0 not at all."""

    def __init__(self, half: int) -> None:
        self.half = half
        self.met: set[str] = set()

    @functools.cached_property
    def rng(self) -> np.random.Generator:  # to make one takes as long as a small sweep
        return np.random.default_rng(0)


turning: ContextVar[Turning | None] = ContextVar("npgrad_turning", default=None)


def turned_freely(columns: Any, what: str) -> Any:
    """The tangent that columns which complete a basis have of their own: none, unless a sweep asks what becomes of one."""
    here, k = turning.get(), columns.shape[-1]
    if here is None or k < (1 if np.iscomplexobj(columns) else 2):  # one real column has a sign, and cannot turn
        return 0
    here.met.add(what)
    if not here.half:
        return 0
    parts = here.rng.standard_normal((2, k, k))
    by = parts[0] + 1j * parts[1] if np.iscomplexobj(columns) else parts[0]
    return columns @ (by + here.half * np.conjugate(by.T)).astype(columns.dtype)


@contextlib.contextmanager
def turning_by(half: int) -> Iterator[Turning]:
    """A forward sweep that meets such columns."""
    token = turning.set(made := Turning(half))
    try:
        yield made
    finally:
        turning.reset(token)
