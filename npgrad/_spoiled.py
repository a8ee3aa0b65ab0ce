"""Arrays that come out of a function past its result: it is not recorded, so their derivatives are lost, and whoever needs
them is told.

A function that no tape sees into may write into an array of the program's; one that is computed again in the sweep may leave
what it has computed in an attribute, a list, a variable. All these may serve as memory to work in, and be written anew
before they are read. So it is the sweep that raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from ._dispatch import append, tracking
from ._entries import CALL, Call
from ._leaks import LeakError, user_location
from ._moves import saved_operand
from ._record import SpoiledTokens, token_set
from ._registry import Maps, Spec
from ._storage import NOTHING
from ._surroundings import arrays_around
from ._traced import TracedArray, traced_leaves, unwrap


class Watched:
    """The traced arrays that functions could change or replace, as they are before these are called. Of arrays that they
    write into there is a copy once they have."""

    def __init__(self, functions: Iterable[Callable], arguments: Iterable[Any] = ()) -> None:
        self.functions = tuple(functions)
        self.before = [*traced_leaves(list(arguments)), *self._around()]
        storages = {array._storage for array in self.before}
        # What an earlier call has spoiled is memory to work in again.
        self.spoiled = [(s, s.tracked) for s in storages if type(s.tracked) is SpoiledTokens]
        self.epochs: list = []

    def __enter__(self) -> None:
        for storage, _ in self.spoiled:
            storage.tracked = NOTHING
        bare = [a for a in self.before if type(a._bare) is ndarray and not a._storage.tracked]
        self.epochs = [(a, saved_operand(a)[1]) for a in bare]

    def __exit__(self, *error: object) -> None:
        for storage, tokens in self.spoiled:
            storage.tracked = tokens

    def _around(self) -> list[TracedArray]:
        return [array for function in self.functions for array in arrays_around(function)]

    def spoil(self, name: str, given: list[TracedArray]) -> None:
        """Note what has been written or left there by functions that were given these arrays."""
        known = set(map(id, self.before))
        spoiled = [array for array, epoch in self.epochs if epoch.copy is not None]
        spoiled += [array for array in self._around() if id(array) not in known and not array._storage.tracked]
        records = tracking(given) if spoiled else ()
        if not records:
            return
        tokens = token_set(records)
        tracked = [a for a in given if tokens & a._storage.tracked]
        operands = [("args", n, a._storage, a._view) for n, a in enumerate(tracked)]
        for array in {id(a._storage): a for a in spoiled}.values():
            array._storage.tracked = SpoiledTokens(tokens | array._storage.tracked)
            constants = {"args_spec": [Spec(a._bare) for a in tracked], "ans_spec": Spec(array._bare)}
            out = [(array._storage, array._view)]
            append(records, (CALL, Call(_Spoiled(name, len(tracked)), out, operands, {}, constants, None, False)))


class _Spoiled(Maps):
    """The rule of such a write."""

    def __init__(self, name: str, count: int) -> None:
        self.name, self.count, self.where = name, count, user_location()

    @property
    def vjps(self) -> dict:
        return {"args": (self._vjp, ("ct",))}

    @property
    def jvps(self) -> dict:
        return {"args": (self._jvp, ("ans_spec",))}

    def _vjp(self, ct: Any) -> list:
        if np.any(unwrap(ct)):
            raise LeakError(
                f"{self.where}: {self.name} is not recorded, and has left data in an array that is used after it, whose "
                "derivative would be lost: let it return what it computes"
            )
        return [None] * self.count

    def _jvp(self, ans_spec: Spec) -> Any:
        """Forwards it is not known who will read this: no number, for those who do."""
        return np.full(ans_spec.shape, np.nan, ans_spec.dtype)
