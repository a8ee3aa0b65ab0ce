"""Segments: calls of the user's Python functions that a tape records as one entry each.

A segment computes without being recorded, and finds its derivative in a way of its own when a sweep comes by: `checkpoint`
records the function once more, `implicit` solves a linear system. Only what the arguments bring in can be followed, so a
segment whose function uses tracked data from elsewhere is refused.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from ._derivatives import gradients_of, tangents_of
from ._dispatch import append, tracking
from ._entries import CALL, Call
from ._handed_out import IMMUTABLE
from ._leaks import refuse, user_location
from ._moves import saved_operand
from ._plain_values import fingerprint, same_marks
from ._record import Record, recording, set_recording, token_set
from ._registry import Maps, Spec
from ._run import may_hold
from ._spoiled import Watched
from ._storage import address, native
from ._structure import flatten
from ._surroundings import Surroundings
from ._tape import GradientTape
from ._tracebacks import users_place
from ._traced import TracedArray, adopt, as_it_lies, complete, fresh, is_inexact, new_array, unwrap
from ._unswapped import Unswapped


def is_array(value: Any) -> bool:
    """Whether a leaf is data that derivatives can go through."""
    return isinstance(value, (ndarray, np.generic)) and is_inexact(value.dtype)


def read_only(value: Any) -> Any:
    """The same data, plain, which a function may not write into: the tape would not see it."""
    bare = unwrap(value)
    if not isinstance(bare, ndarray):
        return bare
    bare = bare.view()
    bare.flags.writeable = False
    return bare


def constant(value: Any) -> Any:
    """An argument that no tape tracks, in the form in which a recording tape would hand it on."""
    return fresh(read_only(value)) if is_array(value) and not isinstance(value, TracedArray) else value


def untracked(value: Any) -> Any:
    """The same data as a traced array that no tape tracks, read-only."""
    return fresh(read_only(value)) if is_array(value) else value


def owned(value: Any) -> Any:
    """A copy of an array; nothing else refers to its memory."""
    return np.array(unwrap(value), order="K") if isinstance(value, ndarray) else value


def unshared(leaf: Any) -> Any:
    """A copy of an array in its own class, recorded by a tape that tracks it."""
    return leaf.copy("K") if isinstance(unwrap(leaf), ndarray) else leaf


def as_recorded(result: Any) -> Any:
    """What a call that is not recorded returns, in memory of its own as from one that is: what is written there, or where it
    came from, changes the same with a tape and without."""
    return copies(result, unshared) if any(isinstance(leaf, ndarray) for leaf in flatten(result)[0]) else result


def copies(structure: Any, own: Callable[[Any], Any] = owned) -> Any:
    """The structure with its leaves as ``own`` makes them: an array that is there twice once, so that what is written by one
    name is read by the other. Parts of one array cannot be told this way, and their copies are read-only."""
    leaves, build = flatten(structure)
    if len(leaves) == 1:
        return own(structure) if leaves[0] is structure else build([own(leaves[0])])
    made: dict[Any, Any] = {}
    keys = [_place(leaf) if isinstance(leaf, ndarray) else number for number, leaf in enumerate(leaves)]
    for key, leaf in zip(keys, leaves, strict=True):
        if key not in made:
            made[key] = own(leaf)
            others = [o for k, o in zip(keys, leaves, strict=True) if k != key and isinstance(o, ndarray)]
            if isinstance(made[key], ndarray) and any(np.shares_memory(unwrap(leaf), unwrap(other)) for other in others):
                unwrap(made[key]).flags.writeable = False
    return build([made[key] for key in keys])


def _place(array: ndarray) -> Any:
    """Where an array lies: the same for all names of one array."""
    bare = unwrap(array)
    if not isinstance(bare, ndarray) or not bare.size:
        return id(array)
    return address(bare), bare.shape, bare.strides, bare.dtype.str


def repeats(leaves: list) -> dict[int, int]:
    """The leaves that are the same array as an earlier one, by their numbers, with that of the earlier one."""
    if len(leaves) == 1:
        return {}
    first: dict[Any, int] = {}
    found = {n: first.setdefault(_place(leaf), n) for n, leaf in enumerate(leaves) if isinstance(leaf, ndarray)}
    return {n: earlier for n, earlier in found.items() if earlier != n}


def unrecorded(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """Call a function while no tape records."""
    stack = recording()
    set_recording(())
    try:
        return function(*args, **kwargs)
    finally:
        set_recording(stack)


def watched_apart(name: str, function: Callable, *args: Any, **kwargs: Any) -> Any:
    """Call a function on untracked arguments; raise if its value comes from tracked data from elsewhere."""
    before = [(record, len(record.entries)) for record in recording()]
    result = function(*args, **kwargs)
    if any(len(record.entries) > count and _comes_from_before(record, count, result) for record, count in before):
        raise ValueError(
            f"{user_location()}: {name} uses a tracked array that is not among its arguments, whose derivative would be "
            "lost: pass it as an argument"
        )
    return result


def _comes_from_before(record: Record, count: int, result: Any) -> bool:
    """Whether a result depends on what the first ``count`` entries made. A work array that they left tracked, and that is
    written anew before it is read, brings nothing in."""
    needed: set[Any] = {leaf._storage for leaf in flatten(result)[0] if isinstance(leaf, TracedArray)}
    for e in reversed(record.entries[count:]):
        outs = e[0].outs(e)
        if not needed.isdisjoint(outs):
            # Of several results `written` does not say which part of each.
            if len(outs) == 1 and all(part is None or _is_everything(part) for part in e[0].written(e)):
                needed.difference_update(outs)
            needed.update(e[0].ins(e))
    earlier = {storage for e in record.entries[:count] for storage in e[0].outs(e)}
    return not needed.isdisjoint(earlier | set(record.marks))


def _is_everything(key: Any) -> bool:
    """Whether an index chooses the whole array as it is."""
    parts = key if type(key) is tuple else (key,)
    return all(part is ... or (type(part) is slice and part == slice(None)) for part in parts)


_NUMBERS = np.generic, int, float, complex
_SINGLE = "arrays and numbers, several of them as a tuple"
_STRUCTURES = "arrays, numbers and texts, or lists, tuples, dicts and dataclasses of them"


def check_results(name: str, values: list, kinds: Any = _NUMBERS, what: str = _SINGLE) -> None:
    """Raise for what no tape sees into among the results of a function that it does not see into either."""
    for value in values:
        is_array = isinstance(value, ndarray)
        if value.dtype.hasobject if is_array else not isinstance(value, kinds):
            got = "an array of objects" if is_array else type(value).__name__
            raise TypeError(f"{name} returned {got}, in which arrays would lose their derivatives: return {what}")


def marks(value: Any) -> list:
    """What to know the values of a call by, when it is repeated."""
    return [fingerprint(np.array(unwrap(leaf))) for leaf in flatten(value)[0] if is_array(leaf)]


def check_repeated(name: str, before: list, value: Any) -> None:
    after = marks(value)
    if len(after) != len(before) or not all(same_marks(a, b) for a, b in zip(after, before, strict=True)):
        raise RuntimeError(
            f"{name} gave other values when it was computed again for the derivative: it must depend on its arguments only "
            "(no random numbers, no state kept elsewhere)"
        )


def _source(value: Any) -> Any:
    """An array of its own for each value that is differentiated by: the same one may be there twice."""
    if isinstance(value, TracedArray):
        return value + 0
    return new_array(as_it_lies(value)) if isinstance(value, ndarray) else value


class Recorded:
    """A function recorded at some arguments, for sweeps over it. ``moved`` are the leaves that are differentiated by."""

    def __init__(self, function: Callable, arguments: Callable[[list], tuple[tuple, dict]], moved: list) -> None:
        tape = GradientTape(persistent=True, watch_accessed_variables=False)
        with tape:
            assert tape._record is not None
            tape._record.may_part = False  # what becomes of equal values is outside
            self.sources: list[Any] = [tape.watch(_source(value)) for value in moved]
            args, kwargs = arguments(self.sources)
            self.value = function(*args, **kwargs)
        self.targets = flatten(self.value)[0]
        self.record: Record = tape._record

    def gradients(self, cts: list, batch: tuple) -> list:
        """Cotangents of the moved leaves from those of the values."""
        pairs = [
            (target, ct if ct.dtype == target.dtype else ct.astype(native(target.dtype)))
            for target, ct in zip(self.targets, cts, strict=True)
            if ct is not None and isinstance(target, TracedArray) and self.record.token in target._storage.tracked
        ]
        return gradients_of(self.record, pairs, self.sources, batch)

    def tangents(self, tangents: list, batch: tuple) -> list:
        """Tangents of the values from those of the moved leaves."""
        return tangents_of(self.record, self.targets, list(zip(self.sources, tangents, strict=True)), batch)


_UNSWAPPED = Unswapped()


class Segment(Maps, ABC):
    """The rule of one call of a segment. Its kinds say how cotangents and tangents go through it.

    The leaves of the arguments are of three sorts: ``moved`` ones are tracked, ``fixed`` ones other arrays, and the rest is
    kept here.
    """

    # Whether the maps need the value, which the tape would keep alive.
    needs_value = True

    def __init__(self, name: str, arguments: tuple[tuple, dict], *functions: Callable) -> None:
        self.name = name
        self.leaves, self.build = flatten(arguments)
        self.surroundings = Surroundings((*functions, *self.holders), deep=False)
        self.moved: list[int] = []
        self.fixed: list[int] = []
        self.specs: list[Spec] = []

    # Made when they are asked for: kept, they would refer to the segment that keeps them, and in such a cycle all that it
    # holds would outlive its tape.
    @property
    def vjps(self) -> dict:
        return {"moved": (self._vjp, ("ct", "ans", "moved", "fixed"))}

    @property
    def jvps(self) -> dict:
        return {"moved": (self._jvp, ("tangent", "ans", "moved", "fixed"))}

    @property
    def holders(self) -> list:
        """Objects and functions among the arguments, with what they hold."""
        return [leaf for leaf in self.leaves if may_hold(leaf)]

    @abstractmethod
    def reverse(self, cts: list, ans: Any, moved: list, fixed: list, batch: tuple) -> list:
        """The cotangents of the moved leaves from those of the values."""

    @abstractmethod
    def forward(self, tangents: list, ans: Any, moved: list, fixed: list, batch: tuple) -> list:
        """The tangents of the values from those of the moved leaves."""

    def arguments(self, moved: list, fixed: list, form: Unswapped = _UNSWAPPED) -> tuple[tuple, dict]:
        """The arguments with these leaves, and what stands for the others."""
        leaves = [form(leaf) for leaf in self.leaves]
        for places, values in ((self.moved, moved), (self.fixed, map(constant, fixed))):
            for place, value in zip(places, values, strict=True):
                leaves[place] = value
        return self.build(leaves)

    def _vjp(self, ct: tuple, ans: Any, moved: list, fixed: list) -> list:
        batch = next(c.shape[: c.ndim - s.ndim] for c, s in zip(ct, self.specs, strict=True) if c is not None)
        self.surroundings.check(self.name)
        return self.reverse(list(ct), ans, moved, fixed, batch)

    def _jvp(self, tangent: list, ans: Any, moved: list, fixed: list) -> tuple:
        batch = tangent[0].shape[: tangent[0].ndim - np.ndim(unwrap(moved[0]))]
        self.surroundings.check(self.name)
        return tuple(self.forward(tangent, ans, moved, fixed, batch))


@contextlib.contextmanager
def writes_told(name: str) -> Iterator[None]:
    """Say what NumPy leaves open when a function writes where it must not."""
    try:
        yield
    except ValueError as error:
        if str(error).endswith("is read-only"):
            raise ValueError(
                f"{users_place(error)}: {name} writes into an array that is read-only there: an argument, or one of several "
                "arrays of its state that share memory. Let it write into a copy"
            ) from error
        raise


def record_segment(segment: Segment, compute: Callable[[tuple[tuple, dict]], Any]) -> Any:
    """The value of a segment as it was made for these arguments; recorded by the tapes that track one of them."""
    leaves = segment.leaves
    records = tracking([leaf for leaf in leaves if isinstance(leaf, TracedArray)])
    tokens = token_set(records)
    segment.moved = [n for n, a in enumerate(leaves) if isinstance(a, TracedArray) and tokens & a._storage.tracked]
    segment.fixed = [n for n, a in enumerate(leaves) if is_array(a) and n not in segment.moved]
    saved: dict[str, Any] = {
        "moved": [saved_operand(leaves[n]) for n in segment.moved],
        "fixed": [saved_operand(leaves[n]) for n in segment.fixed],
    }
    operands = [("moved", item, leaves[n]._storage, leaves[n]._view) for item, n in enumerate(segment.moved)]
    constants: dict[str, Any] = {"ans": None, "moved_spec": [Spec(unwrap(leaves[n])) for n in segment.moved]}
    watched = Watched(segment.surroundings.values)
    with watched, writes_told(segment.name):
        value = compute(segment.build([untracked(leaf) for leaf in leaves]))
    check_results(segment.name, flatten(value)[0], tuple(IMMUTABLE), _STRUCTURES)
    value = copies(value, lambda leaf: adopt(owned(leaf)) if is_array(leaf) else leaf)
    made = flatten(value)[0]
    segment.leaves = [None if is_array(leaf) else owned(leaf) for leaf in leaves]
    segment.specs = [Spec(unwrap(m)) for m in made]
    outs: list = []
    for m in made:
        if isinstance(m, TracedArray):
            m._storage.tracked = tokens
        outs.append((m._storage, None) if isinstance(m, TracedArray) else None)
    if segment.needs_value:
        saved["ans"] = [saved_operand(m) for m in made]
    append(records, (CALL, Call(segment, outs, operands, saved, constants, None, True)))
    watched.spoil(segment.name, [leaves[n] for n in segment.moved])
    return value


def trackers(*arguments: Any) -> tuple[Record, ...]:
    """The tapes that record here and track one of the leaves."""
    leaves = flatten(arguments)[0]
    complete(leaves)
    return tracking([a for a in leaves if isinstance(a, TracedArray)]) if recording() else ()


def is_tracked(*arguments: Any) -> bool:
    """Whether a tape that records here tracks one of the leaves."""
    return bool(trackers(*arguments))


def refuse_tracked(what: str, cure: str, *arguments: Any) -> None:
    """A leak, if a tape that records here tracks one of the leaves."""
    records = trackers(*arguments)
    if records:
        refuse(records, what, cure)
