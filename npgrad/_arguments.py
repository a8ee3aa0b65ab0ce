"""The arguments of a function that the functional API calls: a traced copy stands for each array of the caller's, which the
function may write into."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from ._holders import HeldArray
from ._moves import keep, protect
from ._record import recording
from ._structure import flatten, map_structure
from ._traced import TracedArray, as_it_lies, is_inexact, new_array, on_memory_of, seen
from ._unswapped import Unswapped

# Fixed arrays of so many bytes are not copied in advance. If the function writes into one, its values are saved then, and
# put back when it has returned.
SHARED_FROM = 1 << 17


class Copies:
    """What stands for the arguments of one call. An array that is fixed in several places has one copy, so that what is
    written by one name is read by the other; what is differentiated by has an own copy for each place, as each has a
    derivative of its own. What the function reaches by other ways too is the same there and here."""

    def __init__(self, form: Unswapped) -> None:
        self._form = form
        self._fixed: dict[int, tuple[ndarray, TracedArray]] = {}
        self._watched: set[int] = set()
        # The arrays of the caller's with what stands for them, and the epochs of those that share their memory with it.
        self._pairs: list[tuple[ndarray, Any]] = []
        self._shared: dict[int, tuple[ndarray, TracedArray, Any]] = {}

    def fixed(self, argument: Any) -> Any:
        return map_structure(self._fixed_leaf, argument)

    def _fixed_leaf(self, leaf: Any) -> Any:
        if type(leaf) is ndarray and leaf.dtype.names is not None:
            return self._form(leaf) if self._form.holds(leaf) else leaf.view(HeldArray)
        if type(leaf) is not ndarray or not is_inexact(leaf.dtype):
            return seen(leaf)
        known = self._fixed.get(id(leaf))
        if known is None:
            if self._form.holds(leaf):
                return self._form(leaf)
            known = self._fixed[id(leaf)] = leaf, self._standing_for(leaf)
            self._pairs.append(known)
        return known[1]

    def _standing_for(self, leaf: ndarray) -> TracedArray:
        if leaf.nbytes < SHARED_FROM or leaf.base is not None or not (leaf.flags.forc and leaf.dtype.isnative):
            return new_array(as_it_lies(leaf))
        shared = on_memory_of(leaf)
        self._shared[id(shared)] = leaf, shared, keep(shared)[1]
        return shared

    def put_back(self) -> None:
        """Give the caller's arrays back their values. What is saved of them is copied if a record still needs it: the caller
        writes into them as he likes."""
        if not self._shared:
            return
        shared = [one for _, one, _ in self._shared.values()]
        self._put_back_written()
        self._shared = {}  # and with it the epochs, so that `protect` can tell whether somebody else holds them
        for one in shared:
            protect(one)

    def _put_back_written(self) -> None:
        for leaf, shared, epoch in self._shared.values():
            if epoch.copy is not None:
                protect(shared)
                leaf[...] = epoch.copy._bare

    def watchable(self, argument: Any, number: int) -> Any:
        """What a tape is to watch for a differentiable argument."""
        if isinstance(argument, int) and not isinstance(argument, bool):
            raise TypeError(
                f"argument {number} is the int {argument}: differentiate with respect to a float, {float(argument)!r}"
            )
        return map_structure(self._watchable_leaf, argument)

    def _watchable_leaf(self, leaf: Any) -> Any:
        if isinstance(leaf, TracedArray):
            # Where an outer tape records, an array of this tape's own, tracked by the outer tapes too.
            return leaf + 0 if recording() else as_it_lies(np.asarray(leaf._bare))
        if id(leaf) in self._watched and type(leaf) is ndarray:
            return as_it_lies(leaf)
        self._watched.add(id(leaf))
        return leaf

    def watched(self, argument: Any, sources: Any) -> None:
        """Note what the tape has made of the arrays of an argument."""
        if type(argument) is ndarray:
            self._pairs.append((argument, sources))
            return
        self._pairs += [
            (leaf, source)
            for leaf, source in zip(flatten(argument)[0], flatten(sources)[0], strict=True)
            if type(leaf) is ndarray
        ]

    def refuse_written_aliases(self) -> None:
        """Raise if the function has written into one of two arguments that look at the same memory: the other one, being
        another copy, has not changed, as it has in the plain program."""
        if len(self._pairs) < 2:
            return
        by_memory: dict[int, list[tuple[ndarray, Any]]] = {}
        for pair in self._pairs:
            array = pair[0]
            by_memory.setdefault(id(array if array.base is None else array.base), []).append(pair)
        for pairs in by_memory.values():
            if len(pairs) > 1 and any(self._is_written(*pair) and _meets_another(pair, pairs) for pair in pairs):
                raise ValueError(
                    "the function writes into an argument whose memory is that of another one too, which has not changed, "
                    "as npgrad gives it copies: pass x.copy() for one of them, if they are not meant to change together"
                )

    def _is_written(self, array: ndarray, copy: TracedArray) -> bool:
        if id(copy) in self._shared:
            return self._shared[id(copy)][2].copy is not None
        return not np.array_equal(copy._bare, array, equal_nan=True)


def _meets_another(pair: tuple, pairs: list[tuple]) -> bool:
    return any(other is not pair and np.shares_memory(pair[0], other[0]) for other in pairs)
