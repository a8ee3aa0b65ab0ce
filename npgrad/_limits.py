"""What a rule may ask for where eigenvalues or singular values are equal: how the numbers of a sweep change as these part.

Who answers is in ``_derivatives``, and what is followed in ``_parting``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple


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
