"""One recorded evaluation of a function, which is called as the plain program calls it."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ._arguments import Copies
from ._constants import plain_copy
from ._instrument import Reach, Reached
from ._leaks import LeakError, refuse
from ._record import Record, is_left, recording
from ._structure import flatten, map_structure
from ._tape import GradientTape
from ._traced import SeenArray, TracedArray, complete
from ._while_recording import insist


def plain(value: Any) -> Any:
    """A result as the caller of the plain function would have it; traced while an outer tape records."""
    if not isinstance(value, TracedArray) or recording():
        return value.view(ndarray) if type(value) is SeenArray else value
    return plain_copy(value)


def name_of(function: Callable) -> str:
    return getattr(function, "__name__", type(function).__name__)


def check_callable(f: Any) -> None:
    if not callable(f):
        raise TypeError(f"npgrad differentiates functions, got {type(f).__name__}: give the function, not its value")


def check_argnums(argnums: Any) -> None:
    for number in argnums if isinstance(argnums, (tuple, list)) else (argnums,):
        if not isinstance(number, (int, np.integer)):
            raise TypeError(
                f"argnums must be an int or a tuple of ints, got {reprlib.repr(number)}: the arguments of the function "
                "are for the call, npgrad.grad(f)(x)"
            )


def _position(number: int, args: tuple) -> int:
    if not -len(args) <= number < len(args):
        raise ValueError(
            f"argnums {number}, but the function was called with {len(args)} positional arguments; give what is "
            "differentiated by position, not by keyword"
        )
    return int(number) % len(args)


_KEPT = "the function returned what an earlier call of it has computed, whose derivative went with that call's tape"
_KEPT_CURE = (
    "Empty the cache that it comes from between the calls, or return npgrad.stop_gradient(array) of what is a constant."
)


def _refuse_kept(leaves: list, record: Record) -> None:
    """A program that keeps results by their arguments computes nothing where it is called with the same ones again, or only
    the rest of it."""
    storages = [leaf._storage for leaf in leaves if isinstance(leaf, TracedArray)]
    if not storages or any(record.token in storage.tracked for storage in storages):
        return
    if record.met_kept or any(is_left(storage, record) for storage in storages):
        refuse((record,), _KEPT, _KEPT_CURE)


# Arguments that bring in nothing that a search could find, and those of them that need no look at all.
_HOLDS_NOTHING = (np.generic, float, int, complex, str, bytes, type(None))
_PLAIN = frozenset([ndarray, np.float64, float, int, bool, str, type(None)])


def _others(args: tuple, kwargs: dict) -> list:
    """Values among the arguments that a search goes on from."""
    if not kwargs and _PLAIN.issuperset(map(type, args)) and not any(type(a) is ndarray and a.dtype.hasobject for a in args):
        return []
    complete([args, kwargs])
    return [leaf for leaf in flatten((args, kwargs))[0] if may_hold(leaf)]


def may_hold(leaf: Any) -> bool:
    """Whether a leaf among the arguments may hold what a search would find."""
    return leaf.dtype.hasobject if isinstance(leaf, ndarray) else not isinstance(leaf, _HOLDS_NOTHING)


class Run:
    """One recorded evaluation of a function.

    With ``derive`` the derivative is taken at once, and the record is let go. Arrays whose memory the caller has, too, need
    not be copied then: nobody writes into them before.
    """

    def __init__(
        self,
        function: Callable,
        args: tuple,
        kwargs: dict,
        argnums: Any,
        has_aux: bool,
        leaks: str,
        check_nan: bool = False,
        reach: Reach | None = None,
        derive: Callable[[Run], Any] | None = None,
    ) -> None:
        check_argnums(argnums)
        several = isinstance(argnums, (tuple, list))
        numbers = tuple([_position(number, args) for number in (argnums if several else (argnums,))])
        self.numbers = numbers
        others = _others(args, kwargs)
        self.tape = GradientTape(persistent=True, leaks=leaks, check_nan=check_nan)
        outer = bool(recording())
        self.aux: Any = None
        self.derived: Any = None
        with Reached(function, others, reach or Reach()) as here:
            form = here.form
            copies = Copies(form)
            try:
                with self.tape:
                    call = list(args) if outer else [a if i in numbers else copies.fixed(a) for i, a in enumerate(args)]
                    for i in dict.fromkeys(numbers):
                        call[i] = self.tape.watch(copies.watchable(args[i], i))
                        copies.watched(args[i], call[i])
                    keywords = kwargs if outer else {name: copies.fixed(value) for name, value in kwargs.items()}
                    result = form(function)(*call, **keywords)
                here.leave_names()
                complete(result if isinstance(result, ndarray) else flatten(result)[0])
                copies.refuse_written_aliases()
                if has_aux:
                    if not isinstance(result, tuple) or len(result) != 2:
                        raise TypeError("with has_aux=True the function must return a pair (value, auxiliary data)")
                    result, self.aux = result
                    self.aux = map_structure(plain, self.aux)
                _refuse_kept(flatten(result)[0], self.record())
                # Taken here: what a module or another thread does next to a work array is not in it.
                self._plain_value = map_structure(plain, result)
                self.value = result
                chosen = tuple([call[number] for number in numbers])
                self.sources = chosen if several else chosen[0]
                if derive is not None:
                    self.derived = derive(self)
                    self.tape._forget()
            finally:
                insist(copies.put_back)

    def record(self) -> Record:
        record = self.tape._record
        assert record is not None
        if record.noted_leaks:
            raise LeakError("a leak was swallowed while recording: " + record.noted_leaks[0])
        return record

    def plain_value(self) -> Any:
        return self._plain_value
