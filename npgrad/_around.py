"""What the block of a tape reaches of the arrays and names from before it: swapped for as long as the tape records.

The functional API searches from its function. A tape that is entered by hand searches from the frame that enters it: what
its block mentions of the module and of the function's variables, and what these lead to. All of it is put back where the
block is left; what the program has put in its place meanwhile stays.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import operator
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any

from numpy import ndarray

from ._block_swaps import BlockSwaps, in_place, variables_of
from ._blocks import Block, block_at
from ._carriers import owner_of, still
from ._comparisons import compared
from ._leaks import is_users_code
from ._namespace import load_names
from ._plain_values import Mark
from ._record import opened
from ._swaps import PLAIN
from ._traced import FLOAT64, TracedArray, view_of

# Held while something is swapped or put back, and never while a block runs.
placing = threading.RLock()
_PATIENCE = 1.0


def _entering_frames(frame: types.FrameType | None) -> Iterator[types.FrameType]:
    """The user's frame that enters a tape; and the one that enters what enters it, a context manager of the user's."""
    while frame is not None:
        code = frame.f_code
        if is_users_code(frame.f_globals.get("__name__"), code.co_filename):
            yield frame
            if code.co_name != "__enter__" and not code.co_flags & _GENERATOR:
                return
        frame = frame.f_back


_GENERATOR = 0x20 | 0x200


class Around:
    """What stands for arrays and names around a tape and those inside of it; later, for arrays that they have followed."""

    def __init__(self) -> None:
        self.users: set[int] = set()
        self.swaps: BlockSwaps | None = None
        self.followed: dict[int, tuple[ndarray, TracedArray, Mark]] = {}
        self.quiet: contextlib.AbstractContextManager = _QUIET

    def enter(self, tape: object, frame: types.FrameType, earlier: Callable[[ndarray], ndarray] | None) -> None:
        """Put what stands for all that the block reaches which a frame enters."""
        load_names()
        if not placing.acquire(timeout=_PATIENCE):  # another thread searches, and waits for this one
            return
        try:
            places = [(one, block_at(one.f_code, one.f_lasti)) for one in _entering_frames(frame)]
            visits = [(one, block, variables_of(one, block)) for one, block in places]
            if len(visits) == 1 and not in_place and recalled(self, tape, *visits[0], earlier):
                return
            compared.forget()
            swaps = self.put(earlier)
            for visit in visits:
                swaps.enter(*visit)
            swaps.run()
            if swaps.hidden:
                self.quiet = still(swaps.hidden)
                self.quiet.__enter__()
            elif len(visits) == 1:
                remember(swaps, tape, *visits[0][1:])
        finally:
            placing.release()

    def put(self, earlier: Callable[[ndarray], ndarray] | None) -> BlockSwaps:
        swaps = self.swaps = BlockSwaps(earlier)
        in_place.append(swaps)
        return swaps

    def stop(self, user: int) -> None:
        """A tape does not record there any more: all is put back with the last one. May be repeated."""
        self.users.discard(user)
        swaps = self.swaps
        if self.users or swaps is None:
            return
        with placing:
            in_place[:] = [other for other in in_place if other is not swaps]
            swaps.put_back()
            self.followed = {
                id(plain): (plain, made, Mark(plain))
                for plain, made in swaps.forms.values()
                if type(made) is TracedArray and made._view is None and made._storage.tracked
            }

    def leave(self, user: int, *error: Any) -> None:
        """The block is left. May be repeated."""
        self.stop(user)
        if not self.users:
            self.swaps = None
            self.quiet.__exit__(*(error or (None, None, None)))

    def standing_for(self, array: Any) -> Any:
        """The traced array for a plain one that was followed; the array itself if it was not."""
        if type(array) is not ndarray or not self.followed:
            return array
        whole = array if id(array) in self.followed else owner_of(array)
        if id(whole) not in self.followed:
            return array
        plain, made, mark = self.followed[id(whole)]
        if not mark.fits(plain):
            raise RuntimeError(
                f"a plain array of shape {plain.shape} that a tape has followed was changed after the tape, which did not "
                "see how: take the gradient before, or make the array with npgrad.array"
            )
        return made if array is whole else view_of(made, array)

    def plain_of(self, array: Any) -> Any:
        """The user's own array, for what stands for it or for a part of it and is not tracked; else the array itself."""
        if self.swaps is None or not isinstance(array, ndarray):
            return array
        storage = getattr(array, "_storage", None)
        if storage is not None and storage.tracked:
            return array
        for swaps in {*in_place, self.swaps}:
            if id(array) in swaps.origins:
                return swaps.origins[id(array)]
            made = [one for _, one in swaps.forms.values() if type(one) is TracedArray]
            if any(one._storage is storage for one in made):
                return array._bare  # type: ignore[attr-defined]
        return array


_QUIET: contextlib.AbstractContextManager = contextlib.nullcontext()
# Around the tapes of this thread or task; it may be gone.
_current: ContextVar[Callable[[], Around | None]] = ContextVar("npgrad_around", default=lambda: None)


def around_here() -> Around | None:
    """What is to be in place for a tape that is entered here; None inside of what a function of npgrad has swapped."""
    found = _current.get()()
    if found is None or not found.users:
        if any(record.open for record in opened()):
            return None
        found = Around()
        _current.set(weakref.ref(found))
    return found


# --- Memory --------------------------------------------------------------------------------------------------------------


class Memory:
    """What was found from a place where a tape was entered, to know whether there is the same to be swapped again.

    All containers must hold the very same objects as they did then, but for numbers, texts and traced arrays, and for plain
    arrays, of which each may be another one. Where variables of a function lead to objects, it lives as long as the last
    tape that was entered there, so that it does not keep them.
    """

    def __init__(self, swaps: BlockSwaps, variables: dict[str, Any]) -> None:
        self.looks = [look for look, _ in swaps.looks]
        self.bare = tuple(swaps.bare)
        before = itertools.chain.from_iterable(values for _, values in swaps.looks)
        self.skeleton = _skeleton([*before, *variables.values()])
        self.codes = [*map(_CODE, self.bare)]
        self.places = [(get, put, key, *_skeleton([value])) for get, put, key, value in swaps.swapped]
        self.absent = [(absent, module.names) for module in swaps.modules.values() if (absent := module.absent())]
        self.modules = swaps.reached()
        self.loaded = len(sys.modules)
        self.has_variables = swaps.has_variables
        self.is_lasting = all(value is _ARRAY or _is_of_module(value) for value in _skeleton(variables.values()))
        self.tape: weakref.ref | None = None

    def fits(self, variables: dict[str, Any]) -> bool:
        if len(sys.modules) != self.loaded:
            return False
        try:
            for absent, names in self.absent:
                if not names.keys().isdisjoint(absent):
                    return False
            now: list[Any] = []
            for look in self.looks:
                now += look()
            now += variables.values()
            return _are_same(_skeleton(now), self.skeleton) and self._has_its_places() and self._has_its_code()
        except (LookupError, AttributeError, ValueError):  # something is gone
            return False

    def _has_its_places(self) -> bool:
        return not self.places or all(_skeleton([get(key)])[0] is value for get, _, key, value in self.places)

    def _has_its_code(self) -> bool:
        bare = self.bare
        return not bare or (
            _are_same([*map(_CODE, bare)], self.codes)
            and not any(map(_DEFAULTS, bare))
            and not any(map(_KEYWORD_DEFAULTS, bare))
        )


def _skeleton(values: Iterable[Any]) -> list:
    """Values as they are compared: any array that can be swapped stands for any other."""
    return [
        _ARRAY
        if kind is ndarray and v.dtype is FLOAT64 and v.base is None and (flags := v.flags).forc and flags.writeable
        else v
        for v in values
        if (kind := type(v)) not in PLAIN
    ]


def _is_of_module(value: Any) -> bool:
    """Whether a value is a function that holds nothing."""
    return type(value) is types.FunctionType and not (value.__closure__ or value.__defaults__ or value.__kwdefaults__)


_ARRAY = object()
_CODE = operator.attrgetter("__code__")
_DEFAULTS, _KEYWORD_DEFAULTS = operator.attrgetter("__defaults__"), operator.attrgetter("__kwdefaults__")


def _are_same(now: list, before: list) -> bool:
    return len(now) == len(before) and all(map(operator.is_, now, before))


def remember(swaps: BlockSwaps, tape: object, block: Block, variables: dict[str, Any]) -> None:
    if len(swaps.swapped) == len(swaps.undo) and not swaps.holds_tape:  # no defaults of functions
        block.memory = Memory(swaps, variables)
        _keep_with(tape, block)


def _keep_with(tape: object, block: Block) -> None:
    if not block.memory.is_lasting:
        block.memory.tape = weakref.ref(tape, functools.partial(_forget, block))


def _forget(block: Block, tape: weakref.ref) -> None:
    if block.memory is not None and block.memory.tape is tape:
        block.memory = None


def recalled(
    around: Around, tape: object, frame: types.FrameType, block: Block, variables: dict[str, Any], earlier: Any
) -> bool:
    """Whether there is the same to be swapped as last time, which is done then."""
    memory = block.memory
    if memory is None or not memory.fits(variables):
        return False
    _keep_with(tape, block)
    if memory.places or memory.has_variables:
        swaps = around.put(earlier)
        swaps.known = memory.modules
        for get, put, key, _ in memory.places:
            swaps.swap_one(get, put, key, get(key))
        swaps.replace(frame, block, variables if memory.has_variables else {})
    return True
