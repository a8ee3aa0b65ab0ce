"""Equal eigenvalues and singular values as they part: how 0 / 0 in a derivative gets its limit.

A function of a matrix through the vectors of equal values has a derivative if it does not depend on the choice of these
vectors. The chain rule then has 0 / 0: how vectors mix, over the differences of their values. With the values moved apart,
each by t times a number of its own, that is an ordinary quotient, and its limit for t to 0 is the quotient of the
derivatives by t. So from the first call on that finds equal values one more record follows what becomes of them, and the
sweeps too; a forward sweep over that record gives a rule the derivatives by t that it asks for (``_derivatives``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy import ndarray

from ._limits import may_follow
from ._move_entries import COPY
from ._record import Record, recording
from ._traced import TracedArray, unwrap


class Parting:
    """The record that follows equal values and their vectors, and how these move."""

    __slots__ = ("record", "moved", "turned")

    def __init__(self) -> None:
        self.record = Record("ignore", False)
        self.record.may_part = False
        self.moved: list[tuple[TracedArray, ndarray]] = []
        self.turned: list[tuple[TracedArray, ndarray]] = []

    def follows(self, values: Any) -> bool:
        """Whether these are values that part, or the copy that was kept of them when the program wrote over them."""
        if not isinstance(values, TracedArray):
            return False
        storage = values._storage
        known = {v._storage for v, _ in self.moved}
        return storage in known or any(e[0] is COPY and e[1] is storage and e[3] in known for e in self.record.entries)


def part(declared: Callable, results: list, arguments: dict[str, Any], records: tuple[Record, ...]) -> None:
    """Follow values of which some are equal, for the tapes that record the call.

    Not followed are those of matrices that were made from equal values themselves, whose vectors move with these, and
    those inside a segment, whose cotangents come from outside.
    """
    if not may_follow.get():
        return
    for record in records:
        if not record.may_part:
            return
    found = declared([unwrap(r) for r in results], arguments)
    if found is None:
        return
    position, direction, turned = found
    outermost = recording()[0]
    parting = outermost.parting
    if parting is None:
        parting = outermost.parting = Parting()
        outermost.leads_parting = True
        parting.record.start()
    for record in records:
        record.parting = parting
    parting.moved.append((results[position], direction))
    parting.turned += [(results[n], tangent) for n, tangent in turned]
    for one, _ in (*parting.moved, *parting.turned):
        parting.record.watch(one._storage, one._view)
